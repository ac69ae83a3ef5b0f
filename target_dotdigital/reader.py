"""The tap's messages: read in blocks, decoded, and never repeated in a message of our own."""

from __future__ import annotations

import os
import sys
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import IO, TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from typing_extensions import override

from target_dotdigital.errors import DataError
from target_dotdigital.rejects import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from target_dotdigital.run import Run

BLOCK_BYTES = 1024 * 1024
"""Read at once at most. After each block the run is tended."""

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class MessageReader(GenericSingerReader[str]):
    """Reads while there is something to read, and tends the run while there is not."""

    _run: Run
    _guard: Callable[[], AbstractContextManager[None]]

    def __init__(self) -> None:
        """Start before the first line."""
        super().__init__()
        self.line = b""
        self._line_number = 0

    def attend(self, run: Run, guard: Callable[[], AbstractContextManager[None]]) -> None:
        """Say whom the messages are for. The SDK makes readers without arguments.

        Args:
            run: Tended while reading.
            guard: Entered while reading; it deals with failures.
        """
        self._run = run
        self._guard = guard

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
        with self._guard():
            return self._process_lines(file_input or self.default_input, callbacks)

    def _process_lines(
        self, source: IO[str], callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        counts: Counter[str] = Counter()
        for line in self._lines(source):
            if self._run.is_stopping:
                break
            self._line_number += 1
            if not line.strip():
                continue
            self.line = line
            message = self.deserialize_json(line)
            self.assert_line_requires(message, {"type"})
            kind = message["type"]
            callback = callbacks.get(kind) if isinstance(kind, str) else None
            if callback is None or not isinstance(message.get("stream", ""), str):
                raise DataError(f"Line {self._line_number}: the message's type is not known")
            callback(message)
            counts[kind] += 1
        return counts

    @override
    def deserialize_json(self, line: str | bytes) -> dict[str, Any]:
        """Decode a line.

        Args:
            line: A JSON object.

        Raises:
            DataError: It is none. The message tells the line's number and length.
        """
        try:
            message: dict[str, Any] = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidOperation):
            # Python's taps write NaN, and JavaScript's half a surrogate pair, or a number is too
            # large to be one: one row is at fault then, not the stream.
            try:
                return decode(line if isinstance(line, bytes) else line.encode())
            except (ValueError, RecursionError):
                raise DataError(
                    f"Line {self._line_number} is no JSON ({len(line)} bytes); did the tap end in "
                    "the middle of it?"
                ) from None
        return message

    @staticmethod
    @override
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        """Make sure that a message has its parts.

        Args:
            line_dict: The message, or a part of it.
            requires: The keys that must be there.

        Raises:
            DataError: One is missing. The message names it, and nothing else.
        """
        keys: object = line_dict
        missing = requires - set(keys) if isinstance(keys, dict) else requires
        if missing:
            raise DataError(f"A message lacks {', '.join(sorted(missing))}")

    def _lines(self, source: IO[str]) -> Iterator[bytes]:
        descriptor = _descriptor(source)
        if descriptor is None:
            for text in source:
                yield text.encode("utf-8", "surrogatepass")
            self._run.tend()
            return
        rest: list[bytes] = []
        while self._run.wait(descriptor):
            block = os.read(descriptor, BLOCK_BYTES)
            if not block:
                break
            first, *lines = block.split(b"\n")
            rest.append(first)
            if lines:
                yield b"".join(rest)
                yield from lines[:-1]
                rest = [lines[-1]]
        if last := b"".join(rest):
            yield last


def _descriptor(source: IO[str]) -> int | None:
    try:
        return source.fileno()
    except (AttributeError, OSError, ValueError):
        return None  # a text in memory
