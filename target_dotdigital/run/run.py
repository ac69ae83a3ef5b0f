"""A run: how it is put together, how it goes on while messages come, and how it ends."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_dotdigital.clock import Clock
from target_dotdigital.errors import DataError, DotdigitalError, SettingsError
from target_dotdigital.events import Events
from target_dotdigital.fingerprints import Fingerprints
from target_dotdigital.loading import (
    LoadQueue,
    RejectsCsv,
    RejectsFile,
    RowCounts,
    StateGate,
    Wakeup,
    conflict_retry,
)
from target_dotdigital.mapping import HeldOptOuts
from target_dotdigital.mirror import MirrorRemoval, Mirrors, check_folder, undo_folder
from target_dotdigital.report import AccountFindings, Progress, ReportWriter
from target_dotdigital.run.destination import Destination
from target_dotdigital.run.intake import Intake
from target_dotdigital.run.pipeline import Pipeline
from target_dotdigital.run.shutdown import Shutdown
from target_dotdigital.run.state_output import StateOutput
from target_dotdigital.run.stream_warnings import warn_of_missing_streams
from target_dotdigital.run.summary import Summary, tell_findings
from target_dotdigital.singer import nothing_loaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_dotdigital.mirror import MirroredAddressBook
    from target_dotdigital.report import Outcome
    from target_dotdigital.settings import Settings


def build_run(
    settings: Settings, write_state: Callable[[str], None], clock: Clock | None = None
) -> Run:
    """Put a run together. Nothing is called yet.

    Args:
        settings: The target's settings.
        write_state: Writes a STATE value. A dry run settles nothing, so it writes none.
        clock: Waits; real time when not given.

    Raises:
        StorageError: The rejects file, the report or a file for undoing could not be written.
    """
    clock = clock or Clock()
    wakeup = Wakeup()
    events = Events(clock)
    shutdown = Shutdown(clock, settings.shutdown_grace_seconds)

    # Files: what cannot be written is found before anything is sent.
    rejects = _rejects(settings)
    mirrors = Mirrors(settings)
    if mirrors and settings.purpose == "load":
        check_folder(undo_folder(settings))
    report_writer = ReportWriter(settings, events)
    path = settings.fingerprints_path
    fingerprints = None if path is None else Fingerprints(settings, path)

    # Rows, and what is said of them.
    counts = RowCounts(rejects, settings.max_reject_percent)
    progress = Progress(counts, clock, events, settings.max_reject_percent)
    summary = Summary(counts, rejects, settings.dry_run, settings.purpose == "verify")
    states = StateOutput(
        _state_gate(settings, write_state, progress, events), counts, rejects, mirrors
    )

    # From contacts to Dotdigital and back.
    rejects_csv = next((each for each in rejects if isinstance(each, RejectsCsv)), None)
    destination = Destination(settings, clock, events, rejects_csv)
    queue = LoadQueue(destination.perform, wakeup, settings.max_active_imports, conflict_retry)
    pipeline = Pipeline(
        settings,
        clock,
        wakeup,
        shutdown,
        queue,
        counts,
        states,
        progress,
        fingerprints,
        destination.max_body_bytes,
        lambda: destination.capacity(queue.free, is_stopping=shutdown.has_begun),
    )
    intake = Intake(
        settings,
        mirrors,
        bool(rejects),
        destination.connect,
        counts,
        states,
        pipeline.batches,
        HeldOptOuts() if settings.holds_opt_outs else None,
        fingerprints,
    )
    return Run(intake, pipeline, destination, summary, report_writer)


def _rejects(settings: Settings) -> list[RejectsFile | RejectsCsv]:
    """Return where rejected rows are stored."""
    found: list[RejectsFile | RejectsCsv] = []
    if settings.rejects_path is not None:
        found.append(RejectsFile(settings.rejects_path))
    if settings.rejects_csv is not None:
        found.append(RejectsCsv(settings.rejects_csv))
    return found


def _state_gate(
    settings: Settings, write: Callable[[str], None], progress: Progress, events: Events
) -> StateGate:
    """Return what writes STATE values beside the progress. In a dry run nothing is settled."""
    # The STATE of a file that is loaded again, if it has one, is older than the tap's.
    if settings.dry_run or settings.purpose != "load":
        return StateGate(lambda _value: None)

    def write_beside_progress(value: str) -> None:
        progress.hide()  # standard output may be the same terminal
        write(value)

    return StateGate(write_beside_progress, events.note_state)


@dataclass(eq=False)
class Run:
    """A run from its first message to its end. All of it belongs to the main thread.

    Attributes:
        intake: What sinks hand over.
        pipeline: The way of contacts to Dotdigital and back.
        destination: The account.
        summary: What is said of the rows in the end.
    """

    intake: Intake
    pipeline: Pipeline
    destination: Destination
    summary: Summary
    _report_writer: ReportWriter
    _mirror_removal: MirrorRemoval | None = None

    @property
    def settings(self) -> Settings:
        """The target's settings."""
        return self.pipeline.settings

    @property
    def is_connecting(self) -> bool:
        """Whether the account is being connected to: nothing has been read or sent."""
        return self.destination.is_connecting

    # While messages come.

    @property
    def is_stopping(self) -> bool:
        """Whether the run is to end, and to read nothing more."""
        return self.pipeline.shutdown.has_begun

    def wait(self, descriptor: int) -> bool:
        """Tend the run until a descriptor can be read, or the run is to stop reading.

        Args:
            descriptor: Where the tap's messages come from.

        Returns:
            Whether it can be read.
        """
        while not self.is_stopping:
            seconds = self.tend()
            if self.pipeline.wait(seconds, descriptor):
                return True
        return False

    def tend(self) -> float | None:
        """Take in what has been settled, send what is to go, write STATE.

        Returns:
            Seconds until there is something to send; None if nothing is waiting.

        Raises:
            TargetDotdigitalError: An import has failed.
        """
        pipeline = self.pipeline
        pipeline.collect()
        pipeline.batches.send_due()
        pipeline.release()
        pipeline.show_progress()
        return pipeline.batches.seconds_left()

    # How it ends.

    def stop(self) -> None:
        """Send nothing more, and end within `shutdown_grace_seconds`. Safe in a signal handler."""
        self.pipeline.clock.stop()
        self.pipeline.queue.stop()
        self.pipeline.shutdown.begin()
        self.pipeline.wakeup.set()

    def finish(self) -> None:
        """Send what is open, wait for what is active, and write the last STATE.

        Raises:
            AbandonedError: The run was stopped.
            DataError: Too much of a stream is rejected, however few its rows are.
            TargetDotdigitalError: Not every row is settled.
        """
        pipeline, counts = self.pipeline, self.pipeline.counts
        pipeline.clock.check_sending()
        pipeline.flush()
        self._check_streams([each.stream for each in counts])
        if lost := counts.unsettled:
            raise DotdigitalError(f"{lost} rows are not settled, although every import has ended")
        pipeline.clock.check_sending()
        if self.settings.purpose == "verify":
            self._verify()
            return
        if self.destination.is_dry_run:
            from target_dotdigital.dry_run import ComparisonLoad  # noqa: PLC0415 - for it alone

            pipeline.perform_last(ComparisonLoad(is_stopping=lambda: self.is_stopping))
        counts.check_shares(counts)
        pipeline.release()
        self._mirror()

    def _verify(self) -> None:
        """Compare everything that was read with the account, and count what cannot be compared."""
        findings = self.destination.findings()
        if findings is None:
            return  # no stream came that is loaded, so there is nothing to compare
        from target_dotdigital.verification import VerificationLoad  # noqa: PLC0415 - for it alone

        mirrored: list[MirroredAddressBook] = []
        try:
            mirrored = self.intake.mirrors.address_books()
        except DataError as error:
            findings.problems.append(f"it is not known who is extra: {error.message}")
        findings.rejected = sum(counts.rejected_total for counts in self.pipeline.counts)
        load = VerificationLoad(is_stopping=lambda: self.is_stopping, mirrored=mirrored)
        self.pipeline.perform_last(load)

    def tell_findings(self) -> bool:
        """Tell on standard error what a verification has found.

        Returns:
            Whether everything is as the streams have it.
        """
        sends_changes = self.settings.send == "changes"
        return tell_findings(self.destination.findings(), sends_changes=sends_changes)

    def _check_streams(self, came: list[str]) -> None:
        """Make sure that a stream was loaded, if any came.

        Raises:
            SettingsError: None was.
        """
        if self.settings.purpose in {"load", "verify"}:  # a file of some rows has not all streams
            warn_of_missing_streams(self.settings, came)
        states = self.pipeline.states
        if not came:
            states.is_loading = True  # there was no input, so nothing was left out
        elif not states.is_loading and not self.is_stopping:
            raise SettingsError(nothing_loaded(self.settings, came))

    def _mirror(self) -> None:
        """Let those leave whom a mirror no longer holds, and then the STATE that waits for it."""
        mirrors = self.intake.mirrors
        books = mirrors.address_books()
        if books:
            self._mirror_removal = MirrorRemoval(
                is_stopping=lambda: self.is_stopping,
                first_row=mirrors.first_row or 0,
                address_books=books,
                folder=undo_folder(self.settings),
                fingerprints=self.intake.fingerprints,
            )
            self.pipeline.perform_last(self._mirror_removal)
        mirrors.close()
        self.pipeline.release()

    def give_up(self) -> None:
        """Wait a little for the imports that are active, and write the STATE that they allow."""
        pipeline = self.pipeline
        if not self.is_stopping:
            pipeline.shutdown.begin()
        pipeline.queue.stop()
        if pipeline.clock.is_stopped:
            with suppress(Exception):  # the first failure is the one that is told
                pipeline.collect()
                pipeline.release()
        while pipeline.queue.active:
            with suppress(Exception):
                pipeline.wait_for_load()
                continue
            if pipeline.shutdown.is_over:
                return

    def write_report(self, outcome: Outcome, *, asks: bool) -> None:
        """Write the report, and print a dry run's plan.

        Args:
            outcome: How the run ended.
            asks: Whether Dotdigital can be asked how many contacts are in its address books.

        Raises:
            StorageError: The report cannot be written.
        """
        self.pipeline.show_progress()
        mirrors = self._mirror_removal.found if self._mirror_removal is not None else ()
        counts, destination = self.pipeline.counts, self.destination
        writer = self._report_writer
        ids = dict.fromkeys(each for stream in counts for each in stream.address_books)
        used = destination.address_books(ids, asks=asks and writer.is_wanted)
        found = AccountFindings(
            destination.host, destination.plan(), mirrors, used, destination.findings()
        )
        writer.write(outcome, counts, found)

    def close_progress(self) -> None:
        """Leave the terminal as it was, before the last lines are written."""
        self.pipeline.progress.close()

    def close(self) -> None:
        """Let go of everything that is held, whatever state it is in."""
        pipeline = self.pipeline
        pipeline.progress.close()
        is_active = pipeline.queue.active > 0
        if is_active:
            pipeline.clock.abandon()
        pipeline.queue.close()
        self.destination.close(breaks_off=is_active)
        pipeline.wakeup.close()
        for each in self.summary.rejects:
            each.close()
        if pipeline.fingerprints is not None:
            pipeline.fingerprints.close()
