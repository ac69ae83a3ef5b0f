"""The fingerprints of one stream's contacts: as they were when they were last settled."""

from __future__ import annotations

from array import array
from itertools import chain, compress, repeat
from operator import and_
from typing import TYPE_CHECKING

from target_dotdigital.fingerprints.changes import (
    CONTACTS,
    OTHERS,
    WIDTHS,
    Change,
    TracesUnderWay,
    identities_of,
)
from target_dotdigital.fingerprints.pairs import Contacts, Pairs, SeenContacts, hashes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_dotdigital.fingerprints.changes import Trace, Traces
    from target_dotdigital.fingerprints.terms import StreamTerms

SLACK = 200
"""Contacts before and after the place where some are expected, among which they are looked for."""

MOVED_SHARE = 10
"""If one contact of so many has moved, the order in which they came is the one that is kept."""

MIN_CHANGES = 10_000
"""Changes that are kept behind the pairs, however few those are."""

CHANGES_SHARE = 10
"""More changes than one for so many pairs are worth putting everything in order."""

_SETTLED_MASK = (1 << 22) - 1
_FLAGS, _FLAG_SHIFT = tuple(1 << bit for bit in range(8)), 61
"""The first bits of a hash say which of a byte's bits is its own."""


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
        is_blind: Whether another stream of the run may send to the same contacts without being
            found out, so that nothing can be kept.
        changed_lines: How many contacts were unchanged although their rows' lines were not.
        seen: The contacts that were unchanged in this run, if a mirror needs them.
    """

    def __init__(
        self,
        stream: str,
        terms: StreamTerms,
        sent_all_at: float,
        contacts: Contacts | None = None,
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
        self.contacts = Contacts() if contacts is None else contacts
        self.others = Pairs() if others is None else others
        self.dropped: set[int] = set()
        self.changes: list[Change] = []
        self.written: list[Change] = []
        self.is_urgent = self.is_blind = False
        self.changed_lines = 0
        self._replaced: dict[int, int] = {}
        """By place, the line by which a contact was known when `begin_block` was called."""
        self.seen = SeenContacts()
        self._under_way = TracesUnderWay()
        self._settled = bytearray(_SETTLED_MASK + 1)
        """Whether an identity was settled in this run: by the last and the first bits of its hash,
        so that it may be true of others, too."""
        self._next = 1
        """The place of the contact that comes next, if they come as they did before."""
        self._expected = (1, 1)
        """The places of those among whom contacts are looked for."""
        self._moved = array("I")
        """The places of those that came out of that order, in theirs."""
        self._refreshed = 0
        """Contacts whose lines are new, and nothing else."""

    # What need not be sent.

    def begin_block(self) -> None:
        """Take note that lines are about to be looked at together."""
        self.dropped.clear()
        self._replaced.clear()

    def find_bodies(self, bodies: array[int], lines: array[int] | None = None) -> list[int]:
        """Return where each of many contacts is kept, if it is as it was last settled; 0 if not.

        A table comes in much the same order each time, so they are looked for where they stood.
        Those who stood elsewhere have to be looked for by their identities.

        Args:
            bodies: The hash of each contact's JSON.
            lines: The hash of each row's line, if it matters. It is kept.
        """
        if lines is None:
            self._expect(len(bodies))
        found = self._find(self.contacts.values, bodies)
        if lines is not None and any(found):
            for place, line in compress(zip(found, lines, strict=True), found):
                self.changed_lines += self.contacts.lines[place] != 0
                self._replaced.setdefault(place, self.contacts.lines[place])
                self.contacts.lines[place] = line
                self._refreshed += 1
        return found

    def find_lines(self, lines: array[int]) -> list[int]:
        """Return the same by the lines of the rows, before anything is made of them.

        Args:
            lines: The hash of each line.
        """
        self._expect(len(lines))
        return self._find(self.contacts.lines, lines)

    def _expect(self, count: int) -> None:
        """Note where so many contacts should be."""
        self._expected = max(self._next - SLACK, 1), self._next + count + SLACK

    def _find(self, known: array[int], wanted: array[int]) -> list[int]:
        if not self.contacts:
            return [0] * len(wanted)
        start, end = self._expected
        places = dict(zip(known[start:end], range(start, end), strict=False))
        found = list(map(places.get, wanted, repeat(0)))
        self._next = max(self._next, 1 + next(filter(None, reversed(found)), 0))
        return found

    def is_unchanged(self, trace: Trace, seen_in: object = None) -> bool:
        """Return whether a contact is as it was when it was last settled, and take note of it.

        If it is not, what was settled is forgotten.

        Args:
            trace: What would be kept of it.
            seen_in: The set that holds the contact of the row at hand, if a mirror needs it.
        """
        traces, number = trace
        contact = traces.contacts[number]
        place = self.contacts.place(contact)
        known = self.contacts.values[place]
        if known != traces.bodies[number]:
            if known:
                self._forget(contact, place)
            return False
        if place != self._next:
            self._moved.append(place)
        self._next = place + 1
        self.seen.add_all((place,), seen_in)
        return True

    # What is sent.

    def send(self, own: Sequence[Trace]) -> None:
        """Take note of contacts of this stream that are about to be sent.

        Args:
            own: What is to be kept of each once it is settled; they are sent together.
        """
        if self.is_blind:
            return
        traces = own[0][0]
        identities: Sequence[int] = traces.contacts
        if traces.others or len(own) < len(identities):
            identities = [*chain.from_iterable(map(identities_of, own))]
        concerned: Iterable[int] = identities
        if not (self.contacts or self.others):
            places = map(and_, identities, repeat(_SETTLED_MASK))
            concerned = compress(identities, map(self._settled.__getitem__, places))
            concerned = filter(self._may_be_settled, concerned)
        for identity in concerned:
            self._drop_settled(identity)
        self._under_way.add(own)

    def drop(self, identity: int, unless: int | None = None) -> None:
        """Forget a contact: something else is about to be sent to it.

        Args:
            identity: The hash of one of its identities.
            unless: What it may have been sent: then it is not forgotten.
        """
        self._under_way.drop(identity, unless)
        self._drop_settled(identity, unless)

    def _drop_settled(self, identity: int, unless: int | None = None) -> None:
        is_kept = False
        aliased = self.others.get(identity)
        for contact in (identity, aliased) if aliased else (identity,):
            place = self.contacts.place(contact)
            known = self.contacts.values[place]
            if known and known != unless:
                self._forget(contact, place)
            is_kept = is_kept or (known != 0 and known == unless)
        if not is_kept and self._may_be_settled(identity):
            # What was settled in this run is found nowhere but in the changes.
            self._note_forgotten(identity)

    def _may_be_settled(self, identity: int) -> int:
        return self._settled[identity & _SETTLED_MASK] & _FLAGS[identity >> _FLAG_SHIFT]

    def settle(
        self, traces: Traces, own: list[Trace], ids: Mapping[int, int], *, are_imported: bool
    ) -> None:
        """Take note of what has become of contacts.

        Args:
            traces: What is to be kept of contacts that were sent together.
            own: Those of them that are concerned.
            ids: By contact, the hash of its ID as an identity, if Dotdigital has told it.
            are_imported: Whether all of them were imported.
        """
        newest = self._under_way.take_all(own)
        if not (newest and are_imported):
            return
        changes = traces.changes(newest)
        self._noted(CONTACTS).extend(changes)
        settled = changes[:: WIDTHS[CONTACTS]]
        for trace in newest if ids or traces.others else ():
            contact, *others = identities_of(trace)
            for each in (*others, *((ids[contact],) if contact in ids else ())):
                self._noted(OTHERS).extend((each, contact))
                settled.append(each)
        flags = self._settled
        for each in settled:
            flags[each & _SETTLED_MASK] |= _FLAGS[each >> _FLAG_SHIFT]

    # What is kept.

    def forget_all(self) -> None:
        """Forget every contact: something else may have been sent to any of them.

        Who was unchanged in this run is still known.
        """
        nothing = hashes((0,)) * len(self.contacts.values)
        self.contacts.values, self.contacts.lines = nothing, nothing[:]
        self._under_way.clear()
        self.changes, self.written = [], []

    def forget_lines(self, terms: StreamTerms) -> None:
        """Look into every row once more: the same line may be another contact now.

        Args:
            terms: The stream's terms, with another schema.
        """
        self.terms = terms
        self.contacts.lines = hashes((0,)) * len(self.contacts.lines)
        for kind, changed in (*self.written, *self.changes):
            if kind == CONTACTS:
                changed[2::3] = hashes((0,)) * (len(changed) // 3)

    @property
    def is_empty(self) -> bool:
        """Whether no contact is known from earlier runs."""
        return not any(self.contacts.values)

    @property
    def has_any(self) -> bool:
        """Whether there is anything that could be dropped."""
        return bool(self.contacts) or bool(self._under_way) or bool(self.changes or self.written)

    def note_written(self) -> None:
        """Take note that all changes are in the file."""
        self.written += self.changes
        self.changes = []
        self.is_urgent = False

    def tidy_up(self) -> bool:
        """Take in what this run has changed if it is much; return whether it was."""
        changed = [*self.written, *self.changes]
        changes = sum(each.number for each in changed)
        contacts = len(self.contacts)
        have_many_moved = len(self._moved) * MOVED_SHARE > max(MIN_CHANGES, contacts)
        is_new = changes > 0 and not (self.contacts or self.others)
        is_much = max(changes, self._refreshed) > max(MIN_CHANGES, contacts // CHANGES_SHARE)
        if not (is_new or is_much or have_many_moved):
            return False
        self.written, self.changes = [], []
        self.apply(changed)
        if have_many_moved or self.contacts.is_unsorted:
            self.contacts.sort(self._moved if have_many_moved else array("I"))
        if self.others.is_unsorted:
            self.others.sort(array("I"))
        return True

    def apply(self, changes: list[Change]) -> None:
        """Take in what a run has changed.

        Args:
            changes: The changes. Many at once come free while they are taken in.
        """
        if not (self.contacts or self.others or OTHERS in {kind for kind, _ in changes}):
            changes.reverse()
            self.contacts.fill(changes.pop().hashes for _ in range(len(changes)))
            return
        for kind, changed in changes:
            if kind == OTHERS:
                for identity, owner in zip(changed[::2], changed[1::2], strict=True):
                    self.others.put(identity, owner)
                continue
            each: Iterable[tuple[int, tuple[int, int]]] = zip(
                changed[::3], zip(changed[1::3], changed[2::3], strict=True), strict=True
            )
            if not self.others:  # the last change of each contact is all that matters
                each = dict(each).items()
            for key, (body, line) in each:
                self.contacts.put(key, body, line)
                if not body and (owner := self.others.get(key)):
                    self.contacts.put(owner, 0)

    def _forget(self, contact: int, place: int) -> None:
        values = self.contacts.values
        self.dropped |= {values[place], self.contacts.lines[place], self._replaced.get(place, 0)}
        values[place] = self.contacts.lines[place] = 0
        self._note_forgotten(contact)

    def _note_forgotten(self, contact: int) -> None:
        self._noted(CONTACTS).extend((contact, 0, 0))
        self.is_urgent = True

    def _noted(self, kind: int) -> array[int]:
        """Return what takes the next changes of a kind."""
        if not self.changes or self.changes[-1].kind != kind:
            self.changes.append(Change(kind, hashes()))
        return self.changes[-1].hashes
