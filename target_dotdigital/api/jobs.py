"""Dotdigital's background jobs: waiting until one is taken, and polling it to its end."""

from __future__ import annotations

import logging
import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import backoff

from target_dotdigital.api.polling import (
    FIRST_WAIT_SECONDS,
    MAX_WAIT_SECONDS,
    Durations,
    seconds_to_wait,
)
from target_dotdigital.api.slots import Slots
from target_dotdigital.errors import (
    DotdigitalError,
    NotFoundError,
    RequestRefusedError,
    TooManyActiveJobsError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_dotdigital.api.polling import PollLimit
    from target_dotdigital.clock import Clock
    from target_dotdigital.events import Job

MAX_SENDS = 3
"""How often the same is sent when Dotdigital loses a job or says `Failed`."""

MAX_ODD_POLLS = 4
"""Answers in a row that make no sense (404, an unknown status) before they are believed. One right
after the job was taken does not count, and the waits between the others double."""

MAX_SLOT_WAIT_SECONDS = 60.0

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
        limit: PollLimit,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Keep what every job shares.

        Args:
            kind: The kind of job.
            clock: Waits between polls.
            timeout_seconds: How long a job may take, from its first request on.
            limit: Of the polls, shared with jobs of other kinds.
            jitter: Random numbers in [0, 1).
        """
        self.durations = Durations()
        """How long jobs have taken so far."""
        self._limit = limit
        self._kind = kind
        self._clock = clock
        self._timeout = timeout_seconds
        self._jitter = jitter
        self._slots = Slots(clock)

    def deadline(self) -> float:
        """Return by when a job whose first request is sent now must have ended."""
        return self._clock.now() + self._timeout

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
            job: What is noted of it: how many contacts it is for, and what happens to it.
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
            with self._slots.asking():
                job_id = self._start(send, job, deadline)
            job.accept(job_id)
            try:
                status = self._await_end(job_id, poll, job, deadline)
            finally:
                job.end()
                self._slots.free()
            if status is not None:
                return job_id, status
            _logger.warning("%s %s came to nothing; sending it again", name, job_id)
        raise DotdigitalError(f"{name} {job_id} came to nothing, as did those before it")

    def _start(self, send: Callable[[], str], job: Job, deadline: float) -> str:
        """Ask for a job, waiting for one of the account's slots if all are taken."""
        waits = backoff.expo(factor=2, max_value=MAX_SLOT_WAIT_SECONDS)
        next(waits)  # the library's generators begin with a 0 that is not meant as a wait
        taken = f"All of the account's {self._kind.name.lower()} slots are taken"
        while True:
            try:
                return send()
            except TooManyActiveJobsError:
                now = self._clock.now()
                if now >= deadline:
                    raise self._overdue(taken) from None
                _logger.info("%s; waiting for one", taken)
                until = min(now + backoff.full_jitter(next(waits)), deadline)
            with job.waiting_for_a_slot():
                self._slots.wait(until)

    def _await_end(
        self, job_id: str, poll: Callable[[str], _Status], job: Job, deadline: float
    ) -> _Status | None:
        """Poll until the job has ended.

        Returns:
            Its last status; None if Dotdigital lost it or says `Failed`, and it may be sent again.

        Raises:
            DotdigitalError: It has ended otherwise, or not in time.
        """
        name, size = f"{self._kind.name} {job_id}", job.contacts
        taken_at = self._clock.now()
        running = 0.0
        odd = 0
        is_early = self.durations.ends_at_once(size)
        if is_early:
            self._limit.charge(taken_at)
        else:
            self._pause(0.0, size, odd)
        while True:
            age = self._clock.now() - taken_at
            report = self._poll(job_id, poll)
            word = None if report is None else report.status.strip().lower()
            if report is not None and self._is_end(word, name):
                self._limit.give_back()
                if word == "failed":
                    return None
                self.durations.note_end(size, running, age)
                return report
            running = age
            if word in self._kind.running:
                odd = 0
                job.run(is_queued=word == _QUEUED)
            elif not is_early:
                odd += 1
                if odd == MAX_ODD_POLLS:
                    self._check_lost(word, name)
                    return None
            if self._clock.now() >= deadline:
                raise self._overdue(f"{name} has not ended")
            if is_early:
                self.durations.note_running()
                is_early = False
            self._pause(age, size, odd)

    def _is_end(self, word: str | None, name: str) -> bool:
        """Return whether a job has ended, well or as `Failed`.

        Raises:
            DotdigitalError: It has ended otherwise.
        """
        if word in _ENDS:
            raise DotdigitalError(f"{name}: {_ENDS[word]}")
        return word in (self._kind.success, "failed")

    def _check_lost(self, word: str | None, name: str) -> None:
        """Return if Dotdigital does not know a job.

        Raises:
            DotdigitalError: It does, but its status word is an unknown one.
        """
        if word is not None:
            shown = word if re.fullmatch(r"[a-z]{1,40}", word) else "not shown"
            raise DotdigitalError(f"{name}: unknown status ({shown})")

    def _pause(self, age: float, size: int, odd: int) -> None:
        """Wait until a running job is to be polled, and it may be."""
        wait = seconds_to_wait(age, self.durations.expected(size), self._jitter())
        if odd:
            wait = max(wait, min(FIRST_WAIT_SECONDS * 2 ** (odd - 1), MAX_WAIT_SECONDS))
        while wait > 0:
            self._clock.sleep(wait)
            wait = self._limit.take(self._clock.now())

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
