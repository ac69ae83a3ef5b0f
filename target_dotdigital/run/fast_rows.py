"""Rows on the fast path: mapped and handed over many at a time; unchanged ones only counted."""

from __future__ import annotations

import re
from array import array
from functools import partial
from itertools import compress, cycle, groupby, product
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from target_dotdigital.mapping import FILTERED, SENT, UNCHANGED, Block, LineStore, all_identities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_dotdigital.fingerprints import StreamFingerprints
    from target_dotdigital.mapping import (
        Contact,
        ContactMapping,
        FastPath,
        IdentitySet,
        MappedLines,
        StreamCounts,
    )
    from target_dotdigital.mirror import IdentityStore
    from target_dotdigital.run.intake import Intake
    from target_dotdigital.settings import MergeOption


MAX_CHANGED_LINES = 10_000
"""After so many lines of unchanged contacts that were changed, lines are looked at no more, unless
as many were not."""

_RUNS = re.compile(rb"s+|u+|f+|l+")
"""Lines that follow each other, and of which the same becomes."""

_version_of = attrgetter("version")


class Loading(NamedTuple):
    """How a stream's contacts are loaded."""

    mapping: ContactMapping
    counts: StreamCounts
    """Where its rows are counted."""
    count_read: Callable[[int], None]
    """Counts rows as read."""
    merge_option: MergeOption
    mirror: IdentityStore | None
    """Keeps who stays in the stream's address book; None if no mirror needs it."""
    identity_sets: Callable[[Sequence[int]], Sequence[IdentitySet]] | None
    """Returns what holds the contacts of address books that a row names; None if nothing does."""


class FastRows:
    """Takes rows of one stream. All of it belongs to the main thread."""

    def __init__(self, intake: Intake, fast_path: FastPath, loading: Loading) -> None:
        """Take no row yet.

        Args:
            intake: What takes the rows.
            fast_path: Decodes and maps them.
            loading: How their contacts are loaded.
        """
        self._intake = intake
        self._fast_path = fast_path
        self._loading = loading
        self._counts = loading.counts
        rejects = intake.settings.rejects_path or intake.settings.rejects_csv
        self._kept: LineStore | None = None
        if intake.keeps_rejects and rejects is not None:
            self._kept = LineStore(rejects.parent, intake.schema_lines[self._counts.stream])
        self.decode = fast_path.decode
        """Decodes a message; raises one of `UNREADABLE` if it has to go the slow way."""
        self._known: StreamFingerprints | None = None
        self._by_line = False
        self._lines: array[int] | None = None
        self._places: Sequence[int] = ()
        """Of each line: where its contact is kept, if it need not be decoded; 0 if it must be."""
        self._hashes = array("Q")
        """Of each line that is not sent: what it is known by."""
        self._found = 0
        self._take_slowly: Callable[[int], object]
        self._uncounted: set[int] = set()
        """The places of lines that nothing is to be noted of here."""

    def compare_with(self, known: StreamFingerprints, *, by_line: bool) -> None:
        """Compare rows with what was settled earlier.

        Args:
            known: What was settled of the stream's contacts.
            by_line: Whether the same line is always the same contact.
        """
        loading = self._loading
        if loading.identity_sets is None and self._intake.held_opt_outs is None:
            # Otherwise each contact counts, whether it is sent or not.
            self._known, self._by_line = known, by_line

    def are_known(self, lines: Sequence[bytes]) -> list[bool] | None:
        """Return for each line whether it need not be decoded; None if all of them must be.

        Args:
            lines: The lines.
        """
        known, fingerprints = self._known, self._intake.fingerprints
        if known is None or fingerprints is None:
            return None
        known.begin_block()
        self._lines, self._places = None, ()
        if not self._by_line:
            return None
        self._lines = self._hashes = fingerprints.hasher.lines(lines)
        if not known.contacts:
            return None
        self._places = known.find_lines(self._lines)
        found = list(map(bool, self._places))
        self._found += sum(found)
        if known.changed_lines > max(MAX_CHANGED_LINES, self._found):
            # Something in the lines is another each time: not worth looking.
            self._by_line, self._lines, self._places = False, None, ()
            return None
        return found

    def receive_all(
        self,
        messages: Sequence[Any],
        lines: Sequence[bytes],
        places: Sequence[int],
        take_slowly: Callable[[int], object],
    ) -> None:
        """Take RECORD messages that the fast path has decoded.

        Args:
            messages: What it has decoded.
            lines: The messages as they were read, with those that need not be decoded.
            places: Which of the lines are decoded.
            take_slowly: Takes one of the lines that the fast path does not map, by its place.

        Raises:
            TargetDotdigitalError: The run cannot go on.
        """
        self._take_slowly = take_slowly
        self._uncounted.clear()
        first_row = self._intake.position + 1
        sets = self._identity_sets(messages, first_row)
        kept = None
        if self._kept is not None:
            kept = self._kept.keep(lines, places, self._counts.read + 1)
        block = Block(self._counts, sets, kept)
        are_unchanged = None if self._known is None else partial(self._are_unchanged, places, sets)
        mapped = self._fast_path.map(messages, block, are_unchanged)
        self._hold(mapped, block)
        known_lines = self._places[: len(lines)]
        if self._loading.mirror is not None and any(known_lines):  # none of them has a version
            self._note_seen(known_lines, [self._loading.mirror.identity_set(None, first_row)])
        kinds = mapped.kinds
        if len(places) < len(lines):
            kinds = bytearray((UNCHANGED,)) * len(lines)
            for place, kind in zip(places, mapped.kinds, strict=True):
                kinds[place] = kind
        self._hand_over(kinds, mapped)
        if self._loading.mirror is not None and messages:
            # Once more, after those that were looked at: this is the newest one.
            self._loading.mirror.identity_set(messages[-1].version, first_row)
        if mapped.opted_out or any(mapped.rounded.values()):
            self._note_mapped(mapped, places)

    def _identity_sets(self, messages: Sequence[Any], first_row: int) -> list[IdentitySet | None]:
        """Return for each message what takes its contact's identities; one if it is one for all."""
        mirror = self._loading.mirror
        if mirror is None or not messages:
            return [None]
        versions = list(map(_version_of, messages))
        if self._lines is not None and versions.count(None) < len(versions):
            # The next load has others, and may not take these lines for ones without a version.
            self._by_line, self._lines = False, array("Q", bytes(8 * len(self._lines)))
        if versions.count(versions[0]) == len(versions):
            return [mirror.identity_set(versions[0], first_row)]
        return [mirror.identity_set(each, first_row) for each in versions]

    def _hold(self, mapped: MappedLines, block: Block) -> None:
        """Hold who stays in address books."""
        find, contacts = self._loading.identity_sets, mapped.contacts
        if find is not None:
            block.identity_sets = [None] * len(mapped.kinds)
            for contact, books in zip(contacts, mapped.lists, strict=True):
                sets = find(books)
                for each in sets:
                    each.add_all(contact.identities)
                if sets:
                    block.identity_sets[contact.place] = sets[0]
        elif len(block.identity_sets) > 1:
            of_place = block.identity_sets.__getitem__
            for held, group in groupby(contacts, lambda each: of_place(each.place)):
                if held is not None:
                    held.add_all(all_identities(list(group)))
        elif block.identity_sets[0] is not None:
            block.identity_sets[0].add_all(all_identities(contacts))

    def _note_seen(self, found: Sequence[int], sets: Sequence[IdentitySet | None]) -> None:
        """Take note of contacts that are not sent, and for which of a mirror's sets they count."""
        for held, group in groupby(zip(found, cycle(sets)), itemgetter(1)):
            seen = [place for place, _ in group if place]
            if seen and held is not None and self._known is not None:
                held.lacks_unchanged = True
                self._known.seen.add_all(seen, held)

    def _are_unchanged(
        self,
        places: Sequence[int],
        sets: Sequence[IdentitySet | None],
        bodies: list[bytes],
    ) -> list[bool]:
        """Return for each contact that was made of a line whether it need not be sent."""
        known, fingerprints = self._known, self._intake.fingerprints
        if known is None or fingerprints is None:
            raise AssertionError
        hashes, lines = fingerprints.hasher.bodies(bodies), self._lines
        if lines is not None and len(places) < len(lines):
            lines = array("Q", map(lines.__getitem__, places))
        if len(places) < len(self._places):
            self._hashes = self._hashes[:]
            for place, hashed in zip(places, hashes, strict=True):
                self._hashes[place] = hashed
        else:
            self._hashes = hashes
        found = known.find_bodies(hashes, lines)
        if self._loading.mirror is not None:
            self._note_seen(found, sets)
        return list(map(bool, found))

    def _hand_over(self, kinds: bytearray, mapped: MappedLines) -> None:
        """Hand lines over in their order."""
        taken = 0
        for run in _RUNS.finditer(kinds):
            start, end = run.span()
            if kinds[start] == SENT:
                contacts = mapped.contacts[taken : taken + end - start]
                taken += end - start
                self._send(contacts, start, mapped)
            elif kinds[start] == UNCHANGED:
                self._pass_unchanged(start, end)
            elif kinds[start] == FILTERED:
                for _ in range(start, end):
                    self._intake.next_row()
                    self._count_read(1)
                    self._counts.note_filtered()
            else:
                for place in range(start, end):
                    self._look_at(place)

    def _send(self, contacts: list[Contact], start: int, mapped: MappedLines) -> None:
        """Hand contacts over; before, hold their opt-outs, and those of earlier rows for them."""
        held, mapping = self._intake.held_opt_outs, self._loading.mapping
        if held is None:
            self._add(contacts, start)
            return
        opted_out = self._opted_out(mapped, start, start + len(contacts))
        left_out = [mapping.is_left_out(channels) for channels in opted_out]
        concerned = held.concerned(contacts, opted_out)
        for is_concerned, group in groupby(range(len(contacts)), concerned.__getitem__):
            numbers = list(group)
            if is_concerned:
                for number in numbers:
                    self._look_at(start + number)
                continue
            part = slice(numbers[0], numbers[-1] + 1)
            for contact in compress(contacts[part], left_out[part]):
                contact.only_if_known = True
            held.add_all(contacts[part], opted_out[part], left_out[part])
            self._add(contacts[part], start + numbers[0])

    def _opted_out(self, mapped: MappedLines, start: int, end: int) -> list[tuple[str, ...]]:
        """Return for each of some lines the channels that it opts out of."""
        columns = [column[start:end] for column in mapped.opted_out.values()]
        if not columns:
            return [()] * (end - start)
        by_flags = {
            flags: tuple(compress(mapped.opted_out, flags))
            for flags in product((False, True), repeat=len(columns))
        }
        return list(map(by_flags.__getitem__, zip(*columns, strict=True)))

    def _add(self, contacts: list[Contact], start: int) -> None:
        end = start + len(contacts)
        bodies = None if self._known is None else self._hashes[start:end]
        lines = None if self._lines is None else self._lines[start:end]
        self._count_read(len(contacts))
        unchanged = self._intake.add_all(contacts, self._loading.merge_option, bodies, lines)
        self._uncounted.update(start + place for place in unchanged)

    def _look_at(self, place: int) -> None:
        self._uncounted.add(place)
        self._take_slowly(place)

    def _pass_unchanged(self, start: int, end: int) -> None:
        """Count unchanged rows. One that is a change back to what was is sent."""
        if self._known is None:
            raise AssertionError
        hashes, dropped = self._hashes[start:end], self._known.dropped
        if not dropped or dropped.isdisjoint(hashes):
            self._note_unchanged(end - start)
            return
        for place, hashed in enumerate(hashes, start):
            if hashed in dropped:
                self._look_at(place)
            else:
                self._note_unchanged(1)

    def _note_unchanged(self, rows: int) -> None:
        self._count_read(rows)
        self._intake.pass_unchanged(self._counts, rows)

    def _count_read(self, rows: int) -> None:
        self._loading.count_read(rows)

    def _note_mapped(self, mapped: MappedLines, places: Sequence[int]) -> None:
        """Count rounded numbers and opt-outs of the rows that are sent from here."""
        is_sent = [
            kind == SENT and place not in self._uncounted
            for kind, place in zip(mapped.kinds, places, strict=True)
        ]
        self._counts.note_mapped(
            {
                name: sum(map(is_sent.__getitem__, {*found}))
                for name, found in mapped.rounded.items()
            },
            {name: sum(compress(column, is_sent)) for name, column in mapped.opted_out.items()},
        )
