"""What becomes of rows: counted once a load is settled, and stored where they are rejected."""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING

from target_dotdigital.errors import DataError, DotdigitalError, RowRejectedError, joined
from target_dotdigital.mapping import CONTACT_ID, RejectGroup, StreamCounts, normalise

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from target_dotdigital.loading.settlement.rejects_csv import RejectsCsv
    from target_dotdigital.loading.settlement.rejects_file import RejectsFile
    from target_dotdigital.loading.settlement.settlement import Settlement
    from target_dotdigital.mapping import Contact, Row, Source

_source_of = attrgetter("source")

MIN_SETTLED_ROWS = 1000
"""While the rows are read, a stream's share of rejects is looked at from here on."""


class RowCounts:
    """The rows of all streams."""

    def __init__(
        self, rejects: Sequence[RejectsFile | RejectsCsv], max_reject_percent: int
    ) -> None:
        """Start with no stream.

        Args:
            rejects: Where rejected rows are stored. Nowhere, if they are counted only.
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
        """Return how many of the rows that were read are settled, as a sentence."""
        if not (read := self._read):
            return "No row was read."
        settled = sum(counts.settled for counts in self)
        return f"{settled} of {read} rows are settled."

    def remainder(self) -> str:
        """Return what a run that was stopped leaves to the next one, in one or two sentences."""
        if not (read := self._read):
            return "No row was read."
        if lost := self.unsettled:
            return f"{lost} of {read} rows are not settled. The next run sends them again."
        return f"All {read} rows are settled. The next run goes on from the last STATE."

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
        """
        for each in self._rejects:
            each.write(row, error)
        row.counts.reject(RejectGroup(error.code, error.property, error.rule))

    def settle(self, settlement: Settlement) -> None:
        """Count the rows of a load that has ended.

        Args:
            settlement: What became of its contacts.

        Raises:
            TargetDotdigitalError: It cannot be told of every row, or too much is rejected.
        """
        for contact, contact_id in settlement.ids:
            for each in contact.identity_sets:
                each.add(normalise(CONTACT_ID, contact_id))
        _count_imported(settlement)
        _count_removed(settlement)
        self._settle_unnamed(settlement)
        for contact, code in settlement.rejected:
            # Every row that went into it: the older ones hold values that the newest may lack.
            for row in contact.rows:
                self.reject(row, _refusal(code))
        self.check_shares(self, MIN_SETTLED_ROWS)

    def check_shares(self, streams: Iterable[StreamCounts], min_settled: int = 0) -> None:
        """Make sure that streams have no more rejects than they may have.

        Args:
            streams: The streams.
            min_settled: Settled rows from which on a stream's share is looked at; none at the end
                of the input, where all its rows have come.

        Raises:
            DataError: One has more.
        """
        over = [each for each in streams if self._is_over(each) and each.settled >= min_settled]
        if over:
            raise DataError(joined(map(self._problem, over)))

    @property
    def is_over(self) -> bool:
        """Whether a stream, of whatever size, has more rejects now than it may have."""
        return any(map(self._is_over, self))

    def _is_over(self, counts: StreamCounts) -> bool:
        # Of the rows read, not of those settled: rejects of our own are settled at once, while
        # the rows that are imported take their time.
        rejected = counts.rejected_total if counts.rejected else 0
        return rejected * 100 > self._max_reject_percent * counts.read

    def _problem(self, counts: StreamCounts) -> str:
        rejected, read = counts.rejected_total, counts.read
        # Rounded up: what is over a limit must not look like it.
        percent = -(-rejected * 1000 // read) / 10
        return (
            f"Stream '{counts.stream}': {rejected} of {read} rows ({percent:g} %) are rejected, "
            f"more than the limit of {self._max_reject_percent} % (max_reject_percent). Repair the "
            "rows, or raise the limit"
        )

    def _settle_unnamed(self, settlement: Settlement) -> None:
        """Count rows by sums alone, where the report does not say which contacts were refused."""
        contacts = settlement.unnamed
        if not contacts:
            return
        refused = sum(settlement.unnamed_codes.values())
        all_rows = Counter(row.counts.stream for contact in contacts for row in contact.rows)
        newest = Counter(row.counts.stream for each in contacts for row in _newest(each.rows))
        if any(count < len(contacts) for count in newest.values()):
            raise DotdigitalError(
                "Dotdigital refused contacts of an import without naming them. They are of several "
                "streams, so that their rows cannot be counted, and are not settled"
            )
        for stream, rows in all_rows.items():
            counts = self._streams[stream]
            counts.imported += len(contacts) - refused
            counts.collapsed += rows - len(contacts)
            for code, count in settlement.unnamed_codes.items():
                counts.reject(RejectGroup(code), count)


def _refusal(code: str) -> RowRejectedError:
    """Return the reject of a contact that Dotdigital refused."""
    if code == "record.too_large":
        reason = "The contact is too large for Dotdigital (413)"
        return RowRejectedError("record.too_large", reason)
    return RowRejectedError(code, "Dotdigital refused the contact")


def _newest(rows: tuple[Row, ...]) -> Collection[Row]:
    """Return each stream's newest row of a contact: its values, or later ones, are written."""
    return {row.counts.stream: row for row in rows}.values()


def _count_imported(settlement: Settlement) -> None:
    """Count what is told of imported contacts.

    Each stream's newest row of a contact is imported, its older ones are collapsed.
    """
    imported = _sources_of(settlement.imported)
    for source, times in imported.items():
        newest = _newest(source.counted)
        for row in source.counted:
            row.counts.collapsed += times
        for row in newest:
            row.counts.imported += times
            row.counts.collapsed -= times
    for source, times in _sources_of(settlement.new, imported).items():
        for row in _newest(source.counted):
            row.counts.new += times
    for source, times in _sources_of(settlement.updated, imported).items():
        for row in _newest(source.counted):
            row.counts.updated += times
    for contact, code in settlement.warnings:
        for row in _newest(contact.rows):
            row.counts.warnings[code] += 1


def _sources_of(
    contacts: Sequence[Contact], of_all: Counter[Source] | None = None
) -> Counter[Source]:
    """Return the sources of contacts, and how many are of each.

    Args:
        contacts: The contacts.
        of_all: The same of all contacts that they may be some of.
    """
    if of_all is not None and len(contacts) == of_all.total():
        return of_all
    return Counter(map(_source_of, contacts))


def _count_removed(settlement: Settlement) -> None:
    """Count the rows of contacts that have left, or were left out: they wrote nothing."""
    for row in _rows(settlement.left):
        row.counts.skipped += 1
        row.counts.left += 1
    for row in _rows(settlement.deleted):
        row.counts.skipped += 1
        row.counts.deleted += 1
    for row in _rows(settlement.unknown):
        row.counts.skipped += 1
        row.counts.unknown += 1
    for row in _rows(settlement.left_out):
        row.counts.skipped += 1
        row.counts.opted_out_new += 1


def _rows(contacts: list[Contact]) -> Iterator[Row]:
    for contact in contacts:
        yield from contact.rows
