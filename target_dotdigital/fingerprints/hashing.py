"""Hashes of contacts: under a key of the file's own, eight bytes each. Traces are made of them."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from hashlib import blake2b
from itertools import groupby, repeat
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, Protocol

from target_dotdigital.fingerprints.changes import Traces
from target_dotdigital.mapping import CONTACT_ID, comparable_identities, normalise

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from target_dotdigital.fingerprints.changes import Keeper, Trace

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


_key_of, _body_of = attrgetter("key"), attrgetter("body")
_other_identities_of, _traces_of = attrgetter("other_identities"), attrgetter("traces")
_together = itemgetter(0)


class TracedContact(Protocol):
    """A contact that is sent, as far as traces are concerned: `target_dotdigital.mapping.Contact`.

    Attributes:
        key: The normalised match identifier.
        other_identities: The contact's other identifiers, normalised.
        traces: Its trace; of rows that were joined, the trace of each, one behind the other.
    """

    key: str
    other_identities: tuple[str, ...]
    traces: tuple[Any, ...]

    @property
    def body(self) -> bytes:
        """Its JSON."""


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


def lay_traces(
    stream: Keeper,
    hasher: Hasher,
    contacts: Sequence[TracedContact],
    bodies: array[int] | None,
    lines: array[int] | None,
) -> list[Trace]:
    """Give contacts their traces, and return these.

    Args:
        stream: What keeps these.
        hasher: Makes hashes.
        contacts: The contacts.
        bodies: The hash of each one's JSON; None if it is not known yet.
        lines: The hash of each row's line; None if it does not matter.
    """
    if bodies is None:
        bodies = hasher.bodies(map(_body_of, contacts))
    keys = hasher.identities(list(map(_key_of, contacts)))
    others: list[tuple[int, ...]] = []
    if any(map(_other_identities_of, contacts)):
        others = [tuple(hasher.identities(each.other_identities)) for each in contacts]
    if lines is None:
        lines = array("Q", bytes(HASH_BYTES * len(contacts)))
    traces = Traces(stream, keys, bodies, lines, others)
    own = list(zip(repeat(traces), range(len(contacts))))
    for contact, each in zip(contacts, own, strict=True):
        contact.traces = each
    return own


def clear_ids(ids: Iterable[tuple[TracedContact, int]]) -> tuple[dict[str, str], set[str]]:
    """Return by match identifier which ID a contact has, and of which contacts that is not clear.

    IDs are told as identities.

    Args:
        ids: The contact IDs that were told of some contacts.
    """
    by_key: dict[str, set[int]] = {}
    for contact, contact_id in ids:
        by_key.setdefault(contact.key, set()).add(contact_id)
    owners = Counter(each for found in by_key.values() for each in found)
    clear = {
        key: normalise(CONTACT_ID, min(found))
        for key, found in by_key.items()
        if len(found) == 1 and owners[min(found)] == 1
    }
    # A mirror may know a contact by its ID alone. If that is not clear, it is told anew.
    return clear, by_key.keys() - clear.keys()


def settle(
    contacts: Iterable[TracedContact], ids: Mapping[int, int], *, are_imported: bool
) -> None:
    """Let those who keep contacts' traces know what has become of them.

    Args:
        contacts: The contacts.
        ids: By the hash of a contact, that of its ID as an identity, if Dotdigital has told it.
        are_imported: Whether all of each was imported.
    """
    found = list(map(_traces_of, contacts))
    if not set(map(len, found)) <= {2}:  # some are of several rows, or of none
        found = [each for joined in found for each in zip(joined[::2], joined[1::2], strict=True)]
    for traces, own in groupby(found, _together):
        traces.stream.settle(traces, list(own), ids, are_imported=are_imported)
