"""Mirrors, where only changes are sent: who is unchanged stays, and who has left comes back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.fingerprints.test_only_changes import EMAIL, sent
from tests.support.dotdigital.answers import reply
from tests.support.dotdigital.departure_routes import MEMBERS, REMOVE
from tests.support.messages import activate, record, rows, schema
from tests.support.mirrors import BOOK, PACE, fill, members, mirror, run
from tests.support.target.command import TargetProcess
from tests.support.target.commands import command

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


@pytest.mark.parametrize("seen", [1, 2], ids=["same line", "another line"])
def test_rows_of_an_older_full_load_do_not_count(
    server: DotdigitalServer, tmp_path: Path, seen: int
) -> None:
    """The same line, or the same contact, may come in a load that was not brought to its end."""

    def load(names: str, version: int, seen: int) -> list[Any]:
        return [{**each, "version": version} for each in rows(names, first_name="x", seen=seen)]

    fill(server, "x")
    run(changes(server), tmp_path, PEOPLE, *load("abc", 1, 1), activate(1))
    later = [*load("abc", 1, seen), *load("ab", 2, seen), activate(2)]
    ended = run(changes(server), tmp_path, PEOPLE, *later)
    assert (ended.status, members(server)) == (0, {"a", "b"}), ended.stderr
    assert sent(server) == ["a", "b", "c"]


def test_rows_with_and_without_a_version_count_together(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "x")
    versioned = [{**each, "version": 1} for each in rows("c", first_name="x")]
    for names in ("ab", "ab", "b"):
        stream = [*rows(names, first_name="x"), *versioned, activate(1)]
        ended = run(changes(server), tmp_path, PEOPLE, *stream)
        assert (ended.status, members(server)) == (0, {*names, "c"}), ended.stderr
    assert sent(server) == ["a", "b", "c"]


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


def test_who_is_known_by_the_contact_id_alone_stays(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    """Dotdigital may write an address in a way of its own: the first report told whose it is."""
    fill(server, "ann", "bob", "cid")
    everybody = rows(["ann", "bob"], first_name="x")
    items = [
        {"contactId": each.contact_id, "identifiers": {"email": f"{name[:3]}@another.example"}}
        for name, each in server.contacts.items()
    ]
    for _ in range(2):
        server.answer_next(MEMBERS, reply(200, {"_items": items, "_links": {}}))
        ended = run(changes(server), tmp_path, PEOPLE, *everybody)
        assert ended.status == 0, ended.stderr
        assert members(server) == {"ann", "bob"}
    assert "unchanged 2" in ended.counts()


# What changes nothing of a contact.


@pytest.mark.parametrize(
    "stream",
    [{"max_removal_percent": 50}, {"mirror_shared": True}],
    ids=lambda each: next(iter(each)),
)
def test_another_limit_of_a_mirror_sends_nobody(
    server: DotdigitalServer, tmp_path: Path, stream: dict[str, Any]
) -> None:
    fill(server, "x")
    run(changes(server), tmp_path, PEOPLE, *rows("abc", first_name="x"))
    ended = run(changes(server, stream=stream), tmp_path, PEOPLE, *rows("ab", first_name="x"))
    assert (ended.status, members(server)) == (0, {"a", "b"}), ended.stderr
    assert "unchanged 2" in ended.counts()
    assert sent(server) == ["a", "b", "c"]


def test_what_was_sent_without_a_mirror_is_sent_for_the_first_one(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    """Nobody has noted the contact IDs, so that a mirror might not find who is unchanged."""
    fill(server, "x")
    upsert = changes(server, stream={"sync_mode": "upsert"})
    run(upsert, tmp_path, PEOPLE, *rows("ab", first_name="x"))
    run(changes(server), tmp_path, PEOPLE, *rows("ab", first_name="x"))
    assert sent(server) == ["a", "b", "a", "b"]


@pytest.mark.parametrize("is_piped", [False, True], ids=["--replay", "piped"])
def test_a_replay_keeps_what_is_known_and_adds_to_it(
    server: DotdigitalServer, tmp_path: Path, *, is_piped: bool
) -> None:
    """Dotdigital writes the addresses in a way of its own: only the IDs tell who is unchanged."""
    fill(server, "ann", "bob", "cid")
    config = changes(server, rejects_path="rejects.singer")
    broken = record(email="bob at example.com", first_name="x")
    ended = run(config, tmp_path, PEOPLE, *rows(["ann"], first_name="x"), broken)
    assert (ended.status, sent(server)) == (0, ["ann"]), ended.stderr
    server.contacts["bob@example.com"].lists.add(BOOK)
    path = tmp_path / "rejects.singer"
    path.write_text(path.read_text().replace(" at ", "@"))
    if is_piped:
        messages = list(map(json.loads, path.read_text().splitlines()))
        ended = run(config, tmp_path, *messages)
    else:
        ended = command(config, tmp_path, "--replay", str(path))
    assert (ended.status, sent(server, 1)) == (0, ["bob"]), ended.stderr
    assert "everything is sent" not in ended.stderr
    items = [
        {"contactId": each.contact_id, "identifiers": {"email": f"{name[:3]}@another.example"}}
        for name, each in server.contacts.items()
        if BOOK in each.lists
    ]
    server.answer_next(MEMBERS, reply(200, {"_items": items, "_links": {}}))
    ended = run(config, tmp_path, PEOPLE, *rows(["ann", "bob"], first_name="x"))
    assert ended.status == 0, ended.stderr
    assert "unchanged 2" in ended.counts()
    assert members(server) == {"ann", "bob"}
