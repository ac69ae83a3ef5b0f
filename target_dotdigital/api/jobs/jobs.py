"""Dotdigital's background jobs: started when a slot is free, brought to their end, sent again."""

from __future__ import annotations

import logging
import random
import re
from typing import TYPE_CHECKING, TypeVar

import backoff

from target_dotdigital.api.jobs.kinds import FAILED, QUEUED, JobStatus
from target_dotdigital.api.jobs.polling import (
    FIRST_WAIT_SECONDS,
    MAX_WAIT_SECONDS,
    Durations,
    seconds_to_wait,
)
from target_dotdigital.api.jobs.slots import Slots
from target_dotdigital.errors import (
    DotdigitalError,
    NotFoundError,
    RequestRefusedError,
    TooManyActiveJobsError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_dotdigital.api.jobs.kinds import JobKind
    from target_dotdigital.api.jobs.poll_limit import PollLimit
    from target_dotdigital.clock import Clock
    from target_dotdigital.events import Job

MAX_SENDS = 3
"""How often the same is sent when Dotdigital loses a job or says `Failed`."""

MAX_UNCLEAR_POLLS = 4
"""Answers in a row that make no sense (404, an unknown status) before they are believed. One right
after the job was taken does not count, and the waits between the others double."""

MAX_SLOT_WAIT_SECONDS = 60.0

LOOK_SECONDS = 0.25
LOOK_SHARE = 0.01
"""How soon, or after what share of its age, a job that waits for its poll looks again whether it is
due: an end of another may have told when, or opened the way."""

_logger = logging.getLogger("target-dotdigital.jobs")

_Status = TypeVar("_Status", bound=JobStatus)


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
        self._kind = kind
        self._clock = clock
        self._timeout = timeout_seconds
        self._limit = limit
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
        """Start a job and bring it to its end; again if it is lost or has failed.

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
        name = self._kind.title
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
            _logger.warning("%s %s failed at Dotdigital. Sending it again", name, job_id)
        raise DotdigitalError(
            f"{name} {job_id} failed at Dotdigital, {MAX_SENDS} times in all. Run it again later"
        )

    def _start(self, send: Callable[[], str], job: Job, deadline: float) -> str:
        """Ask for a job, waiting for one of the account's slots if all are taken."""
        waits = backoff.expo(factor=2, max_value=MAX_SLOT_WAIT_SECONDS)
        next(waits)  # the library's generators begin with a 0 that is not meant as a wait
        slot = f"{self._kind.name} slot"
        while True:
            try:
                return send()
            except TooManyActiveJobsError:
                now = self._clock.now()
                if now >= deadline:
                    raise self._overdue(
                        f"No {slot} of the account became free", "Pause its other integrations"
                    ) from None
                _logger.info("The account has no free %s. Waiting for one", slot)
                until = min(now + backoff.full_jitter(next(waits)), deadline)
            with job.waiting_for_a_slot():
                self._slots.wait(until)

    def _await_end(
        self, job_id: str, poll: Callable[[str], _Status], job: Job, deadline: float
    ) -> _Status | None:
        """Poll a job until it has ended.

        Returns:
            Its last status; None if Dotdigital lost it or says `Failed`, and it may be sent again.

        Raises:
            DotdigitalError: It has ended otherwise, or not in time.
        """
        self._limit.add(job, job.contacts, self._clock.now())
        try:
            return self._poll_to_its_end(job_id, poll, job, deadline)
        finally:
            self._limit.remove(job)

    def _poll_to_its_end(
        self, job_id: str, poll: Callable[[str], _Status], job: Job, deadline: float
    ) -> _Status | None:
        name, size, taken_at = f"{self._kind.title} {job_id}", job.contacts, self._clock.now()
        seen_running = 0.0  # the job's age when it was last seen running
        unclear = 0
        is_early = self._is_polled_at_once(job, taken_at)
        while True:
            age = self._clock.now() - taken_at
            status, word = self._poll(job_id, poll)
            if status is not None and self._kind.has_ended(word, name):
                self._limit.note_end(job, self._clock.now())
                if word == FAILED:
                    return None
                self.durations.note_end(size, seen_running, age)
                return status
            self._limit.note_running(job, self._clock.now())
            self.durations.note_running(size, age)
            seen_running = age
            if word in self._kind.running:
                unclear = 0
                job.run(is_queued=word == QUEUED)
            elif not is_early:
                unclear += 1
            if unclear == MAX_UNCLEAR_POLLS:
                _check_lost(word, name)
                return None
            if self._clock.now() >= deadline:
                raise self._overdue(f"{name} did not end", "Look at it in Dotdigital")
            is_early = False
            self._pause(job, taken_at, unclear)

    def _is_polled_at_once(self, job: Job, taken_at: float) -> bool:
        """Return whether a job is polled right after it was taken; otherwise wait first."""
        now, expected = self._clock.now(), self.durations.expected(job.contacts)
        if self.durations.ends_at_once(job.contacts) and not self._limit.take_at_once(
            job, now, expected
        ):
            return True
        self._pause(job, taken_at, 0)
        return False

    def _poll(
        self, job_id: str, poll: Callable[[str], _Status]
    ) -> tuple[_Status | None, str | None]:
        """Return a job's status and its word in lower case; None if the job is not known."""
        try:
            status = poll(job_id)
        except NotFoundError:
            return None, None
        except RequestRefusedError as error:
            # Of the poll, not of what was sent: nothing in that is at fault.
            raise DotdigitalError(f"{self._kind.title} {job_id}: {error.message}") from None
        return status, status.status.strip().lower()

    def _pause(self, job: Job, taken_at: float, unclear: int) -> None:
        """Wait until a running job is to be polled, and it may be."""
        polled = self._clock.now() - taken_at
        least = min(FIRST_WAIT_SECONDS * 2 ** (unclear - 1), MAX_WAIT_SECONDS) if unclear else 0.0
        chance = self._jitter()
        while True:
            # Looked at again and again: meanwhile other jobs' ends tell more.
            now = self._clock.now()
            expected = self.durations.expected(job.contacts, now - taken_at)
            wait = max(seconds_to_wait(polled, expected, chance), least) - (now - taken_at - polled)
            if wait <= 0 and not (wait := self._limit.take(job, now, expected)):
                return
            look = max((now - taken_at) * LOOK_SHARE, LOOK_SECONDS)
            self._clock.sleep(min(max(wait, 0.01), look))

    def _overdue(self, what: str, advice: str) -> DotdigitalError:
        return DotdigitalError(
            f"{what} within {self._timeout / 60:.0f} minutes. {advice}, or raise "
            "import_timeout_minutes"
        )


def _check_lost(word: str | None, name: str) -> None:
    """Make sure that Dotdigital does not know a job, rather than telling an unknown status."""
    if word is not None:
        shown = word if re.fullmatch(r"[a-z]{1,40}", word) else "not shown"
        raise DotdigitalError(f"{name} has an unknown status ({shown})")
