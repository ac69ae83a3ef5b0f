"""The run report as a page: `report_path` with a name that ends in `.html`."""

from __future__ import annotations

import re
import stat
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from target_dotdigital.report.model import AddressBookReport
from target_dotdigital.report.page import MAX_CARDS, report_page
from tests.support.canary import ARRANGEMENTS, CANARY, DEBUG, INPUTS
from tests.support.dotdigital.answers import rate_limited
from tests.support.dotdigital.routes import IMPORT as IMPORT_ROUTE
from tests.support.dotdigital.routes import IMPORT_STATUS
from tests.support.messages import gone, record, rows, schema, state
from tests.support.report_builders import busy_timeline, report, stream_report
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>&\"'"
MAXIMUM_BYTES = 500_000
VOID = {"meta", "link", "br", "wbr"}


class Page(HTMLParser):
    """What a page holds: its tags, its texts, and what it would fetch."""

    def __init__(self, text: str, *, is_index: bool = False) -> None:
        super().__init__(convert_charrefs=True)
        assert is_index or "<a " not in text
        self.tags: list[str] = []
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href"}]
        assert not [name for name, _ in attrs if name.startswith("on")]

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style" and data.strip():
            self.texts.append(data.strip())

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


def page_of(folder: Path) -> Page:
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert page.fetched == ["data:,"]
    return page


def paged(server: DotdigitalServer, **settings: Any) -> dict[str, Any]:
    return settings_for(server, report_path="report.html", **settings)


# Through the command line.


def test_what_became_of_the_rows_is_on_the_page(server: DotdigitalServer, tmp_path: Path) -> None:
    server.add_contact("bob@example.com")
    server.add_contact("cid@example.com", lists=(102,))
    server.reject("bad@example.com")
    server.answer_next(IMPORT_ROUTE, rate_limited(seconds=1))
    config = paged(
        server, rejects_path="rejects.singer", streams={"people": {"on_delete": "remove"}}
    )
    messages = [schema(), *rows(["ann", "bob", "ann", "bad"]), record(), *gone(["cid"]), state(1)]
    ended = load(config, tmp_path, *messages)
    assert (ended.status, ended.states) == (0, [1])
    text = page_of(tmp_path).text
    for words in (
        "Run report succeeded",
        "Of 6 rows, 2 arrived (33.3 %). 2 are missing. 2 other rows joined a later row, or were",
        "To load them again, repair rejects.singer.",
        "People now 2 before: 1",
        "Arrived 2 1 new in your account 1 already in your account, and updated",
        "Missing 2 1 has an e-mail address that Dotdigital does not accept",
        "1 has no e-mail address column email, identifier.missing",
        "Joined with a later row The same person came again in this stream.",
        "Left out on purpose, or leaving 1 1 marked as deleted, to leave the address book",
        "Rows read 6",
        "STATE values printed: 1",
        "PUT /contacts/v3/import call limit 1",
        "on_delete remove",
        "Called: 127.0.0.1",
    ):
        assert words in text, text
    for each in server.calls_of(IMPORT_STATUS):
        assert each.path.rpartition("/")[2] in text
    assert "@" not in text
    assert stat.S_IMODE((tmp_path / "report.html").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["Report.HTML", "a.b.html"])
def test_a_page_is_known_by_its_name(server: DotdigitalServer, tmp_path: Path, name: str) -> None:
    config = settings_for(server, report_path=name)
    assert load(config, tmp_path, schema(), *rows(["ann"])).status == 0
    assert (tmp_path / name).read_text().startswith("<!DOCTYPE html>")


def test_a_run_that_fails_has_a_page(server: DotdigitalServer, tmp_path: Path) -> None:
    server.end_next_imports("RejectedByWatchdog")
    ended = load(paged(server), tmp_path, schema(), *rows(["ann"]), state(1))
    assert (ended.status, ended.states) == (1, [])
    text = page_of(tmp_path).text
    assert "Run report failed" in text
    assert "RejectedByWatchdog" in text
    assert "Missing 1 1 not confirmed by Dotdigital: the run ended before." in text
    assert "People now not known before: 0" in text


def test_a_run_that_cannot_begin_has_a_page(server: DotdigitalServer, tmp_path: Path) -> None:
    ended = load(paged(server, address_book=999), tmp_path, schema(), *rows(["ann"]))
    assert ended.status == 1
    text = page_of(tmp_path).text
    assert "No row was read." in text
    assert "address_book" in text


def test_a_run_that_is_stopped_has_a_page(server: DotdigitalServer, tmp_path: Path) -> None:
    server.hold_imports()
    with TargetProcess(paged(server, shutdown_grace_seconds=0), tmp_path) as target:
        target.send(schema(), *rows(["ann"]), state(1))
        target.close_input()
        server.wait_for_calls(IMPORT_STATUS, 1)
        target.process.terminate()
        ended = target.end()
    assert ended.status == 143
    text = page_of(tmp_path).text
    assert "Run report stopped" in text
    assert "stopped by SIGTERM" in text
    assert "had not ended" in text


def test_a_dry_run_has_its_plan_on_the_page(server: DotdigitalServer, tmp_path: Path) -> None:
    server.add_contact("bob@example.com", lists=(102,))
    config = paged(server, dry_run=True, create_data_fields=True)
    config["streams"] = {"people": {"fields": {"FIRSTNAME": "first_name", "SIZE": "id"}}}
    ended = load(config, tmp_path, schema(), *rows(["ann", "bob"]), state(1))
    assert (ended.status, ended.stdout) == (0, "")
    text = page_of(tmp_path).text
    for words in (
        "Plan of a dry run succeeded",
        "Of 2 rows, 2 would be sent (100 %). None are missing. Nothing was written to Dotdigital.",
        "data field SIZE Numeric, by the schema of people",
        "People now 1 Would be new 1 new in your account Would be updated 1 in your account now",
        "Would join 1 not in it now Would leave 0 People after 2",
        "1 import of 2 contacts",
        "Calls by tier",
    ):
        assert words in text, text
    assert "STATE is printed" not in text


@pytest.mark.parametrize("name", INPUTS)
def test_it_repeats_no_input(server: DotdigitalServer, tmp_path: Path, name: str) -> None:
    load(paged(server), tmp_path, *INPUTS[name], environment=DEBUG)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for secret in (CANARY, server.username, server.password, "cmVhbCBzZWNyZXQ"):
        assert secret not in page


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_it_repeats_no_answer(server: DotdigitalServer, tmp_path: Path, name: str) -> None:
    ARRANGEMENTS[name](server)
    load(paged(server), tmp_path, *INPUTS["good rows"], environment=DEBUG)
    assert CANARY not in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["report.json", "report.html"])
def test_settings_that_may_hold_a_secret_are_not_told(
    server: DotdigitalServer, tmp_path: Path, path: str
) -> None:
    (tmp_path / CANARY).mkdir()
    config = settings_for(
        server,
        report_path=path,
        api_url=f"{server.url}/",
        rejects_path=f"{CANARY}/rejects.singer",
        stream_maps={"people": {"first_name": f"'{CANARY}'", "email": "email"}},
        stream_map_config={"hash_seed": CANARY},
    )
    ended = load(config, tmp_path, schema(), *rows(["ann"]), environment=DEBUG)
    assert ended.status == 0
    text = (tmp_path / path).read_text()
    for secret in (CANARY, server.username, server.password):
        assert secret not in text
    assert "rejects.singer" in text


# Out of the ordinary.


def test_names_are_texts_whatever_is_in_them() -> None:
    streams = [
        stream_report(
            MARKUP,
            imported=1,
            rejected={MARKUP: 1},
            imported_in_part={MARKUP: 1},
            rounded={MARKUP: 1},
        )
    ]
    text = report_page(report(busy_timeline(3, MARKUP), *streams, name=MARKUP))
    page = Page(text)
    assert not {"script", "img"} & set(page.tags)
    assert MARKUP in page.texts
    assert page.texts.count(MARKUP) > 8


@pytest.mark.parametrize("jobs", [0, 1, 30, 31, 400])
def test_a_page_is_sound_for_any_number_of_imports(jobs: int) -> None:
    page = Page(report_page(report(busy_timeline(jobs), stream_report("people", imported=5))))
    assert page.text.count("Times from the start of the run") == int(jobs > 0)
    assert ("had not ended" in page.text) is False


def test_very_much_neither_makes_it_huge_nor_goes_untold() -> None:
    streams = [stream_report(f"stream {each}", imported=each) for each in range(3_000)]
    books = [
        AddressBookReport(each, f"book {each}", [f"stream {each}"], 1, 2) for each in range(3_000)
    ]
    text = report_page(report(busy_timeline(20_000), *streams, books=books))
    assert len(text) < MAXIMUM_BYTES
    words = Page(text).text
    assert "There were 20,000. One in 128 is shown" in words
    assert f"These are the {MAX_CARDS} largest of 3000" in words
    assert "2500 streams more are left out" in words


@pytest.mark.parametrize("path", ["report.json", "report.html"])
def test_half_a_surrogate_pair_is_no_reason_not_to_write(
    server: DotdigitalServer, tmp_path: Path, path: str
) -> None:
    config = settings_for(server, report_path=path, streams={"a\ud800b": {}, "people": {}})
    ended = load(config, tmp_path, schema(), *rows(["ann"]))
    assert ended.status == 0, ended.stderr
    assert "a?b" in (tmp_path / path).read_text(encoding="utf-8")


def test_a_short_run_has_no_chart_and_a_long_one_has() -> None:
    stream = stream_report("people", imported=5)
    assert "<path" not in report_page(report(busy_timeline(0), stream))
    assert "<path" in report_page(report(busy_timeline(2), stream))
