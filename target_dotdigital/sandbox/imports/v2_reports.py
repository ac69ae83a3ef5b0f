"""What v2 tells of an import: its status, its sums, and the list of contacts that failed."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.http import v2_refusal
from target_dotdigital.sandbox.imports.v2 import SUMMARY_NAMES, V2Summary, faults_csv
from target_dotdigital.sandbox.jobs import JOB_ID

if TYPE_CHECKING:
    import sqlite3

FINISHED = "Finished"

_IMPORT = """
    SELECT sequence, id, status, columns FROM import JOIN v2_import ON import_sequence = sequence
    WHERE id = ?
"""
_SUMS = """
    SELECT coalesce(sum(new_contacts), 0) AS new_contacts,
        coalesce(sum(updated_contacts), 0) AS updated_contacts
    FROM import_part WHERE import_sequence = ?
"""
_PARTS = "SELECT counts, faults FROM v2_import_part WHERE import_sequence = ? ORDER BY position"

_COUNTS = msgspec.json.Decoder(dict[str, int])
_COLUMNS = msgspec.json.Decoder(list[str])


class V2ImportStatus(msgspec.Struct, frozen=True):
    """An import and its status, such as `NotFinished` or `InvalidFileFormat`."""

    id: str
    status: str


def v2_import_status(connection: sqlite3.Connection, import_id: str) -> V2ImportStatus:
    """Return the status of an import.

    Raises:
        RefusalError: 400, this is no ID of one; 404, there is no such import.
    """
    row = _find(connection, import_id)
    return V2ImportStatus(row["id"], row["status"])


def v2_import_summary(connection: sqlite3.Connection, import_id: str) -> V2Summary:
    """Return the sums of an import.

    Raises:
        RefusalError: 400, this is no ID of one; 404, there is no such import, or it has no report.
    """
    row = _find_finished(connection, import_id)
    counts = Counter(dict(connection.execute(_SUMS, (row["sequence"],)).fetchone()))
    for part in connection.execute(_PARTS, (row["sequence"],)):
        counts.update(_COUNTS.decode(part["counts"]))
    return V2Summary(**{name: counts[name] for name in SUMMARY_NAMES})


def v2_import_faults(connection: sqlite3.Connection, import_id: str) -> bytes:
    """Return the contacts of an import that failed, as CSV.

    Raises:
        RefusalError: 400, this is no ID of one; 404, there is no such import, or it has no report.
    """
    row = _find_finished(connection, import_id)
    parts = connection.execute(_PARTS, (row["sequence"],))
    return faults_csv(_COLUMNS.decode(row["columns"]), (part["faults"] for part in parts))


def _find(connection: sqlite3.Connection, import_id: str) -> sqlite3.Row:
    if not JOB_ID.fullmatch(import_id):
        raise v2_refusal("ERROR_PARAMETER_INVALID", "The ID is not that of an import.")
    row: sqlite3.Row | None = connection.execute(_IMPORT, (import_id.lower(),)).fetchone()
    if row is None:
        raise v2_refusal("ERROR_IMPORT_NOT_FOUND", "Error:", HTTPStatus.NOT_FOUND)
    return row


def _find_finished(connection: sqlite3.Connection, import_id: str) -> sqlite3.Row:
    row = _find(connection, import_id)
    if row["status"] != FINISHED:
        # Word for word: the vendor's own clients compare it.
        raise v2_refusal(
            "ERROR_IMPORT_REPORT_NOT_FOUND",
            "Import is not processed yet or completed with error.",
            HTTPStatus.NOT_FOUND,
        )
    return row
