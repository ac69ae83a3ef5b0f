"""Who is not as he was settled is sent, however he came to be another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
