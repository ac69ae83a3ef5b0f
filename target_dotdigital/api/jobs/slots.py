"""Waiting for one of the account's slots: a job of our own that ends frees one, for one of us."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_dotdigital.clock import Clock

_CHECK_SECONDS = 0.5


class Slots:
    """Sees to it that a slot that comes free is asked for once. Safe to use from several threads.

    If all who wait asked, nearly all of their calls would be refused, and calls are limited.
    """

    def __init__(self, clock: Clock) -> None:
        """Start with nobody asking.

        Args:
            clock: Waits.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._asking = 0
        self._freed = 0

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask for a slot within this, as often as it takes."""
        with self._lock:
            self._asking += 1
        try:
            yield
        finally:
            with self._lock:
                self._asking -= 1
                self._freed = min(self._freed, self._asking)

    def free(self) -> None:
        """Take note of a slot that has come free. Nobody has to be told if nobody asks."""
        with self._lock:
            self._freed = min(self._freed + 1, self._asking)

    def wait(self, until: float) -> None:
        """Wait for a slot that has come free, and take it from the others who ask.

        Args:
            until: When to ask all the same: others use the account too.

        Raises:
            AbandonedError: The run was given up or stopped while waiting.
        """
        while self._clock.now() < until and not self._take():
            self._clock.sleep_before_sending(_CHECK_SECONDS)

    def _take(self) -> bool:
        with self._lock:
            is_free = self._freed > 0
            self._freed -= is_free
        return is_free
