"""Address books and data fields that are created: once, late, and not beside anything wrong."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.account.account import Account
from target_dotdigital.errors import DotdigitalError, NetworkError, SettingsError
from target_dotdigital.sandbox import EmbeddedSandbox
from tests.support.builders import PLAIN_SETTINGS
from tests.support.clock import FakeClock
from tests.support.dotdigital.answers import (
    Answer,
    empty_reply,
    html_reply,
    lost_reply,
    reply,
    reset,
    truncated_reply,
    v2_error,
)
from tests.support.dotdigital.routes import (
    ADDRESS_BOOKS,
    CREATE_ADDRESS_BOOK,
    CREATE_DATA_FIELD,
    DATA_FIELDS,
    IMPORT,
)
from tests.support.messages import record, schema, state
from tests.support.network import settings
from tests.support.sandbox.client import SandboxClient
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

BOOK = "Spring segment"
PROPERTIES: dict[str, Any] = {
    "email": {"type": "string"},
    "points": {"type": ["integer", "null"]},
    "seen": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
    "vip": {"type": ["boolean", "null"]},
    "shop": {"type": ["string", "null"]},
}
FIELDS = {"POINTS": "points", "seen_at": "seen", "VIP": "vip", "SHOP": "shop"}
TYPES = {"POINTS": "Numeric", "SEEN_AT": "Date", "VIP": "Boolean", "SHOP": "String"}
ANN = record(email="ann@example.com", points=7, seen="2024-02-29T10:00:00Z", vip=True, shop="N1")
INPUT = (schema(properties=PROPERTIES), ANN, state({"row": 1}))


def creating(server: DotdigitalServer, **changes: Any) -> dict[str, Any]:
    return settings_for(
        server,
        **{
            "address_book": BOOK,
            "create_address_book": True,
            "create_data_fields": True,
            "streams": {"people": {"fields": FIELDS}},
            **changes,
        },
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def connect(server: DotdigitalServer, clock: FakeClock) -> Iterator[Callable[..., Account]]:
    with ExitStack() as stack:

        def connected(**changes: object) -> Account:
            wanted = {"create_address_book": True, "create_data_fields": True, **changes}
            account = Account(settings(server.url, **wanted), clock)
            stack.callback(account.close)
            return account

        yield connected


def writes(server: DotdigitalServer) -> list[str]:
    return [call.route for call in server.calls if call.method != "GET"]


# The whole way.


def test_what_is_missing_is_created_before_the_first_row_is_sent(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    ended = load(creating(server), tmp_path, *INPUT)
    assert (ended.status, ended.states) == (0, [{"row": 1}]), ended.stderr
    assert writes(server) == [*[CREATE_DATA_FIELD] * 4, CREATE_ADDRESS_BOOK, IMPORT]
    assert TYPES.items() <= server.data_fields.items()
    ann = server.contacts["ann@example.com"]
    assert [server.address_books[each] for each in ann.lists] == [BOOK]
    assert ann.data_fields == {
        "POINTS": 7,
        "SEEN_AT": "2024-02-29T10:00:00Z",
        "VIP": True,
        "SHOP": "N1",
    }
    (book,) = server.calls_of(CREATE_ADDRESS_BOOK)
    assert book.json == {"name": BOOK, "visibility": "Private"}
    for name in (*TYPES, f"'{BOOK}'"):
        assert any("Created" in line and name in line for line in ended.stderr.splitlines())
    again = load(creating(server), tmp_path, *INPUT)
    assert again.status == 0
    assert writes(server)[6:] == [IMPORT]
    assert "Created" not in again.stderr


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("spelling", ["upper", "as written"])
def test_either_status_and_either_spelling_is_taken(
    status: int,
    spelling: str,
    server: DotdigitalServer,
    tmp_path: Path,
) -> None:
    server.created_status = status
    server.field_names_upper_cased = spelling == "upper"
    ended = load(creating(server), tmp_path, *INPUT)
    assert ended.status == 0, ended.stderr
    assert server.contacts["ann@example.com"].data_fields["POINTS"] == 7


def test_four_targets_at_once_create_one_of_each(server: DotdigitalServer, tmp_path: Path) -> None:
    first, last = ([server.hold_answer(ADDRESS_BOOKS) for _ in range(4)] for _page in range(2))
    with ExitStack() as stack:
        targets = []
        for number in range(4):
            folder = tmp_path / str(number)
            folder.mkdir()
            target = stack.enter_context(TargetProcess(creating(server), folder))
            target.send(schema(properties=PROPERTIES))
            target.send({**ANN, "record": {**ANN["record"], "email": f"{number}@example.com"}})
            targets.append(target)
        # All have read what the account has, to the last page, before any of them creates.
        for gates in (first, last):
            for gate in gates:
                gate.wait()
            for gate in gates:
                gate.open()
        ended = [target.end() for target in targets]
    assert [each.status for each in ended] == [0] * 4, ended
    assert list(server.address_books.values()).count(BOOK) == 1
    assert [name for name in server.data_fields if name.upper() in TYPES] == list(TYPES)
    (book,) = (number for number, name in server.address_books.items() if name == BOOK)
    assert {email: each.lists for email, each in server.contacts.items()} == {
        f"{number}@example.com": {book} for number in range(4)
    }
    created = [call for call in server.calls_of(CREATE_DATA_FIELD) if call.status == 201]
    assert len(created) == 4
    assert len(server.calls_of(CREATE_ADDRESS_BOOK)) == 4
    told = "".join(each.stderr for each in ended)
    assert told.count("Created the address book") == 1
    assert told.count("Created the data field") == 4


@pytest.mark.parametrize("already", [0, 1], ids=["created", "there"])
def test_the_sandbox_creates_them_too(already: int, tmp_path: Path) -> None:
    database = tmp_path / "sandbox.db"
    config = {
        "sandbox_path": str(database),
        "address_book": BOOK,
        "create_address_book": True,
        "create_data_fields": True,
        "streams": {"people": {"fields": FIELDS}},
    }
    for _ in range(already):
        load(config, tmp_path, *INPUT)
    ended = load(config, tmp_path, *INPUT)
    assert (ended.status, ended.states) == (0, [{"row": 1}]), ended.stderr
    assert ended.stderr.count("Created the address book") == 1 - already
    assert ended.stderr.count("Created the data field") == (0 if already else 4)
    with (
        EmbeddedSandbox(database) as sandbox,
        SandboxClient(sandbox.url, (sandbox.username, sandbox.password)) as client,
    ):
        books = client.get("/v2/address-books").json()
        fields = {each["name"]: each["type"] for each in client.get("/v2/data-fields").json()}
        (book,) = (each for each in books if each["name"] == BOOK)
        members = client.get("/contacts/v3", **{"~listId": book["id"], "limit": 10}).json()
    assert book["visibility"] == "Private"
    assert TYPES.items() <= fields.items()
    assert [each["identifiers"]["email"] for each in members["_items"]] == ["ann@example.com"]


def test_a_lost_answer_of_the_sandbox_is_looked_after(tmp_path: Path) -> None:
    with (
        EmbeddedSandbox(tmp_path / "sandbox.db") as sandbox,
        SandboxClient(sandbox.url, (sandbox.username, sandbox.password)) as client,
    ):
        for route in (CREATE_ADDRESS_BOOK, CREATE_DATA_FIELD):
            fault = {"route": route, "kind": "reset", "carried_out": True}
            assert client.call("POST", "/sandbox/faults", json=fault).status_code == 201
        config = {
            "username": sandbox.username,
            "password": sandbox.password,
            "api_url": sandbox.url,
            "address_book": BOOK,
            "create_address_book": True,
            "create_data_fields": True,
            "streams": {"people": {"fields": FIELDS}},
        }
        ended = load(config, tmp_path, *INPUT)
        names = [each["name"] for each in client.get("/v2/address-books").json()]
    assert ended.status == 0, ended.stderr
    assert names.count(BOOK) == 1


# What is wrong is told before anything is created.


@pytest.mark.parametrize(
    "stream",
    [
        {"fields": {**FIELDS, "SHOP": "no_such_property"}},
        {"fields": FIELDS, "identifiers": {"email": "no_such_property"}},
        {"fields": {**FIELDS, "A NAME": "shop"}},
        {"fields": FIELDS, "address_book": 7},
    ],
    ids=["property", "identifier", "field", "address book"],
)
def test_nothing_is_created_beside_anything_wrong(
    stream: dict[str, Any], server: DotdigitalServer, tmp_path: Path
) -> None:
    ended = load(creating(server, streams={"people": stream}), tmp_path, *INPUT)
    assert ended.status == 1
    assert writes(server) == []


def test_all_names_that_cannot_be_are_told_at_once(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    streams: dict[str, Any] = {
        "a": {"fields": {"FINE": "p", "A" * 21: "p", "with space": "p", "Unsubscribed": "p"}},
        "b": {"fields": {"CONTACT_API_ID": "p", "ÄRGER": "p", "FIRSTNAME": "p", "A" * 20: "p"}},
        "c": {"address_book": 7},
        "d": {"address_book": "New"},
    }
    with pytest.raises(SettingsError) as caught:
        connect(streams=streams)
    text = str(caught.value)
    for name in ("A" * 21, "with space", "Unsubscribed", "CONTACT_API_ID", "ÄRGER"):
        assert f"'{name}'" in text
    assert "ID 7" in text
    for name in ("FINE", "FIRSTNAME", "'" + "A" * 20 + "'", "New"):
        assert name not in text
    assert writes(server) == []


@pytest.mark.parametrize("book", [7, "7", " 007 ", 2**40], ids=repr)
def test_an_id_is_never_created(
    book: str | int, server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    with pytest.raises(SettingsError, match="ID"):
        connect(address_book=book)
    assert writes(server) == []


@pytest.mark.parametrize("setting", ["create_address_book", "create_data_fields"])
def test_nothing_is_created_unasked(setting: str, server: DotdigitalServer, tmp_path: Path) -> None:
    ended = load(creating(server, **{setting: False}), tmp_path, *INPUT)
    assert ended.status == 1
    assert writes(server) == []


def test_an_address_book_that_no_stream_of_the_tap_joins_is_not_created(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    streams = {"people": {}, "never": {"address_book": "Never", "fields": {"NEVER": "p"}}}
    ended = load(creating(server, streams=streams), tmp_path, *INPUT)
    assert ended.status == 0
    assert "Never" not in server.address_books.values()
    assert "NEVER" not in server.data_fields


def test_a_stream_that_is_mapped_by_name_creates_no_field(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    before = dict(server.data_fields)
    assert load(creating(server, streams={"people": {}}), tmp_path, *INPUT).status == 0
    assert server.data_fields == before


# Address books.


def test_a_book_that_several_streams_join_is_created_once(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    account = connect(streams={"a": {"address_book": "New"}, "b": {"address_book": " New "}})
    first, second = (account.address_book_id(name) for name in ("New", " New "))
    assert first == second
    assert server.address_books[first or 0] == "New"
    assert len(server.calls_of(CREATE_ADDRESS_BOOK)) == 1
    account.check_address_books()


def test_a_book_on_the_last_of_many_pages_is_not_created_again(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    server.address_books |= {number: f"Book {number}" for number in range(1000, 6400)}
    assert connect(address_book="Book 6399").address_book_id("Book 6399") == 6399
    assert writes(server) == []


@pytest.mark.parametrize("status", [400, 403, 409])
def test_a_book_that_has_come_meanwhile_is_taken(
    status: int, server: DotdigitalServer, connect: Callable[..., Account], clock: FakeClock
) -> None:
    server.creation_refused_status = status
    account = connect(address_book="New")
    server.address_books[500] = "New"
    # Nothing says that what another target has just created is listed at once.
    server.answer_next(ADDRESS_BOOKS, reply(200, []))
    assert account.address_book_id("New") == 500
    assert account.address_book_id("New") == 500
    assert len(server.calls_of(CREATE_ADDRESS_BOOK)) == 1
    assert clock.waits == [0.0, 1.0]


def test_a_segments_name_is_told(server: DotdigitalServer, connect: Callable[..., Account]) -> None:
    account = connect(address_book="New")
    server.segments.add("New")
    with pytest.raises(SettingsError, match=r"'New' cannot be created.*segment"):
        account.address_book_id("New")
    assert len(server.calls_of(CREATE_ADDRESS_BOOK)) == 1


def test_a_name_in_another_case_is_told_with_the_id(connect: Callable[..., Account]) -> None:
    account = connect(address_book="newsletter")
    with pytest.raises(SettingsError, match=r"101.*Use its ID"):
        account.address_book_id("newsletter")


@pytest.mark.parametrize(
    "lost",
    [lost_reply(), truncated_reply(), html_reply(502, handled=True), empty_reply(handled=True)],
    ids=["reset", "truncated", "502", "empty"],
)
def test_after_a_lost_answer_it_is_looked_for_and_not_sent_again(
    lost: Answer, server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    account = connect(address_book="New", streams={"a": {"fields": {"NEW": "p"}}})
    for route in (CREATE_ADDRESS_BOOK, CREATE_DATA_FIELD):
        server.answer_next(route, lost)
    number = account.address_book_id("New")
    assert server.address_books[number or 0] == "New"
    account.create_fields("a", {"NEW": "Date"})
    assert account.data_fields["NEW"] == "Date"
    assert writes(server) == [CREATE_ADDRESS_BOOK, CREATE_DATA_FIELD]


@pytest.mark.parametrize(
    "failure",
    [reset(), v2_error(503, "Wait. ERROR_SYSTEM_SERVICETEMPORARILYUNAVAILABLE"), reply(429)],
    ids=["reset", "503", "429"],
)
def test_what_was_not_carried_out_is_sent_again(
    failure: Answer, server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    account = connect(address_book="New", streams={"a": {"fields": {"NEW": "p"}}})
    for route in (CREATE_ADDRESS_BOOK, CREATE_DATA_FIELD):
        server.answer_next(route, failure)
    number = account.address_book_id("New")
    assert server.address_books[number or 0] == "New"
    account.create_fields("a", {"NEW": "Date"})
    assert server.data_fields["NEW"] == "Date"
    assert len(writes(server)) == 4


def test_a_late_carried_out_post_is_no_failure(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    """Lost, not listed when it is looked for, and there when it is sent again."""
    account = connect(address_book="New")
    server.answer_next(CREATE_ADDRESS_BOOK, lost_reply())
    server.answer_next(ADDRESS_BOOKS, reply(200, []))
    number = account.address_book_id("New")
    assert [name for name in server.address_books.values() if name == "New"] == ["New"]
    assert server.address_books[number or 0] == "New"
    assert len(server.calls_of(CREATE_ADDRESS_BOOK)) == 2


def test_a_server_that_never_answers_ends_the_run(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    account = connect(address_book="New")
    server.answer_next(CREATE_ADDRESS_BOOK, reset(), times=None)
    with pytest.raises(NetworkError, match="POST /v2/address-books"):
        account.address_book_id("New")


@pytest.mark.parametrize("status", [400, 403, 409])
def test_a_full_account_is_told(
    status: int, server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    server.creation_refused_status = status
    account = connect(address_book="New", streams={"a": {"fields": {"NEW": "p"}}})
    server.max_address_books = server.max_data_fields = 0
    with pytest.raises(SettingsError, match="no room for another address book"):
        account.address_book_id("New")
    with pytest.raises(SettingsError, match=r"NEW.*no room for another data field"):
        account.create_fields("a", {"NEW": "String"})


def test_a_name_that_only_dotdigital_refuses_is_told(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    account = connect(address_book="New")
    server.answer_next(CREATE_ADDRESS_BOOK, v2_error(400, "No. ERROR_ADDRESSBOOK_INVALID"))
    with pytest.raises(SettingsError, match="refuses the name"):
        account.address_book_id("New")


def test_a_rows_address_book_is_created_without_telling_its_name(
    server: DotdigitalServer, connect: Callable[..., Account], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    account = connect(address_book=101)
    number = account.creation.address_book("Ann's friends", "that a row names")
    assert server.address_books[number] == "Ann's friends"
    server.segments.add("Bob's friends")
    with pytest.raises(SettingsError) as caught:
        account.creation.address_book("Bob's friends", "that a row names")
    assert "friends" not in caplog.text + str(caught.value)


# Data fields.


def two_streams(
    server: DotdigitalServer, second: Mapping[str, Any], **changes: Any
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    streams = {"one": {"fields": {"SCORE": "p"}}, "two": {"fields": {"score": "p"}}}
    email = {"email": {"type": "string"}}
    first = {"type": ["integer", "null"]}
    return creating(server, streams=streams, **changes), [
        schema("one", {**email, "p": first}),
        record("one", email="ann@example.com", p=1),
        schema("two", {**email, "p": second}),
        record("two", email="bob@example.com", p=2),
    ]


def test_a_field_that_one_stream_creates_is_there_for_the_others(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config, messages = two_streams(server, {"type": "number"})
    ended = load(config, tmp_path, *messages)
    assert ended.status == 0, ended.stderr
    assert len(server.calls_of(CREATE_DATA_FIELD)) == 1
    assert [each.data_fields["SCORE"] for each in server.contacts.values()] == [1, 2]


def test_two_streams_that_want_one_field_with_two_types_are_told_both(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config, messages = two_streams(server, {"type": "string", "format": "date"})
    ended = load(config, tmp_path, *messages)
    assert ended.status == 1
    told = ended.stderr.splitlines()
    assert any(
        all(word in line for word in ("SCORE", "Numeric", "Date", "'one'", "'two'"))
        for line in told
    )
    assert len(server.calls_of(CREATE_DATA_FIELD)) == 1


def test_a_field_that_was_there_takes_what_its_values_allow(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.data_fields["SCORE"] = "String"
    config, messages = two_streams(server, {"type": "boolean"})
    messages[-1]["record"]["p"] = True
    ended = load(config, tmp_path, *messages)
    assert ended.status == 0, ended.stderr
    assert server.calls_of(CREATE_DATA_FIELD) == []


def test_a_streams_own_new_schema_is_no_clash(server: DotdigitalServer, tmp_path: Path) -> None:
    config, messages = two_streams(server, {"type": "number"})
    later = schema("one", {"email": {"type": "string"}, "p": {"type": "string"}})
    again = record("one", email="eve@example.com", p="3")
    ended = load(config, tmp_path, *messages, later, again)
    assert ended.status == 0, ended.stderr
    assert server.contacts["eve@example.com"].data_fields["SCORE"] == 3


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize("lag", [0, 1])
def test_a_field_that_has_come_meanwhile_is_taken_if_its_type_is_the_same(
    status: int, lag: int, server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    server.creation_refused_status = status
    account = connect(streams={"a": {"fields": {"NEW": "p"}}})
    wanted = account.missing_fields("a", replace(PLAIN_SETTINGS, fields={"new": "p"}), {})
    assert wanted == {"NEW": "String"}
    server.data_fields["New"] = "String"
    server.answer_next(DATA_FIELDS, reply(200, []), times=lag)
    account.create_fields("a", wanted)
    assert account.data_fields["New"] == "String"


def test_a_field_that_has_come_with_another_type_is_told_with_both(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    account = connect(streams={"a": {"fields": {"NEW": "p"}}})
    server.data_fields["NEW"] = "Date"
    with pytest.raises(SettingsError, match=r"NEW.*Boolean.*Date"):
        account.create_fields("a", {"NEW": "Boolean"})


def test_a_field_that_exists_and_is_not_listed_ends_the_run(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    account = connect(streams={"a": {"fields": {"NEW": "p"}}})
    server.answer_next(CREATE_DATA_FIELD, v2_error(400, "No. ERROR_NON_UNIQUE_DATAFIELD"))
    with pytest.raises(DotdigitalError, match=r"NEW exists"):
        account.create_fields("a", {"NEW": "Boolean"})
