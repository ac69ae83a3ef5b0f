"""The intake: imports as clients see them, sent and then polled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.account import load_definitions
from target_dotdigital.sandbox.clock import timestamp
from target_dotdigital.sandbox.imports.import_body import check_import
from target_dotdigital.sandbox.imports.import_log import accept_import, name_lists
from target_dotdigital.sandbox.imports.reports import import_not_found, import_report

if TYPE_CHECKING:
    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.imports.reports import ImportReport
    from target_dotdigital.sandbox.imports.slots import Slots
    from target_dotdigital.sandbox.storage import Store


class Intake:
    """Takes imports in, and reports on them."""

    def __init__(self, store: Store, slots: Slots, switches: Switches) -> None:
        """Keep what every import needs."""
        self._store = store
        self._slots = slots
        self._switches = switches
        # Only with the switch for it, so it does not grow with every import.
        self._unseen: set[str] = set()

    def accept(self, body: bytes) -> str:
        """Put an import on disk and in the queue.

        Returns:
            Its ID.

        Raises:
            RefusalError: 400, the request is not as it should be; 429, too many are active.
        """
        with self._store.reading() as connection:
            lists = load_definitions(connection).lists
        checked = check_import(body, self._switches, lists)
        with self._store.writing() as connection:
            import_id, sequence = accept_import(connection, body, checked.contacts, timestamp())
            name_lists(connection, sequence, checked.lists)
        if self._switches.fresh_import == "notFound":
            self._unseen.add(import_id)
        self._slots.put(sequence)
        return import_id

    def report(self, import_id: str) -> ImportReport:
        """Return the status of an import and, if it is over, its report.

        Raises:
            RefusalError: 400, this is no ID of an import; 404, there is no such import.
        """
        if import_id.lower() in self._unseen:
            self._unseen.discard(import_id.lower())
            raise import_not_found(import_id)
        with self._store.reading() as connection:
            report = import_report(connection, import_id)
        if self._switches.report_lists == "summaryOnly":
            return msgspec.structs.replace(report, created=None, updated=None, failures=None)
        return report
