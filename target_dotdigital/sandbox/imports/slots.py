"""The slots in which imports are worked off, beside the calls that are answered."""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from typing import TYPE_CHECKING

from target_dotdigital.sandbox.account.identifiers import Failure
from target_dotdigital.sandbox.errors import RefusalError
from target_dotdigital.sandbox.imports import import_body, import_log, rulings
from target_dotdigital.sandbox.imports.processing import process, timestamp

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import msgspec

    from target_dotdigital.sandbox.faults.switches import Switches
    from target_dotdigital.sandbox.imports.import_body import ImportBody, ImportContact
    from target_dotdigital.sandbox.storage.store import Store

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

_logger = logging.getLogger(__name__)


class Slots:
    """Threads that work off imports, the oldest first."""

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
        self._stopping = threading.Event()
        self._queue: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        with store.reading() as connection:
            for sequence in import_log.unfinished(connection):
                self._queue.put(sequence)
        self._threads = [
            threading.Thread(target=self._work, name=f"sandbox-import-{number}", daemon=True)
            for number in range(1, count + 1)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, sequence: int) -> None:
        """Queue an import that is on disk."""
        self._queue.put(sequence)

    def stop(self) -> None:
        """Stop after the parts that are being written; what is left waits on disk."""
        self._stopping.set()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (sequence := self._queue.get()) is not None and not self._stopping.is_set():
            try:
                self._import(sequence)
            except Exception as error:  # noqa: BLE001 - a slot outlives whatever an import does
                # Neither text nor traceback: they may hold what the import holds.
                _logger.error(  # noqa: TRY400
                    "Import number %d failed: %s", sequence, type(error).__name__
                )
                self._give_up(sequence)

    def _import(self, sequence: int) -> None:
        with self._store.reading() as connection:
            active = import_log.load(connection, sequence)
        if active is None:  # the account was emptied
            return
        body = import_body.decode(active.body)
        duplicates: Collection[int] = ()
        if self._switches.duplicates == "last":
            duplicates = rulings.superseded(body.contacts)
        size = self._part_contacts()
        for position in range(active.position, len(body.contacts), size):
            part = _part(sequence, position, size, body, duplicates)
            # Before the part is written: an import takes as long as its contacts do, the last too.
            if self._waits(len(part.contacts)):
                return
            if not process(self._store, part, active.taken, self._switches):
                return

    def _part_contacts(self) -> int:
        if self._pace is None:
            return PART_CONTACTS
        return max(1, min(PART_CONTACTS, int(self._pace * PACED_PART_SECONDS)))

    def _waits(self, contacts: int) -> bool:
        """Wait for as long as the contacts take, and tell whether to stop."""
        if self._pace is None:
            return self._stopping.is_set()
        return self._stopping.wait(contacts / self._pace)

    def _give_up(self, sequence: int) -> None:
        try:
            with self._store.writing() as connection:
                import_log.fail(connection, sequence, timestamp())
        except (sqlite3.Error, OSError) as error:
            # The disk may be full. The import stays on disk and is tried at the next start.
            _logger.error(  # noqa: TRY400
                "Import number %d stays unfinished: %s", sequence, type(error).__name__
            )


def _part(
    sequence: int, position: int, size: int, body: ImportBody, duplicates: Collection[int]
) -> import_log.Part:
    contacts: list[ImportContact] = []
    faults: dict[int, Failure] = {}
    raw: Sequence[msgspec.Raw] = body.contacts[position : position + size]
    for place, one in enumerate(raw):
        try:
            contacts.append(import_body.read_contact(one, "$"))
        except RefusalError:
            contacts.append(rulings.unreadable(one))
            faults[place] = Failure("apiSchemaViolation", "The contact breaks the schema")
        if position + place in duplicates:
            description = "Duplicate identifier detected; a later entry was taken"
            faults.setdefault(place, Failure(rulings.DUPLICATE, description))
    return import_log.Part(sequence, position, contacts, body.merge_option, faults)
