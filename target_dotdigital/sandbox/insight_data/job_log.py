"""Jobs on disk: imports of records, and the removal of many, accepted and then worked off."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from target_dotdigital.sandbox.clock import timestamp
from target_dotdigital.sandbox.http import v3_refusal
from target_dotdigital.sandbox.insight_data.collections import SERVICE
from target_dotdigital.sandbox.jobs import JOB_ID
from target_dotdigital.sandbox.storage import insert

if TYPE_CHECKING:
    import sqlite3

    from target_dotdigital.sandbox.faults import Switches

MAXIMUM_ACTIVE_IMPORTS = 5
"""Dotdigital works on this many imports of insight data of an account."""

Kind: TypeAlias = Literal["import", "empty", "delete"]

WAITING, WORKING, DONE, FAILED = "waiting", "working", "done", "failed"

IMPORT_STATUSES = {WAITING: "NotStarted", WORKING: "Processing", FAILED: "Failed"}
"""An import that is done has a word of its own: a switch."""

JOB_STATUSES = {
    WAITING: "NotStarted",
    WORKING: "NotFinished",
    DONE: "Finished",
    FAILED: "Failed",
}


class Job(msgspec.Struct, frozen=True):
    """A job that is to be worked off.

    Attributes:
        sequence: Its number in the order of acceptance.
        kind: What it does.
        collection_name: To which collection.
        contact_id: Whose records alone are removed, or 0.
        body: The request of an import.
    """

    sequence: int
    kind: Kind
    collection_name: str
    contact_id: int
    body: bytes


class ImportSummary(msgspec.Struct, frozen=True, rename="camel"):
    """The counts of an import."""

    total_records: int
    total_imported: int
    total_rejected: int


class ImportReport(msgspec.Struct, frozen=True, rename="camel"):
    """The status of an import and, once it is over, what became of its records."""

    import_id: str
    status: str
    collection_name: str
    summary: ImportSummary | UnsetType = UNSET
    failures: msgspec.Raw | UnsetType = UNSET


class RemovalSummary(msgspec.Struct, frozen=True, rename="camel"):
    """The counts of a removal."""

    total_records: int
    total_processed: int
    total_failed: int


class RemovalReport(msgspec.Struct, frozen=True, rename="camel"):
    """The status of the removal of many records."""

    job_id: str
    status: str
    summary: RemovalSummary | UnsetType = UNSET


def accept_import(
    connection: sqlite3.Connection, collection_name: str, body: bytes
) -> tuple[str, int]:
    """Put an import in the queue.

    Args:
        connection: The writer, in a transaction.
        collection_name: Where to.
        body: The request, checked.

    Returns:
        Its ID for the client, and its number.

    Raises:
        RefusalError: 429, too many imports are active.
    """
    active = connection.execute(
        "SELECT count(*) FROM insight_job WHERE finished IS NULL AND kind = 'import'"
    ).fetchone()[0]
    if active >= MAXIMUM_ACTIVE_IMPORTS:
        raise v3_refusal(
            f"{SERVICE}:tooManyActiveImports",
            "Your import request cannot be accepted as too many imports are being processed. "
            "Please wait for an import to complete and then resubmit.",
            status=HTTPStatus.TOO_MANY_REQUESTS,
        )
    return _accept(connection, "import", collection_name, 0, body)


def accept_removal(
    connection: sqlite3.Connection, kind: Kind, collection_name: str, contact_id: int
) -> tuple[str, int]:
    """Put the removal of records in the queue.

    Args:
        connection: The writer, in a transaction.
        kind: Whether the collection goes too.
        collection_name: Where from.
        contact_id: Whose records alone, or 0.

    Returns:
        Its ID for the client, and its number.
    """
    return _accept(connection, kind, collection_name, contact_id, b"")


def unfinished_jobs(connection: sqlite3.Connection) -> list[int]:
    """Return the numbers of the jobs that are waiting or under way, the oldest first."""
    rows = connection.execute(
        "SELECT sequence FROM insight_job WHERE finished IS NULL ORDER BY sequence"
    )
    return [row[0] for row in rows]


def begin(connection: sqlite3.Connection, sequence: int) -> Job | None:
    """Note that a job is under way, and read it; there is none if the account was emptied."""
    row = connection.execute(
        "UPDATE insight_job SET status = ? WHERE sequence = ? "
        "RETURNING sequence, kind, collection_name, contact_id, body",
        (WORKING, sequence),
    ).fetchone()
    return None if row is None else Job(*row)


def is_there(connection: sqlite3.Connection, sequence: int) -> bool:
    """Tell whether a job is still to be worked off: the account may have been emptied."""
    row = connection.execute("SELECT 1 FROM insight_job WHERE sequence = ?", (sequence,))
    return row.fetchone() is not None


def count_removed(connection: sqlite3.Connection, sequence: int, records: int) -> None:
    """Count records that a job has removed."""
    connection.execute(
        "UPDATE insight_job SET total = total + :records, done = done + :records "
        "WHERE sequence = :sequence",
        {"records": records, "sequence": sequence},
    )


def record_outcome(
    connection: sqlite3.Connection, sequence: int, total: int, done: int, failures: bytes
) -> None:
    """Record what became of an import's records.

    Args:
        connection: The writer, in a transaction.
        sequence: The import's number.
        total: How many there were.
        done: How many of them were imported.
        failures: The others as they are reported, with commas between them.
    """
    connection.execute(
        "UPDATE insight_job SET total = ?, done = ?, failures = ? WHERE sequence = ?",
        (total, done, failures, sequence),
    )


def finish(connection: sqlite3.Connection, sequence: int, now: str, *, status: str = DONE) -> None:
    """Note that a job is over. What is over is never read again."""
    connection.execute(
        "UPDATE insight_job SET status = ?, finished = ?, body = NULL WHERE sequence = ?",
        (status, now, sequence),
    )


def import_report(
    connection: sqlite3.Connection, import_id: str, switches: Switches
) -> ImportReport:
    """Return the status of an import and, if it is over, its report.

    Raises:
        RefusalError: 400, this is no ID of an import; 404, there is no such import.
    """
    row = _find(connection, import_id, is_import=True)
    if row is None:
        raise v3_refusal(
            f"{SERVICE}:importNotFound",
            f"The import request '{import_id}' could not be found!",
            status=HTTPStatus.NOT_FOUND,
        )
    status = IMPORT_STATUSES.get(row["status"], switches.insight_status)
    report = ImportReport(row["id"], status, row["collection_name"])
    if row["status"] != DONE:
        return report
    total, done, failures = row["total"], row["done"], row["failures"]
    return msgspec.structs.replace(
        report,
        summary=ImportSummary(total, done, total - done),
        # The vendor's schema has no empty array of failures.
        failures=msgspec.Raw(b"[" + failures + b"]") if failures else UNSET,
    )


def removal_report(connection: sqlite3.Connection, job_id: str) -> RemovalReport:
    """Return the status of the removal of many records.

    Raises:
        RefusalError: 400, this is no ID of one; 404, there is no such removal.
    """
    row = _find(connection, job_id, is_import=False)
    if row is None:
        raise v3_refusal(
            f"{SERVICE}:asyncJobNotFound",
            f"The job ID '{job_id}' could not be found!",
            status=HTTPStatus.NOT_FOUND,
        )
    report = RemovalReport(row["id"], JOB_STATUSES[row["status"]])
    if row["finished"] is None:
        return report
    total, done = row["total"], row["done"]
    return msgspec.structs.replace(report, summary=RemovalSummary(total, done, total - done))


def _accept(
    connection: sqlite3.Connection,
    kind: Kind,
    collection_name: str,
    contact_id: int,
    body: bytes,
) -> tuple[str, int]:
    job_id = str(uuid.uuid4())
    sequence = insert(
        connection,
        "INSERT INTO insight_job (id, kind, status, collection_name, contact_id, accepted, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING sequence",
        (job_id, kind, WAITING, collection_name, contact_id, timestamp(), body),
    )
    return job_id, sequence


def _find(connection: sqlite3.Connection, job_id: str, *, is_import: bool) -> sqlite3.Row | None:
    if not JOB_ID.fullmatch(job_id):
        raise v3_refusal(f"{SERVICE}:invalidId", f"The id value '{job_id}' is invalid")
    found: sqlite3.Row | None = connection.execute(
        "SELECT * FROM insight_job WHERE id = ? AND (kind = 'import') = ?",
        (job_id.lower(), is_import),
    ).fetchone()
    return found
