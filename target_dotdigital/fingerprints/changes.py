"""What a run changes of fingerprints, as it is kept in the file, and what it will change."""

from __future__ import annotations

from collections import Counter
from itertools import chain, groupby, repeat
from operator import attrgetter, is_
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from target_dotdigital.mapping import CONTACT_ID, normalise

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable, Mapping, Sequence

    from target_dotdigital.fingerprints.hashing import Hasher
    from target_dotdigital.mapping import Contact

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
_key_of, _body_of = attrgetter("key"), attrgetter("body")
_other_identities_of, _traces_of = attrgetter("other_identities"), attrgetter("traces")
_stream_of = attrgetter("stream")


def lay_traces(
    stream: Keeper,
    hasher: Hasher,
    contacts: Sequence[Contact],
    bodies: Iterable[int] | None,
    lines: Iterable[int] | None,
) -> None:
    """Give contacts their traces.

    Args:
        stream: What keeps these.
        hasher: Makes hashes.
        contacts: The contacts.
        bodies: The hash of each one's JSON; None if it is not known yet.
        lines: The hash of each row's line; None if it does not matter.
    """
    if bodies is None:
        bodies = hasher.bodies(map(_body_of, contacts))
    keys = hasher.identities(list(map(_key_of, contacts)))
    others: Iterable[tuple[int, ...]] = repeat(())
    if any(map(_other_identities_of, contacts)):
        others = map(tuple, map(hasher.identities, map(_other_identities_of, contacts)))
    traces = map(Trace, repeat(stream), keys, bodies, lines or repeat(0), others)
    for contact, own in zip(contacts, zip(traces), strict=True):
        contact.traces = own


def clear_ids(ids: Iterable[tuple[Contact, int]]) -> tuple[dict[str, str], set[str]]:
    """Return by match identifier which ID a contact has, and of which contacts that is not clear.

    IDs are told as identities.

    Args:
        ids: The contact IDs that were told of some contacts.
    """
    by_key: dict[str, set[int]] = {}
    for contact, contact_id in ids:
        by_key.setdefault(contact.key, set()).add(contact_id)
    owners = Counter(each for found in by_key.values() for each in found)
    clear = {
        key: normalise(CONTACT_ID, min(found))
        for key, found in by_key.items()
        if len(found) == 1 and owners[min(found)] == 1
    }
    # A mirror may know a contact by its ID alone. If that is not clear, it is told anew.
    return clear, by_key.keys() - clear.keys()


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


def settle(contacts: Iterable[Contact], ids: Mapping[int, int], *, are_imported: bool) -> None:
    """Let those who keep contacts' traces know what has become of them.

    Args:
        contacts: The contacts.
        ids: By the hash of a contact, that of its ID as an identity, if Dotdigital has told it.
        are_imported: Whether all of each was imported.
    """
    traces: Iterable[Trace] = chain.from_iterable(map(_traces_of, contacts))
    for stream, found in groupby(traces, _stream_of):
        stream.settle(list(found), ids, are_imported=are_imported)
