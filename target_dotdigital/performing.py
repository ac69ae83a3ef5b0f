"""Performing loads: which of them is brought to its end by what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.api import DELETION, IMPORT, REMOVAL, Jobs, PollLimit
from target_dotdigital.loading import Import, Importer, Removal, Remover
from target_dotdigital.mirror import Mirroring

if TYPE_CHECKING:
    from target_dotdigital.account import Account
    from target_dotdigital.clock import Clock
    from target_dotdigital.events import Events
    from target_dotdigital.loading import Load, Settlement


class Performer:
    """Brings loads to their end at Dotdigital. Safe to use from several threads."""

    def __init__(
        self, account: Account, clock: Clock, timeout_seconds: float, timeline: Events
    ) -> None:
        """Keep what every load shares.

        Args:
            account: Where the loads go.
            clock: Waits between polls.
            timeout_seconds: How long an import, a removal or a deletion may take.
            timeline: Where it is noted what happens to them.
        """
        self._client = account.client
        limit = PollLimit()
        imports, removals, deletions = (
            Jobs(kind, clock, timeout_seconds, limit) for kind in (IMPORT, REMOVAL, DELETION)
        )
        self._imports = imports
        self._importer = Importer(account.client, imports, timeline, account.check_address_books)
        self._remover = Remover(account.client, removals, deletions, timeline)

    @property
    def max_body_bytes(self) -> int:
        """The largest JSON of an import."""
        return self._importer.max_body_bytes

    def seconds_of_import(self, contacts: int) -> float | None:
        """Return how soon an import is expected to end, judging by those before it.

        Args:
            contacts: How many it holds.

        Returns:
            Seconds after it was taken; None if none has ended yet.
        """
        expected = self._imports.durations.expected(contacts)
        return None if expected is None else expected.latest

    def perform(self, load: Load) -> Settlement:
        """Bring a load to its end.

        Args:
            load: The load.

        Returns:
            What became of its contacts.

        Raises:
            TargetDotdigitalError: It cannot be settled.
        """
        if isinstance(load, Import):
            return self._importer.load(load)
        if isinstance(load, Removal):
            return self._remover.perform(load)
        if isinstance(load, Mirroring):
            return load.perform(self._client, self._remover)
        raise AssertionError
