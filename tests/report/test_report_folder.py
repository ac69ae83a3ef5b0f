"""`report_path` with a slash at its end: a page and a JSON a run, and an index over all of them."""

from __future__ import annotations

import json
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.report import folder as report_folder
from target_dotdigital.report.folder import MAX_RUNS, listed_runs, locked, new_name
from tests.report.test_page import Page
from tests.support.messages import activate, rows, schema, state, versioned
from tests.support.mirrors import fill, undo_files
from tests.support.reports import report_of
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

RUNS = 6


def settings(server: DotdigitalServer, **more: Any) -> dict[str, Any]:
    return settings_for(server, report_path="reports/", **more)


def index_of(folder: Path) -> str:
    return Page((folder / "index.html").read_text(encoding="utf-8"), is_index=True).text


def json_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("run-*.json"))


def test_every_run_has_its_page_and_its_json_and_stands_in_the_index(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "notes.json").write_text("not ours")
    for names in (["ann"], ["bob", "cid"], []):
        status = load(settings(server), tmp_path, schema(), *rows(names), state(1)).status
        assert status == 0
    assert load(settings(server, dry_run=True), tmp_path, schema(), *rows(["dan"])).status == 0
    found = json_files(folder)
    assert len(found) == 4
    for path in found:
        report = report_of(path.parent, path.name)
        page = path.with_suffix(".html").read_text(encoding="utf-8")
        assert ("Plan of a dry run" in page) == (report["kind"] == "plan")
        for each in (path, path.with_suffix(".html"), folder / "index.html"):
            assert stat.S_IMODE(each.stat().st_mode) == 0o600
    text = index_of(folder)
    assert "4 runs." in text
    assert "Customers ID 102 3 people after the last run; 1 after the first one of 3." in text
    links = re.findall(r'href="(run-[^"]*)"', (folder / "index.html").read_text())
    assert links == [each.with_suffix(".html").name for each in reversed(found)]
    assert (folder / "notes.json").read_text() == "not ours"


def test_runs_that_end_at_once_lose_no_entry(server: DotdigitalServer, tmp_path: Path) -> None:
    def run(number: int) -> int:
        own = tmp_path / f"run {number}"
        own.mkdir()
        config = {**settings(server), "report_path": f"{tmp_path}/reports/"}
        return load(config, own, schema(), *rows([f"p{number}"])).status

    with ThreadPoolExecutor(RUNS) as pool:
        assert list(pool.map(run, range(RUNS))) == [0] * RUNS
    assert len(json_files(tmp_path / "reports")) == RUNS
    assert f"{RUNS} runs." in index_of(tmp_path / "reports")


def test_the_index_is_written_by_one_run_at_a_time(tmp_path: Path) -> None:
    entered: list[str] = []

    def enter() -> None:
        with locked(tmp_path):
            entered.append("second")

    second = Thread(target=enter)
    with locked(tmp_path):
        second.start()
        second.join(0.3)
        assert second.is_alive()
        entered.append("first")
    second.join()
    assert entered == ["first", "second"]


def test_runs_of_the_same_moment_have_names_of_their_own(tmp_path: Path) -> None:
    started = "2026-02-03T04:05:06.000001+00:00"
    assert [new_name(tmp_path, started) for _ in range(3)] == [
        f"run-20260203T040506.000001{more}" for more in ("", "-2", "-3")
    ]


def test_a_report_that_is_damaged_or_taken_away_hinders_nothing(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    for _ in range(3):
        load(settings(server), tmp_path, schema(), *rows(["ann"]))
    first, second, _ = json_files(tmp_path / "reports")
    first.unlink()
    second.write_text("{")
    assert load(settings(server), tmp_path, schema(), *rows(["ann"])).status == 0
    assert "2 runs." in index_of(tmp_path / "reports")


def test_the_index_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_RUNS >= 100
    monkeypatch.setattr(report_folder, "MAX_RUNS", 2)
    run = {
        "kind": "run",
        "outcome": {"status": "succeeded", "reason": None},
        "totals": dict.fromkeys(("read", "arrived", "joined", "missing", "left_out"), 0),
        "address_books": [],
    }
    for day in range(1, 6):
        started = f"2026-02-0{day}T04:05:06+00:00"
        (tmp_path / f"run-2026020{day}.json").write_text(json.dumps({**run, "started": started}))
    found, left_out = listed_runs(tmp_path)
    assert [each.page for each in found] == ["run-20260205.html", "run-20260204.html"]
    assert left_out == 3


def test_a_run_that_fails_at_the_start_is_in_the_folder_too(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    ended = load(settings(server, address_book=999), tmp_path, schema(), *rows(["ann"]))
    assert ended.status == 1
    assert "1 run." in index_of(tmp_path / "reports")


def test_what_a_mirror_takes_out_is_kept_in_the_folder(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann", "bob")
    streams = {"people": {"sync_mode": "mirror", "max_removal_percent": 99}}
    config = settings(server, streams=streams)
    assert load(config, tmp_path, schema(), *versioned(1, "ann"), activate(1)).status == 0
    assert len(undo_files(tmp_path / "reports")) == 1


@pytest.mark.parametrize("arguments", [(), ("--test",)])
def test_a_file_is_no_folder(
    server: DotdigitalServer, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "reports").write_text("a file")
    with TargetProcess(settings(server), tmp_path, arguments=arguments) as target:
        target.send_what_it_takes(schema())
        ended = target.end()
    assert ended.status == 1
    assert "report_path: reports cannot be written" in ended.stdout + ended.stderr


# A file: a run that reads nothing leaves it as it is.


@pytest.mark.parametrize("name", ["report.json", "report.html"])
@pytest.mark.parametrize(
    "more", [{}, {"address_book": 999}, {"dry_run": True}], ids=["nothing came", "fails", "dry"]
)
def test_a_run_that_reads_nothing_overwrites_no_report(
    server: DotdigitalServer, tmp_path: Path, name: str, more: dict[str, Any]
) -> None:
    path = tmp_path / name
    path.write_text("an older one")
    config = settings_for(server, report_path=name, **more)
    messages = [schema(), *rows(["ann"])] if more.get("address_book") else [schema(), state(1)]
    ended = load(config, tmp_path, *messages)
    assert ended.status == int(more.get("address_book") == 999)
    assert path.read_text() == "an older one"
    assert f"No row was read: {name} is left as it was" in ended.stderr
    path.unlink()
    load(config, tmp_path, *messages)
    assert path.exists()
