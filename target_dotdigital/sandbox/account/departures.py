"""Contacts that leave a list, or the account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from target_dotdigital.sandbox.storage.schema import ALL_CONTACTS_ID

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_LEAVE_LIST = """
    DELETE FROM membership
    WHERE address_book_id = ? AND contact_id IN (SELECT value FROM json_each(?))
"""
_LEAVE_LIST_FIRST = """
    DELETE FROM membership WHERE address_book_id = :list AND contact_id IN (
        SELECT contact_id FROM membership WHERE address_book_id = :list LIMIT :count
    )
"""
_COUNT_MEMBERSHIPS = """
    SELECT count(*), address_book_id FROM membership
    WHERE contact_id IN (SELECT value FROM json_each(?)) GROUP BY address_book_id
"""
_COUNT_OUT = "UPDATE address_book SET contacts = contacts - ? WHERE id = ?"

_OF_CONTACTS = "WHERE contact_id IN (SELECT value FROM json_each(?))"
_FORGET_MEMBERSHIPS = f"DELETE FROM membership {_OF_CONTACTS}"  # noqa: S608 - a constant
_FORGET = tuple(
    f"DELETE FROM {table} {_OF_CONTACTS}"  # noqa: S608 - constants
    for table in ("custom_identifier", "preference", "consent_record")
)
_FORGET_CONTACTS = "DELETE FROM contact WHERE id IN (SELECT value FROM json_each(?))"


def leave_list(connection: sqlite3.Connection, list_id: int, contact_ids: Sequence[int]) -> None:
    """Take contacts out of a list; those that are not in it do not matter.

    Args:
        connection: The writer, in a transaction.
        list_id: Not that of "All Contacts", which has no members of its own.
        contact_ids: A thousand or so.
    """
    left = connection.execute(_LEAVE_LIST, (list_id, json.dumps(contact_ids)))
    connection.execute(_COUNT_OUT, (left.rowcount, list_id))


def leave_list_first(connection: sqlite3.Connection, list_id: int, count: int) -> bool:
    """Take the first members out of a list.

    Args:
        connection: The writer, in a transaction.
        list_id: Not that of "All Contacts".
        count: How many at most.

    Returns:
        Whether there may be more of them.
    """
    left = connection.execute(_LEAVE_LIST_FIRST, {"list": list_id, "count": count})
    connection.execute(_COUNT_OUT, (left.rowcount, list_id))
    return left.rowcount == count


def leave_all_lists(connection: sqlite3.Connection, contact_ids: Sequence[int]) -> None:
    """Take contacts out of every list, while they stay in the account.

    Args:
        connection: The writer, in a transaction.
        contact_ids: Some thousands at most.
    """
    ids = json.dumps(contact_ids)
    counts = connection.execute(_COUNT_MEMBERSHIPS, (ids,)).fetchall()
    connection.executemany(_COUNT_OUT, [tuple(row) for row in counts])
    connection.execute(_FORGET_MEMBERSHIPS, (ids,))


def leave_account(connection: sqlite3.Connection, contact_ids: Sequence[int]) -> None:
    """Delete contacts with everything that is known of them.

    Args:
        connection: The writer, in a transaction, while the contacts are held.
        contact_ids: IDs of contacts that are there, some thousands at most.
    """
    leave_all_lists(connection, contact_ids)
    ids = json.dumps(contact_ids)
    for statement in (*_FORGET, _FORGET_CONTACTS):
        connection.execute(statement, (ids,))
    connection.execute(_COUNT_OUT, (len(contact_ids), ALL_CONTACTS_ID))
