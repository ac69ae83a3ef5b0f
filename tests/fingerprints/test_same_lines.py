"""Lines that are the same are not even decoded, if it is certain that nothing else matters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.fingerprints.hashing import KEY_BYTES, Hasher
from tests.fingerprints.test_only_changes import EMAIL, FAST, changes, sent
from tests.support.messages import record, schema
from tests.support.target.command import load

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

HASHER = Hasher(bytes(KEY_BYTES))


def line(end: str, start: str = '{"type": "RECORD", "stream": "s", "record": {"a": "b"}') -> bytes:
    return f"{start}{end}\n".encode()


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (', "time_extracted": "1"}', ', "time_extracted": "2"}', True),
        (',"time_extracted":"1"}', ',"time_extracted":"2026"}', True),
        (', "version": 1}', ', "version": 2}', False),
        (', "time_extracted": "1", "x": {}}', ', "time_extracted": "2", "x": {}}', False),
    ],
)
def test_the_time_of_a_message_does_not_count(one: str, other: str, *, is_same: bool) -> None:
    assert (HASHER.lines([line(one)]) == HASHER.lines([line(other)])) == is_same
    several = HASHER.lines([line(one), line(other), line("}")])
    assert (several[0] == several[1]) == is_same


@pytest.mark.parametrize("value", ["1", "2026-01-01T00:00:00Z"])
def test_a_time_in_a_record_counts(value: str) -> None:
    in_a_record = '{"type": "RECORD", "stream": "s", "record": {"a": "b", "time_extracted": "%s"}'
    one, other = (line("}", in_a_record % each) for each in ("0", value))
    assert HASHER.lines([one]) != HASHER.lines([other])
    text = ', \\"time_extracted\\": \\"%s\\"}"}}'
    one, other = (line(text % each, '{"record": {"a": "b') for each in ("0", value))
    assert HASHER.lines([one]) != HASHER.lines([other])


def people(*values: dict[str, Any], **more: Any) -> list[Any]:
    return [
        {**record(email=f"p{at}@example.com", **each), **more} for at, each in enumerate(values)
    ]


def test_a_property_that_is_not_mapped_may_change(server: DotdigitalServer, tmp_path: Path) -> None:
    for seen in (1, 2, 2):
        messages = people(*({"first_name": "x", "seen": seen},) * 30, time_extracted=str(seen))
        ended = load(changes(server), tmp_path, FAST, *messages)
        assert ended.status == 0, ended.stderr
    assert len(sent(server)) == 30
    assert "unchanged 30" in ended.counts()


def test_the_time_of_a_message_counts_where_it_is_mapped(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    streams = {"people": {"fields": {"FIRSTNAME": "_sdc_extracted_at"}}}
    config = changes(server, streams=streams, add_record_metadata=True)
    for day in ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"):
        messages = people(*({},) * 3, time_extracted=day)
        assert load(config, tmp_path, FAST, *messages).status == 0
        contents = server.contents().values()
        assert {each["data_fields"]["FIRSTNAME"] for each in contents} == {day}


def test_under_another_schema_a_line_is_looked_at_again(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    row = people({"first_name": "a-long-name"}, {"first_name": "b"})
    load(changes(server, max_reject_percent=100), tmp_path, FAST, *row)
    strict = schema(properties={**EMAIL, "first_name": {"type": "string", "maxLength": 3}})
    ended = load(changes(server, max_reject_percent=100), tmp_path, strict, *row)
    assert "rejected 1" in ended.counts()
    assert "unchanged 1" in ended.counts()
    required = schema(properties={**EMAIL, "id": {"type": "integer"}}, key_properties=["id"])
    ended = load(changes(server, max_reject_percent=100), tmp_path, required, *row)
    assert "rejected 2" in ended.counts()


def test_a_row_that_goes_back_within_a_block_of_lines_is_sent(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    before = people(*({"first_name": "x"},) * 9)
    load(changes(server), tmp_path, FAST, *before)
    changed = people(*({"first_name": "y"},) * 9)
    ended = load(changes(server), tmp_path, FAST, *before[:5], changed[4], changed[7], *before[4:])
    assert ended.status == 0, ended.stderr
    contents = server.contents()
    assert {contents[f"p{at}@example.com"]["data_fields"]["FIRSTNAME"] for at in range(9)} == {"x"}
    assert sorted(sent(server, 1)) == ["p4", "p7"]
    assert "collapsed 2" in ended.counts()
    assert "unchanged 8" in ended.counts()


def test_rows_in_another_order_are_found(server: DotdigitalServer, tmp_path: Path) -> None:
    messages = people(*({"first_name": "x"},) * 3000)
    load(changes(server), tmp_path, FAST, *messages)
    for order in (slice(None, None, -1), slice(None, None, -1), slice(1, None, 3)):
        ended = load(changes(server), tmp_path, FAST, *map(json.dumps, messages[order]))
        assert "imported 0" in ended.counts()
    assert len(sent(server)) == 3000


def test_rejected_rows_keep_their_lines_and_numbers(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = changes(server, rejects_path="rejects.singer", rejects_csv="rejects.csv")
    messages = people(*({"first_name": "x"},) * 30)
    load(config, tmp_path, FAST, *messages)
    server.reject("p20@example.com")
    messages[20]["record"]["first_name"] = "y"
    ended = load(config, tmp_path, FAST, *messages)
    assert "rejected 1" in ended.counts()
    stored = [json.loads(each) for each in (tmp_path / "rejects.singer").read_text().splitlines()]
    assert stored[1]["record"]["email"] == "p20@example.com"
    assert (tmp_path / "rejects.csv").read_text().splitlines()[1].startswith("21,")


def test_a_stream_map_still_filters_and_changes_rows(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    maps = {"people": {"first_name": "first_name.upper()", "__filter__": "first_name != 'no'"}}
    values = ({"first_name": "a"}, {"first_name": "no"}, {"first_name": "b"}, {"first_name": "A"})
    counts = [
        load(changes(server, stream_maps=maps), tmp_path, FAST, *people(*values)).counts().strip()
        for _ in range(2)
    ]
    assert counts == [
        "read 4 = imported 3 + rejected 0 + collapsed 0 + skipped 1 + unchanged 0",
        "read 4 = imported 0 + rejected 0 + collapsed 0 + skipped 1 + unchanged 3",
    ]
