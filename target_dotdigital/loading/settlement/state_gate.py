"""The gate that lets a STATE out once every row before it is settled."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


class StateGate:
    """Keeps STATE values in the order they came, and writes the newest that is safe.

    Rows are numbered from 1 in the order in which the tap sent them. A STATE's position is the
    number of the last row before it.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        on_written: Callable[[int], None] = lambda _position: None,
    ) -> None:
        """Start with nothing to write.

        Args:
            write: Writes one STATE value, a JSON text.
            on_written: Told the position of a STATE that has been written.
        """
        self._write = write
        self._on_written = on_written
        self._waiting: deque[tuple[int, str]] = deque()
        self._written: str | None = None
        self._blocked_from: int | None = None

    def note(self, value: str, position: int, starts: Collection[int]) -> None:
        """Take a STATE in.

        Of those that would be released together only the newest is kept, so there are never more
        waiting than there are unsettled imports, and one.

        Args:
            value: The STATE's value as the tap wrote it, a JSON text.
            position: The number of the last row before it.
            starts: The first row of each unsettled import.
        """
        if self._waiting and self._waiting[-1][0] >= max(starts, default=0):
            self._waiting[-1] = (position, value)
            return
        self._waiting.append((position, value))
        # What waits for the same imports is released together.
        newest = {
            max((start for start in starts if start <= noted[0]), default=0): noted
            for noted in self._waiting
        }
        self._waiting = deque(newest.values())

    def block(self, row: int) -> None:
        """Let nothing out from a row on that could not be settled.

        Args:
            row: The row's number.
        """
        blocked = self._blocked_from
        self._blocked_from = row if blocked is None else min(row, blocked)

    def release(self, settled_to: int) -> None:
        """Write the newest STATE that is covered by settled rows, if there is a new one.

        Args:
            settled_to: Every row up to this number is settled.
        """
        if self._blocked_from is not None:
            settled_to = min(settled_to, self._blocked_from - 1)
        position, newest = 0, None
        while self._waiting and self._waiting[0][0] <= settled_to:
            position, newest = self._waiting.popleft()
        if newest is not None and newest != self._written:
            self._write(newest)
            self._written = newest
            self._on_written(position)
