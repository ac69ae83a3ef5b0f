"""Singer's lines as JSON: read as widely as taps write them, and written as they were read."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec
import simplejson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield whole lines, many of them at a time. The last one may lack its end.

    Args:
        chunks: What is read, piece by piece.
    """
    rest: list[bytes] = []
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if end:
            yield b"".join((*rest, memoryview(chunk)[:end]))
            rest.clear()
        rest.append(chunk[end:])
    if last := b"".join(rest):
        yield last


def decode(line: bytes | str) -> dict[str, Any]:
    """Decode a Singer message as widely as taps write them.

    That includes NaN, lone surrogates, and numbers that Python cannot hold.

    Args:
        line: The message.

    Raises:
        ValueError: It is no JSON. The text may quote the line.
    """
    message: dict[str, Any] = simplejson.loads(
        line, parse_float=_real, parse_int=_whole, allow_nan=True
    )
    return message


def _real(digits: str) -> Decimal | float:
    try:
        return Decimal(digits)
    except InvalidOperation:
        return math.nan  # an exponent of 19 digits: neither infinity nor 0 would be true


def _whole(digits: str) -> int | Decimal:
    try:
        return int(digits)
    except ValueError:
        return Decimal(digits)  # Python reads no integer of more than 4300 digits


def encode(value: object) -> str:
    """Encode what `decode` returns, in ASCII: half a surrogate pair is written as it was read.

    Args:
        value: Any JSON value.
    """
    return simplejson.dumps(value, use_decimal=True, allow_nan=True)


class _StateMessage(msgspec.Struct):
    value: msgspec.Raw


_state_decoder = msgspec.json.Decoder(_StateMessage)


def state_text(line: bytes) -> str:
    """Return a STATE's value exactly as the tap wrote it.

    Args:
        line: The STATE message.
    """
    try:
        return bytes(_state_decoder.decode(line).value).decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return encode(decode(line)["value"])  # NaN, or half a surrogate pair, somewhere in it
