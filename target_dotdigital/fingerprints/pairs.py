"""Pairs of hashes, sorted: sixteen bytes a pair, found by their first hash."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import compress, repeat
from operator import eq, mod, ne, not_
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable


def hashes(values: Iterable[int] = ()) -> array[int]:
    """Return an array of hashes.

    Args:
        values: What it holds.
    """
    return array("Q", values)


class SortedPairs:
    """Pairs by their first hash. The second one is 0 where a pair is dropped.

    Place 0 holds no pair. Behind the sorted ones come those that were put in later.

    Attributes:
        keys: The first hashes.
        values: The second ones.
    """

    def __init__(self, keys: array[int] | None = None, values: array[int] | None = None) -> None:
        """Take sorted pairs over.

        Args:
            keys: The first hashes, sorted, with a 0 before them. None if there are no pairs.
            values: The second ones, likewise.
        """
        self.keys = hashes((0,)) if keys is None else keys
        self.values = hashes((0,)) if values is None else values
        self._sorted = len(self.keys)
        self._later: dict[int, int] = {}

    def __len__(self) -> int:
        """Return how many pairs there are, with those that are dropped."""
        return len(self.keys) - 1

    def place(self, key: int) -> int:
        """Return where a pair is; 0 if there is none.

        Args:
            key: Its first hash.
        """
        place = bisect_left(self.keys, key, 1, self._sorted)
        if place < self._sorted and self.keys[place] == key:
            return place
        return self._later.get(key, 0)

    def get(self, key: int) -> int:
        """Return the second hash of a pair; 0 if there is none.

        Args:
            key: The first hash.
        """
        return self.values[self.place(key)]

    def put(self, key: int, value: int) -> int:
        """Put a pair in, in the place of one with the same first hash.

        Args:
            key: The first hash.
            value: The second one; 0 drops the pair.

        Returns:
            Where it is; 0 if there was none to drop.
        """
        place = self.place(key)
        if place:
            self.values[place] = value
        elif value:
            place = self._later[key] = len(self.keys)
            self.keys.append(key)
            self.values.append(value)
        return place

    @property
    def sorted(self) -> tuple[array[int], array[int]]:
        """The pairs that are sorted, as they are taken over."""
        return self.keys[: self._sorted], self.values[: self._sorted]

    @property
    def later(self) -> array[int]:
        """The pairs that were put in later: first hash, second hash, and so on."""
        return hashes(
            each for key, place in self._later.items() for each in (key, self.values[place])
        )

    def sort(self) -> None:
        """Sort what was put in, and forget what was dropped."""
        later = sorted(
            (self.keys[place], self.values[place])
            for place in self._later.values()
            if self.values[place]
        )
        keys, values = self.keys[: self._sorted], self.values[: self._sorted]
        keys, values = hashes(compress(keys, values)), hashes(filter(None, values))
        self.keys, self.values = hashes((0,)), hashes((0,))
        start = 0
        for key, value in later:
            end = bisect_left(keys, key, start)
            self.keys += keys[start:end]
            self.values += values[start:end]
            self.keys.append(key)
            self.values.append(value)
            start = end
        self.keys += keys[start:]
        self.values += values[start:]
        self._sorted, self._later = len(self.keys), {}


class People(SortedPairs):
    """Contacts by the hash of their match identifier, each with the hash of what was sent.

    They are found by what was sent, too, many at a time. Each hash has a slot that holds its place;
    those that share one with another hash are kept beside the slots.

    Attributes:
        slots: By the hash of what was sent, modulo their number, where a contact may be.
        beside: The places of contacts that have no slot of their own.
    """

    def __init__(
        self,
        keys: array[int] | None = None,
        values: array[int] | None = None,
        slots: array[int] | None = None,
        beside: array[int] | None = None,
    ) -> None:
        """Take sorted contacts over.

        Args:
            keys: See `SortedPairs`.
            values: See `SortedPairs`.
            slots: What `slots` was, if it is known.
            beside: What `beside` was.
        """
        super().__init__(keys, values)
        if slots is None or beside is None:
            self._fill_slots()
        else:
            self._take(slots, beside)

    @override
    def put(self, key: int, value: int) -> int:
        self._beside.pop(self.get(key), None)
        place = super().put(key, value)
        if value:
            self._beside[value] = place
        return place

    @override
    def sort(self) -> None:
        super().sort()
        self._fill_slots()

    def find(self, value: int) -> int:
        """Return where a contact is; 0 if there is none.

        Args:
            value: The hash of what would be sent.
        """
        place = self.slots[value % len(self.slots)]
        return place if self.values[place] == value else self._beside.get(value, 0)

    def are_there(self, values: array[int]) -> list[bool]:
        """Return for each of many contacts whether it is there.

        Args:
            values: The hashes of what would be sent.
        """
        slots = map(mod, values, repeat(len(self.slots)))
        places = map(self.slots.__getitem__, slots)
        found = list(map(eq, map(self.values.__getitem__, places), values))
        if self._beside:
            for place in compress(range(len(found)), map(not_, found)):
                found[place] = values[place] in self._beside
        return found

    def _fill_slots(self) -> None:
        count = len(self.values)
        slots = array("I", bytes(4 * (2 * count + 1)))
        homes = array("Q", map(mod, self.values, repeat(len(slots))))
        for place, home in enumerate(homes):
            slots[home] = place
        holders = map(slots.__getitem__, homes)
        beside = array("I", compress(range(count), map(ne, holders, range(count))))
        self._take(slots, beside)

    def _take(self, slots: array[int], beside: array[int]) -> None:
        self.slots, self.beside = slots, beside
        self._beside = {self.values[place]: place for place in beside if self.values[place]}
