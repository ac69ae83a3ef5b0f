"""The conclusion of a run: what it tells of its rows and its report, however it has ended."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from target_dotdigital.errors import AbandonedError, DataError, StorageError
from target_dotdigital.report import Outcome
from target_dotdigital.singer import error_text, summary_level

if TYPE_CHECKING:
    from target_dotdigital.run import Run
    from target_dotdigital.signals import ReceivedSignal

_logger = logging.getLogger("target-dotdigital")


class Conclusion:
    """Tells how a run has ended, and lets go of everything that it held."""

    def __init__(self, run: Run, signal: ReceivedSignal) -> None:
        """Tell nothing yet.

        Args:
            run: The run.
            signal: The signal that has stopped it, if one has.
        """
        self._run = run
        self._signal = signal

    def tell(self, error: Exception | None) -> None:
        """Tell what became of the rows, write the report, and let go of everything.

        Args:
            error: What the run failed of; None if it did not.

        Raises:
            StorageError: The report cannot be written.
        """
        self._run.close_progress()
        level = summary_level(_logger)
        for line in self._run.summary.lines():
            _logger.log(level, "%s", line)
        for line in self._run.summary.warnings():
            _logger.warning("%s", line)
        try:
            # After a fault of the network or of Dotdigital nobody wants to wait for a number.
            asks = self._signal.number is None and isinstance(error, (DataError, type(None)))
            self._run.write_report(self._outcome(error), asks=asks)
        finally:
            self._run.close()

    def tell_failure(self, error: Exception) -> None:
        """Conclude a run that has failed, whether its report can be written or not.

        Args:
            error: What it failed of.
        """
        try:
            self.tell(error)
        except StorageError as problem:
            self.log(problem)  # and then what the run failed of

    def log(self, error: Exception) -> None:
        """Say in one line what happened, how many rows are settled, and what to do.

        Args:
            error: What happened.
        """
        _logger.error("%s", error_text(error, self._run.summary.progress()))

    def exit_if_stopped(self) -> None:
        """After a signal, end with one line that says what the run leaves to the next one."""
        if self._signal.number is not None:
            remainder = self._run.summary.remainder()
            _logger.warning("Stopped by %s. %s", self._signal.name, remainder)
            sys.exit(128 + self._signal.number)

    def _outcome(self, error: Exception | None) -> Outcome:
        reason = None
        if error is not None and not isinstance(error, AbandonedError):
            reason = error_text(error, self._run.summary.progress()).partition("\n")[0]
        if self._signal.number is not None:
            stopped = f"stopped by {self._signal.name}"
            return Outcome("stopped", stopped if reason is None else f"{stopped}; {reason}")
        return Outcome("succeeded" if error is None else "failed", reason)
