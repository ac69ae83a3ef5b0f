"""The tap's messages: read in blocks, decoded, and never repeated in a message of our own."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from io import BytesIO, FileIO
from itertools import compress
from operator import not_
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import msgspec
from singer_sdk.exceptions import RecordsWithoutSchemaException
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from typing_extensions import override

from target_dotdigital.damaged_lines import DamagedMessage, read_damaged
from target_dotdigital.errors import DataError, LackingError
from target_dotdigital.mapping import UNREADABLE
from target_dotdigital.singer_lines import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

BLOCK_BYTES = 256 * 1024
"""Read at once at most: what is made of so much fits into the processor's caches."""


class _Header(msgspec.Struct):
    """What a RECORD tells about itself."""

    type: Literal["RECORD"]
    stream: str


_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_decode_header = msgspec.json.Decoder(_Header).decode


class TendedRun(Protocol):
    """What goes on while messages are read."""

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more is to be read."""

    def tend(self) -> float | None:
        """Do what is to be done; return in how many seconds there is more, if that is known."""

    def wait(self, descriptor: int) -> bool:
        """Wait until a descriptor can be read; return whether it can."""


class FastStream(NamedTuple):
    """A stream whose RECORD messages are taken without a look at each."""

    decode: Callable[[bytes], object]
    """Decodes a message of the stream; raises one of `UNREADABLE` if it needs a look."""
    receive_all: Callable[
        [Sequence[Any], Sequence[bytes], Sequence[int], Callable[[int], object]], None
    ]
    """Takes messages, lines, which of these the messages are, and what takes a line that needs a
    look, by its place."""
    are_known: Callable[[Sequence[bytes]], list[bool] | None] = lambda _lines: None
    """Returns for each line whether it need not be decoded; None if all of them must be."""


class MessageReader(GenericSingerReader[str]):
    """Reads while there is something to read, and tends the run while there is not."""

    _run: TendedRun
    _on_failure: Callable[[Exception], object]
    _callbacks: dict[str, Callable[[dict[str, Any]], None]]

    def __init__(self) -> None:
        """Start before the first line."""
        super().__init__()
        self.line = b""
        """The line of the message at hand."""
        self.line_number = 0
        """Its number in the tap's output."""
        self.fast_streams: dict[str, FastStream] = {}
        """By what the tap calls them."""
        self._stream = ""
        self._lines_before = 0

    def attend(self, run: TendedRun, on_failure: Callable[[Exception], object]) -> None:
        """Say whom the messages are for. The SDK makes readers without arguments.

        Args:
            run: Tended while reading.
            on_failure: Called with the error that ends the reading, before it is raised.
        """
        self._run = run
        self._on_failure = on_failure

    @property
    @override
    def default_input(self) -> IO[str]:
        return sys.stdin

    @override
    def process_lines(
        self,
        file_input: IO[str] | None,
        callbacks: dict[str, Callable[[dict[str, Any]], None]],
    ) -> Counter[str]:
        """Read messages until there are no more, or the run is to stop.

        Args:
            file_input: Where to read; standard input when None.
            callbacks: What to do with a message, by type.

        Returns:
            How many messages of each type there were.

        Raises:
            TargetDotdigitalError: A line cannot be used, or the run has failed.
        """
        self._callbacks = callbacks
        counts: Counter[str] = Counter()
        try:
            for lines, is_text in self._blocks(file_input or self.default_input):
                counts += self._process_block(lines, is_text=is_text)
                if self._run.is_stopping:
                    break
                self._lines_before += len(lines)
        except Exception as error:
            self._on_failure(error)
            raise
        return counts

    def process_batch(self, blocks: Iterable[list[bytes]]) -> None:
        """Take the RECORD messages that a BATCH message stands for, in its place.

        Args:
            blocks: Their lines, many at a time. Between two blocks the run is tended.

        Raises:
            TargetDotdigitalError: A row cannot be used, or the run has failed.
        """
        for lines in blocks:
            self._process_block(lines, is_text=_is_text(b"".join(lines)))
            if self._run.is_stopping:
                return
            self._run.tend()

    def _process_block(self, lines: list[bytes], *, is_text: bool) -> Counter[str]:
        counts: Counter[str] = Counter()
        place = 0
        while place < len(lines) and not self._run.is_stopping:
            # A decoder that skips a text does not look whether it is one.
            taken = self._take_fast(lines, place) if is_text else 0
            counts["RECORD"] += taken
            place += taken
            if place < len(lines) and not (is_text and self._change_stream(lines[place])):
                if kind := self._take_slowly(lines, place):
                    counts[kind] += 1
                place += 1
        return counts

    def _take_fast(self, lines: list[bytes], start: int) -> int:
        """Take RECORD messages of the stream at hand; return how many follow each other."""
        fast = self.fast_streams.get(self._stream)
        if fast is None:
            return 0
        rest = lines[start:]
        are_known = fast.are_known(rest)
        places: Sequence[int] = range(len(rest))
        if are_known is not None:
            places = list(compress(places, map(not_, are_known)))
        messages: list[Any] = []
        with suppress(*UNREADABLE):
            messages.extend(map(fast.decode, map(rest.__getitem__, places)))
        done = len(messages)
        taken = len(rest) if done == len(places) else places[done]
        if taken:
            fast.receive_all(
                messages,
                rest[:taken],
                places[:done],
                lambda place: self._take_slowly(lines, start + place),
            )
        return taken

    def _change_stream(self, line: bytes) -> bool:
        """Return whether a line is of another fast stream, which is at hand from now on."""
        if not self.fast_streams:
            return False
        try:
            stream = _decode_header(line).stream
        except UNREADABLE:
            return False
        if stream == self._stream or stream not in self.fast_streams:
            return False
        self._stream = stream
        return True

    def _take_slowly(self, lines: list[bytes], place: int) -> str | None:
        """Take one message, whatever it is; return its type, or None of a blank line."""
        self.line_number = number = self._lines_before + place + 1
        line = lines[place]
        if not line.strip():
            return None
        message = self._decode_line(line, number)
        # A row that is rejected is stored as what can be read of it.
        self.line = encode(message).encode() if isinstance(message, DamagedMessage) else line
        try:
            self.assert_line_requires(message, {"type"})
            kind = message["type"]
            callback = self._callbacks.get(kind) if isinstance(kind, str) else None
            if callback is None:
                raise DataError(
                    f"Line {number}: the message has no known type. Correct the tap's output"
                )
            if not isinstance(message.get("stream", ""), str):
                raise DataError(
                    f"Line {number}: the {kind}'s stream is not a text. Correct the tap"
                )
            callback(message)
        except LackingError as error:
            what = self._what(message)
            raise DataError(f"Line {number}: the {what} {error.message}") from None
        except RecordsWithoutSchemaException as error:
            raise RecordsWithoutSchemaException(f"Line {number}: {error}") from None
        return str(kind)

    def _what(self, message: object) -> str:
        """Return what a message is called that lacks a part."""
        parts = message if isinstance(message, dict) else {}
        kind, stream = parts.get("type"), parts.get("stream")
        told = kind if isinstance(kind, str) and kind in self._callbacks else "message"
        return f"{told} of stream '{stream}'" if isinstance(stream, str) else told

    @override
    def deserialize_json(self, line: str | bytes) -> dict[str, Any]:
        """Decode a line.

        Args:
            line: A JSON object.

        Raises:
            DataError: It is none. The message tells the line's number and length.
        """
        return self._decode_line(line.encode() if isinstance(line, str) else line, 0)

    @staticmethod
    def _decode_line(line: bytes, number: int) -> dict[str, Any]:
        try:
            message: dict[str, Any] = _decode(line)
        except (*UNREADABLE, InvalidOperation):
            # Python's taps write NaN, and JavaScript's half a surrogate pair, or a number is too
            # large to be one: one row is at fault then, not the stream.
            try:
                return decode(line)
            except (ValueError, RecursionError):
                return read_damaged(line, number)
        return message

    @staticmethod
    @override
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        """Make sure that a message has its parts.

        Args:
            line_dict: The message, or a part of it.
            requires: The keys that must be there.

        Raises:
            LackingError: One is missing. The message names it, and nothing else.
        """
        keys: object = line_dict
        missing = requires - set(keys) if isinstance(keys, dict) else requires
        if missing:
            raise LackingError(f"lacks {', '.join(sorted(missing))}")

    def _blocks(self, source: IO[str]) -> Iterator[tuple[list[bytes], bool]]:
        """Yield many whole lines at a time, and whether all of them are text.

        Between two blocks the run is tended.
        """
        descriptor = _descriptor(source)
        if descriptor is not None:
            yield from self._read_blocks(descriptor)
            return
        while texts := source.readlines(BLOCK_BYTES):
            block = "".join(texts).encode("utf-8", "surrogatepass")
            yield BytesIO(block).readlines(), _is_text(block)
            self._run.tend()

    def _read_blocks(self, descriptor: int) -> Iterator[tuple[list[bytes], bool]]:
        # Into the same memory each time: what contacts keep would lie scattered among fresh blocks.
        source = FileIO(descriptor, closefd=False)
        chunk, block, rest = bytearray(BLOCK_BYTES), BytesIO(), [b""]
        while self._run.wait(descriptor) and (size := source.readinto(chunk)) != 0:
            if size is None:  # there was nothing to read after all, and it is not the end
                continue
            read = memoryview(chunk)[:size]
            if chunk.find(b"\n", 0, size) < 0:
                rest.append(bytes(read))
                continue
            is_ascii = chunk.isascii() and all(map(bytes.isascii, rest))
            block.seek(0)
            block.writelines((*rest, read))
            block.truncate()
            block.seek(0)
            lines = block.readlines()
            rest = [b"" if lines[-1].endswith(b"\n") else lines.pop()]
            yield lines, is_ascii or _is_text(b"".join(lines))
        if last := b"".join(rest):
            yield [last], _is_text(last)


def _is_text(block: bytes) -> bool:
    if block.isascii():
        return True
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _descriptor(source: IO[str]) -> int | None:
    try:
        return source.fileno()
    except (AttributeError, OSError, ValueError):
        return None  # a text in memory
