"""The thread that works off removals, beside the calls that are answered."""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.account.departures import leave_list, leave_list_first
from target_dotdigital.sandbox.imports.processing import timestamp
from target_dotdigital.sandbox.removals import bulk_deletion, removal_log

if TYPE_CHECKING:
    from target_dotdigital.sandbox.removals.removal_log import Kind, Removal
    from target_dotdigital.sandbox.storage.store import Store

PART_CONTACTS = 5_000
"""Contacts that leave a list in one transaction. It bounds how long an import waits for it."""

_logger = logging.getLogger(__name__)
_IDS = msgspec.json.Decoder(list[int])


class Removals:
    """Works off removals one after the other, in the order in which they were accepted."""

    def __init__(self, store: Store, *, working: bool = True) -> None:
        """Start, first of all with the removals that an earlier run left.

        Args:
            store: The database.
            working: Otherwise removals wait on disk.
        """
        self._store = store
        self._stopping = threading.Event()
        self._queue: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        with store.reading() as connection:
            for sequence in removal_log.unfinished(connection):
                self._queue.put(sequence)
        self._thread = threading.Thread(target=self._work, name="sandbox-removals", daemon=True)
        self._is_working = working
        if working:
            self._thread.start()

    def accept(self, kind: Kind, address_book_id: int, body: bytes) -> str:
        """Put a removal on disk and in the queue.

        Args:
            kind: What is removed.
            address_book_id: The list, or 0.
            body: The request, checked.

        Returns:
            Its ID.

        Raises:
            RefusalError: 429, too many deletions are waiting.
        """
        with self._store.writing() as connection:
            removal_id, sequence = removal_log.accept(
                connection, kind, address_book_id, body, timestamp()
            )
        self._queue.put(sequence)
        return removal_id

    def stop(self) -> None:
        """Stop after the part that is being written; what is left waits on disk."""
        self._stopping.set()
        self._queue.put(None)
        if self._is_working:
            self._thread.join()

    def _work(self) -> None:
        while (sequence := self._queue.get()) is not None and not self._stopping.is_set():
            try:
                self._remove(sequence)
            except Exception as error:  # noqa: BLE001 - the thread outlives whatever happens
                # Neither text nor traceback: they may hold what the removal holds.
                _logger.error(  # noqa: TRY400
                    "Removal number %d failed: %s", sequence, type(error).__name__
                )
                self._give_up(sequence)

    def _remove(self, sequence: int) -> None:
        with self._store.writing(synchronous=False) as connection:
            removal = removal_log.begin(connection, sequence)
        if removal is None:
            return
        if removal.kind == "contacts":
            bulk_deletion.work_off(self._store, removal)
        elif removal.kind == "members":
            self._remove_members(removal)
        else:
            self._remove_everyone(removal)

    def _remove_members(self, removal: Removal) -> None:
        contact_ids = _IDS.decode(removal.body)
        for position in range(removal.position, len(contact_ids), PART_CONTACTS):
            if self._stopping.is_set():
                return
            part = contact_ids[position : position + PART_CONTACTS]
            with self._store.writing(synchronous=False) as connection:
                # The position goes with the part: who joins again is not removed a second time.
                if not removal_log.advance(connection, removal.sequence, position + len(part)):
                    return
                leave_list(connection, removal.address_book_id, part)
                if position + len(part) == len(contact_ids):
                    removal_log.finish(connection, removal.sequence, timestamp())

    def _remove_everyone(self, removal: Removal) -> None:
        more = True
        while more:
            if self._stopping.is_set():
                return
            with self._store.writing(synchronous=False) as connection:
                more = leave_list_first(connection, removal.address_book_id, PART_CONTACTS)
                if not more:
                    removal_log.finish(connection, removal.sequence, timestamp())

    def _give_up(self, sequence: int) -> None:
        try:
            with self._store.writing() as connection:
                removal_log.finish(connection, sequence, timestamp(), status=removal_log.FAILED)
        except (sqlite3.Error, OSError) as error:
            # The disk may be full. The removal stays on disk and is tried at the next start.
            _logger.error(  # noqa: TRY400
                "Removal number %d stays unfinished: %s", sequence, type(error).__name__
            )
