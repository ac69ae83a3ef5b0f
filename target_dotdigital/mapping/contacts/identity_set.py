"""Sets of identities, at eight bytes an identity: the contacts that a stream or a list holds."""

from __future__ import annotations

import unicodedata
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

_BUCKET_BITS = 8
_HASH_BITS = 64
_MASK = (1 << _HASH_BITS) - 1

MIN_COMPACTION = 4096
"""A bucket with more hashes than this is rid of its duplicates."""


class IdentitySet:
    """A set of identities that keeps only their 64-bit hashes.

    Two identities with the same hash count as one. So the set may claim to hold an identity that
    was never added, one in a million million times, and never the other way round.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._buckets: dict[int, array[int]] = {}
        self._sorted: dict[int, int] = {}
        """By bucket, how many hashes at its start are sorted and unique. Later ones are new."""

    def __bool__(self) -> bool:
        """Return whether the set holds any identity."""
        return bool(self._buckets)

    def add(self, identity: str) -> None:
        """Add an identity.

        Args:
            identity: A normalised identifier.
        """
        hashed = _hash(identity)
        number = hashed >> (_HASH_BITS - _BUCKET_BITS)
        bucket = self._buckets.get(number)
        if bucket is None:
            bucket = self._buckets[number] = array("Q")
        bucket.append(hashed)
        if len(bucket) > max(MIN_COMPACTION, 2 * self._sorted.get(number, 0)):
            self._compact(number)

    def __len__(self) -> int:
        """Return how many identities the set holds, each counted once."""
        return sum(len(self._compact(number)) for number in list(self._buckets))

    def __contains__(self, identity: str) -> bool:
        """Return whether the set holds an identity."""
        hashed = _hash(identity)
        number = hashed >> (_HASH_BITS - _BUCKET_BITS)
        bucket = self._buckets.get(number)
        if bucket is None:
            return False
        if self._sorted.get(number) != len(bucket):
            bucket = self._compact(number)
        position = bisect_left(bucket, hashed)
        return position < len(bucket) and bucket[position] == hashed

    def _compact(self, number: int) -> array[int]:
        # A bucket at a time: sorting makes Python objects of the hashes, which are four times
        # as large.
        bucket = self._buckets[number] = array("Q", sorted(set(self._buckets[number])))
        self._sorted[number] = len(bucket)
        return bucket


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


def identity_hash(identity: str) -> int:
    """Return an identity's signed 64-bit hash, another one in each process.

    Args:
        identity: A normalised identifier.
    """
    return hash(comparable_identity(identity))


def _hash(identity: str) -> int:
    return identity_hash(identity) & _MASK


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
