"""Which streams are loaded: near misses end a run, and what is not loaded never does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.dotdigital.routes import IMPORT
from tests.support.messages import PEOPLE, record, schema, state
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

ANN = record(email="ann@example.com")
LOADED = (schema(), ANN, state({"row": 1}))


# Nothing was loaded.


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    ("settings", "messages", "told"),
    [
        ({"streams": {}}, LOADED, "streams: it is empty, so nothing was loaded"),
        (
            {"streams": {"people": {"skip": True}}},
            LOADED,
            "streams: each has skip: true, so nothing was loaded",
        ),
        (
            {"streams": {"orders": {}, "persons": {}}},
            LOADED,
            "Nothing was loaded: the tap sent 'people', but 'streams' names 'orders', 'persons'.",
        ),
        ({"streams": {"people_of_today": {}}}, (schema(), state({"row": 0})), "Nothing was loaded"),
        (
            {"streams": {"orders": {}}},
            (ANN, state({"row": 1})),
            "Nothing was loaded: the tap sent 'people'",
        ),
        (
            {},
            (
                schema(properties={"e_mail_address": {"type": "string"}}),
                record(e_mail_address="ann@example.com"),
                state({"row": 1}),
            ),
            "Nothing was loaded: the tap sent 'people' without a property email",
        ),
        ({"stream_maps": {"people": None}}, LOADED, "Nothing was loaded"),
        ({"stream_maps": {"__else__": None}}, LOADED, "Nothing was loaded"),
    ],
)
def test_a_run_that_loads_nothing_fails_and_tells_no_state(
    server: DotdigitalServer,
    tmp_path: Path,
    settings: dict[str, Any],
    messages: tuple[Any, ...],
    told: str,
    *,
    dry_run: bool,
) -> None:
    ended = load(settings_for(server, dry_run=dry_run, **settings), tmp_path, *messages)
    assert (ended.status, ended.stdout) == (1, ""), ended.stderr
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "ann@example.com" not in ended.stderr
    assert not server.calls_of(IMPORT)


def test_each_name_that_stream_maps_give_a_stream_is_looked_at(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    """One of them is loaded, and the other one is misspelt: its rows would be missing."""
    maps = {"people": {"email": "email"}, "leads": {"__source__": "people", "email": "email"}}
    settings = settings_for(server, stream_maps=maps, streams={"people": {}, "Leads": {}})
    ended = load(settings, tmp_path, *LOADED)
    assert (ended.status, ended.stdout) == (1, ""), ended.stderr
    assert "Stream 'leads' is not named in 'streams'. Did you mean 'Leads'?" in ended.stderr
    assert not server.calls_of(IMPORT)


def test_a_state_before_the_first_stream_that_is_loaded_waits_for_it(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = settings_for(server, streams={"people": {}, "leads": {}}, batch_size_rows=1)
    early = (schema("orders"), record("orders", email="a@example.com"), state({"orders": 1}))
    ended = load(config, tmp_path, *early, *LOADED)
    assert (ended.status, ended.states[-1]) == (0, {"row": 1})
    assert ended.counts("orders") == "read 1 = imported 0 + rejected 0 + collapsed 0 + skipped 1"
    assert "Stream 'leads' is named in 'streams', but the tap did not send it" in ended.stderr


@pytest.mark.parametrize(
    ("settings", "messages"),
    [
        ({"streams": {"people": {}}}, ()),
        ({"streams": {"people": {}}}, (state({"row": 0}),)),
        ({"streams": {"people": {}}}, (schema(), state({"row": 0}))),
        ({"stream_maps": {"people": {"__filter__": "False"}}}, (schema(), ANN, state({"row": 0}))),
    ],
)
def test_a_run_with_nothing_to_load_succeeds(
    server: DotdigitalServer, tmp_path: Path, settings: dict[str, Any], messages: tuple[Any, ...]
) -> None:
    ended = load(settings_for(server, **settings), tmp_path, *messages)
    assert ended.status == 0, ended.stderr
    assert ended.states == [each["value"] for each in messages if each["type"] == "STATE"]
    if "streams" in settings and schema() not in messages:
        assert "Stream 'people' is named in 'streams', but the tap did not send it" in ended.stderr


# Near misses.


@pytest.mark.parametrize(
    ("named", "came", "dry_run"),
    [
        ("customers", "Customers", False),
        ("customers", "shop-Customers", True),
        ("public-customers", "customers", False),
        ("customers", "customers2", False),
    ],
)
def test_a_stream_that_is_nearly_named_ends_the_run_at_its_schema(
    server: DotdigitalServer, tmp_path: Path, named: str, came: str, *, dry_run: bool
) -> None:
    config = settings_for(server, streams={named: {}}, dry_run=dry_run)
    messages = (schema(came), record(came, email="ann@example.com"), state({"row": 1}))
    ended = load(config, tmp_path, schema(named), *messages)
    assert (ended.status, ended.stdout) == (1, "")
    assert f"Stream '{came}' is not named in 'streams'. Did you mean '{named}'" in ended.stderr
    assert f"set streams.{came}.skip: true" in ended.stderr
    assert not server.calls_of(IMPORT)


@pytest.mark.parametrize("settings", [{"skip": True}, {}], ids=str)
def test_a_near_name_that_is_named_itself_is_none(
    server: DotdigitalServer, tmp_path: Path, settings: dict[str, Any]
) -> None:
    config = settings_for(server, streams={"people": {}, "shop-People": settings})
    other = (schema("shop-People"), record("shop-People", email="bob@example.com"))
    ended = load(config, tmp_path, *LOADED, *other)
    assert ended.status == 0, ended.stderr
    assert "is skipped" not in ended.stderr
    skipped = int("skip" in settings)
    assert ended.counts("shop-People").endswith(f"skipped {skipped}")
    assert ("bob@example.com" in server.contents()) != bool(skipped)


@pytest.mark.parametrize("other", ["orders", "people_orders"])
def test_a_clearly_different_stream_is_skipped_with_a_warning(
    server: DotdigitalServer, tmp_path: Path, other: str
) -> None:
    config = settings_for(server, streams={"people": {}})
    ended = load(config, tmp_path, schema(other), record(other, email="b@example.com"), *LOADED)
    assert (ended.status, ended.states) == (0, [{"row": 1}])
    assert f"Stream '{other}' is skipped: it is not named in 'streams'" in ended.stderr


def test_the_name_that_counts_is_the_one_after_stream_maps(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    maps = {"shop-People": {"__alias__": "people"}, "Peopl": None}
    config = settings_for(server, streams={"people": {}}, stream_maps=maps)
    ended = load(
        config,
        tmp_path,
        schema("shop-People"),
        record("shop-People", email="ann@example.com"),
        schema("Peopl"),
        record("Peopl", email="bob@example.com"),
    )
    assert ended.status == 0, ended.stderr
    assert set(server.contents()) == {"ann@example.com"}


def test_a_stream_is_loaded_under_a_name_with_a_dot_as_meltano_nests_it(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    streams = {"public": {"people": {"fields": {"FIRSTNAME": "first_name"}}}}
    name = "public.people"
    row = record(name, email="ann@example.com", first_name="Ann")
    ended = load(settings_for(server, streams=streams), tmp_path, schema(name), row)
    assert ended.status == 0, ended.stderr
    assert server.contents()["ann@example.com"]["data_fields"] == {"FIRSTNAME": "Ann"}


# What is not loaded does not end the run.

NO_EMAIL = {"id": {"type": "integer"}}
BAD_SCHEMAS: dict[str, dict[str, Any]] = {
    "no schema": {"type": "SCHEMA", "stream": "orders"},
    "no properties": {"type": "SCHEMA", "stream": "orders", "schema": {}},
    "odd properties": {"type": "SCHEMA", "stream": "orders", "schema": {"properties": 5}},
    "odd definition": schema("orders", properties={"id": {"not": 5}}),
    "odd pattern": schema("orders", properties={"id": {"pattern": "("}}),
    "odd key properties": schema("orders", NO_EMAIL, key_properties=5),
    "key properties that are not there": schema("orders", NO_EMAIL, key_properties=["nowhere"]),
    "no way to flatten it": schema("orders", properties={"id": {"type": ["object"], "$ref": 5}}),
}
BAD_ROWS = (
    record("orders"),
    {"type": "RECORD", "stream": "orders", "record": [1]},
    {"type": "RECORD", "stream": "orders"},
    {"type": "ACTIVATE_VERSION", "stream": "orders", "version": 1},
)


@pytest.mark.parametrize(
    "settings",
    [
        {"streams": {"people": {}}},
        {"streams": {"people": {}, "orders": {"skip": True}}},
        {"streams": {"people": {}}, "flattening_enabled": True, "flattening_max_depth": 3},
        {"streams": {"people": {}}, "stream_maps": {"orders": {"a": "no_such_function(1)"}}},
        {"streams": {"people": {}}, "stream_maps": {"orders": {"__key_properties__": ["none"]}}},
        {"stream_maps": {"orders": None}},
    ],
    ids=str,
)
@pytest.mark.parametrize("bad", [*BAD_SCHEMAS, "no SCHEMA at all"])
def test_a_stream_that_is_not_loaded_never_ends_the_run(
    server: DotdigitalServer, tmp_path: Path, settings: dict[str, Any], bad: str
) -> None:
    sent = [BAD_SCHEMAS[bad]] if bad in BAD_SCHEMAS else []
    if not sent and "streams" not in settings:
        pytest.skip("without its SCHEMA a stream is not known to be left out")
    ended = load(settings_for(server, **settings), tmp_path, *sent, *BAD_ROWS, *LOADED)
    assert (ended.status, ended.states) == (0, [{"row": 1}]), ended.stderr
    assert ended.counts("orders") == "read 3 = imported 0 + rejected 0 + collapsed 0 + skipped 3"
    assert set(server.contents()) == {"ann@example.com"}


@pytest.mark.parametrize(
    "settings", [{}, {"flattening_enabled": True, "flattening_max_depth": 3}], ids=str
)
@pytest.mark.parametrize(
    "bad",
    ["odd definition", "odd pattern", "odd key properties", "key properties that are not there"],
)
def test_a_stream_without_the_identifier_never_ends_the_run(
    server: DotdigitalServer, tmp_path: Path, settings: dict[str, Any], bad: str
) -> None:
    ended = load(settings_for(server, **settings), tmp_path, BAD_SCHEMAS[bad], *BAD_ROWS, *LOADED)
    assert (ended.status, ended.states) == (0, [{"row": 1}]), ended.stderr
    assert ended.counts("orders") == "read 3 = imported 0 + rejected 0 + collapsed 0 + skipped 3"


def test_a_flattened_identifier_is_found(server: DotdigitalServer, tmp_path: Path) -> None:
    properties = {"e": {"type": "object", "properties": {"mail": {"type": "string"}}}}
    config = settings_for(server, flattening_enabled=True, flattening_max_depth=3)
    row = record(e={"mail": "ann@example.com"})
    ended = load(config, tmp_path, schema(properties=properties), row)
    assert ended.status == 0, ended.stderr
    assert set(server.contents()) == {"ann@example.com"}


# Address books.


def test_a_stream_without_an_address_book_ends_the_run_at_its_schema(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    ended = load(settings_for(server, address_book=None), tmp_path, *LOADED)
    assert (ended.status, ended.stdout) == (1, "")
    assert "Stream 'people': it has no address book. Set address_book, or account_" in ended.stderr
    assert not server.calls


@pytest.mark.parametrize(
    "settings",
    [
        {"address_book": None, "account_only": True},
        {"address_book": None, "streams": {"people": {"account_only": True}}},
        {"address_book": 102, "streams": {"people": {"account_only": True}}},
    ],
    ids=str,
)
def test_contacts_are_loaded_into_the_account_alone_if_that_is_said(
    server: DotdigitalServer, tmp_path: Path, settings: dict[str, Any]
) -> None:
    ended = load(settings_for(server, **settings), tmp_path, *LOADED)
    assert (ended.status, ended.states) == (0, [{"row": 1}]), ended.stderr
    assert server.contents()["ann@example.com"]["lists"] == []


def test_a_stream_of_its_own_address_book_joins_it_beside_account_only(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    streams = {"people": {"address_book": 101}}
    config = settings_for(server, address_book=None, account_only=True, streams=streams)
    ended = load(config, tmp_path, *LOADED)
    assert ended.status == 0, ended.stderr
    assert server.contents()["ann@example.com"]["lists"] == [101]


# Near misses in the account and in the schema: a run and `--test` say the same.


def told_by_test(config: dict[str, Any], folder: Path) -> str:
    """Return what `--test` prints."""
    with TargetProcess(config, folder, arguments=("--test",)) as target:
        return target.end().stdout


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"address_book": "Custmoers"},
            "not found. Did you mean 'Customers'? Correct the name, or to create",
        ),
        ({"address_book": "CUSTOMERS"}, "Did you mean 'Customers'?"),
        (
            {"streams": {"people": {"fields": {"FIRSTNAM": "first_name"}}}},
            "no data field 'FIRSTNAM'. Did you mean 'FIRSTNAME'? Map an existing one, or",
        ),
    ],
)
def test_a_name_that_the_account_lacks_gets_the_same_remedy_from_a_run_and_its_test(
    server: DotdigitalServer, tmp_path: Path, settings: dict[str, Any], told: str
) -> None:
    config = settings_for(server, **settings)
    assert told in told_by_test(config, tmp_path)
    ended = load(config, tmp_path, *LOADED)
    assert ended.status == 1
    assert told in ended.stderr


@pytest.mark.parametrize(
    ("stream", "told"),
    [
        ({"fields": {"FIRSTNAME": "frist_name"}}, "Did you mean 'first_name'?"),
        ({"fields": {"POSTCODE": "address.postcod"}}, "Did you mean 'address.postcode'?"),
        ({"identifiers": {"email": "emial"}}, "Did you mean 'email'?"),
        ({"address_book_property": "Address"}, "Did you mean 'address'?"),
        ({"match_identifier": "emails"}, "Did you mean 'email'?"),
    ],
)
def test_the_property_that_is_meant_is_named(
    server: DotdigitalServer, tmp_path: Path, stream: dict[str, Any], told: str
) -> None:
    address = {"type": "object", "properties": {"postcode": {"type": "string"}}}
    properties = {**PEOPLE, "address": address}
    config = settings_for(server, streams={"people": stream})
    ended = load(config, tmp_path, schema(properties=properties), ANN)
    assert ended.status == 1
    assert told in ended.stderr
    assert not server.calls_of(IMPORT)


def test_what_would_be_created_under_a_near_name_is_warned_of(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = settings_for(
        server,
        address_book="Custmoers",
        create_address_book=True,
        create_data_fields=True,
        streams={"people": {"fields": {"FIRSTNAM": "first_name", "SHOE_SIZE": "id"}}},
    )
    told = (
        "ew address book 'Custmoers': 'Customers' exists. Did you mean 'Customers'?",
        "ew data field 'FIRSTNAM': 'FIRSTNAME' exists. Did you mean 'FIRSTNAME'?",
    )
    printed = told_by_test(config, tmp_path)
    dry = load({**config, "dry_run": True}, tmp_path, *LOADED)
    ended = load(config, tmp_path, *LOADED)
    for status, text in ((0, printed), (dry.status, dry.stderr), (ended.status, ended.stderr)):
        assert status == 0, text
        for each in told:
            assert each in text
        assert "'SHOE_SIZE':" not in text
    plan = dry.stderr.partition("Plan of a dry run")[2]
    assert all(each in plan for each in told)
    assert "FIRSTNAM" in server.data_fields
