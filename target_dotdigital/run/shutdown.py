"""The end of a run that is stopped or fails: what is under way has some time left."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_dotdigital.errors import AbandonedError

if TYPE_CHECKING:
    from target_dotdigital.clock import Clock

_logger = logging.getLogger("target-dotdigital")


class Shutdown:
    """The time that is left once it has begun."""

    def __init__(self, clock: Clock, grace_seconds: int) -> None:
        """Start with a run that goes on.

        Args:
            clock: Tells the time.
            grace_seconds: How long it takes at most.
        """
        self._clock = clock
        self._grace_seconds = grace_seconds
        self._ends_at: float | None = None
        self._is_announced = False

    @property
    def has_begun(self) -> bool:
        """Whether the run is to end, and to read nothing more."""
        return self._ends_at is not None

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return self._ends_at is not None and self._clock.now() >= self._ends_at

    def begin(self) -> None:
        """Begin, or begin anew. Safe in a signal handler."""
        self._ends_at = self._clock.now() + self._grace_seconds

    def limit(self, seconds: float | None) -> float | None:
        """Return how long to wait at most for what is under way.

        Args:
            seconds: How long at most if the run goes on; None for ever.

        Raises:
            AbandonedError: No time is left.
        """
        if self._ends_at is None:
            return seconds
        if not self._is_announced:
            self._is_announced = True
            _logger.info(
                "Waiting up to %d seconds for active imports before the run ends",
                self._grace_seconds,
            )
        left = self._ends_at - self._clock.now()
        if left <= 0:
            raise AbandonedError("The run is stopped before every import has ended")
        return left if seconds is None else min(seconds, left)
