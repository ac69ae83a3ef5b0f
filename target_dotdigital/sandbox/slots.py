"""The slots in which imports are worked off, beside the calls that are answered."""

from __future__ import annotations

import itertools
import logging
import queue
import sqlite3
import threading
from typing import TYPE_CHECKING

from target_dotdigital.sandbox import import_body, import_log
from target_dotdigital.sandbox.processing import process, timestamp

if TYPE_CHECKING:
    from target_dotdigital.sandbox.store import Store

DEFAULT_SLOTS = 4
"""Imports under way at a time. More would not be faster, SQLite has one writer; this many
show a client that imports finish side by side and out of order."""

PART_CONTACTS = 1_000
"""Contacts that are written in one transaction. It bounds memory, the work that a crash undoes,
and how long a new import waits for the database: 0.1 s or so."""

_logger = logging.getLogger(__name__)


class Slots:
    """Threads that work off imports, the oldest first."""

    def __init__(self, store: Store, count: int = DEFAULT_SLOTS) -> None:
        """Start, first of all with the imports that an earlier run left.

        Args:
            store: The database.
            count: How many imports are under way at a time. With 0, imports wait on disk.
        """
        self._store = store
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
        body = import_body.decode(active.body)
        for position in range(active.position, len(body.contacts), PART_CONTACTS):
            if self._stopping.is_set():
                return
            raw = itertools.islice(body.contacts, position, position + PART_CONTACTS)
            contacts = [import_body.decode_contact(one) for one in raw]
            part = import_log.Part(sequence, position, contacts, body.merge_option)
            process(self._store, part, active.taken)

    def _give_up(self, sequence: int) -> None:
        try:
            with self._store.writing() as connection:
                import_log.fail(connection, sequence, timestamp())
        except (sqlite3.Error, OSError) as error:
            # The disk may be full. The import stays on disk and is tried at the next start.
            _logger.error(  # noqa: TRY400
                "Import number %d stays unfinished: %s", sequence, type(error).__name__
            )
