"""Rows on the fast path: mapped and handed over many at a time; unchanged ones only counted."""

from __future__ import annotations

from array import array
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any

from target_dotdigital.mapping import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from target_dotdigital.fingerprints import StreamFingerprints
    from target_dotdigital.mapping import FastPath, MappedLines, StreamCounts
    from target_dotdigital.run.intake import Intake
    from target_dotdigital.settings import MergeOption


MAX_CHANGED_LINES = 10_000
"""After so many lines of unchanged contacts that were changed, lines are looked at no more, unless
as many were not."""


class FastRows:
    """Takes rows of one stream. All of it belongs to the main thread."""

    def __init__(
        self,
        intake: Intake,
        counts: StreamCounts,
        merge_option: MergeOption,
        fast_path: FastPath,
        count_read: Callable[[int], None],
    ) -> None:
        """Take no row yet.

        Args:
            intake: What takes the rows.
            counts: Where they are counted.
            merge_option: The stream's merge option.
            fast_path: Decodes and maps them.
            count_read: Counts rows as read.
        """
        self._intake = intake
        self._counts = counts
        self._merge_option = merge_option
        self._count_read = count_read
        self._fast_path = fast_path
        # One for all rows whose lines need not be kept: there are many of them in memory.
        self._bare_rows = (Row(counts, None, None),)
        self._schema_line = intake.schema_line
        self.decode = fast_path.decode
        """Decodes a message; raises one of `UNREADABLE` if it has to go the slow way."""
        self._known: StreamFingerprints | None = None
        self._by_line = False
        self._lines: array[int] | None = None
        self._hashes = array("Q")
        """Of each line that is not sent: what it is known by."""
        self._found = 0
        self._take_slowly: Callable[[int], object]

    def compare_with(self, known: StreamFingerprints, *, by_line: bool) -> None:
        """Compare rows with what was settled earlier.

        Args:
            known: What was settled of the stream's contacts.
            by_line: Whether the same line is always the same contact.
        """
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
        if not self._by_line:
            return None
        self._lines = self._hashes = fingerprints.hasher.lines(lines)
        found = known.are_same_lines(self._lines)
        self._found += sum(found)
        if known.changed_lines > max(MAX_CHANGED_LINES, self._found):
            # Something in the lines is another each time: not worth looking.
            self._by_line, self._lines = False, None
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
        counts = self._counts
        rows: Iterable[tuple[Row, ...]] = repeat(self._bare_rows)
        if self._intake.keeps_rejects:
            head, first = self._schema_line, counts.read + 1
            rows = ((Row(counts, lines[at], head, None, first + at),) for at in places)
        are_unchanged = None if self._known is None else partial(self._are_unchanged, places)
        mapped = self._fast_path.map(messages, rows, are_unchanged)
        self._take_slowly = take_slowly
        self._hand_over(mapped, len(lines), places)
        counts.note_mapped(mapped.rounded, mapped.opted_out)

    def _are_unchanged(self, places: Sequence[int], bodies: list[bytes]) -> list[bool]:
        """Return for each contact that was made of a line whether it need not be sent."""
        known, fingerprints = self._known, self._intake.fingerprints
        if known is None or fingerprints is None:
            raise AssertionError
        hashes = fingerprints.hasher.bodies(bodies)
        if self._lines is None:
            self._hashes = hashes
            return known.are_unchanged(hashes)
        lines = array("Q", map(self._lines.__getitem__, places))
        self._hashes = self._lines[:]
        for place, hashed in zip(places, hashes, strict=True):
            self._hashes[place] = hashed
        return known.are_unchanged(hashes, lines)

    def _hand_over(self, mapped: MappedLines, count: int, places: Sequence[int]) -> None:
        """Hand lines over in their order."""
        passed_over = {places[each] for each in mapped.passed_over}
        filtered = {places[each] for each in mapped.filtered}
        sent = places if mapped.places is None else [places[each] for each in mapped.places]
        start = taken = 0
        for first, after in _runs(sent, passed_over):
            self._pass_unchanged(start, first)
            start = after
            if first not in passed_over:
                # Where all are sent, there is a contact at the places that are passed over, too.
                at = first if mapped.places is None else taken
                lines = [0] * (after - first) if self._lines is None else self._lines[first:after]
                contacts = mapped.contacts[at : at + after - first]
                self._count_read(after - first)
                self._intake.add_all(contacts, self._merge_option, lines)
                taken += after - first
            elif first in filtered:
                self._intake.next_row()
                self._count_read(1)
                self._counts.note_filtered()
            else:
                self._take_slowly(first)
        self._pass_unchanged(start, count)

    def _pass_unchanged(self, start: int, end: int) -> None:
        """Count unchanged rows. One that is a change back to what was is sent."""
        if start == end or self._known is None:
            return
        hashes, dropped = self._hashes[start:end], self._known.dropped
        if not dropped or dropped.isdisjoint(hashes):
            self._note_unchanged(end - start)
            return
        for place, hashed in enumerate(hashes, start):
            if hashed in dropped:
                self._take_slowly(place)
            else:
                self._note_unchanged(1)

    def _note_unchanged(self, rows: int) -> None:
        self._count_read(rows)
        self._intake.pass_unchanged(self._counts, rows)


def _runs(places: Sequence[int], passed_over: set[int]) -> list[tuple[int, int]]:
    """Return where rows begin and end that follow each other; one that is passed over is alone."""
    if not passed_over and places and places[-1] - places[0] == len(places) - 1:
        return [(places[0], places[-1] + 1)]
    found: list[tuple[int, int]] = []
    start = end = -1
    for place in sorted({*places, *passed_over}):
        if place == end and place not in passed_over:
            end += 1
            continue
        if start >= 0:
            found.append((start, end))
        start, end = place, place + 1
        if place in passed_over:
            found.append((start, end))
            start = end = -1
    if start >= 0:
        found.append((start, end))
    return found
