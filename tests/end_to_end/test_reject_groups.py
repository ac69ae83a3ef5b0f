"""A run with rejects warns of them, grouped by stream, code, property and rule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.loading.settlement.reject_groups import reject_lines
from target_dotdigital.mapping.contacts.stream_counts import (
    MAX_REJECT_GROUPS,
    RejectGroup,
    StreamCounts,
)
from tests.support.canary import CANARY
from tests.support.messages import PEOPLE, record, schema, state
from tests.support.target.command import load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer
    from tests.support.target.command import FinishedRun


def warnings_of(ended: FinishedRun) -> list[str]:
    lines = [line.split(" | ") for line in ended.stderr.splitlines()]
    return [each[-1] for each in lines if len(each) > 1 and each[1].strip() == "WARNING"]


def good(count: int) -> list[dict[str, Any]]:
    return [record(email=f"p{number}@example.com") for number in range(count)]


@pytest.mark.parametrize("dry_run", [False, True], ids=["run", "dry run"])
@pytest.mark.parametrize("rejects_path", [None, "rejects.singer"], ids=["not kept", "kept"])
def test_rejects_are_warned_of(
    server: DotdigitalServer, tmp_path: Path, rejects_path: str | None, *, dry_run: bool
) -> None:
    config = settings_for(
        server, rejects_path=rejects_path, dry_run=dry_run, report_path="report.json"
    )
    described = {**PEOPLE, "LOYALTY_POINTS": {}}
    messages = [
        schema(properties=described),
        schema("leads"),
        *good(8),
        *(record(email=f"{CANARY} {number}") for number in range(3)),
        record(email=f"{CANARY}@example.com", LOYALTY_POINTS=CANARY),
        record(email=f"{CANARY}@example.com", first_name=7, id=CANARY),
        record("leads", email=None),
        record("leads", email=f"{CANARY}@example.com"),
        state(1),
    ]
    ended = load(config, tmp_path, *messages)
    assert ended.status == 0
    kept = "" if rejects_path else ". To keep such rows, set rejects_path"
    assert warnings_of(ended) == [
        f"6 of 15 rows (40 %) are rejected{kept}",
        (
            "Rejected in stream 'people': 3 have no valid e-mail address "
            "(identifier.invalid, property 'email', rule 'email')"
        ),
        (
            "Rejected in stream 'leads': 1 has no e-mail address "
            "(identifier.missing, property 'email', rule 'email')"
        ),
        (
            "Rejected in stream 'people': 1 has a value that does not fit the data field "
            "(field.type, property 'LOYALTY_POINTS', rule 'Numeric')"
        ),
        (
            "Rejected in stream 'people': 1 has a value of a type that the stream's schema does "
            "not allow (record.invalid, property 'first_name', rule 'type')"
        ),
    ]
    assert CANARY not in ended.stderr
    people, leads = json.loads((tmp_path / "report.json").read_text())["streams"]
    assert people["reject_groups"] == [
        {"code": "identifier.invalid", "property": "email", "rule": "email", "rows": 3},
        {"code": "field.type", "property": "LOYALTY_POINTS", "rule": "Numeric", "rows": 1},
        {"code": "record.invalid", "property": "first_name", "rule": "type", "rows": 1},
    ]
    assert leads["reject_groups"] == [
        {"code": "identifier.missing", "property": "email", "rule": "email", "rows": 1}
    ]


def test_a_run_without_rejects_warns_of_none(server: DotdigitalServer, tmp_path: Path) -> None:
    ended = load(settings_for(server), tmp_path, schema(), *good(2))
    assert ended.status == 0
    assert warnings_of(ended) == []


def test_what_dotdigital_refuses_has_its_code_alone(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.reject("p1@example.com")
    ended = load(settings_for(server), tmp_path, schema(), *good(3))
    assert (
        "Rejected in stream 'people': 1 has an e-mail address that Dotdigital does not accept "
        "(dotdigital.invalidEmail)"
    ) in warnings_of(ended)


@pytest.mark.parametrize(
    ("expression", "value", "rule"),
    [
        ("nobody_knows", "Ann", "NameError"),
        ("nobody_knows(first_name)", "Ann", "NameError"),
        ("first_name.nothing", "Ann", "AttributeError"),
        ("int(first_name)", CANARY, "ValueError"),
        ("_['nothing']", "Ann", "KeyError"),
        ("1 / id", "Ann", "ZeroDivisionError"),
    ],
)
def test_an_expression_that_fails_is_told_with_its_property(
    server: DotdigitalServer, tmp_path: Path, expression: str, value: str, rule: str
) -> None:
    stream_map = {"first_name": "first_name", "LASTNAME": expression}
    config = settings_for(
        server,
        stream_maps={"people": stream_map},
        rejects_path="rejects.singer",
        max_reject_percent=100,
    )
    rows = [record(id=0, email="ann@example.com", first_name=value)]
    ended = load(config, tmp_path, schema(), *rows)
    assert ended.status == 0
    assert warnings_of(ended)[-1] == (
        "Rejected in stream 'people': 1 does not work with your stream map "
        f"(record.invalid, property 'LASTNAME', rule '{rule}')"
    )
    assert CANARY not in ended.stderr
    (_, line) = (tmp_path / "rejects.singer").read_text().splitlines()
    assert json.loads(line)["record"]["_sdc_reject_reason"] == (
        f"A stream map's expression fails: {rule}, for property 'LASTNAME'"
    )


def test_a_filter_that_fails_is_told(server: DotdigitalServer, tmp_path: Path) -> None:
    maps = {"people": {"__filter__": "nobody_knows > 1"}}
    config = settings_for(server, stream_maps=maps, max_reject_percent=100)
    ended = load(config, tmp_path, schema(), *good(2))
    assert warnings_of(ended)[-1] == (
        "Rejected in stream 'people': 2 do not work with your stream map "
        "(record.invalid, rule 'NameError')"
    )


@pytest.mark.parametrize("validate_records", [True, False])
def test_what_is_missing_is_named(
    server: DotdigitalServer, tmp_path: Path, *, validate_records: bool
) -> None:
    text = {"type": "string"}
    address = {"type": "object", "properties": {"town": text}, "required": ["town"]}
    described = schema(
        properties={**PEOPLE, "address": address, "number": text}, key_properties=["number"]
    )
    described["schema"]["required"] = ["email", "id"]
    fields = {"FIRSTNAME": "address.town"}
    config = settings_for(
        server,
        streams={"people": {"fields": fields}},
        max_reject_percent=100,
        validate_records=validate_records,
    )
    home = {"town": "Bath"}
    rows = [
        record(email="ann@example.com", number="1", address=home),
        record(id=1, email="bob@example.com", number="1", address={}),
        record(id=1, email="cid@example.com", address=home),
    ]
    ended = load(config, tmp_path, described, *rows)
    assert ended.status == 0
    told = [
        "Rejected in stream 'people': 1 does not have a column that the stream's schema requires "
        f"(record.invalid, property '{name}', rule 'required')"
        for name in ("address.town", "id", "number")
    ]
    assert warnings_of(ended)[1:] == (told if validate_records else told[2:])


def test_the_ten_largest_groups_are_told_and_how_many_more_there_are() -> None:
    counts = StreamCounts("people", read=100)
    for number in range(1, 13):
        counts.reject(RejectGroup("field.type", f"p{number}", "Date"), number)
    first, *lines, last = reject_lines([counts], are_kept=False)
    assert first == "78 of 100 rows (78 %) are rejected. To keep such rows, set rejects_path"
    assert lines[0] == (
        "Rejected in stream 'people': 12 have a value that does not fit the data field "
        "(field.type, property 'p12', rule 'Date')"
    )
    assert len(lines) == 10
    assert last == "Rejected in 2 smaller groups: 3 rows"


def test_groups_are_bounded() -> None:
    counts = StreamCounts("people", read=100)
    for number in range(MAX_REJECT_GROUPS + 50):
        counts.reject(RejectGroup("field.type", f"p{number}", "Date"))
    assert len(counts.reject_groups) == MAX_REJECT_GROUPS + 1
    assert counts.reject_groups[RejectGroup("field.type")] == 50
    assert counts.reject_groups.total() == counts.rejected_total == MAX_REJECT_GROUPS + 50
