"""One import to its end: sent, polled, sent again, halved, settled. Runs in a worker thread."""

from __future__ import annotations

import logging
import random
import re
import threading
from collections import Counter
from typing import TYPE_CHECKING

import backoff

from target_dotdigital.errors import (
    DataError,
    DotdigitalError,
    NotFoundError,
    RequestRefusedError,
    RequestTooLargeError,
    TooManyActiveImportsError,
)
from target_dotdigital.halving import Halving
from target_dotdigital.imports import MAX_BODY_BYTES, import_body
from target_dotdigital.settlement import settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_dotdigital.client import Client
    from target_dotdigital.clock import Clock
    from target_dotdigital.contacts import Contact
    from target_dotdigital.imports import Import
    from target_dotdigital.replies import ImportStatus
    from target_dotdigital.settings_schema import MergeOption
    from target_dotdigital.settlement import Settlement

FIRST_POLL_SECONDS = 0.5
POLL_GROWTH = 1.5
MAX_POLL_SECONDS = 60.0
"""Polls slow down to this: an import may take hours."""

MAX_SENDS = 3
"""How often the same contacts are sent when Dotdigital loses an import or says `Failed`."""

MAX_ODD_POLLS = 4
"""Answers in a row that make no sense (404, an unknown status) before they are believed."""

MAX_REFUSED_FIRST = 10
"""Contacts that are refused alone, in imports of one or two, before any is accepted, until it is
clear that what all of them have in common is at fault."""

MAX_UPLOADS = 4
"""Bodies that are sent at a time. They fill the line, and each takes up to 50 MB of memory."""

MAX_SLOT_WAIT_SECONDS = 60.0
_SLOT_CHECK_SECONDS = 0.5

_RUNNING = frozenset({"notfinished", "notstarted"})
_ENDS = {
    "rejectedbywatchdog": (
        "RejectedByWatchdog: Dotdigital's Data Watchdog refuses it; sending it again does not help"
    ),
    "exceedsallowedcontactlimit": (
        "ExceedsAllowedContactLimit: the account's contact allowance would be exceeded"
    ),
    "invalidfileformat": "InvalidFileFormat: Dotdigital cannot read it",
    "unknown": "Unknown: Dotdigital does not know what became of it",
    "notavailableinthisversion": (
        "NotAvailableInThisVersion: Dotdigital cannot tell what became of it"
    ),
}
"""Final status words besides `Finished` and `Failed`, and what they mean. None is retried."""

_logger = logging.getLogger("target-dotdigital.imports")


class Importer:
    """Loads imports. Safe to use from several threads, an import each."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        timeout_seconds: float,
        check_account: Callable[[], None] = lambda: None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Keep what every import shares.

        Args:
            client: Calls Dotdigital.
            clock: Waits between polls.
            timeout_seconds: How long an import may take, from its first request on.
            check_account: Raises if the account lacks what every contact needs of it.
            jitter: Random numbers in [0, 1).
        """
        self._client = client
        self._check_account = check_account
        self._clock = clock
        self._timeout = timeout_seconds
        self._jitter = jitter
        self._lock = threading.Lock()
        self._uploads = threading.Semaphore(MAX_UPLOADS)
        self._ends = 0
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
        deadline = self._clock.now() + self._timeout
        contacts = list(load.contacts.values())
        halving = Halving(
            contacts,
            lambda part: self._load_part(part, load.merge_option, deadline),
            self._check_account,
        )
        halving.load(contacts)
        self._check_refusals(halving.total)
        return halving.total

    def _check_refusals(self, settlement: Settlement) -> None:
        """Tell an envelope's fault where imports are too small to show it one by one."""
        with self._lock:
            self._refused_alone += len(settlement.rejected)
            if not self._largest_accepted and self._refused_alone >= MAX_REFUSED_FIRST:
                raise DataError(
                    f"Dotdigital has refused the first {self._refused_alone} contacts one by one, "
                    "and accepted none"
                )

    def _load_part(
        self, part: list[Contact], merge_option: MergeOption, deadline: float
    ) -> Settlement:
        for _ in range(MAX_SENDS):
            import_id = self._submit(part, merge_option, deadline)
            try:
                report = self._await_end(import_id, deadline)
            finally:
                with self._lock:
                    self._ends += 1
            if report is not None:
                settlement = settle(import_id, report, part)
                _log_settlement(import_id, settlement)
                return settlement
            _logger.warning("Import %s came to nothing; sending it again", import_id)
        raise DotdigitalError(f"Import {import_id} came to nothing, as did those before it")

    def _submit(self, part: list[Contact], merge_option: MergeOption, deadline: float) -> str:
        """Send an import, waiting for one of the account's slots if all are taken."""
        waits = backoff.expo(factor=2, max_value=MAX_SLOT_WAIT_SECONDS)
        next(waits)  # the library's generators begin with a 0 that is not meant as a wait
        while True:
            ends = self._ends
            try:
                return self._send(part, merge_option)
            except TooManyActiveImportsError:
                now = self._clock.now()
                if now >= deadline:
                    raise self._overdue("All of the account's import slots are taken") from None
                _logger.info("All of the account's import slots are taken; waiting for one")
                until = min(now + backoff.full_jitter(next(waits)), deadline)
            # One of our own that ends frees a slot sooner than any guess.
            while self._clock.now() < until and self._ends == ends:
                self._clock.sleep(_SLOT_CHECK_SECONDS)

    def _send(self, part: list[Contact], merge_option: MergeOption) -> str:
        # The body lives no longer than this: what is kept of an active import are its contacts.
        with self._uploads:
            body = import_body(merge_option, part)
            if len(body) > self.max_body_bytes and len(part) > 1:
                # It was filled before that was known. No need to ask again.
                raise RequestTooLargeError(f"{len(body)} bytes in one import")
            try:
                import_id = self._client.import_contacts(body)
            except RequestTooLargeError:
                self._limit(len(body))
                raise
            with self._lock:
                self._largest_accepted = max(self._largest_accepted, len(body))
        _logger.info("Import %s: %d contacts, %d bytes", import_id, len(part), len(body))
        return import_id

    def _await_end(self, import_id: str, deadline: float) -> ImportStatus | None:
        """Poll until the import has finished.

        Returns:
            Its report; None if Dotdigital lost it or says `Failed`, and it may be sent again.

        Raises:
            DotdigitalError: It has ended otherwise, or not in time.
        """
        wait = FIRST_POLL_SECONDS
        odd = 0
        while True:
            # Spread a little, so that imports sent together are not polled together.
            self._clock.sleep(min(wait * (0.9 + self._jitter() / 5), MAX_POLL_SECONDS))
            wait = min(wait * POLL_GROWTH, MAX_POLL_SECONDS)
            report = self._poll(import_id)
            word = None if report is None else report.status.strip().lower()
            if word == "finished":
                return report
            if word == "failed":
                return None
            if word in _ENDS:
                raise DotdigitalError(f"Import {import_id}: {_ENDS[word]}")
            if word in _RUNNING:
                odd = 0
            else:
                odd += 1
                if odd == MAX_ODD_POLLS and word is None:
                    return None
                if odd == MAX_ODD_POLLS:
                    shown = word if re.fullmatch(r"[a-z]{1,40}", word or "") else "not shown"
                    raise DotdigitalError(f"Import {import_id}: unknown status ({shown})")
            if self._clock.now() >= deadline:
                raise self._overdue(f"Import {import_id} has not ended")

    def _poll(self, import_id: str) -> ImportStatus | None:
        """Return an import's status, or None if Dotdigital does not know the import."""
        try:
            return self._client.import_status(import_id)
        except NotFoundError:
            return None
        except RequestRefusedError as error:
            # Of the poll, not of what was sent: nothing in the import is at fault.
            raise DotdigitalError(f"Import {import_id}: {error.message}") from None

    def _overdue(self, what: str) -> DotdigitalError:
        return DotdigitalError(f"{what} within {self._timeout / 60:.0f} minutes")

    def _limit(self, size: int) -> None:
        """Keep to half of a size that was refused."""
        with self._lock:
            self._max_body_bytes = min(self._max_body_bytes, size // 2)
        _logger.info("Imports are limited to %d bytes from now on", self.max_body_bytes)


def _log_settlement(import_id: str, settlement: Settlement) -> None:
    codes = Counter(code for _, code in settlement.rejected) + settlement.unnamed_codes
    refused = sum(codes.values())
    written = (
        len(settlement.imported) + len(settlement.unnamed) - sum(settlement.unnamed_codes.values())
    )
    _logger.info("Import %s: settled, %d imported, %d rejected", import_id, written, refused)
    if settlement.unnamed_codes:
        _logger.warning(
            "Import %s: Dotdigital does not name the contacts that it refused: they are counted, "
            "and missing in the rejects file",
            import_id,
        )
    for code, count in settlement.unmatched.items():
        _logger.warning(
            "Import %s: %d failures (%s) for contacts that were not sent", import_id, count, code
        )
