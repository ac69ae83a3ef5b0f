"""The calls of v2 about address books."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from target_dotdigital.sandbox import account
from target_dotdigital.sandbox.api.requests import change, change_contacts, query, read_body
from target_dotdigital.sandbox.api.v2.answers import v2_answer
from target_dotdigital.sandbox.api.v2.parameters import path_id, read_valid_page
from target_dotdigital.sandbox.http import AnyCaseDecoder, decode_v2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from target_dotdigital.sandbox.faults import Switches

MAXIMUM_PAGE_ADDRESS_BOOKS = 1_000

_NEW = AnyCaseDecoder(account.NewAddressBook)


async def list_address_books(request: Request) -> Response:
    """Answer a page of the address books."""
    return await _list(request, ("select",), None)


async def list_private_address_books(request: Request) -> Response:
    """Answer a page of the private address books.

    One file of the vendor's calls the page's size `limit`, the other `select`.
    """
    return await _list(request, ("select", "limit"), "Private")


async def list_public_address_books(request: Request) -> Response:
    """Answer a page of the public address books."""
    return await _list(request, ("select",), "Public")


async def _list(
    request: Request, names: Sequence[str], visibility: account.Visibility | None
) -> Response:
    select, skip = read_valid_page(request.query_params, MAXIMUM_PAGE_ADDRESS_BOOKS, names)
    return v2_answer(
        request,
        await query(
            request,
            lambda connection: account.address_book_page(connection, select, skip, visibility),
        ),
    )


async def get_address_book(request: Request) -> Response:
    """Answer one address book."""
    address_book_id = path_id(request)
    return v2_answer(
        request,
        await query(
            request, lambda connection: account.get_address_book(connection, address_book_id)
        ),
    )


async def create_address_book(request: Request) -> Response:
    """Create an address book."""
    new = _decode(await read_body(request))
    switches: Switches = request.app.state.switches
    created = await change(request, lambda connection: account.create_address_book(connection, new))
    return v2_answer(request, created, int(switches.created_list))


async def update_address_book(request: Request) -> Response:
    """Give an address book another name or visibility."""
    address_book_id = path_id(request)
    new = _decode(await read_body(request))
    return v2_answer(
        request,
        await change(
            request,
            lambda connection: account.update_address_book(connection, address_book_id, new),
        ),
    )


async def delete_address_book(request: Request) -> Response:
    """Delete an address book. Its contacts stay in the account."""
    address_book_id = path_id(request)
    await change_contacts(
        request, lambda connection: account.delete_address_book(connection, address_book_id)
    )
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _decode(body: bytes) -> account.NewAddressBook:
    return decode_v2(_NEW, body, "ERROR_ADDRESSBOOK_INVALID")


ADDRESS_BOOK_ROUTES = (
    Route("/v2/address-books", list_address_books),
    Route("/v2/address-books", create_address_book, methods=["POST"]),
    Route("/v2/address-books/private", list_private_address_books),
    Route("/v2/address-books/public", list_public_address_books),
    Route("/v2/address-books/{id}", get_address_book),
    Route("/v2/address-books/{id}", update_address_book, methods=["PUT"]),
    Route("/v2/address-books/{id}", delete_address_book, methods=["DELETE"]),
)
