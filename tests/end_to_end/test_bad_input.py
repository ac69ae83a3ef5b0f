"""Input that a tap should not send, and what becomes of the good rows around it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.dotdigital.answers import v3_error
from tests.support.dotdigital.routes import IMPORT
from tests.support.messages import record, schema, state
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

ANN = record(id=1, email="ann@example.com")


def test_a_line_that_is_cut_keeps_what_was_settled(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    with TargetProcess(settings_for(server, batch_size_rows=1), tmp_path) as target:
        target.send(schema(), ANN, state({"row": 1}), record(id=2, email="bob@example.com"))
        server.wait_for_imports(1)
        target.send(json.dumps(record(id=3, email="cid@example.com"))[:-9].encode())
        ended = target.end()
    assert (ended.status, ended.states) == (1, [{"row": 1}])
    assert "Line 5 is not valid JSON (78 bytes)" in ended.stderr


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        pytest.param(
            (ANN,),
            "Line 1: a RECORD of stream 'people' came before its SCHEMA",
            id="a record before its schema",
        ),
        pytest.param(
            (schema(), {"type": "GREETING"}),
            "Line 2: the message has no known type",
            id="an unknown type",
        ),
        pytest.param(
            (schema(), {"stream": "people"}),
            "Line 2: the message of stream 'people' lacks type",
            id="no type",
        ),
        pytest.param((schema(), [1, 2]), "Line 2: the message lacks type", id="no object"),
        pytest.param((schema(), "[" * 5000), "Line 2 is not valid JSON", id="deeply nested"),
        pytest.param(
            (schema(), "[" * 5000 + "]" * 5000),
            "Line 2 is nested too deeply (10001 bytes)",
            id="deeply nested and whole",
        ),
        pytest.param(
            (schema(), '{"type":"STATE","value":' + "[" * 5000 + "]" * 5000 + "}"),
            "Line 2: the STATE is nested too deeply",
            id="a deeply nested state",
        ),
        pytest.param(
            (schema("caf\xe9", {"x\xe9": {}}), b'{"type":"SCHEMA","stream":"a","schema":"\xe9"}\n'),
            "Line 2: the SCHEMA of stream 'a' is not encoded in UTF-8 (44 bytes)",
            id="a schema that is not UTF-8",
        ),
        pytest.param(
            (schema(), b'{"type":"RECORD","stream":"caf\xe9","record":{}}\n'),
            "Line 2: the RECORD is not encoded in UTF-8",
            id="a stream that is not UTF-8",
        ),
        pytest.param(
            (schema(), b'{"type":["\xe9"],"stream":"people","record":{}}\n'),
            "Line 2: the message of stream 'people' is not encoded in UTF-8",
            id="a type that is not UTF-8",
        ),
        pytest.param(
            (schema(), b'{"type":"RECORD","stream":"people","record":{"x":"\xc3'),
            "Line 2 is not valid JSON",
            id="cut in the middle of a letter",
        ),
        pytest.param(
            (schema(), {"type": "RECORD"}),
            "Line 2: the RECORD lacks record, stream",
            id="no record",
        ),
        pytest.param(
            ({"type": "SCHEMA", "stream": "a"},),
            "Line 1: the SCHEMA of stream 'a' lacks a schema. Correct the tap's SCHEMA",
            id="no schema",
        ),
        pytest.param(
            ({"type": "SCHEMA", "stream": "a", "schema": {}},),
            "Line 1: the SCHEMA of stream 'a' lacks properties that are an object",
            id="no properties",
        ),
        pytest.param(
            (schema(), {"type": "RECORD", "stream": {}, "record": {}}), "Line 2", id="odd stream"
        ),
        pytest.param((schema(key_properties=5),), "not a list of names", id="odd key properties"),
        pytest.param(
            ({"type": "SCHEMA", "stream": "people", "schema": {"properties": 5}},),
            "Line 1: the SCHEMA of stream 'people' lacks properties that are an object",
            id="odd properties",
        ),
        pytest.param(
            (schema(properties={"email": {"not": 5}}),),
            "Stream 'people': property 'email': a number is not a schema. Correct the tap's SCHEMA",
            id="odd definition",
        ),
        pytest.param(
            (schema(properties={"email": {"pattern": "("}}),),
            "property 'email': its pattern '(' is not a regular expression",
            id="odd pattern",
        ),
    ],
)
def test_a_message_that_cannot_be_used_ends_the_run(
    server: DotdigitalServer, tmp_path: Path, messages: tuple[Any, ...], told: str
) -> None:
    ended = load(settings_for(server), tmp_path, *messages)
    assert (ended.status, ended.stdout) == (1, "")
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_blank_lines_and_versions_are_ignored(server: DotdigitalServer, tmp_path: Path) -> None:
    ended = load(
        settings_for(server),
        tmp_path,
        "",
        schema(),
        "   ",
        {"type": "ACTIVATE_VERSION", "stream": "people", "version": 1},
        {"type": "ACTIVATE_VERSION", "stream": "unknown", "version": 1},
        ANN,
        state({"row": 1}),
    )
    assert (ended.status, ended.states) == (0, [{"row": 1}])
    assert "'unknown'" in ended.stderr


def test_no_input_at_all_writes_nothing(server: DotdigitalServer, tmp_path: Path) -> None:
    ended = load(settings_for(server), tmp_path)
    assert (ended.status, ended.stdout) == (0, "")
    assert not server.calls_of(IMPORT)


def test_a_stream_of_which_every_row_is_bad_stops_the_run(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    rows = [record(id=number, email="nobody") for number in range(3000)]
    ended = load(settings_for(server), tmp_path, schema(), *rows, state({"row": 3000}))
    assert (ended.status, ended.stdout) == (1, "")
    assert (
        "1000 of 1000 rows (100 %) are rejected, more than the limit of 50 % (max_reject_percent)"
        in ended.stderr
    )
    assert not server.calls_of(IMPORT)


def test_half_of_the_rows_may_be_bad(server: DotdigitalServer, tmp_path: Path) -> None:
    rows = [
        record(id=number, email=f"p{number}@example.com" if number % 2 == 0 else "nobody")
        for number in range(3000)
    ]
    ended = load(settings_for(server), tmp_path, schema(), *rows, state({"row": 3000}))
    assert (ended.status, ended.states) == (0, [{"row": 3000}])
    assert len(server.contacts) == 1500


def test_rows_that_are_no_strict_json_are_one_row_each(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    """Python writes NaN, JavaScript half a surrogate pair."""
    server.data_fields["SCORE"] = "Numeric"
    properties: dict[str, Any] = {"email": {}, "first_name": {}, "score": {}, "other": {}}
    ended = load(
        settings_for(server, max_reject_percent=100),
        tmp_path,
        schema(properties=properties),
        '{"type":"RECORD","stream":"people","record":{"email":"a@example.com","score":NaN}}',
        '{"type":"RECORD","stream":"people","record":{"email":"b@example.com","other":NaN}}',
        '{"type":"RECORD","stream":"people","record":{"email":"c@example.com",'
        '"first_name":"\\ud83d"}}',
    )
    assert ended.status == 0
    assert ended.counts().startswith("read 3 = imported 1 + rejected 2 + collapsed 0 + skipped 0")
    assert list(server.contacts) == ["b@example.com"]


@pytest.mark.parametrize(
    "number", ["1e99999999999999999999", "1e-99999999999999999999", "9" * 5000]
)
def test_a_number_that_python_cannot_hold_is_one_row(
    server: DotdigitalServer, tmp_path: Path, number: str
) -> None:
    server.data_fields["SCORE"] = "Numeric"
    record_of = f'{{"email":"NAME@example.com","PROPERTY":{number}}}'
    row = f'{{"type":"RECORD","stream":"people","record":{record_of}}}'
    ended = load(
        settings_for(server),
        tmp_path,
        schema(properties={"email": {}, "score": {}, "other": {}}),
        row.replace("NAME", "a").replace("PROPERTY", "score"),
        row.replace("NAME", "b").replace("PROPERTY", "other"),
    )
    assert ended.status == 0
    assert list(server.contacts) == ["b@example.com"]


DEEP = b"[" * 5000 + b"]" * 5000
DAMAGE = {
    "not UTF-8": (b'"caf\xe9"', "is not encoded in UTF-8"),
    "an object that is not UTF-8": (b'{"x":["caf\xe9"]}', "is not encoded in UTF-8"),
    "nested": (DEEP, "is nested too deeply"),
    "nested in an object": (b'{"x":' + DEEP + b',"y":1}', "is nested too deeply"),
}
MAPS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "flattened": {"flattening_enabled": True, "flattening_max_depth": 1},
    "mapped": {"stream_maps": {"people": {"first_name": "first_name", "id": "int(id) + 0"}}},
}


@pytest.mark.parametrize("by", MAPS)
@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_to_a_property_that_is_not_mapped_is_nobodys_fault(
    server: DotdigitalServer, tmp_path: Path, damage: str, by: str
) -> None:
    value, told = DAMAGE[damage]
    start = b'{"type":"RECORD","stream":"people","record":{"id":1,"email":"'
    texts: dict[str, Any] = {"type": "string"}
    properties: dict[str, Any] = {"id": {}, "email": texts, "first_name": texts, "notes": {}}
    rejects = tmp_path / "rejects.singer"
    streams = {"people": {"fields": {"FIRSTNAME": "first_name"}}}
    ended = load(
        settings_for(server, rejects_path=str(rejects), streams=streams, **MAPS[by]),
        tmp_path,
        schema(properties=properties),
        start + b'ann@example.com","first_name":"Ann","notes":' + value + b"}}\n",
        start + b'bob@example.com","first_name":' + value + b"}}\n",
        start + b'cid@example.com","first_name":"C\xc3\xafd","notes":null}}\n',
        b'{"type":"RECORD","stream":"people","record":' + DEEP + b"}\n",
        state({"row": 4}),
    )
    assert (ended.status, ended.states) == (0, [{"row": 4}])
    assert ended.counts().startswith("read 4 = imported 2 + rejected 2 + collapsed 0 + skipped 0")
    names = {key: each.data_fields["FIRSTNAME"] for key, each in server.contacts.items()}
    assert names == {"ann@example.com": "Ann", "cid@example.com": "C\xefd"}
    kept = json.loads(rejects.read_text().splitlines()[1])["record"]
    assert kept["_sdc_reject_code"] == "record.invalid"
    assert kept["_sdc_reject_reason"] == f"Property 'first_name' {told}"
    assert kept["email"] == "bob@example.com"


def test_a_schema_that_the_sdk_cannot_flatten_is_told(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    nested = {"type": "object", "properties": {"x": {"type": "string"}}}
    properties = {"email": {}, "a": nested, "a__x": {"type": "string"}}
    config = settings_for(server, flattening_enabled=True, flattening_max_depth=1)
    ended = load(config, tmp_path, schema(properties=properties), ANN)
    assert ended.status == 1
    assert "cannot flatten" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_deleted_row_is_not_upserted(server: DotdigitalServer, tmp_path: Path) -> None:
    ended = load(
        settings_for(server),
        tmp_path,
        schema(),
        record(id=1, email="ann@example.com", _sdc_deleted_at="2026-01-01T00:00:00Z"),
        record(id=2, email="bob@example.com", _sdc_deleted_at=None),
    )
    assert ended.counts().startswith("read 2 = imported 1 + rejected 0 + collapsed 0 + skipped 1")
    assert list(server.contacts) == ["bob@example.com"]


def test_a_schema_that_changes_lets_earlier_rows_go_first(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    streams = {"people": {"fields": {"FIRSTNAME": "first_name"}}}
    changed = schema(properties={"email": {}})
    config = settings_for(server, streams=streams)
    with TargetProcess(config, tmp_path) as target:
        target.send(schema(), ANN, state({"row": 1}), changed)
        ended = target.end()
    assert (ended.status, ended.states) == (1, [{"row": 1}])
    assert "The schema has no property 'first_name' (for FIRSTNAME)" in ended.stderr
    assert list(server.contacts) == ["ann@example.com"]


def test_streams_without_the_match_identifier(server: DotdigitalServer, tmp_path: Path) -> None:
    orders = schema("orders", properties={"id": {"type": "integer"}})
    rows = (orders, record("orders", id=1), schema(), ANN, orders, record("orders", id=2))
    skipping = load(settings_for(server), tmp_path, *rows)
    assert skipping.status == 0
    assert skipping.stderr.count("Stream 'orders' is skipped") == 1
    assert skipping.counts("orders").startswith("read 2 = imported 0 + rejected 0 + collapsed 0")
    named = load(settings_for(server, streams={"orders": {}, "people": {}}), tmp_path, *rows)
    assert named.status == 1
    assert "streams.orders" in named.stderr


def test_output_that_nobody_reads_any_more(server: DotdigitalServer, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(settings_for(server)))
    lines = "".join(json.dumps(line) + "\n" for line in (schema(), ANN, state({"row": 1})))
    process = subprocess.Popen(
        [sys.executable, "-m", "target_dotdigital", "--config", "config.json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, told = process.communicate(lines, timeout=60)
    assert process.returncode == 1
    assert "Standard output is closed" in told
    assert "Traceback" not in told
    assert "BrokenPipe" not in told


def test_a_file_and_no_file_at_all_are_read_to_their_end(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    """epoll refuses both: they can always be read."""
    (tmp_path / "config.json").write_text(json.dumps(settings_for(server)))
    (tmp_path / "rows.singer").write_text(
        "".join(json.dumps(line) + "\n" for line in (schema(), ANN, state({"row": 1})))
    )
    command = [sys.executable, "-m", "target_dotdigital", "--config", "config.json"]
    nothing = subprocess.run(command, stdin=subprocess.DEVNULL, cwd=tmp_path, check=True)
    assert nothing.returncode == 0
    for arguments in ([], ["--input", "rows.singer"]):
        with (tmp_path / "rows.singer").open("rb") as rows:
            ended = subprocess.run(
                [*command, *arguments],
                stdin=subprocess.DEVNULL if arguments else rows,
                stdout=subprocess.PIPE,
                cwd=tmp_path,
                check=True,
            )
        assert ended.stdout == b'{"row": 1}\n'


@pytest.mark.parametrize("count", [1, 2, 6])
def test_an_address_book_that_goes_in_mid_run_blames_no_contact(
    server: DotdigitalServer, tmp_path: Path, count: int
) -> None:
    """Whether Dotdigital refuses the whole request then, or each contact, is not documented."""
    with TargetProcess(settings_for(server, batch_size_rows=count), tmp_path) as target:
        target.send(schema())
        target.wait_for("Connected", "stderr")
        del server.address_books[102]
        server.answer_next(IMPORT, v3_error(400, "contacts:badRequest", "list"), times=None)
        people = [record(id=number, email=f"p{number}@example.com") for number in range(count)]
        target.send(*people, state({"row": count}))
        ended = target.end()
    assert (ended.status, ended.stdout) == (1, "")
    assert "Address book 'Customers' (102) no longer exists" in ended.stderr
    assert f"rejected 0 + collapsed 0 + skipped 0 + unsettled {count}" in ended.counts()
