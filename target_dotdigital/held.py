"""Held identities: whom a stream still has, in eight bytes an identity."""

from __future__ import annotations

import unicodedata
from array import array
from bisect import bisect_left
from contextlib import suppress
from typing import TYPE_CHECKING

from target_dotdigital.identifiers import EMAIL, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BUCKET_BITS = 8
_HASH_BITS = 64
_MASK = 2**_HASH_BITS - 1

MIN_COMPACTION = 4096
"""A bucket of more hashes than this is rid of those that it holds twice."""


class HeldContacts:
    """A set of identities that forgets what they were: it keeps 64-bit hashes.

    Two identities with the same hash are one to it. So somebody may be held who should not be, one
    in a million million times, and never the other way round.
    """

    def __init__(self) -> None:
        """Start with nobody."""
        self._buckets: dict[int, array[int]] = {}
        self._sorted: dict[int, int] = {}
        """How many hashes of each bucket are in order, each once: all but those added since."""

    def __bool__(self) -> bool:
        """Return whether anybody is held."""
        return bool(self._buckets)

    def add(self, identity: str) -> None:
        """Hold an identity.

        Args:
            identity: A normalised identifier.
        """
        hashed = hash(canonical(identity)) & _MASK
        number = hashed >> (_HASH_BITS - _BUCKET_BITS)
        bucket = self._buckets.get(number)
        if bucket is None:
            bucket = self._buckets[number] = array("Q")
        bucket.append(hashed)
        if len(bucket) > max(MIN_COMPACTION, 2 * self._sorted.get(number, 0)):
            self._compact(number)

    def __len__(self) -> int:
        """Return how many identities are held, each counted once."""
        return sum(len(self._compact(number)) for number in list(self._buckets))

    def __contains__(self, identity: str) -> bool:
        """Return whether an identity is held."""
        hashed = hash(canonical(identity)) & _MASK
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
    """Return one form for all ways in which Dotdigital may spell the same identity.

    The case of names differs from call to call, and a domain in more letters than ASCII has may
    come back as it was sent, or in the form that the domain name system knows.

    Args:
        identity: A normalised identifier.
    """
    name, _, value = identity.partition(":")
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
        local, at, domain = value.rpartition("@")
        if at and name == EMAIL:
            # UnicodeError: it is no domain, and stays as it is.
            with suppress(UnicodeError):
                value = f"{local}@{domain.encode('idna').decode('ascii')}"
    return f"{name.lower()}:{value}"


def identities_in(value: object, identifiers: Iterable[str]) -> Iterator[str]:
    """Yield every identity that anything in a record could be.

    For records of which only so much is known that they are somebody's.

    Args:
        value: The record, or a part of it.
        identifiers: The names of the identifiers that it could hold.
    """
    if isinstance(value, dict):
        for part in value.values():
            yield from identities_in(part, identifiers)
    elif isinstance(value, list):
        for part in value:
            yield from identities_in(part, identifiers)
    elif value is not None and not isinstance(value, bool) and str(value).strip():
        for identifier in identifiers:
            yield normalise(identifier, value)
