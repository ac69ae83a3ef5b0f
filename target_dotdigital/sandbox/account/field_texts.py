"""Values that are written as texts, as files have them: what they say to a field of each type."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from target_dotdigital.sandbox.account.field_values import is_date, is_date_without_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_DAY_FIRST = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})(?:[ T]([0-9:]{5,8}))?")
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

MIDNIGHT = "T00:00:00"


def value_of_text(kind: str, text: str) -> object:
    """Return what a text says to a data field.

    Args:
        kind: The field's type.
        text: The text, not empty.

    Returns:
        A value that the field takes, or else the text as it is.
    """
    read = _READERS.get(kind)
    return text if read is None else read(text.strip(), text)


def _number(trimmed: str, text: str) -> object:
    return Decimal(trimmed) if _NUMBER.fullmatch(trimmed) else text


def _boolean(trimmed: str, text: str) -> object:
    return _BOOLEANS.get(trimmed.lower(), text)


def _date(trimmed: str, text: str) -> object:
    """Read a date: ISO 8601, or the day first with a year of four digits, as in 31/01/2026.

    Source: https://developer.dotdigital.com/reference/bulk-import-contacts.
    """
    match = _DAY_FIRST.fullmatch(trimmed)
    if match:
        day, month, year, time = match.groups()
        trimmed = f"{year}-{month:0>2}-{day:0>2}" + (f"T{time}" if time else "")
    if not is_date(trimmed):
        return text
    return trimmed + MIDNIGHT if is_date_without_time(trimmed) else trimmed


_READERS: Mapping[str, Callable[[str, str], object]] = {
    "Numeric": _number,
    "Boolean": _boolean,
    "Date": _date,
}
