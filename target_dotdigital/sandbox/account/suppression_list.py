"""The suppression list: addresses and domains that Dotdigital itself bars, in every account.

It is Dotdigital's own, and no status of a contact: whoever is on it is neither created nor updated.
Source: the failures GloballySuppressed and SuppressedByDomain of
https://developer.dotdigital.com/reference/getimportstatus.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

MAXIMUM_CHARACTERS = 256

_DOMAIN = r"(?:[^\s@./]+\.)+[^\s@./]+"
_VALUE = re.compile(rf"(?:[^\s@]+@)?{_DOMAIN}")

_ANY = "SELECT 1 FROM suppression LIMIT 1"
_ALL = "SELECT value FROM suppression ORDER BY value"
_FOUND = "SELECT value FROM suppression WHERE value IN (SELECT value FROM json_each(?))"
_ADD = "INSERT OR IGNORE INTO suppression VALUES (?)"
_REMOVE = "DELETE FROM suppression WHERE value = ?"


def list_suppressed(connection: sqlite3.Connection) -> list[str]:
    """Return the addresses and domains of the list, in alphabetical order."""
    return [row[0] for row in connection.execute(_ALL)]


def suppress(connection: sqlite3.Connection, values: Iterable[str]) -> None:
    """Add to the list what is not on it yet.

    Args:
        connection: The writer, in a transaction.
        values: Addresses, such as `a@example.com`, and domains, such as `example.com`.

    Raises:
        ValueError: One of them is neither; the text does not repeat it.
    """
    for written in values:
        value = _normalised(written)
        if len(value) > MAXIMUM_CHARACTERS or not _VALUE.fullmatch(value):
            message = "the suppression list takes an address or a domain"
            raise ValueError(message)
        connection.execute(_ADD, (value,)).close()


def stop_suppressing(connection: sqlite3.Connection, written: str) -> bool:
    """Take an address or a domain off the list.

    Args:
        connection: The writer, in a transaction.
        written: The address or the domain.

    Returns:
        Whether it was on it.
    """
    return connection.execute(_REMOVE, (_normalised(written),)).rowcount > 0


def find_suppressed(connection: sqlite3.Connection, emails: Iterable[str | None]) -> frozenset[str]:
    """Return which of some addresses, and of their domains, are on the list.

    Args:
        connection: In a transaction.
        emails: A thousand or so, in lower case. They are not looked at while the list is empty.
    """
    if connection.execute(_ANY).fetchone() is None:
        return frozenset()
    wanted = {email for email in emails if email}
    wanted |= {domain_of(email) for email in wanted}
    return frozenset(row[0] for row in connection.execute(_FOUND, (json.dumps([*wanted]),)))


def domain_of(email: str) -> str:
    """Return the part of an address after its at sign."""
    return email.rpartition("@")[2]


def _normalised(written: str) -> str:
    return written.strip().lower()
