"""STATE on its way out: it is written once the rows before it are settled, and rejects on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.errors import TargetDotdigitalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from target_dotdigital.loading import RejectsCsv, RejectsFile, RowCounts, StateGate
    from target_dotdigital.mirror import Mirrors


class StateOutput:
    """Decides what the gate may let out."""

    def __init__(
        self,
        gate: StateGate,
        counts: RowCounts,
        rejects: Sequence[RejectsFile | RejectsCsv],
        mirrors: Mirrors,
    ) -> None:
        """Start before the first row.

        Args:
            gate: Keeps STATE values, and writes them.
            counts: The rows of all streams.
            rejects: Where rejected rows are stored, if they are.
            mirrors: Their rows are settled when everybody has left who has to.
        """
        self.position = 0
        """The number of the last row that was read, over all streams."""
        self.is_loading = False
        """Whether a stream is loaded. Until then a STATE would tell of rows that nobody took."""
        self._gate = gate
        self._counts = counts
        self._rejects = rejects
        self._mirrors = mirrors

    def note(self, value: str, open_rows: Iterable[int]) -> None:
        """Take a STATE in, to be written once every row so far is settled.

        Args:
            value: The STATE's value, a JSON text.
            open_rows: The first row of each load that is not settled.
        """
        self._gate.note(value, self.position, list(self._with_mirrors(open_rows)))

    def block(self, row: int | None = None) -> None:
        """Let nothing out from a row on that could not be settled.

        Args:
            row: The row's number; that of the last one read when not given.
        """
        self._gate.block(self.position if row is None else row)

    def release(self, open_rows: Iterable[int]) -> None:
        """Write the newest STATE that is covered by settled rows, if there is a new one.

        Args:
            open_rows: The first row of each load that is not settled.

        Raises:
            StorageError: The rejects file, or STATE, cannot be written.
        """
        settled_to = min(self._with_mirrors(open_rows), default=self.position + 1) - 1
        for each in self._rejects:
            try:
                each.flush()
            except TargetDotdigitalError:
                self._gate.block(0)
                raise
        # The last STATE must not leave before a stream's share is found to be too much: until all
        # its rows have come, what is over the limit now may be within it in the end.
        if self.is_loading and not self._counts.is_over:
            self._gate.release(settled_to)

    def _with_mirrors(self, open_rows: Iterable[int]) -> Iterator[int]:
        yield from open_rows
        if self._mirrors.first_row is not None:
            # A bookmark must not move on before those who are to leave have left: a tap that is
            # asked again has to send everybody again.
            yield self._mirrors.first_row
