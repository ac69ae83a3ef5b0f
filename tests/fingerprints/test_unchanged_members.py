"""Mirrors, where only changes are sent: who is unchanged stays, and who has left comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fingerprints.test_only_changes import EMAIL, sent
from tests.support.dotdigital.departure_routes import REMOVE
from tests.support.messages import record, rows, schema
from tests.support.mirrors import PACE, fill, members, mirror, run
from tests.support.target.command import TargetProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

PEOPLE = schema(properties=EMAIL)


def changes(server: DotdigitalServer, **more: Any) -> dict[str, Any]:
    return mirror(server, send="changes", fingerprints_path="fingerprints", **more)


def test_who_is_unchanged_stays(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "x")
    run(changes(server), tmp_path, PEOPLE, *rows("abc", first_name="x"))
    ended = run(changes(server), tmp_path, PEOPLE, *rows("ab", first_name="x"))
    assert (ended.status, members(server)) == (0, {"a", "b"}), ended.stderr
    assert len(server.imports) == 1
    assert "unchanged 2" in ended.counts()


def test_who_was_taken_out_is_sent_again(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "x")
    for names in ("abc", "ab", "abc"):
        ended = run(changes(server), tmp_path, PEOPLE, *rows(names, first_name="x"))
        assert (ended.status, members(server)) == (0, set(names)), ended.stderr
    assert sent(server) == ["a", "b", "c", "c"]


def test_who_is_being_taken_out_when_the_run_is_killed_is_sent_again(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "x")
    run(changes(server), tmp_path, PEOPLE, *rows("abc", first_name="x"))
    gate = server.hold_answer(REMOVE)
    with TargetProcess(changes(server), tmp_path, pace=PACE) as target:
        target.send(PEOPLE, *rows("ab", first_name="x"))
        target.close_input()
        gate.wait()
        target.process.kill()
    gate.open()
    run(changes(server), tmp_path, PEOPLE, *rows("abc", first_name="x"))
    assert sent(server, 1) == ["c"]
    assert members(server) == set("abc")


def test_another_stream_sends_whom_a_mirror_took_out(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = changes(server)
    config["streams"]["others"] = {}
    fill(server, "x")
    more = [schema("others", EMAIL), *rows("d", "others", first_name="x")]
    run(config, tmp_path, PEOPLE, *rows("ab", first_name="x"), *more)
    run(config, tmp_path, PEOPLE, *rows("ab", first_name="x"))
    assert members(server) == {"a", "b"}
    run(config, tmp_path, PEOPLE, *rows("ab", first_name="x"), *more)
    assert members(server) == {"a", "b", "d"}


@pytest.mark.parametrize("has_ids", [True, False])
def test_who_is_known_by_the_contact_id_alone_stays(
    server: DotdigitalServer, tmp_path: Path, *, has_ids: bool
) -> None:
    server.custom_identifiers.add("customerId")
    stream = {
        "match_identifier": "customerId",
        "identifiers": {"customerId": "number"},
        "fields": {"FIRSTNAME": "first_name"},
    }
    people = schema(properties={"number": {"type": "string"}, "first_name": {"type": "string"}})
    config = changes(server, stream=stream)
    server.add_contact("x@example.com", lists=(102,))
    everybody = [record(number=each, first_name="x") for each in ("K-1", "K-2")]
    first = run(config, tmp_path, people, *everybody)
    assert first.status == 0, first.stderr
    if has_ids:  # from now on the account tells other values than it was sent
        for each in server._contacts.values():
            each.identifiers = {
                name: value.replace("K-", "k ") if isinstance(value, str) else value
                for name, value in each.identifiers.items()
            }
    before = {each.contact_id for each in server._contacts.values() if 102 in each.lists}
    ended = run(config, tmp_path, people, *everybody)
    assert ended.status == 0, ended.stderr
    assert {each.contact_id for each in server._contacts.values() if 102 in each.lists} == before
