"""`send: changes`: a contact is sent only if it is new, or differs from what was last settled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.dotdigital.answers import reply
from tests.support.dotdigital.routes import ACCOUNT_INFO
from tests.support.messages import gone, record, rows, schema, state
from tests.support.target.command import load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

EMAIL = {"email": {"type": "string"}, "first_name": {"type": ["string", "null"]}}
FAST = schema(properties=EMAIL)
SLOW = schema(properties={**EMAIL, "first_name": {"type": ["string", "null"], "maxLength": 99}})
"""The same, but for a keyword that the fast path does not know."""

BOTH = pytest.mark.parametrize("people", [FAST, SLOW], ids=["fast path", "slow path"])


def changes(server: DotdigitalServer, **more: Any) -> dict[str, Any]:
    return settings_for(server, send="changes", fingerprints_path="fingerprints", **more)


def sent(server: DotdigitalServer, since: int = 0) -> list[str]:
    """Return the names in the imports from a number on, in order."""
    addresses = [
        each["identifiers"]["email"] for one in server.imports[since:] for each in one.contacts
    ]
    return [each.partition("@")[0].lower() for each in addresses]


@BOTH
def test_only_new_and_changed_contacts_are_sent(
    server: DotdigitalServer, tmp_path: Path, people: dict[str, Any]
) -> None:
    first = load(changes(server), tmp_path, people, *rows("abc", first_name="x"), state(1))
    assert (first.status, first.states, sent(server)) == (0, [1], ["a", "b", "c"])
    counts = "read 3 = imported 3 + rejected 0 + collapsed 0 + skipped 0 + unchanged 0"
    assert first.counts().strip() == counts
    assert "everything is sent" in first.stderr
    second = load(
        changes(server),
        tmp_path,
        people,
        *rows("a", first_name="x"),
        state(1),
        *rows("b", first_name="y"),
        state(2),
        *rows("cd", first_name="x"),
        state(3),
    )
    assert (second.status, second.states[-1]) == (0, 3), second.stderr
    assert sent(server, 1) == ["b", "d"]
    assert "everything is sent" not in second.stderr
    counts = "read 4 = imported 2 + rejected 0 + collapsed 0 + skipped 0 + unchanged 2"
    assert second.counts().strip() == counts
    third = load(changes(server), tmp_path, people, *rows("ac", first_name="x"), state(4))
    assert (third.status, third.states, len(server.imports)) == (0, [4], 2)
    assert server.contents()["b@example.com"]["data_fields"]["FIRSTNAME"] == "y"


@pytest.mark.parametrize("send", ["all", "changes"])
def test_a_schema_may_hold_half_a_surrogate_pair(
    server: DotdigitalServer, tmp_path: Path, send: str
) -> None:
    odd = schema(properties={**EMAIL, "half \ud800": {"description": "\udfff"}})
    config = {**changes(server), "send": send}
    for sending in (1, 0 if send == "changes" else 1):
        since = len(server.imports)
        ended = load(config, tmp_path, odd, *rows("a", first_name="x"))
        assert (ended.status, len(sent(server, since))) == (0, sending), ended.stderr


def test_without_the_setting_nothing_is_said_of_unchanged_rows(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    for _ in range(2):
        ended = load(settings_for(server), tmp_path, FAST, *rows("a"))
        assert (
            ended.counts().strip() == "read 1 = imported 1 + rejected 0 + collapsed 0 + skipped 0"
        )
    assert sent(server) == ["a", "a"]
    assert not server.calls_of(ACCOUNT_INFO)


@BOTH
def test_a_change_back_within_a_run_is_a_change(
    server: DotdigitalServer, tmp_path: Path, people: dict[str, Any]
) -> None:
    config = changes(server, batch_size_rows=1)
    load(config, tmp_path, people, *rows("abcd", first_name="old"))
    again = [*rows("ab", first_name="old"), *rows("b", first_name="new")]
    ended = load(config, tmp_path, people, *again, *rows("cbd", first_name="old"))
    assert (ended.status, sent(server, 4)) == (0, ["b"]), ended.stderr
    assert server.contents()["b@example.com"]["data_fields"]["FIRSTNAME"] == "old"
    counts = "read 6 = imported 1 + rejected 0 + collapsed 1 + skipped 0 + unchanged 4"
    assert ended.counts().strip() == counts
    load(config, tmp_path, people, *rows("abcd", first_name="old"))
    assert sent(server, 5) == []


@BOTH
def test_a_row_that_is_rejected_is_tried_again(
    server: DotdigitalServer, tmp_path: Path, people: dict[str, Any]
) -> None:
    config = changes(server, max_reject_percent=100)
    load(config, tmp_path, people, *rows("ab", first_name="old"))
    server.reject("a@example.com")
    for _ in range(2):
        ended = load(config, tmp_path, people, *rows("ab", first_name="new"))
        assert "rejected 1" in ended.counts()
    assert sent(server, 1) == ["a", "b", "a"]
    # What it was before is not there for sure any more.
    load(config, tmp_path, people, *rows("a", first_name="old"))
    assert sent(server, 3) == ["a"]


def test_who_is_imported_in_part_is_sent_again(server: DotdigitalServer, tmp_path: Path) -> None:
    server.warn("a@example.com")
    for _ in range(2):
        load(changes(server), tmp_path, FAST, *rows("ab", first_name="x"))
    assert sent(server) == ["a", "b", "a"]


def test_an_address_in_another_spelling_is_the_same_contact(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    for name, value in (("ann", "x"), ("ANN", "y"), ("ann", "x"), (" Ann", "x")):
        load(changes(server), tmp_path, FAST, *rows([name], first_name=value))
    assert sent(server) == ["ann"] * 3


@pytest.mark.parametrize("on_delete", ["remove", "delete"])
def test_who_has_left_is_sent_again(
    server: DotdigitalServer, tmp_path: Path, on_delete: str
) -> None:
    config = changes(server, streams={"people": {"on_delete": on_delete}})
    load(config, tmp_path, FAST, *rows("ab", first_name="x"))
    ended = load(config, tmp_path, FAST, *gone("a"), *rows("b", first_name="x"))
    assert ended.status == 0, ended.stderr
    assert "unchanged 1" in ended.counts()
    load(config, tmp_path, FAST, *rows("ab", first_name="x"))
    assert sent(server, 1) == ["a"]
    assert 102 in server.contents()["a@example.com"]["lists"]


def test_a_consent_record_is_not_given_twice(server: DotdigitalServer, tmp_path: Path) -> None:
    names = ("text", "url", "date_time_consented", "ip_address", "user_agent")
    config = changes(server, streams={"people": {"consent": {each: each for each in names}}})
    values = {
        "text": "yes",
        "url": "https://example.com",
        "date_time_consented": "2026-01-02T03:04:05Z",
        "ip_address": "192.0.2.1",
        "user_agent": "x",
    }
    people = schema(properties={**EMAIL, **{each: {"type": "string"} for each in names}})
    load(config, tmp_path, people, *rows("ab", **values))
    load(config, tmp_path, people, *rows("a", **values), *rows("b", **{**values, "text": "no"}))
    assert sent(server, 1) == ["b"]


# Several streams: data fields belong to the contact.


def two(server: DotdigitalServer, **more: Any) -> dict[str, Any]:
    streams = {"one": {"address_book": 101}, "two": {"address_book": 102}}
    return changes(server, streams=streams, **more)


def of(stream: str, names: str, **values: Any) -> list[Any]:
    return [schema(stream, EMAIL), *rows(names, stream, **values)]


@pytest.mark.parametrize("batch_size_rows", [1, 100])
def test_the_same_values_of_two_streams_are_sent_once(
    server: DotdigitalServer, tmp_path: Path, batch_size_rows: int
) -> None:
    config = two(server, batch_size_rows=batch_size_rows)
    both = [*of("one", "ab", first_name="x"), *of("two", "bc", first_name="x")]
    for _ in range(3):
        ended = load(config, tmp_path, *both)
        assert ended.status == 0, ended.stderr
        done, server.imports = len(server.imports), []
    assert done == 0
    assert server.contents()["b@example.com"]["lists"] == [101, 102]


@pytest.mark.parametrize("batch_size_rows", [1, 100])
def test_a_change_by_one_stream_is_undone_by_the_next_as_ever(
    server: DotdigitalServer, tmp_path: Path, batch_size_rows: int
) -> None:
    config = two(server, batch_size_rows=batch_size_rows)
    load(config, tmp_path, *of("one", "a", first_name="x"), *of("two", "a", first_name="x"))
    load(config, tmp_path, *of("one", "a", first_name="y"), *of("two", "a", first_name="x"))
    assert server.contents()["a@example.com"]["data_fields"]["FIRSTNAME"] == "x"
    # One alone, and then the other one alone.
    load(config, tmp_path, *of("one", "a", first_name="y"))
    assert server.contents()["a@example.com"]["data_fields"]["FIRSTNAME"] == "y"
    load(config, tmp_path, *of("two", "a", first_name="x"))
    assert server.contents()["a@example.com"]["data_fields"]["FIRSTNAME"] == "x"


def test_streams_that_write_different_fields_do_not_touch_each_other(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    streams = {
        "one": {"address_book": 101, "fields": {"FIRSTNAME": "first_name"}},
        "two": {"address_book": 102, "fields": {"LASTNAME": "first_name"}},
    }
    config = changes(server, streams=streams)
    load(config, tmp_path, *of("one", "a", first_name="x"), *of("two", "a", first_name="x"))
    done = len(server.imports)
    load(config, tmp_path, *of("one", "a", first_name="y"), *of("two", "a", first_name="x"))
    assert [each["lists"] for one in server.imports[done:] for each in one.contacts] == [[101]]


def test_a_contact_is_known_by_each_of_its_identifiers(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    streams = {
        "one": {"address_book": 101},
        "two": {
            "address_book": 102,
            "match_identifier": "mobileNumber",
            "identifiers": {"mobileNumber": "phone", "email": "email"},
        },
    }
    config = changes(server, streams=streams)
    phone = schema("two", {**EMAIL, "phone": {"type": "string"}})
    second = [phone, *rows("a", "two", first_name="two", phone="447400123123")]
    load(config, tmp_path, *second)
    load(config, tmp_path, *of("one", "a", first_name="one"))
    assert server.contents()["a@example.com"]["data_fields"]["FIRSTNAME"] == "one"
    load(config, tmp_path, *second)
    assert server.contents()["a@example.com"]["data_fields"]["FIRSTNAME"] == "two"


# When everything is sent.


def test_other_settings_mean_that_everything_is_sent(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.add_contact("other@example.com", lists=(101,))
    load(changes(server), tmp_path, FAST, *rows("ab", first_name="x"))
    others: list[dict[str, Any]] = [
        {"merge_option": "overwriteIfNotEmpty"},
        {"address_book": 101},
        {"streams": {"people": {"fields": {"LASTNAME": "first_name"}}}},
    ]
    for more in others:
        done = len(server.imports)
        ended = load(changes(server, **more), tmp_path, FAST, *rows("ab", first_name="x"))
        assert sent(server, done) == ["a", "b"]
        assert ended.stderr.count("everything is sent: its settings") == 1
        load(changes(server, **more), tmp_path, FAST, *rows("ab", first_name="x"))
        assert sent(server, done) == ["a", "b"]


def test_another_account_gets_everything(server: DotdigitalServer, tmp_path: Path) -> None:
    load(changes(server), tmp_path, FAST, *rows("ab"))
    server.answer_next(ACCOUNT_INFO, reply(200, {"id": 98765, "properties": []}))
    ended = load(changes(server), tmp_path, FAST, *rows("ab"))
    assert "fingerprints: it is of another account; everything is sent" in ended.stderr
    assert sent(server, 1) == ["a", "b"]


def test_send_all_makes_the_fingerprints_anew(server: DotdigitalServer, tmp_path: Path) -> None:
    load(changes(server), tmp_path, FAST, *rows("abc", first_name="x"))
    everything = {**changes(server), "send": "all"}
    ended = load(
        everything, tmp_path, FAST, *rows("ab", first_name="y"), SLOW, *rows("b", first_name="z")
    )
    assert ended.status == 0, ended.stderr
    assert ended.counts().strip() == "read 3 = imported 3 + rejected 0 + collapsed 0 + skipped 0"
    assert "unchanged" not in ended.stderr
    done = len(server.imports)
    load(changes(server), tmp_path, FAST, *rows("a", first_name="y"), *rows("bc", first_name="x"))
    assert sent(server, done) == ["b", "c"]


def test_an_empty_address_book_gets_everything(server: DotdigitalServer, tmp_path: Path) -> None:
    load(changes(server), tmp_path, FAST, *rows("ab"))
    for each in server._contacts.values():
        each.lists.clear()
    ended = load(changes(server), tmp_path, FAST, *rows("ab"))
    assert "its address book is empty" in ended.stderr
    assert sent(server, 1) == ["a", "b"]


@pytest.mark.parametrize(("days", "is_sent"), [(7, True), (9, False), (0, False)])
def test_after_some_days_everything_is_sent(
    server: DotdigitalServer, tmp_path: Path, days: int, *, is_sent: bool
) -> None:
    config = changes(server, send_all_every_days=days)
    past = {"FAST_CLOCK_JUMP": str(-8 * 86_400), "FAST_CLOCK_STAYS": "1"}
    load(config, tmp_path, FAST, *rows("a"), environment=past)
    load(config, tmp_path, FAST, *rows("a"))
    assert sent(server, 1) == ["a"] * is_sent
    load(config, tmp_path, FAST, *rows("a"))
    assert sent(server, 1) == ["a"] * is_sent


# Dry runs, and what is kept.


def test_a_dry_run_says_how_many_would_be_sent(server: DotdigitalServer, tmp_path: Path) -> None:
    dry = {**changes(server), "dry_run": True, "report_path": "report.json"}
    load(dry, tmp_path, FAST, *rows("ab"))
    assert not (tmp_path / "fingerprints").exists()
    load(changes(server), tmp_path, FAST, *rows("abc", first_name="x"))
    before = (tmp_path / "fingerprints").read_bytes()
    ended = load(dry, tmp_path, FAST, *rows("ab", first_name="x"), *rows("cd", first_name="y"))
    assert ended.status == 0, ended.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    (people,) = report["streams"]
    assert (people["valid"], people["unchanged"]) == (2, 2)
    assert report["plan"]["contacts_in_imports"] == 2
    assert (tmp_path / "fingerprints").read_bytes() == before
    assert len(server.imports) == 1


def test_the_file_is_small_private_and_holds_no_value(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    count = 20_000
    messages = [
        record(email=f"kanarie{each}@example.com", first_name="kanarie") for each in range(count)
    ]
    ended = load(changes(server), tmp_path, FAST, *messages)
    assert ended.status == 0, ended.stderr
    path = tmp_path / "fingerprints"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_size < 30 * count
    assert b"kanarie" not in path.read_bytes()
    assert b"example.com" not in path.read_bytes()
    load(changes(server), tmp_path, FAST, *messages)
    assert len(sent(server)) == count


def test_it_needs_a_path(server: DotdigitalServer, tmp_path: Path) -> None:
    ended = load(settings_for(server, send="changes"), tmp_path, FAST, *rows("a"))
    assert ended.status == 1
    assert "fingerprints_path: required with send: changes" in ended.stderr
