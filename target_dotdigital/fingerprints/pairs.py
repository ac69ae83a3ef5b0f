"""Pairs of hashes: twenty bytes a pair, in the order in which they came, found by the first one."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import accumulate, compress
from operator import or_
from typing import TYPE_CHECKING

from typing_extensions import override

from target_dotdigital.mapping import SortedHashes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence


LATER_SHARE = 10
"""If one pair of so many was put in later, all are sorted anew."""

_HASH_BITS = 64
_BUCKET_BITS = 10
"""What is sorted at a time should find room in the caches of a processor."""

MAX_SEEN_SETS = 7
"""Seen contacts of so many sets are told apart. Those of further ones count in any case."""


def hashes(values: Iterable[int] = ()) -> array[int]:
    """Return an array of hashes.

    Args:
        values: What it holds.
    """
    return array("Q", values)


class Pairs:
    """Pairs of hashes. The second one is 0 where a pair is dropped. Place 0 holds no pair.

    Attributes:
        keys: The first hashes.
        values: The second ones.
        by_key: The places of pairs, by their first hash; those that were put in later are missing.
    """

    def __init__(
        self,
        keys: array[int] | None = None,
        values: array[int] | None = None,
        by_key: array[int] | None = None,
    ) -> None:
        """Take pairs over.

        Args:
            keys: The first hashes, with a 0 before them. None if there are no pairs.
            values: The second ones, likewise.
            by_key: Their places, by the first hash.
        """
        self.keys = hashes((0,)) if keys is None else keys
        self.values = hashes((0,)) if values is None else values
        self.by_key = array("I") if by_key is None else by_key
        self._later: dict[int, int] = {}

    def __len__(self) -> int:
        """Return how many pairs there are, with those that are dropped."""
        return len(self.keys) - 1

    def place(self, key: int) -> int:
        """Return where a pair is; 0 if there is none.

        Args:
            key: Its first hash.
        """
        if self.by_key:
            index = bisect_left(self.by_key, key, key=self.keys.__getitem__)
            if index < len(self.by_key) and self.keys[self.by_key[index]] == key:
                return self.by_key[index]
        return self._later.get(key, 0)

    def get(self, key: int) -> int:
        """Return the second hash of a pair; 0 if there is none.

        Args:
            key: The first hash.
        """
        return self.values[self.place(key)]

    def put(self, key: int, value: int) -> None:
        """Put a pair in, in the place of one with the same first hash.

        Args:
            key: The first hash.
            value: The second one; 0 drops the pair.
        """
        place = self.place(key)
        if place:
            self.values[place] = value
        elif value:
            self._append(key, value)

    def _append(self, key: int, value: int) -> None:
        self._later[key] = len(self.keys)
        self.keys.append(key)
        self.values.append(value)

    @property
    def later(self) -> array[int]:
        """The pairs that were put in later: first hash, second hash, and so on."""
        return hashes(
            each for key, place in self._later.items() for each in (key, self.values[place])
        )

    @property
    def later_places(self) -> Collection[int]:
        """Where those are."""
        return self._later.values()

    @property
    def is_unsorted(self) -> bool:
        """Whether many pairs were put in later."""
        return len(self._later) * LATER_SHARE > len(self.keys)

    def sort(self, last: array[int]) -> None:
        """Forget what was dropped, and find by the first hash what was put in later, too.

        Args:
            last: The places of pairs that are put to the end, in this order.
        """
        self._take(self._order(last))

    def _order(self, last: array[int]) -> list[int]:
        is_last = bytearray(len(self.keys))
        for place in last:
            is_last[place] = 1
        order = [place for place, value in enumerate(self.values) if value and not is_last[place]]
        order += [place for place in dict.fromkeys(last) if self.values[place]]
        return order

    def _take(self, order: list[int]) -> None:
        """Keep the pairs at some places, in this order."""
        self.keys = hashes([0, *map(self.keys.__getitem__, order)])
        self.values = hashes([0, *map(self.values.__getitem__, order)])
        places = range(1, len(self.keys))
        self.by_key = array("I", sorted(places, key=self.keys.__getitem__))
        self._later = {}


class Contacts(Pairs):
    """Contacts: the hash of the match identifier with that of what was sent, and of the row's line.

    Attributes:
        lines: The hash of the line of each contact's row; 0 where it is not known.
    """

    def __init__(
        self,
        keys: array[int] | None = None,
        values: array[int] | None = None,
        by_key: array[int] | None = None,
        lines: array[int] | None = None,
    ) -> None:
        """Take contacts over.

        Args:
            keys: See `Pairs`.
            values: See `Pairs`.
            by_key: See `Pairs`.
            lines: The hash of each one's line.
        """
        super().__init__(keys, values, by_key)
        self.lines = hashes((0,)) if lines is None else lines

    @override
    def put(self, key: int, value: int, line: int = 0) -> None:
        place = self.place(key)
        if place:
            self.values[place], self.lines[place] = value, line
        elif value:
            self._append(key, value)
            self.lines.append(line)

    def fill(self, changes: Iterable[array[int]]) -> None:
        """Put many contacts in where there are none, without making an object of each.

        Args:
            changes: Contact, what was sent, and line of each. The last one of a contact counts.
        """
        columns = [hashes((0,)) for _ in range(3)]
        for changed in changes:
            for number, column in enumerate(columns):
                column.extend(changed[number::3])
        keys, values, _ = columns
        is_kept = bytearray(map(bool, values))
        by_key = array("I")
        for bucket in _buckets(keys):
            last = dict(zip(map(keys.__getitem__, bucket), bucket, strict=True))
            by_key.extend(map(last.__getitem__, sorted(last)))
            if len(last) < len(bucket):
                for place in {*bucket}.difference(last.values()):
                    is_kept[place] = 0
        if not all(is_kept[1:]):
            places = array("I", accumulate(is_kept))
            by_key = array("I", [places[place] for place in by_key if is_kept[place]])
            is_kept[0] = 1
            columns = [hashes(compress(column, is_kept)) for column in columns]
        self.keys, self.values, self.lines = columns
        self.by_key = by_key

    @property
    @override
    def later(self) -> array[int]:
        return hashes(
            each
            for key, place in self._later.items()
            for each in (key, self.values[place], self.lines[place])
        )

    @override
    def _take(self, order: list[int]) -> None:
        super()._take(order)
        self.lines = hashes([0, *map(self.lines.__getitem__, order)])


def _buckets(keys: array[int]) -> list[array[int]]:
    """Return the places of keys, in order, in parts of which each has larger keys than the last."""
    found = [array("I") for _ in range(1 << _BUCKET_BITS)]
    shift = _HASH_BITS - _BUCKET_BITS
    for place, key in enumerate(keys):
        found[key >> shift].append(place)
    del found[0][0]  # place 0 holds no pair
    return found


class SeenContacts:
    """By its place, in which sets a contact is: those of a full load, or of one of its versions."""

    def __init__(self) -> None:
        """Start with none."""
        self._bits = bytearray()
        self._sets: list[object] = []

    def add_all(self, places: Sequence[int], seen_in: object) -> None:
        """Add contacts.

        Args:
            places: Their places; at least one.
            seen_in: The set that holds the contacts of the rows at hand.
        """
        last = max(places)
        if len(self._bits) <= last:
            self._bits.extend(bytes(max(last + 1, 2 * len(self._bits)) - len(self._bits)))
        bit = 1 << self._number(seen_in)
        for place in places:
            self._bits[place] |= bit

    def flags(self, outdated: Collection[object]) -> bytes:
        """Return for each place whether a contact there was added; what is behind was not.

        Args:
            outdated: Sets that do not count any more.
        """
        counted = (1 << MAX_SEEN_SETS + 1) - 1
        for number, each in enumerate(self._sets):
            if any(each is one for one in outdated):
                counted &= ~(1 << number)
        return bytes(self._bits).translate(bytes(each & counted != 0 for each in range(256)))

    def _number(self, seen_in: object) -> int:
        for number, each in enumerate(self._sets):
            if each is seen_in:
                return number
        if len(self._sets) < MAX_SEEN_SETS:
            self._sets.append(seen_in)
            return len(self._sets) - 1
        return MAX_SEEN_SETS


class UnchangedContacts:
    """The contacts of one stream that have come and were not sent, to look for many of them."""

    def __init__(self, contacts: Contacts, others: Pairs, flags: bytes) -> None:
        """Take note of them.

        Args:
            contacts: What is known of all contacts.
            others: By other identifiers, whose these are.
            flags: By place, whether a contact counts.
        """
        flags = flags.ljust(len(contacts.keys), b"\0")
        self._keys = SortedHashes(
            hashes(contacts.keys[place] for place in contacts.by_key if flags[place])
        )
        self._later = {contacts.keys[place] for place in contacts.later_places if flags[place]}
        self._others = others

    def among(self, identities: array[int]) -> list[bool]:
        """Return for each of many identities whether one of the contacts has it.

        Args:
            identities: Their hashes.
        """
        found = self._among(identities)
        if self._others:
            owners = hashes(map(self._others.get, identities))
            found = list(map(or_, found, self._among(owners)))
        return found

    def _among(self, contacts: array[int]) -> list[bool]:
        found = self._keys.among(contacts)
        if self._later:
            found = list(map(or_, found, map(self._later.__contains__, contacts)))
        return found


class Unchanged:
    """The contacts of some streams that have come and were not sent."""

    def __init__(
        self,
        hashes_of: Callable[[Sequence[str]], array[int]],
        streams: Sequence[UnchangedContacts],
    ) -> None:
        """Take note of them.

        Args:
            hashes_of: Returns the hashes of identities.
            streams: Those of each stream.
        """
        self._hashes_of = hashes_of
        self._streams = streams

    def among(self, identities: Sequence[str]) -> list[bool]:
        """Return for each of many identities whether one of the contacts has it.

        Args:
            identities: Normalised identifiers.
        """
        hashed = self._hashes_of(identities)
        found = [False] * len(hashed)
        for each in self._streams:
            found = list(map(or_, found, each.among(hashed)))
        return found
