"""The first view of a page: by address book, what arrived, who is missing, and why. It adds up."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_dotdigital.dry_run.plan import AddressBookNumbers, MirrorNumbers, RemovalNumbers
from target_dotdigital.dry_run.plan_builder import empty_plan
from target_dotdigital.report.arrivals import arrivals, forecasts
from target_dotdigital.report.model import AddressBookReport, RejectedRows, StreamReport
from target_dotdigital.report.page import report_page
from tests.report.test_page import Page, page_of
from tests.support.messages import activate, gone, record, rows, schema, state, versioned
from tests.support.mirrors import fill
from tests.support.report_builders import SKIPPED, busy_timeline, report, stream_report
from tests.support.reports import report_of
from tests.support.target.command import load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from target_dotdigital.dry_run.plan import Plan
    from tests.support.dotdigital.server import DotdigitalServer

COUNT = st.integers(0, 3) | st.integers(0, 2_000)
CODES = ["identifier.invalid", "identifier.missing", "field.type", "dotdigital.blocker", "odd"]


@st.composite
def streams(draw: st.DrawFn) -> StreamReport:
    codes = draw(st.lists(st.sampled_from(CODES), max_size=40))
    groups = [
        RejectedRows(code, f"p{place % 3}", f"r{place}", draw(st.integers(1, 900)))
        for place, code in enumerate(codes)
    ]
    rejected: dict[str, int] = {}
    for each in groups:
        rejected[each.code] = rejected.get(each.code, 0) + each.rows
    told = draw(COUNT), draw(COUNT)
    into = draw(st.sampled_from(["address_book", "address_books_of_rows", "account", None]))
    return stream_report(
        draw(st.sampled_from("abcdefgh")),
        new=told[0],
        updated=told[1],
        imported=sum(told) + draw(COUNT),
        collapsed=draw(COUNT),
        unchanged=draw(COUNT),
        unsettled=draw(COUNT),
        rejected=rejected,
        reject_groups=groups,
        loaded_into=into,
        not_loaded_because=draw(st.none() | st.just("no 'email'")),
        **{name: draw(COUNT) for name in SKIPPED},
    )


def number(text: str) -> int:
    found = re.match(r"[\d,]+", text)
    assert found, text
    return int(found[0].replace(",", ""))


def tables(page: str) -> list[list[tuple[str, str, int]]]:
    """Return the rows of each table that adds up: their class, text and number."""
    found = []
    for table in re.findall(r'<table class="sum">.*?</table>', page, re.DOTALL):
        lines = re.findall(
            r'<tr class="([^"]*)"><th[^>]*>(.*?)</th>(?:<td>(.*?)</td>)?</tr>', table, re.DOTALL
        )
        found.append(
            [(kind, text, number(text if kind == "part" else cell)) for kind, text, cell in lines]
        )
    return found


@given(st.lists(streams(), min_size=1, max_size=6, unique_by=lambda each: each.stream))
@settings(max_examples=60, deadline=None)
def test_the_numbers_on_the_page_add_up(given: list[StreamReport]) -> None:
    halves = [[each.stream for each in given[start::2]] for start in (0, 1)]
    books = [AddressBookReport(at, f"b{at}", names, 1, 2) for at, names in enumerate(halves, 1)]
    made = report(busy_timeline(0), *given, books=books)
    page = report_page(made)
    read = 0
    for table in tables(page):
        *lines, (last, _, total) = table
        assert last == "total"
        whole = parts = before = 0
        for kind, text, count in [*lines, ("whole", "end", 0)]:
            if kind == "part":
                parts += count
                continue
            assert parts == before, page
            whole, parts, before = whole + count, 0, count
            if text.startswith(("Joined", "Unchanged")):
                before = 0  # it has a sentence in place of parts
        assert whole == total
        read += total
    sums = made.totals
    assert read == sums.read == sum(each.read for each in given)
    assert sums.read == sums.arrived + sums.joined + sums.missing + sums.left_out + sums.unchanged
    told = re.search(r"(None|[\d,]+) (?:is|are) missing", Page(page).text)
    assert told or not read
    if told:
        assert (0 if told[1] == "None" else number(told[1])) == sums.missing


@given(st.lists(streams(), min_size=1, max_size=6, unique_by=lambda each: each.stream))
@settings(deadline=None)
def test_every_stream_is_in_one_place(given: list[StreamReport]) -> None:
    found = arrivals(report(busy_timeline(0), *given))
    assert sorted(each.stream for group in found for each in group.streams) == sorted(
        each.stream for each in given
    )
    for group in found:
        parts = [*group.arrived, *group.missing, *group.left_out]
        assert sum(each.rows for each in parts) + group.joined + group.unchanged == group.read


# Through the command line.


def test_what_is_skipped_is_missing_unless_it_is_skipped_on_purpose(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = settings_for(
        server,
        report_path="report.json",
        streams={"people": {}, "meant": {"skip": True}},
        stream_maps={"people": {"__filter__": "email != 'cid@example.com'"}},
    )
    messages = [
        *(schema(name) for name in ("people", "meant", "orders")),
        *rows(["ann", "bob", "cid"]),
        *gone(["dan"]),
        *rows(["eve"], "meant"),
        *rows(["fay", "gus"], "orders"),
    ]
    assert load(config, tmp_path, *messages).status == 0
    report = report_of(tmp_path)
    people, meant, orders = report["streams"]
    assert (people["filtered"], people["ignored_deletions"], people["not_loaded"]) == (1, 1, 0)
    assert (meant["not_loaded"], meant["not_loaded_because"]) == (1, None)
    assert (orders["not_loaded"], orders["not_loaded_because"]) == (
        2,
        "it is not named in 'streams'. Name it there, with skip: true to leave it out",
    )
    assert [each["loaded_into"] for each in report["streams"]] == ["address_book", None, None]
    assert report["totals"] == {
        "read": 7,
        "arrived": 2,
        "joined": 0,
        "missing": 2,
        "left_out": 3,
        "unchanged": 0,
    }
    load({**config, "report_path": "report.html"}, tmp_path, *messages)
    text = page_of(tmp_path).text
    for words in (
        "Of 7 rows, 2 arrived (28.6 %). 2 are missing.",
        "2 not loaded: it is not named in 'streams'",
        "1 of a stream that you skip on purpose",
        "1 filtered out by your stream map",
        "1 marked as deleted, and not sent (on_delete: ignore)",
    ):
        assert words in text, text


def test_streams_of_an_address_book_stand_together_and_others_apart(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = settings_for(
        server,
        report_path="report.html",
        streams={
            "people": {},
            "leads": {},
            "vips": {"address_book": 101},
            "open": {"address_book_property": "book"},
            "alone": {"account_only": True},
        },
    )
    described: dict[str, Any] = {"email": {}, "book": {}}
    messages = [
        *(schema(name, described) for name in ("people", "leads", "vips", "open", "alone")),
        *rows(["ann"]),
        *(each for name in ("leads", "vips", "alone") for each in rows(["bob"], name)),
        *rows(["ann"], "open", book=[101, 102]),
    ]
    assert load(config, tmp_path, *messages).status == 0
    text = page_of(tmp_path).text
    for words in (
        "ID 102 From 2 streams: people, leads. People now 2 before: 0",
        "ID 101 From the stream vips. People now 2 before: 0",
        "Address books that rows name 2 address books From the stream open. Arrived 1",
        "Your account without an address book From the stream alone. Arrived 1",
    ):
        assert words in text, text


def test_a_mirror_says_how_many_have_left(server: DotdigitalServer, tmp_path: Path) -> None:
    fill(server, "ann", "bob", "cid")
    stream = {"sync_mode": "mirror", "max_removal_percent": 99}
    config = settings_for(server, report_path="report.html", streams={"people": stream})
    assert load(config, tmp_path, schema(), *versioned(1, "ann"), activate(1)).status == 0
    text = page_of(tmp_path).text
    assert "People now 1 before: 3 Arrived 1 100 % of 1 row Left 2 Missing 0" in text
    assert "The mirror took 2 of 2 people out of the address book" in text


@pytest.mark.parametrize("failure", [None, "data", "Dotdigital"])
def test_how_many_are_there_now_is_asked_for_unless_dotdigital_fails(
    server: DotdigitalServer, tmp_path: Path, failure: str | None
) -> None:
    if failure == "Dotdigital":
        server.end_next_imports("RejectedByWatchdog")
    bad = [record(email="none")] * 5 if failure == "data" else []
    config = settings_for(server, report_path="report.json")
    load(config, tmp_path, schema(), *rows(["ann"]), *bad, state(1))
    (book,) = report_of(tmp_path)["address_books"]
    assert (book["before"], book["now"]) == (0, None if failure == "Dotdigital" else 1)


# A dry run.


def plan(**changes: Any) -> Plan:
    empty = empty_plan()
    return type(empty)(
        **{**{each: getattr(empty, each) for each in empty.__struct_fields__}, **changes}
    )


def numbers(book: int | None = 1, name: str | None = "Spring") -> AddressBookNumbers:
    return AddressBookNumbers(
        contacts=9,
        new=2,
        updated=7,
        address_book=book,
        name=name,
        updated_members=4,
        updated_joining=3,
    )


def mirror(*, is_refused: bool = False, waits: bool = False) -> MirrorNumbers:
    return MirrorNumbers(1, "Spring", ["people"], 50, 10, 20, is_refused, waits)


@pytest.mark.parametrize(
    ("mirrors", "leaving", "after"),
    [
        ([], 3, 50 + 5 - 3),
        ([mirror()], 10, 50 + 5 - 10),
        ([mirror(is_refused=True)], 3, 50 + 5 - 3),
        ([mirror(waits=True)], 3, 50 + 5 - 3),
    ],
)
def test_who_would_join_and_leave(mirrors: list[MirrorNumbers], leaving: int, after: int) -> None:
    departures = [RemovalNumbers(1, "Spring", is_deletion=False, contacts=4, there_now=3)]
    made = plan(address_books=[numbers()], leaving=departures, mirrors=mirrors)
    (found,) = forecasts(made, [AddressBookReport(1, "Spring", ["people"], 50, None)])
    assert (found.members, found.new, found.updated) == (50, 2, 7)
    assert (found.joining, found.leaving, found.after) == (5, leaving, after)


def test_what_is_not_known_is_not_made_up() -> None:
    made = plan(address_books=[AddressBookNumbers(9, None, None, 1, "Spring", None, None)])
    (found,) = forecasts(made, [])
    assert (found.members, found.joining, found.after) == (None, None, None)


def test_an_address_book_that_people_only_leave_is_among_them() -> None:
    departures = [RemovalNumbers(7, "Old", is_deletion=False, contacts=4, there_now=3)]
    found = forecasts(plan(address_books=[numbers()], leaving=departures), [])
    assert [(each.id, each.joining, each.leaving) for each in found] == [(1, 5, 0), (7, 0, 3)]


def test_a_dry_run_says_the_mirrors_share_and_the_books_name(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann", "bob", "cid", "dan")
    stream = {"sync_mode": "mirror", "max_removal_percent": 30}
    config = settings_for(
        server, report_path="report.html", dry_run=True, streams={"people": stream}
    )
    ended = load(config, tmp_path, schema(), *rows(["ann", "bob", "cid", "new"]), state(1))
    assert ended.status == 0
    text = page_of(tmp_path).text
    for words in (
        f"{server.address_books[102]} ID 102 From the stream people.",
        "People now 4 Would be new 1 new in your account Would be updated 3 in your account now",
        "Would join 1 not in it now Would leave 1 People after 4",
        "The mirror would take 1 of 4 people out: 25 %. The limit (",
    ):
        assert words in text, text


@pytest.mark.parametrize("dry_run", [False, True], ids=["run", "dry run"])
def test_unchanged_rows_are_neither_left_out_nor_a_small_share(
    server: DotdigitalServer, tmp_path: Path, *, dry_run: bool
) -> None:
    config = settings_for(server, send="changes", fingerprints_path="fingerprints")
    load(config, tmp_path, schema(), *rows("abc"))
    config = {**config, "dry_run": dry_run, "report_path": "reports/"}
    ended = load(config, tmp_path, schema(), *rows("abcdde"))
    assert ended.status == 0, ended.stderr
    (path,) = (tmp_path / "reports").glob("*.json")
    assert json.loads(path.read_text())["totals"] == {
        "read": 6,
        "arrived": 2,
        "joined": 1,
        "missing": 0,
        "left_out": 0,
        "unchanged": 3,
    }
    text = Page(path.with_suffix(".html").read_text()).text
    sent = "2 would be sent" if dry_run else "2 were sent and arrived"
    assert f"Of 6 rows, {sent}, 3 are unchanged. None are missing. 1 other row joined" in text
    assert "Unchanged They are as they were last loaded, so nothing had to be sent. 3" in text
    assert ("Unchanged 3 of 6 rows Arrived 2 66.7 % of 3 other rows" in text) != dry_run
    kind = "valid" if dry_run else "imported"
    assert (
        f"read {kind} rejected collapsed skipped unchanged unsettled people 6 2 0 1 0 3 0" in text
    )
