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
from typing import Any, NamedTuple, TypeAlias

from msgspec import UNSET, Raw

from target_dotdigital.errors import RowRejectedError
from target_dotdigital.mapping.column_types import SHORT_TEXT_LENGTH
from target_dotdigital.mapping.contacts import PLAIN_EMAIL
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
_NUMBER = rb"%b(?:\.[0-9]{1,9}0*)?|-0\.[0-9]{0,8}[1-9]0*" % _WHOLE
"""JSON numbers that a numeric field takes as they are: zeros at their end change nothing."""

_A_NUMBER = re.compile(_NUMBER)
_NUMBERS = re.compile(rb"(?:%b(?:\.[0-9]{1,9})?\n)+" % _WHOLE)
_NUMBERS_AND_NULLS = re.compile(rb"(?:(?:%b|null)\n)+" % _NUMBER)
_NULL = Raw(b"null")
_ANY_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
"""JSON numbers that may have to be rounded, or written without an exponent, each for itself."""

_EMAILS = re.compile(rf"(?:{PLAIN_EMAIL}\n)+")
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


def one_by_one(convert: Callable[[object], object], *, keeps_empty: bool) -> Convert:
    """Return the conversion of values one by one, as single records' are.

    Args:
        convert: Converts a value that is not null; raises `RowRejectedError`.
        keeps_empty: Whether null and empty values are sent.
    """

    def converted(values: Values, notes: Notes) -> Values:
        found: Values = []
        for place, value in enumerate(values):
            sent: object = UNSET
            if value is None:
                sent = None if keeps_empty else UNSET
            elif value is not UNSET and (keeps_empty or value != ""):
                try:
                    sent = convert(value)
                except RowRejectedError:
                    notes.slow.add(place)
                if isinstance(sent, Rounded):
                    notes.rounded.append(place)
                    sent = sent.sent
                if sent == "" and not keeps_empty:
                    sent = UNSET
            found.append(sent)
        return found

    return converted


def texts_of_any_values(convert_each: Convert, *, keeps_empty: bool) -> Convert:
    """Return the conversion to a text field of values of any type, most of which are texts.

    Args:
        convert_each: Converts values one by one.
        keeps_empty: Whether null and empty values are sent.
    """
    unchanged = as_they_are if keeps_empty else without_empty

    def converted(values: Values, notes: Notes) -> Values:
        if set(map(type, values)) == {str} and max(map(len, values)) <= SHORT_TEXT_LENGTH:
            return unchanged(values, notes)
        return convert_each(values, notes)

    return converted


def dates(convert_each: Convert, *, keeps_empty: bool) -> Convert:
    """Return the conversion of texts to dates in UTC.

    Args:
        convert_each: Converts values one by one.
        keeps_empty: Whether null and empty values are sent.
    """
    unchanged = as_they_are if keeps_empty else without_empty

    def converted(values: Values, notes: Notes) -> Values:
        with suppress(TypeError):  # one of them is null, or absent
            if _are_lines("\n".join(values), len(values), _UTC_DATES):
                return values
        texts = [value for value in values if value is not None and value is not UNSET]
        if not keeps_empty:  # otherwise an empty text is an invalid date
            texts = [value for value in texts if value]
        if not texts:
            return unchanged(values, notes)
        joined = "\n".join(texts)
        if _are_lines(joined, len(texts), _UTC_DATES):
            return unchanged(values, notes)
        found = _DATES.findall(joined)
        if not len(found) == joined.count("\n") + 1 == len(texts):
            return convert_each(values, notes)
        converted_texts = [f"{day}T{time or '00:00:00'}{part}Z" for day, time, part in found]
        return _put_back(converted_texts, unchanged(values, notes))

    return converted


def _put_back(texts: list[str], values: Values) -> Values:
    """Return values with converted texts in place of those that are neither empty nor absent."""
    if len(texts) == len(values):
        return texts
    in_turn = iter(texts)
    return [next(in_turn) if value else value for value in values]


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
            joined = b"\n".join(values) + b"\n"
            # No value has more than one line: it is a part of one.
            if _NUMBERS.fullmatch(joined):
                return values
            if keeps_empty and has_null and _NUMBERS_AND_NULLS.fullmatch(joined):
                return values
        found: Values = []
        others: Values = [UNSET] * len(values)
        for place, value in enumerate(values):
            found.append(value)
            if value is UNSET or _A_NUMBER.fullmatch(value):
                continue
            if has_null and value == _NULL:
                found[place] = null
            elif _ANY_NUMBER.fullmatch(value):
                others[place] = Decimal(bytes(value).decode())
            else:
                notes.slow.add(place)
        return [
            value if other is UNSET else other
            for value, other in zip(found, convert_each(others, notes), strict=True)
        ]

    return converted


def decimals(convert_each: Convert, *, has_null: bool) -> Convert:
    """Return the conversion of numbers that a stream map has made.

    Args:
        convert_each: Converts values one by one.
        has_null: Whether the schema allows null.
    """

    def converted(values: Values, notes: Notes) -> Values:
        for place, value in enumerate(values):
            is_null = value is None and has_null
            if not (is_null or value is UNSET or type(value) in {int, Decimal}):
                notes.slow.add(place)
        return convert_each(values, notes)

    return converted


def identifiers(check: Callable[[object], object], *, is_match: bool) -> Convert:
    """Return the check of identifiers, one by one.

    Args:
        check: Returns what is sent for a value that is not empty; raises `RowRejectedError`.
        is_match: Whether it is the match identifier, which every contact needs.
    """

    def checked(values: Values, notes: Notes) -> Values:
        found: Values = []
        for place, value in enumerate(values):
            sent: object = UNSET
            if value is None or value is UNSET or (isinstance(value, str) and not value.strip()):
                if is_match:
                    notes.slow.add(place)
            else:
                try:
                    sent = check(value)
                except RowRejectedError:
                    notes.slow.add(place)
            found.append(sent)
        return found

    return checked


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
            if _are_lines(lower, len(values), _EMAILS):
                return values if lower == joined else lower.split("\n")
        return check_each(values, notes)

    return checked


def opt_outs(read: Callable[[object], bool]) -> Convert:
    """Return the reading of opt-outs, most of which say no.

    Args:
        read: Returns whether a value says yes; raises `RowRejectedError`.
    """

    def converted(values: Values, notes: Notes) -> Values:
        found: Values = []
        for place, value in enumerate(values):
            has_opted_out = value is True
            if not has_opted_out and value is not UNSET and value:
                try:
                    has_opted_out = read(value)
                except RowRejectedError:
                    notes.slow.add(place)
            found.append(has_opted_out)
        return found

    return converted


def _are_lines(joined: str, count: int, lines: re.Pattern[str]) -> bool:
    """Return whether so many texts, joined by line ends, match a pattern of lines."""
    # A text of two lines could stand in for one that does not match.
    return joined.count("\n") == count - 1 and lines.fullmatch(joined + "\n") is not None
