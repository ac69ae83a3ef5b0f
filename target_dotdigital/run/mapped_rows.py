"""Rows that the fast path has mapped: handed over in their order, unchanged ones only counted."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_dotdigital.fingerprints import StreamFingerprints
    from target_dotdigital.mapping import MappedLines, StreamCounts
    from target_dotdigital.run.intake import Intake
    from target_dotdigital.settings import MergeOption


class MappedRows:
    """Hands the rows of one stream over. All of it belongs to the main thread."""

    def __init__(
        self,
        intake: Intake,
        counts: StreamCounts,
        merge_option: MergeOption,
        count_read: Callable[[int], None],
    ) -> None:
        """Hand nothing over yet.

        Args:
            intake: What takes the rows.
            counts: Where they are counted.
            merge_option: The stream's merge option.
            count_read: Counts rows as read.
        """
        self._intake = intake
        self._counts = counts
        self._merge_option = merge_option
        self._count_read = count_read
        self._hashes = array("Q")
        self._dropped: set[int] = set()
        self._take_slowly: Callable[[int], object]

    def are_unchanged(self, fingerprints: StreamFingerprints, bodies: list[bytes]) -> list[bool]:
        """Return for each contact of some lines whether it need not be sent.

        Args:
            fingerprints: Those of the stream.
            bodies: The JSON of each contact.
        """
        if self._intake.fingerprints is None:
            raise AssertionError
        self._hashes = self._intake.fingerprints.hasher.bodies(bodies)
        fingerprints.dropped.clear()
        return fingerprints.are_unchanged(self._hashes)

    def hand_over(
        self,
        mapped: MappedLines,
        count: int,
        take_slowly: Callable[[int], object],
        fingerprints: StreamFingerprints | None,
    ) -> None:
        """Hand lines over.

        Args:
            mapped: What they have become.
            count: How many they are.
            take_slowly: Takes one of those that are not mapped, by its place.
            fingerprints: Those of the stream; None if all rows are sent.

        Raises:
            TargetDotdigitalError: The run cannot go on.
        """
        self._take_slowly = take_slowly
        self._dropped = set() if fingerprints is None else fingerprints.dropped
        passed_over = set(mapped.passed_over)
        places = range(count) if mapped.places is None else mapped.places
        start = taken = 0
        for first, after in _runs(places, passed_over):
            self._pass_unchanged(start, first)
            start = after
            if first not in passed_over:
                # Where all are sent, there is a contact at the places that are passed over, too.
                at = first if mapped.places is None else taken
                self._count_read(after - first)
                self._intake.add_all(mapped.contacts[at : at + after - first], self._merge_option)
                taken += after - first
            elif first in mapped.filtered:
                self._intake.next_row()
                self._count_read(1)
                self._counts.note_filtered()
            else:
                take_slowly(first)
        self._pass_unchanged(start, count)

    def _pass_unchanged(self, start: int, end: int) -> None:
        """Count unchanged rows. One that is a change back to what was is sent."""
        hashes, dropped = self._hashes[start:end], self._dropped
        if not dropped or dropped.isdisjoint(hashes):
            self._note_unchanged(end - start)
            return
        for place, hashed in enumerate(hashes, start):
            if hashed in dropped:
                self._take_slowly(place)
            else:
                self._note_unchanged(1)

    def _note_unchanged(self, rows: int) -> None:
        if rows:
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
