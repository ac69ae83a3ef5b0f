"""Bounded records of a run: of too much, every second item is kept, then every fourth, and so on.

Times are seconds from the run's start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

MAX_WAITS: Final = 100
"""Waits of a kind that are kept in full."""

SHORTEST_WAIT_SECONDS: Final = 0.05
"""What is shorter is no wait."""

MAX_PROGRESS_POINTS: Final = 400
"""Times for which the progress of the rows is kept."""

FIRST_INTERVAL_SECONDS: Final = 0.1
"""Time between two of them, to begin with. It doubles whenever there are too many."""

_T = TypeVar("_T")


class Sample(Generic[_T]):
    """Keeps what is added; of too much, every second item, then every fourth, and so on.

    Attributes:
        kept: What is kept, in the order in which it came.
        count: How much has come.
        every: 1 if everything is kept, 2 if every second item, and so on.
    """

    def __init__(self, limit: int) -> None:
        """Start empty.

        Args:
            limit: How many items are kept at most.
        """
        self.kept: list[_T] = []
        self.count = 0
        self.every = 1
        self._limit = limit

    def add(self, item: _T) -> None:
        """Add an item.

        Args:
            item: The newest.
        """
        if self.count % self.every == 0:
            self.kept.append(item)
            if len(self.kept) > self._limit:
                del self.kept[1::2]
                self.every *= 2
        self.count += 1


@dataclass(frozen=True, slots=True)
class Wait:
    """A time in which a call was held back."""

    start: float
    end: float


class Waits(Sample[Wait]):
    """The waits of one reason and route. Those of several threads that overlap are one."""

    def __init__(self) -> None:
        """Start with none."""
        super().__init__(MAX_WAITS)
        self.seconds = 0.0
        """The time in which at least one thread waited."""
        self._waiting = 0
        self._since = 0.0

    def enter(self, at: float) -> None:
        """Note that a thread begins to wait.

        Args:
            at: When.
        """
        if not self._waiting:
            self._since = at
        self._waiting += 1

    def leave(self, at: float) -> None:
        """Note that a thread waits no longer.

        Args:
            at: When.
        """
        self._waiting -= 1
        if not self._waiting:
            self._end(at)

    def break_off(self, at: float) -> None:
        """Count a wait that is going on up to now.

        Args:
            at: The time now.
        """
        if self._waiting:
            self._end(at)
            self._since = at

    def _end(self, at: float) -> None:
        if at - self._since >= SHORTEST_WAIT_SECONDS:
            self.seconds += at - self._since
            self.add(Wait(self._since, at))


class ProgressPoint(NamedTuple):
    """The progress of the rows of all streams at one time."""

    at: float
    read: int
    settled: int
    rejected: int
    active: int
    """Loads that were with Dotdigital."""


class Progress:
    """The progress of the rows over time: the first point, the newest, and a few between them."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self.points = [ProgressPoint(0.0, 0, 0, 0, 0)]
        self._interval = FIRST_INTERVAL_SECONDS

    def add(self, point: ProgressPoint) -> None:
        """Add a point, unless nothing has changed since the last one.

        Args:
            point: The newest.
        """
        points, last = self.points, self.points[-1]
        if point._replace(at=last.at) == last:
            return
        # The newest is always kept, and replaced if it is near to those before and after it.
        if len(points) > 1 and max(last.at - points[-2].at, point.at - last.at) < self._interval:
            points.pop()
        points.append(point)
        if len(points) > MAX_PROGRESS_POINTS:
            self._interval *= 2
            del points[1:-1:2]
