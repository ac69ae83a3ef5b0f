"""SIGTERM and SIGINT at the points where a run can be, in a real process."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.dotdigital.answers import (
    Answer,
    Gate,
    lost_reply,
    rate_limited,
    too_many_active_imports,
    v2_error,
    v3_error,
)
from tests.support.dotdigital.departure_routes import DELETE
from tests.support.dotdigital.routes import DATA_FIELDS, IMPORT, IMPORT_STATUS
from tests.support.messages import record, schema, state
from tests.support.target.command import PATIENCE_SECONDS, TargetProcess, load, settings_for

if TYPE_CHECKING:
    from tests.support.dotdigital.server import DotdigitalServer

ROWS = (
    schema(),
    record(id=1, email="ann@example.com"),
    state({"row": 1}),
    record(id=2, email="bob@example.com"),
    state({"row": 2}),
    record(id=3, email="cid@example.com"),
    state({"row": 3}),
)

both_signals = pytest.mark.parametrize(
    ("number", "status"),
    [
        pytest.param(signal.SIGTERM, 143, id="SIGTERM"),
        pytest.param(signal.SIGINT, 130, id="SIGINT"),
    ],
)


@both_signals
def test_while_it_connects(
    server: DotdigitalServer, tmp_path: Path, number: int, status: int
) -> None:
    gate = server.hold_answer(DATA_FIELDS)
    with TargetProcess(settings_for(server), tmp_path) as target:
        target.send(*ROWS)
        gate.wait()
        target.process.send_signal(number)
        ended = target.end()
    assert (ended.status, ended.stdout) == (status, "")
    assert not server.imports


@both_signals
@pytest.mark.parametrize("bound_for", ["an import", "the account's end"])
def test_rows_of_an_open_load_are_not_sent(
    server: DotdigitalServer, tmp_path: Path, number: int, status: int, bound_for: str
) -> None:
    """Two rows are in an import, so the third is in the next one; or it waits to be deleted."""
    server.hold_imports()
    third = record(id=3, email="cid@example.com")
    streams: dict[str, Any] = {"people": {}}
    if bound_for != "an import":
        third = record(id=3, email="cid@example.com", _sdc_deleted_at="2026-01-01T00:00:00Z")
        streams["people"]["on_delete"] = "delete"
    config = settings_for(server, batch_size_rows=1, streams=streams)
    with TargetProcess(config, tmp_path) as target:
        target.send(*ROWS[:5], third, state({"row": 3}))
        server.wait_for_imports(1)
        target.process.send_signal(number)
        target.wait_for("Waiting up to 20 seconds", "stderr")
        server.release_all()
        target.process.wait(PATIENCE_SECONDS)  # its input is still open
        ended = target.end()
    imports = len(server.imports)
    assert (ended.status, ended.states[-1]) == (status, {"row": imports})
    assert not server.calls_of(DELETE)
    name = signal.Signals(number).name
    read = int(ended.counts().split()[1])
    unsettled = f"{read - imports} of {read} rows are not settled. The next run sends them again."
    assert ended.stderr.rstrip().endswith(f"Stopped by {name}. {unsettled}")


@both_signals
def test_while_the_queue_is_full(
    server: DotdigitalServer, tmp_path: Path, number: int, status: int
) -> None:
    server.hold_imports()
    config = settings_for(server, batch_size_rows=1, max_active_imports=1, shutdown_grace_seconds=1)
    with TargetProcess(config, tmp_path) as target:
        target.send(*ROWS)
        server.wait_for_calls(IMPORT_STATUS, 2)
        target.process.send_signal(number)
        target.process.wait(PATIENCE_SECONDS)
        ended = target.end()
    assert (ended.status, ended.stdout) == (status, "")
    assert len(server.imports) == 1
    assert "unsettled" in ended.counts()
    assert "rows are not settled. The next run sends them again." in ended.stderr.splitlines()[-1]


REFUSED: dict[str, Answer] = {
    "halved": v3_error(400, "contacts:badRequest", "one of them"),
    "tried again": v2_error(503, "ERROR_SYSTEM_SERVICETEMPORARILYUNAVAILABLE"),
    "after a call limit": rate_limited(seconds=30),
    "once a slot is free": too_many_active_imports(),
    "after a lost reply": lost_reply(),
}


@both_signals
@pytest.mark.parametrize("again", REFUSED)
def test_what_is_not_taken_at_once_is_not_sent_again(
    server: DotdigitalServer, tmp_path: Path, number: int, status: int, again: str
) -> None:
    gate = Gate()
    server.answer_next(IMPORT, replace(REFUSED[again], gate=gate))
    config = settings_for(server, batch_size_rows=3, shutdown_grace_seconds=600)
    with TargetProcess(config, tmp_path) as target:
        target.send(*ROWS)
        target.close_input()
        gate.wait()
        target.process.send_signal(number)
        target.wait_for("Waiting up to 600 seconds", "stderr")
        gate.open()
        target.process.wait(PATIENCE_SECONDS)
        ended = target.end()
    assert (ended.status, ended.stdout) == (status, "")
    assert len(server.calls_of(IMPORT)) == 1
    assert "3 of 3 rows are not settled" in ended.stderr.splitlines()[-1]


@both_signals
def test_while_imports_are_active_after_the_last_row(
    server: DotdigitalServer, tmp_path: Path, number: int, status: int
) -> None:
    server.hold_imports()
    with TargetProcess(settings_for(server, batch_size_rows=2), tmp_path) as target:
        target.send(*ROWS)
        target.close_input()
        server.wait_for_imports(2)
        target.process.send_signal(number)
        target.wait_for("METRIC", "stderr")
        server.release_all()
        ended = target.end()
    assert (ended.status, ended.states[-1]) == (status, {"row": 3})


@both_signals
def test_while_a_request_is_under_way(
    server: DotdigitalServer, tmp_path: Path, number: int, status: int
) -> None:
    gate = server.hold_answer(IMPORT)
    config = settings_for(server, batch_size_rows=3, shutdown_grace_seconds=0)
    with TargetProcess(config, tmp_path) as target:
        target.send(*ROWS, record(id=4, email="dan@example.com"))
        gate.wait()
        target.process.send_signal(number)
        target.process.wait(PATIENCE_SECONDS)
        ended = target.end()
    # Whether Dotdigital took it is not known, so no STATE may say so.
    assert (ended.status, ended.stdout) == (status, "")


def test_a_forwarded_signal_is_the_same_signal(server: DotdigitalServer, tmp_path: Path) -> None:
    """Ctrl-C under Meltano: SIGINT from the terminal, SIGTERM from Meltano right after it."""
    server.hold_imports()
    with TargetProcess(settings_for(server, batch_size_rows=3), tmp_path) as target:
        target.send(*ROWS, record(id=4, email="dan@example.com"))
        server.wait_for_imports(1)
        target.process.send_signal(signal.SIGINT)
        target.process.send_signal(signal.SIGTERM)
        server.release_all()
        ended = target.end()
    assert (ended.status, ended.states[-1]) == (130, {"row": 3})


def test_a_later_signal_ends_the_process_at_once(server: DotdigitalServer, tmp_path: Path) -> None:
    server.hold_imports()
    config = settings_for(server, batch_size_rows=3, shutdown_grace_seconds=600)
    with TargetProcess(config, tmp_path) as target:
        target.send(*ROWS, record(id=4, email="dan@example.com"))
        server.wait_for_imports(1)
        target.process.send_signal(signal.SIGTERM)
        # One import's polls go on while it waits, a second apart at least: two seconds pass.
        server.wait_until(lambda: max(each.polls for each in server.imports) >= 5)
        target.process.send_signal(signal.SIGTERM)
        target.process.wait(PATIENCE_SECONDS)
        server.release_all()
        ended = target.end()
    assert (ended.status, ended.stdout) == (143, "")


def test_the_next_run_completes_what_a_killed_one_left(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.hold_imports()
    with TargetProcess(settings_for(server, batch_size_rows=1), tmp_path) as target:
        target.send(*ROWS)
        server.wait_for_imports(2)
        people = [each.contacts[0]["identifiers"]["email"] for each in server.imports]
        server.finish(people.index("ann@example.com"))  # they may arrive in either order
        target.wait_for("row")
        target.process.kill()
        killed = target.end()
    assert killed.states == [{"row": 1}]
    server.release_all()
    rows = [
        message for message in ROWS if message["type"] != "RECORD" or message["record"]["id"] > 1
    ]
    assert load(settings_for(server), tmp_path, *rows).status == 0
    assert sorted(server.contacts) == ["ann@example.com", "bob@example.com", "cid@example.com"]


def _stop_at(target: TargetProcess, number: int, moment: str) -> None:
    """Send a signal once the process has mapped a library, which it does before it is ready."""
    maps = Path(f"/proc/{target.process.pid}/maps")
    deadline = time.monotonic() + 30
    while moment not in maps.read_text():
        assert time.monotonic() < deadline
    target.process.send_signal(number)


@both_signals
@pytest.mark.parametrize("arguments", [(), ("--test",)], ids=["load", "test"])
def test_while_python_loads_the_modules(
    server: DotdigitalServer, tmp_path: Path, number: int, status: int, arguments: tuple[str, ...]
) -> None:
    for moment in ("simplejson/_speedups", "msgspec/_core", "charset_normalizer/md"):
        with TargetProcess(
            settings_for(server), tmp_path, arguments=arguments, fresh=True
        ) as target:
            _stop_at(target, number, moment)
            target.process.wait(PATIENCE_SECONDS)
            ended = target.end()
        assert (ended.status, ended.stdout, ended.stderr) == (status, "", "")
