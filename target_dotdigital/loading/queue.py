"""Loads on their way to Dotdigital, and their order.

A load is an import, or something else that must not overtake one, or be overtaken, where both are
about the same contact.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from target_dotdigital.loading.settlement import Settlement
    from target_dotdigital.loading.wakeup import Wakeup
    from target_dotdigital.mapping import Contact


class Load(Protocol):
    """What the queue brings to its end as a whole."""

    @property
    def first_row(self) -> int:
        """Number of the first row in it."""

    @property
    def contacts(self) -> Mapping[str, Contact]:
        """By normalised match identifier."""

    @property
    def others(self) -> Mapping[str, str]:
        """The contacts' other identifiers, with the match identifier of the contact."""


def holder(load: Load, contact: Contact) -> str | None:
    """Return the match identifier of a contact in a load that may be the same person.

    One of another key comes first: in one request the two would be in no order.

    Args:
        load: The load.
        contact: A contact, in there or not.
    """
    own = contact.key if contact.key in load.contacts else None
    for identity in contact.identities:
        found = identity if identity in load.contacts else load.others.get(identity)
        if found is not None and found != contact.key:
            return found
    return own


def share_a_contact(one: Load, other: Load) -> bool:
    """Return whether two loads hold something of the same person.

    Args:
        one: A load.
        other: Another one.
    """
    return not (
        one.contacts.keys().isdisjoint(other.contacts.keys())
        and one.contacts.keys().isdisjoint(other.others.keys())
        and one.others.keys().isdisjoint(other.contacts.keys())
        and one.others.keys().isdisjoint(other.others.keys())
    )


class Ended(NamedTuple):
    """A load whose worker is done with it."""

    load: Load
    outcome: Settlement | Exception


class LoadQueue:
    """Keeps loads active side by side, and those that share a contact one after the other.

    All methods belong to the main thread; only the function that performs a load runs in others.
    """

    def __init__(
        self,
        perform: Callable[[Load], Settlement],
        wakeup: Wakeup,
        max_active: int,
        second_try: Callable[[Load, Settlement], Load | None] = lambda _load, _settlement: None,
    ) -> None:
        """Start with no load.

        Args:
            perform: Brings a load to its end, in a thread of its own.
            wakeup: Told when a load has ended.
            max_active: How many loads may be with Dotdigital at a time.
            second_try: Takes out of a settlement what is to be tried again once all that came
                before is settled, and returns it as a load; None if there is nothing.
        """
        self._second_try = second_try
        self._last: set[int] = set()
        self._perform = perform
        self._wakeup = wakeup
        self._max_active = max_active
        self._executor = ThreadPoolExecutor(max_active, thread_name_prefix="load")
        self._unsettled: list[Load] = []
        self._held: set[str] = set()
        """Every identity that an unsettled load holds."""
        self._waits: dict[int, set[int]] = {}
        """The earlier loads, by `id`, that hold a contact of a load."""
        self._active: set[int] = set()
        self._ended: deque[Ended] = deque()
        self._stopped = False

    @property
    def is_full(self) -> bool:
        """Whether no load can be added: the waiting ones count, they take memory too."""
        return not self.free

    @property
    def free(self) -> int:
        """How many loads can be added."""
        return max(self._max_active - len(self._unsettled), 0)

    @property
    def unsettled(self) -> tuple[Load, ...]:
        """The loads that are not settled, in the order in which they were added."""
        return tuple(self._unsettled)

    @property
    def active(self) -> int:
        """How many loads are being performed."""
        return len(self._active)

    def add(self, load: Load) -> None:
        """Queue a load. It starts once no earlier one holds a contact of it.

        Args:
            load: The load.
        """
        self._waits[id(load)] = {id(each) for each in self._sharing(load)}
        self._hold(load)
        self._unsettled.append(load)
        self._start()

    def take_ended(self) -> list[Ended]:
        """Return the loads that have ended since the last call.

        One that has failed stays unsettled for good, so nothing that waits for it ever starts.
        """
        ended = []
        while self._ended:
            item = self._ended.popleft()
            self._active.discard(id(item.load))
            if isinstance(item.outcome, Exception):
                self._stopped = True
            else:
                self._settle(item.load, item.outcome)
            ended.append(item)
        self._start()
        return ended

    def stop(self) -> None:
        """Start no further load."""
        self._stopped = True

    def close(self) -> None:
        """Let the threads go, without waiting for them."""
        self.stop()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _sharing(self, load: Load) -> Iterator[Load]:
        """Yield the unsettled loads that hold something of the same person as another load."""
        # One look at all of them is enough nearly always.
        if not (self._held.isdisjoint(load.contacts) and self._held.isdisjoint(load.others)):
            yield from (each for each in self._unsettled if share_a_contact(each, load))

    def _hold(self, load: Load) -> None:
        self._held.update(load.contacts)
        self._held.update(load.others)

    def _settle(self, load: Load, settlement: Settlement) -> None:
        """Let a load go, or put what is tried again in its place: what waits for it goes on to."""
        again = self._second_try(load, settlement)
        place = next(place for place, each in enumerate(self._unsettled) if each is load)
        self._unsettled[place : place + 1] = [] if again is None else [again]
        self._last.discard(id(load))
        del self._waits[id(load)]
        self._held.difference_update(load.contacts, load.others)
        # What shared a contact with it came later, or it would not have been started.
        waiting = [each for each in self._unsettled if id(load) in self._waits.get(id(each), ())]
        for each in waiting:
            self._waits[id(each)].discard(id(load))
            self._hold(each)
        if again is not None:
            self._last.add(id(again))
            self._waits[id(again)] = set()
            self._hold(again)
            for each in waiting:
                if share_a_contact(again, each):
                    self._waits[id(each)].add(id(again))

    def _start(self) -> None:
        """Start every load that may: a slot is free, and no earlier one shares a contact."""
        for position, load in enumerate(self._unsettled):
            if self._stopped or len(self._active) >= self._max_active:
                return
            # What is tried again waits for everything that came before.
            waits = self._waits[id(load)] or (id(load) in self._last and position)
            if id(load) not in self._active and not waits:
                self._active.add(id(load))
                self._executor.submit(self._work, load)

    def _work(self, load: Load) -> None:
        outcome: Settlement | Exception
        try:
            outcome = self._perform(load)
        except Exception as error:  # noqa: BLE001 - it is raised again in the main thread
            outcome = error
        self._ended.append(Ended(load, outcome))
        self._wakeup.set()
