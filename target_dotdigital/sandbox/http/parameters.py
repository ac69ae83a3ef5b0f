"""Parameters in paths and queries."""

from __future__ import annotations

LARGEST_PARAMETER = 2**31 - 1


def whole_number(
    text: str | None, *, default: int = 0, least: int = 0, most: int = LARGEST_PARAMETER
) -> int:
    """Read a parameter that is a whole number.

    Raises:
        ValueError: It is none, or not between the two.
    """
    if text is None:
        return default
    # Not every digit is one of ours, and Python refuses to read numbers of thousands of digits.
    if text.isascii() and text.isdigit() and len(text) <= len(str(most)):
        number = int(text)
        if least <= number <= most:
            return number
    message = "not a number in its range"
    raise ValueError(message)
