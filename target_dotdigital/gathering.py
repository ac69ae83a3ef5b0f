"""Gathering: the loads that are open, and when one of them has to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.departures import Departure
from target_dotdigital.imports import MAX_BODY_BYTES, Import
from target_dotdigital.loads import holder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_dotdigital.clock import Clock
    from target_dotdigital.contacts import Contact
    from target_dotdigital.settings import Settings
    from target_dotdigital.settings_schema import MergeOption


class Gathering:
    """One open import for each merge option, and one departure for whatever is left."""

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
        self._open: dict[MergeOption | int, Import | Departure] = {}

    def __iter__(self) -> Iterator[Import | Departure]:
        """Yield what is open."""
        yield from self._open.values()

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
        self._send_what_holds(contact, merge_option)
        load = self._open.get(merge_option)
        if isinstance(load, Import) and load.has_room(contact, self._max_contacts, max_bytes):
            load.add(contact)
            return True
        if load is not None:
            self._send(merge_option)
        load = Import(merge_option, row, self._clock.now())
        # Alone it may still be taken where several were too much.
        if not load.has_room(contact, self._max_contacts, MAX_BODY_BYTES):
            return False
        load.add(contact)
        self._open[merge_option] = load
        return True

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
        for kind in list(self._open):
            self._send(kind)

    def send_old(self) -> None:
        """Send what has been open for too long.

        Raises:
            TargetDotdigitalError: An earlier load has failed, or the run is being stopped.
        """
        for kind, load in list(self._open.items()):
            if self._clock.now() - load.opened_at >= self._wait_limit:
                self._send(kind)

    def seconds_left(self) -> float | None:
        """Return how long until something is too old; None if nothing is open."""
        ages = [self._clock.now() - load.opened_at for load in self]
        return max(self._wait_limit - max(ages), 0.0) if ages else None

    def _send_what_holds(self, contact: Contact, kind: MergeOption | int) -> None:
        for other_kind, other in list(self._open.items()):
            held = holder(other, contact)
            # The same person under another key, or in a load of another kind: the older one first.
            if held is not None and (held != contact.key or other_kind != kind):
                self._send(other_kind)

    def _send(self, kind: MergeOption | int) -> None:
        # It is open until it has been taken: STATE must not pass it while the queue is full.
        self._submit(self._open[kind])
        del self._open[kind]
