"""Mirrors: whoever a full load no longer holds leaves the address book, and that is all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.dotdigital.answers import lost_reply, reply
from tests.support.dotdigital.departure_routes import MEMBERS, REMOVAL_STATUS, REMOVE
from tests.support.messages import activate, record, rows, schema, state, versioned
from tests.support.mirrors import BOOK, fill, members, mirror, run, undo_files
from tests.support.target.command import TargetProcess, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer


# Who leaves, and who stays.


def test_whoever_is_missing_leaves_the_address_book_and_nothing_else(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann", "bob", "cid", "dan")
    server.add_contact("elsewhere@example.com", lists=(101,))
    before = server.contents()
    ended = run(mirror(server), tmp_path, schema(), *rows(["ann", "new", "cid"]), state(1))
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    after = server.contents()
    assert after.pop("new@example.com")["lists"] == [BOOK]
    for name in ("bob", "dan"):
        before[f"{name}@example.com"]["lists"] = [101]
    assert after == before
    assert {(call.method, call.path) for call in server.calls if call.method != "GET"} == {
        ("PUT", "/contacts/v3/import"),
        ("POST", f"/v2/address-books/{BOOK}/contacts/delete"),
    }
    assert ended.counts().strip() == "read 3 = imported 3 + rejected 0 + collapsed 0 + skipped 0"


@pytest.mark.parametrize("spell", [str.upper, str.lower], ids=["upper", "lower"])
def test_members_are_known_however_the_answers_spell_names(
    server: DotdigitalServer, tmp_path: Path, spell: Callable[[str], str]
) -> None:
    fill(server, "ann", "bob", "cid", "dan", "eve")
    server.spell = spell
    server.departures.max_page = 2
    ended = run(mirror(server), tmp_path, schema(), *rows(["ann", "eve"]), state(1))
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    assert members(server) == {"ann", "eve"}


def test_when_everybody_is_there_nobody_leaves(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann", "bob")
    ended = run(mirror(server), tmp_path, schema(), *rows(["ann", "bob"]))
    assert ended.status == 0
    assert not server.calls_of(REMOVE)
    assert not undo_files(tmp_path)
    assert "all 2 contacts stay" in ended.stderr


def test_any_identifier_is_enough_to_stay(server: DotdigitalServer, tmp_path: Path) -> None:
    server.custom_identifiers.add("customerId")
    stream = {
        "match_identifier": "email",
        "identifiers": {"email": "email", "customerId": "id", "mobileNumber": "phone"},
    }
    properties = {"id": {"type": "string"}, "email": {}, "phone": {}, "kept": {}}
    people = schema(properties=properties)
    all_rows = [
        record(id="7", email="ann@example.com", phone="+44 7400 123123"),
        record(id="8", email="bob@example.com", phone=None),
        record(id="9", email="cid@example.com", phone=None),
    ]
    everybody = run(mirror(server, stream=stream), tmp_path, people, *all_rows)
    assert everybody.status == 0
    # Their rows are rejected now, each for another reason, and name them in another way.
    server.reject("late@example.com")
    rejected = [
        record(id="other", email="broken", phone="447400123123"),
        record(id="8", email=None),
        record(id="x", email="late@example.com"),
    ]
    ended = run(mirror(server, stream=stream), tmp_path, people, *rejected)
    assert ended.status == 0, ended.stderr
    assert "rejected 3" in ended.counts()
    assert members(server) == {"ann", "bob"}


@pytest.mark.parametrize(
    "row",
    [
        record(id="no integer", email="Ann@example.com"),
        record(id=1, email=" ANN@example.com ", first_name=["a", "list"]),
        {**record(id=1, email="ann@example.com"), "record": {"email": "ann@example.com", "id": []}},
        record(email="ann@example.com"),
    ],
    ids=["schema", "field", "type", "the tap's key"],
)
def test_the_contact_of_a_rejected_row_stays(
    server: DotdigitalServer, tmp_path: Path, row: dict[str, Any]
) -> None:
    fill(server, "ann", "bob", "cid")
    people = schema(key_properties=["id"])
    ended = run(mirror(server), tmp_path, people, row, record(id=2, email="bob@example.com"))
    assert ended.status == 0, ended.stderr
    assert "imported 1 + rejected 1" in ended.counts()
    assert members(server) == {"ann", "bob"}


def test_an_address_that_cannot_be_one_is_compared_as_it_is(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.add_contact("o..brien@example.com", lists=(BOOK,))
    fill(server, "ann", "bob")
    ended = run(mirror(server), tmp_path, schema(), *rows(["ann", "O..Brien"]))
    assert ended.status == 0
    assert "identifier.invalid 1" in ended.counts()
    assert members(server) == {"ann", "o..brien"}


def test_the_contact_of_a_row_whose_stream_map_fails_stays(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann", "bob", "cid")
    maps = {"people": {"email": "mail", "first_name": "str(int(score))"}}
    people = schema(properties={"mail": {"type": "string"}, "score": {"type": "string"}})
    ended = run(
        mirror(server, stream_maps=maps),
        tmp_path,
        people,
        record(mail="Ann@example.com", score="not a number"),
        record(mail="bob@example.com", score="1"),
    )
    assert ended.status == 0, ended.stderr
    assert "imported 1 + rejected 1" in ended.counts()
    assert members(server) == {"ann", "bob"}


def test_whom_dotdigital_rejects_stays(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann", "bob", "cid")
    server.reject("ann@example.com", "GloballySuppressed")
    ended = run(mirror(server), tmp_path, schema(), *rows(["ann", "bob"]))
    assert ended.status == 0
    assert "dotdigital.globallySuppressed 1" in ended.counts()
    assert members(server) == {"ann", "bob"}


@pytest.mark.parametrize("result", ["written", "rejected"])
def test_an_id_that_dotdigital_tells_is_enough_to_stay(
    server: DotdigitalServer, tmp_path: Path, result: str
) -> None:
    """Dotdigital may write an address in a way of its own: the report tells whose it is."""
    fill(server, "ann", "bob")
    if result == "rejected":
        server.reject("ann@example.com", "GloballySuppressed")

    items = [
        {"contactId": each.contact_id, "identifiers": {"email": f"{name[:3]}@another.example"}}
        for name, each in server.contacts.items()
    ]
    server.answer_next(MEMBERS, reply(200, {"_items": items, "_links": {}}))
    ended = run(mirror(server), tmp_path, schema(), *rows(["ann"]))
    assert ended.status == 0, ended.stderr
    assert members(server) == {"ann"}


def test_the_names_of_identifiers_may_be_spelled_otherwise(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann", "bob")
    server.report_style.lists = False  # so that no ID is known
    items = [
        {"contactId": each.contact_id, "identifiers": {"EMAIL": f" {name.upper()}"}}
        for name, each in server.contacts.items()
    ]
    server.answer_next(MEMBERS, reply(200, {"_items": items, "_links": {"next": None}}))
    ended = run(mirror(server), tmp_path, schema(), *rows(["ann"]))
    assert ended.status == 0, ended.stderr
    assert members(server) == {"ann"}


@pytest.mark.parametrize("known", ["chloé@bücher.example", "chloé@xn--bcher-kva.example"])
@pytest.mark.parametrize("sent", ["Chloé@Bücher.example", "chloe\u0301@bücher.example"])
def test_more_letters_than_ascii_has_are_compared_as_people_would(
    server: DotdigitalServer, tmp_path: Path, known: str, sent: str
) -> None:
    server.add_contact(known, lists=(BOOK,))
    fill(server, "ann", "bob")
    server.reject(sent.lower())
    server.report_style.contact_ids = False
    ended = run(mirror(server), tmp_path, schema(), *rows(["ann"]), record(email=sent))
    assert ended.status == 0, ended.stderr
    assert members(server) == {"ann", "chloé"}


def test_whom_another_stream_of_the_run_puts_in_stays(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann", "bob", "cid")
    config = mirror(server)
    config["streams"] |= {
        "shop": {"address_book": "Customers", "match_identifier": "email"},
        "other": {"address_book": 101},
    }
    ended = run(
        config,
        tmp_path,
        *map(schema, ("shop", "people", "other")),
        *rows(["bob"], "shop"),
        *rows(["ann"]),
        *rows(["cid"], "other"),
    )
    assert ended.status == 0, ended.stderr
    assert members(server) == {"ann", "bob"}
    assert members(server, 101) == {"ann", "bob", "cid"}


@pytest.mark.parametrize("on_delete", ["ignore", "remove"])
def test_a_row_that_is_marked_as_deleted_holds_nobody(
    server: DotdigitalServer, tmp_path: Path, on_delete: str
) -> None:
    fill(server, "ann", "bob")
    gone = record(email="bob@example.com", _sdc_deleted_at="2026-01-31T10:00:00Z")
    config = mirror(server, stream={"on_delete": on_delete})
    ended = run(config, tmp_path, schema(), *rows(["ann"]), gone)
    assert ended.status == 0, ended.stderr
    assert members(server) == {"ann"}


# Several mirrors.


def test_two_streams_can_mirror_one_address_book_together(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann", "bob", "cid")
    shared = {"sync_mode": "mirror", "mirror_shared": True, "max_removal_percent": 50}
    config = settings_for(
        server, streams={"a": shared, "b": {**shared, "address_book": "Customers"}}
    )
    messages = [schema("a"), schema("b"), *rows(["ann"], "a"), *rows(["bob"], "b")]
    ended = run(config, tmp_path, *messages)
    assert ended.status == 0, ended.stderr
    assert members(server) == {"ann", "bob"}


@pytest.mark.parametrize("present", ["a", "b"])
def test_nobody_leaves_if_one_of_them_did_not_come(
    server: DotdigitalServer, tmp_path: Path, present: str
) -> None:
    fill(server, "ann", "bob", "cid")
    shared = {"sync_mode": "mirror", "mirror_shared": True}
    streams = {"a": {**shared, "address_book": BOOK}, "b": {**shared, "address_book": "Customers"}}
    config = settings_for(server, streams=streams)
    ended = run(config, tmp_path, schema(present), *rows(["ann"], present), state(1))
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    assert members(server) == {"ann", "bob", "cid"}
    assert "another stream that mirrors it did not come" in ended.stderr


def test_each_address_book_has_its_own_mirror(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann", "bob", "cid", "dan")
    mirrored = {"sync_mode": "mirror", "max_removal_percent": 75}
    config = settings_for(
        server, streams={"a": {**mirrored, "address_book": 101}, "b": {**mirrored}}
    )
    messages = [schema("a"), schema("b"), *rows(["ann"], "a"), *rows(["bob", "cid"], "b")]
    ended = run(config, tmp_path, *messages)
    assert ended.status == 0, ended.stderr
    assert (members(server, 101), members(server)) == ({"ann"}, {"bob", "cid"})
    assert [path.name.split(".")[1] for path in undo_files(tmp_path)] == ["101", "102"]


# Versions.


def test_rows_of_another_version_hold_nobody(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann", "bob", "cid")
    ended = run(
        mirror(server),
        tmp_path,
        schema(),
        activate(2),
        *versioned(1, "bob"),
        *versioned(2, "ann"),
        activate(2),
    )
    assert ended.status == 0, ended.stderr
    # What is written of the older one is written in the same import.
    assert members(server) == {"ann"}


@pytest.mark.parametrize("end", [[], [activate(2)]], ids=["once", "again"])
def test_a_version_that_is_announced_is_complete_with_the_state_after_it(
    server: DotdigitalServer, tmp_path: Path, end: list[dict[str, Any]]
) -> None:
    # As taps made with the Meltano SDK do it (`emit_activate_version_messages`).
    fill(server, "ann", "bob", "cid")
    messages = [activate(2), *versioned(1, "cid"), *versioned(2, "ann", "bob"), *end, state(7)]
    ended = run(mirror(server), tmp_path, schema(), *messages)
    assert ended.status == 0, ended.stderr
    assert members(server) == {"ann", "bob"}
    assert ended.states == [7]


def test_rows_without_a_version_count_for_every_one(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann", "bob", "cid")
    messages = [*rows(["bob"]), *versioned(2, "ann"), activate(2), *versioned(2, "dan")]
    ended = run(mirror(server), tmp_path, schema(), *messages)
    assert ended.status == 0, ended.stderr
    assert members(server) == {"ann", "bob", "dan"}


# How they leave.


def test_they_leave_in_parts_one_after_the_other(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann", *(f"p{number}" for number in range(5_001)))
    ended = run(
        mirror(server, stream={"max_removal_percent": 100}), tmp_path, schema(), *rows(["ann"])
    )
    assert ended.status == 0, ended.stderr
    assert members(server) == {"ann"}
    assert [len(call.json) for call in server.calls_of(REMOVE)] == [5_000, 1]
    first, second = (call.at for call in server.calls_of(REMOVE))
    assert any(first < poll.at < second for poll in server.calls_of(REMOVAL_STATUS))
    (path,) = undo_files(tmp_path)
    assert len(path.read_text().splitlines()) == 5_002


def test_lost_replies_and_failed_jobs_are_repeated(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann", "bob")
    server.departures.max_page = 1
    for route in (MEMBERS, REMOVE, REMOVAL_STATUS):
        server.answer_next(route, reply(503, b""), lost_reply())
    server.departures.end_next("Failed")
    ended = run(mirror(server), tmp_path, schema(), *rows(["ann"]))
    assert ended.status == 0, ended.stderr
    assert members(server) == {"ann"}


@pytest.mark.parametrize("word", ["Failed", "NotAvailableInThisVersion", "Finished"])
def test_a_removal_that_does_not_end_well_fails_the_run(
    server: DotdigitalServer, tmp_path: Path, word: str
) -> None:
    fill(server, "ann", "bob")
    server.departures.end_next(word, times=3 if word == "Failed" else 1)
    ended = run(mirror(server), tmp_path, schema(), *rows(["ann"]), state(1))
    assert (ended.status, ended.states) == (1, [])
    again = run(mirror(server), tmp_path, schema(), *rows(["ann"]), state(1))
    assert (again.status, again.states) == (0, [1])
    assert members(server) == {"ann"}


@pytest.mark.parametrize("place", ["rejects", "here"])
def test_whoever_left_can_be_put_back(server: DotdigitalServer, tmp_path: Path, place: str) -> None:
    fill(server, "ann", "bob", "cid")
    before = server.contents()
    folder = tmp_path / "deep" / "er" if place == "rejects" else tmp_path
    more = {"rejects_path": str(folder / "rejects.singer")} if place == "rejects" else {}
    ended = run(mirror(server, **more), tmp_path, schema(), *rows(["ann"]))
    assert ended.status == 0, ended.stderr
    (path,) = undo_files(folder)
    assert str(path) in ended.stderr
    assert path.name.startswith(f"leavers.{BOOK}.")
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert b"example.com" not in path.read_bytes()
    back = settings_for(server, streams={"leavers": {"match_identifier": "contactId"}})
    undone = run(back, tmp_path, path.read_bytes())
    assert undone.status == 0, undone.stderr
    assert "read 2 = imported 2" in undone.counts("leavers")
    assert server.contents() == before


# STATE.


def test_state_waits_for_those_who_leave(server: DotdigitalServer, tmp_path: Path) -> None:
    """A tap whose bookmark had moved on would not send everybody again."""
    fill(server, "ann", "bob")
    server.departures.hold()
    config = mirror(server, batch_size_rows=1)
    config["streams"]["before"] = {}
    with TargetProcess(config, tmp_path) as target:
        target.send(schema("before"), *rows(["zoe"], "before"), state(1), schema(), *rows(["ann"]))
        target.send(state(2), *rows(["new"]), state(3))
        target.close_input()
        server.wait_for_calls(REMOVAL_STATUS, 1)
        target.wait_for("1")
        assert target.states == [1]
        server.departures.release()
        ended = target.end()
    assert (ended.status, ended.states) == (0, [1, 3])


def test_whoever_another_stream_puts_there_row_by_row_stays(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann", "bob", "cid", "dan", "eve")
    streams = {
        "people": {"sync_mode": "mirror", "max_removal_percent": 99},
        "others": {"address_book_property": "books"},
    }
    others = schema("others", properties={"email": {"type": "string"}, "books": {}})
    named = [
        record("others", email="bob@example.com", books=["Customers", 101]),
        record("others", email="cid@example.com", books=101),
    ]
    config = settings_for(server, streams=streams)
    ended = run(config, tmp_path, schema(), *rows(["ann"]), others, *named, *rows(["dan"]))
    assert ended.status == 0, ended.stderr
    assert members(server) == {"ann", "bob", "dan"}
