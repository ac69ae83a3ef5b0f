"""What a run changes of fingerprints, as it is kept in the file, and what it will change."""

from __future__ import annotations

from itertools import repeat
from operator import attrgetter, is_
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

if TYPE_CHECKING:
    from array import array
    from collections.abc import Mapping, Sequence

CONTACTS, OTHERS = 0, 1
"""What a change is about: a contact, or another identifier of one."""

WIDTHS = {CONTACTS: 3, OTHERS: 2}
"""How many hashes a change has: contact, what was sent, the row's line; identifier, contact."""


class Change(NamedTuple):
    """What was put into a stream's fingerprints, one after the other."""

    kind: int
    hashes: array[int]

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self.hashes) // WIDTHS[self.kind]


class Keeper(Protocol):
    """Keeps traces of one stream's contacts."""

    def settle(self, traces: list[Trace], ids: Mapping[int, int], *, are_imported: bool) -> None:
        """Take note of what has become of contacts.

        Args:
            traces: What is to be kept of them.
            ids: By contact, the hash of its ID as an identity, if Dotdigital has told it.
            are_imported: Whether all of each was imported.
        """


class Trace(msgspec.Struct, gc=False, eq=False):
    """What is kept of a contact once the row that it was sent for is settled.

    There is one for each contact that is under way, as there are contacts.

    Attributes:
        stream: What keeps it.
        contact: The hash of its match identifier.
        body: The hash of what was sent.
        line: The hash of the row's line; 0 if it does not matter.
        others: The hashes of its other identifiers.
    """

    stream: Keeper
    contact: int
    body: int
    line: int
    others: tuple[int, ...] = ()

    @property
    def identities(self) -> tuple[int, ...]:
        """Everything that finds the contact."""
        return (self.contact, *self.others)


_contact_of, _others_of = attrgetter("contact"), attrgetter("others")


class TracesUnderWay:
    """The newest trace by each identity, of rows that are not settled."""

    def __init__(self) -> None:
        """Start with none."""
        self._newest: dict[int, Trace] = {}

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self._newest)

    def add(self, traces: Sequence[Trace]) -> None:
        """Add traces of newer rows. What an identity had before is of no use any more.

        Args:
            traces: The traces, in the order of their rows.
        """
        if not any(map(_others_of, traces)):
            self._newest.update(zip(map(_contact_of, traces), traces, strict=True))
            return
        for each in traces:
            for identity in each.identities:
                self._newest[identity] = each

    def drop(self, identity: int, unless: int | None) -> None:
        """Forget the trace of a contact that something else is about to be sent to.

        Args:
            identity: The hash of one of its identities.
            unless: What it may have been sent: then it is not forgotten.
        """
        found = self._newest.get(identity)
        if found is not None and found.body != unless:
            self.take(found)

    def take(self, trace: Trace) -> bool:
        """Take a trace out.

        Args:
            trace: The trace.

        Returns:
            Whether it was the newest one by all identities.
        """
        newest = self._newest
        owned = [each for each in trace.identities if newest.get(each) is trace]
        for each in owned:
            newest.pop(each, None)  # the same one may be in there twice
        return len(owned) > len(trace.others)

    def take_all(self, traces: list[Trace]) -> list[Trace]:
        """Take traces out; return those that were the newest ones by all identities.

        Args:
            traces: The traces.
        """
        newest = self._newest
        found = list(map(newest.pop, map(_contact_of, traces), repeat(None)))
        if all(map(is_, found, traces)) and not any(map(_others_of, traces)):
            return traces
        newest.update((each.contact, each) for each in found if each is not None)
        return list(filter(self.take, traces))

    def clear(self) -> None:
        """Forget all of them."""
        self._newest.clear()
