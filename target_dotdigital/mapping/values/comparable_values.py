"""Values of data fields as they are compared: what was sent, and what the account answers.

How Dotdigital spells a value in an answer is not documented: a date may come with or without its
zone and its milliseconds, a number with zeros at its end or as a text, a Boolean as a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.errors import UnfitError
from target_dotdigital.mapping.values.field_values import (
    Rounded,
    to_boolean,
    to_date,
    to_number,
    to_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_SECONDS = len("YYYY-MM-DDTHH:MM:SS")


def _number(value: object) -> str:
    if type(value) is int:
        return str(value)
    number = to_number(value)
    return bytes(number.sent if isinstance(number, Rounded) else number).decode()


def _date(value: object) -> str:
    # To the second: how many digits of a fraction Dotdigital keeps is not documented.
    is_plain = isinstance(value, str) and len(value) == _SECONDS + 1 and value[-1] == "Z"
    return (str(value) if is_plain else to_date(value))[:_SECONDS]


_FORMS: Mapping[str, Callable[[object], object]] = {
    "String": to_text,
    "Numeric": _number,
    "Date": _date,
    "Boolean": to_boolean,
}


def comparable_value(value: object, field_type: str) -> object:
    """Return what two spellings of a data field's value have in common.

    Args:
        value: What was sent, or what an answer holds.
        field_type: The data field's type in the account.

    Returns:
        None if the field is empty: null, an empty text, and a field that is not told.
    """
    if value is None or value == "":
        return None
    try:
        return _FORMS[field_type](value)
    except (UnfitError, KeyError):
        return f"{field_type}: {value}"  # equal to nothing that would be sent
