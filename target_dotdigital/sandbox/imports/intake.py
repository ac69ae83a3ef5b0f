"""The intake: imports as clients see them, sent and then polled."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.account import load_definitions
from target_dotdigital.sandbox.clock import timestamp, written
from target_dotdigital.sandbox.http import v2_refusal, v3_refusal
from target_dotdigital.sandbox.imports.import_body import check_import
from target_dotdigital.sandbox.imports.import_log import (
    accept_import,
    accept_v2_import,
    has_free_slot,
    name_lists,
)
from target_dotdigital.sandbox.imports.reports import import_not_found, import_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.imports.reports import ImportReport
    from target_dotdigital.sandbox.imports.slots import Slots
    from target_dotdigital.sandbox.imports.v2 import Upload
    from target_dotdigital.sandbox.storage import Store

KEPT_SECONDS = 3_600.0
"""How long a report is there after its import finished, with the switch for it."""

EVER = ""
"""No time is less than it."""


class Intake:
    """Takes imports in, and reports on them."""

    def __init__(
        self,
        store: Store,
        slots: Slots,
        switches: Switches,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Keep what every import needs.

        Args:
            store: The database.
            slots: Where accepted imports go.
            switches: What Dotdigital's documents leave open.
            clock: By which reports are kept: seconds since 1970.
        """
        self._clock = clock
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
            if not has_free_slot(connection, self._switches, is_v2=False):
                raise v3_refusal(
                    "contacts:tooManyActiveImports",
                    "Your import request cannot be accepted as too many imports are being "
                    "processed. Please wait for an import to complete and then resubmit.",
                    status=HTTPStatus.TOO_MANY_REQUESTS,
                )
            import_id, sequence = accept_import(connection, body, checked.contacts, timestamp())
            name_lists(connection, sequence, checked.lists)
        if self._switches.fresh_import == "notFound":
            self._unseen.add(import_id)
        self._slots.put(sequence)
        return import_id

    def accept_v2(self, upload: Upload) -> str:
        """Put an import of v2 on disk and in the queue.

        Returns:
            Its ID.

        Raises:
            RefusalError: 400, too many are active.
        """
        with self._store.writing() as connection:
            if not has_free_slot(connection, self._switches, is_v2=True):
                raise v2_refusal(
                    "ERROR_IMPORT_TOOMANYACTIVEIMPORTS",
                    "Too many imports of the account are being processed.",
                )
            import_id, sequence = accept_v2_import(connection, upload, timestamp())
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
            report = import_report(connection, import_id, self._kept_since())
        if self._switches.report_lists == "summaryOnly":
            return msgspec.structs.replace(report, created=None, updated=None, failures=None)
        return report

    def _kept_since(self) -> str:
        """Return since when an import must have finished for its report to be there."""
        if self._switches.reports_kept == "always":
            return EVER
        return written(self._clock() - KEPT_SECONDS)
