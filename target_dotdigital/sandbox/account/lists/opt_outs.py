"""Opt-outs of lists: who left a list by unsubscribing, and when.

Whoever did stays out of it, whatever adds him, until he is resubscribed.
Source: `ERROR_CONTACT_SUPPRESSEDFORADDRESSBOOK` in the vendor's list of errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.sandbox.account.lists.memberships import leave_list

if TYPE_CHECKING:
    import sqlite3

_OPT_OUT = "INSERT OR IGNORE INTO opt_out VALUES (?, ?, ?)"
_CANCEL = "DELETE FROM opt_out WHERE address_book_id = ? AND contact_id = ?"
_REMOVED = "SELECT removed FROM opt_out WHERE address_book_id = ? AND contact_id = ?"


def opt_out_of_list(
    connection: sqlite3.Connection, list_id: int, contact_id: int, now: str
) -> None:
    """Take a contact out of a list for good.

    Args:
        connection: The writer, in a transaction, while the contacts are held.
        list_id: Not that of "All Contacts".
        contact_id: Whoever has opted out before keeps the time of the first one.
        now: When (ISO 8601, UTC).
    """
    leave_list(connection, list_id, [contact_id])
    connection.execute(_OPT_OUT, (list_id, contact_id, now))


def cancel_opt_out(connection: sqlite3.Connection, list_id: int, contact_id: int) -> None:
    """Let a contact join a list again."""
    connection.execute(_CANCEL, (list_id, contact_id))


def opted_out_at(connection: sqlite3.Connection, list_id: int, contact_id: int) -> str | None:
    """Return when a contact opted out.

    Args:
        connection: In a transaction.
        list_id: Of a list, or `WHOLE_ACCOUNT`.
        contact_id: The contact.
    """
    row = connection.execute(_REMOVED, (list_id, contact_id)).fetchone()
    return row["removed"] if row else None
