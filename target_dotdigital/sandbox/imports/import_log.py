"""Imports on disk: accepted, then worked off part by part."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.contacts import ContactReference
from target_dotdigital.sandbox.http import v3_refusal
from target_dotdigital.sandbox.storage import insert

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from target_dotdigital.sandbox.contacts import Failure, MergeOption, Outcome, SentContact

MAXIMUM_ACTIVE_IMPORTS = 25
"""Dotdigital works on this many contact imports of an account, and refuses a further one."""

MAXIMUM_NAMED_LISTS = 100
"""Lists of an import that are noted. Each of its contacts may name as many others."""

_ENCODER = msgspec.json.Encoder()
_REFERENCES = msgspec.json.Decoder(list[ContactReference])


class ActiveImport(msgspec.Struct, frozen=True):
    """An import that is to be worked off.

    Attributes:
        sequence: Its number in the order of acceptance.
        body: The request, as accepted.
        position: How many of its contacts are done.
        written_ids: IDs of the contacts that it has written.
    """

    sequence: int
    body: bytes
    position: int
    written_ids: set[int]


class Part(msgspec.Struct, frozen=True):
    """Some contacts of an import, one after the other.

    Attributes:
        import_sequence: Which import.
        position: How many contacts of it come before.
        contacts: The contacts.
        merge_option: The import's.
        failures: Contacts that fail whatever the account holds, by their place in the part.
    """

    import_sequence: int
    position: int
    contacts: Sequence[SentContact]
    merge_option: MergeOption
    failures: Mapping[int, Failure] = {}


def accept_import(
    connection: sqlite3.Connection, body: bytes, contacts: int, now: str
) -> tuple[str, int]:
    """Put an import in the queue.

    Args:
        connection: The writer, in a transaction.
        body: The request, checked.
        contacts: How many contacts it has.
        now: The time (ISO 8601, UTC).

    Returns:
        Its ID for the client, and its number.

    Raises:
        RefusalError: 429, too many imports are active.
    """
    if len(unfinished_imports(connection)) >= MAXIMUM_ACTIVE_IMPORTS:
        raise v3_refusal(
            "contacts:tooManyActiveImports",
            "Your import request cannot be accepted as too many imports are being processed. "
            "Please wait for an import to complete and then resubmit.",
            status=HTTPStatus.TOO_MANY_REQUESTS,
        )
    import_id = str(uuid.uuid4())
    sequence = insert(
        connection,
        "INSERT INTO import (id, status, accepted, contacts, body) "
        "VALUES (?, 'NotFinished', ?, ?, ?) RETURNING sequence",
        (import_id, now, contacts, body),
    )
    return import_id, sequence


def name_lists(connection: sqlite3.Connection, sequence: int, lists: Mapping[int, int]) -> None:
    """Note the lists that an import names, as its body is not kept.

    Args:
        connection: The writer, in the transaction that accepts the import.
        sequence: The import's number.
        lists: How many of its contacts name each list. Those that most contacts name are noted.
    """
    most = sorted(lists.items(), key=lambda named: -named[1])[:MAXIMUM_NAMED_LISTS]
    connection.executemany(
        "INSERT INTO import_list VALUES (?, ?, ?)",
        [(sequence, list_id, contacts) for list_id, contacts in most],
    )


def unfinished_imports(connection: sqlite3.Connection) -> list[int]:
    """Return the numbers of the imports that are queued or under way, the oldest first."""
    # The word is no parameter: only then does SQLite use the index of active imports.
    rows = connection.execute(
        "SELECT sequence FROM import WHERE status = 'NotFinished' ORDER BY sequence"
    )
    return [row[0] for row in rows]


def is_unfinished(connection: sqlite3.Connection, sequence: int) -> bool:
    """Tell whether an import is still to be worked off."""
    row = connection.execute(
        "SELECT 1 FROM import WHERE sequence = ? AND status = 'NotFinished'", (sequence,)
    ).fetchone()
    return row is not None


def load_import(connection: sqlite3.Connection, sequence: int) -> ActiveImport | None:
    """Read an import to begin it, or to go on where a process that died left it.

    Returns:
        Nothing if it is not active: the account was emptied meanwhile.
    """
    row = connection.execute(
        "SELECT body, position FROM import WHERE sequence = ? AND status = 'NotFinished'",
        (sequence,),
    ).fetchone()
    if row is None:
        return None
    body, position = row
    parts = connection.execute(
        "SELECT created, updated FROM import_part WHERE import_sequence = ?", (sequence,)
    )
    written_ids = {
        reference.contact_id
        for part in parts
        for references in part
        for reference in _REFERENCES.decode(b"[" + references + b"]")
    }
    return ActiveImport(sequence, body, position, written_ids)


def record_part(connection: sqlite3.Connection, part: Part, outcome: Outcome, now: str) -> None:
    """Record what became of a part; after the last one the import is finished.

    Args:
        connection: The writer, in the transaction that writes the contacts.
        part: What was worked on.
        outcome: What became of it.
        now: The time (ISO 8601, UTC).
    """
    connection.execute(
        "INSERT INTO import_part VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            part.import_sequence,
            part.position,
            len(outcome.created),
            len(outcome.updated),
            outcome.globally_suppressed,
            outcome.invalid_entries,
            outcome.duplicate_identifiers,
            _joined(outcome.created),
            _joined(outcome.updated),
            _joined(outcome.failures),
        ),
    )
    connection.execute(
        "UPDATE import SET position = ? WHERE sequence = ?",
        (part.position + len(part.contacts), part.import_sequence),
    )
    # What is finished is never read again, and bodies would be most of the file.
    connection.execute(
        "UPDATE import SET status = 'Finished', finished = ?, body = NULL "
        "WHERE sequence = ? AND position = contacts",
        (now, part.import_sequence),
    )


def fail_import(connection: sqlite3.Connection, sequence: int, now: str) -> None:
    """Give an import up."""
    connection.execute(
        "UPDATE import SET status = 'Failed', finished = ?, body = NULL WHERE sequence = ?",
        (now, sequence),
    )


def _joined(entries: Sequence[msgspec.Struct]) -> bytes:
    return b",".join(map(_ENCODER.encode, entries))
