"""The queue of removals, which are worked off beside the calls that are answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.account import leave_list, leave_list_first
from target_dotdigital.sandbox.clock import timestamp
from target_dotdigital.sandbox.jobs import JobQueue
from target_dotdigital.sandbox.removals import removal_log
from target_dotdigital.sandbox.removals.bulk_deletion import delete_in_bulk

if TYPE_CHECKING:
    from target_dotdigital.sandbox.removals.removal_log import Kind, Removal
    from target_dotdigital.sandbox.storage import Store

PART_CONTACTS = 5_000
"""Contacts that leave a list in one transaction. It bounds how long an import waits for it."""

_IDS = msgspec.json.Decoder(list[int])


class RemovalQueue:
    """Works off removals one after the other, in the order in which they were accepted."""

    def __init__(self, store: Store, *, working: bool = True) -> None:
        """Start, first of all with the removals that an earlier run left.

        Args:
            store: The database.
            working: Otherwise removals wait on disk.
        """
        self._store = store
        self._jobs = JobQueue("removal", self._remove, self._fail, threads=1 if working else 0)
        with store.reading() as connection:
            unfinished = removal_log.unfinished(connection)
        self._jobs.start(unfinished)

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
        self._jobs.put(sequence)
        return removal_id

    def stop(self) -> None:
        """Stop after the part that is being written; what is left waits on disk."""
        self._jobs.stop()

    def _remove(self, sequence: int) -> None:
        with self._store.writing(synchronous=False) as connection:
            removal = removal_log.begin(connection, sequence)
        if removal is None:
            return
        if removal.kind == "contacts":
            delete_in_bulk(self._store, removal)
        elif removal.kind == "members":
            self._remove_members(removal)
        else:
            self._remove_everyone(removal)

    def _remove_members(self, removal: Removal) -> None:
        contact_ids = _IDS.decode(removal.body)
        for position in range(removal.position, len(contact_ids), PART_CONTACTS):
            if self._jobs.stopping.is_set():
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
            if self._jobs.stopping.is_set():
                return
            with self._store.writing(synchronous=False) as connection:
                more = leave_list_first(connection, removal.address_book_id, PART_CONTACTS)
                if not more:
                    removal_log.finish(connection, removal.sequence, timestamp())

    def _fail(self, sequence: int) -> None:
        with self._store.writing() as connection:
            removal_log.finish(connection, sequence, timestamp(), status=removal_log.FAILED)
