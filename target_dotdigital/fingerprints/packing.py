"""Fingerprints as bytes: a description of each stream's, its pairs, and what was changed since."""

from __future__ import annotations

import struct
from array import array
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.fingerprints.pairs import People, SortedPairs
from target_dotdigital.fingerprints.stream_fingerprints import (
    CONTACTS,
    OTHERS,
    Change,
    StreamFingerprints,
    StreamTerms,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_CHANGE = struct.Struct("<HHI")
"""Which stream, what it is about, and how many pairs follow."""
_LENGTH = struct.Struct("<I")


class UnreadableError(Exception):
    """Bytes that are no fingerprints, or not whole."""


class StreamHead(msgspec.Struct, frozen=True):
    """What a stream's pairs are.

    Attributes:
        stream: The stream's name.
        terms: Under which terms its contacts were sent.
        sent_all_at: When everything was sent.
        contacts: How many contacts there are, and place 0.
        slots: How many slots there are.
        beside: How many contacts have no slot of their own.
        others: How many other identifiers there are, and place 0.
    """

    stream: str
    terms: StreamTerms
    sent_all_at: float
    contacts: int
    slots: int
    beside: int
    others: int


class Head(msgspec.Struct, frozen=True):
    """What fingerprints are of.

    Attributes:
        account: The ID of the account.
        version: The target's version.
        key: What hashes are made with, as hexadecimal digits.
        streams: Their streams.
    """

    account: int
    version: str
    key: str
    streams: list[StreamHead]


_decode = msgspec.json.Decoder(Head).decode
_encode = msgspec.json.Encoder().encode


def pack(
    account: int, version: str, key: bytes, streams: Sequence[StreamFingerprints]
) -> Iterator[bytes | memoryview]:
    """Yield fingerprints as bytes, in parts, with all that was changed since.

    Args:
        account: The ID of the account.
        version: The target's version.
        key: What hashes are made with.
        streams: The fingerprints of each stream.
    """
    parts: list[array[int]] = []
    heads = []
    for each in streams:
        contacts, others = each.contacts.sorted, each.others.sorted
        slots, beside = each.contacts.slots, each.contacts.beside
        heads.append(
            StreamHead(
                each.stream,
                each.terms,
                each.sent_all_at,
                len(contacts[0]),
                len(slots),
                len(beside),
                len(others[0]),
            )
        )
        parts += [*contacts, slots, beside, *others]
    head = _encode(Head(account, version, key.hex(), heads))
    yield _LENGTH.pack(len(head)) + head
    for part in parts:
        yield memoryview(part).cast("B")
    for number, each in enumerate(streams):
        later = [Change(OTHERS, each.others.later), Change(CONTACTS, each.contacts.later)]
        yield from pack_changes(number, [change for change in later if change.pairs])
        yield from pack_changes(number, [*each.written, *each.changes])


def pack_changes(number: int, changes: Iterable[Change]) -> Iterator[bytes]:
    """Yield what was changed as bytes.

    Args:
        number: Which stream it is of.
        changes: What was changed.
    """
    for kind, pairs in changes:
        yield _CHANGE.pack(number, kind, len(pairs) // 2)
        yield pairs.tobytes()


def unpack_head(data: memoryview) -> tuple[Head, memoryview]:
    """Return what fingerprints are of, and the bytes after that.

    Args:
        data: All of their bytes.

    Raises:
        UnreadableError: It cannot be told.
    """
    try:
        (length,) = _LENGTH.unpack_from(data)
        end = _LENGTH.size + length
        return _decode(data[_LENGTH.size : end]), data[end:]
    except (struct.error, msgspec.MsgspecError, UnicodeDecodeError):
        raise UnreadableError from None


def unpack_streams(head: Head, data: memoryview) -> list[StreamFingerprints]:
    """Return the fingerprints of each stream.

    Args:
        head: What they are of.
        data: The bytes after that.

    Raises:
        UnreadableError: They are not whole.
    """
    streams = []
    try:
        for each in head.streams:
            parts = []
            counts = (each.contacts, each.contacts, each.slots, each.beside)
            for code, count in (*zip("QQII", counts, strict=True), *[("Q", each.others)] * 2):
                part = array(code)
                size = count * part.itemsize
                part.frombytes(data[:size])
                if len(part) != count:
                    raise UnreadableError
                parts.append(part)
                data = data[size:]
            keys, values, slots, beside, *others = parts
            contacts = People(keys, values, slots, beside)
            streams.append(
                StreamFingerprints(
                    each.stream, each.terms, each.sent_all_at, contacts, SortedPairs(*others)
                )
            )
        while data:
            number, kind, count = _CHANGE.unpack_from(data)
            pairs = array("Q")
            pairs.frombytes(data[_CHANGE.size : _CHANGE.size + 16 * count])
            if len(pairs) != 2 * count:
                raise UnreadableError
            streams[number].apply([Change(kind, pairs)])
            data = data[_CHANGE.size + 16 * count :]
    except (struct.error, ValueError, IndexError):
        raise UnreadableError from None
    return streams
