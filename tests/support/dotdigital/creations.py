"""The test server's answers to calls that create something, from the vendor's documentation."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.support.dotdigital.answers import Answer, Call, reply, v2_error

if TYPE_CHECKING:
    from tests.support.dotdigital.account.account import Account

RESERVED_BOOKS = {"test", "all contacts"}
RESERVED_FIELDS = {
    "account",
    "campaign",
    "campaignid",
    "contact",
    "contact_api_id",
    "contactid",
    "email",
    "hcontactid",
    "hemail",
    "hemail256",
    "id",
    "messagecontent",
    "mobilenumberid",
    "notes",
    "unsubscribed",
    "uniquecontactid",
}
VISIBILITIES = {"Private", "Public"}
TYPES = {"String", "Numeric", "Date", "Boolean"}
FIRST_NEW_BOOK = 9_001


def create_address_book(account: Account, call: Call) -> Answer:
    new = _content(call, {"name", "visibility"})
    name, visibility = new.get("name"), new.get("visibility", "Private")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= len(name) <= 128:
        return _refusal(account, "The address book is invalid. ERROR_ADDRESSBOOK_INVALID")
    if visibility not in VISIBILITIES:
        return _refusal(account, "The address book is invalid. ERROR_ADDRESSBOOK_INVALID")
    with account.changed:
        # Whether upper and lower case are the same name is not documented: this refuses more.
        taken = {each.lower() for each in (*account.address_books.values(), *account.segments)}
        if name.lower() in taken | RESERVED_BOOKS:
            return _refusal(account, "The name is not unique. ERROR_ADDRESSBOOK_DUPLICATE")
        if len(account.address_books) >= account.max_address_books:
            return _refusal(account, "There are too many. ERROR_ADDRESSBOOK_LIMITEXCEEDED")
        number = max([FIRST_NEW_BOOK, *(each + 1 for each in account.address_books)])
        account.address_books[number] = name
        account.changed.notify_all()
    created = {"id": number, "name": name, "visibility": visibility, "contacts": 0}
    return reply(account.created_status, created)


def create_data_field(account: Account, call: Call) -> Answer:
    new = _content(call, {"name", "type", "visibility", "defaultValue"})
    name, kind, visibility = new.get("name"), new.get("type"), new.get("visibility", "Private")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,20}", name):
        return _refusal(account, "The data field is invalid. ERROR_DATAFIELD_INVALID")
    if name.lower() in RESERVED_FIELDS or kind not in TYPES or visibility not in VISIBILITIES:
        return _refusal(account, "The data field is invalid. ERROR_DATAFIELD_INVALID")
    with account.changed:
        if name.upper() in {each.upper() for each in account.data_fields}:
            return _refusal(account, "The data field exists. ERROR_NON_UNIQUE_DATAFIELD")
        if len(account.data_fields) >= account.max_data_fields:
            return _refusal(account, "There are too many. ERROR_DATAFIELD_LIMITEXCEEDED")
        kept = name.upper() if account.field_names_upper_cased else name
        account.data_fields[kept] = kind
        account.changed.notify_all()
    created = {"name": kept, "type": kind, "visibility": visibility, "defaultValue": None}
    return reply(201, created if account.tells_created_field else b"")


def _content(call: Call, known: set[str]) -> dict[str, Any]:
    """Return the body's object; an empty one, which lacks a name, in place of anything else."""
    try:
        content = json.loads(call.body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) and content.keys() <= known else {}


def _refusal(account: Account, message: str) -> Answer:
    return v2_error(account.creation_refused_status, message)
