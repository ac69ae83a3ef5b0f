"""Hashes of contacts: under a key of the file's own, eight bytes each."""

from __future__ import annotations

import re
from array import array
from hashlib import blake2b
from typing import TYPE_CHECKING

from target_dotdigital.mapping import comparable_identities

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

KEY_BYTES = 32
HASH_BYTES = 8
_MAX_TIME_BYTES = 100

_TIME = re.compile(rb', ?"time_extracted": ?"[^"\\\\]*"\}\s*\Z')
"""The end of a message that holds nothing but the time. In a record it would have a brace more."""


def _without_time(lines: Sequence[bytes]) -> Iterable[bytes]:
    """Return lines without the time at their ends, if all of them are alike in that."""
    found = _TIME.search(lines[0], max(len(lines[0]) - _MAX_TIME_BYTES, 0))
    if found is None:
        return lines
    length = len(lines[0]) - found.start()
    ends = {line[-length:] for line in lines}
    if all(map(_TIME.fullmatch, ends)):
        return [line[:-length] for line in lines]
    return [_TIME.sub(b"", line) for line in lines]


class Hasher:
    """Hashes identities, and the JSON of contacts."""

    def __init__(self, key: bytes) -> None:
        """Take a key.

        Args:
            key: Of `KEY_BYTES`.
        """
        # As salt and personalisation a key costs nothing; as `key` it is a block more to hash.
        half = KEY_BYTES // 2
        salt, person = key[:half], key[half:KEY_BYTES]
        self._bodies = blake2b(digest_size=HASH_BYTES, salt=salt, person=person)
        self._identities = blake2b(digest_size=HASH_BYTES, salt=person, person=salt)

    def identity(self, identity: str) -> int:
        """Return the hash of an identity. Spellings that mean the same contact share it.

        Args:
            identity: A normalised identifier.
        """
        return self.identities((identity,))[0]

    def identities(self, identities: Collection[str]) -> array[int]:
        """Return the hashes of many identities.

        Args:
            identities: Normalised identifiers.
        """
        texts = comparable_identities(identities)
        return _hashed(self._identities, [each.encode("utf-8", "surrogatepass") for each in texts])

    def lines(self, lines: Sequence[bytes]) -> array[int]:
        """Return the hashes of RECORD messages, but for the time at which they were read.

        Args:
            lines: The lines of the messages.
        """
        return self.bodies(_without_time(lines))

    def bodies(self, bodies: Iterable[bytes]) -> array[int]:
        """Return the hashes of many contacts' JSON.

        Args:
            bodies: The JSON of each.
        """
        return _hashed(self._bodies, bodies)


def _hashed(start: blake2b, values: Iterable[bytes]) -> array[int]:
    """Return the hash of each value. To copy what holds the key is sooner done than to make it."""
    digests = []
    for value in values:
        each = start.copy()
        each.update(value)
        digests.append(each.digest())
    return array("Q", b"".join(digests))
