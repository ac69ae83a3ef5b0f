"""Sets of identities, at eight bytes an identity: the contacts that a stream or a list holds."""

from __future__ import annotations

import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from itertools import chain, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

_BUCKET_BITS = 8
_BUCKETS = 1 << _BUCKET_BITS
_HASH_BITS = 64
_SHIFT = _HASH_BITS - _BUCKET_BITS
_SLOT_BITS = 4
"""A slot has so many hashes as a number of so many bits can tell."""

MIN_COMPACTION = 4096
"""A bucket with more hashes than this is rid of its duplicates."""

MIN_RECENT = 16_384
RECENT_SHARE = 16
"""Hashes that are kept apart before they go into the buckets: so many, or this part of all. Then
identities can be added and looked for in turn."""


class Identified(Protocol):
    """A contact, as far as its identities."""

    key: str
    """Its normalised match identifier."""
    other_identities: tuple[str, ...]
    """Its other identifiers, normalised."""


_key_of = attrgetter("key")
_other_identities_of = attrgetter("other_identities")


class IdentitySet:
    """A set of identities that keeps only their 64-bit hashes.

    Two identities with the same hash count as one. So the set may claim to hold an identity that
    was never added, one in a million million times, and never the other way round.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.lacks_unchanged = False
        """Whether contacts belong here that are known by their fingerprints alone."""
        self._new: list[int] = []
        """Those since something was last looked for: till then, they need be in no order."""
        self._recent: set[int] = set()
        self._max_recent = MIN_RECENT
        self._buckets: dict[int, array[int]] = {}
        self._sorted: dict[int, int] = {}
        """By bucket, how many hashes at its start are sorted and unique. Later ones are new."""

    def __bool__(self) -> bool:
        """Return whether any contact belongs here."""
        return bool(self.lacks_unchanged or self._new or self._recent or self._buckets)

    def add(self, identity: str) -> None:
        """Add an identity.

        Args:
            identity: A normalised identifier.
        """
        self.add_all((identity,))

    def add_all(self, identities: Collection[str]) -> None:
        """Add identities.

        Args:
            identities: Normalised identifiers.
        """
        self._new += hashes_of(identities)
        if len(self._new) + len(self._recent) >= self._max_recent:
            self._put_away()

    def __len__(self) -> int:
        """Return how many identities the set holds, each counted once."""
        self._put_away()
        return sum(len(self._compact(number)) for number in list(self._buckets))

    def __contains__(self, identity: str) -> bool:
        """Return whether the set holds an identity."""
        return bool(self.among(hashes_of((identity,))))

    def among(self, hashes: Collection[int]) -> set[int]:
        """Return the identities among some that the set holds.

        Args:
            hashes: The hashes of identities.
        """
        self._recent.update(self._new)
        self._new.clear()
        found = self._recent.intersection(hashes)
        buckets = self._buckets
        for number in {hashed >> _SHIFT for hashed in hashes} if buckets else ():
            if self._sorted.get(number, 0) != len(buckets.get(number, ())):
                self._compact(number)
        found.update(
            [
                hashed
                for hashed in hashes
                # The greatest one that is not greater: the last one if all are.
                if (bucket := buckets.get(hashed >> _SHIFT))
                and bucket[bisect_right(bucket, hashed) - 1] == hashed
            ]
        )
        return found

    def bucket(self, number: int) -> array[int]:
        """Return the hashes that begin with a number, some of them several times.

        Args:
            number: Their first bits, signed.
        """
        self._put_away()
        return self._buckets.get(number, array("q"))

    def _put_away(self) -> None:
        """Put the recent hashes into their buckets."""
        recent = array("q", sorted(chain(self._recent, self._new)))
        self._recent.clear()
        self._new.clear()
        start = 0
        while start < len(recent):
            number = recent[start] >> _SHIFT
            end = bisect_left(recent, (number + 1) << _SHIFT, start)
            bucket = self._buckets.setdefault(number, array("q"))
            bucket.extend(recent[start:end])
            if len(bucket) > max(MIN_COMPACTION, 2 * self._sorted.get(number, 0)):
                self._compact(number)
            start = end
        held = sum(map(len, self._buckets.values()))
        self._max_recent = max(MIN_RECENT, held // RECENT_SHARE)

    def _compact(self, number: int) -> array[int]:
        # A bucket at a time: sorting makes Python objects of the hashes, which are four times
        # as large.
        bucket = self._buckets[number] = array("q", dict.fromkeys(sorted(self._buckets[number])))
        self._sorted[number] = len(bucket)
        return bucket


class SortedHashes:
    """Hashes in which many are looked for at once."""

    def __init__(self, hashes: array[int]) -> None:
        """Take them over.

        Args:
            hashes: Unsigned, from the least one on. One is added: what is looked for is never
                behind the end.
        """
        bits = max(len(hashes).bit_length() - _SLOT_BITS, 0)
        hashes.append((1 << _HASH_BITS) - 1)
        self._hashes = hashes
        self._shift = _HASH_BITS - bits
        # They are as good as evenly spread: where one is, its first bits tell but for a few places.
        slots = range(0, (1 << _HASH_BITS) + 1, 1 << self._shift)
        self._starts = array("I", map(bisect_left, repeat(hashes), slots))

    def among(self, sought: Iterable[int]) -> list[bool]:
        """Return for each of many hashes whether it is here.

        Args:
            sought: Unsigned.
        """
        hashes, starts, shift = self._hashes, self._starts, self._shift
        return [
            hashes[bisect_left(hashes, each, starts[slot := each >> shift], starts[slot + 1])]
            == each
            for each in sought
        ]


class HeldIdentities:
    """The identities that any of some sets holds, to look for many of them once all are in."""

    def __init__(self, sets: Sequence[IdentitySet]) -> None:
        """Take note of them.

        Args:
            sets: The sets.
        """
        hashes = array("Q")
        for number in (*range(_BUCKETS // 2), *range(-_BUCKETS // 2, 0)):  # unsigned, they ascend
            bucket = sorted(chain.from_iterable(each.bucket(number) for each in sets))
            hashes.extend(_unsigned(bucket))
        self._hashes = SortedHashes(hashes)

    def among(self, identities: Collection[str]) -> list[bool]:
        """Return for each of many identities whether any of the sets holds it.

        Args:
            identities: Normalised identifiers.
        """
        return self._hashes.among(_unsigned(hashes_of(identities)))


def _unsigned(hashes: Collection[int]) -> array[int]:
    return array("Q", array("q", hashes).tobytes())


def canonical(identity: str) -> str:
    """Return an identity with its name in lower case: Dotdigital spells names in any case.

    Args:
        identity: A normalised identifier.
    """
    name, _, value = identity.partition(":")
    return f"{name.lower()}:{value}"


def comparable_identity(identity: str) -> str:
    """Return what spellings of an identity share that Dotdigital could take for one another.

    Args:
        identity: A normalised identifier.
    """
    form = canonical(identity)
    return form if form.isascii() else unicodedata.normalize("NFKC", form.casefold())


def all_identities(contacts: Collection[Identified]) -> list[str]:
    """Return everything that finds any of some contacts: their keys, then all other identities.

    Args:
        contacts: The contacts.
    """
    others = chain.from_iterable(map(_other_identities_of, contacts))
    return [*map(_key_of, contacts), *others]


def comparable_identities(identities: Collection[str]) -> Collection[str]:
    """Return what spellings of each of many identities share.

    Args:
        identities: Normalised identifiers.
    """
    joined = "".join(identities)
    if joined.isascii() and joined == joined.lower():  # nothing in them has another spelling
        return identities
    return list(map(comparable_identity, identities))


def hashes_of(identities: Collection[str]) -> list[int]:
    """Return the hashes of identities: spellings that could be taken for one another share them.

    Args:
        identities: Normalised identifiers.
    """
    return list(map(hash, comparable_identities(identities)))


def identity_hash(identity: str) -> int:
    """Return an identity's signed 64-bit hash, another one in each process.

    Args:
        identity: A normalised identifier.
    """
    return hash(comparable_identity(identity))


def identities_in(value: object, identities: Collection[Callable[[object], str]]) -> Iterator[str]:
    """Yield every identity that any value in a record could be.

    This is for records of which it is not known which property identifies the contact.

    Args:
        value: The record, or a part of it.
        identities: Each returns the normalised identifier that a value may be.
    """
    if isinstance(value, dict):
        for part in value.values():
            yield from identities_in(part, identities)
    elif isinstance(value, list):
        for part in value:
            yield from identities_in(part, identities)
    elif value is not None and not isinstance(value, bool) and str(value).strip():
        for identity in identities:
            yield identity(value)
