"""The target against the sandbox, with what Dotdigital's documents leave open either way.

The sandbox's switches are independent of each other, so one run throws many of them at once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import TierLimits, read_switches
from tests.support.messages import record, rows, schema, state
from tests.support.mirrors import PACE
from tests.support.sandbox.client import SandboxClient, person
from tests.support.sandbox.switches import DEFAULTS, LIST_ID, OTHERWISE, configured
from tests.support.target.command import FinishedRun, TargetProcess, load

if TYPE_CHECKING:
    from pathlib import Path


SUMMARY_ONLY = ("unknown-list=refused", "report-lists=summaryOnly")

PROPERTIES: dict[str, Any] = {
    "email": {"type": ["string", "null"]},
    "first_name": {"type": ["string", "null"]},
    "since": {"type": ["string", "null"]},
    "score": {"type": ["string", "number", "null"]},
}

ROWS: list[dict[str, Any]] = [
    {"email": "Ann@Example.com", "first_name": "Ann", "since": "2026-01-31", "score": 1},
    {"email": "known@example.com", "first_name": None, "score": 2},
    {"email": "barred@example.com", "first_name": "Bar"},
    {"email": "long@example.com", "first_name": "x" * 1_001},
    {"email": "type@example.com", "score": "many"},
    {"email": None, "first_name": "Nobody"},
    {"email": "ann@example.com", "first_name": "Anna", "since": "2026-01-31", "score": 3},
]
COUNTS = (
    "read 7 = imported 2 + rejected 4 + collapsed 1 + skipped 0; rejected by code: "
    "dotdigital.globallySuppressed 1, field.too_long 1, field.type 1, identifier.missing 1"
)
REJECT_CODES = {
    "dotdigital.globallySuppressed",
    "field.too_long",
    "field.type",
    "identifier.missing",
}


def prepare(database: Path) -> None:
    """Fill the account, with every switch in its first position."""
    options = Options(database, address_books=[LIST_ID], suppressed=["barred@example.com"])
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        client.create_field("SINCE", "Date")
        client.create_field("SCORE", "Numeric")
        client.load(person("known@example.com", dataFields={"FIRSTNAME": "Kim"}))


def load_rows(folder: Path, settings: dict[str, Any]) -> FinishedRun:
    messages = [record(**row) for row in ROWS]
    return load(settings, folder, schema(properties=PROPERTIES), *messages, state({"done": 1}))


@pytest.mark.parametrize("merge_option", ["overwrite", "overwriteIfNotEmpty"])
@pytest.mark.parametrize(
    "assignments", [DEFAULTS, OTHERWISE, SUMMARY_ONLY], ids=["defaults", "otherwise", "summary"]
)
def test_counts_and_contents_are_right_either_way(
    tmp_path: Path, assignments: tuple[str, ...], merge_option: str
) -> None:
    database = tmp_path / "sandbox.db"
    rejects = tmp_path / "rejects.singer"
    prepare(database)
    options = Options(database, address_books=[LIST_ID], switches=read_switches(assignments))
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        settings = configured(server, merge_option=merge_option, rejects_path=str(rejects))
        ended = load_rows(tmp_path, settings)
        members = {one["identifiers"]["email"] for one in client.members(LIST_ID)}
        fields = {one: client.fields(one) for one in members}
    assert ended.status == 0, ended.stderr
    assert ended.states == [{"done": 1}]
    assert ended.counts() == COUNTS
    assert members == {"ann@example.com", "known@example.com"}
    kept = {} if merge_option == "overwrite" else {"FIRSTNAME": "Kim"}
    assert fields["known@example.com"] == {"SCORE": 2, **kept}
    assert fields["ann@example.com"] == {
        "FIRSTNAME": "Anna",
        "SINCE": "2026-01-31T00:00:00Z",
        "SCORE": 3,
    }
    lines = [json.loads(line) for line in rejects.read_text().splitlines()]
    codes = {one["record"]["_sdc_reject_code"] for one in lines if one["type"] == "RECORD"}
    # A report without lists tells how many were refused, and not who.
    named = assignments != SUMMARY_ONLY
    assert codes == REJECT_CODES - (set() if named else {"dotdigital.globallySuppressed"})


EITHER_WAY = pytest.mark.parametrize(
    "assignments", [DEFAULTS, OTHERWISE], ids=["defaults", "otherwise"]
)


@EITHER_WAY
def test_a_person_whose_status_is_suppressed_stays_suppressed_either_way(
    tmp_path: Path, assignments: tuple[str, ...]
) -> None:
    database = tmp_path / "sandbox.db"
    options = Options(database, address_books=[LIST_ID])
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        suppressed = {"channelProperties": {"email": {"status": "suppressed"}}}
        client.load(person("sue@example.com", **suppressed))
    switched = Options(database, switches=read_switches(assignments))
    with SandboxServer(switched) as server, SandboxClient(server.url) as client:
        messages = [*rows(["ann", "sue", "bob"], first_name="New"), state(1)]
        config = configured(server, streams={"people": {"fields": {"FIRSTNAME": "first_name"}}})
        ended = load(config, tmp_path, schema(), *messages)
        sue = client.contact("sue@example.com")
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    assert sue["status"] == "suppressed"
    if assignments == DEFAULTS:
        assert ended.counts() == "read 3 = imported 3 + rejected 0 + collapsed 0 + skipped 0"
        assert (sue["dataFields"], len(sue["lists"])) == ({"FIRSTNAME": "New"}, 1)
    else:
        assert "dotdigital.globallySuppressed 1" in ended.counts()
        assert (sue["dataFields"], sue["lists"]) == ({}, [])


@EITHER_WAY
def test_rows_that_point_at_two_people_or_at_nobody_cost_themselves_at_most(
    tmp_path: Path, assignments: tuple[str, ...]
) -> None:
    database = tmp_path / "sandbox.db"
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        known = client.load(person("a@example.com"), person("b@example.com"))["created"]
    first, second = (one["contactId"] for one in known)
    switched = Options(database, address_books=[LIST_ID], switches=read_switches(assignments))
    stream = {"match_identifier": "contactId", "identifiers": {"contactId": "id", "email": "email"}}
    with SandboxServer(switched) as server, SandboxClient(server.url) as client:
        ended = load(
            configured(server, streams={"people": stream}),
            tmp_path,
            schema(),
            record(id=first, email="b@example.com"),
            record(id=987_654, email="new@example.com"),
            record(id=second, email="b@example.com"),
            state(1),
        )
        members = {one["contactId"] for one in client.members(LIST_ID)}
        emails = {one: client.contact(one, "contactId")["identifiers"] for one in (first, second)}
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    assert emails == {first: {"email": "a@example.com"}, second: {"email": "b@example.com"}}
    if assignments == DEFAULTS:
        codes = "dotdigital.identifierConflict 1, dotdigital.invalidContactId 1"
        assert members == {second}
    else:
        codes = "dotdigital.duplicate 1"
        assert members == {second, second + 1}
    assert f"rejected by code: {codes}" in ended.counts()


@EITHER_WAY
def test_types_and_consents_are_taken_either_way(
    tmp_path: Path, assignments: tuple[str, ...]
) -> None:
    parts = {
        "text": "Yes",
        "url": "https://bücher.example/größe",
        "date_time_consented": "2024-02-29 10:00:00+02:00",
        "ip_address": "2001:DB8::1",
        "user_agent": "Mozilla/5.0",
    }
    stream = {
        "email_type": "plainText",
        "email_opt_in_type": "double",
        "consent": {part: f"consent.{part}" for part in parts},
    }
    people = schema(properties={"email": {"type": "string"}, "consent": {"type": "object"}})
    options = Options(
        tmp_path / "sandbox.db", address_books=[LIST_ID], switches=read_switches(assignments)
    )
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        ended = load(
            configured(server, streams={"people": stream}),
            tmp_path,
            people,
            record(email="whole@example.com", consent=parts),
            record(email="half@example.com", consent={"text": "Yes"}),
            state(1),
        )
        members = {one["identifiers"]["email"] for one in client.members(LIST_ID)}
        whole = client.contact("whole@example.com")
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    assert members == {"whole@example.com"}
    assert whole["consentRecords"][0]["text"] == "Yes"
    assert whole["channelProperties"]["email"]["optInType"].lower() == "double"
    assert "Trying again" not in ended.stderr


@pytest.mark.parametrize("assignments", [DEFAULTS, OTHERWISE], ids=["defaults", "otherwise"])
def test_a_data_field_that_the_account_lacks_ends_the_run_either_way(
    tmp_path: Path, assignments: tuple[str, ...]
) -> None:
    options = Options(
        tmp_path / "sandbox.db", address_books=[LIST_ID], switches=read_switches(assignments)
    )
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        ended = load_rows(tmp_path, configured(server))
        assert client.members(LIST_ID) == []
    assert ended.status == 1
    assert "SCORE" in ended.stderr
    assert "SINCE" in ended.stderr
    assert ended.states == []


PEOPLE = ("ann", "bob", "cid")


@pytest.mark.parametrize("assignments", [DEFAULTS, OTHERWISE], ids=["defaults", "otherwise"])
@pytest.mark.parametrize("leaves_by", ["mirror", "remove"])
def test_whoever_is_to_leave_an_address_book_leaves_it_either_way(
    tmp_path: Path, leaves_by: str, assignments: tuple[str, ...]
) -> None:
    database = tmp_path / "sandbox.db"
    full = Options(database, address_books=[LIST_ID])
    with SandboxServer(full) as server, SandboxClient(server.url) as client:
        client.load(*(person(f"{name}@example.com", lists=[LIST_ID]) for name in PEOPLE))
    options = Options(database, switches=read_switches(assignments))
    stream = {"mirror": {"sync_mode": "mirror"}, "remove": {"on_delete": "remove"}}[leaves_by]
    rows = [record(email=f"{name}@example.com") for name in ("ann", "bob")]
    if leaves_by == "remove":
        rows.append(record(email="cid@example.com", _sdc_deleted_at="2026-01-31T10:00:00Z"))
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        settings = configured(server, streams={"people": {"max_removal_percent": 100, **stream}})
        ended = load(settings, tmp_path, schema(properties=PROPERTIES), *rows, state(1), pace=PACE)
        members = {one["identifiers"]["email"] for one in client.members(LIST_ID)}
        everybody = {name for name in PEOPLE if client.contact(f"{name}@example.com")}
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    assert members == {"ann@example.com", "bob@example.com"}
    assert everybody == set(PEOPLE)
    assert "Trying again" not in ended.stderr


@pytest.mark.parametrize("assignments", [DEFAULTS, OTHERWISE], ids=["defaults", "otherwise"])
def test_what_is_missing_is_created_once_either_way(
    tmp_path: Path, assignments: tuple[str, ...]
) -> None:
    options = Options(tmp_path / "sandbox.db", switches=read_switches(assignments))
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        settings = configured(
            server,
            address_book="Newcomers",
            create_address_book=True,
            create_data_fields=True,
            streams={"people": {"fields": {"SCORE": "score"}}},
        )
        people = schema(properties={"email": {"type": "string"}, "score": {"type": "integer"}})
        ended = load(settings, tmp_path, people, record(email="a@example.com", score=1), state(1))
        score = client.fields("a@example.com")
        (book,) = client.contact("a@example.com")["lists"]
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    assert score == {"SCORE": 1}
    assert book["name"] == "Newcomers"
    assert "Trying again" not in ended.stderr


@pytest.mark.parametrize(
    "assignments",
    [
        ("reset-header=epoch", "limit-body=json", "status-tier=high"),
        ("reset-header=seconds", "limit-body=none", "status-tier=unlimited"),
    ],
    ids=["epoch", "seconds"],
)
def test_calls_over_a_rate_limit_wait_for_its_reset_either_way(
    tmp_path: Path, assignments: tuple[str, ...]
) -> None:
    # One call a window of each tier: every further one has to wait.
    limits = TierLimits(low=1, medium=1, high=1, window_seconds=1.0)
    database = tmp_path / "sandbox.db"
    prepare(database)
    options = Options(database, switches=read_switches(assignments), rate_limits=limits)
    with SandboxServer(options) as server:
        ended = load_rows(tmp_path, configured(server))
    assert ended.status == 0, ended.stderr
    assert ended.counts() == COUNTS
    assert ended.states == [{"done": 1}]


@pytest.mark.parametrize("position", ["notWritten", "written", "refused"])
def test_an_address_book_that_goes_in_mid_run_ends_the_run_either_way(
    tmp_path: Path, position: str
) -> None:
    database = tmp_path / "sandbox.db"
    options = Options(database, switches=read_switches([f"unknown-list={position}"]))
    people = schema(properties=PROPERTIES)
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        list_id = client.create_list("Passing")
        settings = configured(server, address_book=list_id, streams={"people": {}})
        with TargetProcess(settings, tmp_path) as target:
            target.send(people, record(email="a@example.com"))
            target.wait_for("Connected to", "stderr")
            assert client.call("DELETE", f"/v2/address-books/{list_id}").status_code == 204
            # Of one or two contacts that are refused, the target cannot tell that all would be.
            target.send(*(record(email=f"{one}@example.com") for one in "bcdef"), state(1))
            ended = target.end()
    assert ended.status == 1
    assert ended.states == []
