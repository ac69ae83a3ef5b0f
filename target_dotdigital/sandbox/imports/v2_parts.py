"""An import of v2 at work: each part of it is read, planned and written in one transaction."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from target_dotdigital.sandbox.clock import timestamp
from target_dotdigital.sandbox.contacts import (
    DUPLICATE,
    EMAIL,
    PENDING,
    SUPPRESSED,
    Failure,
    load_plan,
    normalise_identifiers,
    write_plan,
)
from target_dotdigital.sandbox.imports.import_log import (
    Part,
    is_unfinished,
    record_part,
    record_v2_part,
)
from target_dotdigital.sandbox.imports.v2 import (
    decode_contact,
    decode_upload,
    faults_lines,
    outcome_of,
    read_row,
)

if TYPE_CHECKING:
    import sqlite3

    from target_dotdigital.sandbox.contacts import Identifiers, Plan, SentContact
    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.imports.import_log import ActiveImport
    from target_dotdigital.sandbox.imports.v2 import UploadedContact
    from target_dotdigital.sandbox.storage import Store

_PASSED_OVER = {
    "unsubscribed": Failure("unsubscribed", "The contact is unsubscribed"),
    SUPPRESSED: Failure(SUPPRESSED, "The contact is suppressed"),
    PENDING: Failure(PENDING, "The contact has not confirmed yet"),
}
"""Why v2 passes over a contact, by its status; v3 updates it.
Source: https://developer.dotdigital.com/reference/unified-contacts."""


class V2Import:
    """An import of v2 that is to be worked off.

    Attributes:
        count: How many contacts it has.
        status_if_empty: What becomes of it if it has none.
    """

    def __init__(self, store: Store, switches: Switches, active: ActiveImport) -> None:
        """Read it."""
        self._store = store
        self._switches = switches
        self._active = active
        self._upload = decode_upload(active.body)
        self.count = len(self._upload.contacts)
        self.status_if_empty = "Finished" if self._upload.is_readable else "InvalidFileFormat"
        self._earlier = self._earlier_duplicates() if switches.duplicates == "last" else frozenset()

    def import_part(self, position: int, size: int) -> bool:
        """Import a part: all of it is on disk when this returns, or nothing of it.

        Args:
            position: The place of its first contact.
            size: How many contacts it has at most.

        Returns:
            Whether the import was still there: the account may have been emptied.
        """
        rows = [decode_contact(raw) for raw in self._upload.contacts[position : position + size]]
        normalised = [normalise_identifiers({EMAIL: row.email}) for row in rows]
        with self._store.contacts:
            with self._store.reading() as connection:
                if not is_unfinished(connection, self._active.sequence):
                    return False
                plan = self._plan(connection, [identifiers for identifiers, _ in normalised])
            sent = [read_row(row, self._upload, plan.definitions.data_fields) for row in rows]
            failed = []
            for place, (contact, (identifiers, failures)) in enumerate(
                zip(sent, normalised, strict=True)
            ):
                is_earlier = position + place in self._earlier
                if code := self._add(plan, contact, identifiers, failures, is_earlier=is_earlier):
                    failed.append((code, rows[place]))
            part = Part(self._active.sequence, position, sent, self._upload.merge_option)
            with self._store.writing(synchronous=False) as connection:
                write_plan(connection, plan)
                self._record(connection, part, plan, failed)
        return True

    def _plan(self, connection: sqlite3.Connection, wanted: list[Identifiers]) -> Plan:
        return load_plan(
            connection,
            wanted,
            self._upload.merge_option,
            self._switches,
            self._active.written_ids,
        )

    def _add(
        self,
        plan: Plan,
        contact: SentContact,
        identifiers: Identifiers,
        failures: list[Failure],
        *,
        is_earlier: bool,
    ) -> str:
        """Add a contact to the plan, and return the code of its failure if it fails."""
        outcome = plan.outcome
        written = len(outcome.created) + len(outcome.updated)
        existing = plan.find(EMAIL, identifiers)
        refusal = None
        if is_earlier:
            refusal = Failure(DUPLICATE, "Duplicate e-mail address; a later row was taken")
        elif existing and existing.id not in plan.written_ids:
            refusal = _PASSED_OVER.get(existing.email_status)
        if refusal:
            plan.refuse(contact, identifiers, refusal)
        else:
            plan.add(contact, identifiers, failures)
        # A contact can be in the failures and be written: its consent alone was at fault.
        if len(outcome.created) + len(outcome.updated) > written:
            return ""
        return outcome.failures[-1].failures[0].failure_code

    def _record(
        self,
        connection: sqlite3.Connection,
        part: Part,
        plan: Plan,
        failed: list[tuple[str, UploadedContact]],
    ) -> None:
        outcomes = [(*outcome_of(code), row) for code, row in failed]
        record_v2_part(
            connection,
            part,
            Counter(name for name, _, _ in outcomes),
            faults_lines([(reason, row) for _, reason, row in outcomes], self._upload.columns),
        )
        record_part(connection, part, plan.outcome, timestamp())

    def _earlier_duplicates(self) -> frozenset[int]:
        """Return the places of contacts that a later one takes the place of."""
        latest: dict[str, int] = {}
        earlier = set()
        for place, raw in enumerate(self._upload.contacts):
            email = normalise_identifiers({EMAIL: decode_contact(raw).email})[0].email
            if email is None:
                continue
            if email in latest:
                earlier.add(latest[email])
            latest[email] = place
        return frozenset(earlier)
