"""How many polls all jobs of a run make together: never more than a package's smallest limit.

Which tier polls count in is not known for certain, and one number only of the limits is public: the
35 low calls a minute of the Basic package. So no minute has more polls than that. Most of them go
to the ends that are expected in it, and what one job shows is taken to hold for those like it.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_dotdigital.api.jobs.polling import (
    FIRST_WAIT_SECONDS,
    LEAST_WAIT_SECONDS,
    MAX_WAIT_SECONDS,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_dotdigital.api.jobs.polling import Expected

POLLS_A_MINUTE = 35
"""Of all jobs together, where no larger limit is told."""

WINDOW_SECONDS = 62.0
"""A minute, and by how much two polls may be nearer to each other when they arrive."""

LEAST_POLLS = 5
"""Of a minute's that may be made of jobs of which nothing is known, however many are active."""

GAP_SHARE = 0.02
"""Share of its age for which no other job is polled where one that was due is found running."""

SCARCE = 3
SCARCE_GAP_SHARE = 0.1
"""The same where no more polls than that are left besides those for ends that are expected."""

GAP_GROWTH = 1.5
MAX_IN_A_ROW = 4
"""The gap grows with every further one that is found running, up to this number."""

CLOSED_SHARE = 0.03
"""Jobs that are older by this share than the one found running are polled nevertheless."""

MAX_OPEN = 8
"""Polls that are made at a time of jobs as old as one that has ended."""

EARLY_SECONDS = 15.0
"""Between two polls of jobs that are not expected to have ended: one may end sooner than all before
it."""

EARLY_ROOM = 10
"""Polls that are kept for jobs that may well have ended, before one of another is made."""


@dataclass(slots=True, eq=False)
class _Active:
    """A job that is not seen ended."""

    size: int
    taken_at: float
    end: float | None = None
    """When it is expected to end; None if that is not known."""
    is_likely: bool = False
    """Whether it may well have ended."""
    is_follower: bool = False
    """Whether one as large and as old has just been found ended."""


class PollLimit:
    """Decides which job is polled next, and when.

    Room is kept for the polls that will find the ends that are expected. A job that is found
    running closes the way to the others for a while; one that has ended opens it to those like it.
    While nothing is known, the smallest is looked at.

    Safe to use from several threads.
    """

    def __init__(self, told_limit: Callable[[], int | None] = lambda: None) -> None:
        """Start with no poll made.

        Args:
            told_limit: Returns the calls a minute that answers name for the tier of imports, the
                smallest; None if they name none. Then polls that find an end do not count, as any
                number of jobs may end in a minute.
        """
        self._told_limit = told_limit
        self._lock = threading.Lock()
        self._made: deque[float] = deque()
        """When the polls of the last minute were made."""
        self._active: dict[object, _Active] = {}
        self._closed_until = -math.inf
        self._closed_by: _Active | None = None
        self._closed_from = 0.0
        """The age of the job that has closed the way."""
        self._early_at = -math.inf
        """When a job was polled last that was not expected to have ended."""
        self._wasted_in_a_row = 0
        self._open = 0
        """Polls that may be made before it is known what the last ones have found."""
        self._open_from: dict[int, float] = {}
        """The age at which a job was last found ended, by size."""

    def add(self, job: object, size: int, now: float) -> None:
        """Count a job that was taken.

        Args:
            job: Anything that is its own.
            size: How many contacts it is for.
            now: The time, in seconds.
        """
        with self._lock:
            self._active[job] = _Active(size, now)

    def remove(self, job: object) -> None:
        """Count a job no longer.

        Args:
            job: What it was added as.
        """
        with self._lock:
            self._active.pop(job, None)

    def take(self, job: object, now: float, expected: Expected | None) -> float:
        """Take a poll of a job that was added.

        Args:
            job: Of what job.
            now: The time, in seconds.
            expected: When it is expected to end.

        Returns:
            0 if there was one; otherwise in how many seconds to ask again, and nothing is taken.
        """
        with self._lock:
            while self._made and self._made[0] <= now - WINDOW_SECONDS:
                self._made.popleft()
            active = self._look_at(job, now, expected)
            wait = self._seconds_closed(active, now)
            if wait <= 0:
                self._made.append(now)
                self._close(active, now)
            return wait

    def take_at_once(self, job: object, now: float, expected: Expected | None) -> float:
        """Take a poll of a job that was just taken, where others like it have ended as soon.

        Args:
            job: Of what job.
            now: The time, in seconds.
            expected: When it is expected to end.

        Returns:
            The same as `take`.
        """
        if self._told_limit() is not None:
            return self.take(job, now, expected)
        with self._lock:
            self._made.append(now)  # until it has found an end
        return 0.0

    def note_running(self, job: object, now: float) -> None:
        """Learn that a poll has found a job still running.

        Args:
            job: Of what job.
            now: The time, in seconds.
        """
        with self._lock:
            if self._is_as_old_as_ended(self._active[job], now):
                self._open = 0

    def note_end(self, job: object, now: float) -> None:
        """Learn that a poll has found an end.

        Args:
            job: Of what job.
            now: The time, in seconds.
        """
        with self._lock:
            ended = self._active[job]
            self._open_from[ended.size] = now - ended.taken_at
            self._open = min(self._open + 2, MAX_OPEN)
            self._wasted_in_a_row = 0
            self._closed_until = now
            if self._told_limit() is None and self._made:
                self._made.pop()

    def _look_at(self, job: object, now: float, expected: Expected | None) -> _Active:
        active = self._active[job]
        active.is_follower = self._open > 0 and self._is_as_old_as_ended(active, now)
        if expected is None:
            active.end = None
            first = min(self._active.values(), key=lambda each: (each.size, each.taken_at))
            active.is_likely = active.is_follower or active is first
        else:
            active.end = active.taken_at + expected.latest
            is_due = now - active.taken_at >= expected.earliest
            active.is_likely = active.is_follower or is_due
        return active

    def _is_as_old_as_ended(self, active: _Active, now: float) -> bool:
        return now - active.taken_at >= self._open_from.get(active.size, math.inf)

    def _seconds_closed(self, active: _Active, now: float) -> float:
        opens_at = -math.inf if active.is_follower else self._closed_until
        closed_by = self._closed_by
        if closed_by is not None and closed_by.size == active.size:
            is_older = now - active.taken_at > self._closed_from * (1 + CLOSED_SHARE)
            opens_at = -math.inf if is_older else opens_at
        if not active.is_likely:
            guarded = active.taken_at + MAX_WAIT_SECONDS
            opens_at = max(opens_at, self._early_at + EARLY_SECONDS, guarded)
        if now < opens_at:
            # Not so short that adding it to the time would leave the time as it is.
            return max(opens_at - now, 0.01)
        if len(self._made) >= self._limit():
            return max(self._made[0] + WINDOW_SECONDS - now, 0.01)
        is_due = active.is_follower or (active.end is not None and now >= active.end)
        kept = 0 if active.is_likely else EARLY_ROOM
        return 0.0 if is_due or self._room(now) > kept else EARLY_SECONDS

    def _limit(self) -> int:
        return max(self._told_limit() or 0, POLLS_A_MINUTE)

    def _room(self, now: float) -> int:
        """Return how many polls leave room for those of the ends that are expected."""
        limit = self._limit()
        room = limit - len(self._made)
        if self._told_limit() is None:
            return room
        ends = sorted(now if x.end is None else max(x.end, now) for x in self._active.values())
        for count, end in enumerate(ends[: limit - LEAST_POLLS], start=1):
            if end > now + WINDOW_SECONDS:
                break
            still_counted = sum(each > end - WINDOW_SECONDS for each in self._made)
            room = min(room, limit - still_counted - count)
        return room

    def _close(self, active: _Active, now: float) -> None:
        """Close the way until it is known what a poll finds, and for a while if that is nothing."""
        age = now - active.taken_at
        if active.is_follower:
            self._open -= 1
        elif not active.is_likely:
            self._early_at = now
        elif active.end is None:
            self._closed_until, self._closed_by = now + self._first_gap(age), None
        else:
            gap = self._gap(age, now)
            self._closed_until, self._closed_by, self._closed_from = now + gap, active, age

    def _first_gap(self, age: float) -> float:
        """Return the gap while nothing is known: the polls of a minute find ages evenly larger."""
        polls = max(self._limit() - len(self._active), LEAST_POLLS)
        if age >= WINDOW_SECONDS:
            return WINDOW_SECONDS / polls
        return max(age, FIRST_WAIT_SECONDS) * (math.pow(WINDOW_SECONDS, 1 / polls) - 1)

    def _gap(self, age: float, now: float) -> float:
        share = GAP_SHARE if self._room(now) > SCARCE else SCARCE_GAP_SHARE
        gap = max(age * share, LEAST_WAIT_SECONDS)
        if now >= self._closed_until + gap * math.pow(GAP_GROWTH, MAX_IN_A_ROW):
            self._wasted_in_a_row = 0  # the last one was long ago
        gap *= math.pow(GAP_GROWTH, self._wasted_in_a_row)
        self._wasted_in_a_row = min(self._wasted_in_a_row + 1, MAX_IN_A_ROW)
        return gap
