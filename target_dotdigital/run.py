"""One run: what is open, what is unsettled, what may be told, and how it ends."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from target_dotdigital.account import Account
from target_dotdigital.clock import Clock
from target_dotdigital.errors import (
    AbandonedError,
    DataError,
    DotdigitalError,
    RowRejectedError,
    TargetDotdigitalError,
)
from target_dotdigital.importer import Importer
from target_dotdigital.imports import MAX_BODY_BYTES, Import, ImportQueue
from target_dotdigital.rejects import RejectsFile
from target_dotdigital.report import StreamCounts
from target_dotdigital.state import StateGate
from target_dotdigital.wakeup import Wakeup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_dotdigital.contacts import Contact, Row
    from target_dotdigital.settings import Settings
    from target_dotdigital.settings_schema import MergeOption
    from target_dotdigital.settlement import Settlement

MIN_SETTLED_ROWS = 1000
"""A stream's share of rejects is looked at from here on."""

_logger = logging.getLogger("target-dotdigital")


class Run:
    """Takes contacts, rejects and STATE values from the sinks; all in the main thread."""

    def __init__(
        self, settings: Settings, write_state: Callable[[str], None], clock: Clock | None = None
    ) -> None:
        """Prepare a run. Nothing is called yet.

        Args:
            settings: The target's settings.
            write_state: Writes a STATE value.
            clock: Waits; real time when not given.

        Raises:
            StorageError: The rejects file could not be written.
        """
        self.settings = settings
        self.position = 0
        self.is_connecting = False
        self._clock = clock or Clock()
        self._wakeup = Wakeup()
        self._gate = StateGate(write_state)
        self._rejects = RejectsFile(settings.rejects_path) if settings.rejects_path else None
        self._counts: dict[str, StreamCounts] = {}
        self._open: dict[tuple[MergeOption, str], Import] = {}
        """By merge option and match identifier."""
        self._account: Account | None = None
        self._importer: Importer | None = None
        self._queue: ImportQueue | None = None
        self._warned: set[str] = set()
        self._blocked_from: int | None = None
        self._leave_at: float | None = None

    # What the sinks use.

    @property
    def account(self) -> Account:
        """The account, connected to when it is first needed.

        Raises:
            TargetDotdigitalError: It cannot be reached, or lacks what the settings name.
        """
        if self._account is None:
            self.is_connecting = True
            try:
                self._account = Account(self.settings, self._clock)
            finally:
                self.is_connecting = False
            self._warn_of_confirmation_mails()
            timeout = self.settings.import_timeout_seconds
            self._importer = Importer(
                self._account.client, self._clock, timeout, self._account.check_address_books
            )
            self._queue = ImportQueue(
                self._importer.load, self._wakeup, self.settings.max_active_imports
            )
        return self._account

    def counts(self, stream: str) -> StreamCounts:
        """Return where a stream's rows are counted.

        Args:
            stream: Its name after stream maps.
        """
        return self._counts.setdefault(stream, StreamCounts(stream))

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
            if self._rejects is not None:
                self._rejects.write(row, error.code, error.reason)
        except TargetDotdigitalError:
            self._block(self.position)
            raise
        row.counts.rejected[error.code] += 1
        self._check_share(row.counts)

    def add(self, contact: Contact, merge_option: MergeOption) -> None:
        """Take a contact into an open import, and send what is full.

        Blocks while the queue is full. That is what holds the tap back, and bounds memory.

        Args:
            contact: The contact with its rows.
            merge_option: The stream's merge option.

        Raises:
            TargetDotdigitalError: An import has failed, or the run is being stopped.
        """
        max_contacts = self.settings.batch_size_rows
        max_bytes = self._importer.max_body_bytes if self._importer else MAX_BODY_BYTES

        def start() -> Import:
            return Import(merge_option, self.position, self._clock.now())

        for option in list(self._open):
            while (first := self._open.get(option)) and first.precedes(contact, merge_option):
                self._submit(first)
        # Not mixed: one import could hold a person twice who is known by two identifiers.
        group = (merge_option, contact.key.partition(":")[0])
        while group in self._open:
            if self._open[group].take(contact, max_contacts, max_bytes, start):
                return
            self._submit(self._open[group])
        load = start()
        # Alone it may still be taken where several were too much.
        if load.has_room(contact, max_contacts, MAX_BODY_BYTES):
            load.add(contact)
            self._open[group] = load
            return
        reason = f"the contact alone is larger than an import of {MAX_BODY_BYTES} bytes"
        for row in contact.rows:
            self.reject(row, RowRejectedError("record.too_large", reason))

    def flush(self) -> None:
        """Send what is open.

        Raises:
            TargetDotdigitalError: An import has failed, or the run is being stopped.
        """
        while self._open:
            self._submit(next(iter(self._open.values())))

    def warn_skipped(self, stream: str, reason: str) -> None:
        """Warn of a stream that is not loaded, once.

        Args:
            stream: Its name after stream maps.
            reason: Why it is not.
        """
        if stream not in self._warned:
            self._warned.add(stream)
            _logger.warning("Stream '%s' is skipped: %s", stream, reason)

    def _warn_of_confirmation_mails(self) -> None:
        streams = (self.settings.streams or {}).items()
        if names := [name for name, each in streams if each.email_opt_in_type == "verifiedDouble"]:
            _logger.warning(
                "email_opt_in_type is verifiedDouble (%s): Dotdigital mails requests for "
                "confirmation to the people who are loaded",
                ", ".join(f"'{name}'" for name in names),
            )

    def note_state(self, value: str) -> None:
        """Take a STATE in, to be written once every row so far is settled.

        Args:
            value: The STATE's value, a JSON text.
        """
        starts = [load.first_row for load in self._unsettled()]
        self._gate.note(value, self.position, starts)

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
            if self._wakeup.wait(seconds, descriptor):
                return True
        return False

    def tend(self) -> float | None:
        """Take in what has been settled, send what has waited too long, write STATE.

        Returns:
            Seconds until there is something to send; None if nothing is waiting.

        Raises:
            TargetDotdigitalError: An import has failed.
        """
        self._collect()
        limit = self.settings.batch_wait_limit_seconds
        for group in list(self._open):
            while (load := self._open.get(group)) and self._clock.now() - load.opened_at >= limit:
                self._submit(load)
        self._release()
        waits = [load.opened_at + limit - self._clock.now() for load in self._open.values()]
        return max(min(waits), 0.0) if waits else None

    # How it ends.

    @property
    def is_stopping(self) -> bool:
        """Whether a signal has asked the run to end."""
        return self._leave_at is not None

    def stop(self) -> None:
        """Ask the run to end within `shutdown_grace_seconds`. Safe in a signal handler."""
        self._leave_at = self._clock.now() + self.settings.shutdown_grace_seconds
        self._wakeup.set()

    def finish(self) -> None:
        """Send what is open, wait for what is active, and write the last STATE.

        Raises:
            TargetDotdigitalError: Not every row is settled.
        """
        self._collect()
        self.flush()
        while self._queue is not None and self._queue.unsettled:
            self._wait_for_an_import()
        self._release()
        for stream in sorted(set(self.settings.streams or ()) - set(self._counts)):
            _logger.warning("Stream '%s' is named in 'streams', but the tap sent none", stream)
        lost = sum(counts.unsettled for counts in self._counts.values())
        if lost:
            raise DotdigitalError(f"{lost} rows are unsettled although every import has ended")

    def give_up(self) -> None:
        """Wait a little for the imports that are active, and write the STATE that they allow."""
        if self._leave_at is None:
            self.stop()
        if self._queue is None:
            return
        self._queue.stop()
        while self._queue.active:
            with suppress(TargetDotdigitalError):
                self._wait_for_an_import()
                continue
            if self._clock.now() >= (self._leave_at or 0.0):
                return

    def close(self) -> None:
        """Let go of everything that is held, whatever state it is in."""
        if self._queue is not None and self._queue.active:
            self._clock.abandon()
            if self._account is not None:
                self._account.abort()
        if self._queue is not None:
            self._queue.close()
        if self._account is not None:
            self._account.close()
        self._wakeup.close()
        if self._rejects is not None:
            self._rejects.close()

    def summary(self) -> Iterator[str]:
        """Yield a line for each stream that rows were read of, or that is loaded."""
        for counts in self._counts.values():
            yield counts.summary()

    # How imports go and come back.

    def _submit(self, load: Import) -> None:
        if self._queue is None:
            raise AssertionError
        self._collect()
        while self._queue.is_full:
            self._wait_for_an_import()
        (group,) = (group for group, each in self._open.items() if each is load)
        del self._open[group]
        if load.following is not None:
            self._open[group], load.following = load.following, None
        self._queue.add(load)

    def _wait_for_an_import(self) -> None:
        """Wait until an import ends or the run has to leave; take in and write what that allows.

        Raises:
            AbandonedError: The time to leave has come.
            TargetDotdigitalError: An import has failed.
        """
        seconds = None
        if self._leave_at is not None:
            seconds = self._leave_at - self._clock.now()
            if seconds <= 0:
                raise AbandonedError("The run is stopped before every import has ended")
        self._wakeup.wait(seconds)
        self._collect()
        self._release()

    def _collect(self) -> None:
        """Settle the imports that have ended; then raise the failure of one, if there is any."""
        failure: Exception | None = None
        for load, outcome in self._queue.take_ended() if self._queue is not None else ():
            try:
                self._settle(outcome)
            except Exception as error:  # noqa: BLE001 - raised below, after the others
                self._block(load.first_row)
                failure = failure or error
        if failure is not None:
            self._release()
            raise failure

    def _settle(self, settlement: Settlement | Exception) -> None:
        if isinstance(settlement, Exception):
            raise settlement
        for contact in settlement.imported:
            contact.rows[-1].counts.imported += 1
            for row in contact.rows[:-1]:
                row.counts.collapsed += 1
        for contact, code in settlement.warnings:
            contact.rows[-1].counts.warnings[code] += 1
        self._settle_unnamed(settlement)
        for contact, code in settlement.rejected:
            reason = "Dotdigital refused the contact"
            # Every row that went into it: the older ones hold values that the newest may lack.
            for row in contact.rows:
                self.reject(row, RowRejectedError(code, reason))

    def _settle_unnamed(self, settlement: Settlement) -> None:
        """Count rows by sums alone, where the report does not say which contacts were refused."""
        if not settlement.unnamed:
            return
        rows = [row for contact in settlement.unnamed for row in contact.rows]
        counts = rows[0].counts
        if any(row.counts is not counts for row in rows):
            raise DotdigitalError(
                "An import's report does not name the contacts that were refused, and they come "
                "from several streams: they are unsettled"
            )
        refused = sum(settlement.unnamed_codes.values())
        counts.imported += len(settlement.unnamed) - refused
        counts.collapsed += len(rows) - len(settlement.unnamed)
        counts.rejected.update(settlement.unnamed_codes)
        self._check_share(counts)

    def _check_share(self, counts: StreamCounts) -> None:
        # Of the rows read, not of those settled: rejects of our own are settled at once, while
        # the rows that are imported take their time.
        rejected, limit = counts.rejected_total, self.settings.max_reject_percent
        if counts.settled >= MIN_SETTLED_ROWS and rejected * 100 > limit * counts.read:
            raise DataError(
                f"Stream '{counts.stream}': {rejected} of {counts.read} rows are rejected, more "
                f"than max_reject_percent ({limit})"
            )

    # What may be told.

    def _unsettled(self) -> Iterator[Import]:
        for load in self._open.values():
            yield from load.chain
        if self._queue is not None:
            yield from self._queue.unsettled

    def _block(self, row: int) -> None:
        """Let no STATE out from a row on that could not be settled."""
        blocked = self._blocked_from
        self._blocked_from = row if blocked is None else min(row, blocked)

    def _release(self) -> None:
        settled_to = min((load.first_row - 1 for load in self._unsettled()), default=self.position)
        if self._blocked_from is not None:
            settled_to = min(settled_to, self._blocked_from - 1)
        if self._rejects is not None:
            try:
                self._rejects.flush()
            except TargetDotdigitalError:
                self._block(0)
                raise
        self._gate.release(settled_to)
