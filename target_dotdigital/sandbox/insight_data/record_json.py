"""What the JSON of a record may hold, and the vendor's words for what it may not.

The words are in the vendor's specification of insight data. What they mean is known of the
characters of keys only (the vendor's Magento extension, `KeyValidator`); the limits are guesses.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

INVALID_JSON = "InvalidJson"
NESTED_ARRAY = "JsonContainsNestedArray"
KEY_TOO_LONG = "JsonKeyTooLong"
INVALID_KEY = "JsonKeyInvalidCharacters"
VALUE_TOO_LONG = "JsonValueTooLong"
NUMBER_TOO_LARGE = "JsonNumberValueTooLarge"

MAXIMUM_NAME_CHARACTERS = 255
MAXIMUM_TEXT_CHARACTERS = 65_536
MAXIMUM_DEPTH = 50
LARGEST_NUMBER = Decimal("1.7976931348623157e308")
"""That of a double."""

_NAME = re.compile(r"[-A-Za-z0-9_]+")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Problem(msgspec.Struct, frozen=True):
    """Why a record is not taken.

    Attributes:
        reason: The vendor's word.
        place: Where in the record.
    """

    reason: str
    place: str


def read_json(sent: Any) -> Any:  # noqa: ANN401 - JSON
    """Return what was sent as a record, decoded once more if it is a text that holds JSON.

    The specification calls a single record a string, and shows one in an example.
    """
    if not isinstance(sent, str):
        return sent
    try:
        return _DECODER.decode(sent)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return sent


def encode_json(value: object) -> bytes:
    """Return a record as it is stored, its numbers as they were sent."""
    return _ENCODER.encode(value)


def json_problem(value: object) -> Problem | None:
    """Return the first reason why a record cannot hold this, if there is one."""
    if not isinstance(value, dict):
        return Problem(INVALID_JSON, "$")
    return next(_problems(value), None)


def _problems(value: object) -> Iterator[Problem]:
    # Without recursion: what is nested deeper than Python can go is refused and not a crash.
    waiting = [(value, "$", 0)]
    while waiting:
        node, place, depth = waiting.pop()
        if depth > MAXIMUM_DEPTH:
            yield Problem(INVALID_JSON, place)
        elif isinstance(node, dict):
            for name, each in node.items():
                yield from _name_problems(name, place)
                waiting.append((each, f"{place}.{name}", depth + 1))
        elif isinstance(node, list):
            for number, each in enumerate(node):
                if isinstance(each, list):
                    yield Problem(NESTED_ARRAY, f"{place}[{number}]")
                waiting.append((each, f"{place}[{number}]", depth + 1))
        else:
            yield from _scalar_problems(node, place)


def _name_problems(name: str, place: str) -> Iterator[Problem]:
    if len(name) > MAXIMUM_NAME_CHARACTERS:
        yield Problem(KEY_TOO_LONG, place)
    elif not _NAME.fullmatch(name):
        yield Problem(INVALID_KEY, place)


def _scalar_problems(value: object, place: str) -> Iterator[Problem]:
    if isinstance(value, str) and len(value) > MAXIMUM_TEXT_CHARACTERS:
        yield Problem(VALUE_TOO_LONG, place)
    elif isinstance(value, (int, Decimal)) and not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        yield Problem(NUMBER_TOO_LARGE, place)
