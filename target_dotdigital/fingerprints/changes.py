"""What a run changes of fingerprints, as it is kept in the file, and what it will change."""

from __future__ import annotations

from array import array
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

import msgspec

if TYPE_CHECKING:
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

    def settle(
        self, traces: Traces, own: list[Trace], ids: Mapping[int, int], *, are_imported: bool
    ) -> None:
        """Take note of what has become of contacts: see `StreamFingerprints.settle`."""


class Traces(msgspec.Struct, gc=False, eq=False):
    """What is kept of contacts that are sent together, once their rows are settled.

    Attributes:
        stream: What keeps it.
        contacts: The hash of each one's match identifier.
        bodies: The hash of what is sent of each.
        lines: The hash of each row's line; 0 if it does not matter.
        others: The hashes of each one's other identifiers; empty if none of them has any.
    """

    stream: Keeper
    contacts: array[int]
    bodies: array[int]
    lines: array[int]
    others: Sequence[tuple[int, ...]] = ()

    def changes(self, own: Sequence[Trace]) -> array[int]:
        """Return what is kept of some of them, as in `Change`.

        Args:
            own: The traces, all different ones, in order.
        """
        columns = [self.contacts, self.bodies, self.lines]
        if len(own) < len(self.contacts):
            columns = [array("Q", [each[place] for _, place in own]) for each in columns]
        joined = array("Q", bytes(8 * len(columns) * len(own)))
        for number, column in enumerate(columns):
            joined[number :: len(columns)] = column
        return joined


Trace: TypeAlias = tuple[Traces, int]
"""What is kept of a contact once the row that it was sent for is settled, and where in there it is.

There is one for each contact that is under way: hundreds of thousands.
"""


def identities_of(trace: Trace) -> tuple[int, ...]:
    """Return the hashes of everything that finds a contact, of the match identifier first.

    Args:
        trace: The contact's trace.
    """
    traces, place = trace
    others = traces.others[place] if traces.others else ()
    return (traces.contacts[place], *others)


class TracesUnderWay:
    """The newest trace by each identity, of rows that are not settled."""

    def __init__(self) -> None:
        """Start with none."""
        self._newest: dict[int, Trace] = {}

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self._newest)

    def add(self, own: Sequence[Trace]) -> None:
        """Add traces of newer rows. What an identity had before is of no use any more.

        Args:
            own: Traces of contacts that are sent together, in the order of their rows.
        """
        traces = own[0][0]
        if len(own) == len(traces.contacts) and not traces.others:
            self._newest.update(zip(traces.contacts, own, strict=True))
            return
        for each in own:
            self._newest.update(zip(identities_of(each), repeat(each)))

    def drop(self, identity: int, unless: int | None) -> None:
        """Forget the trace of a contact that something else is about to be sent to.

        Args:
            identity: The hash of one of its identities.
            unless: What it may have been sent: then it is not forgotten.
        """
        found = self._newest.get(identity)
        if found is not None and found[0].bodies[found[1]] != unless:
            self.take(found)

    def take(self, trace: Trace) -> bool:
        """Take a trace out.

        Args:
            trace: The trace.

        Returns:
            Whether it was the newest one by all identities.
        """
        newest = self._newest
        identities = identities_of(trace)
        owned = [each for each in identities if newest.get(each) == trace]
        for each in owned:
            newest.pop(each, None)  # the same one may be in there twice
        return len(owned) == len(identities)

    def take_all(self, own: list[Trace]) -> list[Trace]:
        """Take traces out; return those that were the newest ones by all identities.

        Args:
            own: Traces of contacts that were sent together.
        """
        traces, newest = own[0][0], self._newest
        if len(own) == len(traces.contacts) and not traces.others:
            found = list(map(newest.pop, traces.contacts, repeat(None)))
            if found == own:
                return own
            newest.update((each[0].contacts[each[1]], each) for each in found if each is not None)
        return list(filter(self.take, own))

    def clear(self) -> None:
        """Forget all of them."""
        self._newest.clear()
