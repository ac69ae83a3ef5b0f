"""The reader: every line is taken once, in order, and few are looked at for nothing."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from target_dotdigital.reader import FastStream, MessageReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROWS = 2_000


class Row(msgspec.Struct):
    stream: str
    number: int


class Streams:
    """Takes rows of two streams, and is no run that stops."""

    is_stopping = False

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.looked_at = 0

    def tend(self) -> float | None:
        return None

    def wait(self, descriptor: int) -> bool:
        raise NotImplementedError(descriptor)

    def fast_stream(self, name: str) -> FastStream:
        decoder = msgspec.json.Decoder(Row)

        def decode(line: bytes) -> Row:
            row = decoder.decode(line)
            if row.stream != name:
                raise msgspec.DecodeError
            return row

        def receive_all(
            messages: Sequence[Row],
            lines: Sequence[bytes],
            places: Sequence[int],
            _take_slowly: Callable[[int], object],
        ) -> None:
            assert len(messages) == len(lines) == len(places)
            self.taken += [row.number for row in messages]

        def are_known(lines: Sequence[bytes]) -> None:
            self.looked_at += len(lines)

        return FastStream(decode, receive_all, are_known)

    def take_slowly(self, message: dict[str, Any]) -> None:
        self.taken.append(message["number"])


@pytest.mark.parametrize(
    ("stream_of", "most"),
    [
        (lambda _: "a", 1.1),
        (lambda number: "ab"[number // 100 % 2], 6),
        (lambda number: "ab"[number % 2], 20),
        (lambda number: "a" if number % 100 else "odd", 6),
        (lambda number: "a" if number % 2 else "odd", 20),
        (lambda number: "a" if number > ROWS // 2 else "ab"[number % 2], 20),
    ],
    ids=["one stream", "in turn", "each line in turn", "few odd", "many odd", "one stream at last"],
)
def test_few_lines_are_looked_at_for_nothing(stream_of: Callable[[int], str], most: float) -> None:
    streams, reader = Streams(), MessageReader()
    reader.attend(streams, lambda _: None)
    reader.fast_streams = {name: streams.fast_stream(name) for name in "ab"}
    line = '{"type":"RECORD","stream":"%s","number":%d}\n'
    text = io.StringIO("".join(line % (stream_of(number), number) for number in range(ROWS)))
    counts = reader.process_lines(text, {"RECORD": streams.take_slowly})
    assert streams.taken == [*range(ROWS)]
    assert counts == {"RECORD": ROWS}
    assert streams.looked_at <= most * ROWS
