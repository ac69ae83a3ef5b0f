"""Imports on disk: accepted, worked off part by part, reported."""

from __future__ import annotations

import re
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.errors import v3_refusal
from target_dotdigital.sandbox.imports.planning import ContactReference

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from target_dotdigital.sandbox.account.identifiers import Failure
    from target_dotdigital.sandbox.errors import RefusalError
    from target_dotdigital.sandbox.imports.import_body import ImportContact, MergeOption
    from target_dotdigital.sandbox.imports.planning import Outcome

MAXIMUM_ACTIVE_IMPORTS = 25
"""Dotdigital works on this many contact imports of an account, and refuses a further one."""

NOT_FINISHED = "NotFinished"

IMPORT_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_COUNTS = (
    "new_contacts",
    "updated_contacts",
    "globally_suppressed",
    "invalid_entries",
    "duplicate_identifiers",
)
_ENCODER = msgspec.json.Encoder()
_REFERENCES = msgspec.json.Decoder(list[ContactReference])


class ImportSummary(msgspec.Struct, frozen=True, rename="camel"):
    """The counts of a report."""

    new_contacts: int
    updated_contacts: int
    globally_suppressed: int
    invalid_entries: int
    duplicate_identifiers: int


class ImportReport(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The status of an import and, once it is finished, what became of its contacts."""

    import_id: str
    status: str
    summary: ImportSummary | None = None
    created: msgspec.Raw | None = None
    updated: msgspec.Raw | None = None
    failures: msgspec.Raw | None = None


class ActiveImport(msgspec.Struct, frozen=True):
    """An import that is to be worked off.

    Attributes:
        sequence: Its number in the order of acceptance.
        body: The request, as accepted.
        position: How many of its contacts are done.
        taken: IDs of the contacts that it has written.
    """

    sequence: int
    body: bytes
    position: int
    taken: set[int]


class Part(msgspec.Struct, frozen=True):
    """Some contacts of an import, one after the other.

    Attributes:
        import_sequence: Which import.
        position: How many contacts of it come before.
        contacts: The contacts.
        merge_option: The import's.
        faults: Contacts that fail whatever the account holds, by their place in the part.
    """

    import_sequence: int
    position: int
    contacts: Sequence[ImportContact]
    merge_option: MergeOption
    faults: Mapping[int, Failure] = {}


def accept(connection: sqlite3.Connection, body: bytes, contacts: int, now: str) -> tuple[str, int]:
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
    if len(unfinished(connection)) >= MAXIMUM_ACTIVE_IMPORTS:
        raise v3_refusal(
            "contacts:tooManyActiveImports",
            "Your import request cannot be accepted as too many imports are being processed. "
            "Please wait for an import to complete and then resubmit.",
            status=HTTPStatus.TOO_MANY_REQUESTS,
        )
    import_id = str(uuid.uuid4())
    cursor = connection.execute(
        "INSERT INTO import (id, status, accepted, contacts, body) "
        "VALUES (?, 'NotFinished', ?, ?, ?) RETURNING sequence",
        (import_id, now, contacts, body),
    )
    sequence: int = cursor.fetchone()[0]
    cursor.close()
    return import_id, sequence


def unfinished(connection: sqlite3.Connection) -> list[int]:
    """Return the numbers of the imports that are queued or under way, the oldest first."""
    # The word is no parameter: only then does SQLite use the index of active imports.
    rows = connection.execute(
        "SELECT sequence FROM import WHERE status = 'NotFinished' ORDER BY sequence"
    )
    return [row[0] for row in rows]


def is_active(connection: sqlite3.Connection, sequence: int) -> bool:
    """Tell whether an import is still to be worked off."""
    row = connection.execute(
        "SELECT 1 FROM import WHERE sequence = ? AND status = 'NotFinished'", (sequence,)
    ).fetchone()
    return row is not None


def load(connection: sqlite3.Connection, sequence: int) -> ActiveImport | None:
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
    taken = {
        reference.contact_id
        for part in parts
        for references in part
        for reference in _REFERENCES.decode(b"[" + references + b"]")
    }
    return ActiveImport(sequence, body, position, taken)


def note_part(connection: sqlite3.Connection, part: Part, outcome: Outcome, now: str) -> None:
    """Note what became of a part; after the last one the import is finished.

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


def fail(connection: sqlite3.Connection, sequence: int, now: str) -> None:
    """Give an import up."""
    connection.execute(
        "UPDATE import SET status = 'Failed', finished = ?, body = NULL WHERE sequence = ?",
        (now, sequence),
    )


def report(connection: sqlite3.Connection, import_id: str) -> ImportReport:
    """Return the status of an import and, if it is over, its report.

    Raises:
        RefusalError: 400, this is no ID of an import; 404, there is no such import.
    """
    if not IMPORT_ID.fullmatch(import_id):
        raise v3_refusal("contacts:invalidId", "The import id is invalid")
    row = connection.execute(
        "SELECT sequence, id, status FROM import WHERE id = ?", (import_id.lower(),)
    ).fetchone()
    if row is None:
        raise not_found(import_id)
    if row["status"] == NOT_FINISHED:
        return ImportReport(row["id"], NOT_FINISHED)
    parts = connection.execute(
        "SELECT * FROM import_part WHERE import_sequence = ? ORDER BY position", (row["sequence"],)
    ).fetchall()
    return ImportReport(
        row["id"],
        row["status"],
        ImportSummary(*(sum(part[name] for part in parts) for name in _COUNTS)),
        *(_array(part[name] for part in parts) for name in ("created", "updated", "failures")),
    )


def not_found(import_id: str) -> RefusalError:
    """Refuse an ID that no import has."""
    return v3_refusal(
        "contacts:importNotFound",
        f"The import request '{import_id}' could not be found!",
        status=HTTPStatus.NOT_FOUND,
    )


def _joined(entries: Sequence[msgspec.Struct]) -> bytes:
    return b",".join(map(_ENCODER.encode, entries))


def _array(parts: Iterable[bytes]) -> msgspec.Raw:
    return msgspec.Raw(b"[" + b",".join(filter(None, parts)) + b"]")
