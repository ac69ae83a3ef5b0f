"""The benchmarks measure what they say, with few rows. How long it takes is not looked at."""

from __future__ import annotations

import json
from dataclasses import replace
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import msgspec
import pytest

from benchmarks import all as benchmarks
from benchmarks import customers, measure
from benchmarks.features import FEATURES, Feature
from benchmarks.limit import joined, typed, untyped
from benchmarks.null_server import Counts, NullServer
from benchmarks.plots import Bar, bars
from benchmarks.processes import RunError, run
from benchmarks.results import Machine, Results, Row, Run, Start, StockRun, unmet
from benchmarks.schedule import Schedule, most_in_a_minute
from benchmarks.schedule import measure as measure_schedule

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 2_000
MILLION = 1_000_000
TABLES = sorted({x.table.name: x.table for x in FEATURES.values() if not x.table.is_batch}.items())


@pytest.mark.parametrize(("name", "table"), TABLES)
def test_rows_are_as_wide_as_they_are_said_to_be(
    name: str, table: customers.Table, tmp_path: Path
) -> None:
    messages = customers.file_of(25_000, tmp_path, table).read_bytes().splitlines()
    records = [each for each in messages if b'"RECORD"' in each]
    decoded = [json.loads(each)["record"] for each in records]
    assert len(records) == 25_000
    assert len({each["email"] for each in decoded}) == 25_000
    properties = json.loads(messages[0])["schema"]["properties"]
    assert {frozenset(each) for each in decoded} == {frozenset(properties)}
    assert set(customers.FIELDS.values()) < set(properties)
    if name == customers.PLAIN.name:
        assert len(properties) == 12
        assert 390 < sum(map(len, records)) / len(records) < 440
    states = [json.loads(each)["value"] for each in messages if b'"STATE"' in each]
    assert states == [customers.state(number) for number in (10_000, 20_000, 25_000)]
    marks = [each for each in decoded if each.get("_sdc_deleted_at")]
    assert len(marks) == (customers.marked(25_000) if name == customers.MARKED.name else 0)


def test_a_file_of_rows_is_written_once(tmp_path: Path) -> None:
    path = customers.file_of(10, tmp_path)
    path.write_bytes(b"kept")
    assert customers.file_of(10, tmp_path).read_bytes() == b"kept"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["plain", "lists"])
def test_the_target_sends_what_the_bare_loop_joins(name: str, tmp_path: Path) -> None:
    rows = customers.file_of(ROWS, tmp_path)
    found = measure.load(FEATURES[name], ROWS, source=rows)
    assert found.counts.imports >= 1
    assert found.counts.polls >= found.counts.imports
    assert found.peak_megabytes > 10
    for loop in (typed, untyped):
        with rows.open("rb") as lines:
            count, size = joined(loop(lines))
        assert count == ROWS
        # Contact for contact the same; how many bodies there are may differ, and the loop drops the
        # zeros at the end of a number, which the target leaves as they are: one contact in ten.
        envelope = len(b'{"mergeOption":"overwrite","contacts":[]}')
        sent = found.counts.body_bytes - found.counts.imports * (envelope - 1)
        assert 0 <= sent - (size - envelope + 1) <= ROWS // 5


def test_a_run_that_misses_a_row_is_no_measurement(tmp_path: Path) -> None:
    few = customers.file_of(10, tmp_path)
    with pytest.raises(RunError, match="seen 10 of 11"):
        measure.load(FEATURES["plain"], 11, source=few)
    with pytest.raises(RunError, match="got 10 of 11"):
        measure.load(Feature("", times=None), 11, source=few)
    with pytest.raises(RunError, match=r"status 3:\nwhy"):
        run(["-c", "import sys; sys.stderr.write('why'); sys.exit(3)"], few, tmp_path)


def test_a_null_server_counts_contacts_wherever_a_body_is_cut() -> None:
    contact = b'{"matchIdentifier":"email","identifiers":{"email":"a@example.com"}}'
    body = b"[%s]" % b",".join([contact] * 40_000)  # a few times the server's buffer
    with NullServer({"CITY": "String"}, lists=True) as server:
        connection = HTTPConnection(server.url.rpartition("/")[2], timeout=30)
        connection.request("PUT", "/contacts/v3/import", body)
        reply = connection.getresponse()
        accepted = json.loads(reply.read())
        connection.request("GET", f"/contacts/v3/import/{accepted['importId']}")
        report = json.loads(connection.getresponse().read())
        connection.request("GET", "/v2/data-fields")
        assert json.loads(connection.getresponse().read()) == [{"name": "CITY", "type": "String"}]
        connection.request("GET", "/contacts/v3/import/another")
        assert connection.getresponse().status == 404
        connection.close()
        counts = server.counts()
    assert reply.status == 202
    assert report["summary"]["newContacts"] == len(report["created"]) == 40_000
    assert report["created"][-1]["identifiers"] == {"email": "a@example.com"}
    assert counts == Counts(1, 2, 40_000, len(body), 0, 1)


def test_a_null_server_holds_imports_until_as_many_are_active() -> None:
    with NullServer({}, active=2) as server:
        connection = HTTPConnection(server.url.rpartition("/")[2], timeout=30)

        def call(method: str, path: str) -> dict[str, str]:
            connection.request(method, path, b"{}" if method == "PUT" else None)
            answer: dict[str, str] = json.loads(connection.getresponse().read())
            return answer

        def status(accepted: dict[str, str]) -> str:
            return call("GET", f"/contacts/v3/import/{accepted['importId']}")["status"]

        first = call("PUT", "/contacts/v3/import")
        assert status(first) == "NotFinished"
        second = call("PUT", "/contacts/v3/import")
        assert [status(first), status(second)] == ["Finished", "Finished"]
        third = call("PUT", "/contacts/v3/import")
        assert status(third) == "NotFinished"
        connection.close()
        assert server.counts().most_active == 2


def test_a_null_server_has_members_who_can_leave() -> None:
    with NullServer({}, members=5) as server:
        connection = HTTPConnection(server.url.rpartition("/")[2], timeout=30)

        def call(method: str, path: str, body: bytes | None = None) -> Any:  # noqa: ANN401
            connection.request(method, path, body)
            return json.loads(connection.getresponse().read())

        first = call("GET", "/contacts/v3?~listId=42&limit=3")
        marker = first["_links"]["next"]["marker"]
        last = call("GET", f"/contacts/v3?~listId=42&limit=3&marker={marker}")
        emails = [each["identifiers"]["email"] for each in first["_items"] + last["_items"]]
        known = call("GET", f"/contacts/v3/email/{emails[3].replace('@', '%40')}")
        removal = call("POST", "/v2/address-books/42/contacts/delete", b"[4,5]")
        status = call("GET", f"/v2/contacts/deletion/{removal['id']}")["status"]
        books = call("GET", "/v2/address-books?select=1000&skip=0")
        connection.close()
        counts = server.counts()
    rows = [json.loads(customers.PLAIN.row(number))["record"] for number in range(5)]
    assert emails == [each["email"] for each in rows]
    assert "next" not in last["_links"]
    assert known == last["_items"][0]
    assert (status, counts.removals) == ("Completed", 2)
    assert {each["city"] for each in rows} < {each["name"] for each in books}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Return arguments that keep everything in a folder of the test's own, and measure little."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    arguments = {"docs": str(tmp_path / "docs"), "rows": "60", "stock-rows": "30", "pairs": "1"}
    return [f"--{name}={value}" for name, value in (arguments | {"starts": "1"}).items()]


def test_every_feature_has_a_row_on_the_page(tiny: list[str], tmp_path: Path) -> None:
    benchmarks.main([*tiny, "--schedules=0"])
    text = (tmp_path / "docs" / "performance.md").read_text("utf-8")
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in text.splitlines()}
    for each in FEATURES.values():
        cells = [cell.strip() for cell in rows[each.title].strip("|").split(" | ")]
        assert len(cells) == 9
        assert cells[1:3] == [str(60 * each.size), "1"]
        assert [cell != "" for cell in cells[3:6]] == [each.times is not None] * 3
        assert "failed" not in cells
    assert len([line for line in text.splitlines() if line.startswith("| `--version`")]) == 3
    assert "a stock SDK target" in text
    assert "{" not in text.partition("<!-- benchmarks -->")[2]
    picture = "images/performance-pace.svg"
    assert f"]({picture})" in text
    root = ET.parse(tmp_path / "docs" / picture).getroot()  # noqa: S314 - our own
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_some_rows_are_told_and_the_page_stays(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert benchmarks.main([*tiny, "mirror"]) == 1  # of so few rows, the start is most
    told = capsys.readouterr().out
    assert FEATURES["mirror"].title in told
    assert FEATURES["plain"].title not in told
    assert not (tmp_path / "docs").exists()
    with pytest.raises(SystemExit):
        benchmarks.main([*tiny, "mirrors"])


def test_a_load_that_fails_is_not_met_and_does_not_end_the_others(
    tiny: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = replace(FEATURES["consent"], title="wrong", stream={"sync_mode": "no such"})
    monkeypatch.setitem(FEATURES, "consent", wrong)
    assert benchmarks.main([*tiny, "consent", "held"]) == 1
    told = capsys.readouterr()
    assert "| wrong | 60 | 0 | failed |" in told.out
    assert "not met: wrong" in told.out
    assert f"| {FEATURES['held'].title} | 60 |" in told.out


def schedule(seconds: float, rows: int = MILLION, polls: int = 35) -> Schedule:
    return Schedule(
        rows=rows,
        active=25,
        factor=4.0,
        seconds=seconds,
        ideal_seconds=432.0,
        full_seconds=540.0,
        one_by_one_seconds=10_900.0,
        late_seconds=0.5,
        imports=120,
        polls=200,
        most_polls=polls,
        most_calls={"low": 27, "high": polls + 1},
        refused=0,
        core=0.2,
    )


def results(by: float = 1.0, active: int = 20) -> Results:
    """Return what a round finds if everything takes as much as it may, or so many times as much."""

    def runs(feature: Feature) -> list[Run]:
        counts = Counts(imports=100, polls=120, most_active=active)
        seconds = (feature.times or 1.0) * by
        peak = (feature.megabytes or 100.0) * by
        return [Run(seconds * each, seconds, peak, 1.0 * each, 1.0, counts) for each in (1, 2, 0.5)]

    starts = [
        Start(title, kept, allowed * by, 1.0)
        for title, allowed in (("`--version`", 1.5), ("a run", 2.0))
        for kept in ("none", "all")
    ]
    return Results(
        machine=Machine(
            "2026-01-31", "A processor", 2, 8.0, "Linux", "CPython 3.11", "1", "2", "3"
        ),
        rows=MILLION,
        features={name: Row(MILLION * each.size, runs(each)) for name, each in FEATURES.items()},
        typed_limit=[0.8],
        stock=[StockRun(100_000, 2.6 + 0.05, 0.05, 90.0)],
        starts=starts,
        schedule=[schedule(433.0 * by), schedule(12.0 * by, 5_000, int(35 * by))],
    )


def test_what_must_hold_holds_up_to_its_limit_and_not_beyond() -> None:
    assert list(unmet(results())) == []
    beyond = list(unmet(results(1.31)))
    for each in FEATURES.values():
        assert each.title in beyond
    others = set(beyond) - {each.title for each in FEATURES.values()}
    assert others == {
        "pace, against a stock SDK target",
        "start of `--version`, bytecode: none",
        "start of `--version`, bytecode: all",
        "start of a run, bytecode: none",
        "start of a run, bytecode: all",
        "calls a minute of 5,000 rows at Dotdigital's pace",
        "time at Dotdigital's pace, against the ideal",
        "pace at Dotdigital's pace, against one import at a time",
    }


def test_peak_memory_counts_only_while_imports_are_active() -> None:
    assert list(unmet(results(active=19))) == [
        each.title for each in FEATURES.values() if each.active
    ]


def test_kept_results_make_the_page_again(tmp_path: Path) -> None:
    kept = tmp_path / "results.json"
    kept.write_bytes(msgspec.json.encode(results()))
    assert benchmarks.main(["--from", str(kept), "--docs", str(tmp_path)]) == 0
    text = (tmp_path / "performance.md").read_text("utf-8")
    pace = "769,231 (384,615 to 1,538,462)"
    times = "1.30 (1.30 to 1.30) | 1.30 | 100 (100 to 100) | 1.3 times | yes |"
    assert f"| **a plain upsert** | 1,000,000 | 3 | {pace} | {times}" in text
    assert "2 cores of an A processor, CPython 3.11, singer-sdk 2" in text.replace("\n", " ")
    assert "1,000,000 rows into the [sandbox]" in text
    assert "| 5,000 | 120 (120 to 120) | 12.0 (12.0 to 12.0) |" in text
    assert (tmp_path / "images" / "performance-schedule.svg").exists()


def test_calls_are_counted_in_every_minute_wherever_it_begins() -> None:
    assert most_in_a_minute([0, 30, 59.9, 60, 89]) == 4
    assert most_in_a_minute([0, 30, 59.9, 60, 89], factor=4) == 2
    assert most_in_a_minute([]) == 0
    assert not replace(schedule(433.0), refused=1).is_within_basic
    assert not replace(schedule(433.0), most_calls={"low": 36}).is_within_basic


def test_a_load_at_dotdigitals_pace_is_measured() -> None:
    found = measure_schedule(2_000, factor=40.0, one_by_one=0.01)
    assert found.imports in {2, 3}
    assert found.polls >= 2
    assert found.seconds >= 10.8  # 1,000 contacts at the pace
    assert found.most_calls["low"] >= found.imports
    assert found.most_polls <= found.polls


def test_a_plot_repeats_labels_as_text() -> None:
    assert "a &lt;b&gt; &amp; c" in bars("a <b> & c", "x", [Bar("d", 1, is_ours=True)])
