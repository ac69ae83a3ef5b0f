"""Dotdigital's background jobs: waiting until one is taken, and polling it to its end."""

from __future__ import annotations

import logging
import random
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import backoff

from target_dotdigital.errors import (
    DotdigitalError,
    NotFoundError,
    RequestRefusedError,
    TooManyActiveJobsError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from target_dotdigital.clock import Clock
    from target_dotdigital.timeline import Job, Timeline

FIRST_POLL_SECONDS = 0.5
POLL_GROWTH = 1.5
MAX_POLL_SECONDS = 60.0
"""Polls slow down to this: an import may take hours."""

MAX_SENDS = 3
"""How often the same is sent when Dotdigital loses a job or says `Failed`."""

MAX_ODD_POLLS = 4
"""Answers in a row that make no sense (404, an unknown status) before they are believed."""

MAX_SLOT_WAIT_SECONDS = 60.0
_SLOT_CHECK_SECONDS = 0.5

_ENDS = {
    "rejectedbywatchdog": (
        "RejectedByWatchdog: Dotdigital's Data Watchdog refuses it; sending it again does not help"
    ),
    "exceedsallowedcontactlimit": (
        "ExceedsAllowedContactLimit: the account's contact allowance would be exceeded"
    ),
    "invalidfileformat": "InvalidFileFormat: Dotdigital cannot read it",
    "unknown": "Unknown: Dotdigital does not know what became of it",
    "notavailableinthisversion": (
        "NotAvailableInThisVersion: Dotdigital cannot tell what became of it"
    ),
}
"""Final status words besides success and `Failed`, and what they mean. None is retried."""

_QUEUED = "notstarted"
"""Of the words for a job that runs: Dotdigital has not begun with it."""

_logger = logging.getLogger("target-dotdigital.jobs")


class JobStatus(Protocol):
    """What a poll answers."""

    @property
    def status(self) -> str:
        """The status word."""


_Status = TypeVar("_Status", bound=JobStatus)


@dataclass(frozen=True, slots=True)
class JobKind:
    """What messages call a job, and its status words, in lower case."""

    name: str
    running: frozenset[str]
    success: str


IMPORT = JobKind("Import", frozenset({"notfinished", "notstarted"}), "finished")
DELETION = JobKind("Deletion", frozenset({"notfinished", "notstarted"}), "finished")
REMOVAL = JobKind("Removal", frozenset({"started"}), "completed")


class Jobs:
    """Starts and awaits jobs of one kind. Safe to use from several threads, a job each."""

    def __init__(
        self,
        kind: JobKind,
        clock: Clock,
        timeout_seconds: float,
        timeline: Timeline,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Keep what every job shares.

        Args:
            kind: The kind of job.
            clock: Waits between polls.
            timeout_seconds: How long a job may take, from its first request on.
            timeline: Where it is noted what happens to them.
            jitter: Random numbers in [0, 1).
        """
        self._kind = kind
        self._clock = clock
        self._timeout = timeout_seconds
        self._timeline = timeline
        self._jitter = jitter
        self._lock = threading.Lock()
        self._ends = 0

    def deadline(self) -> float:
        """Return by when a job whose first request is sent now must have ended."""
        return self._clock.now() + self._timeout

    def follow(self, contacts: int) -> AbstractContextManager[Job]:
        """Return what notes the course of a job until it is left.

        Args:
            contacts: How many contacts are in it.
        """
        return self._timeline.job(self._kind, contacts)

    def complete(
        self,
        send: Callable[[], str],
        poll: Callable[[str], _Status],
        job: Job,
        deadline: float | None = None,
    ) -> tuple[str, _Status]:
        """Start a job and bring it to its end; again if it comes to nothing.

        Args:
            send: Asks for the job, and returns its ID.
            poll: Returns its status.
            job: Told what happens, for the report.
            deadline: When to give up; by default the timeout from now.

        Returns:
            The job's ID, and its last status, which is a success.

        Raises:
            TargetDotdigitalError: It has not ended well, or not in time.
        """
        if deadline is None:
            deadline = self.deadline()
        name = self._kind.name
        for _ in range(MAX_SENDS):
            job_id = self._start(send, deadline)
            job.accept(job_id, self._timeline.seconds())
            try:
                status = self._await_end(job_id, poll, job, deadline)
            finally:
                job.ended = self._timeline.seconds()
                with self._lock:
                    self._ends += 1
            if status is not None:
                return job_id, status
            _logger.warning("%s %s came to nothing; sending it again", name, job_id)
        raise DotdigitalError(f"{name} {job_id} came to nothing, as did those before it")

    def _start(self, send: Callable[[], str], deadline: float) -> str:
        """Ask for a job, waiting for one of the account's slots if all are taken."""
        waits = backoff.expo(factor=2, max_value=MAX_SLOT_WAIT_SECONDS)
        next(waits)  # the library's generators begin with a 0 that is not meant as a wait
        taken = f"All of the account's {self._kind.name.lower()} slots are taken"
        while True:
            ends = self._ends
            try:
                return send()
            except TooManyActiveJobsError:
                now = self._clock.now()
                if now >= deadline:
                    raise self._overdue(taken) from None
                _logger.info("%s; waiting for one", taken)
                until = min(now + backoff.full_jitter(next(waits)), deadline)
            # One of our own that ends frees a slot sooner than any guess.
            with self._timeline.waiting("slots", self._kind.name.lower()):
                while self._clock.now() < until and self._ends == ends:
                    self._clock.sleep(_SLOT_CHECK_SECONDS)

    def _await_end(
        self, job_id: str, poll: Callable[[str], _Status], job: Job, deadline: float
    ) -> _Status | None:
        """Poll until the job has ended.

        Returns:
            Its last status; None if Dotdigital lost it or says `Failed`, and it may be sent again.

        Raises:
            DotdigitalError: It has ended otherwise, or not in time.
        """
        name = f"{self._kind.name} {job_id}"
        wait = FIRST_POLL_SECONDS
        odd = 0
        while True:
            # Spread a little, so that jobs started together are not polled together.
            self._clock.sleep(min(wait * (0.9 + self._jitter() / 5), MAX_POLL_SECONDS))
            wait = min(wait * POLL_GROWTH, MAX_POLL_SECONDS)
            report = self._poll(job_id, poll)
            word = None if report is None else report.status.strip().lower()
            if word == self._kind.success:
                return report
            if word == "failed":
                return None
            if word in _ENDS:
                raise DotdigitalError(f"{name}: {_ENDS[word]}")
            if word in self._kind.running:
                odd = 0
                if word != _QUEUED and job.started is None:
                    job.started = self._timeline.seconds()
            else:
                odd += 1
                if odd == MAX_ODD_POLLS and word is None:
                    return None
                if odd == MAX_ODD_POLLS:
                    shown = word if re.fullmatch(r"[a-z]{1,40}", word or "") else "not shown"
                    raise DotdigitalError(f"{name}: unknown status ({shown})")
            if self._clock.now() >= deadline:
                raise self._overdue(f"{name} has not ended")

    def _poll(self, job_id: str, poll: Callable[[str], _Status]) -> _Status | None:
        """Return a job's status, or None if Dotdigital does not know the job."""
        try:
            return poll(job_id)
        except NotFoundError:
            return None
        except RequestRefusedError as error:
            # Of the poll, not of what was sent: nothing in that is at fault.
            raise DotdigitalError(f"{self._kind.name} {job_id}: {error.message}") from None

    def _overdue(self, what: str) -> DotdigitalError:
        return DotdigitalError(f"{what} within {self._timeout / 60:.0f} minutes")
