"""What a pipeline reads of a report: names that stay, and the recipes of the page that use them."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.messages import gone, record, rows, schema, state
from tests.support.reports import report_of
from tests.support.target.command import REPOSITORY, load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

PAGE = (REPOSITORY / "docs" / "reference" / "report.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## In a pipeline\n")[2].partition("\n## ")[0]
BLOCKS: list[tuple[str, str]] = re.findall(
    r"^```(\w+)\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL
)
CHECK, AIRFLOW, DAGSTER = (text for kind, text in BLOCKS if kind == "python")
JQ, MELTANO = (text for kind, text in BLOCKS if kind == "shell")
NUMBERS = ("arrived", "missing", "left", "unchanged")
PATH = "output/report.json"
"""What `report_path` is in all recipes of the page."""
LONG_AGO, TO_COME = "2026-01-01T00:00:00", "9999-01-01T00:00:00"
"""When the pipeline began: long before the report's run, or after it."""


def numbers_of(report: dict[str, Any]) -> dict[int | None, tuple[int | None, ...]]:
    return {each["id"]: tuple(each[name] for name in NUMBERS) for each in report["address_books"]}


def a_run(server: DotdigitalServer, folder: Path, *messages: Any, **more: Any) -> dict[str, Any]:
    config = settings_for(server, report_path=str(folder / PATH), **more)
    load(config, folder, *messages)
    return report_of(folder, PATH)


# The names.


def test_a_report_says_by_address_book_what_became_of_the_rows(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.add_contact("leaver@example.com", lists=(101,))
    server.reject("refused@example.com")
    streams = {
        "people": {"address_book": 101, "on_delete": "remove"},
        "more": {"address_book": 101},
        "others": {"address_book": 102},
    }
    report = a_run(
        server,
        tmp_path,
        *(schema(name) for name in streams),
        *rows(["ann", "bob", "refused"]),
        *gone(["leaver"]),
        *rows(["cid"], "more"),
        record("more", email="no address"),
        *rows(["dan", "dan"], "others"),
        state(1),
        streams=streams,
    )
    assert report["version"] == 1
    assert report["status"] == report["outcome"]["status"] == "succeeded"
    assert numbers_of(report) == {101: (3, 2, 1, 0), 102: (1, 0, 0, 0)}
    assert report["totals"]["missing"] == 2


def test_a_mirror_counts_whom_it_took_out_and_a_dry_run_whom_it_would(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    for name in ("ann", "bob", "cid"):
        server.add_contact(f"{name}@example.com", lists=(101,))
    stream = {"address_book": 101, "sync_mode": "mirror", "max_removal_percent": 100}
    messages = (schema(), *rows(["ann"]), state(1))
    for is_dry in (True, False):
        report = a_run(server, tmp_path, *messages, streams={"people": stream}, dry_run=is_dry)
        assert (report["kind"], report["status"]) == ("plan" if is_dry else "run", "succeeded")
        assert numbers_of(report) == {101: (1, 0, 2, 0)}


def test_rows_of_several_address_books_count_for_their_stream_alone(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    properties = {"email": {"type": "string"}, "books": {"type": "array"}}
    config = settings_for(
        server,
        report_path=str(tmp_path / "report.json"),
        streams={"people": {"address_book_property": "books"}},
    )
    del config["address_book"]
    row = record(email="ann@example.com", books=[101, 102])
    assert load(config, tmp_path, schema(properties=properties), row).status == 0
    report = report_of(tmp_path)
    assert numbers_of(report) == dict.fromkeys((101, 102), (None,) * 4)
    assert report["totals"]["arrived"] == 1


def test_a_run_that_fails_says_so_at_the_top(server: DotdigitalServer, tmp_path: Path) -> None:
    report = a_run(server, tmp_path, schema(), *rows(["ann"]), "no JSON")
    assert report["status"] == report["outcome"]["status"] == "failed"


# The recipes.

GOOD = rows(["ann"])
BAD = [*rows(["ann"]), record(email="no address")]


@pytest.mark.parametrize(
    ("messages", "is_good"), [(GOOD, True), (BAD, False), ([*GOOD, "no JSON"], False)]
)
def test_the_checks_tell_whether_someone_is_missing(
    server: DotdigitalServer, tmp_path: Path, messages: list[Any], *, is_good: bool
) -> None:
    report = a_run(server, tmp_path, schema(), *messages)
    (tmp_path / "check_report.py").write_text(CHECK)
    (tmp_path / "alert.sh").write_text("#!/bin/sh\ntouch alerted\n")
    (tmp_path / "alert.sh").chmod(0o700)

    def shell(text: str) -> int:
        whole = text.replace("python ", f"{sys.executable} ")
        ended = subprocess.run(
            ["/bin/sh", "-c", whole], cwd=tmp_path, capture_output=True, check=False
        )
        return ended.returncode

    assert (check(tmp_path) == 0) is is_good
    assert check(tmp_path, TO_COME) == 1
    if shutil.which("jq") is not None:
        assert (shell(JQ) == 0) is is_good
    began, _, command = MELTANO.partition("\n")
    assert command.startswith("meltano run ")
    run = command.replace("meltano run tap-postgres target-dotdigital", "true")
    text = (tmp_path / PATH).read_text()
    (tmp_path / PATH).write_text(json.dumps({**report, "started": f"{LONG_AGO}+00:00"}))
    assert shell(f"{began}\n{run}") == 1  # its own run has read nothing
    (tmp_path / PATH).write_text(text)
    assert (tmp_path / "alerted").exists()
    (tmp_path / "alerted").unlink()
    assert (shell(f"began={LONG_AGO}\n{run}") == 0) is is_good
    assert (tmp_path / "alerted").exists() is not is_good
    result = dagster_check(tmp_path)
    assert result.passed is is_good
    (book,) = report["address_books"]
    name = book["name"] or book["id"]
    assert result.metadata == {
        "started": report["started"],
        **{each: report["totals"][each] for each in ("arrived", "missing")},
        **{f"{name}: {each}": book[each] for each in NUMBERS},
    }
    ended = datetime.now(tz=timezone.utc) - timedelta(hours=2)
    (tmp_path / PATH).write_text(json.dumps({**report, "ended": ended.isoformat()}))
    assert not dagster_check(tmp_path).passed


@pytest.mark.parametrize("settings", [{}, {"dry_run": True}], ids=["a load", "a dry run"])
def test_rows_that_are_unchanged_are_not_missing(
    server: DotdigitalServer, tmp_path: Path, settings: dict[str, Any]
) -> None:
    changes: dict[str, Any] = {
        "send": "changes",
        "fingerprints_path": str(tmp_path / "fingerprints"),
    }
    a_run(server, tmp_path, schema(), *rows(["ann", "bob"], first_name="A"), **changes)
    messages = (schema(), *rows(["ann"], first_name="A"), *rows(["bob"], first_name="B"))
    report = a_run(server, tmp_path, *messages, **changes, **settings)
    assert report["status"] == "succeeded"
    assert numbers_of(report) == {102: (1, 0, 0, 1)}
    assert report["totals"]["missing"] == 0
    assert (check(tmp_path) == 0) is (not settings)
    assert dagster_check(tmp_path).passed is (not settings)


@pytest.mark.parametrize(
    ("messages", "settings", "is_good"),
    [
        (GOOD, {"dry_run": True}, False),
        (BAD, {"dry_run": True}, False),
        ([*GOOD, "no JSON"], {"dry_run": True}, False),
        (GOOD, {"password": "wrong"}, True),
        ([], {}, True),
    ],
    ids=["plan", "rejects", "cut off", "no row: refused", "no row"],
)
def test_what_the_checks_say_of_other_runs(
    server: DotdigitalServer,
    tmp_path: Path,
    messages: list[Any],
    settings: dict[str, Any],
    *,
    is_good: bool,
) -> None:
    """A run that reads no row leaves the report of the one before: its exit status tells."""
    before = a_run(server, tmp_path, schema(), *rows(["bob"]))
    report = a_run(server, tmp_path, schema(), *messages, **settings)
    assert (report == before) is ("password" in settings or not messages)
    assert (check(tmp_path) == 0) is is_good
    assert dagster_check(tmp_path).passed is is_good


def test_the_checks_do_without_an_address_book(server: DotdigitalServer, tmp_path: Path) -> None:
    settings = {"streams": {"people": {"account_only": True}}, "address_book": None}
    report = a_run(server, tmp_path, schema(), *GOOD, **settings)
    assert report["address_books"] == []
    assert check(tmp_path) == 0
    result = dagster_check(tmp_path)
    assert (result.passed, result.metadata["arrived"]) == (True, 1)


def test_a_folder_has_the_newest_report_last(server: DotdigitalServer, tmp_path: Path) -> None:
    (newest,) = re.findall(r"`(ls reports/.*)`", PAGE)
    for name in ("bob", "ann"):
        config = settings_for(server, report_path=f"{tmp_path}/reports/")
        load(config, tmp_path, schema(), *rows([name, f"{name}-2"][: 1 + (name == "ann")]))
    listed = subprocess.run(
        ["/bin/sh", "-c", newest], cwd=tmp_path, capture_output=True, check=True, text=True
    )
    assert report_of(tmp_path, listed.stdout.strip())["totals"]["read"] == 2


def check(folder: Path, began: str = LONG_AGO) -> int:
    """What the page's own script ends with."""
    (folder / "check_report.py").write_text(CHECK)
    command = [sys.executable, "check_report.py", PATH, began]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode


def dagster_check(folder: Path) -> Any:  # noqa: ANN401 - what stands in for Dagster's own type
    """What the check for Dagster returns; a stand-in has the two names that it uses."""
    dagster: Any = ModuleType("dagster")
    dagster.asset_check = lambda **_: lambda function: function
    dagster.AssetCheckResult = SimpleNamespace
    path = folder / "dagster_check.py"
    path.write_text(DAGSTER.replace("/project", str(folder)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "dagster", dagster)
        return runpy.run_path(str(path))["everyone_arrived"]()


def test_the_task_for_airflow_runs_the_load_and_then_the_check() -> None:
    given: dict[str, Any] = {}
    module: Any = ModuleType("bash")
    module.BashOperator = lambda **arguments: given.update(arguments)
    with pytest.MonkeyPatch.context() as patch:
        for part in ("airflow", "airflow.providers", "airflow.providers.standard"):
            patch.setitem(sys.modules, part, ModuleType(part))
        patch.setitem(sys.modules, "airflow.providers.standard.operators", ModuleType("operators"))
        patch.setitem(sys.modules, "airflow.providers.standard.operators.bash", module)
        exec(compile(AIRFLOW, "airflow", "exec"), {})  # noqa: S102 - the page's own code
    began, run, check = given["bash_command"].split(" && ")
    assert began == MELTANO.partition("\n")[0]
    assert run == "meltano run tap-postgres target-dotdigital"
    assert check == f'python check_report.py {PATH} "$began"'


def test_the_table_of_the_page_has_the_names_that_are_there(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    report = a_run(server, tmp_path, schema(), *GOOD)
    for name in re.findall(r"^\| `([a-z_.]+)`", SECTION, re.MULTILINE):
        places = (report, report["address_books"][0])
        assert any(name.partition(".")[0] in place for place in places), name
