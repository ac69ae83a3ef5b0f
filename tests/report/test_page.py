"""The run report as a page: `report_path` with a name that ends in `.html`."""

from __future__ import annotations

import re
import stat
from contextlib import suppress
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from target_dotdigital.api.jobs import IMPORT
from target_dotdigital.errors import DotdigitalError
from target_dotdigital.events import Events
from target_dotdigital.report.builder import timeline_report
from target_dotdigital.report.model import (
    MirrorReport,
    Outcome,
    RejectedRows,
    Report,
    StreamReport,
)
from target_dotdigital.report.page import MAX_CARDS, report_page
from tests.support.browser import Browser, needs_browser, started
from tests.support.canary import ARRANGEMENTS, CANARY, DEBUG, INPUTS
from tests.support.clock import FakeClock
from tests.support.dotdigital.answers import rate_limited
from tests.support.dotdigital.routes import IMPORT as IMPORT_ROUTE
from tests.support.dotdigital.routes import IMPORT_STATUS
from tests.support.messages import gone, record, rows, schema, state
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>&\"'"
MAXIMUM_BYTES = 500_000
VOID = {"meta", "link", "br", "wbr"}


class Page(HTMLParser):
    """What a page holds: its tags, its texts, and what it would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
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
        "Of 6 rows, 2 (33.3 %) were imported.",
        "Missing: 2 rows, rejected for the reasons below. They are kept in rejects.singer.",
        "people 6 rows read",
        "new 1 16.7 % updated 1 16.7 % collapsed 1 16.7 % skipped 1 16.7 % rejected 2 33.3 %",
        "Of the skipped rows: 1 left the address book.",
        "dotdigital.invalidEmail 1 Dotdigital refused it",
        "identifier.missing 1 email It has no e-mail address",
        "STATE is printed (1 in all)",
        "PUT /contacts/v3/import call limit 1",
        "on_delete remove",
        "Called 127. 0. 0. 1",
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
    assert "Unsettled: 1 row " in text
    assert "failed, or contacts rejected" in text


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
        "Of 2 rows, 2 would be sent. Nothing was written.",
        "data field SIZE Numeric, by the schema of people",
        "In the account 2 contacts new: 1 updated: 1 new 1 50 % updated 1 50 %",
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


def stream_report(name: str, **counts: Any) -> StreamReport:
    zero: dict[str, Any] = dict.fromkeys(
        ("imported", "new", "updated", "collapsed", "skipped"), 0
    ) | dict.fromkeys(("left", "deleted", "not_there", "unsettled"), 0)
    given = {**zero, "rejected": {}, "imported_in_part": {}, "rounded": {}, **counts}
    groups = [RejectedRows(code, code, code, rows) for code, rows in given["rejected"].items()]
    read = sum(given[each] for each in ("imported", "collapsed", "skipped", "unsettled"))
    return StreamReport(
        stream=name, read=read + sum(given["rejected"].values()), reject_groups=groups, **given
    )


def report(
    timeline: Events, *streams: StreamReport, name: str = "x", outcome: str = "failed"
) -> Report:
    return Report(
        version=1,
        kind="run",
        target=f"target-dotdigital {name}",
        started="2026-02-03T04:05:06+00:00",
        ended="2026-02-03T05:05:06+00:00",
        outcome=Outcome(outcome, name),  # type: ignore[arg-type]
        streams=list(streams),
        host=name,
        versions={name: name},
        settings={name: name, "streams": {name: {name: {name: [name]}}}},
        timeline=timeline_report(timeline),
        mirrors=[MirrorReport(1, [name], 2, 1, name)],
    )


def busy_timeline(jobs: int, name: str = "x") -> Events:
    """A run of many imports, ten of them at a time, one in fifty of which fails."""
    clock = FakeClock()
    timeline = Events(clock)
    for number in range(jobs):
        start = clock.time
        with suppress(DotdigitalError), timeline.job(IMPORT.name, 10_000) as job:
            clock.time += 1
            job.accept(f"{name}-{number}")
            clock.time += 2
            job.run(is_queued=False)
            clock.time += 7
            if number % 50 == 49:
                raise DotdigitalError("no")
            job.settle(imported=1, new=1, rejected={f"dotdigital.{name}": 1})
        with timeline.waiting("call_limit", name):
            clock.time += 1
        timeline.note_state(number)
        timeline.note_progress(number * 10, number * 9, number, 10)
        clock.time = start + 2
    clock.time += 10
    return timeline


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
    assert page.text.count("Imports, removals and deletions") == int(jobs > 0)
    assert ("had not ended" in page.text) is False


def test_very_much_neither_makes_it_huge_nor_goes_untold() -> None:
    streams = [stream_report(f"stream {each}", imported=each) for each in range(3_000)]
    text = report_page(report(busy_timeline(20_000), *streams))
    assert len(text) < MAXIMUM_BYTES
    words = Page(text).text
    assert "There were 20,000: one in 128 is shown" in words
    assert f"The {MAX_CARDS} largest of 3000 streams" in words
    assert "2500 streams more are left out" in words


@pytest.mark.parametrize("path", ["report.json", "report.html"])
def test_half_a_surrogate_pair_is_no_reason_not_to_write(
    server: DotdigitalServer, tmp_path: Path, path: str
) -> None:
    config = settings_for(server, report_path=path, streams={"a\ud800b": {}, "people": {}})
    ended = load(config, tmp_path, schema(), *rows(["ann"]))
    assert ended.status == 0, ended.stderr
    assert "a?b" in (tmp_path / path).read_text(encoding="utf-8")


# In a browser.


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as running:
        yield running


@needs_browser
@pytest.mark.parametrize("width", [1_100, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("jobs", [7, 400])
def test_it_fits_is_readable_and_says_nothing_to_the_console(
    browser: Browser, tmp_path: Path, width: int, scheme: str, jobs: int
) -> None:
    streams = [
        stream_report("people", imported=700, new=300, updated=300, rejected={"field.type": 3}),
        stream_report("a-very-long-name-of-a-stream-" * 8, skipped=5, left=2, unsettled=7),
    ]
    path = tmp_path / "report.html"
    path.write_text(report_page(report(busy_timeline(jobs), *streams, name="y")))
    browser.console()
    browser.resize(width, 800)
    browser.emulate(scheme)
    browser.open(path.as_uri())
    script = """
      document.querySelectorAll('details').forEach((e) => e.open = true);
      const size = (e) => parseFloat(getComputedStyle(e).fontSize);
      const words = [...document.querySelectorAll('body *')].filter((e) => e.textContent.trim());
      return {
        overflow: document.documentElement.scrollWidth - innerWidth,
        smallest: Math.min(...words.map(size)),
        ground: getComputedStyle(document.body).backgroundColor,
        bars: [...document.querySelectorAll('.chart rect')].filter(
          (e) => e.getBoundingClientRect().width > 0 && getComputedStyle(e).fill !== 'none'
        ).length,
        labelled: [...document.querySelectorAll('svg')].every(
          (e) => e.ariaLabel || e.ariaHidden || e.parentElement.closest('svg')
        ),
      }
    """
    found: dict[str, Any] = browser.driver.execute_script(script)
    assert found["overflow"] <= 0
    assert found["smallest"] >= 11
    assert found["bars"] > jobs / 4
    assert found["labelled"]
    is_dark = sum(map(int, re.findall(r"\d+", found["ground"])[:3])) < 3 * 128
    assert is_dark == (scheme == "dark")
    assert browser.console() == []
