"""Conversions of columns: the values of one property of many records, converted at once.

Most columns hold nothing that has to be changed, and one look at all of their values shows it. Any
other value is converted as a single record's would be; where that fails, its row goes the slow way,
which decides what becomes of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias

from msgspec import UNSET, Raw, UnsetType

from target_dotdigital.errors import RowRejectedError, UnfitError
from target_dotdigital.mapping.column_types import SHORT_TEXT_LENGTH
from target_dotdigital.mapping.contacts import are_plain_emails
from target_dotdigital.mapping.values import PLAIN_DAY, PLAIN_TIME, Rounded

Values: TypeAlias = "list[Any]"
"""A value for each record. UNSET is sent as nothing."""


class Notes(NamedTuple):
    """What a conversion notes of rows, by their places."""

    slow: set[int]
    """Rows that have to go the slow way."""
    rounded: list[int]
    """Rows whose number is rounded."""


Convert: TypeAlias = Callable[[Values, Notes], Values]
"""Converts a column."""

_WHOLE = rb"(?:0|-?[1-9][0-9]{0,17})"
_NUMBER = rb"(?:%b(?:\.[0-9]{0,8}[1-9])?|-0\.[0-9]{0,8}[1-9])" % _WHOLE
"""JSON numbers that a numeric field takes as they are."""

_ENDING_ZEROS = re.compile(rb"(?:(\.[0-9]*[1-9])0+|\.0+)\n")
"""They are not sent: the same number is the same text, whichever way its row goes."""

_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_SHORT_NUMBER = 10
_PLAIN_NUMBER_SIGNS = b"0123456789.\n"
"""A JSON number of so few of these signs has no more digits than a numeric field takes."""

_A_NUMBER = re.compile(_NUMBER)
_NUMBERS = re.compile(rb"(?:%b\n)+" % _NUMBER)
_NUMBERS_AND_NULLS = re.compile(rb"(?:(?:%b|null)\n)+" % _NUMBER)
_NULL = Raw(b"null")
_ANY_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
"""JSON numbers that may have to be rounded, or written without an exponent, each for itself."""

FLAGS: Final[frozenset[type]] = frozenset({bool, type(None), UnsetType})
TEXTS: Final[frozenset[type]] = frozenset({str, type(None), UnsetType})
PYTHON_NUMBERS: Final[frozenset[type]] = frozenset({int, Decimal, type(None), UnsetType})
"""Types of the values of usual columns."""

CONSENT_PATTERNS: Final = {
    "text": r"\S.{0,499}",
    "userAgent": r"\S.{0,499}",
    "dateTimeConsented": rf"{PLAIN_DAY}T{PLAIN_TIME}Z",
    "url": r"https?://[A-Za-z0-9][A-Za-z0-9.-]{0,99}(?:[/?#][A-Za-z0-9_.~!#$&'()*+,/:;=?@-]{0,300})?",
    "ipAddress": rf"{_BYTE}(?:\.{_BYTE}){{3}}",
}
"""By part of a consent record, texts that are sent as they are."""

_UTC_DATES = re.compile(rf"(?:{PLAIN_DAY}T{PLAIN_TIME}Z\n)+")
_DATES = re.compile(
    rf"^({PLAIN_DAY})(?:[T ]({PLAIN_TIME})(?:(\.[0-9]*[1-9])0*|\.0+)?(?:Z|\+00:00)?)?$",
    re.MULTILINE,
)
"""Dates in UTC, with the parts that are sent: day, time, fraction of a second."""


def as_they_are(values: Values, _notes: Notes) -> Values:
    """Return values that need no conversion."""
    return values


def without_empty(values: Values, _notes: Notes) -> Values:
    """Return texts, with UNSET for those that are empty or null."""
    return values if all(values) else [value or UNSET for value in values]


def without_null(values: Values, _notes: Notes) -> Values:
    """Return values, with UNSET for those that are null."""
    return [UNSET if value is None else value for value in values]


def only_true(values: Values, _notes: Notes) -> Values:
    """Return for each value whether it is true."""
    return [value is True for value in values]


def usual(kinds: frozenset[type], unchanged: Convert, convert_each: Convert) -> Convert:
    """Return the conversion of values most of which are of the types that are sent.

    Args:
        kinds: Those types.
        unchanged: Converts a column of nothing else.
        convert_each: Converts any other column.
    """

    def converted(values: Values, notes: Notes) -> Values:
        are_usual = kinds.issuperset(map(type, values))
        return unchanged(values, notes) if are_usual else convert_each(values, notes)

    return converted


def one_by_one(
    convert: Callable[[Any], object],
    *,
    is_absent: Callable[[Any], bool] = lambda _: False,
    absent: object = UNSET,
) -> Convert:
    """Return the conversion of values one by one, as single records' are.

    Args:
        convert: Converts a value that is there; raises an error if its row needs a look.
        is_absent: Returns whether a value is as good as none.
        absent: What is sent in place of one.
    """

    def converted(values: Values, notes: Notes) -> Values:
        found: Values = [absent] * len(values)
        for place, value in enumerate(values):
            if value is UNSET or is_absent(value):
                continue
            try:
                sent = convert(value)
            except (RowRejectedError, UnfitError, ValueError):
                notes.slow.add(place)
                continue
            if isinstance(sent, Rounded):
                notes.rounded.append(place)
                sent = sent.sent
            found[place] = sent
        return found

    return converted


def needed(convert: Convert) -> Convert:
    """Return a conversion after which a row without a value goes the slow way.

    Args:
        convert: Converts the values.
    """

    def converted(values: Values, notes: Notes) -> Values:
        found = convert(values, notes)
        notes.slow.update(place for place, value in enumerate(found) if value is UNSET)
        return found

    return converted


def texts(unchanged: Convert, convert_each: Convert) -> Convert:
    """Return the conversion to a text field of values most of which are short texts.

    Args:
        unchanged: Converts a column of nothing but short texts and null.
        convert_each: Converts any other column.
    """

    def of_texts(values: Values, notes: Notes) -> Values:
        longest = max(map(len, filter(None, values)), default=0)
        convert = unchanged if longest <= SHORT_TEXT_LENGTH else convert_each
        return convert(values, notes)

    return usual(TEXTS, of_texts, convert_each)


def dates(convert_each: Convert, unchanged: Convert) -> Convert:
    """Return the conversion of texts to dates in UTC.

    Args:
        convert_each: Converts values one by one.
        unchanged: Converts a column of dates in UTC, null and empty texts.
    """

    def of_texts(values: Values, notes: Notes) -> Values:
        found = list(filter(None, values))
        if unchanged is as_they_are and "" in values:
            return convert_each(values, notes)  # an empty text is an invalid date
        joined = "\n".join(found)
        if not found or _are_lines(joined, len(found), _UTC_DATES):
            return unchanged(values, notes)
        parts = _DATES.findall(joined)
        if not len(parts) == joined.count("\n") + 1 == len(found):
            return convert_each(values, notes)
        in_turn = iter([f"{day}T{time or '00:00:00'}{part}Z" for day, time, part in parts])
        return unchanged([next(in_turn) if value else value for value in values], notes)

    by_kind = usual(TEXTS, of_texts, convert_each)

    def converted(values: Values, notes: Notes) -> Values:
        with suppress(TypeError):  # one of them is null, or absent
            if _are_lines("\n".join(values), len(values), _UTC_DATES):
                return values
        return by_kind(values, notes)

    return converted


def raw_numbers(convert_each: Convert, *, keeps_empty: bool, has_null: bool) -> Convert:
    """Return the conversion of numbers that are still JSON.

    Args:
        convert_each: Converts values one by one.
        keeps_empty: Whether null and empty values are sent.
        has_null: Whether the schema allows null.
    """
    null = None if keeps_empty else UNSET

    def converted(values: Values, notes: Notes) -> Values:
        with suppress(TypeError):  # one of them is absent
            # No value has more than one line: it is a part of one.
            joined = b"\n".join(values) + b"\n"
            spelled = _without_ending_zeros(joined)
            is_short = max(map(len, values), default=0) <= _SHORT_NUMBER
            if (
                (is_short and not spelled.translate(None, _PLAIN_NUMBER_SIGNS))
                or _NUMBERS.fullmatch(spelled)
                or (keeps_empty and has_null and _NUMBERS_AND_NULLS.fullmatch(spelled))
            ):
                return values if spelled == joined else list(map(Raw, spelled.split()))
        found: Values = []
        others: Values = [UNSET] * len(values)
        for place, value in enumerate(values):
            found.append(value)
            if value is None or (has_null and value == _NULL):  # the former of one inside a null
                found[place] = null
            elif value is UNSET or _A_NUMBER.fullmatch(value):
                continue
            elif _ANY_NUMBER.fullmatch(value):
                others[place] = Decimal(bytes(value).decode())
            else:
                notes.slow.add(place)
        return [
            value if other is UNSET else other
            for value, other in zip(found, convert_each(others, notes), strict=True)
        ]

    return converted


def _without_ending_zeros(lines: bytes) -> bytes:
    return _ENDING_ZEROS.sub(rb"\1\n", lines) if b"." in lines and b"0\n" in lines else lines


def numbers(unchanged: Convert, convert_each: Convert) -> Convert:
    """Return the conversion of numbers that are Python's, most of which are sent as they are.

    Args:
        unchanged: Converts a column of JSON numbers and null.
        convert_each: Converts values one by one.
    """

    def of_numbers(values: Values, notes: Notes) -> Values:
        joined = ""
        with suppress(ValueError):  # an expression has made one of thousands of digits
            joined = "".join([f"{value}\n" for value in values if value is not None])
        spelled = _without_ending_zeros(joined.replace("UNSET\n", "").encode())
        if not _NUMBERS.fullmatch(spelled):
            return convert_each(values, notes)
        in_turn = iter(map(Raw, spelled.split()))
        return unchanged(
            [value if value is None or value is UNSET else next(in_turn) for value in values], notes
        )

    return usual(PYTHON_NUMBERS, of_numbers, convert_each)


def emails(check_each: Convert) -> Convert:
    """Return the check of e-mail addresses, most of which are plain.

    Args:
        check_each: Checks values one by one.
    """

    def checked(values: Values, notes: Notes) -> Values:
        with suppress(TypeError):  # one of them is null
            joined = "\n".join(values)
            # Only ASCII: the Kelvin sign's lower case is `k`, and somebody else's address.
            lower = joined.lower() if joined.isascii() else ""
            if lower.count("\n") == len(values) - 1 and are_plain_emails(f"{lower}\n"):
                return values if lower == joined else lower.split("\n")
        return check_each(values, notes)

    return checked


def lines_of(pattern: str, convert_each: Convert) -> Convert:
    """Return the conversion of values most of which are texts that are sent as they are, or null.

    Args:
        pattern: That of such a text.
        convert_each: Converts any other column.
    """
    lines = re.compile(rf"(?:{pattern}\n)+")

    def converted(values: Values, notes: Notes) -> Values:
        with suppress(TypeError):  # one of them is neither
            texts = {*values} - {None, UNSET}  # the same one again and again
            if not texts or _are_lines("\n".join(texts), len(texts), lines):
                return without_null(values, notes) if None in values else values
        return convert_each(values, notes)

    return converted


def _are_lines(joined: str, count: int, lines: re.Pattern[str]) -> bool:
    """Return whether so many texts, joined by line ends, match a pattern of lines."""
    # A text of two lines could stand in for one that does not match.
    return joined.count("\n") == count - 1 and lines.fullmatch(joined + "\n") is not None
