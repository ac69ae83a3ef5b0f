"""The fingerprints of one stream's contacts: as they were when they were last settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from target_dotdigital.fingerprints.pairs import People, SortedPairs, hashes

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

    from target_dotdigital.fingerprints.hashing import Hasher

CONTACTS, OTHERS = 0, 1
"""What a change is about: a contact, or another identifier of one."""


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
        contacts: People | None = None,
        others: SortedPairs | None = None,
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
        self.contacts = People() if contacts is None else contacts
        self.others = SortedPairs() if others is None else others
        self.dropped: set[int] = set()
        self.changes: list[Change] = []
        self.written: list[Change] = []
        self.is_urgent = False
        self._seen = bytearray()
        self._pending: dict[int, Trace] = {}
        """By identity, the newest row that is under way."""
        self._settled = 0

    # What need not be sent.

    def are_unchanged(self, hashes_of_bodies: array[int]) -> list[bool]:
        """Return for each of many contacts whether it is as it was when it was last settled.

        Args:
            hashes_of_bodies: The hash of each contact's JSON.
        """
        return self.contacts.are_there(hashes_of_bodies)

    def is_unchanged(self, body: int) -> bool:
        """Return whether a contact is as it was when it was last settled, and take note of it.

        Args:
            body: The hash of its JSON.
        """
        place = self.contacts.find(body)
        if place:
            if len(self._seen) <= place:
                self._seen.extend(bytes(len(self.contacts) + 1 - len(self._seen)))
            self._seen[place] = 1
        return place > 0

    def was_unchanged(self, identity: int) -> bool:
        """Return whether a row of this run was unchanged, whose contact has an identity.

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
        for identity in (trace.contact, *trace.others):
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
        for contact in (identity, self.others.get(identity)):
            known = self.contacts.get(contact) if contact else 0
            if known and known != unless:
                self.dropped.add(known)
                self.contacts.put(contact, 0)
                self._note(CONTACTS, contact, 0)
            is_kept = is_kept or (known != 0 and known == unless)
        if self._settled and not is_kept:
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
            self._settled += 1
            self._note(CONTACTS, trace.contact, trace.body)
            others = trace.others if contact_id is None else (*trace.others, contact_id)
            for each in others:
                self._note(OTHERS, each, trace.contact)

    # What is kept.

    @property
    def has_any(self) -> bool:
        """Whether there is anything that could be dropped."""
        return bool(self.contacts) or bool(self._pending) or self._settled > 0

    def note_written(self) -> None:
        """Take note that all changes are in the file."""
        self.written += self.changes
        self.changes = []
        self.is_urgent = False

    def apply(self, changes: Sequence[Change]) -> None:
        """Take in what a run has changed.

        Args:
            changes: The changes.
        """
        for kind, pairs in changes:
            for key, value in zip(pairs[::2], pairs[1::2], strict=True):
                if kind == OTHERS:
                    self.others.put(key, value)
                    continue
                self.contacts.put(key, value)
                if not value and (contact := self.others.get(key)):
                    self.contacts.put(contact, 0)

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
