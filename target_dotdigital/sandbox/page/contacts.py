"""The contacts on the page: quick however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.account import AddressBook, find_address_book
from target_dotdigital.sandbox.page.shown_fields import ShownField, shown_fields
from target_dotdigital.sandbox.storage import ALL_CONTACTS_ID

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

PAGE_CONTACTS = 50

SCANNED_CONTACTS = 20_000
"""How many contacts are looked through before the page answers with what it has: some tens of
milliseconds. No index has a status, nor addresses in the order of the alphabet by address book."""

STATUSES = frozenset({"subscribed", "unsubscribed", "suppressed", "pendingOptIn", "noSubscription"})

LISTED_FIELDS = 4
LISTED_CHARACTERS = 40
"""Data fields beside the names that a contact has in the list, and characters of each value."""

FIRST_NAME, LAST_NAME, FULL_NAME = "FIRSTNAME", "LASTNAME", "FULLNAME"

LAST_CHARACTER = "\U0010ffff"

_SHOWN = "contact.id, email, mobile_number, email_status, sms_status, updated"
_NEWEST = f"""
    SELECT {_SHOWN}, 1 AS is_member FROM contact
    WHERE id < :before ORDER BY id DESC LIMIT :most
"""  # noqa: S608 - no value is in it
_NEWEST_OF_LIST = f"""
    SELECT {_SHOWN}, 1 AS is_member FROM membership JOIN contact ON contact.id = contact_id
    WHERE address_book_id = :list AND contact_id < :before ORDER BY contact_id DESC LIMIT :most
"""  # noqa: S608 - no value is in it
_FOUND = f"""
    SELECT {_SHOWN}, :list IS NULL OR EXISTS (
        SELECT 1 FROM membership WHERE address_book_id = :list AND contact_id = contact.id
    ) AS is_member
    FROM contact WHERE email %s :after AND email < :end ORDER BY email LIMIT :most
"""  # noqa: S608 - no value is in it
_FROM, _AFTER = _FOUND % ">=", _FOUND % ">"
"""With one lower bound: of two, SQLite searches the index by the first and looks at every address
that is above it."""

_DATA_FIELDS = "SELECT id, data_fields FROM contact WHERE id IN (SELECT value FROM json_each(?))"


class Filters(msgspec.Struct, frozen=True):
    """Which contacts are wanted.

    Attributes:
        search: Those whose e-mail address begins so (in lower case).
        list_id: Only members of this address book.
        status: Only those of this status, one of `STATUSES`.
    """

    search: str = ""
    list_id: int | None = None
    status: str | None = None


class ShownContact(msgspec.Struct, frozen=True):
    """A contact in the list. IDs are texts: JavaScript rounds large numbers.

    Attributes:
        id: The contact's ID.
        email: The address, if it has one.
        mobile_number: The number, if it has one.
        name: First and last name, as far as they are known.
        fields: The first of its other data fields, values cut short.
        status: That of its e-mail, or of its mobile number if it has no e-mail address.
        updated: When (ISO 8601, UTC).
    """

    id: str
    email: str | None
    mobile_number: str | None
    name: str
    fields: list[ShownField]
    status: str
    updated: str


class ContactsPage(msgspec.Struct, frozen=True):
    """Contacts, and where the next ones begin.

    Attributes:
        items: The contacts. They may be few, or none, although others follow.
        next: What to ask the next page with; nothing after the last one.
        scanned: How many contacts were looked at.
        address_book: The one whose members they are.
    """

    items: list[ShownContact]
    next: str | None
    scanned: int
    address_book: AddressBook | None


def contacts_page(
    connection: sqlite3.Connection, filters: Filters, after: str, before: int
) -> ContactsPage:
    """Return contacts: the newest first, or those that are searched for by their addresses.

    Args:
        connection: In a transaction.
        filters: Which contacts are wanted.
        after: Of a search: only contacts with a later address.
        before: Otherwise: only contacts with a lower ID.
    """
    found: list[sqlite3.Row] = []
    scanned = 0
    last = None
    for row in _candidates(connection, filters, after, before):
        scanned += 1
        last = row
        if row["is_member"] and filters.status in {None, _status(row)}:
            found.append(row)
            if len(found) > PAGE_CONTACTS:
                last = found[PAGE_CONTACTS - 1]
                break
    is_over = len(found) <= PAGE_CONTACTS and scanned < SCANNED_CONTACTS
    following = None
    if last is not None and not is_over:
        following = str(last["email"] if filters.search else last["id"])
    book = None if filters.list_id is None else find_address_book(connection, filters.list_id)
    return ContactsPage(_shown(connection, found[:PAGE_CONTACTS]), following, scanned, book)


def _candidates(
    connection: sqlite3.Connection, filters: Filters, after: str, before: int
) -> Iterable[sqlite3.Row]:
    """Return the contacts to look at; not all of them are read if few are enough."""
    list_id = None if filters.list_id == ALL_CONTACTS_ID else filters.list_id
    parameters = {
        "list": list_id,
        "before": before,
        "after": max(after, filters.search),
        "end": filters.search + LAST_CHARACTER,
        "most": SCANNED_CONTACTS,
    }
    if filters.search:
        return connection.execute(_AFTER if after > filters.search else _FROM, parameters)
    return connection.execute(_NEWEST if list_id is None else _NEWEST_OF_LIST, parameters)


def _shown(connection: sqlite3.Connection, rows: list[sqlite3.Row]) -> list[ShownContact]:
    ids = msgspec.json.encode([row["id"] for row in rows]).decode()
    data_fields = dict(connection.execute(_DATA_FIELDS, (ids,)).fetchall())
    return [_shown_contact(row, data_fields[row["id"]]) for row in rows]


def _shown_contact(row: sqlite3.Row, data_fields: str) -> ShownContact:
    values = {
        one.name: one.value[:LISTED_CHARACTERS]
        for one in shown_fields(msgspec.Raw(data_fields.encode()))
    }
    first, last, full = (values.pop(name, "") for name in (FIRST_NAME, LAST_NAME, FULL_NAME))
    return ShownContact(
        str(row["id"]),
        row["email"],
        row["mobile_number"],
        f"{first} {last}".strip() or full,
        [ShownField(name, value) for name, value in list(values.items())[:LISTED_FIELDS]],
        _status(row),
        row["updated"],
    )


def _status(row: sqlite3.Row) -> str:
    status: str = row["sms_status"] if row["email"] is None else row["email_status"]
    return status
