"""The address books on the page, and how many contacts each had, minute by minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import sqlite3

SHOWN_ADDRESS_BOOKS = 500
SHOWN_MINUTES = 60
"""Minutes in which the count changed that are answered for an address book."""

_LARGEST = """
    SELECT id, name, visibility, contacts FROM address_book ORDER BY contacts DESC, id LIMIT ?
"""
_LATEST = """
    SELECT minute, contacts FROM growth WHERE address_book_id = ? ORDER BY minute DESC LIMIT ?
"""


class Point(msgspec.Struct, frozen=True, array_like=True):
    """The count at the end of a minute.

    Attributes:
        time: The minute's beginning, in seconds since 1970.
        contacts: How many contacts the address book had when it was over.
    """

    time: int
    contacts: int


class ShownAddressBook(msgspec.Struct, frozen=True):
    """An address book with its growth."""

    id: int
    name: str
    visibility: str
    contacts: int
    growth: list[Point]


def address_books(connection: sqlite3.Connection) -> list[ShownAddressBook]:
    """Return address books, the largest first."""
    rows = connection.execute(_LARGEST, (SHOWN_ADDRESS_BOOKS,)).fetchall()
    return [ShownAddressBook(growth=_growth(connection, row["id"]), **dict(row)) for row in rows]


def _growth(connection: sqlite3.Connection, address_book_id: int) -> list[Point]:
    """Return the last minutes in which the count changed, the oldest first."""
    rows = connection.execute(_LATEST, (address_book_id, SHOWN_MINUTES)).fetchall()
    return [Point(minute * 60, contacts) for minute, contacts in reversed(rows)]
