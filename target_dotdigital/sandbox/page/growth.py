"""How many contacts each address book had, minute by minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import sqlite3

SHOWN_MINUTES = 60
"""Minutes in which the count changed that are answered for an address book."""

BEGIN_GROWTH = "INSERT OR IGNORE INTO growth SELECT id, 0, contacts FROM address_book"

GROWTH_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS growth (
    address_book_id INTEGER NOT NULL,
    minute INTEGER NOT NULL,
    contacts INTEGER NOT NULL,
    PRIMARY KEY (address_book_id, minute)
) WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS growth_of_new_address_book AFTER INSERT ON address_book BEGIN
    INSERT OR REPLACE INTO growth VALUES (new.id, 0, new.contacts);
END;

CREATE TRIGGER IF NOT EXISTS growth_of_address_book AFTER UPDATE OF contacts ON address_book
WHEN new.contacts <> old.contacts BEGIN
    INSERT OR REPLACE INTO growth
    VALUES (new.id, CAST(strftime('%s', 'now') AS INTEGER) / 60, new.contacts);
END;

CREATE TRIGGER IF NOT EXISTS growth_of_deleted_address_book AFTER DELETE ON address_book BEGIN
    DELETE FROM growth WHERE address_book_id = old.id;
END;

{BEGIN_GROWTH};
"""  # noqa: S608 - nothing but constants of this module
"""The database keeps the count by itself, whoever changes it, in the transaction that does: a row
for each minute in which it changed, however many contacts joined. Minute 0 is the beginning."""

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


def latest(connection: sqlite3.Connection, address_book_id: int) -> list[Point]:
    """Return the last minutes in which the count changed, the oldest first."""
    rows = connection.execute(_LATEST, (address_book_id, SHOWN_MINUTES)).fetchall()
    return [Point(minute * 60, contacts) for minute, contacts in reversed(rows)]
