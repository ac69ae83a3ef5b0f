"""Hashes of contacts: under a key of the file's own, eight bytes each."""

from __future__ import annotations

from array import array
from functools import partial
from hashlib import blake2b
from operator import methodcaller
from typing import TYPE_CHECKING

from target_dotdigital.mapping import comparable

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY_BYTES = 32
HASH_BYTES = 8

_digest = methodcaller("digest")


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
        data = comparable(identity).encode("utf-8", "surrogatepass")
        return int.from_bytes(self._of_identity(data).digest(), "little")

    def body(self, body: bytes) -> int:
        """Return the hash of a contact's JSON.

        Args:
            body: The JSON.
        """
        return int.from_bytes(self._of_body(body).digest(), "little")

    def bodies(self, bodies: Iterable[bytes]) -> array[int]:
        """Return the hashes of many contacts' JSON.

        Args:
            bodies: The JSON of each.
        """
        found = array("Q")
        found.frombytes(b"".join(map(_digest, map(self._of_body, bodies))))
        return found
