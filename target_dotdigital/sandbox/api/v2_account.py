"""The calls of v2: the account, its address books and its data fields."""

from __future__ import annotations

from datetime import datetime, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from target_dotdigital.sandbox.account import address_books, data_fields
from target_dotdigital.sandbox.api.calls import answer, decode_v2, read_body, whole_number
from target_dotdigital.sandbox.errors import v2_refusal

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from target_dotdigital.sandbox.storage.store import Store

ACCOUNT_ID = 1
MAXIMUM_PAGE_ADDRESS_BOOKS = 1_000


class Property(msgspec.Struct, frozen=True):
    """A property of the account. Values are strings, whatever their type is called."""

    name: str
    type: str
    value: str


class AccountInfo(msgspec.Struct, frozen=True):
    """The account as v2 answers it."""

    id: int
    properties: tuple[Property, ...]


async def account_info(request: Request) -> Response:
    """Tell what account this is, and at which address it is served."""
    properties = (
        Property("Name", "String", "Dotdigital sandbox"),
        Property("MainEmail", "String", "sandbox@apiconnector.com"),
        Property("APILocale", "String", "en-GB"),
        # As the client sees it: behind a forwarded port it is another one than is listened on.
        Property("ApiEndpoint", "String", str(request.base_url)),
        Property("CurrencyCode", "String", "GBP"),
        Property("TimeZoneIana", "String", "UTC"),
    )
    return answer(AccountInfo(ACCOUNT_ID, properties))


async def server_time(_request: Request) -> Response:
    """Tell the time in UTC."""
    return PlainTextResponse(str(datetime.now(timezone.utc)))


async def list_address_books(request: Request) -> Response:
    """Answer a page of the address books."""
    parameters = request.query_params
    try:
        select = whole_number(
            parameters.get("select"),
            default=MAXIMUM_PAGE_ADDRESS_BOOKS,
            least=1,
            most=MAXIMUM_PAGE_ADDRESS_BOOKS,
        )
        skip = whole_number(parameters.get("skip"), default=0, least=0)
    except ValueError:
        raise v2_refusal(
            "ERROR_PARAMETER_INVALID",
            f"select takes 1 to {MAXIMUM_PAGE_ADDRESS_BOOKS}, skip takes 0 or more.",
        ) from None

    def read(store: Store) -> list[address_books.AddressBook]:
        with store.reading() as connection:
            return address_books.page(connection, select, skip)

    return answer(await run_in_threadpool(read, request.app.state.store))


async def get_address_book(request: Request) -> Response:
    """Answer one address book."""
    try:
        address_book_id = whole_number(request.path_params["id"], default=0, least=0)
    except ValueError:
        raise v2_refusal("ERROR_PARAMETER_INVALID", "The ID is no number of 32 bits.") from None

    def read(store: Store) -> address_books.AddressBook:
        with store.reading() as connection:
            return address_books.get(connection, address_book_id)

    return answer(await run_in_threadpool(read, request.app.state.store))


async def create_address_book(request: Request) -> Response:
    """Create an address book."""
    body = await read_body(request)
    new = decode_v2(body, address_books.NEW, "ERROR_ADDRESSBOOK_INVALID")

    def write(store: Store) -> address_books.AddressBook:
        with store.writing() as connection:
            return address_books.create(connection, new)

    return answer(await run_in_threadpool(write, request.app.state.store))


async def list_data_fields(request: Request) -> Response:
    """Answer all data fields."""

    def read(store: Store) -> list[data_fields.DataField]:
        with store.reading() as connection:
            return data_fields.every(connection)

    return answer(await run_in_threadpool(read, request.app.state.store))


async def create_data_field(request: Request) -> Response:
    """Create a data field."""
    body = await read_body(request)
    new = decode_v2(body, data_fields.NEW, "ERROR_DATAFIELD_INVALID")

    def write(store: Store) -> data_fields.DataField:
        with store.writing() as connection:
            return data_fields.create(connection, new)

    created = await run_in_threadpool(write, request.app.state.store)
    return answer(created, HTTPStatus.CREATED)


async def delete_data_field(request: Request) -> Response:
    """Delete a data field."""
    name = request.path_params["name"]

    def write(store: Store) -> data_fields.Deletion:
        # The contacts are held: an import may just be about to write values of it.
        with store.contacts, store.writing() as connection:
            return data_fields.delete(connection, name)

    return answer(await run_in_threadpool(write, request.app.state.store))


V2_ROUTES = (
    Route("/v2/account-info", account_info),
    Route("/v2/server-time", server_time),
    Route("/v2/address-books", list_address_books),
    Route("/v2/address-books", create_address_book, methods=["POST"]),
    Route("/v2/address-books/{id}", get_address_book),
    Route("/v2/data-fields", list_data_fields),
    Route("/v2/data-fields", create_data_field, methods=["POST"]),
    Route("/v2/data-fields/{name}", delete_data_field, methods=["DELETE"]),
)
