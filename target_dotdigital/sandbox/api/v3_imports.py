"""The calls of v3: imports and contacts."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from target_dotdigital.sandbox.account import contacts
from target_dotdigital.sandbox.api.calls import answer, read_body
from target_dotdigital.sandbox.api.filters import read_query
from target_dotdigital.sandbox.removals import bulk_deletion, removal_log

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from target_dotdigital.sandbox.imports.accepting import Importing
    from target_dotdigital.sandbox.removals.removals import Removals
    from target_dotdigital.sandbox.storage.store import Store


class AcceptedImport(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to an import."""

    import_id: str


class AcceptedDeletion(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to a deletion."""

    delete_id: str


class Link(msgspec.Struct, frozen=True):
    """A page that can be asked for."""

    marker: str
    link: str


class Links(msgspec.Struct, frozen=True, omit_defaults=True):
    """The pages around the one that is answered."""

    self: Link
    first: Link
    next: Link | None = None


class ContactPage(msgspec.Struct, frozen=True, rename={"items": "_items", "links": "_links"}):
    """A page of contacts."""

    items: list[contacts.ContactAnswer]
    links: Links


async def import_contacts(request: Request) -> Response:
    """Accept an import: it is on disk when this answers, and worked off later."""
    body = await read_body(request)

    importing: Importing = request.app.state.importing
    import_id = await run_in_threadpool(importing.accept, body)
    return answer(AcceptedImport(import_id), HTTPStatus.ACCEPTED)


async def get_import_status(request: Request) -> Response:
    """Answer the status of an import and its report."""
    importing: Importing = request.app.state.importing
    return answer(await run_in_threadpool(importing.report, request.path_params["id"]))


async def delete_contacts(request: Request) -> Response:
    """Accept the deletion of contacts from the account."""
    body = await read_body(request)

    def accept(removals: Removals) -> str:
        bulk_deletion.check(body)
        return removals.accept("contacts", 0, body)

    delete_id = await run_in_threadpool(accept, request.app.state.removals)
    return answer(AcceptedDeletion(delete_id), HTTPStatus.ACCEPTED)


async def get_deletion_status(request: Request) -> Response:
    """Answer the status of a deletion and its report."""
    delete_id = request.path_params["id"]

    def read(store: Store) -> object:
        with store.reading() as connection:
            return removal_log.deletion(connection, delete_id)

    return answer(await run_in_threadpool(read, request.app.state.store))


async def list_contacts(request: Request) -> Response:
    """Answer a page of contacts."""
    query = read_query(request.query_params)

    def read(store: Store) -> tuple[list[contacts.ContactAnswer], int | None]:
        with store.reading() as connection:
            return contacts.page(connection, query)

    items, following = await run_in_threadpool(read, request.app.state.store)

    def link(after: int) -> Link:
        marker = contacts.marker_after(after)
        return Link(marker, str(request.url.include_query_params(marker=marker)))

    links = Links(link(query.after), link(0), None if following is None else link(following))
    return answer(ContactPage(items, links))


V3_ROUTES = (
    Route("/contacts/v3/import", import_contacts, methods=["PUT"]),
    Route("/contacts/v3/import/{id}", get_import_status),
    Route("/contacts/v3/delete", delete_contacts, methods=["POST"]),
    Route("/contacts/v3/delete/{id}", get_deletion_status),
    Route("/contacts/v3", list_contacts),
)
