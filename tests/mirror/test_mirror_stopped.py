"""Mirrors that are killed or stopped: nobody is wronged, and the next run completes them."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.dotdigital.departure_routes import MEMBERS, REMOVAL_STATUS, REMOVE
from tests.support.dotdigital.routes import IMPORT_STATUS
from tests.support.messages import rows, schema, state
from tests.support.mirrors import fill, members, mirror, run, undo_files
from tests.support.target.command import TargetProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

LEAVERS = [f"p{number}" for number in range(5_001)]
STAYING = {"ann", "new"}
MESSAGES = (schema(), *rows(["ann"]), state(1), *rows(["new"]), state(2))


def config(server: DotdigitalServer, folder: Path, **more: object) -> dict[str, object]:
    """Two removals, one after the other."""
    rejects = str(folder / "rejects.singer")
    stream = {"max_removal_percent": 100}
    return mirror(server, stream=stream, rejects_path=rejects, **more)


@pytest.fixture(autouse=True)
def _full(server: DotdigitalServer) -> None:
    fill(server, "ann", *LEAVERS)


STAGES = {
    "loading": (IMPORT_STATUS, True),
    "listing": (MEMBERS, False),
    "listed": (MEMBERS, True),
    "asking": (REMOVE, False),
    "asked": (REMOVE, True),
    "removing": (REMOVAL_STATUS, True),
}
"""A call that waits: the route, and whether the account has acted on it by then."""


@pytest.mark.parametrize(
    ("stage", "number"),
    [*((stage, 1) for stage in STAGES), *((stage, 2) for stage in list(STAGES)[3:])],
)
def test_a_mirror_that_is_killed_is_completed_by_the_next_run(
    server: DotdigitalServer, tmp_path: Path, stage: str, number: int
) -> None:
    route, handled = STAGES[stage]
    if number == 2:
        server.answer_next(route, lambda _call: None)
    gate = server.hold_answer(route, handled=handled)
    with TargetProcess(config(server, tmp_path), tmp_path) as target:
        target.send(*MESSAGES)
        target.close_input()
        gate.wait()
        target.process.kill()
        gate.open()
        killed = target.end()
    # A bookmark that had moved on would keep the tap from sending everybody again.
    assert killed.states == []
    kept = {
        json.loads(line)["record"]["contactId"]
        for path in undo_files(tmp_path)
        for line in path.read_text().splitlines()[1:]
    }
    ids = {each.contact_id for name, each in server.contacts.items() if name.startswith("p")}
    asked = {each for job in server.departures.jobs for each in job.sent}
    assert asked <= kept  # whoever may have left can be put back
    assert kept in (set(), ids)
    again = run(config(server, tmp_path), tmp_path, *MESSAGES)
    assert (again.status, again.states) == (0, [2]), again.stderr
    assert members(server) == STAYING
    everybody = {"ann@example.com", "new@example.com", *(f"{name}@example.com" for name in LEAVERS)}
    assert set(server.contacts) == everybody


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
@pytest.mark.parametrize("stage", ["loading", "listed", "asked", "removing"])
def test_a_signal_stops_further_removals(
    server: DotdigitalServer, tmp_path: Path, number: signal.Signals, stage: str
) -> None:
    gate = server.hold_answer(STAGES[stage][0])
    with TargetProcess(config(server, tmp_path), tmp_path) as target:
        target.send(*MESSAGES)
        target.close_input()
        gate.wait()
        target.process.send_signal(number)
        target.wait_for("Waiting up to 20 seconds", "stderr")
        gate.open()
        ended = target.end()
    assert (ended.status, ended.states) == (128 + number, [])
    jobs = server.departures.jobs
    assert len(jobs) == (1 if stage in {"asked", "removing"} else 0)
    assert not server.departures.active  # it was waited for
    again = run(config(server, tmp_path), tmp_path, *MESSAGES)
    assert (again.status, again.states) == (0, [2])
    assert members(server) == STAYING


def test_a_removal_that_outlasts_the_grace_is_left_behind(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.departures.hold()
    with TargetProcess(config(server, tmp_path, shutdown_grace_seconds=1), tmp_path) as target:
        target.send(*MESSAGES)
        target.close_input()
        server.wait_for_calls(REMOVAL_STATUS, 1)
        target.process.send_signal(signal.SIGTERM)
        ended = target.end()
    assert (ended.status, ended.states) == (143, [])
    assert len(server.calls_of(REMOVE)) == 1
    server.departures.release()
    again = run(config(server, tmp_path), tmp_path, *MESSAGES)
    assert (again.status, again.states) == (0, [2])
    assert members(server) == STAYING
