"""Time as the run sees it: waits that end as soon as the run is given up, or is stopped."""

from __future__ import annotations

import threading
import time

from target_dotdigital.errors import AbandonedError

CHECK_SECONDS = 0.2
"""How soon a wait before a call that writes notices that the run is stopped, in real seconds."""


class Clock:
    """Monotonic time and waits. Tests replace it; nothing else calls `time.sleep`."""

    def __init__(self, pace: float = 1.0) -> None:
        """Start with a run that goes on.

        Args:
            pace: How many of its seconds pass in a real one. Only rehearsals hurry it.
        """
        self._pace = pace
        self._abandoned = threading.Event()
        self.is_stopped = False
        """Whether nothing that writes to Dotdigital may be sent any more."""

    def stop(self) -> None:
        """Let nothing more be sent. Safe in a signal handler: no lock is taken."""
        self.is_stopped = True

    def check_sending(self) -> None:
        """Make sure that something may still be sent.

        Raises:
            AbandonedError: The run is stopped.
        """
        if self.is_stopped:
            raise AbandonedError("The run was stopped before a call that writes")

    def abandon(self) -> None:
        """Give the run up: every wait ends at once."""
        self._abandoned.set()

    def now(self) -> float:
        """Return seconds on a monotonic clock (only differences mean anything)."""
        return time.monotonic() * self._pace

    def real_seconds(self, seconds: float) -> float:
        """Return how long some of its seconds take in real ones, for waits of another kind.

        Args:
            seconds: Seconds of this clock.
        """
        return seconds / self._pace

    def sleep(self, seconds: float) -> None:
        """Wait, or leave at once when the run is given up.

        Args:
            seconds: How long to wait.

        Raises:
            AbandonedError: The run was given up before or during the wait.
        """
        if self._abandoned.wait(self.real_seconds(max(seconds, 0.0))):
            msg = "The run was given up while waiting"
            raise AbandonedError(msg)

    def sleep_before_sending(self, seconds: float) -> None:
        """Wait with something that writes, or leave soon after the run is stopped.

        Args:
            seconds: How long to wait.

        Raises:
            AbandonedError: The run was given up or stopped before or during the wait.
        """
        until = self.now() + seconds
        self.check_sending()
        while (left := until - self.now()) > 0:
            self.sleep(min(left, CHECK_SECONDS * self._pace))
            self.check_sending()
