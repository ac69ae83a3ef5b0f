"""Streams that share people: each is told who has arrived in its own address book."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.dotdigital.account.import_report import ReportStyle
from tests.support.messages import record, schema, state
from tests.support.target.command import load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

BOOKS: dict[str, Any] = {"crm": {"address_book": 101}, "shop": {"address_book": 102}}


def person(stream: str, name: str, **values: Any) -> dict[str, Any]:
    return record(stream, email=f"{name}@example.com", **values)


def counted(folder: Path) -> dict[str, dict[str, Any]]:
    report = json.loads((folder / "report.json").read_text())
    return {each["stream"]: each for each in report["streams"]}


@pytest.mark.parametrize("rejects_path", [None, "rejects.singer"])
def test_a_row_counts_where_its_person_has_arrived(
    server: DotdigitalServer, tmp_path: Path, rejects_path: str | None
) -> None:
    server.add_contact("bob@example.com")
    server.warned["bob@example.com"] = "ConsentRecordsNotApplied"
    config = settings_for(
        server, streams=BOOKS, rejects_path=rejects_path, report_path="report.json"
    )
    ended = load(
        config,
        tmp_path,
        schema("crm"),
        schema("shop"),
        person("crm", "ann", first_name="1"),
        person("shop", "ann", first_name="2"),
        person("crm", "ann", first_name="3"),
        person("crm", "bob"),
        person("shop", "bob", first_name="5"),
        person("shop", "bob", first_name="6"),
        person("crm", "cid"),
        person("shop", "dan"),
        state(1),
    )
    assert (ended.status, ended.states) == (0, [1])
    assert ended.counts("crm").startswith("read 4 = imported 3 + rejected 0 + collapsed 1")
    assert ended.counts("shop").startswith("read 4 = imported 3 + rejected 0 + collapsed 1")
    assert server.contacts["ann@example.com"].lists == {101, 102}
    assert server.contacts["ann@example.com"].data_fields["FIRSTNAME"] == "3"
    assert server.contacts["bob@example.com"].lists == {101, 102}
    assert server.contacts["bob@example.com"].data_fields["FIRSTNAME"] == "6"
    assert len(server.imports) == 1
    for each in counted(tmp_path).values():
        assert (each["new"], each["updated"]) == (2, 1)
        assert each["imported_in_part"] == {"dotdigital.consentRecordsNotApplied": 1}


def test_a_dry_run_counts_alike(server: DotdigitalServer, tmp_path: Path) -> None:
    rows = [person(stream, "ann") for stream in ("crm", "shop", "shop")]
    config = settings_for(server, streams=BOOKS, dry_run=True, report_path="report.json")
    assert load(config, tmp_path, schema("crm"), schema("shop"), *rows).status == 0
    found = counted(tmp_path)
    assert (found["crm"]["valid"], found["crm"]["collapsed"]) == (1, 0)
    assert (found["shop"]["valid"], found["shop"]["collapsed"]) == (1, 1)


@pytest.mark.parametrize("merge_option", ["overwrite", "overwriteIfNotEmpty", "overwriteIfEmpty"])
@pytest.mark.parametrize("batch_size_rows", [1, 10])
def test_everybody_is_in_both_address_books_whatever_the_merge_options(
    server: DotdigitalServer, tmp_path: Path, merge_option: str, batch_size_rows: int
) -> None:
    streams = {"crm": BOOKS["crm"], "shop": {**BOOKS["shop"], "merge_option": merge_option}}
    rows = [
        person(stream, name, first_name=stream)
        for name in ("ann", "bob")
        for stream in ("crm", "shop")
    ]
    config = settings_for(server, streams=streams, batch_size_rows=batch_size_rows)
    ended = load(config, tmp_path, schema("crm"), schema("shop"), *rows, state(1))
    assert (ended.status, ended.states) == (0, [1])
    for stream in ("crm", "shop"):
        assert ended.counts(stream).startswith("read 2 = imported 2 + rejected 0 + collapsed 0")
    kept = "crm" if merge_option == "overwriteIfEmpty" else "shop"
    for contact in server.contacts.values():
        assert contact.lists == {101, 102}
        assert contact.data_fields["FIRSTNAME"] == kept


def test_streams_that_match_by_other_identifiers_share_people_too(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.add_contact("ann@example.com", identifiers={"mobileNumber": "447700900001"})
    text = {"type": "string"}
    streams = {
        "crm": {
            **BOOKS["crm"],
            "match_identifier": "mobileNumber",
            "identifiers": {"mobileNumber": "mobile", "email": "email"},
        },
        "shop": BOOKS["shop"],
    }
    properties = {"email": text, "mobile": text, "first_name": text}
    ended = load(
        settings_for(server, streams=streams),
        tmp_path,
        schema("crm", properties),
        schema("shop"),
        person("shop", "ann", first_name="1"),
        person("crm", "ann", mobile="+447700900001", first_name="2"),
        person("shop", "ann", first_name="3"),
        state(1),
    )
    assert (ended.status, ended.states) == (0, [1])
    assert ended.counts("crm").startswith("read 1 = imported 1 + rejected 0 + collapsed 0")
    shop = ended.counts("shop")
    assert shop.startswith("read 2 = imported 2 + rejected 0 + collapsed 0")
    (contact,) = server.contacts.values()
    assert contact.lists == {101, 102}
    assert contact.data_fields["FIRSTNAME"] == "3"


def test_who_is_refused_is_rejected_in_each_stream(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.reject("ann@example.com")
    config = settings_for(
        server, streams=BOOKS, rejects_path="rejects.singer", max_reject_percent=100
    )
    rows = [person(stream, "ann") for stream in ("crm", "shop", "shop")]
    ended = load(config, tmp_path, schema("crm"), schema("shop"), *rows, state(1))
    assert (ended.status, ended.states) == (0, [1])
    assert ended.counts("crm").startswith("read 1 = imported 0 + rejected 1 + collapsed 0")
    assert ended.counts("shop").startswith("read 2 = imported 0 + rejected 2 + collapsed 0")


@pytest.mark.parametrize("is_shared", [True, False], ids=["all are shared", "one is not"])
def test_of_people_that_are_refused_without_a_name(
    server: DotdigitalServer, tmp_path: Path, *, is_shared: bool
) -> None:
    """Where all of them are in each stream, the sums are those of each stream."""
    server.reject("ann@example.com", "GloballySuppressed")
    server.report_style = ReportStyle(lists=False)
    rows = [person(stream, name) for name in ("ann", "bob") for stream in ("crm", "crm", "shop")]
    rows = rows if is_shared else rows[:-1]
    ended = load(
        settings_for(server, streams=BOOKS), tmp_path, schema("crm"), schema("shop"), *rows
    )
    if not is_shared:
        assert ended.status == 1
        assert "0 of 5 rows are settled" in ended.stderr
        return
    assert ended.status == 0
    assert ended.counts("crm").startswith("read 4 = imported 1 + rejected 1 + collapsed 2")
    assert ended.counts("shop").startswith("read 2 = imported 1 + rejected 1 + collapsed 0")
