"""Fingerprints as bytes: a description of each stream's, its pairs, and what was changed since."""

from __future__ import annotations

import struct
from array import array
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.fingerprints.changes import CONTACTS, OTHERS, WIDTHS, Change
from target_dotdigital.fingerprints.pairs import Contacts, Pairs
from target_dotdigital.fingerprints.stream_fingerprints import StreamFingerprints
from target_dotdigital.fingerprints.terms import StreamTerms  # noqa: TC001 - msgspec reads it

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_CHANGE = struct.Struct("<HHI")
"""Which stream, what it is about, and how many changes follow."""
_LENGTH = struct.Struct("<I")


class UnreadableError(Exception):
    """Bytes that are no fingerprints, or not whole."""


class StreamHead(msgspec.Struct, frozen=True):
    """What a stream's pairs are.

    Attributes:
        stream: The stream's name.
        terms: Under which terms its contacts were sent.
        sent_all_at: When everything was sent.
        contacts: How many contacts there are.
        others: How many other identifiers there are.
    """

    stream: str
    terms: StreamTerms
    sent_all_at: float
    contacts: int
    others: int


class Head(msgspec.Struct, frozen=True):
    """What fingerprints are of.

    Attributes:
        account: What the account is known by.
        version: The target's version.
        key: What hashes are made with, as hexadecimal digits.
        streams: Their streams.
    """

    account: str
    version: str
    key: str
    streams: list[StreamHead]


_decode = msgspec.json.Decoder(Head).decode
_encode = msgspec.json.Encoder().encode


def pack(
    account: str, version: str, key: bytes, streams: Sequence[StreamFingerprints]
) -> Iterator[bytes | memoryview]:
    """Yield fingerprints as bytes, in parts, with all that was changed since.

    Args:
        account: What the account is known by.
        version: The target's version.
        key: What hashes are made with.
        streams: The fingerprints of each stream.
    """
    parts: list[memoryview] = []
    heads = []
    for each in streams:
        sizes = [len(pairs.by_key) for pairs in (each.contacts, each.others)]
        heads.append(StreamHead(each.stream, each.terms, each.sent_all_at, *sizes))
        for pairs, size in zip((each.contacts, each.others), sizes, strict=True):
            parts += [memoryview(part)[: size + 1] for part in (pairs.keys, pairs.values)]
            parts.append(memoryview(pairs.by_key))
        parts.append(memoryview(each.contacts.lines)[: sizes[0] + 1])
    head = _encode(Head(account, version, key.hex(), heads))
    yield _LENGTH.pack(len(head)) + head
    for part in parts:
        yield part.cast("B")
    for number, each in enumerate(streams):
        later = [Change(OTHERS, each.others.later), Change(CONTACTS, each.contacts.later)]
        yield from pack_changes(number, [change for change in later if change.hashes])
        yield from pack_changes(number, [*each.written, *each.changes])


def pack_changes(number: int, changes: Iterable[Change]) -> Iterator[bytes]:
    """Yield what was changed as bytes.

    Args:
        number: Which stream it is of.
        changes: What was changed.
    """
    for change in changes:
        yield _CHANGE.pack(number, change.kind, change.number)
        yield change.hashes.tobytes()


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
            pairs = [("Q", 1), ("Q", 1), ("I", 0)]
            sizes = [each.contacts] * 3 + [each.others] * 3 + [each.contacts]
            for (code, more), size in zip((*pairs, *pairs, ("Q", 1)), sizes, strict=True):
                part = array(code)
                end = (size + more) * part.itemsize
                part.frombytes(data[:end])
                if len(part) != size + more:
                    raise UnreadableError
                parts.append(part)
                data = data[end:]
            contacts, others = Contacts(parts[0], parts[1], parts[2], parts[6]), Pairs(*parts[3:6])
            streams.append(
                StreamFingerprints(each.stream, each.terms, each.sent_all_at, contacts, others)
            )
        while data:
            number, kind, count = _CHANGE.unpack_from(data)
            changed = array("Q")
            end = _CHANGE.size + 8 * WIDTHS[kind] * count
            changed.frombytes(data[_CHANGE.size : end])
            if len(data) < end:
                raise UnreadableError
            streams[number].apply([Change(kind, changed)])
            data = data[end:]
    except (struct.error, ValueError, LookupError):
        raise UnreadableError from None
    return streams
