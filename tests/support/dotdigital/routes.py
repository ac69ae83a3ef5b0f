"""The test server's own answers, a function a route."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tests.support.dotdigital import departure_routes
from tests.support.dotdigital.account.account import Account, TooManyActiveImportsError
from tests.support.dotdigital.account.import_checks import RefusedError, open_envelope
from tests.support.dotdigital.answers import (
    Answer,
    Call,
    html_reply,
    reply,
    too_many_active_imports,
    v2_error,
    v3_error,
)
from tests.support.dotdigital.creations import create_address_book, create_data_field

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT_INFO = "GET /v2/account-info"
ADDRESS_BOOKS = "GET /v2/address-books"
ADDRESS_BOOK = "GET /v2/address-books/{id}"
CREATE_ADDRESS_BOOK = "POST /v2/address-books"
DATA_FIELDS = "GET /v2/data-fields"
CREATE_DATA_FIELD = "POST /v2/data-fields"
CUSTOM_IDENTIFIERS = "GET /configuration/v3/customIdentifiers"
IMPORT = "PUT /contacts/v3/import"
IMPORT_STATUS = "GET /contacts/v3/import/{id}"

IMPORT_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MAX_PAGE = 1_000


def take_import(account: Account, call: Call) -> Answer:
    if len(call.body) > account.max_body_bytes:
        return html_reply(413)
    try:
        envelope = open_envelope(call.body)
    except RefusedError as error:
        details = [{"item": error.item, "description": "The JSON value is not valid"}]
        return v3_error(400, error.code, error.description, details if error.item else None)
    refused = account.refused_contact(envelope)
    if refused is not None:
        # Dotdigital quotes what it refuses: the target must not repeat it in its log.
        item = str(refused["identifiers"])
        details = [{"item": item, "description": f"The JSON value {item} is not valid"}]
        return v3_error(400, "server:badRequest", f"Bad request near {item}", details)
    if account.conflict_status is not None:
        conflicting = account.conflicting_contact(envelope)
        if conflicting is not None:
            description = f"{conflicting['identifiers']} belong to other contacts"
            return v3_error(account.conflict_status, "contacts:identifierConflict", description)
    try:
        accepted = account.accept(envelope)
    except TooManyActiveImportsError:
        return too_many_active_imports()
    return reply(202, {"importId": accepted.import_id})


def import_status(account: Account, call: Call) -> Answer:
    import_id = call.path.rpartition("/")[2]
    if not IMPORT_ID.fullmatch(import_id):
        return v3_error(400, "contacts:invalidId", f"The id value '{import_id}' is invalid")
    found = account.poll(import_id)
    if found is None:
        description = f"The import request '{import_id}' could not be found!"
        return v3_error(404, "contacts:importNotFound", description)
    return reply(200, account.report(found))


def account_info(account: Account, _call: Call) -> Answer:
    properties = {
        "Name": ("String", "Test server"),
        "MainEmail": ("String", "owner@example.com"),
        "APILocale": ("String", "en-GB"),
        "ApiCallsRemaining": ("Int", "1985"),
        "ApiEndpoint": ("String", account.api_endpoint),
    }
    listed = [
        {"name": name, "type": kind, "value": value} for name, (kind, value) in properties.items()
    ]
    return reply(200, {"id": account.account_id, "properties": listed})


def page_of_address_books(account: Account, call: Call) -> Answer:
    select = call.query.get("select", str(MAX_PAGE))
    skip = call.query.get("skip", "0")
    if not (select.isdecimal() and skip.isdecimal() and 1 <= int(select) <= MAX_PAGE):
        return v2_error(400, "A parameter is invalid. ERROR_PARAMETER_INVALID")
    page = sorted(account.address_books.copy())[int(skip) : int(skip) + int(select)]
    return reply(200, [_shown(account, each) for each in page])


def address_book(account: Account, call: Call) -> Answer:
    text = call.path.rpartition("/")[2]
    if not text.isdecimal() or int(text) not in account.address_books:
        return v2_error(404, "The address book does not exist. ERROR_ADDRESSBOOK_NOT_FOUND")
    return reply(200, _shown(account, int(text)))


def _shown(account: Account, which: int) -> dict[str, Any]:
    return {
        "id": which,
        "name": account.address_books.get(which),
        "visibility": "Private",
        **({"contacts": _told_members(account, which)} if account.departures.tells_count else {}),
    }


def _told_members(account: Account, which: int) -> int:
    return account.members(which) + account.departures.told_too_many


def data_fields(account: Account, _call: Call) -> Answer:
    listed = [
        {"name": name, "type": kind, "visibility": "Private", "defaultValue": None}
        for name, kind in account.data_fields.copy().items()
    ]
    return reply(200, listed)


def custom_identifiers(account: Account, _call: Call) -> Answer:
    status = account.custom_identifiers_status
    if status != HTTPStatus.OK:
        return html_reply(status)
    moment = "2024-05-21T12:34:56Z"
    names = sorted(account.custom_identifiers)
    return reply(200, [{"name": one, "created": moment, "updated": moment} for one in names])


ANSWERS: dict[str, Callable[[Account, Call], Answer]] = {
    ACCOUNT_INFO: account_info,
    ADDRESS_BOOKS: page_of_address_books,
    ADDRESS_BOOK: address_book,
    CREATE_ADDRESS_BOOK: create_address_book,
    DATA_FIELDS: data_fields,
    CREATE_DATA_FIELD: create_data_field,
    CUSTOM_IDENTIFIERS: custom_identifiers,
    IMPORT: take_import,
    IMPORT_STATUS: import_status,
    departure_routes.MEMBERS: departure_routes.members,
    departure_routes.REMOVE: departure_routes.remove,
    departure_routes.REMOVAL_STATUS: departure_routes.removal_status,
    departure_routes.DELETE: departure_routes.delete,
    departure_routes.DELETION_STATUS: departure_routes.deletion_status,
    # The most general one comes last: the first that fits answers.
    departure_routes.CONTACT: departure_routes.contact,
}
_PATTERNS = {route: re.compile(re.sub(r"\{\w+\}", "[^/]+", route)) for route in ANSWERS}


def route_of(method: str, path: str) -> str:
    """Return the route's name; of an unknown one, the method and the path."""
    line = f"{method} {path}"
    return next((route for route in ANSWERS if _PATTERNS[route].fullmatch(line)), line)
