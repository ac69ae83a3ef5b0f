"""What happened in a run, and when: jobs, waits, STATE and how far the rows were.

Nothing is noted for a row, and what is kept is bounded: of very many jobs, waits or STATE values
it is every second one, then every fourth, and so on. Times are seconds from the run's start.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeVar

from target_dotdigital.errors import AbandonedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from target_dotdigital.api import JobKind
    from target_dotdigital.clock import Clock
    from target_dotdigital.loading import Settlement

MAX_JOBS: Final = 300
"""Jobs that are kept in full, and as many of those that did not go as they should."""

MAX_WAITS: Final = 100
"""Waits of a kind that are kept in full."""

MAX_STATES: Final = 200
"""STATE values whose times are kept."""

MAX_MOMENTS: Final = 400
"""Moments of which it is kept how far the rows were."""

FIRST_INTERVAL_SECONDS: Final = 0.1
"""Time between two of them, to begin with. It doubles whenever there are too many."""

SHORTEST_WAIT_SECONDS: Final = 0.05
"""What is shorter is no wait."""

JobOutcome = Literal["under_way", "settled", "refused", "failed"]
WaitReason = Literal["call_limit", "slots", "retry"]

_T = TypeVar("_T")


class Sample(Generic[_T]):
    """Keeps what is added; of too much, every second, then every fourth, and so on.

    Attributes:
        kept: What is kept, in the order in which it came.
        count: How much has come.
        every: 1 if everything is kept, 2 if every second, and so on.
    """

    def __init__(self, limit: int) -> None:
        """Start with nothing.

        Args:
            limit: How much is kept at most.
        """
        self.kept: list[_T] = []
        self.count = 0
        self.every = 1
        self._limit = limit

    def add(self, item: _T) -> None:
        """Take something in.

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
class Moment:
    """How far the rows of all streams were at a moment."""

    at: float
    read: int
    settled: int
    rejected: int
    active: int
    """Loads that were with Dotdigital."""


@dataclass(slots=True)
class Job:
    """A background job of Dotdigital's, with everything that was sent again because of it."""

    kind: str
    """`import`, `removal` or `deletion`."""
    contacts: int
    requested: float
    """When it was to be sent."""
    timeline: Timeline = field(repr=False)
    """Tells the time."""
    ids: list[str] = field(default_factory=list)
    """Dotdigital's IDs: more than one if the earlier ones came to nothing."""
    accepted: float | None = None
    """When Dotdigital gave the newest ID."""
    started: float | None = None
    """When a poll first said that Dotdigital was at work on it; many end before that."""
    ended: float | None = None
    outcome: JobOutcome = "under_way"
    new: int = 0
    updated: int = 0
    imported: int = 0
    """Those that are new or updated, and those of which it is not told."""
    departed: int = 0
    """Contacts that have left, or were not there."""
    rejected: dict[str, int] = field(default_factory=dict)
    """Contacts by reject code."""

    def accept(self, job_id: str) -> None:
        """Note that Dotdigital has taken it, once more if it came to nothing before.

        Args:
            job_id: Its ID.
        """
        self.ids.append(job_id)
        self.accepted, self.started, self.ended = self.timeline.seconds(), None, None

    def run(self, *, is_queued: bool) -> None:
        """Note that it has not ended.

        Args:
            is_queued: Whether Dotdigital has not begun with it.
        """
        if self.started is None and not is_queued:
            self.started = self.timeline.seconds()

    def end(self) -> None:
        """Note that it is over, whatever has become of it."""
        self.ended = self.timeline.seconds()

    def waiting_for_a_slot(self) -> AbstractContextManager[None]:
        """Return what notes how long it is held back because all slots are taken."""
        return self.timeline.waiting("slots", self.kind)

    @property
    def is_notable(self) -> bool:
        """Whether it did not go as it should."""
        return self.outcome != "settled" or len(self.ids) > 1 or bool(self.rejected)

    def settle(self, settlement: Settlement) -> None:
        """Take in what became of its contacts.

        Args:
            settlement: That, and nothing else.
        """
        refused = dict(settlement.unnamed_codes)
        for _, code in settlement.rejected:
            refused[code] = refused.get(code, 0) + 1
        self.rejected = {code: count for code, count in sorted(refused.items()) if count}
        unnamed = len(settlement.unnamed) - sum(settlement.unnamed_codes.values())
        self.new, self.updated = len(settlement.new), len(settlement.updated)
        self.imported = len(settlement.imported) + unnamed
        self.departed = len(settlement.left) + len(settlement.deleted) + len(settlement.unknown)


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
        """Let a wait that is going on count up to now.

        Args:
            at: When it is.
        """
        if self._waiting:
            self._end(at)
            self._since = at

    def _end(self, at: float) -> None:
        if at - self._since >= SHORTEST_WAIT_SECONDS:
            self.seconds += at - self._since
            self.add(Wait(self._since, at))


@dataclass(frozen=True, slots=True)
class Release:
    """A STATE that was printed."""

    at: float
    row: int
    """The number of the last row that it covers, over all streams."""


class Timeline:
    """Takes note of what happens. Safe to use from several threads."""

    def __init__(self, clock: Clock) -> None:
        """Start the run.

        Args:
            clock: Tells the time.
        """
        self._clock = clock
        self._start = clock.now()
        self._lock = threading.Lock()
        self._open: dict[int, Job] = {}
        self._moments: list[Moment] = [Moment(0.0, 0, 0, 0, 0)]
        self._interval = FIRST_INTERVAL_SECONDS
        self._notable: Sample[Job] = Sample(MAX_JOBS)
        self.jobs: Sample[Job] = Sample(MAX_JOBS)
        """Jobs that have ended."""
        self._waits: dict[tuple[WaitReason, str], Waits] = {}
        """By reason, and by what was held back: a route, or a kind of job."""
        self.states: Sample[Release] = Sample(MAX_STATES)
        """STATE values that were printed."""
        self.last_state: Release | None = None

    def seconds(self) -> float:
        """Return for how long the run has been going on."""
        return self._clock.now() - self._start

    @contextmanager
    def job(self, kind: JobKind, contacts: int) -> Iterator[Job]:
        """Follow a job until its contacts are settled.

        Args:
            kind: Its kind.
            contacts: How many contacts are in it.

        Yields:
            The job, to be told what happens to it.
        """
        job = Job(kind.name.lower(), contacts, self.seconds(), self)
        with self._lock:
            self._open[id(job)] = job
        try:
            yield job
        except BaseException as error:
            if not isinstance(error, AbandonedError):
                self._close(job, "failed" if job.ids else "refused")
            raise
        self._close(job, "settled")

    def _close(self, job: Job, outcome: JobOutcome) -> None:
        with self._lock:
            job.outcome = outcome
            if job.ended is None:
                job.end()
            self._open.pop(id(job), None)
            self.jobs.add(job)
            if job.is_notable:
                self._notable.add(job)

    def listed_jobs(self) -> list[Job]:
        """Return those that are under way, the notable ones and a sample of the others."""
        with self._lock:
            found = [*self._open.values(), *self._notable.kept, *self.jobs.kept]
            return sorted({id(job): job for job in found}.values(), key=lambda job: job.requested)

    @property
    def job_count(self) -> int:
        """How many jobs there were, those under way included."""
        with self._lock:
            return self.jobs.count + len(self._open)

    @contextmanager
    def waiting(self, reason: WaitReason, what: str) -> Iterator[None]:
        """Note how long something is held back.

        Args:
            reason: Why.
            what: A route, or a kind of job.
        """
        with self._lock:
            waits = self._waits.setdefault((reason, what), Waits())
            waits.enter(self.seconds())
        try:
            yield
        finally:
            with self._lock:
                waits.leave(self.seconds())

    def waits(self) -> list[tuple[WaitReason, str, Waits]]:
        """Return what was held back and why, with the times; those under way end now."""
        with self._lock:
            for waits in self._waits.values():
                waits.break_off(self.seconds())
            return [(*key, waits) for key, waits in sorted(self._waits.items()) if waits.count]

    def note_state(self, row: int) -> None:
        """Note that a STATE was printed.

        Args:
            row: The number of the last row that it covers.
        """
        self.last_state = Release(self.seconds(), row)
        self.states.add(self.last_state)

    def note_progress(self, read: int, settled: int, rejected: int, active: int) -> None:
        """Note how far the rows are. Called as often as one likes, by the main thread alone.

        Args:
            read: Rows read.
            settled: Rows whose fate is known.
            rejected: Of those, the rejected ones.
            active: Loads that are with Dotdigital.
        """
        moments, now = self._moments, self.seconds()
        last = moments[-1]
        if (last.read, last.settled, last.rejected, last.active) == (
            read,
            settled,
            rejected,
            active,
        ):
            return
        # The newest is always kept, and replaced if it is near to those before and after it.
        if len(moments) > 1 and max(last.at - moments[-2].at, now - last.at) < self._interval:
            moments.pop()
        moments.append(Moment(now, read, settled, rejected, active))
        if len(moments) > MAX_MOMENTS:
            self._interval *= 2
            del moments[1:-1:2]

    @property
    def moments(self) -> list[Moment]:
        """How far the rows were, from the start to the last change."""
        return list(self._moments)
