"""The contacts that were in a run's rows and need not be sent. A mirror keeps them, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_SETS = 7
"""Contacts of so many sets are told apart. Those of further ones count in any case."""


class SeenContacts:
    """By its place, in which sets a contact is: those of a full load, or of one of its versions."""

    def __init__(self) -> None:
        """Start with none."""
        self._bits = bytearray()
        self._sets: list[object] = []

    def add(self, place: int, seen_in: object) -> None:
        """Add a contact.

        Args:
            place: Its place.
            seen_in: The set that holds the contacts of the row at hand.
        """
        if len(self._bits) <= place:
            self._bits.extend(bytes(max(place + 1, 2 * len(self._bits)) - len(self._bits)))
        self._bits[place] |= 1 << self._number(seen_in)

    def has(self, place: int, outdated: Collection[object]) -> bool:
        """Return whether a contact was added.

        Args:
            place: Its place.
            outdated: Sets that do not count any more.
        """
        if place >= len(self._bits):
            return False
        ignored = 0
        for number, each in enumerate(self._sets):
            if any(each is one for one in outdated):
                ignored |= 1 << number
        return self._bits[place] & ~ignored != 0

    def _number(self, seen_in: object) -> int:
        for number, each in enumerate(self._sets):
            if each is seen_in:
                return number
        if len(self._sets) < MAX_SETS:
            self._sets.append(seen_in)
            return len(self._sets) - 1
        return MAX_SETS
