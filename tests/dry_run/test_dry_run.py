"""Dry runs: everything but writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.errors import TargetDotdigitalError
from target_dotdigital.sandbox import EmbeddedSandbox
from tests.support.dotdigital.answers import reply, v3_error
from tests.support.dotdigital.contract.openapi import needs_vendor_files, violations_of
from tests.support.dotdigital.contract.recording import RecordingProxy
from tests.support.dotdigital.departure_routes import CONTACT, MEMBERS
from tests.support.dotdigital.routes import ADDRESS_BOOK, DATA_FIELDS
from tests.support.messages import activate, gone, record, rows, schema, state, versioned
from tests.support.reports import report_of
from tests.support.sandbox.client import SandboxClient
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer
    from tests.support.target.command import FinishedRun

BOOK, OTHER = 102, 101
MANY = [f"p{number}" for number in range(250)]
"""Too many to be looked up one by one."""


def dry(server: DotdigitalServer, **settings: Any) -> dict[str, Any]:
    return settings_for(server, dry_run=True, report_path="report.json", **settings)


def plan_of(config: dict[str, Any], folder: Path, *messages: Any, status: int = 0) -> Any:  # noqa: ANN401 - JSON
    """Make a dry run, and return its plan."""
    ended = load(config, folder, *messages)
    assert (ended.status, ended.stdout) == (status, ""), ended.stderr
    assert "Plan of a dry run" in ended.stderr
    report = report_of(folder)
    assert report["kind"] == "plan"
    return {**report["plan"], "streams": report["streams"], "outcome": report["outcome"]}


def numbers(contacts: int, new: int | None, updated: int | None) -> dict[str, int | None]:
    return {"contacts": contacts, "new": new, "updated": updated}


# Nothing is written.

STREAMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "mapped": {"fields": {"FIRSTNAME": "first_name"}},
    "all options": {
        "merge_option": "overwriteIfNotEmpty",
        "email_type": "html",
        "email_opt_in_type": "verifiedDouble",
        "resubscribe": True,
    },
    "new field": {"fields": {"NEW_FIELD": "first_name"}},
    "new address book": {"address_book": "Brand new"},
    "removes": {"on_delete": "remove"},
    "removes from a new one": {"on_delete": "remove", "address_book": "Brand new"},
    "deletes": {"on_delete": "delete"},
    "mirror": {"sync_mode": "mirror", "max_removal_percent": 100},
    "mirror of a new one": {"sync_mode": "mirror", "address_book": "Brand new"},
    "by ID": {"match_identifier": "contactId", "identifiers": {"contactId": "id"}},
    "rows' address books": {"address_book_property": "first_name"},
    "permissions": {"preferences": {"1": "agrees"}},
    "by phone": {"match_identifier": "mobileNumber", "identifiers": {"mobileNumber": "phone"}},
}


@pytest.mark.parametrize("count", [3, 250], ids=["few", "many"])
@pytest.mark.parametrize("kind", STREAMS)
def test_nothing_but_get_leaves(
    server: DotdigitalServer, tmp_path: Path, kind: str, count: int
) -> None:
    for name in ("old", *MANY[:10]):
        server.add_contact(f"{name}@example.com", lists=(OTHER, BOOK))
    before, books = server.contents(), dict(server.address_books)
    fields = dict(server.data_fields)
    config = dry(
        server,
        streams={"people": STREAMS[kind]},
        **({"address_book": None} if "address_book_property" in STREAMS[kind] else {}),
        create_address_book=True,
        create_data_fields=True,
        batch_size_rows=100,
    )
    properties = {
        "id": {},
        "email": {},
        "first_name": {"type": "string"},
        "phone": {},
        "agrees": {},
    }
    people = [
        record(
            id=number + 1,
            email=f"{name}@example.com",
            first_name="x",
            phone=f"+44 7700 900{number:03}",
        )
        for number, name in enumerate(MANY[:count])
    ]
    messages = [schema(properties=properties), *people, state(1)]
    if "on_delete" in STREAMS[kind]:
        messages.insert(-1, *gone(["old"]))
    plan = plan_of(config, tmp_path, *messages)
    assert {call.method for call in server.calls} == {"GET"}
    assert (server.contents(), server.address_books, server.data_fields) == (before, books, fields)
    assert plan["streams"][0]["valid"] == count
    assert plan["contacts"]["contacts"] == count
    assert plan["imports"] == -(-count // 100)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["config.json", "report.json"]


def test_no_other_call_can_leave(server: DotdigitalServer, tmp_path: Path) -> None:
    """Whatever the code around it does: the way calls are made refuses."""
    from target_dotdigital.account.account import Account  # noqa: PLC0415 - of this test alone
    from target_dotdigital.clock import Clock  # noqa: PLC0415
    from target_dotdigital.settings.settings import Settings  # noqa: PLC0415
    from target_dotdigital.singer.configuration import complete  # noqa: PLC0415
    from target_dotdigital.target import TargetDotdigital  # noqa: PLC0415

    config = {**dry(server), "report_path": str(tmp_path / "report.json")}
    assert complete(config, TargetDotdigital._all_settings()) == []
    account = Account(Settings.from_config(config), Clock())
    writes: list[Callable[[], object]] = [
        lambda: account.client.import_contacts(b"{}"),
        lambda: account.client.delete_contacts(b"[]"),
        lambda: account.client.remove_members(BOOK, [1]),
        lambda: account.client.create_data_field("A", "String", lambda: None),
        lambda: account.client.create_address_book("A", lambda: None),
    ]
    for write in writes:
        with pytest.raises(AssertionError):
            write()
    account.close()
    assert {call.method for call in server.calls} == {"GET"}
    assert not issubclass(AssertionError, TargetDotdigitalError)


# What becomes of rows.

WHERE = ("filtered", "ignored_deletions", "not_loaded", "not_loaded_because", "loaded_into")
"""Looked at in tests/report/test_arrivals.py."""


def test_rows_are_counted_and_rejects_are_kept(server: DotdigitalServer, tmp_path: Path) -> None:
    config = dry(
        server,
        rejects_path="rejects.singer",
        streams={"people": {"on_delete": "remove"}, "deleted": {"on_delete": "delete"}},
    )
    messages = [
        schema(),
        *rows(["ann", "bob", "ann"]),
        record(email="no address"),
        record(email=None),
        schema("deleted"),
        *gone(["cid"], "deleted"),
        *gone(["dan"]),
        schema("orders", {"id": {}}),
        record("orders", id=1),
        state({"at": 7}),
    ]
    plan = plan_of(config, tmp_path, *messages)
    assert [
        {name: value for name, value in each.items() if name not in WHERE}
        for each in plan["streams"]
    ] == [
        {
            "stream": "people",
            "read": 6,
            "valid": 2,
            "rejected": {"identifier.invalid": 1, "identifier.missing": 1},
            "collapsed": 1,
            "skipped": 1,
            "would_leave": 1,
            "would_be_deleted": 0,
            "unsettled": 0,
            "rounded": {},
            "opted_out": {},
            "opted_out_new": 0,
            "unchanged": 0,
            "reject_groups": [
                {"code": "identifier.invalid", "property": "email", "rule": "email", "rows": 1},
                {"code": "identifier.missing", "property": "email", "rule": "email", "rows": 1},
            ],
        },
        {
            "stream": "deleted",
            "read": 1,
            "valid": 0,
            "rejected": {},
            "collapsed": 0,
            "skipped": 1,
            "would_leave": 0,
            "would_be_deleted": 1,
            "unsettled": 0,
            "rounded": {},
            "opted_out": {},
            "opted_out_new": 0,
            "unchanged": 0,
            "reject_groups": [],
        },
        {
            "stream": "orders",
            "read": 1,
            "valid": 0,
            "rejected": {},
            "collapsed": 0,
            "skipped": 1,
            "would_leave": 0,
            "would_be_deleted": 0,
            "unsettled": 0,
            "rounded": {},
            "opted_out": {},
            "opted_out_new": 0,
            "unchanged": 0,
            "reject_groups": [],
        },
    ]
    lines = (tmp_path / "rejects.singer").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["SCHEMA", "RECORD", "RECORD"]
    assert plan["outcome"] == {"status": "succeeded", "reason": None}


def test_too_many_rejects_end_it(server: DotdigitalServer, tmp_path: Path) -> None:
    config = dry(server, max_reject_percent=10)
    bad = [record(email="no address")] * 2000
    plan = plan_of(config, tmp_path, schema(), *bad, status=1)
    assert plan["outcome"]["status"] == "failed"
    assert "limit of 10 % (max_reject_percent)" in plan["outcome"]["reason"]
    assert plan["streams"][0]["rejected"] == {"identifier.invalid": 1000}
    assert any("not known" in note for note in plan["notes"])


# What would be created.


def test_what_would_be_created_is_told_and_used(server: DotdigitalServer, tmp_path: Path) -> None:
    fields = {"FIRSTNAME": "first_name", "points": "points"}
    config = dry(
        server,
        create_address_book=True,
        create_data_fields=True,
        max_reject_percent=100,
        streams={
            "a": {"address_book": "Brand new", "fields": fields},
            # By name: it must see what the first stream would have created.
            "b": {"address_book": "Brand new"},
        },
    )
    properties = {"email": {}, "first_name": {}, "points": {"type": "integer"}}
    messages = [
        schema("a", properties),
        *rows(["ann"], "a", points=1),
        schema("b", {**properties, "points": {"type": "string"}}),
        *rows(["bob"], "b", points="many"),
    ]
    plan = plan_of(config, tmp_path, *messages)
    assert plan["creates"] == {
        "address_books": ["Brand new"],
        "address_books_of_rows": 0,
        "data_fields": [{"name": "POINTS", "type": "Numeric", "stream": "a"}],
    }
    assert plan["streams"][1]["rejected"] == {"field.type": 1}
    (book,) = plan["address_books"]
    assert (book["name"], book["address_book"], book["contacts"]) == ("Brand new", None, 1)
    assert {each["route"]: each["at_least"] for each in plan["calls"]} == {
        "GET /v2/data-fields": 1,
        "GET /v2/address-books": 2,
        "POST /v2/address-books": 1,
        "POST /v2/data-fields": 1,
        "PUT /contacts/v3/import": 1,
        "GET /contacts/v3/import/{id}": 1,
    }
    tiers = {tier: calls["at_least"] for tier, calls in plan["calls_by_tier"].items()}
    assert tiers == {"low": 4, "medium": 2, "high": 1, "unlimited": 0}


def test_what_a_run_refuses_is_refused(server: DotdigitalServer, tmp_path: Path) -> None:
    for settings in (
        {"address_book": "Not there"},
        {"streams": {"people": {"fields": {"NOT_THERE": "first_name"}}}},
    ):
        plan = plan_of(dry(server, **settings), tmp_path, schema(), *rows(["a"]), status=1)
        assert plan["outcome"]["status"] == "failed"
        assert "NOT_THERE" in plan["outcome"]["reason"] or "Not there" in plan["outcome"]["reason"]


def test_address_books_that_rows_name_stay_unnamed(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = dry(
        server,
        address_book=None,
        create_address_book=True,
        streams={"people": {"address_book_property": "book"}},
    )
    people = [
        *rows(["ann", "bob"], book="kanarienvogel"),
        *rows(["cid"], book=["kanarienvogel", "kanarienvogel 2", BOOK]),
    ]
    plan = plan_of(config, tmp_path, schema(properties={"email": {}, "book": {}}), *people)
    assert plan["creates"]["address_books_of_rows"] == 2
    assert [each["contacts"] for each in plan["address_books"]] == [3, 1, 1]
    assert "kanarienvogel" not in (tmp_path / "report.json").read_text(encoding="utf-8")
    assert {call.method for call in server.calls} == {"GET"}


# Who is new.


@pytest.mark.parametrize("tells_lists", [True, False])
@pytest.mark.parametrize("needs_filter", [True, False])
@pytest.mark.parametrize("names", [MANY[:9], MANY], ids=["few", "many"])
def test_new_and_updated_contacts_are_told_apart(
    server: DotdigitalServer,
    tmp_path: Path,
    names: list[str],
    *,
    needs_filter: bool,
    tells_lists: bool,
) -> None:
    server.departures.needs_filter = needs_filter
    server.departures.tells_lists = tells_lists
    server.departures.max_page = 3
    for name in names[:2]:
        server.add_contact(f"{name.upper()}@EXAMPLE.com", lists=(BOOK,))
    for name in names[2:6]:
        server.add_contact(f"{name}@example.com", lists=(OTHER,))
    server.add_contact("stranger@example.com", lists=(BOOK,))
    config = dry(server, batch_size_rows=2)
    # The second time each is in another import: a contact is counted once.
    plan = plan_of(config, tmp_path, schema(), *rows(names), *rows(names[:2]))
    new = len(names) - 6
    assert plan["contacts"] == numbers(len(names), new, 6)
    assert plan["address_books"] == [
        {
            **numbers(len(names), new, 6),
            "address_book": BOOK,
            "name": server.address_books[BOOK],
            "updated_members": 2,
            "updated_joining": 4,
        }
    ]
    assert plan["contacts_in_imports"] == len(names) + 2
    looked_up = len(server.calls_of(CONTACT))
    assert looked_up == (len(names) if len(names) < 200 else 0)


def test_streams_of_several_address_books(server: DotdigitalServer, tmp_path: Path) -> None:
    server.add_contact("ann@example.com", lists=(OTHER,))
    config = dry(server, streams={"a": {"address_book": OTHER}, "b": {}})
    messages = [schema("a"), *rows(["ann", "bob"], "a"), schema("b"), *rows(["ann", "cid"], "b")]
    plan = plan_of(config, tmp_path, *messages)
    assert plan["contacts"] == numbers(3, 2, 1)
    found = {each["address_book"]: each for each in plan["address_books"]}
    assert (found[OTHER]["updated_members"], found[OTHER]["updated_joining"]) == (1, 0)
    assert (found[BOOK]["updated_members"], found[BOOK]["updated_joining"]) == (0, 1)


def test_the_account_is_not_read_when_the_address_book_has_everybody(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    for name in MANY:
        server.add_contact(f"{name}@example.com", lists=(BOOK,))
    plan = plan_of(dry(server), tmp_path, schema(), *rows(MANY))
    assert plan["contacts"] == numbers(250, 0, 250)
    assert {call.query.get("~listId") for call in server.calls_of(MEMBERS)} == {str(BOOK)}


@pytest.mark.parametrize("fault", ["it lists nobody", "its list is not complete"])
def test_an_account_that_cannot_be_compared_is_no_failure(
    server: DotdigitalServer, tmp_path: Path, fault: str
) -> None:
    if fault == "it lists nobody":
        server.answer_next(MEMBERS, v3_error(400, "contacts:invalidFilter", "x"), times=None)
        config = dry(server, address_book=None, account_only=True)
    else:
        server.departures.told_too_many = 1
        config = dry(server)
    plan = plan_of(config, tmp_path, schema(), *rows(MANY))
    assert plan["contacts"] == numbers(250, None, None)
    assert any(note.startswith("Who is new and who is updated is not") for note in plan["notes"])


def test_an_address_that_no_path_can_hold(server: DotdigitalServer, tmp_path: Path) -> None:
    server.custom_identifiers.add("customerId")
    stream = {"match_identifier": "customerId", "identifiers": {"customerId": "id"}}
    config = dry(server, streams={"people": stream})
    people = schema(properties={"id": {"type": "string"}})
    plan = plan_of(config, tmp_path, people, record(id=".."), record(id="a/b"))
    assert plan["contacts"] == numbers(2, 2, 0)


# Who leaves.


def test_rows_that_are_marked_as_deleted(server: DotdigitalServer, tmp_path: Path) -> None:
    server.add_contact("ann@example.com", lists=(BOOK,))
    server.add_contact("bob@example.com")
    for names in (["ann", "bob", "new"], ["ann", "bob", *MANY]):
        for on_delete, there in (("remove", 1), ("delete", 2)):
            config = dry(server, streams={"people": {"on_delete": on_delete}})
            plan = plan_of(config, tmp_path, schema(), *gone(names))
            (leaving,) = plan["leaving"]
            assert (leaving["contacts"], leaving["there_now"]) == (len(names), there)
            assert leaving["is_deletion"] == (on_delete == "delete")
            assert plan["contacts"] == numbers(0, 0, 0)


def mirror(server: DotdigitalServer, limit: int, **more: Any) -> dict[str, Any]:
    stream = {"sync_mode": "mirror", "max_removal_percent": limit, **more}
    return dry(server, streams={"people": stream})


def test_a_mirror_tells_who_would_leave(server: DotdigitalServer, tmp_path: Path) -> None:
    for name in ("ann", "bob", "cid", "dan"):
        server.add_contact(f"{name}@example.com", lists=(BOOK,))
    messages = [schema(), *rows(["ann", "new"]), state(1)]
    for limit, is_refused in ((75, False), (74, True)):
        plan = plan_of(mirror(server, limit), tmp_path, *messages, status=int(is_refused))
        (found,) = plan["mirrors"]
        assert (found["members"], found["would_leave"]) == (4, 3)
        assert found["is_refused"] == is_refused
        if is_refused:
            reason = plan["outcome"]["reason"]
            assert reason.startswith("A real run would be refused: 3 of 4 contacts (75 %) of")
            assert "limit of 74 % (max_removal_percent)" in reason
        assert plan["contacts"] == numbers(2, 1, 1)
    assert not list(tmp_path.glob("leavers*"))


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([schema(bookmark_properties=["id"]), *rows(["ann"])], "bookmark_properties"),
        ([schema()], "the tap sent no contact"),
        ([schema(), *rows(["ann"]), state({"currently_syncing": "people"})], "interrupted"),
        ([schema(), *versioned(1, "ann")], "ACTIVATE_VERSION"),
        ([schema(), *versioned(1, "ann"), activate(2)], "ACTIVATE_VERSION"),
    ],
    ids=["incremental", "empty", "interrupted", "unmarked", "another version"],
)
def test_a_mirror_that_a_run_refuses_is_refused(
    server: DotdigitalServer, tmp_path: Path, messages: list[Any], reason: str
) -> None:
    plan = plan_of(mirror(server, 100), tmp_path, *messages, status=1)
    assert reason in plan["outcome"]["reason"]


def test_a_mirror_of_a_new_address_book(server: DotdigitalServer, tmp_path: Path) -> None:
    config = mirror(server, 0, address_book="Brand new")
    config["create_address_book"] = True
    plan = plan_of(config, tmp_path, schema(), *rows(["ann"]))
    (found,) = plan["mirrors"]
    assert (found["name"], found["members"], found["would_leave"]) == ("Brand new", 0, 0)


# How it ends.


def test_a_signal_ends_it(server: DotdigitalServer, tmp_path: Path) -> None:
    gate = server.hold_answer(CONTACT)
    with TargetProcess(dry(server), tmp_path) as target:
        target.send(schema(), *rows(["ann", "bob"]), state(1))
        target.close_input()
        gate.wait()
        target.process.terminate()
        target.wait_for("Waiting up to", "stderr")  # it has taken the signal in
        gate.open()
        ended = target.end()
    assert (ended.status, ended.stdout) == (143, "")
    report = report_of(tmp_path)
    assert report["outcome"] == {"status": "stopped", "reason": "stopped by SIGTERM"}
    assert report["plan"]["contacts"] == numbers(2, None, None)


def test_an_account_that_fails_fails_it(server: DotdigitalServer, tmp_path: Path) -> None:
    server.answer_next(DATA_FIELDS, reply(401, {"message": "no"}), times=None)
    plan = plan_of(dry(server), tmp_path, schema(), *rows(["ann"]), status=1)
    assert "401" in plan["outcome"]["reason"]
    assert plan["contacts"] == numbers(0, 0, 0)


def test_an_address_book_that_goes_meanwhile(server: DotdigitalServer, tmp_path: Path) -> None:
    answers = [None, reply(404, {"message": "x ERROR_ADDRESSBOOK_NOT_FOUND"})]
    server.answer_next(ADDRESS_BOOK, *(lambda _call, each=each: each for each in answers))
    plan = plan_of(dry(server), tmp_path, schema(), *rows(MANY), status=1)
    assert "no longer exists" in plan["outcome"]["reason"]


@needs_vendor_files
def test_every_call_is_by_the_contract(server: DotdigitalServer, tmp_path: Path) -> None:
    server.departures.needs_filter = True
    server.add_contact("ann@example.com", lists=(BOOK,))
    with RecordingProxy(server.url) as proxy:
        for names in (["ann", "bob"], MANY):
            config = {**mirror(server, 100), "api_url": proxy.url}
            plan_of(config, tmp_path, schema(), *rows(names))
    assert violations_of(proxy.exchanges) == []
    assert {each.method for each in proxy.exchanges} == {"GET"}


# Against the sandbox.


def test_the_sandbox_inside_the_target_is_left_as_it_is(tmp_path: Path) -> None:
    database = tmp_path / "data" / "sandbox.db"
    config = {
        "sandbox_path": str(database),
        "address_book": "New",
        "report_path": "report.json",
        "streams": {"a": {"address_book": 7}, "b": {"on_delete": "remove"}},
        "dry_run": True,
    }
    messages = [schema("a"), *rows(MANY, "a"), schema("b"), *rows(["ann"], "b"), *gone(["b"], "b")]
    plan = plan_of(config, tmp_path, *messages)
    assert plan["creates"]["address_books"] == ["ID 7", "New"]
    assert plan["contacts"] == numbers(251, 251, 0)
    with (
        EmbeddedSandbox(database) as sandbox,
        SandboxClient(sandbox.url, (sandbox.username, sandbox.password)) as client,
    ):
        names = {each["name"] for each in client.get("/v2/address-books").json()}
        assert client.get("/contacts/v3").json()["_items"] == []
    assert names == {"All Contacts", "Test"}


@pytest.mark.parametrize("names", [MANY[:9], MANY], ids=["few", "many"])
def test_a_dry_run_says_what_the_run_then_does(tmp_path: Path, names: list[str]) -> None:
    config = {
        "sandbox_path": "sandbox.db",
        "address_book": "Members",
        "report_path": "report.json",
        "streams": {"people": {"sync_mode": "mirror", "max_removal_percent": 100}},
    }
    assert load(config, tmp_path, schema(), *rows(names), state(1)).status == 0
    later = [*names[4:], "new", "newer"]
    messages = [schema(), *rows(later), state(2)]
    plan = plan_of({**config, "dry_run": True}, tmp_path, *messages)
    assert plan["contacts"] == numbers(len(later), 2, len(later) - 2)
    (book,) = plan["address_books"]
    assert (book["updated_members"], book["updated_joining"]) == (len(later) - 2, 0)
    (found,) = plan["mirrors"]
    assert (found["members"], found["would_leave"]) == (len(names), 4)
    ended: FinishedRun = load(config, tmp_path, *messages)
    assert (ended.status, ended.states) == (0, [2])
    report = report_of(tmp_path)
    (done,) = report["mirrors"]
    assert (done["to_leave"], done["left"]) == (4, 4)
    assert report["streams"][0]["imported"] == plan["streams"][0]["valid"] == len(later)
