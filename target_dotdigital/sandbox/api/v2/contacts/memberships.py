"""The calls of v2 about the address books of a contact, and about how many contacts there are."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from target_dotdigital.sandbox import account
from target_dotdigital.sandbox.api.requests import query
from target_dotdigital.sandbox.api.v2.answers import v2_answer
from target_dotdigital.sandbox.api.v2.contacts.contact_bodies import contact_not_found
from target_dotdigital.sandbox.api.v2.parameters import path_id, read_valid_page
from target_dotdigital.sandbox.storage import ALL_CONTACTS_ID

if TYPE_CHECKING:
    import sqlite3

    from starlette.requests import Request

    from target_dotdigital.sandbox.storage import Store

MAXIMUM_PAGE_ADDRESS_BOOKS = 1_000

PART_CONTACTS = 5_000
"""Contacts that leave a list in one transaction. It bounds how long an import waits for it."""


async def count_contacts(request: Request) -> Response:
    """Answer how many contacts the account has."""
    everyone = await query(
        request, lambda connection: account.get_address_book(connection, ALL_CONTACTS_ID)
    )
    return v2_answer(request, everyone.contacts)


async def list_address_books_of_contact(request: Request) -> Response:
    """Answer a page of the address books that a contact is in."""
    contact_id = path_id(request)
    select, skip = read_valid_page(request.query_params, MAXIMUM_PAGE_ADDRESS_BOOKS)

    def read(connection: sqlite3.Connection) -> list[account.AddressBook]:
        found = connection.execute("SELECT 1 FROM contact WHERE id = ?", (contact_id,))
        if found.fetchone() is None:
            raise contact_not_found()
        return account.address_books_of_contact(connection, contact_id, select, skip)

    return v2_answer(request, await query(request, read))


async def empty_address_book(request: Request) -> Response:
    """Take all contacts out of an address book, and answer when they are out."""
    address_book_id = path_id(request)

    def write(store: Store) -> None:
        with store.reading() as connection:
            account.writable_address_book(connection, address_book_id)
        more = True
        while more:
            with store.writing(synchronous=False) as connection:
                more = account.leave_list_first(connection, address_book_id, PART_CONTACTS)

    await run_in_threadpool(write, request.app.state.store)
    return Response(status_code=HTTPStatus.NO_CONTENT)


MEMBERSHIP_ROUTES = (
    Route("/v2/contacts/count", count_contacts),
    Route("/v2/contacts/{id}/address-books", list_address_books_of_contact),
    Route("/v2/address-books/{id}/contacts", empty_address_book, methods=["DELETE"]),
)
