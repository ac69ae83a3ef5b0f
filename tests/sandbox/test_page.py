"""The page, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.keys import Keys

from target_dotdigital.sandbox import EmbeddedSandbox, Options, SandboxServer
from tests.sandbox.conftest import LIST_ID
from tests.support.browser import Browser, needs_browser, started
from tests.support.sandbox.client import SandboxClient, people, person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = needs_browser

SCRIPT = "<script>alert(1)</script>"
MARKUP = "<img src=x onerror=alert(1)>"
SCRIPT_EMAIL = "script@example.com"
CONSENT = {
    "text": f"I agree {SCRIPT}",
    "dateTimeConsented": "2023-01-26T21:29:00Z",
    "url": "http://www.example.com/signup",
    "ipAddress": "129.168.0.2",
    "userAgent": "Mozilla/5.0",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxClient]:
    """A sandbox without credentials, in which 1,000 contacts are loaded."""
    database = tmp_path_factory.mktemp("page") / "dotdigital.db"
    books: list[str | int] = [LIST_ID, MARKUP]
    with (
        SandboxServer(Options(database, address_books=books, preferences=[4711])) as server,
        SandboxClient(server.url) as running,
    ):
        running.load(*people(1_000, "p", lists=[LIST_ID], dataFields={"FIRSTNAME": "Ada"}))
        running.load(
            person(
                SCRIPT_EMAIL,
                dataFields={"FIRSTNAME": SCRIPT, "LASTNAME": MARKUP},
                preferences=[{"id": 4711, "isOptedIn": True}],
                consentRecords=[CONSENT],
            ),
            person("no address"),
            person(f"{SCRIPT}@@example.com"),
        )
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """A browser that complains of nothing."""
    chromium.console()
    yield chromium
    assert chromium.console() == []


def rows(browser: Browser) -> list[str]:
    return browser.texts("tbody tr")


def test_address_books_show_counts_and_growth(browser: Browser, client: SandboxClient) -> None:
    browser.open(client.url)
    browser.until(lambda: len(rows(browser)) >= 4, "the address books")
    everyone = next(row for row in rows(browser) if "All Contacts" in row)
    assert everyone.count("1,001") == 2
    assert "+1,001" in everyone
    assert any(MARKUP in row for row in rows(browser))
    assert browser.one("tbody svg path").is_displayed()


def test_contacts_are_listed_page_by_page_and_by_address_book(
    browser: Browser, client: SandboxClient
) -> None:
    browser.open(client.url)
    browser.click("Contacts")
    browser.until(lambda: len(rows(browser)) == 50, "the first page")
    assert SCRIPT_EMAIL in rows(browser)[0]
    browser.click("Show more")
    browser.until(lambda: len(rows(browser)) == 100, "the second page")
    browser.open(client.url)
    browser.click(f"Address book {LIST_ID}")
    browser.until(lambda: rows(browser) and "p999@" in rows(browser)[0], "the members")


def test_a_contact_is_found_by_the_beginning_of_its_address(
    browser: Browser, client: SandboxClient
) -> None:
    browser.open(f"{client.url}/#/contacts")
    browser.one("#search").send_keys("P42")
    browser.until(lambda: len(rows(browser)) == 11, "the contacts found")
    assert all(row.startswith("p42") for row in rows(browser))
    browser.click("p421@example.com")
    details = browser.one("dialog dl").text
    assert "FIRSTNAME" in details
    assert "Ada" in details
    assert f"Address book {LIST_ID}" in browser.one("dialog").text
    assert "Subscribed" in browser.one("dialog").text


def test_a_search_that_finds_nothing_says_so(browser: Browser, client: SandboxClient) -> None:
    browser.open(f"{client.url}/#/contacts?search=nobody")
    assert "No address begins so" in browser.one(".empty").text


def test_markup_in_a_contact_shows_as_text(browser: Browser, client: SandboxClient) -> None:
    browser.open(f"{client.url}/#/contacts?search=script")
    browser.click(SCRIPT_EMAIL)
    browser.until(lambda: SCRIPT in browser.one("dialog").text, "the text")
    for wanted in (MARKUP, CONSENT["text"], "4711"):
        assert wanted in browser.one("dialog").text
    assert not browser.all("main script, main img, dialog script, dialog img")


def test_an_import_moves_its_bar_to_the_end_without_reloading(
    browser: Browser, database: Path
) -> None:
    with (
        SandboxServer(Options(database, pace=1_000.0)) as server,
        SandboxClient(server.url) as client,
    ):
        browser.open(f"{client.url}/#/imports")
        assert "No imports yet" in browser.one(".empty").text
        browser.driver.execute_script("window.sameDocument = true")
        import_id = client.start_import([*people(3_000, "bar"), person("no address")])
        entry = f'[data-import="{import_id}"]'
        seen = set()

        def is_finished() -> bool:
            bar: Any = browser.one(f"{entry} progress")
            seen.add(float(bar.get_property("value") or 0))
            return "Finished" in browser.one(entry).text

        browser.until(is_finished, "the end of the import")
        # The bar was last looked at before the word: once more, now that it is there.
        end: Any = browser.one(f"{entry} progress").get_property("value")
        assert end == 3_001
        assert len(seen | {end}) > 1, "the bar did not move"
        assert "3,001 contacts" in browser.one(entry).text
        assert browser.driver.execute_script("return window.sameDocument")
        browser.driver.get("about:blank")


def test_failures_show_their_codes_and_contacts(browser: Browser, client: SandboxClient) -> None:
    browser.open(f"{client.url}/#/imports")
    browser.until(lambda: browser.texts(".codes li"), "the codes")
    assert "invalidEmail 2" in browser.texts(".codes li")
    entry = next(each for each in browser.all(".imports li") if "invalidEmail 2" in each.text)
    entry.find_element("css selector", ".mono").click()
    browser.until(lambda: "no address" in browser.one("dialog").text, "the failures")
    assert f"{SCRIPT}@@example.com" in browser.one("dialog").text
    assert "invalidEmail" in browser.one("dialog .failed").text


def test_requests_show_routes_and_statuses_but_no_values(
    browser: Browser, client: SandboxClient
) -> None:
    client.get("/contacts/v3/email/canary%40example.com", secret="canary")
    browser.open(f"{client.url}/#/requests")
    wanted = "/contacts/v3/{identifier}/{value}"
    browser.until(lambda: any(wanted in row for row in rows(browser)), "the call")
    found = next(row for row in rows(browser) if wanted in row and "404" in row)
    assert "GET" in found
    assert "canary" not in browser.driver.page_source


def test_everything_is_reached_with_the_keyboard(browser: Browser, client: SandboxClient) -> None:
    browser.open(f"{client.url}/#/contacts?search=p42")
    browser.until(lambda: len(rows(browser)) == 11, "the contacts found")
    reached = []
    while "p42@example.com" not in reached:
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        active = browser.driver.switch_to.active_element
        reached.append(active.get_attribute("id") or active.text)
        assert len(reached) < 40, "the contact is not reached"
    for wanted in ("skip", "Address books", "Imports", "Requests", "search", "list", "status"):
        assert wanted in reached
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert browser.one("dialog").get_attribute("open")
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    browser.until(lambda: not browser.all("dialog[open]"), "the closing of the dialog")
    assert browser.driver.switch_to.active_element.text == reached[-1]


@pytest.mark.parametrize(
    "view", ["address-books", "contacts", "suppressions", "imports", "requests"]
)
def test_a_phone_shows_it_without_scrolling_sideways(
    browser: Browser, client: SandboxClient, view: str
) -> None:
    browser.resize(360, 740)
    try:
        browser.open(f"{client.url}/#/{view}")
        browser.until(lambda: browser.all("tbody tr, .imports li, .empty"), "the view")
        width = browser.driver.execute_script("return document.documentElement.scrollWidth")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert width <= 360


def test_a_server_that_stops_is_told(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with EmbeddedSandbox(tmp_path_factory.mktemp("gone") / "dotdigital.db") as embedded:
        address = embedded.url.removeprefix("http://")
        chromium.open(f"http://{embedded.username}:{embedded.password}@{address}/")
        chromium.until(lambda: "Idle" in chromium.one("#pulse").text, "the page with credentials")
        assert chromium.one(".lead").text.startswith("No contacts yet")
        assert embedded.password not in chromium.driver.page_source
    chromium.until(lambda: "has stopped" in chromium.one("#pulse").text, "the end")
    chromium.console()
