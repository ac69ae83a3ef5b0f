"""The report of a run: `report_path`."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.canary import ARRANGEMENTS, CANARY, DEBUG, INPUTS
from tests.support.dotdigital.answers import reply
from tests.support.dotdigital.departure_routes import REMOVE
from tests.support.dotdigital.routes import IMPORT, IMPORT_STATUS
from tests.support.messages import gone, record, rows, schema, state
from tests.support.mirrors import fill, undo_files
from tests.support.reports import report_of
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer


def reported(server: DotdigitalServer, **settings: Any) -> dict[str, Any]:
    return settings_for(server, report_path="report.json", **settings)


def test_what_became_of_every_stream(server: DotdigitalServer, tmp_path: Path) -> None:
    server.reject("bad@example.com")
    server.add_contact("cid@example.com", lists=(102,))
    config = reported(server, streams={"people": {"on_delete": "remove"}, "never": {}})
    messages = [
        schema(),
        *rows(["ann", "bob", "ann", "bad"]),
        record(email=None),
        *gone(["cid", "nobody"]),
        state(1),
    ]
    ended = load(config, tmp_path, *messages)
    assert (ended.status, ended.states) == (0, [1])
    report = report_of(tmp_path)
    assert report["kind"] == "run"
    assert report["outcome"] == {"status": "succeeded", "reason": None}
    assert report["started"] < report["ended"]
    assert report["streams"] == [
        {
            "stream": "people",
            "read": 7,
            "imported": 2,
            "new": 2,
            "updated": 0,
            "rejected": {"dotdigital.invalidEmail": 1, "identifier.missing": 1},
            "collapsed": 1,
            "skipped": 2,
            "left": 1,
            "deleted": 0,
            "not_there": 1,
            "filtered": 0,
            "ignored_deletions": 0,
            "not_loaded": 0,
            "not_loaded_because": None,
            "loaded_into": "address_book",
            "unsettled": 0,
            "imported_in_part": {},
            "reject_groups": [
                {"code": "dotdigital.invalidEmail", "property": None, "rule": None, "rows": 1},
                {"code": "identifier.missing", "property": "email", "rule": "email", "rows": 1},
            ],
            "rounded": {},
            "opted_out": {},
            "opted_out_new": 0,
            "unchanged": 0,
        }
    ]
    assert report["mirrors"] == []
    assert report["totals"] == {
        "read": 7,
        "arrived": 2,
        "joined": 1,
        "missing": 2,
        "left_out": 2,
        "unchanged": 0,
    }
    assert report["address_books"] == [
        {
            "id": 102,
            "name": "Customers",
            "streams": ["people"],
            "before": 1,
            "now": 2,
            "arrived": 2,
            "missing": 2,
            "left": 1,
            "unchanged": 0,
        }
    ]


def test_it_is_readable_for_its_owner_alone_and_replaced_as_a_whole(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    path.write_text("an older one")
    path.chmod(0o644)
    older = path.open()
    assert load(reported(server), tmp_path, schema(), *rows(["ann"])).status == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with older:
        assert older.read() == "an older one"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["config.json", "report.json"]


def test_a_run_that_fails_is_reported(server: DotdigitalServer, tmp_path: Path) -> None:
    server.end_next_imports("RejectedByWatchdog")
    ended = load(reported(server), tmp_path, schema(), *rows(["ann"]), state(1))
    assert (ended.status, ended.states) == (1, [])
    report = report_of(tmp_path)
    assert report["outcome"]["status"] == "failed"
    assert "RejectedByWatchdog" in report["outcome"]["reason"]
    assert report["outcome"]["reason"] in ended.stderr
    assert report["streams"][0]["unsettled"] == 1


def test_a_run_that_is_stopped_is_reported(server: DotdigitalServer, tmp_path: Path) -> None:
    server.hold_imports()
    with TargetProcess(reported(server, shutdown_grace_seconds=0), tmp_path) as target:
        target.send(schema(), *rows(["ann"]), state(1))
        target.close_input()
        server.wait_for_calls(IMPORT_STATUS, 1)
        target.process.terminate()
        ended = target.end()
    assert ended.status == 143
    report = report_of(tmp_path)
    assert report["outcome"] == {"status": "stopped", "reason": "stopped by SIGTERM"}


@pytest.mark.parametrize("is_refused", [False, True])
def test_a_mirror_is_reported(
    server: DotdigitalServer, tmp_path: Path, *, is_refused: bool
) -> None:
    fill(server, "ann", "bob")
    if is_refused:
        server.answer_next(REMOVE, reply(403, {"message": "no"}), times=None)
    stream = {"sync_mode": "mirror", "max_removal_percent": 99}
    config = reported(server, streams={"people": stream})
    ended = load(config, tmp_path, schema(), *rows(["ann"]))
    assert ended.status == int(is_refused)
    (undo_file,) = undo_files(tmp_path)
    assert report_of(tmp_path)["mirrors"] == [
        {
            "address_book": 102,
            "streams": ["people"],
            "to_leave": 1,
            "left": int(not is_refused),
            "undo_file": undo_file.name,
        }
    ]


@pytest.mark.parametrize("path", ["", "folder", "config.json/report.json", "x" * 300])
@pytest.mark.parametrize("is_test", [False, True])
def test_what_cannot_be_written_is_told_before_anything_is_sent(
    server: DotdigitalServer, tmp_path: Path, path: str, *, is_test: bool
) -> None:
    (tmp_path / "folder").mkdir()
    config = {**reported(server), "report_path": path or "/dev/null"}
    arguments = ("--test",) if is_test else ()
    with TargetProcess(config, tmp_path, arguments=arguments) as target:
        target.send_what_it_takes(schema(), *rows(["ann"]))
        ended = target.end()
    assert ended.status == 1
    assert "report_path: " in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    assert not server.calls_of(IMPORT)


def test_a_folder_that_goes_meanwhile_fails_the_run(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = {**reported(server), "report_path": "folder/report.json"}
    server.hold_imports()
    with TargetProcess(config, tmp_path) as target:
        target.send(schema(), *rows(["ann"]), state(1))
        target.close_input()
        server.wait_for_calls(IMPORT, 1)
        (tmp_path / "folder").rmdir()
        server.release_all()
        ended = target.end()
    assert (ended.status, ended.states) == (1, [1])
    assert "report_path: folder/report.json cannot be written" in ended.stderr


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("name", INPUTS)
def test_it_repeats_no_input(
    server: DotdigitalServer, tmp_path: Path, name: str, *, dry_run: bool
) -> None:
    config = reported(server, dry_run=dry_run)
    ended = load(config, tmp_path, *INPUTS[name], environment=DEBUG)
    told = ended.stdout + ended.stderr + json.dumps(report_of(tmp_path))
    assert "Traceback" not in told
    for secret in (CANARY, server.username, server.password, "cmVhbCBzZWNyZXQ"):
        assert secret not in told


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_it_repeats_no_answer(server: DotdigitalServer, tmp_path: Path, name: str) -> None:
    ARRANGEMENTS[name](server)
    load(reported(server), tmp_path, *INPUTS["good rows"], environment=DEBUG)
    assert CANARY not in json.dumps(report_of(tmp_path))
