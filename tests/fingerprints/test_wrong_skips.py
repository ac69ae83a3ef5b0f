"""Who is not as he was settled is sent, however he came to be another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fingerprints.test_only_changes import EMAIL, FAST, changes, sent
from tests.support.messages import activate, record, rows, schema, state
from tests.support.mirrors import fill, members
from tests.support.target.command import load

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

PHONES = {**EMAIL, "phone": {"type": "string"}}
ANN, BEN = "447400123123", "447400123124"


def name_of(server: DotdigitalServer, name: str) -> object:
    return server.contents()[f"{name}@example.com"]["data_fields"].get("FIRSTNAME")


def test_a_line_goes_back_after_one_that_says_the_same_in_other_words(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    stored = rows("ab", first_name="x", seen=1)
    load(changes(server), tmp_path, FAST, *stored)
    again = [*rows("a", first_name="x", seen=2), *rows("a", first_name="y"), *stored]
    ended = load(changes(server), tmp_path, FAST, *again)
    assert ended.status == 0, ended.stderr
    assert name_of(server, "a") == "x"
    assert sent(server, 1) == ["a"]


# Streams that find people in different ways.


def by_phone(server: DotdigitalServer, **more: Any) -> dict[str, Any]:
    phones = {
        "address_book": 102,
        "match_identifier": "mobileNumber",
        "identifiers": {"mobileNumber": "phone"},
        "fields": {"FIRSTNAME": "first_name"},
        **more,
    }
    return changes(server, streams={"people": {"address_book": 101}, "phones": phones})


def phones(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    return [schema("phones", PHONES), *messages]


def test_a_stream_that_knows_people_by_something_else_may_have_changed_them(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.add_contact("ann@example.com", identifiers={"mobileNumber": ANN})
    config, people = by_phone(server), [FAST, *rows(["ann"], first_name="x")]
    load(config, tmp_path, *people)
    load(config, tmp_path, *phones(record("phones", phone=ANN, first_name="y")))
    assert name_of(server, "ann") == "y"
    load(config, tmp_path, *people)
    assert name_of(server, "ann") == "x"


def test_both_in_one_run(server: DotdigitalServer, tmp_path: Path) -> None:
    server.add_contact("ann@example.com", identifiers={"mobileNumber": ANN})
    config = by_phone(server)
    for _ in range(3):
        ended = load(
            config,
            tmp_path,
            FAST,
            *phones(),
            *rows(["ann"], first_name="x"),
            record("phones", phone=ANN, first_name="y"),
            *rows(["ben"], first_name="x"),
        )
        assert ended.status == 0, ended.stderr
        assert "imported 2" in ended.counts()
        assert "imported 1" in ended.counts("phones")
    assert "'phones': everything is sent: stream 'people' finds contacts by" in ended.stderr


def test_who_was_deleted_by_a_stream_that_knows_him_by_something_else_is_sent(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.add_contact("ann@example.com", identifiers={"mobileNumber": ANN})
    config = by_phone(server, on_delete="delete")
    people = [FAST, *rows(["ann", "ben"], first_name="x")]
    load(config, tmp_path, *people)
    marked = {"phone": ANN, "_sdc_deleted_at": "2026-01-01T00:00:00Z"}
    deleted = record("phones", **marked)
    ended = load(config, tmp_path, *phones(deleted))
    assert ended.status == 0, ended.stderr
    assert "ann@example.com" not in server.contents()
    load(config, tmp_path, *people)
    assert name_of(server, "ann") == "x"


def test_an_address_that_another_stream_has_given_to_somebody_else_is_sent(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = by_phone(server, identifiers={"mobileNumber": "phone", "email": "email"})
    load(config, tmp_path, *phones(*rows(["ann"], "phones", first_name="x", phone=ANN)))
    load(config, tmp_path, FAST, *rows(["ann"], first_name="x"))
    load(config, tmp_path, *phones(*rows(["ann-new"], "phones", first_name="x", phone=ANN)))
    load(config, tmp_path, FAST, *rows(["ann"], first_name="x"))
    assert {"ann@example.com", "ann-new@example.com"} <= server.contents().keys()


# Mirrors.


def test_an_unchanged_row_of_an_earlier_version_does_not_keep_somebody_in_a_mirror(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    stream = {"sync_mode": "mirror", "max_removal_percent": 99}
    config = changes(server, streams={"people": stream})

    def version(number: int, names: str) -> list[dict[str, Any]]:
        found = [{**each, "version": number} for each in rows(names, first_name="x")]
        return [FAST, *found, activate(number), state(number)]

    fill(server, "z")
    load(config, tmp_path, *version(1, "abc"))
    assert members(server) == set("abc")
    ended = load(config, tmp_path, *version(2, "abc"), *version(3, "ab"))
    assert ended.status == 0, ended.stderr
    assert members(server) == {"a", "b"}


# Opt-outs.

OUT = {**EMAIL, "out": {"type": "boolean"}}


def opt_outs(server: DotdigitalServer, **more: Any) -> dict[str, Any]:
    streams = {
        "outs": {"opt_out": {"email": "out"}, "fields": {}, **more},
        "people": {"resubscribe": True},
    }
    return changes(server, streams=streams)


def email_status(server: DotdigitalServer) -> object:
    return server.contents()["a@example.com"]["email_status"]


@pytest.mark.parametrize("order", [("outs", "people"), ("people", "outs")], ids=" first".join)
@pytest.mark.parametrize("batch_size_rows", [1, 100])
def test_an_unchanged_row_still_holds_its_opt_out(
    server: DotdigitalServer, tmp_path: Path, order: tuple[str, str], batch_size_rows: int
) -> None:
    config = {**opt_outs(server), "batch_size_rows": batch_size_rows}

    def messages(value: str, *streams: str) -> list[Any]:
        rows_of = {
            "outs": [schema("outs", OUT), *rows("a", "outs", out=True)],
            "people": [FAST, *rows("ab", first_name=value)],
        }
        return [each for name in streams for each in rows_of[name]]

    load(config, tmp_path, *messages("x", "outs"))
    for value in ("x", "x", "y"):
        ended = load(config, tmp_path, *messages(value, *order))
        assert ended.status == 0, ended.stderr
        assert email_status(server) == "unsubscribed"
        assert name_of(server, "a") == value
    load(config, tmp_path, *messages("y", "people"))
    assert email_status(server) == "subscribed"  # as resubscribe says, and as it does without
    load(config, tmp_path, *messages("y", "outs"))
    assert email_status(server) == "unsubscribed"


def test_who_is_left_out_is_looked_up_each_time(server: DotdigitalServer, tmp_path: Path) -> None:
    config = opt_outs(server, opt_out_new="skip")
    server.add_contact("b@example.com")
    messages = [schema("outs", OUT), *rows("ab", "outs", out=True)]
    for counts in ("imported 1", "unchanged 1"):
        ended = load(config, tmp_path, *messages)
        assert counts in ended.counts("outs")
        assert "skipped 1" in ended.counts("outs")
    server.add_contact("a@example.com")
    load(config, tmp_path, *messages)
    assert email_status(server) == "unsubscribed"


@pytest.mark.parametrize("slow", [False, True], ids=["fast path", "slow path"])
@pytest.mark.parametrize("seen", [1, 2], ids=["the same lines", "other lines"])
@pytest.mark.parametrize("sync_mode", ["upsert", "mirror"])
def test_opt_outs_and_rounded_numbers_of_unchanged_rows_are_not_counted(
    server: DotdigitalServer, tmp_path: Path, *, slow: bool, seen: int, sync_mode: str
) -> None:
    number = {"type": "number", **({"maximum": 9} if slow else {})}
    people = schema(properties={**OUT, "points": number})
    stream = {
        "opt_out": {"email": "out"},
        "fields": {"POINTS": "points"},
        "sync_mode": sync_mode,
    }
    config = changes(server, streams={"people": stream}, create_data_fields=True)

    def messages(seen: int, *, last: bool) -> list[Any]:
        more: dict[str, Any] = {"points": 1 / 3, "seen": seen}
        return [*rows("ab", out=True, **more), *rows("c", out=last, **more)]

    load(config, tmp_path, people, *messages(1, last=False))
    ended = load(config, tmp_path, people, *messages(seen, last=True))
    assert ended.status == 0, ended.stderr
    assert "unchanged 2" in ended.counts()
    assert ended.counts().strip().endswith("opted out by channel: email 1")
    assert "decimals: POINTS 1 row." in ended.stderr
