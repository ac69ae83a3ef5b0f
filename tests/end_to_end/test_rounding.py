"""Decimals that Dotdigital does not keep: rounded, counted by field, and told once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.messages import record, schema, state
from tests.support.target.command import load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

THIRD = 33.333333333333336
FIELDS = {"PRICE": "price", "SCORE": "score", "NOTE": "note"}
NUMBER: dict[str, Any] = {"type": ["number", "null"]}


def rows(**values: Any) -> list[dict[str, Any]]:
    """Return rows of which the first, second, fifth and sixth have a price of many decimals."""
    return [
        record(email=f"p{number}@example.com", price=price, score=1.5, **values)
        for number, price in enumerate((THIRD, THIRD / 2, 12.5, None, 1e-7, 2.25e-12))
    ]


@pytest.mark.parametrize("has_lane", [True, False], ids=["many rows at once", "row by row"])
@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "run"])
def test_rounded_numbers_are_counted_by_field_and_told_once(
    server: DotdigitalServer, tmp_path: Path, *, has_lane: bool, dry_run: bool
) -> None:
    server.data_fields |= {"PRICE": "Numeric", "SCORE": "Numeric", "NOTE": "String"}
    settings = settings_for(
        server,
        streams={"people": {"fields": FIELDS}},
        report_path=str(tmp_path / "report.json"),
        dry_run=dry_run,
        batch_size_rows=2,
    )
    number = NUMBER if has_lane else {**NUMBER, "maximum": 1000}
    properties = {"email": {"type": "string"}, "price": number, "score": number, "note": {}}
    ended = load(
        settings,
        tmp_path,
        schema(properties={**properties, "note": {"type": "string"}} if has_lane else properties),
        *rows(note=str(THIRD)),
        record(email="last@example.com", price=1, score=2 / 3, note="1"),
        record(email="no address", price=THIRD, score=1, note="1"),
        record(email="worse@example.com", price=THIRD, score=10**18, note="1"),
        state(1),
    )
    assert ended.status == 0
    told = (
        "Stream 'people': numbers were rounded to 9 decimals: PRICE 3 rows, SCORE 1 row. To reject "
        "such rows, set exact_numbers: true"
    )
    (line,) = [each for each in ended.stderr.splitlines() if "rounded to" in each]
    assert told in line
    assert "WARNING" in line
    (stream,) = json.loads((tmp_path / "report.json").read_text())["streams"]
    assert stream["rounded"] == {"PRICE": 3, "SCORE": 1}
    if not dry_run:
        sent = {email: each.data_fields for email, each in server.contacts.items()}
        assert sent["p0@example.com"]["PRICE"] == 33.333333333
        assert sent["p0@example.com"]["NOTE"] == str(THIRD)
        assert sent["p4@example.com"]["PRICE"] == 1e-7
        assert sent["p5@example.com"]["PRICE"] == 0
        assert len(sent) == 7


def test_exact_numbers_rejects_what_would_be_rounded(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.data_fields |= {"PRICE": "Numeric", "SCORE": "Numeric", "NOTE": "String"}
    ended = load(
        settings_for(server, streams={"people": {"fields": FIELDS, "exact_numbers": True}}),
        tmp_path,
        schema(properties={"email": {}, "price": NUMBER, "score": NUMBER, "note": {}}),
        *rows(),
    )
    assert ended.counts().startswith("read 6 = imported 3 + rejected 3 + collapsed 0")
    assert "field.type 3" in ended.counts()
    assert "rounded to" not in ended.stderr


def test_the_page_of_the_report_shows_them(server: DotdigitalServer, tmp_path: Path) -> None:
    server.data_fields["PRICE"] = "Numeric"
    report = tmp_path / "report.html"
    load(
        settings_for(server, report_path=str(report)),
        tmp_path,
        schema(properties={"email": {}, "price": NUMBER}),
        *rows(),
    )
    page = report.read_text()
    assert "Numbers rounded to 9 decimals: people" in page
    assert str(THIRD) not in page
