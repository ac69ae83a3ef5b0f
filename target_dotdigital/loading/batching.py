"""The open batches: loads that still take contacts, and when each of them has to go."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_dotdigital.loading.batch_size import SMALLEST_IMPORT, BatchSize
from target_dotdigital.loading.imports import MAX_BODY_BYTES, Import, holds_any, split
from target_dotdigital.loading.queue import overlapping_key
from target_dotdigital.loading.removals import Removal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    from target_dotdigital.clock import Clock
    from target_dotdigital.loading.batch_size import Capacity
    from target_dotdigital.mapping import Contact
    from target_dotdigital.settings import MergeOption, Settings

    _Batch: TypeAlias = Import | Removal
    _Kind: TypeAlias = tuple[MergeOption, str] | int
    """Of an import its merge option and match identifier; of a removal what is left."""

_CONTACTS_BETWEEN_LOOKS = 100
"""Contacts that an open import takes before it is looked at whether it goes early."""

EVEN_SHARE = 0.9
"""A last part that is smaller by more than what divides evenly stays open: more may come for it."""


@dataclass(frozen=True, slots=True)
class Downstream:
    """What is known of the loads that are under way.

    Attributes:
        max_body_bytes: Returns the most bytes of an import's JSON.
        capacity: Returns what Dotdigital can take now.
        wait: Waits until a load ends, at most so many seconds if they are given. It may raise.
    """

    max_body_bytes: Callable[[], int]
    capacity: Callable[[], Capacity]
    wait: Callable[[float | None], None]


class Batches:
    """One open import for each merge option and match identifier, one removal for each place."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        submit: Callable[[_Batch], None],
        downstream: Downstream,
    ) -> None:
        """Start with none open.

        Args:
            settings: The target's settings.
            clock: Tells how long a batch is open.
            submit: Takes a batch that is to go. It may block, and raise.
            downstream: Tells what is known of the loads that are under way.
        """
        self._max_contacts = settings.batch_size_rows
        self._wait_limit = settings.batch_wait_limit_seconds
        self._clock = clock
        self._submit = submit
        self._downstream = downstream
        self._size = BatchSize(settings.batch_size_rows)
        self._open: dict[_Kind, _Batch] = {}

    def __iter__(self) -> Iterator[_Batch]:
        """Yield what is open, and what is to follow it."""
        for batch in self._open.values():
            yield from batch.chain

    def join(self, contact: Contact, merge_option: MergeOption, row: int) -> bool:
        """Add a contact that is to be written.

        Args:
            contact: The contact with its rows.
            merge_option: How it is merged.
            row: The number of its newest row.

        Returns:
            Whether it could be added: alone it may be larger than an import can be.

        Raises:
            TargetDotdigitalError: An earlier load has failed, or the run is being stopped.
        """

        def start() -> Import:
            return Import(merge_option, row, self._clock.now())

        self._send_what_overlaps(contact, merge_option)
        # Not mixed: one import could hold a person twice who is known by two identifiers.
        kind = (merge_option, contact.key.partition(":")[0])
        while isinstance(batch := self._open.get(kind), Import):
            count = len(batch.contacts)
            is_looked_at = not (count % _CONTACTS_BETWEEN_LOOKS and count % self._max_contacts)
            limit = self._limit(batch) if is_looked_at else count + 1
            if batch.take(contact, limit, self._max_bytes(limit), start):
                return True
            self._send_or_wait(kind, batch)
        batch = start()
        # Alone it may still be taken where several were too much.
        if not batch.has_room(contact, self._max_contacts, MAX_BODY_BYTES):
            return False
        batch.add(contact)
        self._open[kind] = batch
        return True

    def join_several(self, contacts: Sequence[Contact], merge_option: MergeOption, row: int) -> int:
        """Add as many contacts as one import takes, if nothing has to be decided for each.

        Args:
            contacts: Contacts of one match identifier, each of one row, in order; at least one.
            merge_option: How they are merged.
            row: The number of the first one's row.

        Returns:
            How many of them, from the first one on, are added. If none, they have to be joined
            one by one: some of them are of the same person, or something else is open.

        Raises:
            TargetDotdigitalError: An earlier load has failed, or the run is being stopped.
        """
        kind = (merge_option, contacts[0].key.partition(":")[0])
        others = [
            load for each, batch in self._open.items() if each != kind for load in batch.chain
        ]
        if others:
            identities = {identity for each in contacts for identity in each.identities}
            if any(holds_any(each, identities) for each in others):
                return 0
        while isinstance(batch := self._open.get(kind), Import):
            limit = self._limit(batch)
            if len(batch.contacts) < limit:
                break
            if contacts[0].key in batch.contacts:
                return 0  # it needs no more room
            self._send_or_wait(kind, batch)
        else:
            batch, limit = Import(merge_option, row, self._clock.now()), self._max_contacts
        room = limit - len(batch.contacts)
        joined = batch.extend(contacts[:room], self._max_bytes(limit))
        if joined:
            self._open[kind] = batch
        return joined

    def leave(self, contact: Contact, address_book_id: int, row: int) -> None:
        """Add a contact that is to leave.

        Args:
            contact: The contact with its rows.
            address_book_id: The ID of the address book that it leaves, or `ACCOUNT`.
            row: The number of its newest row.

        Raises:
            TargetDotdigitalError: An earlier load has failed, or the run is being stopped.
        """
        self._send_what_overlaps(contact, address_book_id)
        batch = self._open.get(address_book_id)
        if not (isinstance(batch, Removal) and batch.has_room(contact, self._max_contacts)):
            if batch is not None:
                self._send(address_book_id)
            batch = Removal(address_book_id, row, self._clock.now())
            self._open[address_book_id] = batch
        batch.add(contact)

    def flush(self) -> None:
        """Send everything.

        Raises:
            TargetDotdigitalError: An earlier load has failed, or the run is being stopped.
        """
        while self._open:
            kind, batch = next(iter(self._open.items()))
            if isinstance(batch, Import) and len(batch.contacts) >= 2 * SMALLEST_IMPORT:
                # The more slots it is split among, the sooner the last contact is there.
                while delay := self._size.delay(0, -math.inf, self._downstream.capacity()):
                    self._wait(delay)
            self._send(kind, is_last=True)

    def send_due(self) -> None:
        """Send what has been open for too long, and what slots are free for.

        Raises:
            TargetDotdigitalError: An earlier load has failed, or the run is being stopped.
        """
        for kind in list(self._open):
            while (batch := self._open.get(kind)) is not None and self._is_due(batch):
                self._send(kind)

    def seconds_left(self) -> float | None:
        """Return how long until something is to be sent; None if nothing is open."""
        now = self._clock.now()
        left = [self._wait_limit - (now - batch.opened_at) for batch in self]
        left += [delay for batch in self._open.values() if (delay := self._delay(batch))]
        return max(min(left), 0.0) if left else None

    def _limit(self, batch: Import) -> int:
        """Return how many contacts an import may take before it is looked at again."""
        contacts = len(batch.contacts)
        if contacts < min(SMALLEST_IMPORT, self._max_contacts):
            return self._max_contacts
        others = sum(len(each.contacts) for each in self) - contacts
        return self._size.limit(contacts, others, batch.opened_at, self._downstream.capacity())

    def _max_bytes(self, contacts: int) -> int:
        """Return the most bytes of so many contacts: they may be split among several imports."""
        return self._downstream.max_body_bytes() * -(-contacts // self._max_contacts)

    def _send_or_wait(self, kind: _Kind, batch: Import) -> None:
        if delay := self._delay(batch):
            self._wait(delay)
        else:
            self._send(kind)

    def _delay(self, batch: _Batch) -> float:
        """Return for how long an open batch is delayed, in seconds; 0 if it is not."""
        if not _may_go_early(batch):
            return 0.0  # where only few fit into a request, they are not to wait either
        return self._size.delay(len(batch.contacts), batch.opened_at, self._downstream.capacity())

    def _wait(self, seconds: float) -> None:
        self._downstream.wait(seconds if math.isfinite(seconds) else None)

    def _is_due(self, batch: _Batch) -> bool:
        if self._clock.now() - batch.opened_at >= self._wait_limit:
            return True
        if not _may_go_early(batch):
            return False
        capacity = self._downstream.capacity()
        return self._size.is_due(len(batch.contacts), batch.opened_at, capacity)

    def _send_what_overlaps(self, contact: Contact, effect: MergeOption | int) -> None:
        """Send what has to take effect before a contact can be added anywhere."""
        for kind in list(self._open):
            while (batch := self._open.get(kind)) is not None and _precedes(batch, contact, effect):
                self._send(kind)

    def _send(self, kind: _Kind, *, is_last: bool = False) -> None:
        """Send an open batch; an import in as many parts as is best now. A rest may stay open."""
        for batch in self._parts(self._open[kind], is_last=is_last):
            # It is open until it has been taken: STATE must not pass it while the queue is full.
            self._open[kind] = batch
            self._submit(batch)
            del self._open[kind]
            if isinstance(batch, Import):
                self._size.note_sent(len(batch.contacts), self._clock.now())
                if batch.following is not None:
                    self._open[kind], batch.following = batch.following, None

    def _parts(self, batch: _Batch, *, is_last: bool) -> Sequence[_Batch]:
        """Return what is to be sent of an open batch."""
        contacts = len(batch.contacts)
        if not (isinstance(batch, Import) and _may_go_early(batch)):
            return (batch,)
        size = self._size.part_size(contacts, self._downstream.capacity(), is_last=is_last)
        if size >= contacts:
            return (batch,)
        parts = split(batch, size, self._downstream.max_body_bytes())
        last = len(parts[-1].contacts)
        if size == self._max_contacts:
            has_rest = last < size
        else:
            has_rest = not is_last and last < size * EVEN_SHARE
        return parts[:-1] if has_rest else parts


def _may_go_early(batch: _Batch) -> bool:
    """Return whether a batch is an import that is large enough to be sent before it is full."""
    return isinstance(batch, Import) and len(batch.contacts) >= SMALLEST_IMPORT


def _precedes(batch: _Batch, contact: Contact, effect: MergeOption | int) -> bool:
    """Return whether a batch holds the same person under another key, or with another effect."""
    own = batch.merge_option if isinstance(batch, Import) else batch.address_book_id
    for each in batch.chain:
        key = overlapping_key(each, contact)
        if key is not None and (key != contact.key or own != effect):
            return True
    return False
