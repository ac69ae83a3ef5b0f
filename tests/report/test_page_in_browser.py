"""The pages in a real browser: light and dark, wide and on a phone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.dry_run.plan import (
    AddressBookNumbers,
    ContactNumbers,
    Creations,
    MirrorNumbers,
    NewField,
    Numbers,
    Plan,
    RouteCalls,
)
from target_dotdigital.report.model import AddressBookReport, ListedRun, Outcome, Report, StreamPlan
from target_dotdigital.report.page import index_page, report_page
from tests.support.axe import violations
from tests.support.browser import Browser, needs_browser, started
from tests.support.report_builders import busy_timeline, report, stream_report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG = "a-very-long-name-of-a-stream-" * 8
WIDE, NARROW, PHONE = 1_100, 940, 390


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as running:
        yield running


def run_report(jobs: int) -> Report:
    streams = [
        stream_report(
            "people",
            imported=700,
            new=300,
            updated=300,
            collapsed=4,
            filtered=3,
            rejected={"field.type": 3, "identifier.invalid": 9},
            imported_in_part={"dotdigital.consent": 2},
            rounded={"POINTS": 5},
        ),
        stream_report(LONG, left=2, unsettled=7, ignored_deletions=3),
        stream_report("rows", imported=3, loaded_into="address_books_of_rows"),
        stream_report("orders", not_loaded=3, loaded_into=None, not_loaded_because="no 'email'"),
    ]
    books = [
        AddressBookReport(102, "Spring segment", ["people"], 8_000, 8_300),
        AddressBookReport(103, LONG, [LONG], None, None),
        *(AddressBookReport(200 + number, None, ["rows"], 4, 5) for number in range(3)),
    ]
    return report(busy_timeline(jobs), *streams, name="y", books=books)


def plan_report() -> Report:
    made = run_report(0)
    planned = [
        StreamPlan(
            **{
                name: getattr(each, name)
                for name in StreamPlan.__struct_fields__
                if hasattr(each, name)
            },
            valid=getattr(each, "imported", 0),
            would_leave=getattr(each, "left", 0),
            would_be_deleted=0,
        )
        for each in made.streams
    ]
    numbers = AddressBookNumbers(
        contacts=700,
        new=300,
        updated=400,
        address_book=102,
        name="Spring segment",
        updated_members=100,
        updated_joining=300,
    )
    plan = Plan(
        creates=Creations(["New one"], 2, [NewField("POINTS", "Numeric", LONG)]),
        contacts=ContactNumbers(700, 300, 400),
        address_books=[numbers],
        leaving=[],
        mirrors=[MirrorNumbers(102, "Spring segment", ["people"], 8_000, 80, 20, False, False)],  # noqa: FBT003
        imports=1,
        contacts_in_imports=700,
        import_bytes=70_000,
        calls=[RouteCalls("PUT /contacts/v3/import", "low", is_guess=False, at_least=1, at_most=2)],
        calls_by_tier={"low": Numbers(1, 2)},
        seconds=Numbers(3, 90),
        notes=["Calls and time are estimates."],
    )
    fields = {name: getattr(made, name) for name in Report.__struct_fields__}
    return Report(**{**fields, "kind": "plan", "streams": planned, "mirrors": None, "plan": plan})


def index() -> str:
    made = run_report(0)
    runs = [
        ListedRun(
            kind="plan" if number == 3 else "run",
            started=f"2026-02-{number + 1:02}T04:05:06+00:00",
            outcome=Outcome(("succeeded", "failed", "stopped")[number % 3]),
            totals=made.totals,
            address_books=made.address_books,
            page=f"run-{number}.html",
        )
        for number in range(12)
    ]
    return index_page(runs, 3)


PAGES = {
    "run": lambda: report_page(run_report(7)),
    "long run": lambda: report_page(run_report(400)),
    "short run": lambda: report_page(run_report(0)),
    "plan": lambda: report_page(plan_report()),
    "index": index,
}

LOOK = """
  document.querySelectorAll('details').forEach((e) => e.open = true);
  const size = (e) => parseFloat(getComputedStyle(e).fontSize);
  const words = [...document.querySelectorAll('body *')].filter((e) => e.textContent.trim());
  const outside = (e) => {
    const box = e.getBoundingClientRect();
    return box.width > 1 && (box.left < -0.5 || box.right > innerWidth + 0.5);
  };
  const hidden = (e) => getComputedStyle(e.closest('thead') || e).position === 'absolute';
  const cells = [...document.querySelectorAll('table, caption, th, td, dd, h1, h2, p, summary')]
    .filter((e) => !hidden(e));
  return {
    overflow: document.documentElement.scrollWidth - innerWidth,
    cut: cells.filter((e) => outside(e) || e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1
      && getComputedStyle(e).display !== 'inline').map((e) => e.outerHTML.slice(0, 120)),
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


@needs_browser
@pytest.mark.parametrize("width", [WIDE, NARROW, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_it_fits_is_readable_and_says_nothing_to_the_console(
    browser: Browser, tmp_path: Path, width: int, scheme: str, name: str
) -> None:
    path = tmp_path / "report.html"
    path.write_text(PAGES[name]())
    browser.console()
    browser.resize(width, 800)
    browser.emulate(scheme)
    browser.open(path.as_uri())
    found: dict[str, Any] = browser.driver.execute_script(LOOK)
    assert found["overflow"] <= 0
    assert found["cut"] == []
    assert found["smallest"] >= 11
    assert found["bars"] > {"run": 5, "long run": 100}.get(name, -1)
    assert found["labelled"]
    is_dark = sum(map(int, re.findall(r"\d+", found["ground"])[:3])) < 3 * 128
    assert is_dark == (scheme == "dark")
    assert browser.console() == []


@needs_browser
@pytest.mark.parametrize("width", [WIDE, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["run", "plan", "index"])
def test_everybody_can_read_it(
    browser: Browser, tmp_path: Path, width: int, scheme: str, name: str
) -> None:
    path = tmp_path / "report.html"
    path.write_text(PAGES[name]())
    browser.resize(width, 800)
    browser.emulate(scheme)
    browser.open(path.as_uri())
    browser.driver.execute_script(
        "document.querySelectorAll('details').forEach((e) => e.open = true)"
    )
    assert violations(browser) == []
