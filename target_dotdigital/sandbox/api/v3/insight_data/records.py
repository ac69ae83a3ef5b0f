"""The calls about records of insight data: of the account, or of a contact."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response

from target_dotdigital.sandbox.api.requests import change, query, read_body
from target_dotdigital.sandbox.api.v3.insight_data.parameters import (
    marker_after,
    read_key,
    read_keys,
    read_page,
    read_record,
    refuse,
)
from target_dotdigital.sandbox.http import EncodedRoute, answer
from target_dotdigital.sandbox.insight_data import (
    ACCOUNT,
    CONTACT,
    NO_CONTACT,
    Collection,
    IncompatibleError,
    Record,
    check_name,
    delete_records,
    encode_json,
    extended,
    find_collection,
    get_collection,
    get_record,
    keep_fields,
    open_collection,
    owner_id,
    put_record,
    read_fields,
    record_page,
    type_of_name,
)

if TYPE_CHECKING:
    import sqlite3

    from starlette.requests import Request

    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.insight_data import Scope


class RecordLink(msgspec.Struct, frozen=True):
    """A page that can be asked for."""

    marker: str
    link: str


class RecordLinks(msgspec.Struct, frozen=True, omit_defaults=True):
    """The pages around the one that is answered."""

    self: RecordLink
    first: RecordLink
    next: RecordLink | None = None


class RecordPage(msgspec.Struct, frozen=True, rename={"items": "_items", "links": "_links"}):
    """A page of records."""

    items: list[Record]
    links: RecordLinks


class DeletionSummary(msgspec.Struct, frozen=True, rename="camel"):
    """The counts of a deletion."""

    total_records: int
    total_deleted: int
    total_not_found: int


class DeletionResult(msgspec.Struct, frozen=True, rename="camel"):
    """What became of records that were to be deleted. The file asks for `failures` as well."""

    summary: DeletionSummary
    not_found: list[str]
    failures: tuple[()] = ()


async def list_records(request: Request) -> Response:
    """Answer a page of a collection's records, or of those that a contact has in it."""
    wanted = read_page(request.query_params, request.app.state.switches)

    def read(connection: sqlite3.Connection) -> tuple[list[Record], int | None]:
        contact_id = _owner(connection, request)
        return record_page(connection, _collection(connection, request), contact_id, wanted)

    items, following = await query(request, read)

    def link(after: int) -> RecordLink:
        marker = marker_after(after)
        return RecordLink(marker, str(request.url.include_query_params(marker=marker)))

    after = None if following is None else link(following)
    return answer(RecordPage(items, RecordLinks(link(wanted.after), link(0), after)))


async def get_one(request: Request) -> Response:
    """Answer one record."""
    key = read_key(request.path_params["key"])

    def read(connection: sqlite3.Connection) -> Record:
        contact_id = _owner(connection, request)
        return get_record(connection, _collection(connection, request), contact_id, key)

    return answer(await query(request, read))


async def put_one(request: Request) -> Response:
    """Write one record, in place of one of the same key."""
    key = read_key(request.path_params["key"])
    content = read_record(await read_body(request))
    switches: Switches = request.app.state.switches

    def write(connection: sqlite3.Connection) -> bool:
        contact_id = _owner(connection, request)
        if switches.insight_collection == "created":
            collection = _opened(connection, request)
        else:
            collection = _collection(connection, request)
        try:
            keep_fields(connection, collection, extended(read_fields(collection.fields), content))
        except IncompatibleError as error:
            refuse(error.problem)
        json = encode_json(content)
        return put_record(connection, collection, contact_id, key, json)

    is_new = await change(request, write)
    return Response(status_code=HTTPStatus.CREATED if is_new else HTTPStatus.NO_CONTENT)


async def delete_one(request: Request) -> Response:
    """Delete one record."""
    key = read_key(request.path_params["key"])

    def write(connection: sqlite3.Connection) -> None:
        contact_id = _owner(connection, request)
        collection = _collection(connection, request)
        get_record(connection, collection, contact_id, key)
        delete_records(connection, collection, contact_id, [key])

    await change(request, write)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def delete_many(request: Request) -> Response:
    """Delete some records."""
    keys = read_keys(await read_body(request))

    def write(connection: sqlite3.Connection) -> DeletionResult:
        contact_id = _owner(connection, request)
        collection = _collection(connection, request)
        result = delete_records(connection, collection, contact_id, keys)
        total = result.deleted + len(result.not_found)
        summary = DeletionSummary(total, result.deleted, len(result.not_found))
        return DeletionResult(summary, result.not_found)

    return answer(await change(request, write))


def _scope(request: Request) -> Scope:
    return CONTACT if request.url.path.startswith(f"{_BASE}/contacts/") else ACCOUNT


def _owner(connection: sqlite3.Connection, request: Request) -> int:
    parameters = request.path_params
    if "identifier" not in parameters:
        return NO_CONTACT
    return owner_id(connection, parameters["identifier"], parameters["value"])


def _collection(connection: sqlite3.Connection, request: Request) -> Collection:
    return get_collection(connection, request.path_params["name"], _scope(request))


def _opened(connection: sqlite3.Connection, request: Request) -> Collection:
    name, scope = request.path_params["name"], _scope(request)
    check_name(name)
    found = find_collection(connection, name, scope)
    return found or open_collection(connection, name, scope, type_of_name(name))


_BASE = "/insightData/v3"
_OF_ACCOUNT = f"{_BASE}/account/{{name}}"
_OF_CONTACT = f"{_BASE}/contacts/{{identifier}}/{{value}}/{{name}}"

RECORD_ROUTES = (
    EncodedRoute(_OF_ACCOUNT, list_records),
    EncodedRoute(f"{_BASE}/accounts/{{name}}/deleteRecords", delete_many, methods=["DELETE"]),
    EncodedRoute(f"{_BASE}/contacts/{{name}}", list_records),
    EncodedRoute(_OF_CONTACT, list_records),
    EncodedRoute(f"{_OF_CONTACT}/deleteRecords", delete_many, methods=["DELETE"]),
    *(
        EncodedRoute(f"{of}/{{key}}", endpoint, methods=[method])
        for of in (_OF_ACCOUNT, _OF_CONTACT)
        for method, endpoint in (("GET", get_one), ("PUT", put_one), ("DELETE", delete_one))
    ),
)
