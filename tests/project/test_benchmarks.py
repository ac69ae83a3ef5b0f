"""The benchmarks measure what they say, with few rows. How long it takes is not looked at."""

from __future__ import annotations

import json
from dataclasses import replace
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import msgspec
import pytest

from benchmarks import all as benchmarks
from benchmarks import customers, limit, scale, template, throughput
from benchmarks.limit import Limit
from benchmarks.null_server import Counts, NullServer
from benchmarks.plots import Bar, bars
from benchmarks.processes import RunError, run
from benchmarks.results import Machine, Results, bounds
from benchmarks.scale import Scale, Size
from benchmarks.schedule import Schedule
from benchmarks.template import Template
from benchmarks.throughput import Throughput, Variant

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 2_000
MILLION = 1_000_000


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return customers.file_of(ROWS, tmp_path)


def test_rows_are_as_wide_as_they_are_said_to_be(tmp_path: Path) -> None:
    messages = customers.file_of(25_000, tmp_path).read_bytes().splitlines()
    records = [each for each in messages if b'"RECORD"' in each]
    decoded = [json.loads(each)["record"] for each in records]
    assert len(records) == 25_000
    assert len({each["email"] for each in decoded}) == 25_000
    assert {len(each) for each in decoded} == {12}
    assert set(customers.FIELDS.values()) < set(customers.SCHEMA["schema"]["properties"])  # type: ignore[index]
    assert 390 < sum(map(len, records)) / len(records) < 440
    states = [json.loads(each)["value"] for each in messages if b'"STATE"' in each]
    assert states == [customers.state(number) for number in (10_000, 20_000, 25_000)]


def test_a_file_of_rows_is_written_once(tmp_path: Path) -> None:
    path = customers.file_of(10, tmp_path)
    path.write_bytes(b"kept")
    assert customers.file_of(10, tmp_path).read_bytes() == b"kept"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("variant", [Variant(), Variant(rejects=True, lists=True)])
def test_the_target_sends_what_the_bare_loop_joins(rows: Path, variant: Variant) -> None:
    found = throughput.measure(ROWS, variant, source=rows)
    assert found.imports >= 1
    assert found.polls >= found.imports
    assert found.peak_megabytes > 10
    for typed in (False, True):
        least = limit.measure(ROWS, typed=typed, source=rows)
        # Contact for contact the same; how many bodies there are may differ, and the loop drops the
        # zeros at the end of a number, which the target leaves as they are: one contact in ten.
        envelope = len(b'{"mergeOption":"overwrite","contacts":[]}')
        more = found.body_bytes - found.imports * (envelope - 1) - (least.body_bytes - envelope + 1)
        assert 0 <= more <= ROWS // 5


def test_a_stream_map_is_in_the_way_of_every_row(rows: Path) -> None:
    found = throughput.measure(ROWS, Variant(stream_maps=True), source=rows)
    assert found.variant.stream_maps


def test_a_stock_target_does_the_same_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = template.measure(ROWS)
    assert found.rows == ROWS
    assert found.seconds_for(ROWS) == pytest.approx(found.seconds)
    doubled = found.seconds_for(2 * ROWS)
    assert doubled == pytest.approx(2 * found.seconds - found.start_seconds)


def test_a_run_that_misses_a_row_is_no_measurement(tmp_path: Path) -> None:
    few = customers.file_of(10, tmp_path)
    with pytest.raises(RunError, match="got 10 of 11"):
        throughput.measure(11, source=few)
    with pytest.raises(RunError, match="seen 10 of 11"):
        limit.measure(11, source=few)
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
    assert counts == Counts(1, 2, 40_000, len(body), 1)


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


def schedule(seconds: float) -> Schedule:
    return Schedule(
        rows=MILLION,
        active=25,
        factor=4.0,
        seconds=seconds,
        ideal_seconds=432.0,
        full_seconds=540.0,
        one_by_one_seconds=10_900.0,
        imports=120,
        polls=200,
        wasted_polls=80,
        most_wasted=4,
        most_imports=30,
        refused=0,
        core=0.2,
    )


def results() -> Results:
    """Return what a round may find on a good day."""

    def runs(seconds: float, peak: float, active: int = 3) -> tuple[Throughput, ...]:
        variant = Variant(active=20 if active == 20 else 0)
        return tuple(
            Throughput(MILLION, variant, seconds * by, seconds, peak, 100, 120, 254_100_857, active)
            for by in (1.0, 1.1, 0.9)
        )

    def loops(seconds: float) -> tuple[Limit, ...]:
        return tuple(Limit(MILLION, seconds * by, 254_100_857, 20.0) for by in (1.0, 1.1, 0.9))

    sizes = (
        Size(10_000, 1.0, 65.0, 1),
        Size(100_000, 1.3, 110.0, 10),
        Size(MILLION, 4.3, 180.0, 20),
        Size(5 * MILLION, 17.6, 183.0, 20),
    )
    return Results(
        machine=Machine(
            "2026-01-31", "A processor", 2, 8.0, "Linux", "CPython 3.11", "1", "2", "3"
        ),
        rows=MILLION,
        limit=loops(3.3),
        typed_limit=loops(2.2),
        plain=runs(4.5, 150.0),
        rejects=runs(4.8, 210.0),
        lists=runs(5.0, 170.0),
        stream_maps=runs(14.0, 150.0),
        held=runs(9.0, 180.0, 20),
        held_rejects=runs(9.0, 320.0, 20),
        template=(Template(100_000, 9.0, 1.0, 90.0),) * 3,
        scale=(Scale(sizes),) * 3,
        schedule=(schedule(433.0),) * 3,
    )


def test_what_must_hold_holds_on_a_good_day_and_not_on_a_bad_one() -> None:
    good = results()
    assert [each.subject for each in bounds(good) if not each.is_met] == []
    slow = tuple(replace(each, seconds=each.seconds * 1.2) for each in good.plain)
    large = tuple(replace(each, peak_megabytes=351.0) for each in good.held)
    bad = replace(
        good,
        plain=slow,
        held=large,
        held_rejects=tuple(replace(each, most_active=19) for each in large),
        stream_maps=tuple(replace(each, seconds=17.0) for each in good.stream_maps),
        template=(Template(100_000, 5.0, 1.0, 90.0),),
        scale=(
            Scale((*good.scale[0].sizes[:3], Size(5 * MILLION, 19.2, 199.0, 20))),
            Scale((*good.scale[0].sizes[:3], Size(5 * MILLION, 19.3, 199.0, 20))),
        ),
        schedule=(schedule(550.0),),
    )
    assert [each.subject for each in bounds(bad) if each.is_met] == []


def test_results_make_a_page_with_pictures(tmp_path: Path) -> None:
    kept = tmp_path / "results.json"
    kept.write_bytes(msgspec.json.encode(results()))
    assert benchmarks.main(["--from", str(kept), "--docs", str(tmp_path)]) == 0
    text = (tmp_path / "performance.md").read_text("utf-8")
    assert "1,000,000 rows take 4.5 s (222,222 rows/s), 100 imports and\n120 polls" in text
    assert "| time, against the bare loop | 1.36 times | at most 1.50 times | yes |" in text
    assert "| 5,000,000 | 17.60 | 300,752 | 183 | 20 |" in text
    assert "{" not in text
    for name in ("pace", "memory", "schedule"):
        picture = f"images/performance-{name}.svg"
        assert f"]({picture})" in text
        assert ET.parse(tmp_path / picture).getroot().tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own


def test_a_plot_repeats_labels_as_text() -> None:
    assert "a &lt;b&gt; &amp; c" in bars("a <b> & c", "x", [Bar("d", 1, is_ours=True)])


def test_numbers_of_rows_are_gone_through(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("benchmarks.scale.ACTIVE_IMPORTS", 1)  # nothing is to be held
    found = scale.measure([10, 20, 30])
    assert [size.rows for size in found.sizes] == [10, 20, 30]
    assert [size.most_active for size in found.sizes] == [1, 1, 1]
