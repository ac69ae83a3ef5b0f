"""How many contacts an import takes: a load is spread evenly over the free slots, in few calls.

Dotdigital works imports off side by side, and each at its own slow pace; so 20,000 contacts in
twenty imports are there much sooner than in two. But calls are limited: 35 low ones a minute in
the Basic package. And nothing says how much a tap is going to send. So what is read is delayed a
little while slots are free, and then split.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

SMALLEST_IMPORT = 1_000
"""Contacts of an import that is sent before it is full. Smaller ones would hardly end sooner."""

DELAY_SECONDS = 1.0
"""How long contacts are delayed to see how many they are, and how many slots come free."""

MAX_DELAY_SECONDS = 30.0
DELAY_SHARE = 0.25
"""The first contacts are delayed for longer, up to this share of the time that they will take:
while a tap is so much faster than Dotdigital, little is lost by it, and small loads are split
among all slots whatever their size."""

PUBLIC_PACE = 1_000_000 / (3 * 60 * 60)
"""Contacts a second of one import. The one public figure: up to three hours for a million."""

QUICK_SECONDS = 1.0
"""Where a full import is expected to end within this time, nothing is gained by smaller ones."""

CHEAP_CALLS = 20
"""Imports of a minute up to which small ones are sent. 35 calls are allowed, and as many polls:
others need some, and so do polls that come too early."""

CALL_WINDOW_SECONDS = 60.0

GROWTH = 16
"""Imports that are sent before they are full hold this part of all that went before. So a million
contacts take 141 imports at most, however slowly they come."""


class Capacity(NamedTuple):
    """What Dotdigital can take now, as far as that is known."""

    now: float
    """The clock's time in seconds."""
    free: int
    """Slots that no load takes."""
    may_split: bool
    """Whether small imports are of use: not in a dry run, or while calls are refused."""
    full_import_seconds: float | None
    """How soon a full import ends; None if that is not known yet."""


class BatchSize:
    """Decides how many contacts an open import may take, and in how many parts it goes."""

    def __init__(self, batch_size: int) -> None:
        """Start with nothing sent.

        Args:
            batch_size: The most contacts of an import.
        """
        self._batch_size = batch_size
        self._sent_at: deque[float] = deque(maxlen=CHEAP_CALLS)
        self._sent = 0
        self._free_since: float | None = -math.inf

    def note_sent(self, contacts: int, now: float) -> None:
        """Count an import.

        Args:
            contacts: How many it holds.
            now: The clock's time in seconds.
        """
        self._sent += contacts
        self._sent_at.append(now)

    def limit(self, contacts: int, others: int, opened_at: float, capacity: Capacity) -> int:
        """Return how many contacts an open import may take now.

        More than a batch if there are slots for it: it is split when it is sent.

        Args:
            contacts: How many it holds.
            others: How many all other open loads hold.
            opened_at: When it was opened.
            capacity: What Dotdigital can take now.

        Returns:
            At least a batch; less if it is to be sent with what it holds.
        """
        spare = self._spare(capacity)
        if not spare:
            return self._batch_size
        if self.is_due(contacts, opened_at, capacity):
            return min(contacts, self._batch_size * spare)
        return max(self._batch_size, self._batch_size * spare - others)

    def delay(self, contacts: int, opened_at: float, capacity: Capacity) -> float:
        """Return for how long contacts are to be delayed.

        Args:
            contacts: How many there are.
            opened_at: When their import was opened; minus infinity if no more will come.
            capacity: What Dotdigital can take now.

        Returns:
            Seconds; infinite while no slot is free, and 0 if there is no reason to.
        """
        if not capacity.free:
            self._free_since = None
            return math.inf if self._splits(capacity) else 0.0
        if self._free_since is None:
            self._free_since = capacity.now
        spare = self._spare(capacity)
        if not spare or self._is_first(capacity):
            return 0.0
        delay = DELAY_SECONDS
        if self._sent <= SMALLEST_IMPORT and contacts < spare * self._batch_size:
            seconds = contacts / spare * self._seconds_each(capacity)
            delay = max(delay, min(DELAY_SHARE * seconds, MAX_DELAY_SECONDS))
        return max(max(opened_at, self._free_since) + delay - capacity.now, 0.0)

    def part_size(self, contacts: int, capacity: Capacity, *, is_last: bool) -> int:
        """Return how many contacts of an open import go in one, at most. A rest may stay open.

        Args:
            contacts: How many it holds, at least one.
            capacity: What Dotdigital can take now.
            is_last: Whether no more are known to come. Otherwise half of the slots are kept.
        """
        fewest = math.ceil(contacts / self._batch_size)
        spare = self._spare(capacity)
        if not is_last and contacts < spare * self._batch_size:
            spare = math.ceil(spare / 2)
        smallest = SMALLEST_IMPORT if is_last else self._smallest(capacity)
        if is_last:
            return math.ceil(contacts / max(min(spare, round(contacts / smallest)), fewest))
        if min(spare, contacts // smallest) < fewest:
            return self._batch_size
        return max(math.ceil(contacts / spare), smallest)

    def is_due(self, contacts: int, opened_at: float, capacity: Capacity) -> bool:
        """Return whether an open import is to be sent although nothing more comes for it now.

        Args:
            contacts: How many it holds.
            opened_at: When it was opened.
            capacity: What Dotdigital can take now.
        """
        return (
            contacts >= self._smallest(capacity)
            and self._spare(capacity) > 0
            and not self.delay(contacts, opened_at, capacity)
        )

    def _smallest(self, capacity: Capacity) -> int:
        """Return how many contacts an import holds at least that is sent before it is full."""
        if self._is_first(capacity):
            return SMALLEST_IMPORT
        return min(max(self._sent // GROWTH, SMALLEST_IMPORT), self._batch_size)

    def _is_first(self, capacity: Capacity) -> bool:
        """Return whether an import would be the first one: it shows whether others end quickly."""
        return not self._sent and capacity.full_import_seconds is None

    def _seconds_each(self, capacity: Capacity) -> float:
        if capacity.full_import_seconds is None:
            return 1 / PUBLIC_PACE
        return capacity.full_import_seconds / self._batch_size

    def _spare(self, capacity: Capacity) -> int:
        """Return how many slots small imports may take."""
        if not self._splits(capacity):
            return 0
        recent = sum(capacity.now - each < CALL_WINDOW_SECONDS for each in self._sent_at)
        return max(min(capacity.free, CHEAP_CALLS - recent), 0)

    def _splits(self, capacity: Capacity) -> bool:
        is_quick = (
            capacity.full_import_seconds is not None
            and capacity.full_import_seconds < QUICK_SECONDS
        )
        return capacity.may_split and not is_quick and self._batch_size > SMALLEST_IMPORT
