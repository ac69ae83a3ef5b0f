"""Values of data fields: a record's value as Dotdigital takes it, exactly, or not at all.

Nothing here cuts or guesses: a value that would not arrive as it is rejects its row. The one
exception is a number with too many decimals, which is rounded and reported.

Source of the formats: https://developer.dotdigital.com/reference/get-contact-data-fields.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import msgspec

from target_dotdigital.errors import RowRejectedError, UnfitError
from target_dotdigital.mapping.contacts import (
    MAX_FRACTION_DIGITS,
    MAX_TEXT_UNITS,
    MAX_WHOLE_DIGITS,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_SPELLED_DIGITS = 4 * MAX_TEXT_UNITS
"""A number for a text field that is longer than this is not even spelled out to be measured."""

_LAST_DIGIT = Decimal(1).scaleb(-MAX_FRACTION_DIGITS)
_ALL_DIGITS = Context(prec=MAX_WHOLE_DIGITS + MAX_FRACTION_DIGITS + 1, rounding=ROUND_HALF_EVEN)
"""Holds every number that a numeric field takes, and one digit that rounding may carry."""

Sendable: TypeAlias = "str | bool | msgspec.Raw"


class Rounded(NamedTuple):
    """A number that has lost decimals which Dotdigital does not keep."""

    sent: msgspec.Raw
    """What is left of it, as `Sendable`."""


_TRUE_WORDS = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE_WORDS = frozenset({"false", "f", "no", "n", "off", "0"})

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")

PLAIN_DAY = (
    "[12][0-9][0-9][0-9]-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    "|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
"""The pattern of nearly every day: `to_date` knows the others, as 29 February in a leap year."""

PLAIN_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"

_DATE = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[Tt ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?"
    r"\s?(?P<zone>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)


def to_text(value: object) -> str:
    """Return a value for a `String` field.

    Numbers are written in full, arrays of plain values are joined with commas.

    Args:
        value: What the record holds; not None.

    Raises:
        UnfitError: It does not fit. `converter` makes it the row's reject.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal, float)):
        return _plain(_decimal(value), MAX_SPELLED_DIGITS)
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    if isinstance(value, list) and not any(isinstance(item, (dict, list)) for item in value):
        return ",".join(to_text(item) for item in value if item is not None)
    raise UnfitError("must be a text, a number, a boolean or an array of these")


def to_number(value: object, *, is_exact: bool = False) -> msgspec.Raw | Rounded:
    """Return a value for a `Numeric` field as the JSON number to send.

    Args:
        value: A number, or a text that is one.
        is_exact: Whether a number that would have to be rounded is refused.
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise UnfitError("must be a number")
    number = _decimal(value)
    kept, is_rounded = (number, False) if is_exact else _rounded(number)
    text = _plain(kept, MAX_WHOLE_DIGITS)
    whole, _, fraction = text.partition(".")
    if len(whole.lstrip("-")) > MAX_WHOLE_DIGITS or len(fraction) > MAX_FRACTION_DIGITS:
        raise UnfitError(
            f"must have at most {MAX_WHOLE_DIGITS} digits before and {MAX_FRACTION_DIGITS} after "
            "the point"
        )
    sent = msgspec.Raw(text.encode())
    return Rounded(sent) if is_rounded else sent


def _rounded(number: Decimal) -> tuple[Decimal, bool]:
    """Return a number with the decimals that Dotdigital keeps, and whether it had more."""
    # What is too large, or no number, is refused as it is.
    if not number.is_finite() or number.adjusted() >= MAX_WHOLE_DIGITS:
        return number, False
    kept = number.quantize(_LAST_DIGIT, context=_ALL_DIGITS)
    if kept == number:
        return number, False
    shortest = _shortest(number)
    if shortest is not number:
        kept = shortest.quantize(_LAST_DIGIT, context=_ALL_DIGITS)
    return kept, kept != shortest


def _shortest(number: Decimal) -> Decimal:
    """Return a double's digits as they are usually written, if these are all that it has.

    0.1 is 0.1000000000000000055511151231257827021181583404541015625 as a double.
    """
    double = float(number)
    return Decimal(repr(double)) if Decimal(double) == number else number


def _decimal(value: float | Decimal) -> Decimal:
    if isinstance(value, float):
        return Decimal(repr(value))  # the digits that were written, not the binary fraction
    return Decimal(value)


def _plain(number: Decimal, max_digits: int) -> str:
    """Write a number without exponent and without trailing zeros of its fraction."""
    if not number.is_finite():
        raise UnfitError("must be a finite number")
    if number == 0:
        return "0"
    # Before formatting: 1E+999999 is short to write and long to spell out.
    if not -max_digits <= number.adjusted() < max_digits:
        raise UnfitError(f"must have at most {max_digits} digits before the point")
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def to_boolean(value: object) -> bool:
    """Return a value for a `Boolean` field; only words and numbers that clearly mean one.

    Args:
        value: A boolean, 0 or 1, or a text such as `yes`.
    """
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else None
    if word in _TRUE_WORDS or (isinstance(value, (int, float, Decimal)) and value == 1):
        return True
    if word in _FALSE_WORDS or (isinstance(value, (int, float, Decimal)) and value == 0):
        return False
    raise UnfitError("must be true or false")


def to_date(value: object) -> str:
    """Return a value for a `Date` field as ISO 8601 in UTC; a time without zone is UTC.

    Numbers are refused: nothing says whether they are seconds or milliseconds.

    Args:
        value: An ISO 8601 date or date and time.
    """
    if isinstance(value, (dt.datetime, dt.date)):
        value = value.isoformat()
    match = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise UnfitError("must be an ISO 8601 date")
    part = match.groupdict()
    try:
        moment = dt.datetime(
            int(part["year"]),
            int(part["month"]),
            int(part["day"]),
            int(part["hour"] or 0),
            int(part["minute"] or 0),
            int(part["second"] or 0),
            tzinfo=_zone(part["zone"]),
        ).astimezone(dt.timezone.utc)
    except (ValueError, OverflowError):
        raise UnfitError("must be a date that exists") from None
    # Offsets are whole minutes, so the fraction is the same in UTC and keeps every digit.
    fraction = (part["fraction"] or "").rstrip("0")
    seconds = moment.replace(tzinfo=None).isoformat(timespec="seconds")
    return f"{seconds}.{fraction}Z" if fraction else f"{seconds}Z"


def _zone(text: str | None) -> dt.timezone:
    if text is None or text in "Zz":
        return dt.timezone.utc
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    if minutes >= 60:  # noqa: PLR2004 - minutes of an hour
        raise ValueError(text)
    offset = dt.timedelta(hours=hours, minutes=minutes)
    return dt.timezone(-offset if text.startswith("-") else offset)


def is_too_long(text: str) -> bool:
    """Return whether a text has more than `MAX_TEXT_UNITS`.

    Args:
        text: Any text.
    """
    if len(text) > MAX_TEXT_UNITS:
        return True
    # A character beyond the basic plane (an emoji) counts twice.
    return len(text) * 2 > MAX_TEXT_UNITS and (
        len(text) + sum(character > "\uffff" for character in text) > MAX_TEXT_UNITS
    )


_CONVERSIONS: Mapping[str, Callable[[object], Sendable | Rounded]] = {
    "String": to_text,
    "Numeric": to_number,
    "Date": to_date,
    "Boolean": to_boolean,
}

DATA_FIELD_TYPES = frozenset(_CONVERSIONS)


def converter(
    field: str, field_type: str, path: str, *, exact_numbers: bool = False
) -> Callable[[object], Sendable | Rounded]:
    """Return the function that turns a property's value into a data field's.

    Args:
        field: The data field's name.
        field_type: Its type in the account, one of `DATA_FIELD_TYPES`.
        path: The property that is mapped to it.
        exact_numbers: Whether a number that would have to be rounded is refused.

    Returns:
        A function of a value that is not None. It raises `RowRejectedError` with the code
        `field.type` or `field.too_long`.
    """
    convert = _CONVERSIONS[field_type]
    if exact_numbers and field_type == "Numeric":
        convert = partial(to_number, is_exact=True)

    def converted(value: object) -> Sendable | Rounded:
        try:
            result = convert(value)
        except UnfitError as error:
            reason = f"Property '{path}' {error}, for the {field_type} data field {field}"
            raise RowRejectedError("field.type", reason, property=path, rule=field_type) from None
        if isinstance(result, str) and is_too_long(result):
            reason = (
                f"Property '{path}' has over {MAX_TEXT_UNITS} characters, for data field {field}"
            )
            raise RowRejectedError("field.too_long", reason, property=path)
        return result

    return converted
