"""Rows that the tap marks as deleted: who leaves what, in which order, and what counts."""

from __future__ import annotations

import json
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.dotdigital.answers import html_reply, lost_reply, reply, v2_error, v3_error
from tests.support.dotdigital.departure_routes import (
    CONTACT,
    DELETE,
    DELETION_STATUS,
    MEMBERS,
    REMOVAL_STATUS,
    REMOVE,
)
from tests.support.dotdigital.routes import IMPORT
from tests.support.messages import record, schema, state
from tests.support.mirrors import BOOK, PACE, fill, run
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

EMAIL_ONLY: dict[str, Any] = {"email": {"type": ["string", "null"]}}


def deleted(stream: str = "people", **values: Any) -> dict[str, Any]:
    return record(stream, **values, _sdc_deleted_at="2026-01-31T10:00:00Z")


def settings(server: DotdigitalServer, on_delete: str, **more: Any) -> dict[str, Any]:
    # Of a few rows each, one or all are rejected.
    more = {"max_reject_percent": 100, **more}
    return settings_for(server, streams={"people": {"on_delete": on_delete}}, **more)


def members(server: DotdigitalServer) -> set[str]:
    return {name[0] for name, each in server.contacts.items() if BOOK in each.lists}


# What each setting does.


def test_to_be_ignored_is_the_default(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann")
    ended = load(settings_for(server), tmp_path, schema(), deleted(email="ann@example.com"))
    assert ended.status == 0
    assert ended.counts().strip() == "read 1 = imported 0 + rejected 0 + collapsed 0 + skipped 1"
    assert server.contacts["ann@example.com"].lists == {101, BOOK}
    assert {call.method for call in server.calls} == {"GET"}


def test_removed_is_out_of_the_address_book_and_nothing_else(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann", "bob", "cid")
    before = server.contents()
    ended = run(
        settings(server, "remove"),
        tmp_path,
        schema(),
        deleted(email=" Ann@Example.COM "),
        deleted(email="bob@example.com"),
        deleted(email="bob@example.com"),
        deleted(email="nobody@example.com"),
        state({"row": 4}),
    )
    assert (ended.status, ended.states) == (0, [{"row": 4}]), ended.stderr
    assert ended.counts().strip() == (
        "read 4 = imported 0 + rejected 0 + collapsed 0 + skipped 4; left the address book 3; "
        "not found to remove 1"
    )
    for name in ("ann", "bob"):
        before[f"{name}@example.com"]["lists"] = [101]
    assert server.contents() == before
    (call,) = server.calls_of(REMOVE)
    assert call.path == f"/v2/address-books/{BOOK}/contacts/delete"
    assert all(type(each) is int for each in call.json)
    assert not server.calls_of(DELETE)


def test_deleted_is_out_of_the_account(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann", "bob", "cid")
    ended = run(
        settings(server, "delete"),
        tmp_path,
        schema(),
        deleted(email="Ann@Example.com"),
        deleted(email="nobody@example.com"),
        deleted(email="ann@example.com"),
        state({"row": 3}),
    )
    assert (ended.status, ended.states) == (0, [{"row": 3}]), ended.stderr
    assert ended.counts().strip() == (
        "read 3 = imported 0 + rejected 0 + collapsed 0 + skipped 3; deleted 2; "
        "not found to remove 1"
    )
    assert sorted(server.contacts) == ["bob@example.com", "cid@example.com"]
    (call,) = server.calls_of(DELETE)
    assert call.json == [{"email": "ann@example.com"}, {"email": "nobody@example.com"}]


@pytest.mark.parametrize("on_delete", ["remove", "delete"])
def test_a_custom_identifier_alone_is_enough_whatever_the_schema_requires(
    server: DotdigitalServer, tmp_path: Path, on_delete: str
) -> None:
    """A tap that reads a log knows no more of a deleted row than its key."""
    server.custom_identifiers.add("customerId")
    config = settings(server, on_delete)
    config["streams"]["people"] |= {
        "match_identifier": "customerId",
        "identifiers": {"customerId": "id", "email": "email"},
    }
    required = schema(key_properties=["id"])
    required["schema"]["required"] = ["id", "email", "first_name"]
    ended = run(
        config,
        tmp_path,
        required,
        record(id=7, email="ann@example.com", first_name="Ann"),
        record(id=8, email="bob@example.com", first_name="Bob"),
        record(id=9, email="cid@example.com"),
        deleted(id=7),
    )
    assert ended.status == 0, ended.stderr
    assert "imported 2 + rejected 1 + collapsed 0 + skipped 1" in ended.counts()
    assert members(server) == {"b"}


def test_the_match_identifier_alone_is_enough_without_the_key_of_the_tap(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann", "bob")
    keyed = schema(key_properties=["id"])
    ended = run(settings(server, "remove"), tmp_path, keyed, deleted(email="ann@example.com"))
    assert ended.status == 0, ended.stderr
    assert "rejected 0 + collapsed 0 + skipped 1" in ended.counts()
    assert members(server) == {"b"}


@pytest.mark.parametrize("on_delete", ["remove", "delete"])
def test_a_row_that_does_not_tell_who_leaves_is_rejected(
    server: DotdigitalServer, tmp_path: Path, on_delete: str
) -> None:
    fill(server, "ann")
    rejects = tmp_path / "rejects.singer"
    rows = [
        deleted(id=1, email=None),
        deleted(id=2),
        deleted(id=3, email=" "),
        deleted(id=4, email="no address"),
        deleted(id=5, email=7),
        deleted(id=6, email="half\ud800@example.com"),
    ]
    config = settings(server, on_delete, rejects_path=str(rejects), max_reject_percent=100)
    ended = run(config, tmp_path, schema(), *rows)
    assert ended.status == 0, ended.stderr
    assert ended.counts().strip() == (
        "read 6 = imported 0 + rejected 6 + collapsed 0 + skipped 0; "
        "rejected by code: delete.unidentified 3, identifier.invalid 3"
    )
    kept = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert all(each["record"]["_sdc_deleted_at"] for each in kept if each["type"] == "RECORD")
    assert members(server) == {"a"}
    again = run(config, tmp_path, rejects.read_bytes())
    assert "rejected 6" in again.counts()


def test_a_contact_id_is_enough(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann", "bob")
    contact = server.contact("ann@example.com")
    assert contact is not None
    config = settings(server, "delete")
    config["streams"]["people"]["match_identifier"] = "contactId"
    people = schema(properties={"contactId": {"type": "integer"}})
    ended = run(config, tmp_path, people, deleted(contactId=contact.contact_id))
    assert ended.status == 0, ended.stderr
    assert "deleted 1" in ended.counts()
    assert members(server) == {"b"}


def test_stream_maps_are_applied_first(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann", "bob")
    maps = {"people": {"email": "mail.lower()", "__filter__": "mail != 'bob@example.com'"}}
    ended = run(
        settings(server, "delete", stream_maps=maps),
        tmp_path,
        schema(properties={"mail": {"type": "string"}}),
        deleted(mail="ANN@example.com"),
        deleted(mail="bob@example.com"),
        deleted(other="nothing that the map could use"),
    )
    assert ended.status == 0, ended.stderr
    assert "rejected 1 + collapsed 0 + skipped 2" in ended.counts()
    assert members(server) == {"b"}


# Order.


@pytest.mark.parametrize("on_delete", ["remove", "delete"])
@pytest.mark.parametrize("batch_size_rows", [1, 2, 100])
@pytest.mark.parametrize("last", ["upsert", "departure"])
def test_the_last_row_of_a_contact_decides(
    server: DotdigitalServer, tmp_path: Path, on_delete: str, batch_size_rows: int, last: str
) -> None:
    fill(server, "ann", "bob")
    server.polls_to_finish = lambda each: each.index % 3
    server.departures.polls_to_finish = lambda each: len(each.sent) % 2
    rows = []
    for number in range(1, 4):
        for name in ("ann", "bob", "cid"):
            upsert = record(email=f"{name}@example.com", first_name=f"{name} {number}")
            pair = [upsert, deleted(email=f"{name}@example.com")]
            rows += pair if last == "departure" else pair[::-1]
        rows.append(state({"number": number}))
    config = settings(server, on_delete, batch_size_rows=batch_size_rows)
    ended = run(config, tmp_path, schema(), *rows)
    assert ended.status == 0, ended.stderr
    assert ended.states[-1] == {"number": 3}
    assert server.order_violations == 0
    assert "read 18 = imported 9 + rejected 0 + collapsed 0 + skipped 9" in ended.counts()
    assert members(server) == ({"a", "b", "c"} if last == "upsert" else set())
    if last == "upsert":
        names = {each.data_fields["FIRSTNAME"] for each in server.contacts.values()}
        assert names == {"ann 3", "bob 3", "cid 3"}


@pytest.mark.parametrize("order", list(permutations(["crm", "shop", "gone"])), ids="-".join)
def test_order_is_kept_across_streams(
    server: DotdigitalServer, tmp_path: Path, order: tuple[str, ...]
) -> None:
    streams: dict[str, Any] = {
        "crm": {"address_book": 101},
        "shop": {"address_book": BOOK, "merge_option": "overwriteIfNotEmpty"},
        "gone": {"on_delete": "delete"},
    }
    rows = {
        "crm": record("crm", email="ann@example.com", first_name="A"),
        "shop": record("shop", email="ann@example.com", first_name="B"),
        "gone": deleted("gone", email="Ann@example.com"),
    }
    config = settings_for(server, streams=streams)
    ended = run(config, tmp_path, *map(schema, order), *(rows[each] for each in order))
    assert ended.status == 0, ended.stderr
    after = order[order.index("gone") + 1 :]
    lists = {101 if each == "crm" else BOOK for each in after}
    found = server.contact("ann@example.com")
    assert (found.lists if found else set()) == lists
    assert server.order_violations == 0


def test_another_identifier_of_the_same_person_keeps_the_order_too(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.custom_identifiers.add("customerId")
    both = {"email": "email", "customerId": "id"}
    streams = {
        "people": {"identifiers": both},
        "gone": {"match_identifier": "customerId", "identifiers": both, "on_delete": "delete"},
    }
    config = settings_for(server, streams=streams)
    rows = [
        record(id="7", email="ann@example.com", first_name="Ann"),
        deleted("gone", id="7"),
        record(id="8", email="bob@example.com"),
        deleted("gone", id="8", email="bob@example.com"),
        record(id="8", email="bob@example.com", first_name="back"),
    ]
    properties = {"id": {"type": "string"}, **EMAIL_ONLY, "first_name": {}}
    schemas = [schema(name, properties=properties) for name in ("people", "gone")]
    ended = run(config, tmp_path, *schemas, *rows)
    assert ended.status == 0, ended.stderr
    assert list(server.contacts) == ["bob@example.com"]
    assert server.order_violations == 0


# STATE.


@pytest.mark.parametrize("on_delete", ["remove", "delete"])
def test_state_passes_a_departure_only_when_it_is_settled(
    server: DotdigitalServer, tmp_path: Path, on_delete: str
) -> None:
    fill(server, "ann")
    server.departures.hold()
    config = settings(server, on_delete, batch_wait_limit_seconds=1)
    route = REMOVAL_STATUS if on_delete == "remove" else DELETION_STATUS
    with TargetProcess(config, tmp_path) as target:
        target.send(
            schema(),
            record(email="bob@example.com"),
            state({"row": 1}),
            deleted(email="ann@example.com"),
            state({"row": 2}),
        )
        server.wait_for_calls(route, 2)
        target.wait_for('{"row": 1}')
        assert target.states == [{"row": 1}]
        server.departures.release()
        target.wait_for('{"row": 2}')  # while the tap is silent
        ended = target.end()
    assert ended.status == 0


@pytest.mark.parametrize("on_delete", ["remove", "delete"])
@pytest.mark.parametrize("word", ["Failed", "NotAvailableInThisVersion", "Done"])
def test_no_other_word_is_a_success(
    server: DotdigitalServer, tmp_path: Path, on_delete: str, word: str
) -> None:
    fill(server, "ann")
    server.departures.end_next(word, times=3 if word == "Failed" else 1)
    rows = [record(email="bob@example.com"), state({"row": 1}), deleted(email="ann@example.com")]
    config = settings(server, on_delete, batch_size_rows=1)
    ended = run(config, tmp_path, schema(), *rows, state({"row": 2}))
    assert (ended.status, ended.states) == (1, [{"row": 1}])
    assert "skipped 0 + unsettled 1" in ended.counts()
    assert members(server) == {"a", "b"}
    assert len(server.departures.jobs) == (3 if word == "Failed" else 1)
    repeated = run(settings(server, on_delete), tmp_path, schema(), rows[-1], state({"row": 2}))
    assert (repeated.status, repeated.states) == (0, [{"row": 2}])
    assert members(server) == {"b"}


@pytest.mark.parametrize("on_delete", ["remove", "delete"])
def test_a_job_that_failed_once_is_asked_for_again(
    server: DotdigitalServer, tmp_path: Path, on_delete: str
) -> None:
    fill(server, "ann")
    server.departures.end_next("Failed", times=2)
    ended = run(settings(server, on_delete), tmp_path, schema(), deleted(email="ann@example.com"))
    assert ended.status == 0
    assert members(server) == set()


@pytest.mark.parametrize("on_delete", ["remove", "delete"])
def test_a_reply_that_is_lost_is_asked_for_again(
    server: DotdigitalServer, tmp_path: Path, on_delete: str
) -> None:
    fill(server, "ann", "bob")
    routes = {"remove": (REMOVE, REMOVAL_STATUS, CONTACT), "delete": (DELETE, DELETION_STATUS)}
    for route in routes[on_delete]:
        server.answer_next(route, reply(503, b""), lost_reply())
    server.answer_next(routes[on_delete][1], v3_error(404, "contacts:importNotFound", "?"))
    ended = run(settings(server, on_delete), tmp_path, schema(), deleted(email="ann@example.com"))
    assert ended.status == 0, ended.stderr
    assert "skipped 1" in ended.counts()
    assert members(server) == {"b"}


# Refusals.


def test_a_full_account_is_waited_for(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann")
    server.departures.max_active_deletions = 0
    with TargetProcess(settings(server, "delete"), tmp_path, pace=PACE) as target:
        target.send(schema(), deleted(email="ann@example.com"), state(1))
        target.close_input()
        server.wait_for_calls(DELETE, 3)
        server.departures.max_active_deletions = 1
        ended = target.end()
    assert (ended.status, ended.states) == (0, [1])
    assert members(server) == set()


@pytest.mark.parametrize("lists", [True, False], ids=["lists", "sums alone"])
@pytest.mark.parametrize("codes", ["camelCase", "PascalCase"])
def test_whom_dotdigital_refuses_to_delete_is_rejected(
    server: DotdigitalServer, tmp_path: Path, codes: str, *, lists: bool
) -> None:
    fill(server, "ann", "bob")
    server.departures.codes = codes  # type: ignore[assignment]
    server.departures.report_lists = lists
    server.departures.rejected["ann@example.com"] = "contactLocked"
    rows = [deleted(email=f"{name}@example.com") for name in ("ann", "bob", "nobody")]
    ended = run(settings(server, "delete"), tmp_path, schema(), *rows, state(1))
    if lists:
        assert (ended.status, ended.states) == (0, [1])
        assert "rejected 1 + collapsed 0 + skipped 2" in ended.counts()
        assert "rejected by code: dotdigital.contactLocked 1; deleted 1" in ended.counts()
    else:  # who it was is not told
        assert (ended.status, ended.states) == (1, [])
        assert "unsettled 3" in ended.counts()
    assert members(server) == {"a"}


def test_sums_are_enough_where_everybody_is_gone(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann", "bob")
    server.departures.report_lists = False
    rows = [deleted(email=f"{name}@example.com") for name in ("ann", "bob", "nobody")]
    ended = run(settings(server, "delete"), tmp_path, schema(), *rows, state(1))
    assert (ended.status, ended.states) == (0, [1])
    assert "skipped 3; deleted 2; not found to remove 1" in ended.counts()


def test_a_report_that_says_nothing_settles_nobody(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.departures.report_lists = server.departures.report_summary = False
    rows = [deleted(email="ann@example.com"), state(1)]
    ended = run(settings(server, "delete"), tmp_path, schema(), *rows)
    assert (ended.status, ended.states) == (1, [])
    assert "report leaves out 1 of 1 contacts" in ended.stderr


def test_a_request_that_is_refused_as_a_whole_is_halved(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    names = [f"p{number}" for number in range(20)]
    fill(server, *names)
    server.departures.refused.add("p13@example.com")
    rows = [deleted(email=f"{name}@example.com") for name in names]
    ended = run(settings(server, "delete"), tmp_path, schema(), *rows, state(1))
    assert (ended.status, ended.states) == (0, [1])
    assert "rejected 1 + collapsed 0 + skipped 19" in ended.counts()
    assert "dotdigital.invalidId 1" in ended.counts()
    assert list(server.contacts) == ["p13@example.com"]
    assert "p13" not in ended.stderr


def test_one_whom_nobody_can_be_is_rejected(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann")
    refusal = v3_error(400, "contacts:invalidId", "The id value 'ann@example.com' is invalid")
    server.answer_next(CONTACT, refusal)
    rows = [deleted(email="ann@example.com"), deleted(email="nobody@example.com")]
    ended = run(settings(server, "remove"), tmp_path, schema(), *rows)
    assert ended.status == 0
    assert "rejected 1 + collapsed 0 + skipped 1" in ended.counts()
    assert "dotdigital.invalidId 1" in ended.counts()
    assert "ann" not in ended.stderr


def test_not_found_by_a_proxy_is_not_gone(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann")
    server.answer_next(CONTACT, html_reply(404), times=None)
    rows = [deleted(email="ann@example.com"), state(1)]
    ended = run(settings(server, "remove"), tmp_path, schema(), *rows)
    assert (ended.status, ended.states) == (1, [])


@pytest.mark.parametrize("code", ["ERROR_PARAMETER_INVALID", "ERROR_ADDRESSBOOK_NOTWRITABLE"])
def test_a_removal_that_is_refused_blames_no_row(
    server: DotdigitalServer, tmp_path: Path, code: str
) -> None:
    fill(server, "ann")
    server.answer_next(REMOVE, v2_error(400, f"It is not possible. {code}"))
    rows = [deleted(email="ann@example.com"), state(1)]
    ended = run(settings(server, "remove"), tmp_path, schema(), *rows)
    assert (ended.status, ended.states) == (1, [])
    assert code in ended.stderr
    assert "rejected 0 + collapsed 0 + skipped 0 + unsettled 1" in ended.counts()


def test_an_address_book_that_is_gone_ends_the_run(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann")
    with TargetProcess(settings(server, "remove"), tmp_path, pace=PACE) as target:
        target.send(schema(), deleted(email="ann@example.com"), state(1))
        target.wait_for("Connected", "stderr")
        del server.address_books[BOOK]
        ended = target.end()
    assert (ended.status, ended.states) == (1, [])
    assert "ddress book 'Customers' (102) no longer exists" in ended.stderr


# Many.


@pytest.mark.parametrize("tells_count", [True, False])
def test_many_are_found_in_the_list_of_members(
    server: DotdigitalServer, tmp_path: Path, *, tells_count: bool
) -> None:
    names = [f"p{number}" for number in range(40)]
    fill(server, *names)
    server.departures.max_page = 7
    server.departures.tells_count = tells_count
    rows = [deleted(email=f"P{number}@example.com") for number in range(30)]
    ended = run(
        settings(server, "remove"), tmp_path, schema(), *rows, deleted(email="x@example.com")
    )
    assert ended.status == 0, ended.stderr
    assert "left the address book 30; not found to remove 1" in ended.counts()
    assert not server.calls_of(CONTACT)
    pages = server.calls_of(MEMBERS)
    assert [page.query["limit"] for page in pages] == ["5000"] * 6
    assert {page.query["~listId"] for page in pages} == {str(BOOK)}
    left = [name for name, each in server.contacts.items() if BOOK in each.lists]
    assert sorted(left) == sorted(f"{name}@example.com" for name in names[30:])


def test_whoever_an_incomplete_list_lacks_is_looked_up(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, *(f"p{number}" for number in range(30)))
    server.departures.max_page = 10
    first = {"marker": "MA==", "link": "/"}
    cut = reply(200, {"_items": [], "_links": {"self": first, "first": first}})
    server.answer_next(MEMBERS, lambda _call: None, cut)
    rows = [deleted(email=f"p{number}@example.com") for number in range(25)]
    ended = run(settings(server, "remove"), tmp_path, schema(), *rows)
    assert ended.status == 0, ended.stderr
    assert "left the address book 25" in ended.counts()
    assert len(server.calls_of(CONTACT)) == 15


def test_a_large_address_book_is_not_read_for_a_few(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    names = [f"p{number}" for number in range(22)]
    fill(server, *names)
    server.departures.told_too_many = 5_000 * 22
    rows = [deleted(email=f"{name}@example.com") for name in names]
    ended = run(settings(server, "remove"), tmp_path, schema(), *rows)
    assert ended.status == 0
    assert len(server.calls_of(CONTACT)) == 22
    assert not server.calls_of(MEMBERS)


def test_no_call_has_more_contacts_than_dotdigital_takes(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    people = [f"p{number}@example.com" for number in range(5_001)]
    rows = [deleted(email=email) for email in people]
    ended = run(settings(server, "delete"), tmp_path, schema(properties=EMAIL_ONLY), *rows)
    assert ended.status == 0
    assert sorted(len(call.json) for call in server.calls_of(DELETE)) == [1, 5_000]
    assert not server.calls_of(IMPORT)


@pytest.mark.parametrize("value", ["a/b?c#d%2e", "..", "x y+z", "ü"])
def test_a_value_is_the_same_in_a_path(
    server: DotdigitalServer, tmp_path: Path, value: str
) -> None:
    server.custom_identifiers.add("customerId")
    config = settings(server, "remove")
    config["streams"]["people"] |= {
        "match_identifier": "customerId",
        "identifiers": {"customerId": "id", "email": "email"},
    }
    properties = {"id": {"type": "string"}, **EMAIL_ONLY}
    rows = [record(id=value, email="ann@example.com"), record(id="b", email="bob@example.com")]
    ended = run(config, tmp_path, schema(properties=properties), *rows, deleted(id=value))
    assert ended.status == 0, ended.stderr
    assert "left the address book 1" in ended.counts()
    assert members(server) == {"b"}
