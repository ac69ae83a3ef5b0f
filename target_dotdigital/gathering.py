"""Gathering: the loads that are open, and when one of them has to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.departures import Departure
from target_dotdigital.imports import MAX_BODY_BYTES, Import
from target_dotdigital.loads import holder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    from target_dotdigital.clock import Clock
    from target_dotdigital.contacts import Contact
    from target_dotdigital.settings import Settings
    from target_dotdigital.settings_schema import MergeOption

    _Kind: TypeAlias = tuple[MergeOption, str] | int
    """Of an import its merge option and match identifier; of a departure what is left."""


class Gathering:
    """One open import for each merge option and match identifier, one departure for each place."""

    def __init__(
        self, settings: Settings, clock: Clock, submit: Callable[[Import | Departure], None]
    ) -> None:
        """Start with nothing open.

        Args:
            settings: The target's settings.
            clock: Tells how long a load is open.
            submit: Takes a load that is to go. It may block, and raise.
        """
        self._max_contacts = settings.batch_size_rows
        self._wait_limit = settings.batch_wait_limit_seconds
        self._clock = clock
        self._submit = submit
        self._open: dict[_Kind, Import | Departure] = {}

    def __iter__(self) -> Iterator[Import | Departure]:
        """Yield what is open, and what is to follow it."""
        for load in self._open.values():
            yield from _chain(load)

    def join(self, contact: Contact, merge_option: MergeOption, row: int, max_bytes: int) -> bool:
        """Take in a contact that is to be written.

        Args:
            contact: The contact with its rows.
            merge_option: How it is merged.
            row: The number of its newest row.
            max_bytes: The most bytes of an import's JSON.

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
            if load.take(contact, self._max_contacts, max_bytes, start):
                return True
            self._send(kind)
        load = start()
        # Alone it may still be taken where several were too much.
        if not load.has_room(contact, self._max_contacts, MAX_BODY_BYTES):
            return False
        load.add(contact)
        self._open[kind] = load
        return True

    def join_several(
        self, contacts: Sequence[Contact], merge_option: MergeOption, row: int, max_bytes: int
    ) -> int:
        """Take in as many contacts as one import holds, if nothing has to be decided for each.

        Args:
            contacts: Contacts of one match identifier, each of one row, in order; at least one.
            merge_option: How they are merged.
            row: The number of the first one's row.
            max_bytes: The most bytes of an import's JSON.

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
            if len(load.contacts) < self._max_contacts:
                break
            if contacts[0].key in load.contacts:
                return 0  # it needs no more room
            self._send(kind)
        else:
            load = Import(merge_option, row, self._clock.now())
        joined = load.extend(contacts[: self._max_contacts - len(load.contacts)], max_bytes)
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
            self._send(next(iter(self._open)))

    def send_old(self) -> None:
        """Send what has been open for too long.

        Raises:
            TargetDotdigitalError: An earlier load has failed, or the run is being stopped.
        """
        for kind in list(self._open):
            while (load := self._open.get(kind)) is not None and self._is_old(load):
                self._send(kind)

    def seconds_left(self) -> float | None:
        """Return how long until something is too old; None if nothing is open."""
        ages = [self._clock.now() - load.opened_at for load in self]
        return max(self._wait_limit - max(ages), 0.0) if ages else None

    def _is_old(self, load: Import | Departure) -> bool:
        return self._clock.now() - load.opened_at >= self._wait_limit

    def _send_what_holds(self, contact: Contact, effect: MergeOption | int) -> None:
        """Send what has to take effect before a contact can be taken in anywhere."""
        for kind in list(self._open):
            while (load := self._open.get(kind)) is not None and _precedes(load, contact, effect):
                self._send(kind)

    def _send(self, kind: _Kind) -> None:
        load = self._open[kind]
        # It is open until it has been taken: STATE must not pass it while the queue is full.
        self._submit(load)
        del self._open[kind]
        if isinstance(load, Import) and load.following is not None:
            self._open[kind], load.following = load.following, None


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
