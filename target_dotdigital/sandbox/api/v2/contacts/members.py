"""The calls of v2 about the contacts of an address book."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from target_dotdigital.sandbox import account
from target_dotdigital.sandbox.api.requests import Int32, change, query, read_body
from target_dotdigital.sandbox.api.v2.answers import v2_answer
from target_dotdigital.sandbox.api.v2.contacts.contact_bodies import contact_not_found
from target_dotdigital.sandbox.api.v2.contacts.member_replies import Member, member_page
from target_dotdigital.sandbox.api.v2.parameters import path_id, read_full_page
from target_dotdigital.sandbox.http import AnyCaseDecoder, decode_v2, v2_refusal
from target_dotdigital.sandbox.removals import (
    LIST_STATUSES,
    WAITING,
    ListRemoval,
    list_removal_status,
)

if TYPE_CHECKING:
    import sqlite3

    from starlette.requests import Request

    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.removals import Kind, RemovalQueue
    from target_dotdigital.sandbox.storage import Store

MAXIMUM_PAGE_MEMBERS = 1_000

_IDS = AnyCaseDecoder(list[Int32])


async def list_members(request: Request) -> Response:
    """Answer a page of an address book's contacts, or of a segment's: their IDs do not meet."""
    address_book_id = path_id(request)
    select, skip, with_fields = read_full_page(request.query_params, MAXIMUM_PAGE_MEMBERS)

    def read(connection: sqlite3.Connection) -> list[Member]:
        if account.find_segment(connection, address_book_id) is None:
            account.get_address_book(connection, address_book_id)
        return member_page(connection, address_book_id, select, skip, with_fields=with_fields)

    return v2_answer(request, await query(request, read))


async def remove_member(request: Request) -> Response:
    """Take one contact out of an address book."""
    address_book_id, contact_id = path_id(request), path_id(request, "contact_id")
    switches: Switches = request.app.state.switches

    def write(connection: sqlite3.Connection) -> None:
        account.writable_address_book(connection, address_book_id)
        found = connection.execute("SELECT 1 FROM contact WHERE id = ?", (contact_id,))
        if found.fetchone() is None:
            if switches.unknown_member == "removed":
                return
            raise contact_not_found()
        account.leave_list(connection, address_book_id, [contact_id])

    await change(request, write)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def remove_members(request: Request) -> Response:
    """Accept the removal of some contacts from an address book."""
    address_book_id = path_id(request)
    return await _accept(request, "members", address_book_id, await read_body(request))


async def remove_all_members(request: Request) -> Response:
    """Accept the removal of all contacts from an address book."""
    return await _accept(request, "everyone", path_id(request), b"")


async def get_removal(request: Request) -> Response:
    """Answer how far a removal is."""
    removal_id = request.path_params["id"]
    return v2_answer(
        request,
        await query(request, lambda connection: list_removal_status(connection, removal_id)),
    )


async def _accept(request: Request, kind: Kind, address_book_id: int, body: bytes) -> Response:
    def accept(store: Store, removals: RemovalQueue) -> str:
        if kind == "members" and not decode_v2(_IDS, body, "ERROR_PARAMETER_INVALID"):
            raise v2_refusal("ERROR_CONTACTS_ARE_NOT_SPECIFIED", "There are no contacts in it.")
        with store.reading() as connection:
            account.writable_address_book(connection, address_book_id)
        return removals.accept(kind, address_book_id, body)

    state = request.app.state
    removal_id = await run_in_threadpool(accept, state.store, state.removals)
    return v2_answer(request, ListRemoval(removal_id, LIST_STATUSES[WAITING]), HTTPStatus.ACCEPTED)


_MEMBERS = "/v2/address-books/{id}/contacts"

MEMBER_ROUTES = (
    Route(_MEMBERS, list_members),
    Route(f"{_MEMBERS}/delete", remove_members, methods=["POST"]),
    Route(f"{_MEMBERS}/delete-all", remove_all_members, methods=["POST"]),
    Route(f"{_MEMBERS}/{{contact_id}}", remove_member, methods=["DELETE"]),
    Route("/v2/contacts/deletion/{id}", get_removal),
)
