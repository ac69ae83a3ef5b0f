"""Background jobs: the threads that work them off, and the IDs by which clients ask for them."""

from __future__ import annotations

import logging
import queue
import re
import sqlite3
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

JOB_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_logger = logging.getLogger(__name__)


class JobQueue:
    """Threads that work off jobs by their numbers, in the order in which they are queued.

    A job is on disk before it is queued. One that is not finished when the queue stops waits
    there for the next start.

    Attributes:
        stopping: Set when the queue stops. A job that takes long looks at it between its parts.
    """

    def __init__(
        self, kind: str, work: Callable[[int], None], fail: Callable[[int], None], threads: int
    ) -> None:
        """Make the queue; nothing is worked off before `start`.

        Args:
            kind: What the jobs are called in logs and in the names of threads.
            work: Works off the job of a number.
            fail: Notes on disk that the job of a number has failed.
            threads: How many jobs are worked off at a time. With 0, they wait on disk.
        """
        self.stopping = threading.Event()
        self._kind = kind
        self._work = work
        self._fail = fail
        self._queue: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"sandbox-{kind}-{number}", daemon=True)
            for number in range(1, threads + 1)
        ]

    def start(self, unfinished: Iterable[int]) -> None:
        """Start, first of all with the jobs that an earlier run left."""
        for sequence in unfinished:
            self._queue.put(sequence)
        for thread in self._threads:
            thread.start()

    def put(self, sequence: int) -> None:
        """Queue a job that is on disk."""
        self._queue.put(sequence)

    def stop(self) -> None:
        """Stop after the parts that are being written."""
        self.stopping.set()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while (sequence := self._queue.get()) is not None and not self.stopping.is_set():
            try:
                self._work(sequence)
            except Exception as error:  # noqa: BLE001 - the thread outlives whatever a job does
                self._log(sequence, "failed", error)
                self._give_up(sequence)

    def _give_up(self, sequence: int) -> None:
        try:
            self._fail(sequence)
        except (sqlite3.Error, OSError) as error:
            # The disk may be full. The job stays on disk and is tried at the next start.
            self._log(sequence, "stays unfinished", error)

    def _log(self, sequence: int, outcome: str, error: Exception) -> None:
        # Neither text nor traceback: they may hold what the job holds.
        kind = self._kind.capitalize()
        _logger.error("%s number %d %s: %s", kind, sequence, outcome, type(error).__name__)
