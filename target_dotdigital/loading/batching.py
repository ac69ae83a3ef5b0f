"""Gathering: the loads that are open, and when one of them has to go."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_dotdigital.loading.batch_size import SMALLEST_IMPORT, Filling
from target_dotdigital.loading.departures import Departure
from target_dotdigital.loading.imports import MAX_BODY_BYTES, Import, divide
from target_dotdigital.loading.queue import holder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    from target_dotdigital.clock import Clock
    from target_dotdigital.loading.batch_size import Moment
    from target_dotdigital.mapping import Contact
    from target_dotdigital.settings import MergeOption, Settings

    _Kind: TypeAlias = tuple[MergeOption, str] | int
    """Of an import its merge option and match identifier; of a departure what is left."""

_LOOK_EACH = 100
"""Contacts that an open import takes between looks at whether it is to be sent early."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of the loads that are under way.

    Attributes:
        max_body_bytes: Returns the most bytes of an import's JSON.
        moment: Returns what there is to be known now.
        wait: Waits until a load ends, at most so many seconds if they are told. It may raise.
    """

    max_body_bytes: Callable[[], int]
    moment: Callable[[], Moment]
    wait: Callable[[float | None], None]


class Gathering:
    """One open import for each merge option and match identifier, one departure for each place."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        submit: Callable[[Import | Departure], None],
        outlook: Outlook,
    ) -> None:
        """Start with nothing open.

        Args:
            settings: The target's settings.
            clock: Tells how long a load is open.
            submit: Takes a load that is to go. It may block, and raise.
            outlook: Tells what is known of the loads that are under way.
        """
        self._max_contacts = settings.batch_size_rows
        self._wait_limit = settings.batch_wait_limit_seconds
        self._clock = clock
        self._submit = submit
        self._outlook = outlook
        self._filling = Filling(settings.batch_size_rows)
        self._open: dict[_Kind, Import | Departure] = {}

    def __iter__(self) -> Iterator[Import | Departure]:
        """Yield what is open, and what is to follow it."""
        for load in self._open.values():
            yield from _chain(load)

    def join(self, contact: Contact, merge_option: MergeOption, row: int) -> bool:
        """Take in a contact that is to be written.

        Args:
            contact: The contact with its rows.
            merge_option: How it is merged.
            row: The number of its newest row.

        Returns:
            Whether it could be: alone it may be larger than an import can be.

        Raises:
            TargetDotdigitalError: An earlier load has failed, or the run is being stopped.
        """

        def start() -> Import:
            return Import(merge_option, row, self._clock.now())

        self._send_what_holds(contact, merge_option)
        # Not mixed: one import could hold a person twice who is known by two identifiers.
        kind = (merge_option, contact.key.partition(":")[0])
        while isinstance(load := self._open.get(kind), Import):
            held = len(load.contacts)
            is_looked_at = not (held % _LOOK_EACH and held % self._max_contacts)
            limit = self._limit(load) if is_looked_at else held + 1
            if load.take(contact, limit, self._max_bytes(limit), start):
                return True
            self._send_or_wait(kind, load)
        load = start()
        # Alone it may still be taken where several were too much.
        if not load.has_room(contact, self._max_contacts, MAX_BODY_BYTES):
            return False
        load.add(contact)
        self._open[kind] = load
        return True

    def join_several(self, contacts: Sequence[Contact], merge_option: MergeOption, row: int) -> int:
        """Take in as many contacts as one import holds, if nothing has to be decided for each.

        Args:
            contacts: Contacts of one match identifier, each of one row, in order; at least one.
            merge_option: How they are merged.
            row: The number of the first one's row.

        Returns:
            How many of them, from the first one on, are taken in. If none, they have to be joined
            one by one: some of them are of the same person, or something else is open.

        Raises:
            TargetDotdigitalError: An earlier load has failed, or the run is being stopped.
        """
        kind = (merge_option, contacts[0].key.partition(":")[0])
        if self._open.keys() - {kind}:
            return 0
        while isinstance(load := self._open.get(kind), Import):
            limit = self._limit(load)
            if len(load.contacts) < limit:
                break
            if contacts[0].key in load.contacts:
                return 0  # it needs no more room
            self._send_or_wait(kind, load)
        else:
            load, limit = Import(merge_option, row, self._clock.now()), self._max_contacts
        room = limit - len(load.contacts)
        joined = load.extend(contacts[:room], self._max_bytes(limit))
        if joined:
            self._open[kind] = load
        return joined

    def leave(self, contact: Contact, leaving: int, row: int) -> None:
        """Take in a contact that is to leave.

        Args:
            contact: The contact with its rows.
            leaving: The ID of the address book that it leaves, or `ACCOUNT`.
            row: The number of its newest row.

        Raises:
            TargetDotdigitalError: An earlier load has failed, or the run is being stopped.
        """
        self._send_what_holds(contact, leaving)
        load = self._open.get(leaving)
        if not (isinstance(load, Departure) and load.has_room(contact, self._max_contacts)):
            if load is not None:
                self._send(leaving)
            load = Departure(leaving, row, self._clock.now())
            self._open[leaving] = load
        load.add(contact)

    def flush(self) -> None:
        """Send everything.

        Raises:
            TargetDotdigitalError: An earlier load has failed, or the run is being stopped.
        """
        while self._open:
            kind, load = next(iter(self._open.items()))
            if isinstance(load, Import) and len(load.contacts) >= 2 * SMALLEST_IMPORT:
                # The more slots it is divided among, the sooner the last contact is there.
                while wait := self._filling.hold(0, -math.inf, self._outlook.moment()):
                    self._wait(wait)
            self._send(kind, is_last=True)

    def send_due(self) -> None:
        """Send what has been open for too long, and what slots are free for.

        Raises:
            TargetDotdigitalError: An earlier load has failed, or the run is being stopped.
        """
        for kind in list(self._open):
            while (load := self._open.get(kind)) is not None and self._is_due(load):
                self._send(kind)

    def seconds_left(self) -> float | None:
        """Return how long until something is to be sent; None if nothing is open."""
        now = self._clock.now()
        left = [self._wait_limit - (now - load.opened_at) for load in self]
        for load in self._open.values():
            hold = self._hold(load)
            left += [hold] if hold else []
        return max(min(left), 0.0) if left else None

    def _limit(self, load: Import) -> int:
        """Return how many contacts an import may take before it is looked at again."""
        contacts = len(load.contacts)
        if contacts < min(SMALLEST_IMPORT, self._max_contacts):
            return self._max_contacts
        others = sum(len(each.contacts) for each in self) - contacts
        return self._filling.limit(contacts, others, load.opened_at, self._outlook.moment())

    def _max_bytes(self, contacts: int) -> int:
        """Return the most bytes of so many contacts: they may be divided among several imports."""
        return self._outlook.max_body_bytes() * -(-contacts // self._max_contacts)

    def _send_or_wait(self, kind: _Kind, load: Import) -> None:
        if wait := self._hold(load):
            self._wait(wait)
        else:
            self._send(kind)

    def _hold(self, load: Import | Departure) -> float:
        """Return for how long an open load is held back, in seconds; 0 if it is not."""
        contacts = len(load.contacts)
        if not isinstance(load, Import) or contacts < SMALLEST_IMPORT:
            return 0.0  # where only few fit into a request, they are not to wait either
        return self._filling.hold(contacts, load.opened_at, self._outlook.moment())

    def _wait(self, seconds: float) -> None:
        self._outlook.wait(seconds if math.isfinite(seconds) else None)

    def _is_due(self, load: Import | Departure) -> bool:
        if self._is_old(load):
            return True
        if not isinstance(load, Import) or len(load.contacts) < SMALLEST_IMPORT:
            return False
        moment = self._outlook.moment()
        return self._filling.is_due(len(load.contacts), load.opened_at, moment)

    def _is_old(self, load: Import | Departure) -> bool:
        return self._clock.now() - load.opened_at >= self._wait_limit

    def _send_what_holds(self, contact: Contact, effect: MergeOption | int) -> None:
        """Send what has to take effect before a contact can be taken in anywhere."""
        for kind in list(self._open):
            while (load := self._open.get(kind)) is not None and _precedes(load, contact, effect):
                self._send(kind)

    def _send(self, kind: _Kind, *, is_last: bool = False) -> None:
        """Send an open load; an import in as many parts as is best now. A rest may stay open."""
        for load in self._parts(self._open[kind], is_last=is_last):
            # It is open until it has been taken: STATE must not pass it while the queue is full.
            self._open[kind] = load
            self._submit(load)
            del self._open[kind]
            if isinstance(load, Import):
                self._filling.note_sent(len(load.contacts), self._clock.now())
                if load.following is not None:
                    self._open[kind], load.following = load.following, None

    def _parts(self, load: Import | Departure, *, is_last: bool) -> Sequence[Import | Departure]:
        """Return what is to be sent of an open load."""
        if not isinstance(load, Import) or len(load.contacts) < SMALLEST_IMPORT:
            return (load,)
        size = self._filling.part_size(len(load.contacts), self._outlook.moment(), is_last=is_last)
        if size >= len(load.contacts):
            return (load,)
        parts = divide(load, size, self._outlook.max_body_bytes())
        has_rest = size == self._max_contacts and len(parts[-1].contacts) < size
        return parts[:-1] if has_rest else parts


def _chain(load: Import | Departure) -> Iterator[Import | Departure]:
    """Yield a load, and what follows it, in the order in which they are to be sent."""
    if isinstance(load, Import):
        yield from load.chain
    else:
        yield load


def _precedes(load: Import | Departure, contact: Contact, effect: MergeOption | int) -> bool:
    """Return whether a load holds the same person under another key, or with another effect."""
    own = load.merge_option if isinstance(load, Import) else load.leaving
    for each in _chain(load):
        held = holder(each, contact)
        if held is not None and (held != contact.key or own != effect):
            return True
    return False
