"""Memberships: which contacts are in which list, and how many each list has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from target_dotdigital.sandbox.storage import ALL_CONTACTS_ID

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping, Sequence

_JOIN_LIST = """
    INSERT OR IGNORE INTO membership (address_book_id, contact_id)
    SELECT :list, :contact WHERE NOT EXISTS (
        SELECT 1 FROM opt_out WHERE address_book_id = :list AND contact_id = :contact
    )
"""
_LEAVE_LIST = """
    DELETE FROM membership
    WHERE address_book_id = ? AND contact_id IN (SELECT value FROM json_each(?))
"""
_LEAVE_LIST_FIRST = """
    DELETE FROM membership WHERE address_book_id = :list AND contact_id IN (
        SELECT contact_id FROM membership WHERE address_book_id = :list LIMIT :count
    )
"""
_CHANGES = """
    SELECT -count(*), address_book_id FROM membership
    WHERE contact_id IN (SELECT value FROM json_each(?)) GROUP BY address_book_id
"""
_COUNT = "UPDATE address_book SET contacts = contacts + ? WHERE id = ?"

_LEAVE_ALL_LISTS = "DELETE FROM membership WHERE contact_id IN (SELECT value FROM json_each(?))"


def count_contacts(connection: sqlite3.Connection, change: int) -> None:
    """Count contacts that came into the account, or left it.

    Everyone is in "All Contacts", so that list has a count but no members of its own.
    """
    connection.execute(_COUNT, (change, ALL_CONTACTS_ID))


def join_lists(connection: sqlite3.Connection, joining: Mapping[int, Collection[int]]) -> None:
    """Add contacts to lists, but for those that are in them already or opted out of them.

    Args:
        connection: The writer, in a transaction.
        joining: IDs of contacts by the ID of the list.
    """
    for list_id, contact_ids in sorted(joining.items()):
        if list_id != ALL_CONTACTS_ID:
            joined = connection.executemany(
                _JOIN_LIST,
                [{"list": list_id, "contact": contact_id} for contact_id in sorted(contact_ids)],
            )
            connection.execute(_COUNT, (joined.rowcount, list_id))


def leave_list(connection: sqlite3.Connection, list_id: int, contact_ids: Sequence[int]) -> None:
    """Take contacts out of a list; those that are not in it do not matter.

    Args:
        connection: The writer, in a transaction.
        list_id: Not that of "All Contacts", which has no members of its own.
        contact_ids: A thousand or so.
    """
    left = connection.execute(_LEAVE_LIST, (list_id, json.dumps(contact_ids)))
    connection.execute(_COUNT, (-left.rowcount, list_id))


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
    connection.execute(_COUNT, (-left.rowcount, list_id))
    return left.rowcount == count


def leave_all_lists(connection: sqlite3.Connection, contact_ids: Sequence[int]) -> None:
    """Take contacts out of every list, while they stay in the account.

    Args:
        connection: The writer, in a transaction.
        contact_ids: Some thousands at most.
    """
    ids = json.dumps(contact_ids)
    counts = connection.execute(_CHANGES, (ids,)).fetchall()
    connection.executemany(_COUNT, [tuple(row) for row in counts])
    connection.execute(_LEAVE_ALL_LISTS, (ids,))
