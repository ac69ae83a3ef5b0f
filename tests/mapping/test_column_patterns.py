"""The patterns of whole columns: each line matches in one way only.

Of two ways a line, a wrong line below n others would have 2 ** n ways tried, and hang the run.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from target_dotdigital.mapping import column_conversions
from target_dotdigital.mapping.contacts import emails

EXAMPLES = {
    "text": "I agree. Yes",
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
    "dateTimeConsented": "2026-01-31T10:11:12Z",
    "url": "https://shop.example.org/a/b?c=d#e",
    "ipAddress": "192.168.19.111",
}
LINES: dict[str, tuple[re.Pattern[Any], str]] = {
    **{
        name: (re.compile(rf"(?:{pattern}\n)+".encode()), EXAMPLES[name])
        for name, pattern in column_conversions.CONSENT_PATTERNS.items()
    },
    "dates": (column_conversions._UTC_DATES, "2026-01-31T10:11:12Z"),
    "emails, a dot": (emails._PLAIN_LINES, "ada.b@shop-one.co.uk"),
    "emails, two dots": (emails._PLAIN_LINES, "ada.b.c@example.org"),
    "numbers": (column_conversions._NUMBERS, "-120.500"),
    "numbers and nulls": (column_conversions._NUMBERS_AND_NULLS, "120.5000"),
    "small numbers": (column_conversions._NUMBERS_AND_NULLS, "-0.05000"),
}


@pytest.mark.parametrize("name", LINES)
def test_a_wrong_line_below_many_is_found_at_once(name: str) -> None:
    lines, example = LINES[name]
    whole = f"{example}\n" * 500
    wrong = whole + " \n"
    if isinstance(lines.pattern, bytes):
        assert lines.fullmatch(whole.encode())
        assert not lines.fullmatch(wrong.encode())
    else:
        assert lines.fullmatch(whole)
        assert not lines.fullmatch(wrong)
