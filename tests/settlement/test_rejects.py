"""The rejects file: for its owner alone, exact, never overwritten, and a stream to load again."""

from __future__ import annotations

import json
import os
import resource
import stat
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
import simplejson
from hypothesis import given, settings
from hypothesis import strategies as st

from target_dotdigital.errors import RowRejectedError, StorageError
from target_dotdigital.loading.settlement.rejects_file import RejectsFile
from target_dotdigital.mapping.contacts.contact import Row
from target_dotdigital.mapping.contacts.stream_counts import StreamCounts
from target_dotdigital.singer_lines import decode, encode

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = (
    b'{"type":"SCHEMA","stream":"customers","key_properties":["id"],'
    b'"schema":{"properties":{"id":{"type":"integer"}}}}'
)
OTHER_SCHEMA = SCHEMA.replace(b"integer", b"string")
REJECT_KEYS = {"_sdc_reject_code", "_sdc_reject_reason", "_sdc_rejected_at"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rejects.singer"


def row(record: str = '{"id":1}', schema: bytes = SCHEMA, stream: str = "customers") -> Row:
    line = f'{{"type":"RECORD","stream":"{stream}","record":{record}}}'
    return Row(StreamCounts(stream), line.encode(), schema)


def write(path: Path, *rows: Row, code: str = "field.type") -> list[dict[str, Any]]:
    """Write rows, and return the file's messages."""
    file = RejectsFile(path)
    for one in rows:
        file.write(one, RowRejectedError(code, "a reason"))
    file.flush()
    file.close()
    return messages(path)


def messages(path: Path) -> list[dict[str, Any]]:
    return [decode(line) for line in path.read_bytes().splitlines()]


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return [f"{message['type'][0]} {message['stream']}" for message in found]


# What is in it.


def test_a_reject_is_the_row_with_its_code_reason_and_time(path: Path) -> None:
    before = datetime.now(tz=timezone.utc)
    schema, record = write(path, row('{"id":1,"name":"Ann"}'))
    assert schema["key_properties"] == ["id"]
    assert schema["schema"]["properties"]["id"] == {"type": "integer"}
    assert set(schema["schema"]["properties"]) == {"id", *REJECT_KEYS}
    rejected_at = datetime.fromisoformat(record["record"].pop("_sdc_rejected_at"))
    assert before <= rejected_at <= datetime.now(tz=timezone.utc)
    assert record["record"] == {
        "id": 1,
        "name": "Ann",
        "_sdc_reject_code": "field.type",
        "_sdc_reject_reason": "a reason",
    }


def test_a_schema_is_written_once_a_version_and_stream(path: Path) -> None:
    other = SCHEMA.replace(b"customers", b"staff")
    again = bytes(bytearray(SCHEMA))
    found = write(
        path,
        *(row(), row(), row(schema=again)),
        *(row(stream="staff", schema=other), row(), row(stream="staff", schema=other)),
        *(row(schema=OTHER_SCHEMA), row(schema=OTHER_SCHEMA)),
    )
    assert kinds(found) == [
        *("S customers", "R customers", "R customers", "R customers"),
        *("S staff", "R staff", "R customers", "R staff"),
        *("S customers", "R customers", "R customers"),
    ]
    assert found[8]["schema"]["properties"]["id"] == {"type": "string"}


def test_a_row_comes_under_its_own_schema_when_versions_alternate(path: Path) -> None:
    """Imports of an older version may be settled after rows of a newer one are rejected."""
    found = write(path, row(), row(schema=OTHER_SCHEMA), row())
    types = [one["schema"]["properties"]["id"]["type"] for one in found[::2]]
    assert kinds(found) == ["S customers", "R customers"] * 3
    assert types == ["integer", "string", "integer"]


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "123456789012345678901234567890",
        "0.1234567890123456789012345678901234567890",
        "1.10",
        "-0.0",
        '"\\ud83d"',
        '"\\ud83d\\ude00"',
        '"\\u0000\\r\\n\\t\\u2028"',
        '"Zo\u00eb \u674e"',
        '{"a":[1,{"b":null}]}',
        '""',
    ],
)
def test_a_record_is_kept_as_it_was_read(path: Path, value: str) -> None:
    write(path, row(f'{{"id":{value}}}'))
    line = path.read_text("ascii").splitlines()[1]
    read = simplejson.loads(line, use_decimal=True, allow_nan=True)["record"]["id"]
    wanted = simplejson.loads(value, use_decimal=True, allow_nan=True)
    assert repr(read) == repr(wanted)


@pytest.mark.parametrize("number", ["1e400", "1E-400", "-1.5e+300"])
def test_a_number_beyond_floats_keeps_its_value(path: Path, number: str) -> None:
    write(path, row(f'{{"id":{number}}}'))
    (record,) = (one["record"] for one in messages(path) if one["type"] == "RECORD")
    assert record["id"] == simplejson.loads(number, use_decimal=True)


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_what_is_encoded_is_decoded_to_the_same(value: object) -> None:
    text = encode({"value": value})
    assert text.isascii()
    assert "\n" not in text
    assert decode(text.encode())["value"] == value


@pytest.mark.parametrize("record", ["null", "[1]", '"text"', "5"])
def test_a_record_that_is_no_object_is_kept_too(path: Path, record: str) -> None:
    _, found = write(path, row(record), code="record.invalid")
    assert found["record"] == json.loads(record)


def test_a_row_that_was_not_kept_writes_nothing(path: Path) -> None:
    file = RejectsFile(path)
    file.write(
        Row(StreamCounts("customers"), None, None), RowRejectedError("field.type", "a reason")
    )
    file.flush()
    file.close()
    assert not path.exists()


# Again.


def test_a_replayed_reject_is_written_with_its_new_code_alone(path: Path) -> None:
    write(path, row('{"id":1}'), code="field.type")
    schema, record = path.read_bytes().splitlines()
    found = write(path, Row(StreamCounts("customers"), record, schema), code="field.too_long")
    assert found[1]["record"]["_sdc_reject_code"] == "field.too_long"
    assert set(found[1]["record"]) == {"id", *REJECT_KEYS}
    assert set(found[0]["schema"]["properties"]) == {"id", *REJECT_KEYS}


def test_a_file_can_be_replayed_into_itself(path: Path) -> None:
    write(path, *(row(f'{{"id":{number}}}') for number in range(3)))
    with path.open("rb") as source:
        schema = source.readline()
        file = RejectsFile(path)
        for line in source:
            file.write(
                Row(StreamCounts("customers"), line, schema),
                RowRejectedError("field.type", "again"),
            )
        file.close()
    assert [one["record"]["id"] for one in messages(path) if one["type"] == "RECORD"] == [0, 1, 2]


# The file.


def test_only_the_owner_can_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        write(path, row())
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_a_reject_no_file_is_made_and_an_older_one_stays(path: Path) -> None:
    RejectsFile(path).close()
    assert not path.exists()
    path.write_text("older")
    file = RejectsFile(path)
    file.flush()
    file.close()
    assert path.read_text() == "older"
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_an_older_file_is_kept_beside_it(path: Path) -> None:
    path.write_text("older")
    assert kinds(write(path, row())) == ["S customers", "R customers"]
    (kept,) = set(path.parent.iterdir()) - {path}
    assert kept.read_text() == "older"
    assert kept.name.startswith(path.name)


@pytest.mark.parametrize("times", [2, 3])
def test_older_files_of_the_same_time_never_replace_each_other(path: Path, times: int) -> None:
    """A copy keeps its time, and so does what is restored from a backup."""
    for number in range(times):
        path.write_text(f"older {number}")
        os.utime(path, (1_700_000_000, 1_700_000_000))
        write(path, row())
    kept = sorted(one.read_text() for one in path.parent.iterdir() if one != path)
    assert kept == [f"older {number}" for number in range(times)]


def test_what_is_flushed_is_on_disk(path: Path) -> None:
    file = RejectsFile(path)
    file.write(row(), RowRejectedError("field.type", "a reason"))
    file.flush()
    assert kinds(messages(path)) == ["S customers", "R customers"]
    file.write(row(), RowRejectedError("field.type", "a reason"))
    file.close()
    assert len(messages(path)) == 3


@pytest.mark.parametrize(
    "place",
    ["file/r.singer", "folder", "dangling", "x" * 300],
    ids=["file for a folder", "folder", "dangling link", "long name"],
)
def test_a_place_that_cannot_be_written_is_found_before_anything_is_sent(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "missing" / "file")
    with pytest.raises(StorageError, match="rejects_path"):
        RejectsFile(tmp_path / place)
    assert {one.name for one in tmp_path.iterdir()} == {"file", "folder", "dangling"}


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    path = tmp_path / "of" / "today" / "rejects.singer"
    assert len(write(path, row())) == 2


def test_a_pipe_is_no_place_for_rejects(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(StorageError, match="is not a file"):
        RejectsFile(path)


def test_a_full_disk_is_told_for_the_row_that_does_not_fit_and_the_file_keeps_whole_lines(
    path: Path,
) -> None:
    file = RejectsFile(path)
    file.write(row(), RowRejectedError("field.type", "a reason"))
    whole = path.read_bytes()
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The file may grow by half a row more, as on a disk that is nearly full.
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 20, unlimited[1]))
    try:
        with pytest.raises(StorageError, match="rejects_path"):
            file.write(row(), RowRejectedError("field.type", "a reason"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    file.close()
    assert path.read_bytes() == whole
