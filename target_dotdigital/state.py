"""The gate that lets a STATE out once every row before it is settled."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class StateGate:
    """Keeps STATE values in the order they came, and writes the newest that is safe.

    Rows are numbered from 1 in the order in which the tap sent them. A STATE's position is the
    number of the last row before it.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        """Start with nothing to write.

        Args:
            write: Writes one STATE value, a JSON text.
        """
        self._write = write
        self._waiting: deque[tuple[int, str]] = deque()
        self._written: str | None = None

    def note(self, value: str, position: int, newest_start: int) -> None:
        """Take a STATE in.

        It replaces those that would be released together with it, so there are never more waiting
        than there are unsettled imports, and one.

        Args:
            value: The STATE's value as the tap wrote it, a JSON text.
            position: The number of the last row before it.
            newest_start: The first row of the youngest unsettled import, 0 if there is none.
        """
        while self._waiting and self._waiting[-1][0] >= newest_start:
            self._waiting.pop()
        self._waiting.append((position, value))

    def release(self, settled_to: int) -> None:
        """Write the newest STATE that is covered by settled rows, if there is a new one.

        Args:
            settled_to: Every row up to this number is settled.
        """
        newest = None
        while self._waiting and self._waiting[0][0] <= settled_to:
            _, newest = self._waiting.popleft()
        if newest is not None and newest != self._written:
            self._write(newest)
            self._written = newest
