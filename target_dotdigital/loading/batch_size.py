"""How full imports go: a load is spread evenly over the slots that are free, in few calls.

Dotdigital works imports off side by side, and each at its own slow pace; so 20,000 contacts in
twenty imports are there much sooner than in two. But calls are limited: 35 low ones a minute in
the Basic package. And nobody knows how much a tap is going to send. So what is read is held back
for a moment while slots are free, and then divided.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

SMALLEST_IMPORT = 1_000
"""Contacts of an import that is sent before it is full. Smaller ones would hardly end sooner."""

HOLD_SECONDS = 1.0
"""How long contacts are held back to see how many they are, and how many slots come free."""

MAX_HOLD_SECONDS = 30.0
HOLD_SHARE = 0.25
"""The first contacts are held back for longer, up to this share of the time that they will take:
while a tap is so much faster than Dotdigital, little is lost by it, and small loads are divided
among all slots whatever their size."""

PUBLIC_PACE = 1_000_000 / (3 * 60 * 60)
"""Contacts a second of one import. The one public figure: up to three hours for a million."""

QUICK_SECONDS = 1.0
"""Where a full import is expected to end within this time, nothing is gained by smaller ones."""

CHEAP_CALLS = 25
"""Imports of a minute up to which small ones are sent: 35 are allowed, others need some."""

CALL_WINDOW_SECONDS = 60.0

GROWTH = 16
"""Imports that are sent before they are full hold this part of all that went before. So a million
contacts take 140 imports at most, however slowly they come."""


class Moment(NamedTuple):
    """What there is to be known when an import may be sent."""

    now: float
    """The clock's time in seconds."""
    free: int
    """Slots that no load takes."""
    may_divide: bool
    """Whether small imports are of use: not in a dry run, or while calls are refused."""
    seconds_full: float | None
    """How soon a full import ends; None if that is not known yet."""


class Filling:
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

    def limit(self, contacts: int, others: int, opened_at: float, moment: Moment) -> int:
        """Return how many contacts an open import may take now.

        More than a batch if there are slots for it: it is divided when it is sent.

        Args:
            contacts: How many it holds.
            others: How many all other open loads hold.
            opened_at: When it was opened.
            moment: What there is to be known.

        Returns:
            At least a batch; less if it is to be sent with what it holds.
        """
        spare = self._spare(moment)
        if not spare:
            return self._batch_size
        if contacts >= self._smallest(moment) and not self.hold(contacts, opened_at, moment):
            return min(contacts, self._batch_size * spare)
        return max(self._batch_size, self._batch_size * spare - others)

    def hold(self, contacts: int, opened_at: float, moment: Moment) -> float:
        """Return for how long contacts are to be held back.

        Args:
            contacts: How many there are.
            opened_at: When their import was opened; minus infinity if no more will come.
            moment: What there is to be known.

        Returns:
            Seconds; infinite while no slot is free, and 0 if there is no reason to.
        """
        if not moment.free:
            self._free_since = None
            return math.inf if self._divides(moment) else 0.0
        if self._free_since is None:
            self._free_since = moment.now
        spare = self._spare(moment)
        if not spare or self._is_first(moment):
            return 0.0
        hold = HOLD_SECONDS
        if self._sent <= SMALLEST_IMPORT and contacts < spare * self._batch_size:
            seconds = contacts / spare * self._seconds_each(moment)
            hold = max(hold, min(HOLD_SHARE * seconds, MAX_HOLD_SECONDS))
        return max(max(opened_at, self._free_since) + hold - moment.now, 0.0)

    def part_size(self, contacts: int, moment: Moment, *, is_last: bool) -> int:
        """Return how many contacts of an open import go in one, at most.

        Args:
            contacts: How many it holds, at least one.
            moment: What there is to be known.
            is_last: Whether no more are known to come. Otherwise half of the slots are kept.
        """
        fewest = math.ceil(contacts / self._batch_size)
        spare = self._spare(moment)
        if not is_last and contacts < spare * self._batch_size:
            spare = math.ceil(spare / 2)
        smallest = SMALLEST_IMPORT if is_last else self._smallest(moment)
        parts = min(spare, contacts // smallest)
        if parts < fewest and not is_last:
            return self._batch_size
        return math.ceil(contacts / max(parts, fewest))

    def is_due(self, contacts: int, opened_at: float, moment: Moment) -> bool:
        """Return whether an open import is to be sent although nothing more comes for it now.

        Args:
            contacts: How many it holds.
            opened_at: When it was opened.
            moment: What there is to be known.
        """
        return (
            contacts >= self._smallest(moment)
            and self._spare(moment) > 0
            and not self.hold(contacts, opened_at, moment)
        )

    def _smallest(self, moment: Moment) -> int:
        """Return how many contacts an import holds at least that is sent before it is full."""
        if self._is_first(moment):
            return SMALLEST_IMPORT
        return min(max(self._sent // GROWTH, SMALLEST_IMPORT), self._batch_size)

    def _is_first(self, moment: Moment) -> bool:
        """Return whether an import would be the first one: it tells whether others end quickly."""
        return not self._sent and moment.seconds_full is None

    def _seconds_each(self, moment: Moment) -> float:
        if moment.seconds_full is None:
            return 1 / PUBLIC_PACE
        return moment.seconds_full / self._batch_size

    def _spare(self, moment: Moment) -> int:
        """Return how many slots small imports may take."""
        if not self._divides(moment):
            return 0
        recent = sum(moment.now - each < CALL_WINDOW_SECONDS for each in self._sent_at)
        return max(min(moment.free, CHEAP_CALLS - recent), 0)

    def _divides(self, moment: Moment) -> bool:
        is_quick = moment.seconds_full is not None and moment.seconds_full < QUICK_SECONDS
        return moment.may_divide and not is_quick and self._batch_size > SMALLEST_IMPORT
