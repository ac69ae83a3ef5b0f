"""People who leave, against the sandbox, with what Dotdigital leaves open either way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import TierLimits, read_switches
from tests.support.messages import record, rows, schema, state
from tests.support.mirrors import PACE, undo_files
from tests.support.sandbox.client import SandboxClient, people, person
from tests.support.sandbox.switches import DEFAULTS, LIST_ID, OTHERWISE, configured
from tests.support.target.command import TargetProcess

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.target.command import FinishedRun

SUMMARY_ONLY = ("report-lists=summaryOnly",)


def run(server: SandboxServer, folder: Path, stream: dict[str, Any], *messages: Any) -> FinishedRun:
    config = configured(server, streams={"people": stream})
    with TargetProcess(config, folder, pace=PACE) as target:
        target.send_what_it_takes(*messages)
        return target.end()


def names(client: SandboxClient) -> set[str]:
    return {each["identifiers"]["email"].partition("@")[0] for each in client.members(LIST_ID)}


def deleted(name: str) -> dict[str, Any]:
    return record(email=f"{name}@example.com", _sdc_deleted_at="2026-01-31T10:00:00Z")


EITHER_WAY = pytest.mark.parametrize(
    "assignments", [DEFAULTS, OTHERWISE, SUMMARY_ONLY], ids=["defaults", "otherwise", "summary"]
)


def options(folder: Path, assignments: Sequence[str] = (), **more: Any) -> Options:
    switches = read_switches(assignments)
    return Options(folder / "sandbox.db", address_books=[LIST_ID], switches=switches, **more)


def prepare(folder: Path, *contacts: dict[str, Any]) -> None:
    """Fill the account, with every switch in its first position."""
    with SandboxServer(options(folder)) as server, SandboxClient(server.url) as client:
        client.load(*contacts)


@EITHER_WAY
@pytest.mark.parametrize("on_delete", ["remove", "delete"])
def test_rows_that_are_marked_as_deleted(
    tmp_path: Path, assignments: tuple[str, ...], on_delete: str
) -> None:
    prepare(tmp_path, *people(40, "p", lists=[LIST_ID]))
    switched = options(tmp_path, assignments)
    with SandboxServer(switched) as server, SandboxClient(server.url) as client:
        messages = [
            *(deleted(f"P{number}") for number in range(30)),
            *rows(["p0", "new", "p40"]),
            deleted("new"),
            deleted("nobody"),
            state(1),
        ]
        ended = run(server, tmp_path, {"on_delete": on_delete}, schema(), *messages)
        assert (ended.status, ended.states) == (0, [1]), ended.stderr
        assert "imported 3 + rejected 0 + collapsed 0 + skipped 32" in ended.counts()
        assert "not found to remove 1" in ended.counts()
        assert names(client) == {"p0", "p40", *(f"p{number}" for number in range(30, 40))}
        gone = client.get("/contacts/v3/email/p1@example.com")
        assert gone.status_code == (200 if on_delete == "remove" else 404)


@EITHER_WAY
def test_a_mirror(tmp_path: Path, assignments: tuple[str, ...]) -> None:
    stream = {"sync_mode": "mirror"}
    suppressed = {"channelProperties": {"email": {"status": "suppressed"}}}
    prepare(
        tmp_path,
        *people(20, "p", lists=[LIST_ID]),
        person("suppressed@example.com", lists=[LIST_ID], **suppressed),
    )
    switched = options(tmp_path, assignments)
    with SandboxServer(switched) as server, SandboxClient(server.url) as client:
        everybody = [f"P{number}" for number in range(18)]
        too_few = run(server, tmp_path, stream, schema(), *rows(everybody[:10]), state(1))
        assert (too_few.status, too_few.states) == (1, [])
        assert len(names(client)) == 21
        messages = [*rows([*everybody, "suppressed"]), state(1)]
        ended = run(server, tmp_path, stream, schema(), *messages)
        assert (ended.status, ended.states) == (0, [1]), ended.stderr
        assert names(client) == {"suppressed", *(f"p{number}" for number in range(18))}
        assert client.contact("p19@example.com")["contactId"]  # still in the account
        (path,) = undo_files(tmp_path)
        config = configured(server, streams={"leavers": {"match_identifier": "contactId"}})
        with TargetProcess(config, tmp_path, pace=PACE) as target:
            target.send(path.read_bytes())
            undone = target.end()
        assert undone.status == 0, undone.stderr
        assert names(client) >= {"p18", "p19"}


def test_calls_over_a_rate_limit_wait(tmp_path: Path) -> None:
    limits = TierLimits(low=2, medium=2, high=2, window_seconds=1.0)
    prepare(tmp_path, *people(6, "p", lists=[LIST_ID]))
    with SandboxServer(options(tmp_path, rate_limits=limits)) as server:
        stream = {"sync_mode": "mirror", "on_delete": "remove"}
        config = configured(server, streams={"people": stream})
        with TargetProcess(config, tmp_path) as target:
            target.send(schema(), deleted("p0"), *rows([f"p{number}" for number in range(1, 5)]))
            ended = target.end()
    assert ended.status == 0, ended.stderr
    with SandboxServer(options(tmp_path)) as server, SandboxClient(server.url) as client:
        assert names(client) == {f"p{number}" for number in range(1, 5)}


ROUTES = (
    "GET /contacts/v3",
    "POST /v2/address-books/{id}/contacts/delete",
    "GET /v2/contacts/deletion/{id}",
    "POST /contacts/v3/delete",
    "GET /contacts/v3/delete/{id}",
)


@pytest.mark.parametrize("kind", ["reset", "truncate", "html"])
def test_faults_of_the_calls_are_survived(tmp_path: Path, kind: str) -> None:
    stream = {"sync_mode": "mirror", "on_delete": "delete"}
    with SandboxServer(options(tmp_path)) as server, SandboxClient(server.url) as client:
        client.load(*people(6, "p", lists=[LIST_ID]))
        carried_out = {} if kind == "truncate" else {"carried_out": True}
        for route in ROUTES:
            fault = {"kind": kind, "route": route, "times": 2, **carried_out}
            assert client.call("POST", "/sandbox/faults", json=[fault]).ok
        messages = [deleted("p0"), *rows([f"p{number}" for number in range(1, 5)]), state(1)]
        ended = run(server, tmp_path, stream, schema(), *messages)
        assert (ended.status, ended.states) == (0, [1]), ended.stderr
        assert names(client) == {f"p{number}" for number in range(1, 5)}
        assert client.get("/contacts/v3/email/p0@example.com").status_code == 404
        assert client.get("/contacts/v3/email/p5@example.com").status_code == 200
