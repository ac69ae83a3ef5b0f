"""What the rejects file says of a contact that Dotdigital refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_dotdigital.loading import RejectsFile, RowCounts, Settlement
from target_dotdigital.mapping import Contact, OwnSource, Row
from target_dotdigital.singer_lines import decode

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = b'{"type":"SCHEMA","stream":"people","schema":{"properties":{}},"key_properties":[]}'
LINE = b'{"type":"RECORD","stream":"people","record":{"email":"a@example.com"}}'


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("record.too_large", "The contact is too large for Dotdigital (413)"),
        ("dotdigital.invalidEmail", "Dotdigital refused the contact"),
    ],
)
def test_the_reason_says_why_where_the_code_is_the_targets_own(
    tmp_path: Path, code: str, reason: str
) -> None:
    path = tmp_path / "rejects.singer"
    rejects = RejectsFile(path)
    counts = RowCounts([rejects], 100)
    rows = (Row(counts.of("people"), LINE, SCHEMA),)
    contact = Contact("email:a@example.com", (), OwnSource(b"{}", rows))
    counts.of("people").read = 1
    counts.settle(Settlement(rejected=[(contact, code)]))
    rejects.close()
    kept = decode(path.read_bytes().splitlines()[1])["record"]
    assert (kept["_sdc_reject_code"], kept["_sdc_reject_reason"]) == (code, reason)
