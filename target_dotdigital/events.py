"""What happened in a run, and when: jobs, waits, printed STATE values, progress of the rows.

No row is noted, and what is kept is bounded: see `samples`. Times are seconds from the run's start.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from target_dotdigital.bounded_records import Progress, ProgressPoint, Sample, Waits
from target_dotdigital.errors import AbandonedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from target_dotdigital.clock import Clock

MAX_JOBS: Final = 300
"""Jobs that are kept in full, and as many of those that did not go as they should."""

MAX_STATES: Final = 200
"""STATE values whose times are kept."""

JobName = Literal["import", "removal", "deletion"]
JobOutcome = Literal["under_way", "settled", "refused", "failed"]
WaitReason = Literal["call_limit", "slots", "retry"]


@dataclass(slots=True, eq=False)
class Job:
    """A background job of Dotdigital's, with everything that was sent again because of it."""

    kind: JobName
    contacts: int
    requested: float
    """When it was to be sent."""
    events: Events = field(repr=False)
    """Where it belongs to. It has the time."""
    ids: list[str] = field(default_factory=list)
    """Dotdigital's IDs: more than one if the earlier ones were lost or have failed."""
    accepted: float | None = None
    """When Dotdigital gave the newest ID."""
    started: float | None = None
    """When a poll first said that Dotdigital was at work on it; many end before that."""
    ended: float | None = None
    outcome: JobOutcome = "under_way"
    new: int = 0
    updated: int = 0
    imported: int = 0
    """Contacts that are new or updated, or of which it is not known which of the two."""
    removed: int = 0
    """Contacts that have left, or were not there."""
    rejected: dict[str, int] = field(default_factory=dict)
    """Contacts by reject code."""

    def accept(self, job_id: str) -> None:
        """Note that Dotdigital has taken it, or has taken it again.

        Args:
            job_id: Its ID.
        """
        self.ids.append(job_id)
        self.accepted, self.started, self.ended = self.events.seconds(), None, None

    def run(self, *, is_queued: bool) -> None:
        """Note that it has not ended.

        Args:
            is_queued: Whether Dotdigital has not begun with it.
        """
        if self.started is None and not is_queued:
            self.started = self.events.seconds()

    def end(self) -> None:
        """Note that it is over, whatever has become of it."""
        self.ended = self.events.seconds()

    def waiting_for_a_slot(self) -> AbstractContextManager[None]:
        """Return what notes how long it is held back because all slots are taken."""
        return self.events.waiting("slots", self.kind)

    @property
    def is_notable(self) -> bool:
        """Whether it did not go as it should."""
        return self.outcome != "settled" or len(self.ids) > 1 or bool(self.rejected)

    def settle(
        self,
        *,
        imported: int = 0,
        new: int = 0,
        updated: int = 0,
        removed: int = 0,
        rejected: Mapping[str, int] | None = None,
    ) -> None:
        """Note what became of its contacts.

        Args:
            imported: How many were imported.
            new: Of these, how many are known to be new to the account.
            updated: Of these, how many are known to have been in the account.
            removed: How many have left, or were not there.
            rejected: How many were refused, by reject code; None if there are none.
        """
        self.imported, self.new, self.updated = imported, new, updated
        self.removed = removed
        self.rejected = {code: count for code, count in sorted((rejected or {}).items()) if count}


@dataclass(frozen=True, slots=True)
class PrintedState:
    """A STATE that was printed."""

    at: float
    row: int
    """The number of the last row that it covers, over all streams."""


class Events:
    """The events of a run. Safe to use from several threads."""

    def __init__(self, clock: Clock) -> None:
        """Start the run.

        Args:
            clock: Tells the time.
        """
        self._clock = clock
        self._start = clock.now()
        self._lock = threading.Lock()
        self._open: list[Job] = []
        self._notable: Sample[Job] = Sample(MAX_JOBS)
        self.jobs: Sample[Job] = Sample(MAX_JOBS)
        """Jobs that have ended."""
        self._waits: dict[tuple[WaitReason, str], Waits] = {}
        """By reason, and by what was held back: a route, or a kind of job."""
        self.states: Sample[PrintedState] = Sample(MAX_STATES)
        """STATE values that were printed."""
        self.last_state: PrintedState | None = None
        self._progress = Progress()

    def seconds(self) -> float:
        """Return for how long the run has been going on."""
        return self._clock.now() - self._start

    @contextmanager
    def job(self, kind: JobName, contacts: int) -> Iterator[Job]:
        """Follow a job until its contacts are settled.

        Args:
            kind: Its kind.
            contacts: How many contacts are in it.

        Yields:
            The job, to note what happens to it.
        """
        job = Job(kind, contacts, self.seconds(), self)
        with self._lock:
            self._open.append(job)
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
            self._open.remove(job)
            self.jobs.add(job)
            if job.is_notable:
                self._notable.add(job)

    def listed_jobs(self) -> list[Job]:
        """Return those that are under way, the notable ones and a sample of the others."""
        with self._lock:
            found = [*self._open, *self._notable.kept, *self.jobs.kept]
            return sorted(dict.fromkeys(found), key=lambda job: job.requested)

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
        self.last_state = PrintedState(self.seconds(), row)
        self.states.add(self.last_state)

    def note_progress(self, read: int, settled: int, rejected: int, active: int) -> None:
        """Note the progress of the rows. Called as often as one likes, by the main thread alone.

        Args:
            read: Rows read.
            settled: Rows whose fate is known.
            rejected: Of those, the rejected ones.
            active: Loads that are with Dotdigital.
        """
        self._progress.add(ProgressPoint(self.seconds(), read, settled, rejected, active))

    @property
    def progress(self) -> Sequence[ProgressPoint]:
        """The progress of the rows, from the start to the last change."""
        return tuple(self._progress.points)
