"""The status of the e-mail channel, where a call changes it and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_SET_STATUS = """
    UPDATE contact SET email_status = ?, updated = ?
    WHERE id IN (SELECT value FROM json_each(?))
"""


def set_email_status(
    connection: sqlite3.Connection, contact_ids: Sequence[int], status: str, now: str
) -> None:
    """Set the status of contacts that have an e-mail address.

    The database itself notes when somebody opts out or comes back: see `opt_out` among its tables.

    Args:
        connection: The writer, in a transaction, while the contacts are held.
        contact_ids: Some thousands at most.
        status: As it is stored.
        now: When (ISO 8601, UTC).
    """
    connection.execute(_SET_STATUS, (status, now, json.dumps(contact_ids)))
