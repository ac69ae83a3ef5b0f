"""The calls about collections of insight data."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from target_dotdigital.sandbox.api.requests import change, query
from target_dotdigital.sandbox.http import EncodedRoute, answer
from target_dotdigital.sandbox.insight_data import (
    ACCOUNT,
    CONTACT,
    CollectionSummary,
    ShownField,
    check_name,
    collection_summaries,
    collections_of_contact,
    create_collection,
    find_collection,
    get_collection,
    owner_id,
    read_fields,
    read_scope,
    read_type,
    shown_fields,
)

if TYPE_CHECKING:
    import sqlite3

    from starlette.requests import Request

    from target_dotdigital.sandbox.insight_data import InsightJobs, Kind


class AcceptedJob(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to the removal of many records."""

    job_id: str


class Schema(msgspec.Struct, frozen=True):
    """What the records of a collection are like. The vendor's file has an object here."""

    fields: list[ShownField]


class CollectionSchema(msgspec.Struct, frozen=True, rename="camel"):
    """The answer about a collection's schema."""

    collection_name: str
    collection_type: str
    schema: Schema


async def list_collections(request: Request) -> Response:
    """Answer all collections."""
    return answer(await query(request, collection_summaries))


async def list_account_collections(request: Request) -> Response:
    """Answer the collections of the account itself."""
    return answer(
        await query(request, lambda connection: collection_summaries(connection, ACCOUNT))
    )


async def list_contact_collections(request: Request) -> Response:
    """Answer the collections in which a contact has records."""
    name, value = request.path_params["identifier"], request.path_params["value"]

    def read(connection: sqlite3.Connection) -> list[CollectionSummary]:
        return collections_of_contact(connection, owner_id(connection, name, value))

    return answer(await query(request, read))


async def create(request: Request) -> Response:
    """Create a collection, unless there is one of that name."""
    name = request.path_params["name"]
    check_name(name)
    scope = read_scope(request.query_params.get("collectionScope", ""))
    kind = read_type(request.query_params.get("collectionType", ""))

    def write(connection: sqlite3.Connection) -> HTTPStatus:
        if find_collection(connection, name):
            return HTTPStatus.OK
        create_collection(connection, name, scope, kind)
        return HTTPStatus.CREATED

    return Response(status_code=await change(request, write))


async def get_schema(request: Request) -> Response:
    """Answer what the records of a collection are like."""
    name = request.path_params["name"]

    def read(connection: sqlite3.Connection) -> CollectionSchema:
        found = get_collection(connection, name)
        schema = Schema(shown_fields(read_fields(found.fields)))
        return CollectionSchema(found.name, found.type, schema)

    return answer(await query(request, read))


async def delete(request: Request) -> Response:
    """Accept the deletion of a collection."""
    return await _remove(request, "delete")


async def empty(request: Request) -> Response:
    """Accept the deletion of all records of a collection, which itself stays."""
    return await _remove(request, "empty")


async def empty_for_contact(request: Request) -> Response:
    """Accept the deletion of all records that a contact has in a collection."""
    jobs: InsightJobs = request.app.state.insight_jobs
    parameters = request.path_params
    contact_id = await query(
        request,
        lambda connection: owner_id(connection, parameters["identifier"], parameters["value"]),
    )
    job_id = await run_in_threadpool(
        jobs.accept_removal, "empty", parameters["name"], CONTACT, contact_id
    )
    return answer(AcceptedJob(job_id), HTTPStatus.ACCEPTED)


async def _remove(request: Request, kind: Kind) -> Response:
    jobs: InsightJobs = request.app.state.insight_jobs
    job_id = await run_in_threadpool(jobs.accept_removal, kind, request.path_params["name"])
    return answer(AcceptedJob(job_id), HTTPStatus.ACCEPTED)


_ONE = "/insightData/v3/collections/{name}"

COLLECTION_ROUTES = (
    EncodedRoute("/insightData/v3/collections", list_collections),
    EncodedRoute(_ONE, create, methods=["POST"]),
    EncodedRoute(_ONE, delete, methods=["DELETE"]),
    EncodedRoute(f"{_ONE}/empty", empty, methods=["DELETE"]),
    EncodedRoute(f"{_ONE}/schema", get_schema),
    EncodedRoute("/insightData/v3/account", list_account_collections),
    EncodedRoute("/insightData/v3/contacts/{identifier}/{value}", list_contact_collections),
    EncodedRoute(
        "/insightData/v3/contacts/{identifier}/{value}/{name}/empty",
        empty_for_contact,
        methods=["DELETE"],
    ),
)
