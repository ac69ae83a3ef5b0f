"""The pattern of plain addresses: many at once, and an address that is none ends it at once."""

from __future__ import annotations

import re

from target_dotdigital.mapping.contacts.emails import PLAIN_EMAIL

LINES = re.compile(rf"(?:{PLAIN_EMAIL}\n)+")


def test_a_wrong_address_below_many_with_a_dot_is_found_at_once() -> None:
    assert LINES.fullmatch("ada.b@example.co.uk\n" * 500)
    assert not LINES.fullmatch("ada.b@example.co.uk\n" * 500 + "no address\n")
