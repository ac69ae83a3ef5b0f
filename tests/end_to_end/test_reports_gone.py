"""Imports whose reports are gone before they were read: nothing says how long they are kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import read_switches
from tests.support.messages import rows, schema, state
from tests.support.mirrors import PACE
from tests.support.sandbox.client import SandboxClient
from tests.support.sandbox.switches import LIST_ID, configured
from tests.support.target.command import TargetProcess

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["ann", "bob", "cho"]
RESENT = "failed at Dotdigital. Sending it again"


class LateClock:
    """The sandbox's clock, by which everything finished two hours ago until it is put right."""

    def __init__(self) -> None:
        self.ahead = 7_200.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def options(folder: Path, clock: LateClock) -> Options:
    switches = read_switches(["reports-kept=hour"])
    return Options(folder / "sandbox.db", address_books=[LIST_ID], switches=switches, clock=clock)


def test_without_any_report_a_run_does_not_end_well(tmp_path: Path) -> None:
    server_options = options(tmp_path, LateClock())
    with SandboxServer(server_options) as server, SandboxClient(server.url) as client:
        with TargetProcess(
            configured(server, streams={"people": {}}), tmp_path, pace=PACE
        ) as target:
            target.send_what_it_takes(schema(), *rows(NAMES), state(1))
            ended = target.end()
        calls = client.get("/sandbox/page/requests").json()["calls"]
        # What was sent is there, and it was not sent without end.
        assert len(client.members(LIST_ID)) == len(NAMES)
    assert (ended.status, ended.states) == (1, [])
    assert "failed at Dotdigital, 3 times in all" in ended.stderr
    assert "imported 0 " in ended.counts()
    assert [call["method"] for call in calls].count("PUT") == 3


def test_the_report_of_the_same_contacts_sent_again_settles_them(tmp_path: Path) -> None:
    clock = LateClock()
    with SandboxServer(options(tmp_path, clock)) as server, SandboxClient(server.url) as client:
        with TargetProcess(
            configured(server, streams={"people": {}}), tmp_path, pace=PACE
        ) as target:
            target.send(schema(), *rows(NAMES), state(1))
            target.close_input()
            target.wait_for(RESENT, "stderr")
            assert target.states == []
            clock.ahead = 0.0
            ended = target.end()
        assert len(client.members(LIST_ID)) == len(NAMES)
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    assert "read 3 = imported 3 + rejected 0" in ended.counts()
    assert ended.stderr.count(RESENT) == 1
