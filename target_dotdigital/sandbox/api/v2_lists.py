"""The calls of v2 that change an address book, and those about its contacts."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from target_dotdigital.sandbox.account import address_books, members
from target_dotdigital.sandbox.account.departures import leave_list
from target_dotdigital.sandbox.api.calls import (
    LARGEST_PARAMETER,
    answer,
    decode_v2,
    read_body,
    whole_number,
)
from target_dotdigital.sandbox.errors import v2_refusal
from target_dotdigital.sandbox.removals import removal_log
from target_dotdigital.sandbox.removals.removal_log import LIST_STATUSES, WAITING, ListRemoval

if TYPE_CHECKING:
    from starlette.requests import Request

    from target_dotdigital.sandbox.removals.removals import Removals
    from target_dotdigital.sandbox.storage.store import Store

MAXIMUM_PAGE_MEMBERS = 1_000

Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=LARGEST_PARAMETER)]
_IDS = msgspec.json.Decoder(list[Int32])


async def rename_address_book(request: Request) -> Response:
    """Give an address book another name or visibility."""
    address_book_id = _number(request, "id")
    body = await read_body(request)

    def write(store: Store) -> address_books.AddressBook:
        new = decode_v2(body, address_books.NEW, "ERROR_ADDRESSBOOK_INVALID")
        with store.writing() as connection:
            return address_books.update(connection, address_book_id, new)

    return answer(await run_in_threadpool(write, request.app.state.store))


async def delete_address_book(request: Request) -> Response:
    """Delete an address book. Its contacts stay in the account."""
    address_book_id = _number(request, "id")

    def write(store: Store) -> None:
        # The contacts are held: an import may just be about to add some to it.
        with store.contacts, store.writing() as connection:
            address_books.delete(connection, address_book_id)

    await run_in_threadpool(write, request.app.state.store)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def list_members(request: Request) -> Response:
    """Answer a page of an address book's contacts."""
    address_book_id = _number(request, "id")
    parameters = request.query_params
    with_fields = parameters.get("withFullData", "false").lower()
    try:
        select = whole_number(
            parameters.get("select"),
            default=MAXIMUM_PAGE_MEMBERS,
            least=1,
            most=MAXIMUM_PAGE_MEMBERS,
        )
        skip = whole_number(parameters.get("skip"), default=0, least=0)
    except ValueError:
        select = skip = -1
    if select < 0 or with_fields not in {"true", "false"}:
        raise v2_refusal(
            "ERROR_PARAMETER_INVALID",
            f"select takes 1 to {MAXIMUM_PAGE_MEMBERS}, skip takes 0 or more, withFullData "
            "takes true or false.",
        )

    def read(store: Store) -> list[members.Member]:
        with store.reading() as connection:
            address_books.get(connection, address_book_id)
            return members.page(
                connection, address_book_id, select, skip, with_fields=with_fields == "true"
            )

    return answer(await run_in_threadpool(read, request.app.state.store))


async def remove_member(request: Request) -> Response:
    """Take one contact out of an address book."""
    address_book_id, contact_id = _number(request, "id"), _number(request, "contact_id")

    def write(store: Store) -> None:
        with store.writing() as connection:
            address_books.writable(connection, address_book_id)
            found = connection.execute("SELECT 1 FROM contact WHERE id = ?", (contact_id,))
            if found.fetchone() is None:
                raise v2_refusal(
                    "ERROR_CONTACT_NOT_FOUND",
                    "The contact does not exist in the account.",
                    HTTPStatus.NOT_FOUND,
                )
            leave_list(connection, address_book_id, [contact_id])

    await run_in_threadpool(write, request.app.state.store)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def remove_members(request: Request) -> Response:
    """Accept the removal of some contacts from an address book."""
    address_book_id = _number(request, "id")
    body = await read_body(request)

    def accept(store: Store, removals: Removals) -> str:
        if not decode_v2(body, _IDS, "ERROR_PARAMETER_INVALID"):
            raise v2_refusal("ERROR_CONTACTS_ARE_NOT_SPECIFIED", "There are no contacts in it.")
        with store.reading() as connection:
            address_books.writable(connection, address_book_id)
        return removals.accept("members", address_book_id, body)

    state = request.app.state
    return _accepted(await run_in_threadpool(accept, state.store, state.removals))


async def remove_everyone(request: Request) -> Response:
    """Accept the removal of all contacts from an address book."""
    address_book_id = _number(request, "id")

    def accept(store: Store, removals: Removals) -> str:
        with store.reading() as connection:
            address_books.writable(connection, address_book_id)
        return removals.accept("everyone", address_book_id, b"")

    state = request.app.state
    return _accepted(await run_in_threadpool(accept, state.store, state.removals))


async def get_removal(request: Request) -> Response:
    """Answer how far a removal is."""
    removal_id = request.path_params["id"]

    def read(store: Store) -> ListRemoval:
        with store.reading() as connection:
            return removal_log.list_removal(connection, removal_id)

    return answer(await run_in_threadpool(read, request.app.state.store))


def _accepted(removal_id: str) -> Response:
    return answer(ListRemoval(removal_id, LIST_STATUSES[WAITING]), HTTPStatus.ACCEPTED)


def _number(request: Request, name: str) -> int:
    try:
        return whole_number(request.path_params[name], default=0, least=0)
    except ValueError:
        raise v2_refusal("ERROR_PARAMETER_INVALID", "The ID is no number of 32 bits.") from None


_BOOK = "/v2/address-books/{id}"

V2_LIST_ROUTES = (
    Route(_BOOK, rename_address_book, methods=["PUT"]),
    Route(_BOOK, delete_address_book, methods=["DELETE"]),
    Route(f"{_BOOK}/contacts", list_members),
    Route(f"{_BOOK}/contacts/delete", remove_members, methods=["POST"]),
    Route(f"{_BOOK}/contacts/delete-all", remove_everyone, methods=["POST"]),
    Route(f"{_BOOK}/contacts/{{contact_id}}", remove_member, methods=["DELETE"]),
    Route("/v2/contacts/deletion/{id}", get_removal),
)
