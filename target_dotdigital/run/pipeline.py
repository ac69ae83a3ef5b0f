"""The way of contacts to Dotdigital and back: open batches, queued loads, settled rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_dotdigital.loading import Batches, Downstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_dotdigital.clock import Clock
    from target_dotdigital.fingerprints import Fingerprints
    from target_dotdigital.loading import Capacity, Load, LoadQueue, RowCounts, Settlement, Wakeup
    from target_dotdigital.report import Progress
    from target_dotdigital.run.shutdown import Shutdown
    from target_dotdigital.run.state_output import StateOutput
    from target_dotdigital.settings import Settings


@dataclass(eq=False)
class Pipeline:
    """Moves loads on, takes in what has become of them, and lets STATE out.

    All of it belongs to the main thread.

    Attributes:
        max_body_bytes: Returns the most bytes of an import's JSON.
        capacity: Returns what there is to be known when an import may be sent.
        batches: The loads that are open.
    """

    settings: Settings
    clock: Clock
    wakeup: Wakeup
    shutdown: Shutdown
    queue: LoadQueue
    counts: RowCounts
    states: StateOutput
    progress: Progress
    fingerprints: Fingerprints | None
    max_body_bytes: Callable[[], int]
    capacity: Callable[[], Capacity]
    batches: Batches = field(init=False)

    def __post_init__(self) -> None:
        """Open no batch yet."""
        downstream = Downstream(self.max_body_bytes, self.capacity, self.wait_for_load)
        self.batches = Batches(self.settings, self.clock, self._submit, downstream)

    # On the way out.

    def _submit(self, load: Load) -> None:
        self.collect()
        self.clock.check_sending()
        while self.queue.is_full:
            self.wait_for_load()
            self.clock.check_sending()
        if self.fingerprints is not None:
            self.fingerprints.commit()
        self.queue.add(load)

    def perform_last(self, load: Load) -> None:
        """Bring a load to its end when there is no other.

        Args:
            load: The load.

        Raises:
            AbandonedError: The run was stopped.
            TargetDotdigitalError: The load has failed.
        """
        self.queue.add(load)
        while self.queue.unsettled:
            self.clock.check_sending()
            self.wait_for_load()

    def flush(self) -> None:
        """Send what is open, and wait for all that is under way.

        Raises:
            AbandonedError: The run was stopped.
            TargetDotdigitalError: A load has failed.
        """
        self.collect()
        self.batches.flush()
        while self.queue.unsettled:
            self.wait_for_load()
            self.clock.check_sending()

    # On the way back.

    def wait_for_load(self, seconds: float | None = None) -> None:
        """Wait until a load ends or the time is up; take in and write what that allows.

        Args:
            seconds: How long to wait at most; None for ever.

        Raises:
            AbandonedError: The run is to end, and no time is left.
            TargetDotdigitalError: A load has failed.
        """
        self.wait(self.shutdown.limit(seconds))
        self.collect()
        self.release()
        self.show_progress()

    def wait(self, seconds: float | None, descriptor: int | None = None) -> bool:
        """Wait, at most until it is time to tell how far the run is.

        Args:
            seconds: How long to wait at most; None for ever.
            descriptor: What to watch besides.

        Returns:
            Whether the descriptor can be read.
        """
        until_told = self.progress.seconds_left()
        seconds = until_told if seconds is None else min(seconds, until_told)
        return self.wakeup.wait(self.clock.real_seconds(seconds), descriptor)

    def show_progress(self) -> None:
        """Tell how far the run is, if it is time to."""
        self.progress.update(self.queue.active)

    def collect(self) -> None:
        """Settle the loads that have ended; then raise the failure of one, if there is any.

        Raises:
            TargetDotdigitalError: A load has failed, or too much is rejected.
        """
        failure: Exception | None = None
        for load, outcome in self.queue.take_ended():
            error = self._failure(outcome)
            if error is not None:
                self.states.block(load.first_row)
                failure = failure or error
        if failure is not None:
            self.release()
            raise failure

    def _failure(self, outcome: Settlement | Exception) -> Exception | None:
        """Settle a load's rows; return why that cannot be done, if it cannot."""
        if isinstance(outcome, Exception):
            return outcome
        try:
            self.counts.settle(outcome)
            if self.fingerprints is not None:
                whole, others = outcome.by_arrival()
                self.fingerprints.settle(whole, others, outcome.ids)
        except Exception as error:  # noqa: BLE001 - raised later, after the other loads
            return error
        return None

    def note_state(self, value: str) -> None:
        """Take a STATE in, to be written once every row so far is settled.

        Args:
            value: The STATE's value, a JSON text.
        """
        self.states.note(value, self._open_rows())

    def release(self) -> None:
        """Write the STATE that settled rows allow.

        Raises:
            StorageError: The rejects file, or STATE, cannot be written.
        """
        self.states.release(self._open_rows())

    def _open_rows(self) -> Iterator[int]:
        """Yield the first row of every load that is not settled."""
        yield from (load.first_row for load in self.batches)
        yield from (load.first_row for load in self.queue.unsettled)
