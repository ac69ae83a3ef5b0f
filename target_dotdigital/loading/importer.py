"""One import to its end: sent, polled, sent again, bisected, settled. Runs in a worker thread."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

from target_dotdigital.api import IMPORT
from target_dotdigital.errors import DataError, RequestTooLargeError
from target_dotdigital.loading.bisection import Bisection
from target_dotdigital.loading.imports import MAX_BODY_BYTES, import_body
from target_dotdigital.loading.settlement import Settlement, settle_import

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_dotdigital.account import KnownContacts
    from target_dotdigital.api import Client, Jobs
    from target_dotdigital.events import Events
    from target_dotdigital.loading.imports import Import
    from target_dotdigital.mapping import Contact
    from target_dotdigital.settings import MergeOption

MAX_REFUSED_FIRST = 10
"""Contacts that are refused alone, in imports of one or two, before any is accepted, until it is
clear that what all of them have in common is at fault."""

MAX_UPLOADS = 4
"""Bodies that are sent at a time. They fill the line, and each takes up to 50 MB of memory."""

MAX_KEPT_BYTES = 8_000_000
"""A buffer of this size is kept for the next body."""

_logger = logging.getLogger("target-dotdigital.imports")


class Importer:
    """Loads imports. Safe to use from several threads, an import each."""

    def __init__(
        self,
        client: Client,
        jobs: Jobs,
        events: Events,
        known: KnownContacts,
        check_account: Callable[[], None] = lambda: None,
    ) -> None:
        """Keep what every import shares.

        Args:
            client: Calls Dotdigital.
            jobs: Starts imports and awaits their ends.
            events: Where it is noted what happens to them.
            known: Tells who is known to the account.
            check_account: Raises if the account lacks what every contact needs of it.
        """
        self._client = client
        self._jobs = jobs
        self._events = events
        self._known = known
        self._check_account = check_account
        self._lock = threading.Lock()
        self._uploads = threading.Semaphore(MAX_UPLOADS)
        self._buffers: list[BytesIO] = []
        self._max_body_bytes = MAX_BODY_BYTES
        self._largest_accepted = 0
        self._refused_alone = 0

    @property
    def max_body_bytes(self) -> int:
        """The largest body to send. It shrinks after a 413, but not below what was accepted."""
        return max(self._max_body_bytes, self._largest_accepted)

    def load(self, load: Import) -> Settlement:
        """Bring an import to its end.

        Args:
            load: The import.

        Returns:
            What became of each of its contacts.

        Raises:
            TargetDotdigitalError: It cannot be settled.
        """
        deadline = self._jobs.deadline()
        contacts, left_out = self._known.divide(load.contacts.values())
        if not contacts:
            return Settlement(left_out=left_out)
        bisection = Bisection(
            contacts,
            lambda part: self._load_part(part, load.merge_option, deadline),
            self._check_account,
        )
        bisection.load(contacts)
        self._check_refusals(bisection.total)
        settlement = bisection.total
        settlement.left_out += left_out
        self._known.note((*settlement.imported, *settlement.unnamed))
        return settlement

    def _check_refusals(self, settlement: Settlement) -> None:
        """Find a fault of all requests where imports are too small to show it one by one."""
        with self._lock:
            self._refused_alone += len(settlement.rejected)
            if not self._largest_accepted and self._refused_alone >= MAX_REFUSED_FIRST:
                raise DataError(
                    f"Dotdigital refused each of the first {self._refused_alone} contacts. Look "
                    "for what they have in common, such as a mapped property"
                )

    def _load_part(
        self, part: list[Contact], merge_option: MergeOption, deadline: float
    ) -> Settlement:
        with self._events.job(IMPORT.name, len(part)) as job:
            import_id, report = self._jobs.complete(
                lambda: self._send(part, merge_option), self._client.import_status, job, deadline
            )
            settlement = settle_import(import_id, report, part)
            job.settle(
                imported=settlement.written,
                new=len(settlement.new),
                updated=len(settlement.updated),
                rejected=settlement.codes,
            )
        _log_settlement(import_id, settlement)
        return settlement

    def _send(self, part: list[Contact], merge_option: MergeOption) -> str:
        # The body lives no longer than this: what is kept of an active import are its contacts.
        with self._uploads, self._body(merge_option, part) as body:
            size = len(body)
            if size > self.max_body_bytes and len(part) > 1:
                # It was filled before that was known. No need to ask again.
                raise RequestTooLargeError(f"{size} bytes in one import")
            try:
                import_id = self._client.import_contacts(body)
            except RequestTooLargeError:
                self._limit(size)
                raise
            with self._lock:
                self._largest_accepted = max(self._largest_accepted, size)
        _logger.info("Import %s: sent %d contacts in %d bytes", import_id, len(part), size)
        return import_id

    @contextmanager
    def _body(self, merge_option: MergeOption, part: list[Contact]) -> Iterator[memoryview]:
        try:
            buffer = self._buffers.pop()
        except IndexError:  # another thread may take the last one at the same moment
            buffer = BytesIO()
        with import_body(merge_option, part, buffer) as body:
            size = len(body)
            yield body
        if size <= MAX_KEPT_BYTES:
            self._buffers.append(buffer)

    def _limit(self, size: int) -> None:
        """Keep to half of a size that was refused."""
        with self._lock:
            self._max_body_bytes = min(self._max_body_bytes, size // 2)
        _logger.info(
            "Dotdigital refused an import of %d bytes as too large. Further ones have %d at most",
            size,
            self.max_body_bytes,
        )


def _log_settlement(import_id: str, settlement: Settlement) -> None:
    written, refused = settlement.written, sum(settlement.codes.values())
    _logger.info(
        "Import %s is settled: %d contacts imported, %d rejected", import_id, written, refused
    )
    if settlement.unnamed_codes:
        _logger.warning(
            "Import %s: Dotdigital refused %d contacts without naming them. They are counted, but "
            "not in the rejects file. Ask Dotdigital support about this import",
            import_id,
            sum(settlement.unnamed_codes.values()),
        )
    for code, count in settlement.unmatched.items():
        _logger.warning(
            "Import %s: Dotdigital reports %d failures (%s) of contacts that were not sent",
            import_id,
            count,
            code,
        )
