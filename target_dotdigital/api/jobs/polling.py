"""When background jobs are polled: in few calls, and so that an end is seen soon.

Nothing public tells how long a job takes: an import of a few contacts may be over at once, and one
of a million in three hours. So a run learns it from the jobs of its own that have ended.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

MAX_WAIT_SECONDS = 60.0
"""One of all jobs is not left alone for longer: it may end sooner than those before it."""

FIRST_WAIT_SECONDS = 1.0
"""Of a job that nothing is known of. Its waits grow with its age from there."""

GROWTH = 0.25
"""That share of its age: a job that took four minutes is found ended a minute later at most."""

LEAST_WAIT_SECONDS = 0.25
"""Around the time at which an end is expected."""

_NOT_MISSED_SECONDS = 0.5
"""For so long a job is taken to end soon: a shorter time may lie between two looks at it."""

POLLS_AROUND_THE_END = 8
"""So many polls are spread over the time in which jobs like it have ended."""

MARGIN = 0.02
"""Share by which a job may end sooner or later than those before it and still be expected."""

SPREAD = 0.1
"""Share of a wait that chance takes off, so that jobs started together are not polled together."""

NEARLY = 0.8
LATE_WEIGHT = 0.75
"""A job is taken to have ended in the middle of the time between two polls; later, if that time is
more than a fifth of its age."""

AT_ONCE_SECONDS = 0.5
"""A job that is expected to end this soon is polled right after it was taken."""

REMEMBERED = 10
"""Jobs that are learned from: the last ones, for how long they take changes with the day."""

FEWEST_TO_TRIM = 5
"""Of so many, the quickest and the slowest are taken for exceptions."""

SIZE_RATIO = 2.0
"""Sizes that differ by this factor show whether a larger job takes longer."""


class Expected(NamedTuple):
    """When a job is expected to end, in seconds after it was taken."""

    earliest: float
    latest: float


class Durations:
    """How long jobs have taken. Safe to use from several threads."""

    def __init__(self) -> None:
        """Start with nothing learned."""
        self._lock = threading.Lock()
        self._ended: deque[tuple[int, float]] = deque(maxlen=REMEMBERED)
        self._outlasted_a_poll = False
        self._running: dict[int, float] = {}
        """The age at which a job was last seen running, by size."""
        self._expected: dict[int, tuple[Expected, ...]] = {}
        """What has been worked out since the last job ended, by size."""

    def note_running(self, size: int, age: float) -> None:
        """Learn from a job that a poll has found running.

        Args:
            size: How many contacts it is for.
            age: Its age in seconds.
        """
        with self._lock:
            self._outlasted_a_poll = True
            self._running[size] = age

    def note_end(self, size: int, running: float, ended: float) -> None:
        """Learn from a job that has ended well.

        Args:
            size: How many contacts it was for.
            running: Its age in seconds when it was last seen running; 0 if it never was.
            ended: Its age when it was seen ended.
        """
        with self._lock:
            # Of several that were taken together, one is looked at for all.
            others = self._running.get(size, 0.0)
            if running < others < ended:
                running = others
            elif others > ended:
                del self._running[size]
            is_exact = running >= ended * NEARLY
            # Seen running long before, it has more likely ended late than early: it would have
            # been looked at had it been due.
            weight = 0.5 if is_exact else LATE_WEIGHT
            self._ended.append((max(size, 1), running + (ended - running) * weight))
            self._expected.clear()

    def expected(self, size: int, age: float = 0.0) -> Expected | None:
        """Return when a job is expected to end; None if no job has yet.

        Whether a larger one takes longer is not documented either: what explains the last ones
        better is believed, and both where they are too much alike to tell.

        Args:
            size: How many contacts it is for.
            age: How long it has been running, in seconds. That rules out what it has outlasted.
        """
        with self._lock:
            if not self._ended:
                return None
            if size not in self._expected:
                self._expected[size] = self._work_out(size)
            both = self._expected[size]
            last = max(both[0].latest, both[0].earliest + _NOT_MISSED_SECONDS)
            return both[0] if age <= last else both[-1]

    def _work_out(self, size: int) -> tuple[Expected, ...]:
        """Return when a job is expected to end, the sooner first if it is one of two."""
        ended = self._ended
        alike = _trimmed([seconds for _, seconds in ended])
        by_size = _trimmed([seconds * size / each for each, seconds in ended])
        sizes = [each for each, _ in ended]
        if max(sizes) < SIZE_RATIO * min(sizes):
            kinds = sorted((alike, by_size), key=max)
            if min(kinds[1]) <= max(kinds[0]) * (1 + 2 * MARGIN):
                kinds = [alike + by_size]
        else:
            kinds = [min(alike, by_size, key=_spread)]
        return tuple(
            Expected(min(found) * (1 - MARGIN), max(found) * (1 + MARGIN)) for found in kinds
        )

    def ends_at_once(self, size: int) -> bool:
        """Return whether a job is worth a poll right after it was taken.

        Args:
            size: How many contacts it is for.
        """
        expected = self.expected(size)
        if expected is None:
            return not self._outlasted_a_poll
        return expected.earliest < AT_ONCE_SECONDS


def seconds_to_wait(age: float, expected: Expected | None, chance: float) -> float:
    """Return how long to leave a running job alone.

    Args:
        age: How long ago it was taken, in seconds.
        expected: When it is expected to end.
        chance: A random number in [0, 1).
    """
    early = 1 - SPREAD * (1 - chance)
    growing = min(max(age * GROWTH, FIRST_WAIT_SECONDS), MAX_WAIT_SECONDS) * early
    if expected is None:
        return growing
    if age < expected.earliest * (1 - SPREAD):
        return max(min(expected.earliest * early - age, MAX_WAIT_SECONDS), LEAST_WAIT_SECONDS)
    # Past what was expected it grows again, as if the job had been taken when it was first due.
    late = max(
        (expected.latest - expected.earliest) / POLLS_AROUND_THE_END,
        (age - expected.latest) * GROWTH,
    )
    return max(min(late, growing), LEAST_WAIT_SECONDS)


def _trimmed(values: list[float]) -> list[float]:
    return sorted(values)[1:-1] if len(values) >= FEWEST_TO_TRIM else values


def _spread(values: list[float]) -> float:
    return max(values) / max(min(values), 0.001)
