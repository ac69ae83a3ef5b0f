"""Removals on disk: accepted, worked off, reported.

A removal takes contacts out of a list (v2), or out of the account (v3).
"""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

import msgspec

from target_dotdigital.sandbox.http import v2_refusal, v3_refusal
from target_dotdigital.sandbox.jobs import JOB_ID
from target_dotdigital.sandbox.storage import insert

if TYPE_CHECKING:
    import sqlite3

    from target_dotdigital.sandbox.http import RefusalError

MAXIMUM_ACTIVE_DELETIONS = 25
"""Deletions from the account that wait at a time. Dotdigital has a limit and does not tell which;
this one is that of imports."""

Kind = Literal["members", "everyone", "contacts"]
"""Some members of a list, all of its members, or contacts of the account."""

WAITING, WORKING, DONE, FAILED = "waiting", "working", "done", "failed"

LIST_STATUSES = {WAITING: "Started", WORKING: "Started", DONE: "Completed", FAILED: "Failed"}
DELETION_STATUSES = {
    WAITING: "NotStarted",
    WORKING: "NotFinished",
    DONE: "Finished",
    FAILED: "Failed",
}


class ListRemoval(msgspec.Struct, frozen=True):
    """How far a removal from a list is, as v2 answers it."""

    id: str
    status: str


class Deletion(msgspec.Struct, frozen=True, rename="camel"):
    """How far a deletion from the account is, as long as it has no report."""

    delete_id: str
    status: str


class Removal(msgspec.Struct, frozen=True):
    """A removal that is to be worked off.

    Attributes:
        sequence: Its number in the order of acceptance.
        id: Its ID for the client.
        kind: What is removed.
        address_book_id: The list, unless it is from the account.
        position: How many of its contacts are done.
        body: The request, checked.
    """

    sequence: int
    id: str
    kind: Kind
    address_book_id: int
    position: int
    body: bytes


def accept(
    connection: sqlite3.Connection, kind: Kind, address_book_id: int, body: bytes, now: str
) -> tuple[str, int]:
    """Put a removal in the queue.

    Args:
        connection: The writer, in a transaction.
        kind: What is removed.
        address_book_id: The list, or 0.
        body: The request, checked.
        now: The time (ISO 8601, UTC).

    Returns:
        Its ID for the client, and its number.

    Raises:
        RefusalError: 429, too many deletions are waiting.
    """
    if kind == "contacts":
        row = connection.execute(
            "SELECT count(*) FROM removal WHERE finished IS NULL AND kind = 'contacts'"
        ).fetchone()
        if row[0] >= MAXIMUM_ACTIVE_DELETIONS:
            raise v3_refusal(
                "contacts:tooManyBulkDeleteJobs",
                "Your bulk delete request cannot be accepted as too many bulk delete jobs are "
                "being processed for your account. Please wait for a bulk delete job to complete "
                "and then resubmit.",
                status=HTTPStatus.TOO_MANY_REQUESTS,
            )
    removal_id = str(uuid.uuid4())
    sequence = insert(
        connection,
        "INSERT INTO removal (id, kind, status, address_book_id, accepted, body) "
        "VALUES (?, ?, ?, ?, ?, ?) RETURNING sequence",
        (removal_id, kind, WAITING, address_book_id, now, body),
    )
    return removal_id, sequence


def unfinished(connection: sqlite3.Connection) -> list[int]:
    """Return the numbers of the removals that are waiting or under way, the oldest first."""
    rows = connection.execute(
        "SELECT sequence FROM removal WHERE finished IS NULL ORDER BY sequence"
    )
    return [row[0] for row in rows]


def begin(connection: sqlite3.Connection, sequence: int) -> Removal | None:
    """Note that a removal is under way, and read it; there is none if the account was emptied."""
    row = connection.execute(
        "UPDATE removal SET status = ? WHERE sequence = ? "
        "RETURNING sequence, id, kind, address_book_id, position, body",
        (WORKING, sequence),
    ).fetchone()
    return None if row is None else Removal(*row)


def advance(connection: sqlite3.Connection, sequence: int, position: int) -> bool:
    """Note how many contacts are done; false if there is no such removal any more."""
    changed = connection.execute(
        "UPDATE removal SET position = ? WHERE sequence = ?", (position, sequence)
    )
    return changed.rowcount > 0


def finish(
    connection: sqlite3.Connection,
    sequence: int,
    now: str,
    *,
    status: str = DONE,
    report: bytes | None = None,
) -> None:
    """Note that a removal is over. What is over is not read again, but its report is."""
    connection.execute(
        "UPDATE removal SET status = ?, finished = ?, report = ?, body = NULL WHERE sequence = ?",
        (status, now, report, sequence),
    )


def list_removal_status(connection: sqlite3.Connection, removal_id: str) -> ListRemoval:
    """Return how far a removal from a list is.

    Raises:
        RefusalError: 400, this is no ID of one; 404, there is no such removal.
    """
    if not JOB_ID.fullmatch(removal_id):
        raise _unknown_removal(HTTPStatus.BAD_REQUEST)
    row = connection.execute(
        "SELECT id, status FROM removal WHERE id = ? AND kind <> 'contacts'", (removal_id.lower(),)
    ).fetchone()
    if row is None:
        raise _unknown_removal(HTTPStatus.NOT_FOUND)
    return ListRemoval(row["id"], LIST_STATUSES[row["status"]])


def deletion_status(connection: sqlite3.Connection, delete_id: str) -> Deletion | msgspec.Raw:
    """Return how far a deletion from the account is, with its report if it is over.

    Raises:
        RefusalError: 400, this is no ID of one; 404, there is no such deletion.
    """
    if not JOB_ID.fullmatch(delete_id):
        raise v3_refusal(
            "contacts:invalidDeleteId",
            f"The id value '{delete_id}' is not a recognized deletion job identifier",
        )
    row = connection.execute(
        "SELECT id, status, report FROM removal WHERE id = ? AND kind = 'contacts'",
        (delete_id.lower(),),
    ).fetchone()
    if row is None:
        raise v3_refusal(
            "contacts:importNotFound",
            f"The delete request '{delete_id}' could not be found!",
            status=HTTPStatus.NOT_FOUND,
        )
    if row["report"] is not None:
        return msgspec.Raw(row["report"])
    return Deletion(row["id"], DELETION_STATUSES[row["status"]])


def _unknown_removal(status: HTTPStatus) -> RefusalError:
    # The vendor's registry has no code of its own for a deletion that is not there.
    return v2_refusal(
        "ERROR_PARAMETER_INVALID", "The ID is not that of a removal from a list.", status
    )
