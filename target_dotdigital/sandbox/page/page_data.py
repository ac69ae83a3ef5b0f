"""What the page shows, read from the database: quick however many contacts there are."""

from __future__ import annotations

import collections
import threading
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.account import contacts
from target_dotdigital.sandbox.page import growth
from target_dotdigital.sandbox.storage.schema import ALL_CONTACTS_ID

if TYPE_CHECKING:
    import sqlite3

    from target_dotdigital.sandbox.page.growth import Point

PAGE_CONTACTS = 50
SHOWN_ADDRESS_BOOKS = 500
SHOWN_IMPORTS = 50
SHOWN_FAILURES = 100
KEPT_COUNTS = 10_000
"""Parts whose failures stay counted; counting those of a part takes a millisecond."""

SEARCHED_CONTACTS = 20_000
"""How many addresses with a prefix are looked through for members of one address book before the
page answers with what it has: some tens of milliseconds."""

LAST_CHARACTER = "\U0010ffff"

_SHOWN = "id, email, mobile_number, email_status, sms_status, updated"
_NEWEST = f"SELECT {_SHOWN} FROM contact WHERE id < ? ORDER BY id DESC LIMIT ?"  # noqa: S608
_NEWEST_OF_LIST = f"""
    SELECT {_SHOWN} FROM membership JOIN contact ON contact.id = contact_id
    WHERE address_book_id = ? AND contact_id < ? ORDER BY contact_id DESC LIMIT ?
"""  # noqa: S608
_FROM = f"""
    SELECT {_SHOWN} FROM contact WHERE email >= ? AND email < ? ORDER BY email LIMIT ?
"""  # noqa: S608
_AFTER = f"""
    SELECT {_SHOWN} FROM contact WHERE email > ? AND email < ? ORDER BY email LIMIT ?
"""  # noqa: S608
"""With one lower bound: of two, SQLite searches the index by the first and looks at every address
that is above it."""

_MEMBERS = """
    SELECT contact_id FROM membership
    WHERE address_book_id = ? AND contact_id IN (SELECT value FROM json_each(?))
"""
_LARGEST = """
    SELECT id, name, visibility, contacts FROM address_book ORDER BY contacts DESC, id LIMIT ?
"""
_IMPORTS = """
    SELECT sequence, id, status, accepted, finished, contacts, position FROM import
    ORDER BY sequence DESC LIMIT ?
"""
_IMPORT = """
    SELECT sequence, id, status, accepted, finished, contacts, position FROM import WHERE id = ?
"""
_PARTS = """
    SELECT position, new_contacts, updated_contacts, invalid_entries, globally_suppressed,
        duplicate_identifiers
    FROM import_part WHERE import_sequence = ? ORDER BY position
"""
_FAILURES = "SELECT failures FROM import_part WHERE import_sequence = ? AND position = ?"


class ShownAddressBook(msgspec.Struct, frozen=True):
    """An address book with its growth."""

    id: int
    name: str
    visibility: str
    contacts: int
    growth: list[Point]


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


class ShownImport(msgspec.Struct, frozen=True):
    """An import and how far it is.

    Attributes:
        id: As the client knows it.
        status: In the vendor's words.
        accepted: When (ISO 8601, UTC).
        finished: When, if it is over.
        contacts: How many it has.
        done: How many of them are worked off.
        created: How many new contacts it made.
        updated: How many contacts it found.
        failed: How many contacts failed.
        codes: Failures by their code, the most frequent first. A contact can have several.
    """

    id: str
    status: str
    accepted: str
    finished: str | None
    contacts: int
    done: int
    created: int
    updated: int
    failed: int
    codes: list[tuple[str, int]]


class ShownFailure(msgspec.Struct, frozen=True, rename="camel"):
    """Why a contact failed."""

    failure_code: str
    description: str = ""


class ShownFailedContact(msgspec.Struct, frozen=True, rename="camel"):
    """A contact that failed, as the report has it."""

    match_identifier: str
    identifiers: dict[str, str | int]
    failures: list[ShownFailure]


class ImportDetails(msgspec.Struct, frozen=True):
    """An import with the first contacts that failed."""

    summary: ShownImport
    failed: list[ShownFailedContact]


_FAILED = msgspec.json.Decoder(list[ShownFailedContact])
_RAW_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_LISTS = msgspec.json.Decoder(list[ShownMembership])
_PREFERENCES = msgspec.json.Decoder(list[ShownPreference])
_CONSENTS = msgspec.json.Decoder(list[ShownConsent])


def address_books(connection: sqlite3.Connection) -> list[ShownAddressBook]:
    """Return address books, the largest first."""
    rows = connection.execute(_LARGEST, (SHOWN_ADDRESS_BOOKS,)).fetchall()
    return [
        ShownAddressBook(growth=growth.latest(connection, row["id"]), **dict(row)) for row in rows
    ]


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


def contact(connection: sqlite3.Connection, contact_id: str) -> ContactDetails:
    """Return everything about a contact.

    Raises:
        RefusalError: 400 or 404, there is no such contact.
    """
    found = contacts.get(connection, "contactId", contact_id)
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


class Imports:
    """Imports with their failures counted, each part once."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self._counts: collections.OrderedDict[tuple[str, int], collections.Counter[str]] = (
            collections.OrderedDict()
        )
        self._lock = threading.Lock()

    def latest(self, connection: sqlite3.Connection) -> list[ShownImport]:
        """Return the last imports, the newest first."""
        rows = connection.execute(_IMPORTS, (SHOWN_IMPORTS,)).fetchall()
        return [self._shown(connection, row) for row in rows]

    def find(self, connection: sqlite3.Connection, import_id: str) -> ImportDetails | None:
        """Return an import and its first failures, if there is such an import."""
        row = connection.execute(_IMPORT, (import_id,)).fetchone()
        if row is None:
            return None
        failed: list[ShownFailedContact] = []
        for part in connection.execute(_PARTS, (row["sequence"],)).fetchall():
            if len(failed) < SHOWN_FAILURES:
                failed += _failed(connection, row["sequence"], part["position"])
        return ImportDetails(self._shown(connection, row), failed[:SHOWN_FAILURES])

    def _shown(self, connection: sqlite3.Connection, row: sqlite3.Row) -> ShownImport:
        parts = connection.execute(_PARTS, (row["sequence"],)).fetchall()
        codes: collections.Counter[str] = collections.Counter()
        for part in parts:
            if sum(part[3:]):
                codes += self._codes(connection, row, part["position"])
        return ShownImport(
            row["id"],
            row["status"],
            row["accepted"],
            row["finished"],
            row["contacts"],
            row["position"],
            sum(part["new_contacts"] for part in parts),
            sum(part["updated_contacts"] for part in parts),
            sum(sum(part[3:]) for part in parts),
            codes.most_common(),
        )

    def _codes(
        self, connection: sqlite3.Connection, row: sqlite3.Row, position: int
    ) -> collections.Counter[str]:
        # What became of a part never changes; the key outlives a reset of the numbers.
        key = (row["id"], position)
        with self._lock:
            counted = self._counts.get(key)
        if counted is None:
            counted = collections.Counter(
                failure.failure_code
                for each in _failed(connection, row["sequence"], position)
                for failure in each.failures
            )
            with self._lock:
                self._counts[key] = counted
                while len(self._counts) > KEPT_COUNTS:
                    self._counts.popitem(last=False)
        return counted


def _failed(
    connection: sqlite3.Connection, sequence: int, position: int
) -> list[ShownFailedContact]:
    row = connection.execute(_FAILURES, (sequence, position)).fetchone()
    return _FAILED.decode(b"[" + row[0] + b"]")


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
