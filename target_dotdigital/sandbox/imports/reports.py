"""The reports of imports: how far they are and, in the end, what became of their contacts."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.contacts import EMAIL, Failure
from target_dotdigital.sandbox.http import v3_refusal
from target_dotdigital.sandbox.jobs import JOB_ID

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from target_dotdigital.sandbox.contacts import FailedContact
    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.http import RefusalError

NOT_FINISHED = "NotFinished"


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


def import_report(
    connection: sqlite3.Connection, import_id: str, kept_since: str = ""
) -> ImportReport:
    """Return the status of an import and, if it is over, its report.

    Args:
        connection: In a transaction.
        import_id: The import's ID, as the client knows it.
        kept_since: Reports of imports that finished before that time are gone.

    Raises:
        RefusalError: 400, this is no ID of an import; 404, there is no such import, or no more.
    """
    if not JOB_ID.fullmatch(import_id):
        raise v3_refusal("contacts:invalidId", "The import id is invalid")
    row = connection.execute(
        "SELECT sequence, id, status, finished FROM import WHERE id = ? "
        "AND NOT EXISTS (SELECT 1 FROM v2_import WHERE import_sequence = sequence)",
        (import_id.lower(),),
    ).fetchone()
    if row is None or (row["finished"] or kept_since) < kept_since:
        raise import_not_found(import_id)
    if row["status"] == NOT_FINISHED:
        return ImportReport(row["id"], NOT_FINISHED)
    parts = connection.execute(
        "SELECT * FROM import_part WHERE import_sequence = ? ORDER BY position", (row["sequence"],)
    ).fetchall()
    return ImportReport(
        row["id"],
        row["status"],
        ImportSummary(
            *(sum(part[name] for part in parts) for name in ImportSummary.__struct_fields__)
        ),
        *(_array(part[name] for part in parts) for name in ("created", "updated", "failures")),
    )


def import_not_found(import_id: str) -> RefusalError:
    """Refuse an ID that no import has."""
    return v3_refusal(
        "contacts:importNotFound",
        f"The import request '{import_id}' could not be found!",
        status=HTTPStatus.NOT_FOUND,
    )


def reported_failure(failed: FailedContact, switches: Switches) -> FailedContact:
    """Return a failure as the report writes it."""
    identifiers, failures = failed.identifiers, failed.failures
    if switches.report_identifiers == "lowerCase" and EMAIL in identifiers:
        identifiers = {**identifiers, EMAIL: identifiers[EMAIL].strip().lower()}
    if switches.failure_codes == "PascalCase":
        failures = [
            Failure(one.failure_code[:1].upper() + one.failure_code[1:], one.description)
            for one in failures
        ]
    return msgspec.structs.replace(failed, identifiers=identifiers, failures=failures)


def _array(parts: Iterable[bytes]) -> msgspec.Raw:
    return msgspec.Raw(b"[" + b",".join(filter(None, parts)) + b"]")
