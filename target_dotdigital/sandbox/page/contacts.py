"""The contacts on the page: quick however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.api import find_contact
from target_dotdigital.sandbox.contacts import CONTACT_ID
from target_dotdigital.sandbox.storage import ALL_CONTACTS_ID

if TYPE_CHECKING:
    import sqlite3

PAGE_CONTACTS = 50

SEARCHED_CONTACTS = 20_000
"""How many addresses with a prefix are looked through for members of one address book before the
page answers with what it has: some tens of milliseconds."""

LAST_CHARACTER = "\U0010ffff"

_SHOWN = "id, email, mobile_number, email_status, sms_status, updated"
_NEWEST = f"SELECT {_SHOWN} FROM contact WHERE id < ? ORDER BY id DESC LIMIT ?"  # noqa: S608 - no value is in it
_NEWEST_OF_LIST = f"""
    SELECT {_SHOWN} FROM membership JOIN contact ON contact.id = contact_id
    WHERE address_book_id = ? AND contact_id < ? ORDER BY contact_id DESC LIMIT ?
"""  # noqa: S608 - no value is in it
_FROM = f"""
    SELECT {_SHOWN} FROM contact WHERE email >= ? AND email < ? ORDER BY email LIMIT ?
"""  # noqa: S608 - no value is in it
_AFTER = f"""
    SELECT {_SHOWN} FROM contact WHERE email > ? AND email < ? ORDER BY email LIMIT ?
"""  # noqa: S608 - no value is in it
"""With one lower bound: of two, SQLite searches the index by the first and looks at every address
that is above it."""

_MEMBERS = """
    SELECT contact_id FROM membership
    WHERE address_book_id = ? AND contact_id IN (SELECT value FROM json_each(?))
"""


class ShownContact(msgspec.Struct, frozen=True):
    """A contact in the list. IDs are texts: JavaScript rounds large numbers."""

    id: str
    email: str | None
    mobile_number: str | None
    status: str
    updated: str


class ContactsPage(msgspec.Struct, frozen=True):
    """Contacts, and where the next ones begin.

    Attributes:
        items: The contacts.
        next: What to ask the next page with; nothing after the last one.
    """

    items: list[ShownContact]
    next: str | None


class ShownField(msgspec.Struct, frozen=True):
    """A data field's value as text: no number loses a digit on its way through a browser."""

    name: str
    value: str


class ShownMembership(msgspec.Struct, frozen=True):
    """An address book that a contact is in."""

    id: int
    name: str
    status: str


class ShownPreference(msgspec.Struct, frozen=True, rename="camel"):
    """A marketing preference of a contact."""

    id: int
    is_opted_in: bool


class ShownConsent(msgspec.Struct, frozen=True, rename="camel"):
    """A consent that a contact gave."""

    text: str
    date_time_consented: str


class ContactDetails(msgspec.Struct, frozen=True):
    """Everything about a contact."""

    id: str
    status: str
    created: str
    updated: str
    identifiers: list[ShownField]
    data_fields: list[ShownField]
    channels: list[ShownField]
    lists: list[ShownMembership]
    preferences: list[ShownPreference]
    consents: list[ShownConsent]


_RAW_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_LISTS = msgspec.json.Decoder(list[ShownMembership])
_PREFERENCES = msgspec.json.Decoder(list[ShownPreference])
_CONSENTS = msgspec.json.Decoder(list[ShownConsent])


def newest_contacts(
    connection: sqlite3.Connection, list_id: int | None, before: int
) -> ContactsPage:
    """Return contacts by their IDs, the newest first.

    Args:
        connection: In a transaction.
        list_id: Only members of this address book.
        before: Only contacts with a lower ID.
    """
    if list_id is None or list_id == ALL_CONTACTS_ID:
        rows = connection.execute(_NEWEST, (before, PAGE_CONTACTS + 1)).fetchall()
    else:
        rows = connection.execute(_NEWEST_OF_LIST, (list_id, before, PAGE_CONTACTS + 1)).fetchall()
    following = str(rows[PAGE_CONTACTS - 1]["id"]) if len(rows) > PAGE_CONTACTS else None
    return ContactsPage([_shown(row) for row in rows[:PAGE_CONTACTS]], following)


def search_contacts(
    connection: sqlite3.Connection, prefix: str, list_id: int | None, after: str
) -> ContactsPage:
    """Return contacts whose e-mail address begins so, in the order of their addresses.

    Args:
        connection: In a transaction.
        prefix: What the address begins with, in lower case.
        list_id: Only members of this address book. With it a page may be short, or empty,
            although another follows.
        after: Only contacts with a later address.
    """
    query = _AFTER if after > prefix else _FROM
    bounds = (max(after, prefix), prefix + LAST_CHARACTER)
    if list_id is None or list_id == ALL_CONTACTS_ID:
        found = connection.execute(query, (*bounds, PAGE_CONTACTS + 1)).fetchall()
        more = len(found) > PAGE_CONTACTS
    else:
        rows = connection.execute(query, (*bounds, SEARCHED_CONTACTS)).fetchall()
        ids = msgspec.json.encode([row["id"] for row in rows]).decode()
        members = {row[0] for row in connection.execute(_MEMBERS, (list_id, ids))}
        found = [row for row in rows if row["id"] in members]
        more = len(found) > PAGE_CONTACTS
        if not more and len(rows) == SEARCHED_CONTACTS:
            return ContactsPage([_shown(row) for row in found], rows[-1]["email"])
    following = found[PAGE_CONTACTS - 1]["email"] if more else None
    return ContactsPage([_shown(row) for row in found[:PAGE_CONTACTS]], following)


def contact_details(connection: sqlite3.Connection, contact_id: str) -> ContactDetails:
    """Return everything about a contact.

    Raises:
        RefusalError: 400 or 404, there is no such contact.
    """
    found = find_contact(connection, CONTACT_ID, contact_id)
    # In the shape of the API, whatever that holds by now.
    answer = _RAW_FIELDS.decode(msgspec.json.encode(found))
    channels = _fields(answer.get("channelProperties"))
    return ContactDetails(
        str(found.contact_id),
        found.status,
        found.created,
        found.updated,
        _fields(answer.get("identifiers")),
        _fields(answer.get("dataFields")),
        [
            ShownField(f"{channel.name} · {each.name}", each.value)
            for channel in channels
            for each in _fields(msgspec.Raw(channel.value.encode()))
        ],
        _LISTS.decode(answer.get("lists", b"[]")),
        _PREFERENCES.decode(answer.get("preferences", b"[]")),
        _CONSENTS.decode(answer.get("consentRecords", b"[]")),
    )


def _shown(row: sqlite3.Row) -> ShownContact:
    status = row["sms_status"] if row["email"] is None else row["email_status"]
    return ShownContact(str(row["id"]), row["email"], row["mobile_number"], status, row["updated"])


def _fields(raw: msgspec.Raw | None) -> list[ShownField]:
    if raw is None:
        return []
    return [ShownField(name, _text(value)) for name, value in _RAW_FIELDS.decode(raw).items()]


def _text(value: msgspec.Raw) -> str:
    encoded = bytes(value)
    return _TEXT.decode(encoded) if encoded.startswith(b'"') else encoded.decode()
