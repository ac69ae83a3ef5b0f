"""Loads on their way to Dotdigital, and their order.

A load is an import, or something else that must not overtake one, or be overtaken, where both are
about the same contact.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_dotdigital.loading.settlement import Settlement
    from target_dotdigital.loading.wakeup import Wakeup
    from target_dotdigital.mapping import Contact


class Load(Protocol):
    """Contacts, or another task, that the queue brings to its end as a whole."""

    @property
    def first_row(self) -> int:
        """Number of the first row in it."""

    @property
    def contacts(self) -> Mapping[str, Contact]:
        """By normalised match identifier."""

    @property
    def others(self) -> Mapping[str, str]:
        """The contacts' other identifiers, with the match identifier of the contact."""


def overlapping_key(load: Load, contact: Contact) -> str | None:
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


def overlap(one: Load, other: Load) -> bool:
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


@dataclass(slots=True, eq=False)
class _Entry:
    """A load in the queue. Each entry is itself alone, whatever it holds."""

    load: Load
    waits_for: set[_Entry] = field(default_factory=set, repr=False)
    """Earlier entries that hold a contact of this one."""
    waits_for_all: bool = False
    """Whether it waits for everything before it, whatever that holds."""
    is_active: bool = False
    """Whether it is with Dotdigital."""


class LoadQueue:
    """Keeps loads active side by side, and those that share a contact one after the other.

    All methods belong to the main thread; only the function that performs a load runs in others.
    """

    def __init__(
        self,
        perform: Callable[[Load], Settlement],
        wakeup: Wakeup,
        max_active: int,
        retry: Callable[[Load, Settlement], Load | None] = lambda _load, _settlement: None,
    ) -> None:
        """Start with no load.

        Args:
            perform: Brings a load to its end, in a thread of its own.
            wakeup: Set when a load has ended.
            max_active: How many loads may be with Dotdigital at a time.
            retry: Takes out of a settlement what is to be tried again once all that came before is
                settled, and returns it as a load; None if there is nothing.
        """
        self._perform = perform
        self._wakeup = wakeup
        self._max_active = max_active
        self._retry = retry
        self._executor = ThreadPoolExecutor(max_active, thread_name_prefix="load")
        self._entries: list[_Entry] = []
        """The loads that are not settled, in their order."""
        self._identities: set[str] = set()
        """All identities of their contacts."""
        self._ended: deque[tuple[_Entry, Settlement | Exception]] = deque()
        self._stopped = False

    @property
    def is_full(self) -> bool:
        """Whether no load can be added: the waiting ones count, they take memory too."""
        return not self.free

    @property
    def free(self) -> int:
        """How many loads can be added."""
        return max(self._max_active - len(self._entries), 0)

    @property
    def unsettled(self) -> tuple[Load, ...]:
        """The loads that are not settled, in the order in which they were added."""
        return tuple(entry.load for entry in self._entries)

    @property
    def active(self) -> int:
        """How many loads are being performed."""
        return sum(entry.is_active for entry in self._entries)

    def add(self, load: Load) -> None:
        """Queue a load. It starts once no earlier one holds a contact of it.

        Args:
            load: The load.
        """
        entry = _Entry(load)
        # One look at all identities is enough nearly always.
        if not (
            self._identities.isdisjoint(load.contacts) and self._identities.isdisjoint(load.others)
        ):
            entry.waits_for = {each for each in self._entries if overlap(each.load, load)}
        self._note_identities(load)
        self._entries.append(entry)
        self._start()

    def take_ended(self) -> list[Ended]:
        """Return the loads that have ended since the last call.

        One that has failed stays unsettled for good, so nothing that waits for it ever starts.
        """
        ended = []
        while self._ended:
            entry, outcome = self._ended.popleft()
            entry.is_active = False
            if isinstance(outcome, Exception):
                self._stopped = True
            else:
                self._settle(entry, outcome)
            ended.append(Ended(entry.load, outcome))
        self._start()
        return ended

    def stop(self) -> None:
        """Start no further load."""
        self._stopped = True

    def close(self) -> None:
        """Let the threads go, without waiting for them."""
        self.stop()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _note_identities(self, load: Load) -> None:
        self._identities.update(load.contacts, load.others)

    def _settle(self, entry: _Entry, settlement: Settlement) -> None:
        """Remove an entry, or put a retry in its place, which the others go on waiting for."""
        load = entry.load
        again = self._retry(load, settlement)
        retried = [] if again is None else [_Entry(again, waits_for_all=True)]
        place = self._entries.index(entry)
        self._entries[place : place + 1] = retried
        self._identities.difference_update(load.contacts, load.others)
        # What shared a contact with it came later, or it would not have been started.
        waiting = [each for each in self._entries if entry in each.waits_for]
        for each in waiting:
            each.waits_for.discard(entry)
            each.waits_for.update(one for one in retried if overlap(one.load, each.load))
        for each in (*waiting, *retried):
            self._note_identities(each.load)

    def _start(self) -> None:
        """Start every load that may: a slot is free, and no earlier one shares a contact."""
        active = self.active
        for position, entry in enumerate(self._entries):
            if self._stopped or active >= self._max_active:
                return
            waits = entry.waits_for or (entry.waits_for_all and position)
            if not (entry.is_active or waits):
                entry.is_active = True
                active += 1
                self._executor.submit(self._work, entry)

    def _work(self, entry: _Entry) -> None:
        outcome: Settlement | Exception
        try:
            outcome = self._perform(entry.load)
        except Exception as error:  # noqa: BLE001 - it is raised again in the main thread
            outcome = error
        self._ended.append((entry, outcome))
        self._wakeup.set()
