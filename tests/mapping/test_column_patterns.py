"""The patterns of whole columns: each line matches in one way only.

Of two ways a line, a wrong line below n others would have 2 ** n ways tried, and hang the run.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from msgspec import Raw

from target_dotdigital.mapping import column_conversions
from target_dotdigital.mapping.contacts import emails
from target_dotdigital.mapping.values.field_values import to_number

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
    "numbers": (column_conversions._NUMBERS, "-120.5"),
    "numbers and nulls": (column_conversions._NUMBERS_AND_NULLS, "120.5"),
    "small numbers": (column_conversions._NUMBERS_AND_NULLS, "-0.05"),
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


@pytest.mark.parametrize("spelled", [b"12.50", b"-99.00", b"100", b"0.0", b"-0.050", b"7", b"1e2"])
@pytest.mark.parametrize("neighbour", [b"1.5", b"-2", b"null", b"1.23456789012"])
def test_a_number_is_sent_as_the_same_text_beside_any_other(
    spelled: bytes, neighbour: bytes
) -> None:
    alone = to_number(Decimal(spelled.decode()))
    assert isinstance(alone, Raw)
    convert = column_conversions.raw_numbers(
        column_conversions.one_by_one(to_number), keeps_empty=True, has_null=True
    )
    notes = column_conversions.Notes(set(), [])
    sent, _ = convert([Raw(spelled), Raw(neighbour)], notes)
    assert (bytes(sent), notes.slow) == (bytes(alone), set())
