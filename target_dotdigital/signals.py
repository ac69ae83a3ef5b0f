"""Signals that end the process: at once while there is nothing to save, else after some time.

It imports little: the command imports it first.
"""

from __future__ import annotations

import os
import signal
import time

FORWARDED_SECONDS = 2.0
"""A second signal within this time is the first one, forwarded: Ctrl-C under Meltano arrives as
SIGINT from the terminal and as SIGTERM from Meltano."""


def exit_at_once() -> None:
    """From now on, end the process without a word at SIGINT and SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda signum, _frame: os._exit(128 + signum))


def exit_after(seconds: float, signum: int) -> None:
    """End the process after some time, whatever it does then. Safe in a signal handler.

    Args:
        seconds: How much time it has.
        signum: The signal that it ends for.
    """
    # An alarm, not a timer thread: the main thread may be interrupted while it holds a lock that
    # starting or logging needs.
    signal.signal(signal.SIGALRM, lambda *_: os._exit(128 + signum))
    signal.setitimer(signal.ITIMER_REAL, seconds)


class ReceivedSignal:
    """The signal that stops a run: the first one that comes."""

    def __init__(self) -> None:
        """Start before any."""
        self.number: int | None = None
        self._received_at = 0.0

    @property
    def name(self) -> str | None:
        """What it is called, such as SIGTERM; None if none has come."""
        return None if self.number is None else signal.Signals(self.number).name

    def receive(self, signum: int) -> bool:
        """Take a signal. One that is neither the first nor forwarded ends the process.

        Args:
            signum: Its number.

        Returns:
            Whether it is the first.
        """
        now = time.monotonic()
        if self.number is None:
            self.number, self._received_at = signum, now
            return True
        if now - self._received_at > FORWARDED_SECONDS:
            os._exit(128 + signum)
        return False
