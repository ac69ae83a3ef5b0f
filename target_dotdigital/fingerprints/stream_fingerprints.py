"""The fingerprints of one stream's contacts: as they were when they were last settled."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from target_dotdigital.fingerprints.pairs import Pairs, hashes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_dotdigital.fingerprints.hashing import Hasher

CONTACTS, OTHERS = 0, 1
"""What a change is about: a contact, or another identifier of one."""

SLACK = 200
"""Contacts before and after the place where some are expected, among which they are looked for."""

MOVED_SHARE = 10
"""If one contact of so many has moved, the order in which they came is the one that is kept."""

MIN_CHANGES = 10_000
"""Changes that are kept behind the pairs, however few those are."""

CHANGES_SHARE = 10
"""More changes than one for so many pairs are worth putting everything in order."""

SETTLED_BITS = 1 << 20


class StreamTerms(msgspec.Struct, frozen=True):
    """Under which terms a stream's contacts are sent.

    Attributes:
        digest: Of its settings, and of what the account has for them. Fingerprints that were made
            under another one are of no use.
        match: The match identifier.
        writes: What its contacts write, by name.
        constants: The end of each contact's JSON, which is the same in all.
    """

    digest: str
    match: str = ""
    writes: frozenset[str] = frozenset()
    constants: str = ""

    def may_differ(self, other: StreamTerms) -> bool:
        """Return whether two streams may send different values for the same part of a contact.

        Args:
            other: The other stream's terms.
        """
        return self.match != other.match or not self.writes.isdisjoint(other.writes)


class Trace(NamedTuple):
    """What is kept of a contact once the row that it was sent for is settled."""

    stream: StreamFingerprints
    contact: int
    """The hash of its match identifier."""
    others: tuple[int, ...]
    """The hashes of its other identifiers."""
    body: int
    """The hash of what was sent."""


class Change(NamedTuple):
    """Pairs that were put into a stream's fingerprints, one after the other."""

    kind: int
    pairs: array[int]


class StreamFingerprints:
    """What was last settled of each of a stream's contacts. It belongs to the main thread.

    Attributes:
        terms: Under which terms the contacts were sent.
        sent_all_at: When everything was sent, or began to be.
        contacts: The contacts that need not be sent if they are as they were. In a run they only
            become fewer: who is sent is sent again when he comes again.
        others: The hashes of other identifiers, with that of the contact.
        dropped: What was dropped since it was last cleared: hashes of what was sent.
        changes: What is to be kept of this run, in order, and is not in the file yet.
        written: What of it is in the file.
        is_urgent: Whether something is to be dropped from the file before anything is sent.
    """

    def __init__(
        self,
        stream: str,
        terms: StreamTerms,
        sent_all_at: float,
        contacts: Pairs | None = None,
        others: Pairs | None = None,
    ) -> None:
        """Take over what was kept.

        Args:
            stream: The stream's name after stream maps.
            terms: See above.
            sent_all_at: See above.
            contacts: See above.
            others: See above.
        """
        self.stream = stream
        self.terms = terms
        self.sent_all_at = sent_all_at
        self.contacts = Pairs() if contacts is None else contacts
        self.others = Pairs() if others is None else others
        self.dropped: set[int] = set()
        self.changes: list[Change] = []
        self.written: list[Change] = []
        self.is_urgent = False
        self._seen = bytearray()
        self._pending: dict[int, Trace] = {}
        """By identity, the newest row that is under way."""
        self._settled = bytearray(SETTLED_BITS)
        """Whether a contact that has an identity was settled in this run: by the remainder of the
        identity's hash, so that it may be true of others, too."""
        self._next = 1
        """The place of the contact that comes next, if they come as they did before."""
        self._moved = array("I")
        """The places of those that came out of that order, in theirs."""

    # What need not be sent.

    def are_unchanged(self, bodies: array[int]) -> list[bool]:
        """Return for each of many contacts whether it is known to be as it was last settled.

        A table comes in much the same order each time, so they are looked for where they stood.
        Those who stood elsewhere have to be looked for by their identities.

        Args:
            bodies: The hash of each contact's JSON.
        """
        values, start = self.contacts.values, max(self._next - SLACK, 1)
        expected = values[start : self._next + len(bodies) + SLACK]
        known = set(expected)
        found = list(map(known.__contains__, bodies))
        for place in range(len(found) - 1, -1, -1):
            if found[place]:
                self._next = start + expected.index(bodies[place]) + len(found) - place
                break
        return found

    def is_unchanged(self, trace: Trace) -> bool:
        """Return whether a contact is as it was when it was last settled, and take note of it.

        If it is not, what was settled is forgotten.

        Args:
            trace: What would be kept of it.
        """
        place = self.contacts.place(trace.contact)
        known = self.contacts.values[place]
        if known != trace.body:
            if known:
                self._forget(trace.contact, place)
            return False
        if place != self._next:
            self._moved.append(place)
        self._next = place + 1
        if len(self._seen) <= place:
            self._seen.extend(bytes(len(self.contacts) + 1 - len(self._seen)))
        self._seen[place] = 1
        return True

    def was_unchanged(self, identity: int) -> bool:
        """Return whether `is_unchanged` was true of a contact that has an identity.

        Args:
            identity: The identity's hash.
        """
        return any(
            place < len(self._seen) and self._seen[place]
            for place in (
                self.contacts.place(identity),
                self.contacts.place(self.others.get(identity)),
            )
            if place
        )

    # What is sent.

    def send(self, trace: Trace) -> None:
        """Take note of a contact of this stream that is about to be sent.

        Args:
            trace: What is to be kept of it once it is settled.
        """
        contact = trace.contact
        identities = trace.others
        under_way = self._pending.get(contact)
        if under_way is None and not self.others and not self._settled[contact % SETTLED_BITS]:
            self._pending[contact] = trace  # `is_unchanged` has forgotten what was known of it
        else:
            identities = (contact, *identities)
        for identity in identities:
            self.drop(identity)
            self._pending[identity] = trace

    def drop(self, identity: int, unless: int | None = None) -> None:
        """Forget a contact: something else is about to be sent to it.

        Args:
            identity: The hash of one of its identities.
            unless: What it may have been sent: then it is not forgotten.
        """
        under_way = self._pending.get(identity)
        if under_way is not None and under_way.body != unless:
            for each in (under_way.contact, *under_way.others):
                if self._pending.get(each) is under_way:
                    del self._pending[each]
        is_kept = False
        aliased = self.others.get(identity)
        for contact in (identity, aliased) if aliased else (identity,):
            place = self.contacts.place(contact)
            known = self.contacts.values[place]
            if known and known != unless:
                self._forget(contact, place)
            is_kept = is_kept or (known != 0 and known == unless)
        if self._settled[identity % SETTLED_BITS] and not is_kept:
            # What was settled in this run is found nowhere but in the changes.
            self._note(CONTACTS, identity, 0)

    def settle(self, trace: Trace, contact_id: int | None, *, is_imported: bool) -> None:
        """Take note of what has become of a contact.

        Args:
            trace: What is to be kept of it.
            contact_id: The hash of its ID as an identity, if Dotdigital has told it.
            is_imported: Whether all of it was imported.
        """
        identities = (trace.contact, *trace.others)
        is_newest = all(self._pending.get(each) is trace for each in identities)
        for each in identities:
            if self._pending.get(each) is trace:
                del self._pending[each]
        if is_newest and is_imported:
            self._note(CONTACTS, trace.contact, trace.body)
            self._settled[trace.contact % SETTLED_BITS] = 1
            for each in (*trace.others, contact_id):
                if each is not None:
                    self._note(OTHERS, each, trace.contact)
                    self._settled[each % SETTLED_BITS] = 1

    # What is kept.

    @property
    def has_any(self) -> bool:
        """Whether there is anything that could be dropped."""
        return bool(self.contacts) or bool(self._pending) or bool(self.changes or self.written)

    def note_written(self) -> None:
        """Take note that all changes are in the file."""
        self.written += self.changes
        self.changes = []
        self.is_urgent = False

    def sort(self) -> None:
        """Take in what this run has changed, and put everything in order."""
        self.apply([*self.written, *self.changes])
        self.written, self.changes = [], []
        is_order_kept = len(self._moved) * MOVED_SHARE < len(self.contacts)
        self.contacts.sort(array("I") if is_order_kept else self._moved)
        self.others.sort(array("I"))

    @property
    def is_worth_sorting(self) -> bool:
        """Whether so much has changed, or moved, that everything is put in order."""
        changes = sum(len(each.pairs) // 2 for each in (*self.written, *self.changes))
        changes += len(self.contacts.later) + len(self.others.later)
        pairs = len(self.contacts) + len(self.others)
        return changes > (max(MIN_CHANGES, pairs // CHANGES_SHARE) if pairs else 0) or len(
            self._moved
        ) * MOVED_SHARE > max(MIN_CHANGES, len(self.contacts))

    def apply(self, changes: Sequence[Change]) -> None:
        """Take in what a run has changed.

        Args:
            changes: The changes.
        """
        for kind, pairs in changes:
            changed: Iterable[tuple[int, int]] = zip(pairs[::2], pairs[1::2], strict=True)
            if not self.others:  # the last change of each contact is all that matters
                changed = dict(changed).items()
            for key, value in changed:
                if kind == OTHERS:
                    self.others.put(key, value)
                    continue
                self.contacts.put(key, value)
                if not value and (contact := self.others.get(key)):
                    self.contacts.put(contact, 0)

    def _forget(self, contact: int, place: int) -> None:
        values = self.contacts.values
        self.dropped.add(values[place])
        values[place] = 0
        self._note(CONTACTS, contact, 0)

    def _note(self, kind: int, key: int, value: int) -> None:
        if not self.changes or self.changes[-1].kind != kind:
            self.changes.append(Change(kind, hashes()))
        self.is_urgent = self.is_urgent or not value
        pairs = self.changes[-1].pairs
        pairs.append(key)
        pairs.append(value)


def trace_of(
    stream: StreamFingerprints, hasher: Hasher, identities: Sequence[str], body: bytes
) -> Trace:
    """Return what is to be kept of a contact.

    Args:
        stream: Its stream's fingerprints.
        hasher: Makes the hashes.
        identities: Its identities, the match identifier first.
        body: Its JSON.
    """
    contact, *others = map(hasher.identity, identities)
    return Trace(stream, contact, tuple(others), hasher.body(body))
