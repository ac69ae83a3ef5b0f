"""Imports on disk: accepted, then worked off part by part."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.contacts import ContactReference
from target_dotdigital.sandbox.imports.v2 import encode_upload
from target_dotdigital.sandbox.storage import insert

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from target_dotdigital.sandbox.contacts import Failure, MergeOption, Outcome, SentContact
    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.imports.v2 import Upload

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
        is_v2: Whether it is one of v2.
        body: The request, as accepted.
        position: How many of its contacts are done.
        written_ids: IDs of the contacts that it has written.
    """

    sequence: int
    is_v2: bool
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
    """
    import_id = str(uuid.uuid4())
    sequence = insert(
        connection,
        "INSERT INTO import (id, status, accepted, contacts, body) "
        "VALUES (?, 'NotFinished', ?, ?, ?) RETURNING sequence",
        (import_id, now, contacts, body),
    )
    return import_id, sequence


def accept_v2_import(connection: sqlite3.Connection, upload: Upload, now: str) -> tuple[str, int]:
    """Put an import of v2 in the queue.

    Args:
        connection: The writer, in a transaction.
        upload: What was uploaded.
        now: The time (ISO 8601, UTC).

    Returns:
        Its ID for the client, and its number.
    """
    kept = encode_upload(upload)
    import_id, sequence = accept_import(connection, kept, len(upload.contacts), now)
    connection.execute(
        "INSERT INTO v2_import VALUES (?, ?)", (sequence, _ENCODER.encode(upload.columns).decode())
    )
    name_lists(connection, sequence, dict.fromkeys(upload.lists, len(upload.contacts)))
    return import_id, sequence


def has_free_slot(connection: sqlite3.Connection, switches: Switches, *, is_v2: bool) -> bool:
    """Tell whether a further import may be active.

    Args:
        connection: The writer, in a transaction.
        switches: Whether imports of v2 and v3 share the slots.
        is_v2: Whether it is one of v2.
    """
    active = unfinished_imports(connection)
    if switches.import_slots == "separate":
        rows = connection.execute(
            "SELECT import_sequence FROM v2_import "
            "JOIN import ON sequence = import_sequence WHERE status = 'NotFinished'"
        )
        of_v2 = {row[0] for row in rows}
        active = [sequence for sequence in active if (sequence in of_v2) == is_v2]
    return len(active) < MAXIMUM_ACTIVE_IMPORTS


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
        "SELECT body, position, EXISTS (SELECT 1 FROM v2_import WHERE import_sequence = sequence) "
        "FROM import WHERE sequence = ? AND status = 'NotFinished'",
        (sequence,),
    ).fetchone()
    if row is None:
        return None
    body, position, is_v2 = row
    parts = connection.execute(
        "SELECT created, updated FROM import_part WHERE import_sequence = ?", (sequence,)
    )
    written_ids = {
        reference.contact_id
        for part in parts
        for references in part
        for reference in _REFERENCES.decode(b"[" + references + b"]")
    }
    return ActiveImport(sequence, bool(is_v2), body, position, written_ids)


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


def record_v2_part(
    connection: sqlite3.Connection, part: Part, counts: Mapping[str, int], faults: bytes
) -> None:
    """Record what v2 tells besides of a part.

    Args:
        connection: The writer, in the transaction that writes the contacts.
        part: What was worked on.
        counts: The contacts that failed, by the name of the sum that counts them.
        faults: Their lines in the list of faults.
    """
    connection.execute(
        "INSERT INTO v2_import_part VALUES (?, ?, ?, ?)",
        (part.import_sequence, part.position, _ENCODER.encode(dict(counts)), faults),
    )


def end_import(connection: sqlite3.Connection, sequence: int, status: str, now: str) -> None:
    """Note that an import is over, whether or not its contacts are done."""
    connection.execute(
        "UPDATE import SET status = ?, finished = ?, body = NULL "
        "WHERE sequence = ? AND status = 'NotFinished'",
        (status, now, sequence),
    )


def _joined(entries: Sequence[msgspec.Struct]) -> bytes:
    return b",".join(map(_ENCODER.encode, entries))
