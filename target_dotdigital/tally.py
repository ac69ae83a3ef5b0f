"""What becomes of rows: counted once a load is settled, and stored where they are rejected."""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING

from target_dotdigital.errors import DataError, DotdigitalError, RowRejectedError
from target_dotdigital.identifiers import CONTACT_ID, normalise
from target_dotdigital.report import StreamCounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_dotdigital.contacts import Contact, Row
    from target_dotdigital.rejects import RejectsFile
    from target_dotdigital.settlement import Settlement

_rows_of = attrgetter("rows")

MIN_SETTLED_ROWS = 1000
"""A stream's share of rejects is looked at from here on."""


class Tally:
    """The rows of all streams."""

    def __init__(self, rejects: RejectsFile | None, max_reject_percent: int) -> None:
        """Start with no stream.

        Args:
            rejects: Where rejected rows are stored; None if they are counted only.
            max_reject_percent: The largest share of a stream's rows that may be rejected.
        """
        self._rejects = rejects
        self._max_reject_percent = max_reject_percent
        self._streams: dict[str, StreamCounts] = {}

    def __iter__(self) -> Iterator[StreamCounts]:
        """Yield the counts of each stream."""
        yield from self._streams.values()

    def __contains__(self, stream: str) -> bool:
        """Return whether a stream has come."""
        return stream in self._streams

    def of(self, stream: str) -> StreamCounts:
        """Return where a stream's rows are counted.

        Args:
            stream: Its name after stream maps.
        """
        return self._streams.setdefault(stream, StreamCounts(stream))

    @property
    def unsettled(self) -> int:
        """Rows that were read and whose fate is not known."""
        return sum(counts.unsettled for counts in self)

    def progress(self) -> str:
        """Return how many of the rows that were read are settled, for the line of a failure."""
        if not (read := self._read):
            return "no row was read"
        settled = sum(counts.settled for counts in self)
        return f"{settled} of {read} rows read are settled"

    def remainder(self) -> str:
        """Return what a run that was stopped leaves to the next one, in one or two sentences."""
        if not (read := self._read):
            return "No row was read."
        if lost := self.unsettled:
            return f"{lost} of {read} rows read are unsettled; a new run sends them."
        return f"All {read} rows read are settled; a new run goes on from the last STATE."

    @property
    def has_read(self) -> bool:
        """Whether a row was read."""
        return self._read > 0

    @property
    def _read(self) -> int:
        return sum(counts.read for counts in self)

    def reject(self, row: Row, error: RowRejectedError) -> None:
        """Store and count a rejected row.

        Args:
            row: The row.
            error: Why it is rejected.

        Raises:
            StorageError: It cannot be stored, and so it is not counted.
            DataError: Too much of the stream is rejected.
        """
        if self._rejects is not None:
            self._rejects.write(row, error.code, error.reason)
        row.counts.rejected[error.code] += 1
        self._check_share(row.counts)

    def settle(self, settlement: Settlement) -> None:
        """Count the rows of a load that has ended.

        Args:
            settlement: What became of its contacts.

        Raises:
            TargetDotdigitalError: It cannot be told of every row, or too much is rejected.
        """
        for contact, contact_id in settlement.ids:
            for row in contact.rows:
                if row.holding is not None:
                    row.holding.add(normalise(CONTACT_ID, contact_id))
        _count_imported(settlement.imported)
        for rows, times in _each_with_times(list(map(_rows_of, settlement.new))):
            rows[-1].counts.new += times
        for rows, times in _each_with_times(list(map(_rows_of, settlement.updated))):
            rows[-1].counts.updated += times
        for contact, code in settlement.warnings:
            contact.rows[-1].counts.warnings[code] += 1
        _count_departures(settlement)
        self._settle_unnamed(settlement)
        for contact, code in settlement.rejected:
            reason = "Dotdigital refused the contact"
            # Every row that went into it: the older ones hold values that the newest may lack.
            for row in contact.rows:
                self.reject(row, RowRejectedError(code, reason))

    def _settle_unnamed(self, settlement: Settlement) -> None:
        """Count rows by sums alone, where the report does not say which contacts were refused."""
        if not settlement.unnamed:
            return
        rows = [row for contact in settlement.unnamed for row in contact.rows]
        counts = rows[0].counts
        if any(row.counts is not counts for row in rows):
            raise DotdigitalError(
                "An import's report does not name the contacts that were refused, and they come "
                "from several streams: they are unsettled"
            )
        refused = sum(settlement.unnamed_codes.values())
        counts.imported += len(settlement.unnamed) - refused
        counts.collapsed += len(rows) - len(settlement.unnamed)
        counts.rejected.update(settlement.unnamed_codes)
        self._check_share(counts)

    def _check_share(self, counts: StreamCounts) -> None:
        # Of the rows read, not of those settled: rejects of our own are settled at once, while
        # the rows that are imported take their time.
        rejected, limit = counts.rejected_total, self._max_reject_percent
        if counts.settled >= MIN_SETTLED_ROWS and rejected * 100 > limit * counts.read:
            raise DataError(
                f"Stream '{counts.stream}': {rejected} of {counts.read} rows are rejected, more "
                f"than max_reject_percent ({limit})"
            )


def _count_imported(contacts: Sequence[Contact]) -> None:
    """Count the newest row of each contact as imported, and those that it has replaced."""
    rows = list(map(_rows_of, contacts))
    # Where lines are not kept, nearly all contacts share the tuple of one row: counted at once.
    for each, times in _each_with_times(rows):
        each[-1].counts.imported += times
        for row in each[:-1]:
            row.counts.collapsed += times


def _each_with_times(rows: list[tuple[Row, ...]]) -> Iterator[tuple[tuple[Row, ...], int]]:
    """Yield tuples that are the same object once, with how many there are."""
    if rows and rows[0] is rows[-1] and rows.count(rows[0]) == len(rows):
        yield rows[0], len(rows)
        return
    distinct = dict(zip(map(id, rows), rows, strict=True))
    for number, count in Counter(map(id, rows)).items():
        yield distinct[number], count


def _count_departures(settlement: Settlement) -> None:
    """Count the rows of contacts that have left: they wrote nothing, so they are skipped."""
    for row in _rows(settlement.left):
        row.counts.skipped += 1
        row.counts.left += 1
    for row in _rows(settlement.deleted):
        row.counts.skipped += 1
        row.counts.deleted += 1
    for row in _rows(settlement.unknown):
        row.counts.skipped += 1
        row.counts.unknown += 1


def _rows(contacts: list[Contact]) -> Iterator[Row]:
    for contact in contacts:
        yield from contact.rows
