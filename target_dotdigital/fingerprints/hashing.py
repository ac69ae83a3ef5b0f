"""Hashes of contacts: under a key of the file's own, eight bytes each."""

from __future__ import annotations

import re
from array import array
from functools import partial
from hashlib import blake2b
from operator import methodcaller
from typing import TYPE_CHECKING

from target_dotdigital.mapping import comparable_identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KEY_BYTES = 32
HASH_BYTES = 8
_MAX_TIME_BYTES = 100

_digest = methodcaller("digest")


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
        self._of_body = partial(blake2b, digest_size=HASH_BYTES, salt=salt, person=person)
        self._of_identity = partial(blake2b, digest_size=HASH_BYTES, salt=person, person=salt)

    def identity(self, identity: str) -> int:
        """Return the hash of an identity. Spellings that mean the same contact share it.

        Args:
            identity: A normalised identifier.
        """
        data = comparable_identity(identity).encode("utf-8", "surrogatepass")
        return int.from_bytes(self._of_identity(data).digest(), "little")

    def body(self, body: bytes) -> int:
        """Return the hash of a contact's JSON.

        Args:
            body: The JSON.
        """
        return int.from_bytes(self._of_body(body).digest(), "little")

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
        found = array("Q")
        found.frombytes(b"".join(map(_digest, map(self._of_body, bodies))))
        return found
