"""Lines that are damaged in one place: what can be read of them, and which properties cannot.

Two kinds of damage leave the rest of a line readable: text that is not encoded in UTF-8, and
objects that are nested too deeply. A line that was cut off is of neither kind.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from target_dotdigital.errors import DataError, RowRejectedError
from target_dotdigital.singer_lines import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_DEPTH: Final = 200
"""Of a line that is nested too deeply, what is deeper than this is left out."""

_LEFT_OUT: Final = chr(0xDC00)
"""What stands in its place: half a surrogate pair, and none that `surrogateescape` makes."""

_NOT_UTF_8: Final = re.compile("[\udc80-\udcff]")
_TOKENS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)

_ENCODING: Final = "is not encoded in UTF-8"
_DEPTH: Final = "is nested too deeply"


class DamagedRecord(dict[str, Any]):
    """A record of which some properties cannot be read."""

    def __init__(self, record: Mapping[str, Any], damage: Mapping[str, str]) -> None:
        """Keep what can be read.

        Args:
            record: The record.
            damage: What is wrong with each property that cannot be read.
        """
        super().__init__(record)
        self._damage = damage

    def check(self, used: Iterable[str], expressions: str, separator: str | None) -> None:
        """Make sure that nothing is used that cannot be read.

        Args:
            used: The properties that are mapped, after stream maps.
            expressions: The stream map's expressions, as text.
            separator: Between the names of which flattening makes one; None if it is off.

        Raises:
            RowRejectedError: A property that cannot be read is used.
        """
        for name, reason in self._damage.items():
            word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
            is_used = word.search(expressions) is not None or any(
                each == name or (separator is not None and each.startswith(name + separator))
                for each in used
            )
            if is_used:
                raise RowRejectedError(
                    "record.invalid",
                    f"Property '{name}' {reason}",
                    property=name,
                    rule="encoding" if reason == _ENCODING else "depth",
                )


class DamagedMessage(dict[str, Any]):
    """A RECORD message of which a part cannot be read."""


def read_damaged(line: bytes, number: int) -> DamagedMessage:
    """Read a line that is damaged.

    Args:
        line: The line, which is no JSON for Python.
        number: Its number, for messages.

    Returns:
        A RECORD message. Its record knows its damage.

    Raises:
        DataError: It is none, or damaged elsewhere. The message repeats nothing of the line.
    """
    text = line.decode("utf-8", "surrogateescape")
    reason = _ENCODING if _NOT_UTF_8.search(text) else _DEPTH
    try:
        message: object = decode(_without_depths(text))
    except (ValueError, RecursionError):
        raise DataError(
            f"Line {number} is not valid JSON ({len(line)} bytes). Check whether the tap stopped "
            "in the middle of it"
        ) from None
    if (
        not isinstance(message, dict)
        or message.get("type") != "RECORD"
        or _is_damaged(message.get("stream"))
    ):
        raise DataError(
            f"Line {number}{_place(message)} {reason} ({len(line)} bytes). Correct the tap's output"
        )
    record = message.get("record")
    if isinstance(record, str) and _is_damaged(record):
        message["record"] = None  # as a whole: it is no object
    elif isinstance(record, dict):
        damage = {name: found for name, value in record.items() if (found := _damage_of(value))}
        kept = {name: None if damage.get(name) == _DEPTH else record[name] for name in record}
        message["record"] = DamagedRecord(kept, damage)
    return DamagedMessage(message)


def is_damaged_object(line: bytes) -> bool:
    """Return whether a line that Python does not read as JSON is an object with damage in places.

    Args:
        line: The line.
    """
    try:
        return isinstance(decode(_without_depths(line.decode("utf-8", "surrogateescape"))), dict)
    except (ValueError, RecursionError):
        return False


def _place(message: object) -> str:
    """Return what can be told of a message that cannot be used."""
    if not isinstance(message, dict):
        return ""
    kind, stream = message.get("type"), message.get("stream")
    is_known = isinstance(kind, str) and kind in {"SCHEMA", "STATE", "BATCH", "RECORD"}
    told = f": the {kind}" if is_known else ": the message"
    if isinstance(stream, str) and not _is_damaged(stream):
        told += f" of stream '{stream}'"
    return told


def _without_depths(text: str) -> str:
    """Return a line in which nothing is nested too deeply."""
    kept: list[str] = []
    depth = start = 0
    for token in _TOKENS.finditer(text):
        sign = token[0]
        if sign in "[{":
            depth += 1
            if depth == MAX_DEPTH:
                kept += (text[start : token.start()], '"\\udc00"')
        elif sign in "]}":
            if depth == MAX_DEPTH:
                start = token.end()
            depth -= 1
    return text if depth > 0 else "".join((*kept, text[start:]))


def _damage_of(value: object) -> str | None:
    for text in _texts(value):
        if text == _LEFT_OUT:
            return _DEPTH
        if _NOT_UTF_8.search(text):
            return _ENCODING
    return None


def _is_damaged(value: object) -> bool:
    return _damage_of(value) is not None


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a value, names included."""
    rest = [value]
    while rest:
        each = rest.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            rest += (*each, *each.values())
        elif isinstance(each, list):
            rest += each
