"""One run: what is open, what is unsettled, what may be told, and how it ends."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from target_dotdigital.clock import Clock
from target_dotdigital.dispatch import Dispatch
from target_dotdigital.dry_run import Comparing
from target_dotdigital.errors import (
    AbandonedError,
    DotdigitalError,
    RowRejectedError,
    SettingsError,
    StorageError,
    TargetDotdigitalError,
)
from target_dotdigital.events import Events
from target_dotdigital.loading import (
    MAX_BODY_BYTES,
    MIN_SETTLED_ROWS,
    Batches,
    Downstream,
    RejectsFile,
    RowCounts,
    StateGate,
    Wakeup,
    reject_lines,
)
from target_dotdigital.mirror import Mirroring, Mirrors, check_folder, undo_folder
from target_dotdigital.near_misses import did_you_mean
from target_dotdigital.report import Progress, Reporting
from target_dotdigital.singer import nothing_loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from target_dotdigital.account import Account
    from target_dotdigital.loading import Capacity, Load, Settlement
    from target_dotdigital.mapping import Contact, Row, StreamCounts
    from target_dotdigital.report import Outcome
    from target_dotdigital.settings import MergeOption, Settings

_logger = logging.getLogger("target-dotdigital")


class Run:
    """Takes contacts, rejects and STATE values from the sinks; all in the main thread."""

    def __init__(
        self, settings: Settings, write_state: Callable[[str], None], clock: Clock | None = None
    ) -> None:
        """Prepare a run. Nothing is called yet.

        Args:
            settings: The target's settings.
            write_state: Writes a STATE value. A dry run settles nothing, so it tells none.
            clock: Waits; real time when not given.

        Raises:
            StorageError: The rejects file, the report or a file for undoing could not be written.
        """
        self.settings = settings
        self.position = 0
        self._clock = clock or Clock()
        self._wakeup = Wakeup()
        self._timeline = Events(self._clock)
        self._gate = (
            StateGate(lambda _value: None)
            if settings.dry_run
            else StateGate(self._beside_progress(write_state), self._timeline.note_state)
        )
        self._rejects = RejectsFile(settings.rejects_path) if settings.rejects_path else None
        self.mirrors = Mirrors(settings)
        if self.mirrors:
            check_folder(undo_folder(settings))
        self._reporting = Reporting(settings, self._timeline)
        self._tally = RowCounts(self._rejects, settings.max_reject_percent)
        self._progress = Progress(self._tally, self._clock, self._timeline)
        self._dispatch = Dispatch(settings, self._clock, self._timeline, self._wakeup)
        self._queue = self._dispatch.queue
        downstream = Downstream(self._dispatch.max_body_bytes, self._moment, self._wait_for_a_load)
        self._gathering = Batches(settings, self._clock, self._submit, downstream)
        self._mirroring: Mirroring | None = None
        self._warned: set[str] = set()
        self._warned_of_deletions: set[str] = set()
        self._leave_at: float | None = None
        self._is_leaving = False
        self._is_loading = False
        """Whether a stream is loaded. Until then a STATE would tell of rows that nobody took."""

    # What the sinks use.

    @property
    def account(self) -> Account:
        """The account, connected to when it is first needed.

        Raises:
            TargetDotdigitalError: It cannot be reached, or lacks what the settings name.
        """
        return self._dispatch.account

    @property
    def is_connecting(self) -> bool:
        """Whether the account is being connected to: nothing has been read or sent."""
        return self._dispatch.is_connecting

    def counts(self, stream: str) -> StreamCounts:
        """Return where a stream's rows are counted.

        Args:
            stream: Its name after stream maps.
        """
        return self._tally.of(stream)

    @property
    def keeps_rejects(self) -> bool:
        """Whether rejected rows are stored, so that their lines have to be kept until then."""
        return self._rejects is not None

    def reject(self, row: Row, error: RowRejectedError) -> None:
        """Store and count a rejected row.

        Args:
            row: The row.
            error: Why it is rejected.

        Raises:
            StorageError: It cannot be stored, and so it is not counted.
            DataError: Too much of the stream is rejected.
        """
        try:
            self._tally.reject(row, error)
        except StorageError:
            self._gate.block(self.position)
            raise
        self._tally.check_shares((row.counts,), MIN_SETTLED_ROWS)

    def add(self, contact: Contact, merge_option: MergeOption) -> None:
        """Take a contact into an open import, and send what is full.

        Blocks while the queue is full. That is what holds the tap back, and bounds memory.

        Args:
            contact: The contact with its rows.
            merge_option: The stream's merge option.

        Raises:
            TargetDotdigitalError: An import has failed, or the run is being stopped.
        """
        if not self._gathering.join(contact, merge_option, self.position):
            reason = f"the contact alone is larger than an import of {MAX_BODY_BYTES} bytes"
            for row in contact.rows:
                self.reject(row, RowRejectedError("record.too_large", reason))

    def add_all(self, contacts: Sequence[Contact], merge_option: MergeOption) -> None:
        """Take contacts of so many rows that follow each other; see `add`.

        Args:
            contacts: The contacts, each with its row.
            merge_option: The stream's merge option.

        Raises:
            TargetDotdigitalError: An import has failed, or the run is being stopped.
        """
        while contacts:
            joined = self._gathering.join_several(contacts, merge_option, self.position + 1)
            self.position += joined
            contacts = contacts[joined:]
            if not joined:
                break
        for contact in contacts:
            self.position += 1
            self.add(contact, merge_option)

    def leave(self, contact: Contact, leaving: int) -> None:
        """Take a contact into an open departure. It keeps its place in the order of rows.

        Args:
            contact: The contact with its rows.
            leaving: The ID of the address book that it leaves, or `ACCOUNT`.

        Raises:
            TargetDotdigitalError: A load has failed, or the run is being stopped.
        """
        self._gathering.leave(contact, leaving, self.position)

    def flush(self) -> None:
        """Send what is open.

        Raises:
            TargetDotdigitalError: An import has failed, or the run is being stopped.
        """
        self._gathering.flush()

    def note_loading(self) -> None:
        """Take note that a stream is loaded: STATE may leave from now on."""
        self._is_loading = True

    def skip(self, streams: Iterable[str]) -> None:
        """Count a row of a stream that is not loaded.

        Args:
            streams: Its names after stream maps.
        """
        self.position += 1
        for stream in streams:
            counts = self._tally.of(stream)
            counts.read += 1
            counts.skipped += 1

    def warn_skipped(self, stream: str, reason: str) -> None:
        """Warn of a stream that is not loaded, once.

        Args:
            stream: Its name after stream maps.
            reason: Why it is not.
        """
        if stream not in self._warned:
            self._warned.add(stream)
            _logger.warning("Stream '%s' is skipped: %s", stream, reason)

    def warn_unidentified(self, stream: str, path: str) -> None:
        """Warn of deleted rows that lack the match identifier, once a stream.

        Args:
            stream: The stream's name after stream maps.
            path: The property that holds the match identifier.
        """
        if stream not in self._warned_of_deletions:
            self._warned_of_deletions.add(stream)
            _logger.warning(
                "Stream '%s': deleted rows lack '%s', so nobody leaves for them "
                "(delete.unidentified). PostgreSQL logs no more than the key of a deleted row: set "
                "REPLICA IDENTITY FULL for the table, or a match_identifier that is in the key",
                stream,
                path,
            )

    def note_state(self, value: str) -> None:
        """Take a STATE in, to be written once every row so far is settled.

        Args:
            value: The STATE's value, a JSON text.
        """
        self._gate.note(value, self.position, list(self._unsettled_rows()))

    # What the reader uses.

    def wait(self, descriptor: int) -> bool:
        """Tend the run until a descriptor can be read, or the run is to stop reading.

        Args:
            descriptor: Where the tap's messages come from.

        Returns:
            Whether it can be read.
        """
        while not self.is_stopping:
            seconds = self.tend()
            if self._wait(seconds, descriptor):
                return True
        return False

    def tend(self) -> float | None:
        """Take in what has been settled, send what is to go, write STATE.

        Returns:
            Seconds until there is something to send; None if nothing is waiting.

        Raises:
            TargetDotdigitalError: An import has failed.
        """
        self._collect()
        self._gathering.send_due()
        self._release()
        self._look()
        return self._gathering.seconds_left()

    # How it ends.

    @property
    def is_stopping(self) -> bool:
        """Whether a signal has asked the run to end."""
        return self._leave_at is not None

    def stop(self) -> None:
        """Send nothing more, and end within `shutdown_grace_seconds`. Safe in a signal handler."""
        self._clock.stop()
        self._queue.stop()
        self._leave_soon()
        self._wakeup.set()

    def _leave_soon(self) -> None:
        self._leave_at = self._clock.now() + self.settings.shutdown_grace_seconds

    def finish(self) -> None:
        """Send what is open, wait for what is active, and write the last STATE.

        Raises:
            AbandonedError: The run was stopped.
            DataError: Too much of a stream is rejected, however few its rows are.
            TargetDotdigitalError: Not every row is settled.
        """
        self._clock.check_sending()
        self._collect()
        self.flush()
        while self._queue.unsettled:
            self._wait_for_a_load()
            self._clock.check_sending()
        came = [counts.stream for counts in self._tally]
        for stream in sorted(self.settings.streams or ()):
            if stream not in self._tally:
                _logger.warning(
                    "Stream '%s' is named in 'streams', but the tap sent none.%s",
                    stream,
                    did_you_mean(stream, came),
                )
        if not came:
            self._is_loading = True  # there was no input, so nothing was left out
        elif not self._is_loading and not self.is_stopping:
            raise SettingsError(nothing_loaded(self.settings, came))
        if lost := self._tally.unsettled:
            raise DotdigitalError(f"{lost} rows are unsettled although every import has ended")
        self._clock.check_sending()
        if self.settings.dry_run and self._dispatch.is_connected:
            self._perform_last(Comparing(lambda: self.is_stopping))
        self._tally.check_shares(self._tally)
        self._release()
        self._mirror()

    def give_up(self) -> None:
        """Wait a little for the imports that are active, and write the STATE that they allow."""
        if self._leave_at is None:
            self._leave_soon()
        self._queue.stop()
        if self._clock.is_stopped:
            with suppress(TargetDotdigitalError):
                self._collect()
                self._release()
        while self._queue.active:
            with suppress(TargetDotdigitalError):
                self._wait_for_a_load()
                continue
            if self._clock.now() >= (self._leave_at or 0.0):
                return

    def close(self) -> None:
        """Let go of everything that is held, whatever state it is in."""
        self._progress.close()
        self._dispatch.close()
        self._wakeup.close()
        if self._rejects is not None:
            self._rejects.close()

    @property
    def has_read(self) -> bool:
        """Whether a row was read."""
        return self._tally.has_read

    def progress(self) -> str:
        """Return how many of the rows that were read are settled, for the line of a failure."""
        if self.settings.dry_run:
            return "nothing was written to Dotdigital"
        return self._tally.progress()

    def remainder(self) -> str:
        """Return what a run that was stopped leaves to the next one, in one or two sentences."""
        if self.settings.dry_run:
            return "Nothing was written to Dotdigital."
        return self._tally.remainder()

    def summary(self) -> Iterator[str]:
        """Yield a line for each stream that rows were read of, or that is loaded; then the rejects.

        Rejected rows that are kept have a line that says where. The rows of a dry run are in its
        plan.
        """
        self._progress.close()
        for counts in self._tally if not self.settings.dry_run else ():
            yield counts.summary()
        if self._rejects is not None and self._rejects.holds_rows:
            yield (
                f"The rejected rows are in {self._rejects.path}: repair it, and load it with the "
                "same settings"
            )

    def warnings(self) -> Iterator[str]:
        """Yield what is wrong with the rows that were read, also in a dry run."""
        yield from reject_lines(list(self._tally), are_kept=self.keeps_rejects)
        yield from filter(None, (counts.rounding() for counts in self._tally))

    def conclude(self, outcome: Outcome) -> None:
        """Write the report, and print a dry run's plan.

        Args:
            outcome: How the run ended.

        Raises:
            StorageError: The report cannot be written.
        """
        self._look()
        mirrors = self._mirroring.found if self._mirroring is not None else ()
        dispatch = self._dispatch
        self._reporting.conclude(outcome, self._tally, mirrors, dispatch.dry_run, dispatch.host)

    # How loads go and come back.

    def _perform_last(self, load: Load) -> None:
        """Bring a load to its end when there is no other."""
        self._queue.add(load)
        while self._queue.unsettled:
            self._clock.check_sending()
            self._wait_for_a_load()

    def _mirror(self) -> None:
        """Let those leave whom a mirror no longer holds, and then the STATE that waits for it."""
        books = self.mirrors.due()
        if books:
            first_row = self.mirrors.first_row or 0
            folder = undo_folder(self.settings)
            self._mirroring = Mirroring(books, first_row, folder, lambda: self.is_stopping)
            self._perform_last(self._mirroring)
        self.mirrors.close()
        self._release()

    def _submit(self, load: Load) -> None:
        self._collect()
        self._clock.check_sending()
        while self._queue.is_full:
            self._wait_for_a_load()
            self._clock.check_sending()
        self._queue.add(load)

    def _moment(self) -> Capacity:
        return self._dispatch.moment(is_stopping=self.is_stopping)

    def _wait_for_a_load(self, seconds: float | None = None) -> None:
        """Wait until a load ends or the run has to leave; take in and write what that allows.

        Args:
            seconds: How long to wait at most; None for ever.

        Raises:
            AbandonedError: The time to leave has come.
            TargetDotdigitalError: A load has failed.
        """
        if self._leave_at is not None:
            if not self._is_leaving:
                self._is_leaving = True
                grace = self.settings.shutdown_grace_seconds
                _logger.info("Waiting up to %d seconds for what is under way", grace)
            left = self._leave_at - self._clock.now()
            if left <= 0:
                raise AbandonedError("The run is stopped before every import has ended")
            seconds = left if seconds is None else min(seconds, left)
        self._wait(seconds)
        self._collect()
        self._release()
        self._look()

    def _wait(self, seconds: float | None, descriptor: int | None = None) -> bool:
        """Wait, at most until it is time to tell how far the run is."""
        until_told = self._progress.seconds_left()
        seconds = until_told if seconds is None else min(seconds, until_told)
        return self._wakeup.wait(self._clock.real_seconds(seconds), descriptor)

    def _look(self) -> None:
        self._progress.look(self._queue.active)

    def _collect(self) -> None:
        """Settle the imports that have ended; then raise the failure of one, if there is any."""
        failure: Exception | None = None
        for load, outcome in self._queue.take_ended():
            error = self._failure(outcome)
            if error is not None:
                self._gate.block(load.first_row)
                failure = failure or error
        if failure is not None:
            self._release()
            raise failure

    def _failure(self, outcome: Settlement | Exception) -> Exception | None:
        """Settle a load's rows; return why that cannot be done, if it cannot."""
        if isinstance(outcome, Exception):
            return outcome
        try:
            self._tally.settle(outcome)
        except Exception as error:  # noqa: BLE001 - raised later, after the other loads
            return error
        return None

    # What may be told.

    def _beside_progress(self, write: Callable[[str], None]) -> Callable[[str], None]:
        """Return what writes to standard output, which may be the same terminal."""

        def written(value: str) -> None:
            self._progress.hide()
            write(value)

        return written

    def _unsettled_rows(self) -> Iterator[int]:
        """Yield the first row of everything that is not settled."""
        yield from (load.first_row for load in self._gathering)
        yield from (load.first_row for load in self._queue.unsettled)
        if self.mirrors.first_row is not None:
            # A bookmark must not move on before those who are to leave have left: a tap that is
            # asked again has to send everybody again.
            yield self.mirrors.first_row

    def _release(self) -> None:
        settled_to = min(self._unsettled_rows(), default=self.position + 1) - 1
        if self._rejects is not None:
            try:
                self._rejects.flush()
            except TargetDotdigitalError:
                self._gate.block(0)
                raise
        # The last STATE must not leave before a stream's share is found to be too much: until all
        # its rows have come, what is over the limit now may be within it in the end.
        if self._is_loading and not self._tally.is_over:
            self._gate.release(settled_to)
