"""Which rows are marked as deleted, and what becomes of those whose mark is none or tells too
little."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.dotdigital.departure_routes import DELETE, REMOVE
from tests.support.messages import record, schema, state
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer
    from tests.support.target.command import FinishedRun

BOOK = 102
PACE = 20
WHEN = "2026-01-31T10:00:00Z"

DATE_TIMES = [
    *("2026-01-31T10:00:00Z", "2026-01-31 10:00:00", "2026-01-31T10:00:00.123456+00:00"),
    *("2026-01-31 10:00:00.5+02", "2026-01-31T10:00", " 2026-01-31T10:00:00-0530 "),
]
NO_MARKS = [None, "", "  ", "\t", False, 0, 0.0]
NO_DATE_TIMES: list[Any] = [
    "2026-01-31",
    *("false", "null", "0", "None", "true", "0000-00-00 00:00:00", "2026-02-30", "10:00:00"),
    *(
        True,
        1,
        1769853600,
        1769853600000,
        0.5,
        {},
        [],
        {"at": WHEN},
        [WHEN],
        "2026-01-31T25:00:00Z",
    ),
]
ON_DELETE = ["ignore", "remove", "delete"]


def config(server: DotdigitalServer, on_delete: str, **more: Any) -> dict[str, Any]:
    return settings_for(server, streams={"people": {"on_delete": on_delete}}, **more)


def each_way(server: DotdigitalServer, **more: Any) -> dict[str, Any]:
    """Return settings for three streams, each named after its `on_delete`."""
    streams = {name: {"on_delete": name} for name in ON_DELETE}
    return settings_for(server, streams=streams, **more)


def marked(marks: list[Any]) -> list[dict[str, Any]]:
    """Return, for each of the three streams, its SCHEMA and a row of each mark."""
    messages = []
    for name in ON_DELETE:
        messages.append(schema(name))
        for number, mark in enumerate(marks):
            values = {"email": f"{name}{number}@example.com", "first_name": "after"}
            messages.append(record(name, **values, _sdc_deleted_at=mark))
    return messages


def addresses(stream: str, marks: list[Any]) -> list[str]:
    return [f"{stream}{number}" for number in range(len(marks))]


def run(settings: dict[str, Any], folder: Path, *messages: Any) -> FinishedRun:
    with TargetProcess(settings, folder, pace=PACE) as target:
        target.send_what_it_takes(*messages)
        return target.end()


def fill(server: DotdigitalServer, *names: str) -> None:
    for name in names:
        server.add_contact(f"{name}@example.com", {"FIRSTNAME": "before"}, lists=(101, BOOK))


def names_in(server: DotdigitalServer) -> dict[str, Any]:
    """Return the first names of those in the address book, by their own."""
    return {
        address.partition("@")[0]: each.data_fields.get("FIRSTNAME")
        for address, each in server.contacts.items()
        if BOOK in each.lists
    }


def codes_in(path: Path) -> list[tuple[str, Any]]:
    messages = [json.loads(line) for line in path.read_text().splitlines()]
    records = [each["record"] for each in messages if each["type"] == "RECORD"]
    return [(each["_sdc_reject_code"], each["_sdc_deleted_at"]) for each in records]


# What a mark is.


def test_a_date_time_marks_a_row_as_deleted(server: DotdigitalServer, tmp_path: Path) -> None:
    for name in ON_DELETE:
        fill(server, *addresses(name, DATE_TIMES))
    ended = run(each_way(server), tmp_path, *marked(DATE_TIMES))
    assert ended.status == 0, ended.stderr
    for name in ON_DELETE:
        counts = f"imported 0 + rejected 0 + collapsed 0 + skipped {len(DATE_TIMES)}"
        assert counts in ended.counts(name)
    assert names_in(server) == dict.fromkeys(addresses("ignore", DATE_TIMES), "before")
    assert len(server.contacts) == 2 * len(DATE_TIMES)


def test_null_blank_false_and_zero_mark_nothing(server: DotdigitalServer, tmp_path: Path) -> None:
    for name in ON_DELETE:
        fill(server, *addresses(name, NO_MARKS))
    ended = run(each_way(server), tmp_path, *marked(NO_MARKS))
    assert ended.status == 0, ended.stderr
    for name in ON_DELETE:
        counts = f"imported {len(NO_MARKS)} + rejected 0 + collapsed 0 + skipped 0"
        assert counts in ended.counts(name)
    people = [each for name in ON_DELETE for each in addresses(name, NO_MARKS)]
    assert names_in(server) == dict.fromkeys(people, "after")


@pytest.mark.parametrize("flattening", [False, True], ids=["as it is", "flattened"])
def test_anything_else_rejects_the_row(
    server: DotdigitalServer, tmp_path: Path, *, flattening: bool
) -> None:
    """What it means is not known, so the row is neither a contact's nor somebody's end."""
    for name in ON_DELETE:
        fill(server, *addresses(name, NO_DATE_TIMES))
    before = server.contents()
    rejects = tmp_path / "rejects.singer"
    settings = each_way(server, rejects_path=str(rejects), max_reject_percent=100)
    if flattening:
        settings |= {"flattening_enabled": True, "flattening_max_depth": 3}
    ended = run(settings, tmp_path, *marked(NO_DATE_TIMES))
    assert ended.status == 0, ended.stderr
    for name in ON_DELETE:
        counts = f"rejected by code: delete.invalid {len(NO_DATE_TIMES)}"
        assert ended.counts(name).endswith(counts)
    assert codes_in(rejects) == [("delete.invalid", mark) for mark in NO_DATE_TIMES] * 3
    assert server.contents() == before
    assert {call.method for call in server.calls} == {"GET"}


@pytest.mark.parametrize("mark", [False, "null", {}], ids=repr)
def test_nobody_leaves_a_mirror_by_a_mark_that_is_none(
    server: DotdigitalServer, tmp_path: Path, mark: object
) -> None:
    fill(server, "ann", "bob", "cid")
    settings = settings_for(
        server,
        max_reject_percent=100,
        streams={"people": {"sync_mode": "mirror", "max_removal_percent": 50}},
    )
    rows = [
        record(email="ann@example.com"),
        record(email="bob@example.com", _sdc_deleted_at=mark),
    ]
    ended = run(settings, tmp_path, schema(), *rows)
    assert ended.status == 0, ended.stderr
    assert names_in(server).keys() == {"ann", "bob"}


def test_a_dry_run_counts_those_who_would_leave(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann", "bob", "cid", "dan", "eve")
    marks = {"ann": WHEN, "bob": "", "cid": "null", "dan": False, "eve": "2026-01-31 10:00"}
    rows = [record(email=f"{name}@example.com", _sdc_deleted_at=marks[name]) for name in marks]
    for on_delete, counts in (("remove", (2, 0)), ("delete", (0, 2))):
        settings = config(server, on_delete, dry_run=True, report_path="report.json")
        ended = load(settings, tmp_path, schema(), *rows, record(_sdc_deleted_at=WHEN))
        assert ended.status == 0, ended.stderr
        report = json.loads((tmp_path / "report.json").read_text())
        (stream,), (leaving,) = report["streams"], report["plan"]["leaving"]
        assert (stream["read"], stream["valid"]) == (6, 2)
        assert (stream["would_leave"], stream["would_be_deleted"]) == counts
        assert stream["rejected"] == {"delete.invalid": 1, "delete.unidentified": 1}
        assert (leaving["contacts"], leaving["there_now"]) == (2, 2)
        assert leaving["is_deletion"] == (on_delete == "delete")
    assert len(names_in(server)) == 5


# Stream maps.

PROPERTIES: dict[str, Any] = {
    "email": {"type": ["string", "null"]},
    "first_name": {"type": ["string", "null"]},
    "deleted_on": {"type": ["string", "null"], "format": "date-time"},
    "_sdc_deleted_at": {"type": ["string", "null"], "format": "date-time"},
}

MADE: dict[str, dict[str, Any]] = {
    "a property": {"_sdc_deleted_at": "deleted_on"},
    "an expression": {"_sdc_deleted_at": "'2026-01-31T10:00:00Z' if deleted_on else None"},
    "a date-time of Python's": {
        "_sdc_deleted_at": "datetime.datetime.fromisoformat(deleted_on) if deleted_on else None"
    },
    "a property and nothing else": {
        "__else__": None,
        "email": "email",
        "first_name": "first_name",
        "_sdc_deleted_at": "deleted_on",
    },
}

TAKEN_AWAY: dict[str, dict[str, Any]] = {
    "null": {"_sdc_deleted_at": None},
    "the word for null": {"_sdc_deleted_at": "__NULL__"},
    "everything else": {"__else__": None, "email": "email", "first_name": "first_name"},
    "an expression": {"_sdc_deleted_at": "None if _sdc_deleted_at > '2026' else self"},
    "renamed": {"was_deleted_on": "_sdc_deleted_at", "_sdc_deleted_at": "__NULL__"},
}


def mapped(
    server: DotdigitalServer, maps: dict[str, dict[str, Any]], on_delete: str, *, flattening: bool
) -> dict[str, Any]:
    """Return settings for a stream of each stream map, named after it."""
    settings = settings_for(
        server, stream_maps=maps, streams={name: {"on_delete": on_delete} for name in maps}
    )
    if flattening:
        settings |= {"flattening_enabled": True, "flattening_max_depth": 1}
    return settings


WAYS = [("ignore", False), ("ignore", True), ("remove", True), ("delete", False)]


@pytest.mark.parametrize(("on_delete", "flattening"), WAYS)
def test_a_mark_that_a_stream_map_makes_counts(
    server: DotdigitalServer, tmp_path: Path, on_delete: str, *, flattening: bool
) -> None:
    messages = []
    for number, name in enumerate(MADE):
        fill(server, f"gone{number}", f"here{number}")
        people = {"email": f"gone{number}@example.com", "first_name": "after"}
        others = {"email": f"here{number}@example.com", "first_name": "after"}
        messages += [
            schema(name, properties=PROPERTIES),
            record(name, **people, deleted_on="2026-01-31T10:00:00"),
            record(name, **others, deleted_on=None),
        ]
    ended = run(mapped(server, MADE, on_delete, flattening=flattening), tmp_path, *messages)
    assert ended.status == 0, ended.stderr
    for name in MADE:
        assert "imported 1 + rejected 0 + collapsed 0 + skipped 1" in ended.counts(name)
    left = {} if on_delete != "ignore" else dict.fromkeys(addresses("gone", [*MADE]), "before")
    assert names_in(server) == {**left, **dict.fromkeys(addresses("here", [*MADE]), "after")}


@pytest.mark.parametrize(("on_delete", "flattening"), WAYS)
def test_a_mark_that_a_stream_map_takes_away_does_not(
    server: DotdigitalServer, tmp_path: Path, on_delete: str, *, flattening: bool
) -> None:
    messages = []
    for number, name in enumerate(TAKEN_AWAY):
        fill(server, f"here{number}")
        values = {"email": f"here{number}@example.com", "first_name": "after"}
        messages += [
            schema(name, properties=PROPERTIES),
            record(name, **values, _sdc_deleted_at=WHEN),
        ]
    ended = run(mapped(server, TAKEN_AWAY, on_delete, flattening=flattening), tmp_path, *messages)
    assert ended.status == 0, ended.stderr
    for name in TAKEN_AWAY:
        assert "imported 1 + rejected 0 + collapsed 0 + skipped 0" in ended.counts(name)
    assert names_in(server) == dict.fromkeys(addresses("here", [*TAKEN_AWAY]), "after")


@pytest.mark.parametrize("on_delete", ["ignore", "delete"])
def test_a_filter_on_marks_works(server: DotdigitalServer, tmp_path: Path, on_delete: str) -> None:
    fill(server, "ann", "bob")
    maps = {"people": {"__filter__": "not _sdc_deleted_at or email != 'ann@example.com'"}}
    ended = run(
        config(server, on_delete, stream_maps=maps),
        tmp_path,
        schema(properties=PROPERTIES),
        record(email="ann@example.com", first_name="after", _sdc_deleted_at=WHEN),
        record(email="bob@example.com", first_name="after", _sdc_deleted_at=None),
    )
    assert ended.status == 0, ended.stderr
    assert "imported 1 + rejected 0 + collapsed 0 + skipped 1" in ended.counts()
    assert names_in(server) == {"ann": "before", "bob": "after"}


def test_a_mark_that_a_stream_map_makes_of_no_date_time_rejects_the_row(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann")
    maps = {"people": {"_sdc_deleted_at": "str(is_deleted)"}}
    properties = {**PROPERTIES, "is_deleted": {"type": "boolean"}}
    ended = run(
        config(server, "delete", stream_maps=maps, max_reject_percent=100),
        tmp_path,
        schema(properties=properties),
        record(email="ann@example.com", first_name="after", is_deleted=False),
    )
    assert ended.counts().endswith("rejected by code: delete.invalid 1")
    assert names_in(server) == {"ann": "before"}


# Deleted rows of which the tap knows the key alone.


@pytest.mark.parametrize("on_delete", ["ignore", "remove"])
def test_a_stream_map_may_need_what_a_deleted_row_lacks(
    server: DotdigitalServer, tmp_path: Path, on_delete: str
) -> None:
    """Only what tells who leaves has to be there."""
    fill(server, "ann", "bob")
    maps = {"people": {"email": "email.lower()", "first_name": "first_name.title()"}}
    ended = run(
        config(server, on_delete, stream_maps=maps),
        tmp_path,
        schema(key_properties=["email"]),
        record(email="ANN@example.com", _sdc_deleted_at=WHEN),
        record(email="BOB@example.com", first_name="after"),
        record(email="BOB@example.com"),
    )
    assert ended.status == 0, ended.stderr
    assert "imported 1 + rejected 1 + collapsed 0 + skipped 1" in ended.counts()
    assert "record.invalid 1" in ended.counts()
    left = {} if on_delete != "ignore" else {"ann": "before"}
    assert names_in(server) == {**left, "bob": "After"}


@pytest.mark.parametrize(("on_delete", "route"), [("remove", REMOVE), ("delete", DELETE)])
@pytest.mark.parametrize("stream_map", [None, {"email": "email.lower()"}], ids=["plain", "mapped"])
def test_a_deleted_row_without_the_match_identifier(
    server: DotdigitalServer,
    tmp_path: Path,
    on_delete: str,
    route: str,
    stream_map: dict[str, Any] | None,
) -> None:
    """PostgreSQL's default REPLICA IDENTITY sends the key, and nothing else."""
    fill(server, "ann", "bob")
    rejects = tmp_path / "rejects.singer"
    required = schema(key_properties=["id"])
    required["schema"]["required"] = ["id", "email", "first_name"]
    settings = config(server, on_delete, rejects_path=str(rejects))
    if stream_map is not None:
        settings["stream_maps"] = {"people": stream_map}
    ended = run(
        settings,
        tmp_path,
        required,
        record(id=1, email="ann@example.com", first_name="after"),
        record(id=2, email="bob@example.com", first_name="after"),
        record(id=1, _sdc_deleted_at=WHEN),
        required | {"schema": {**required["schema"], "title": "another SCHEMA"}},
        record(id=2, _sdc_deleted_at=WHEN),
        state(1),
    )
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    assert ended.counts().strip() == (
        "read 4 = imported 2 + rejected 2 + collapsed 0 + skipped 0; "
        "rejected by code: delete.unidentified 2"
    )
    assert codes_in(rejects) == [("delete.unidentified", WHEN)] * 2
    assert names_in(server) == {"ann": "after", "bob": "after"}
    assert not server.calls_of(route)
    (warning,) = [line for line in ended.stderr.splitlines() if "REPLICA IDENTITY FULL" in line]
    for part in ("WARNING", "'people'", "'email'", "match_identifier", "delete.unidentified"):
        assert part in warning


def test_deleted_rows_that_name_nobody_count_against_the_limit(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    rows = [record(id=number, _sdc_deleted_at=WHEN) for number in range(1_000)]
    settings = config(server, "delete", max_reject_percent=20)
    ended = load(settings, tmp_path, schema(), *rows, state(1))
    assert (ended.status, ended.states) == (1, [])
    assert "more than the limit of 20 % (max_reject_percent)" in ended.stderr


def test_a_deleted_row_that_is_ignored_needs_no_identifier(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    ended = load(
        config(server, "ignore"),
        tmp_path,
        schema(),
        record(email="ann@example.com"),
        record(id=1, _sdc_deleted_at=WHEN),
    )
    assert ended.status == 0
    assert "imported 1 + rejected 0 + collapsed 0 + skipped 1" in ended.counts()


def test_an_identifier_of_a_deleted_row_that_is_none_is_invalid(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    row = record(email="no address", _sdc_deleted_at=WHEN)
    settings = config(server, "delete", max_reject_percent=100)
    ended = load(settings, tmp_path, schema(), row)
    assert ended.counts().endswith("rejected by code: identifier.invalid 1")
    assert "REPLICA IDENTITY" not in ended.stderr


# Properties `_sdc_*` that the tap declares.

METADATA: dict[str, Any] = {
    "email": {"type": ["string", "null"]},
    "_sdc_lsn": {"type": ["integer", "null"]},
    "_sdc_extracted_at": {"type": ["string", "null"], "format": "date-time"},
    "_sdc_deleted_at": {"type": ["string", "null"], "format": "date-time"},
    "_sdc_sequence": {"type": "integer"},
}
FIELDS = {"LSN": "_sdc_lsn", "READ_AT": "_sdc_extracted_at", "SEQUENCE": "_sdc_sequence"}


@pytest.fixture
def account(server: DotdigitalServer) -> DotdigitalServer:
    """An account that could take them by name."""
    for name in ("LSN", "SDC_LSN", "SEQUENCE", "SDCSEQUENCE"):
        server.data_fields[name] = "Numeric"
    for name in ("READ_AT", "SDC_EXTRACTED_AT", "SDCDELETEDAT"):
        server.data_fields[name] = "Date"
    server.custom_identifiers.add("sequence")
    return server


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"stream_maps": {"people": {"email": "email.lower()"}}},
        {"flattening_enabled": True, "flattening_max_depth": 1},
        {"validate_records": False},
    ],
    ids=["as it is", "stream map", "flattened", "not validated"],
)
def test_what_the_tap_declares_can_be_mapped(
    account: DotdigitalServer, tmp_path: Path, more: dict[str, Any]
) -> None:
    stream = {
        "fields": FIELDS,
        "match_identifier": "sequence",
        "identifiers": {"sequence": "_sdc_sequence", "email": "email"},
    }
    people = schema(properties=METADATA, key_properties=["_sdc_sequence"])
    people["schema"] |= {"required": ["_sdc_sequence"], "additionalProperties": False}
    values: dict[str, Any] = {"_sdc_lsn": 5, "_sdc_extracted_at": WHEN, "_sdc_sequence": 7}
    ended = run(
        settings_for(account, streams={"people": stream}, **more),
        tmp_path,
        people,
        record(email="ann@example.com", **values, _sdc_deleted_at=None),
        people,  # once more: what it declares is still there
        record(email="bob@example.com", _sdc_sequence=8, _sdc_batched_at=WHEN),
    )
    assert ended.status == 0, ended.stderr
    assert "imported 2 + rejected 0" in ended.counts()
    ann, bob = account.contact("ann@example.com"), account.contact("bob@example.com")
    assert ann is not None
    assert bob is not None
    assert ann.data_fields == {"LSN": 5, "READ_AT": WHEN, "SEQUENCE": 7}
    assert (ann.identifiers["sequence"], bob.identifiers["sequence"]) == ("7", "8")
    assert bob.data_fields == {"SEQUENCE": 8}


def test_nothing_of_it_is_mapped_by_name(account: DotdigitalServer, tmp_path: Path) -> None:
    values: dict[str, Any] = {"_sdc_lsn": 5, "_sdc_extracted_at": WHEN, "_sdc_sequence": 7}
    ended = run(
        settings_for(account),
        tmp_path,
        schema(properties=METADATA),
        record(email="ann@example.com", **values, _sdc_deleted_at=""),
    )
    assert ended.status == 0, ended.stderr
    ann = account.contact("ann@example.com")
    assert ann is not None
    assert ann.data_fields == {}


def test_what_the_sdk_adds_can_be_mapped_as_well(account: DotdigitalServer, tmp_path: Path) -> None:
    streams = {"people": {"fields": {"READ_AT": "_sdc_extracted_at"}}}
    ended = run(
        settings_for(account, streams=streams, add_record_metadata=True),
        tmp_path,
        schema(),
        {**record(email="ann@example.com"), "time_extracted": WHEN},
    )
    assert ended.status == 0, ended.stderr
    ann = account.contact("ann@example.com")
    assert ann is not None
    assert ann.data_fields == {"READ_AT": WHEN}


@pytest.mark.parametrize("name", ["_sdc_extracted_at", "_sdc_lsn", "_sdc_sequence"])
def test_what_nobody_declares_is_missing(
    account: DotdigitalServer, tmp_path: Path, name: str
) -> None:
    streams = {"people": {"fields": {"LSN": name}}}
    ended = run(
        settings_for(account, streams=streams),
        tmp_path,
        schema(),
        {"type": "RECORD", "stream": "people", "record": {"email": "ann@example.com", name: 5}},
    )
    assert (ended.status, account.imports) == (1, [])
    assert f"The schema has no property '{name}' (for LSN)" in ended.stderr
