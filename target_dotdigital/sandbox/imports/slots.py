"""The slots in which imports are worked off, beside the calls that are answered."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from target_dotdigital.sandbox.clock import timestamp
from target_dotdigital.sandbox.imports.import_log import (
    end_import,
    load_import,
    unfinished_imports,
)
from target_dotdigital.sandbox.imports.parts import V3Import
from target_dotdigital.sandbox.imports.v2_parts import V2Import
from target_dotdigital.sandbox.jobs import JobQueue

if TYPE_CHECKING:
    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.storage import Store

DEFAULT_SLOTS = 4
"""Imports under way at a time. More would not be faster, SQLite has one writer; this many
show a client that imports finish side by side and out of order."""

PART_CONTACTS = 1_000
"""Contacts that are written in one transaction. It bounds memory, the work that a crash undoes,
and how long a new import waits for the database: 0.1 s or so."""

PACED_PART_SECONDS = 0.5
"""How much is written at a time at a pace: progress that can be watched, and is not lost."""

DOTDIGITAL_PACE = 1_000_000 / (3 * 60 * 60)
"""Contacts a second in one slot. The only public figure is that of Microsoft's connector: up to
three hours for up to a million profiles (its document `export-dotdigital.md`)."""


class Slots:
    """Works off imports, some at a time, the oldest first."""

    def __init__(
        self,
        store: Store,
        switches: Switches,
        count: int = DEFAULT_SLOTS,
        pace: float | None = None,
    ) -> None:
        """Start, first of all with the imports that an earlier run left.

        Args:
            store: The database.
            switches: What Dotdigital's documents leave open.
            count: How many imports are under way at a time. With 0, imports wait on disk.
            pace: Contacts a second in each slot. Without it, as many as it can.
        """
        self._store = store
        self._switches = switches
        self._pace = pace
        self._jobs = JobQueue("import", self._import, self._fail, count)
        with store.reading() as connection:
            unfinished = unfinished_imports(connection)
        self._jobs.start(unfinished)

    def put(self, sequence: int) -> None:
        """Queue an import that is on disk."""
        self._jobs.put(sequence)

    def stop(self) -> None:
        """Stop after the parts that are being written; what is left waits on disk."""
        self._jobs.stop()

    def _import(self, sequence: int) -> None:
        with self._store.reading() as connection:
            active = load_import(connection, sequence)
        if active is None:  # the account was emptied
            return
        kind = V2Import if active.is_v2 else V3Import
        work = kind(self._store, self._switches, active)
        if not work.count:
            self._end(sequence, work.status_if_empty)
        size, began = self._part_contacts(), time.monotonic()
        for position in range(active.position, work.count, size):
            # Before the part is written: an import takes as long as its contacts do, the last too.
            contacts = min(position + size, work.count) - active.position
            if self._waits(contacts, began):
                return
            if not work.import_part(position, size):
                return

    def _part_contacts(self) -> int:
        if self._pace is None:
            return PART_CONTACTS
        return max(1, min(PART_CONTACTS, int(self._pace * PACED_PART_SECONDS)))

    def _waits(self, contacts: int, began: float) -> bool:
        """Wait until so many contacts have had their time, and tell whether to stop."""
        if self._pace is None:
            return self._jobs.stopping.is_set()
        # From the beginning on: what writing them takes is no time besides.
        left = began + contacts / self._pace - time.monotonic()
        return self._jobs.stopping.wait(max(left, 0.0))

    def _fail(self, sequence: int) -> None:
        self._end(sequence, "Failed")

    def _end(self, sequence: int, status: str) -> None:
        with self._store.writing() as connection:
            end_import(connection, sequence, status, timestamp())
