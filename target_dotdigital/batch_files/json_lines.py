"""JSON Lines: a record a line, compressed or not."""

from __future__ import annotations

import codecs
import zlib
from collections import deque
from typing import IO, TYPE_CHECKING, Final

import msgspec

from target_dotdigital.damaged_lines import is_damaged_object
from target_dotdigital.errors import DataError
from target_dotdigital.singer_lines import decode, whole_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK_BYTES: Final = 256 * 1024
"""Read, and decompressed, at once at most."""

_GZIP_SIGNATURE: Final = b"\x1f\x8b"
_GZIP: Final = 31
"""zlib's number for gzip with its check sum, and for nothing else."""


class _Object(msgspec.Struct, gc=False):
    """Any JSON object."""


_check_object = msgspec.json.Decoder(_Object).decode


def read_json_lines(file: IO[bytes], name: str, *, is_gzip: bool) -> Iterator[list[bytes]]:
    """Yield records, many at a time, each a JSON object on a line.

    Args:
        file: The file.
        name: What it is called in messages.
        is_gzip: Whether it is said to be compressed. The SDK compresses files whatever it says,
            so that a file that is, is decompressed in any case.

    Raises:
        DataError: It is no such file, or is cut off. What comes before that is yielded.
    """
    lines_before = 0
    for block in whole_lines(_content(file, name, is_gzip=is_gzip)):
        if not lines_before:
            block = block.removeprefix(codecs.BOM_UTF8)  # noqa: PLW2901
        lines = block.split(b"\n")
        if not lines[-1]:
            lines.pop()
        yield _records(lines, name, lines_before)
        lines_before += len(lines)


def _content(file: IO[bytes], name: str, *, is_gzip: bool) -> Iterator[bytes]:
    first = file.read(_BLOCK_BYTES)
    if not first and is_gzip:
        raise DataError(f"{name} is empty, and no gzip file. Run the tap again")
    if first.startswith(_GZIP_SIGNATURE):
        yield from _decompressed(_chunks(file, first), name)
    elif is_gzip:
        raise DataError(f"{name} is no gzip file. Set the tap's batch_config to compression: none")
    else:
        yield from _chunks(file, first)


def _chunks(file: IO[bytes], first: bytes) -> Iterator[bytes]:
    chunk = first
    while chunk:
        yield chunk
        chunk = file.read(_BLOCK_BYTES)


def _decompressed(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Decompress the parts of a gzip file, a little at a time however small it was made."""
    part = zlib.decompressobj(_GZIP)
    is_complete = False
    for chunk in chunks:
        rest = chunk
        while rest:
            if is_complete:
                rest = rest.lstrip(b"\0")  # some programs fill a file up
                if not rest:
                    break
                part, is_complete = zlib.decompressobj(_GZIP), False
            try:
                yield part.decompress(rest, _BLOCK_BYTES)
            except zlib.error:
                raise DataError(
                    f"{name} is a gzip file that is damaged. Run the tap again"
                ) from None
            is_complete = part.eof
            rest = part.unused_data if is_complete else part.unconsumed_tail
    if not is_complete:
        raise DataError(f"{name} is a gzip file that is cut off. Run the tap again")


def _records(lines: list[bytes], name: str, lines_before: int) -> list[bytes]:
    """Return the lines that are not blank, without their ends.

    Raises:
        DataError: One is not a JSON object.
    """
    try:
        deque(map(_check_object, lines), maxlen=0)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        for number, line in enumerate(lines, lines_before + 1):
            if line.strip() and not _is_object(line):
                raise DataError(
                    f"{name}: line {number} is not a JSON object ({len(line)} bytes). Check "
                    "whether the tap stopped in the middle of it"
                ) from None
    # JSON has a space where a carriage return can stand.
    return [stripped for line in lines if (stripped := line.replace(b"\r", b" ").strip())]


def _is_object(line: bytes) -> bool:
    """Return whether a line is an object, however widely: one row may be at fault, not the file."""
    if not line.lstrip().startswith(b"{"):
        return False
    try:
        decode(line)
    except (ValueError, RecursionError):
        return is_damaged_object(line)
    return True
