"""`rejects_csv`: rejected rows for people who open them in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_dotdigital.errors import RowRejectedError, StorageError
from target_dotdigital.loading.settlement import reject_codes
from target_dotdigital.loading.settlement.reject_codes import reason_in_words
from target_dotdigital.loading.settlement.rejects_csv import (
    MAX_COLUMNS,
    OTHERS,
    RejectsCsv,
    harmless,
)
from target_dotdigital.mapping.contacts.contact import Row
from target_dotdigital.mapping.contacts.stream_counts import StreamCounts
from tests.support.messages import PEOPLE, record, rows, schema, state
from tests.support.target.command import load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

ERROR = RowRejectedError("identifier.invalid", "property 'email' is none", rule="email")
SIGNS = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rejects.csv"


def row(
    values: object, number: int = 1, stream: str = "people", *, names: list[str] | None = None
) -> Row:
    declared = values if names is None and isinstance(values, dict) else names or ()
    described: dict[str, Any] = {name: {} for name in declared}
    line = json.dumps(record(stream) | {"record": values})
    head = json.dumps(schema(stream) | {"schema": {"properties": described}})
    return Row(StreamCounts(stream), line.encode(), head.encode(), None, number)


def write(path: Path, *given: Row) -> list[dict[str, str]]:
    file = RejectsCsv(path)
    for each in given:
        file.write(each, ERROR)
    file.flush()
    file.close()
    return found(path)


def found(path: Path) -> list[dict[str, str]]:
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), restval=""))


def test_a_row_has_its_number_stream_code_reason_and_columns(path: Path) -> None:
    assert write(
        path, row({"email": "Ann", "points": 7, "vip": True, "tags": ["a"], "x": None})
    ) == [
        {
            "row": "1",
            "stream": "people",
            "code": "identifier.invalid",
            "reason": "The row has no valid e-mail address: property 'email' is none",
            "email": "Ann",
            "points": "7",
            "vip": "true",
            "tags": '["a"]',
            "x": "",
        }
    ]
    assert path.read_bytes().startswith(b"\xef\xbb\xbfrow,stream,code,reason,email,")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_streams_with_other_columns_stand_in_one_file(path: Path) -> None:
    told = write(
        path,
        row({"email": "a", "size": 1}),
        row({"town": "Bath", "email": "b"}, 5, "leads"),
        row({"email": "c", "size": 2}, 2),
        row({"email": "d", "new": 3}, 3),
    )
    columns = ["row", "stream", "code", "reason", "email", "size", "town", "new"]
    assert [list(each) for each in told] == [columns] * 4
    assert [(each["row"], each["email"], each["town"], each["new"]) for each in told] == [
        ("1", "a", "", ""),
        ("5", "b", "Bath", ""),
        ("2", "c", "", ""),
        ("3", "d", "", "3"),
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_what_no_schema_declares_is_in_a_column_of_its_own(path: Path) -> None:
    first, second = write(path, row({"a": 1}), row({"a": 1, "b": "=1", "c": None}, names=["a"]))
    assert first[OTHERS] == ""
    assert json.loads(second[OTHERS]) == {"b": "=1"}
    assert write(path, row(["no", "object"], names=[]))[0][OTHERS] == '["no", "object"]'


def test_columns_are_few_enough_for_a_spreadsheet(path: Path) -> None:
    wide = {f"p{number}": number for number in range(2 * MAX_COLUMNS)}
    (told,) = write(path, row(wide))
    assert len(told) == MAX_COLUMNS + 1
    assert json.loads(told[OTHERS])[f"p{2 * MAX_COLUMNS - 1}"] == 2 * MAX_COLUMNS - 1


def test_a_property_never_takes_the_place_of_a_column_of_ours(path: Path) -> None:
    (told,) = write(path, row({"code": "theirs", "Row": 9}))
    assert (told["code"], told["code (of the row)"]) == ("identifier.invalid", "theirs")
    assert (told["row"], told["Row (of the row)"]) == ("1", "9")


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["", " ", "a;", 'a;" ', "a\t", "a\n"])
def test_nothing_in_it_is_a_formula(path: Path, sign: str, before: str) -> None:
    text = f"{before}{sign}1+1|cmd"
    (told,) = write(path, row({"a": text, text: "b"}, stream=text))
    assert "'" in told["a"]
    for cell in (*told, *told.values()):
        assert not re.search(rf"(^|[;\t\r\n])[\s\"]*[{re.escape(SIGNS)}]", cell.replace("'", "x"))


@given(st.text(st.sampled_from([*SIGNS, *" \"';,\n", "a", "1"])))
def test_a_cell_is_changed_by_apostrophes_alone(text: str) -> None:
    cell = harmless(text)
    assert cell.replace("'", "") == text.replace("'", "")
    for part in re.split(r"[;\n]", cell):
        assert not part.lstrip(' "').startswith(tuple("=+-@"))


def test_a_number_stays_a_number(path: Path) -> None:
    (told,) = write(path, row({"a": -5, "b": -1.5e3, "c": "-5", "d": float("-inf")}))
    assert [told[each] for each in "abcd"] == ["-5", "-1500.0", "'-5", "'-Infinity"]


def test_an_older_file_is_kept_beside_it(path: Path) -> None:
    path.write_text("older")
    assert len(write(path, row({"a": 1}), row({"b": 1}, stream="leads"))) == 2
    (kept,) = set(path.parent.iterdir()) - {path}
    assert kept.read_text() == "older"


def test_a_place_that_cannot_be_written_is_found_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="rejects_csv"):
        RejectsCsv(tmp_path)


def test_half_a_surrogate_pair_is_no_reason_not_to_write(path: Path) -> None:
    (told,) = write(path, row({"a": "x\ud800y"}))
    assert told["a"] == "x?y"


@pytest.mark.parametrize("fields", [{"FIRSTNAME": "first_name"}, None], ids=["fast", "default"])
def test_a_run_writes_it_with_the_numbers_of_the_rows(
    server: DotdigitalServer, tmp_path: Path, fields: dict[str, str] | None
) -> None:
    server.reject("bad@example.com")
    stream = {} if fields is None else {"fields": fields}
    config = settings_for(server, rejects_csv="out/rejects.csv", streams={"people": stream})
    config["max_reject_percent"] = 100
    messages = [
        schema(properties={**PEOPLE, "note": {}}),
        *rows(["ann"]),
        record(email="not an address", note="=1+1"),
        *rows(["bad", "bob"]),
        record(email=None, first_name="Eve"),
        state(1),
    ]
    ended = load(config, tmp_path, *messages)
    assert (ended.status, ended.states) == (0, [1])
    told = {each["row"]: each for each in found(tmp_path / "out" / "rejects.csv")}
    assert {number: each["code"] for number, each in told.items()} == {
        "2": "identifier.invalid",
        "3": "dotdigital.invalidEmail",
        "5": "identifier.missing",
    }
    assert told["2"]["note"] == "'=1+1"
    assert told["3"]["reason"].startswith("The row has an e-mail address that Dotdigital does not")
    assert "rejects.csv, for a spreadsheet" in ended.stderr
    assert "not kept" not in ended.stderr


@pytest.mark.parametrize("rows", [1, 2])
def test_every_code_has_words(rows: int) -> None:
    codes = [*reject_codes._WORDS, "dotdigital.anythingElse", "of.another.version"]
    for code in codes:
        for rule in (None, "email", "mobileNumber", "myKey", "consent", "address book"):
            words = reason_in_words(code, rule, rows)
            assert words.split()[0] in (
                {"has", "is", "does"} if rows == 1 else {"have", "are", "do"}
            )
            assert "{" not in words
    assert reason_in_words("identifier.missing", "mobileNumber", 17) == "have no mobile number"
