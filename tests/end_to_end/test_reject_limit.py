"""`max_reject_percent` holds always: while reading, at every settlement, and at the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.dotdigital.account.import_report import ReportStyle
from tests.support.dotdigital.routes import IMPORT
from tests.support.messages import record, schema, state
from tests.support.mirrors import mirror
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer


def good(count: int, stream: str = "people", first: int = 1) -> list[dict[str, Any]]:
    numbers = range(first, first + count)
    return [record(stream, email=f"p{number}@example.com") for number in numbers]


def bad(count: int, stream: str = "people") -> list[dict[str, Any]]:
    return [record(stream, email=f"no address {number}") for number in range(count)]


def every_tenth_bad(count: int) -> list[dict[str, Any]]:
    rows = good(count)
    rows[9::10] = bad(count // 10)
    return rows


@pytest.mark.parametrize("batch_size_rows", [100, 4_000, 10_000])
def test_every_tenth_of_9000_rows_is_too_much_for_one_percent(
    server: DotdigitalServer, tmp_path: Path, batch_size_rows: int
) -> None:
    config = settings_for(server, max_reject_percent=1, batch_size_rows=batch_size_rows)
    ended = load(config, tmp_path, schema(), *every_tenth_bad(9_000), state({"row": 9_000}))
    assert ended.status == 1
    assert {"row": 9_000} not in ended.states
    assert "are rejected, more than the limit of 1 % (max_reject_percent)" in ended.stderr


def test_imports_that_settle_later_are_looked_at_anew(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    """Rejects are few among what has been read, and then Dotdigital refuses the rest."""
    for number in range(1, 1_501):
        server.reject(f"p{number}@example.com")
    config = settings_for(server, batch_size_rows=1_500, rejects_path="rejects.singer")
    ended = load(config, tmp_path, schema(), *good(2_900), state(1))
    assert (ended.status, ended.states) == (1, [])
    assert (
        "1500 of 2900 rows (51.8 %) are rejected, more than the limit of 50 % (max_reject_percent)"
        in (ended.stderr)
    )
    lines = (tmp_path / "rejects.singer").read_text().splitlines()
    assert len(lines) == 1 + 1_500


@pytest.mark.parametrize("dry_run", [False, True], ids=["run", "dry run"])
@pytest.mark.parametrize("settings", [{"max_reject_percent": 0}, {}, {"max_reject_percent": 99}])
def test_nineteen_of_nineteen_are_too_many(
    server: DotdigitalServer, tmp_path: Path, settings: dict[str, Any], *, dry_run: bool
) -> None:
    config = settings_for(server, dry_run=dry_run, report_path="report.json", **settings)
    ended = load(config, tmp_path, schema(), *bad(19), state({"row": 19}))
    limit = settings.get("max_reject_percent", 50)
    told = (
        f"19 of 19 rows (100 %) are rejected, more than the limit of {limit} % (max_reject_percent)"
    )
    assert (ended.status, ended.states) == (1, [])
    assert told in ended.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["outcome"]["status"] == "failed"
    assert told in report["outcome"]["reason"]
    if dry_run:
        assert told in ended.stderr.partition("Plan of a dry run")[2]


def test_a_dry_run_of_too_many_rejects_still_tells_who_is_new(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.add_contact("p1@example.com")
    config = settings_for(server, dry_run=True, report_path="report.json", max_reject_percent=10)
    ended = load(config, tmp_path, schema(), *good(5), *bad(1))
    assert ended.status == 1
    contacts = json.loads((tmp_path / "report.json").read_text())["plan"]["contacts"]
    assert contacts == {"contacts": 5, "new": 4, "updated": 1}


def test_zero_tolerates_no_reject_at_all(server: DotdigitalServer, tmp_path: Path) -> None:
    config = settings_for(server, max_reject_percent=0)
    ended = load(config, tmp_path, schema(), *good(1_500), *bad(1), state(1))
    assert (ended.status, ended.states) == (1, [])
    assert (
        "1 of 1501 rows (0.1 %) are rejected, more than the limit of 0 % (max_reject_percent)"
        in ended.stderr
    )


@pytest.mark.parametrize("settings", [{"max_reject_percent": 100}, {"max_reject_percent": 25}])
def test_a_share_that_is_the_limit_is_within_it(
    server: DotdigitalServer, tmp_path: Path, settings: dict[str, Any]
) -> None:
    rows = bad(3) if settings["max_reject_percent"] == 100 else [*good(3), *bad(1)]
    ended = load(settings_for(server, **settings), tmp_path, schema(), *rows, state(1))
    assert (ended.status, ended.states) == (0, [1])


def test_each_stream_has_a_share_of_its_own(server: DotdigitalServer, tmp_path: Path) -> None:
    ended = load(
        settings_for(server),
        tmp_path,
        schema("people"),
        schema("leads"),
        *good(500, "people"),
        *bad(2, "leads"),
        *good(1, "leads"),
        state(1),
    )
    assert (ended.status, ended.states) == (1, [])
    assert "Stream 'leads': 2 of 3 rows (66.7 %) are rejected" in ended.stderr
    assert "Stream 'people': 5" not in ended.stderr


def test_the_share_of_rows_that_dotdigital_refuses_without_naming_them_counts(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    for number in range(1, 4):
        server.reject(f"p{number}@example.com", "GloballySuppressed")
    server.report_style = ReportStyle(lists=False)
    ended = load(settings_for(server), tmp_path, schema(), *good(4), state(1))
    assert (ended.status, ended.states) == (1, [])
    assert "3 of 4 rows (75 %) are rejected" in ended.stderr


def test_state_waits_while_the_share_is_over_the_limit(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    """After rejects the tap goes on with another stream, and then sends good rows again."""
    config = settings_for(server, batch_wait_limit_seconds=1, max_active_imports=1)
    with TargetProcess(config, tmp_path) as target:
        target.send(schema(), schema("leads"), *good(2), state("good"))
        target.wait_for("good")
        target.send(*bad(3), state("bad"))
        for number in (2, 3, 4):  # all but the last of them are settled then
            target.send(*good(1, "leads", 10 + number))
            server.wait_for_calls(IMPORT, number)
        assert target.states == ["good"]
        target.send(*good(2, first=3))
        target.wait_for("bad")
        ended = target.end()
    assert (ended.status, ended.states) == (0, ["good", "bad"])


def test_a_mirror_takes_nobody_out_when_too_much_is_rejected(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.add_contact("gone@example.com", lists=(102,))
    config = mirror(server, max_reject_percent=50)
    ended = load(config, tmp_path, schema(), *good(1), *bad(2), state(1))
    assert (ended.status, ended.states) == (1, [])
    assert "max_reject_percent" in ended.stderr
    assert server.contacts["gone@example.com"].lists == {102}
    assert len(server.calls_of(IMPORT)) == 1
