"""The imports on the page: how far they are, and which contacts failed."""

from __future__ import annotations

import collections
import threading
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import sqlite3

SHOWN_IMPORTS = 50
SHOWN_FAILURES = 100
KEPT_COUNTS = 10_000
"""Parts whose failures stay counted; counting those of a part takes a millisecond."""

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
_LISTS = """
    SELECT address_book_id AS id, name, import_list.contacts
    FROM import_list LEFT JOIN address_book ON address_book.id = address_book_id
    WHERE import_sequence = ? ORDER BY import_list.contacts DESC, address_book_id
"""
_FAILURES = "SELECT failures FROM import_part WHERE import_sequence = ? AND position = ?"


class NamedList(msgspec.Struct, frozen=True):
    """An address book that an import names.

    Attributes:
        id: Its ID.
        name: Its name; none if there is no such address book, or none any more.
        contacts: How many contacts of the import name it.
    """

    id: int
    name: str | None
    contacts: int


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
        lists: The address books that it names, those that most contacts name first.
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
    lists: list[NamedList]


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


class ImportViews:
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
            [NamedList(**dict(one)) for one in connection.execute(_LISTS, (row["sequence"],))],
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
