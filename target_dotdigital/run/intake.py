"""What sinks hand over: contacts that join or leave, rejected rows, and rows that are skipped."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from itertools import compress, count, groupby
from operator import itemgetter, not_
from typing import TYPE_CHECKING, Any

from target_dotdigital.errors import RowRejectedError, StorageError
from target_dotdigital.loading import MAX_BODY_BYTES, MIN_SETTLED_ROWS
from target_dotdigital.run.stream_warnings import StreamWarnings

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_dotdigital.account import Account
    from target_dotdigital.fingerprints import Fingerprints, StreamFingerprints, StreamTerms
    from target_dotdigital.loading import Batches, RowCounts
    from target_dotdigital.mapping import Contact, HeldOptOuts, Row, StreamCounts
    from target_dotdigital.mirror import Mirrors
    from target_dotdigital.run.state_output import StateOutput
    from target_dotdigital.settings import MergeOption, Settings


MIN_JOINED = 10
"""Fewer contacts than these are taken one by one: that is sooner done than looking ahead."""


@dataclass(eq=False)
class Intake:
    """Takes rows from the sinks. All of it belongs to the main thread.

    Attributes:
        settings: The target's settings.
        mirrors: The streams that are mirrors.
        keeps_rejects: Whether rejected rows are stored, so that their lines have to be kept.
        held_opt_outs: Those that no later row of the run undoes; None if nothing could.
        fingerprints: What was settled earlier, where only changes are sent.
        warnings: Warns of streams.
        schema_line: The line of the last SCHEMA message.
        schema_lines: By stream, that of its last one, under which its rows are stored.
    """

    settings: Settings
    mirrors: Mirrors
    keeps_rejects: bool
    _connect: Callable[[], Account]
    _counts: RowCounts
    _states: StateOutput
    _batches: Batches
    held_opt_outs: HeldOptOuts | None
    fingerprints: Fingerprints | None
    warnings: StreamWarnings = field(default_factory=StreamWarnings)
    schema_line: bytes = b""
    schema_lines: dict[str, bytes] = field(default_factory=dict)

    @property
    def account(self) -> Account:
        """The account, connected to when it is first needed.

        Raises:
            TargetDotdigitalError: It cannot be reached, or lacks what the settings name.
        """
        return self._connect()

    @property
    def position(self) -> int:
        """The number of the row at hand, over all streams."""
        return self._states.position

    def next_row(self) -> None:
        """Go on to the next row."""
        self._states.position += 1

    def counts(self, stream: str) -> StreamCounts:
        """Return where a stream's rows are counted.

        Args:
            stream: Its name after stream maps.
        """
        return self._counts.of(stream)

    def note_settings(self, counts: StreamCounts, reason: str | None) -> None:
        """Note why a stream is not loaded, and warn of it.

        Args:
            counts: Where its rows are counted.
            reason: Why; None if it is loaded, or left out on purpose.
        """
        counts.not_loaded_because = reason
        if reason is not None:
            self.warnings.skipped(counts.stream, reason)

    def note_loading(self, counts: StreamCounts) -> None:
        """Note that a stream is loaded: STATE may leave from now on.

        Args:
            counts: Where its rows are counted.
        """
        counts.is_loaded = self._states.is_loading = True

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
            self._counts.reject(row, error)
        except StorageError:
            self._states.block()
            raise
        self._counts.check_shares((row.counts,), MIN_SETTLED_ROWS)

    def skip(self, streams: Iterable[str]) -> None:
        """Count a row of a stream that is not loaded.

        Args:
            streams: Its names after stream maps.
        """
        self.next_row()
        for stream in streams:
            counts = self._counts.of(stream)
            counts.read += 1
            counts.skipped += 1

    def fingerprints_of(
        self,
        counts: StreamCounts,
        terms: StreamTerms,
        address_book_id: int | None,
        *,
        has_new_fields: bool,
    ) -> StreamFingerprints | None:
        """Return what was settled of a stream's contacts earlier; None if it does not matter.

        Args:
            counts: Where its rows are counted.
            terms: Under which terms its contacts are sent.
            address_book_id: The address book that its contacts join.
            has_new_fields: Whether data fields were made for it: nobody has a value in them yet.

        Raises:
            TargetDotdigitalError: It cannot be told, or not be kept.
        """
        if self.fingerprints is None:
            return None
        counts.sends_changes = self.settings.send == "changes"
        account = self.account
        doubt = "a data field is new" if has_new_fields else None
        if account.is_empty(address_book_id):
            doubt = "its address book is empty"
        return self.fingerprints.stream(counts.stream, terms, self._account_mark(), doubt)

    def _account_mark(self) -> str:
        """Return what tells the account from all others: all sandboxes have the same ID."""
        place, sandbox = self.account.client.host.partition(":")[0], self.settings.sandbox_path
        if sandbox is not None:
            place = str(sandbox.resolve())
            with suppress(FileNotFoundError):
                place += f" {sandbox.stat().st_ino}"
        return f"{self.account.id} {place}"

    def note_schema(self, stream: str, message: Mapping[str, Any]) -> None:
        """Take note of a SCHEMA, also of one that changes nothing in how its rows are mapped.

        Args:
            stream: The stream's name after stream maps.
            message: The SCHEMA message.
        """
        self.mirrors.process_schema(stream, message)
        self.schema_lines[stream] = self.schema_line

    def add(self, contact: Contact, merge_option: MergeOption) -> bool:
        """Take a contact into an open import, and send what is full.

        Blocks while the queue is full. That is what holds the tap back, and bounds memory.

        Args:
            contact: The contact with its rows.
            merge_option: The stream's merge option.

        Returns:
            Whether it is sent: it may be as it was last settled.

        Raises:
            TargetDotdigitalError: An import has failed, or the run is being stopped.
        """
        is_sent = self.fingerprints is None or self.fingerprints.send((contact,))[0]
        if is_sent:
            self._join(contact, merge_option)
        else:
            contact.rows[0].counts.unchanged += 1
        return is_sent

    def _join(self, contact: Contact, merge_option: MergeOption) -> None:
        if not self._batches.join(contact, merge_option, self.position):
            reason = f"The contact is larger than an import may be ({MAX_BODY_BYTES} bytes)"
            for row in contact.rows:
                self.reject(row, RowRejectedError("record.too_large", reason))

    def add_all(
        self,
        contacts: Sequence[Contact],
        merge_option: MergeOption,
        bodies: array[int] | None = None,
        lines: array[int] | None = None,
    ) -> list[int]:
        """Take contacts of so many rows that follow each other; see `add`.

        Args:
            contacts: The contacts, each with its row.
            merge_option: The stream's merge option.
            bodies: The hashes of their JSON, if they are known.
            lines: The hashes of the rows' lines, if they matter.

        Returns:
            The places of those that are not sent: they are as they were last settled.

        Raises:
            TargetDotdigitalError: An import has failed, or the run is being stopped.
        """
        if self.fingerprints is None:
            self._join_all(contacts, merge_option)
            return []
        are_sent = self.fingerprints.send(contacts, bodies, lines)
        if all(are_sent):
            self._join_all(contacts, merge_option)
            return []
        for is_sent, group in groupby(zip(are_sent, contacts, strict=True), itemgetter(0)):
            found = [contact for _, contact in group]
            if is_sent:
                self._join_all(found, merge_option)
            else:
                self.pass_unchanged(found[0].rows[0].counts, len(found))
        return list(compress(count(), map(not_, are_sent)))

    def _join_all(self, contacts: Sequence[Contact], merge_option: MergeOption) -> None:
        states = self._states
        while len(contacts) >= MIN_JOINED:
            joined = self._batches.join_several(contacts, merge_option, states.position + 1)
            states.position += joined
            contacts = contacts[joined:]
            if not joined:
                break
        for contact in contacts:
            states.position += 1
            self._join(contact, merge_option)

    def pass_unchanged(self, counts: StreamCounts, rows: int) -> None:
        """Take rows that follow each other, and need not be sent.

        Args:
            counts: Where they are counted.
            rows: How many there are.
        """
        self._states.position += rows
        counts.unchanged += rows

    def leave(self, contact: Contact, leaving: int) -> None:
        """Take a contact into an open removal. It keeps its place in the order of rows.

        Args:
            contact: The contact with its rows.
            leaving: The ID of the address book that it leaves, or `ACCOUNT`.

        Raises:
            TargetDotdigitalError: A load has failed, or the run is being stopped.
        """
        if self.fingerprints is not None:
            self.fingerprints.forget(contact.identities)
        self._batches.leave(contact, leaving, self.position)

    def flush(self) -> None:
        """Send what is open.

        Raises:
            TargetDotdigitalError: An import has failed, or the run is being stopped.
        """
        self._batches.flush()
