"""Which values a data field of each type takes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAXIMUM_TEXT_CHARACTERS = 1_000
"""The longest text of the product's help. What the API does beyond it is documented nowhere;
here the contact fails, so that a rehearsal shows it."""

NUMERIC_LIMIT = 10**18
"""A Numeric has at most 18 digits before the decimal point."""

ISO_8601 = re.compile(
    r"""
    (\d{4}-\d{2}-\d{2})
    (?:[T\ ](\d{2}:\d{2}(?::\d{2})?)(?:\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})?)?
    """,
    re.VERBOSE | re.ASCII,
)

_FRACTION = re.compile(r"\.(\d{1,9})")


def is_text(value: object) -> bool:
    """Tell whether a String field takes the value."""
    return isinstance(value, str) and len(value) <= MAXIMUM_TEXT_CHARACTERS


def is_number(value: object) -> bool:
    """Tell whether a Numeric field takes the value."""
    if isinstance(value, Decimal):
        # The exponent, not `abs(value) < limit`: no arithmetic on 1e999999999.
        return value.is_zero() or value.adjusted() < len(str(NUMERIC_LIMIT)) - 1
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < NUMERIC_LIMIT


def is_date(value: object) -> bool:
    """Tell whether a Date field takes the value: an ISO 8601 date, with or without a time."""
    match = ISO_8601.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return False
    day, time, _zone = match.groups()
    try:
        datetime.fromisoformat(f"{day}T{time or '00:00'}")
    except ValueError:
        return False
    return True


def is_date_without_time(value: object) -> bool:
    """Tell whether the value is a date with no time of day."""
    return isinstance(value, str) and len(value) == len("2026-01-31") and is_date(value)


def is_boolean(value: object) -> bool:
    """Tell whether a Boolean field takes the value."""
    return isinstance(value, bool)


VALUE_CHECKS: Mapping[str, Callable[[object], bool]] = {
    "String": is_text,
    "Numeric": is_number,
    "Date": is_date,
    "Boolean": is_boolean,
}


def read_time(written: str) -> datetime | None:
    """Return a time in UTC, or nothing if it is none.

    Args:
        written: ISO 8601. Without a zone it is UTC, without a time of day it is midnight.
    """
    match = ISO_8601.fullmatch(written)
    if match is None:
        return None
    fraction = _FRACTION.search(written)
    try:
        time = datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00'}+00:00")
        microseconds = int(fraction[1].ljust(6, "0")[:6]) if fraction else 0
        local = time.replace(microsecond=microseconds)
        return (local - _offset(match[3])).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta()
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return -offset if zone[0] == "-" else offset
