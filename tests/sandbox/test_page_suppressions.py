"""The suppression list on the page: shown, added to, and removed from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.keys import Keys

from target_dotdigital.sandbox import Options, SandboxServer
from tests.support.browser import Browser, needs_browser, started
from tests.support.sandbox.client import SandboxClient, failure_codes, person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = needs_browser

LONG = "katherine.fletcher_montgomery+newsletter10023@customers.example.co.uk"
ODD = "<b>a/b+c?d%e#f</b>@example.com"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture
def client(database: Path, chromium: Browser) -> Iterator[SandboxClient]:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as running:
        yield running
        chromium.driver.get("about:blank")


@pytest.fixture
def browser(chromium: Browser, client: SandboxClient) -> Iterator[Browser]:
    """A browser that shows the list and complains of nothing."""
    chromium.console()
    chromium.open(f"{client.url}/#/contacts")
    chromium.click("Suppression list")
    chromium.one("h1")
    yield chromium
    assert chromium.console() == []


def listed(browser: Browser) -> list[str]:
    return browser.texts(".values li > span")


def await_list(browser: Browser, *values: str) -> None:
    browser.until(lambda: listed(browser) == list(values), f"the list {values}")


def add(browser: Browser, value: str) -> None:
    browser.one("#suppression").send_keys(value, Keys.ENTER)


def test_an_address_and_a_domain_that_are_added_bar_contacts(
    browser: Browser, client: SandboxClient
) -> None:
    assert browser.one(".empty").text == "Nothing is on the list."
    add(browser, "Barred@example.com")
    await_list(browser, "barred@example.com")
    browser.one("#suppression").send_keys("example.org")
    browser.click("Add")
    await_list(browser, "barred@example.com", "example.org")
    report = client.load(*(person(f"barred@example.{end}") for end in ("com", "org", "net")))
    assert failure_codes(report) == ["globallySuppressed", "suppressedByDomain"]
    browser.driver.refresh()
    await_list(browser, "barred@example.com", "example.org")


def test_what_is_removed_bars_nobody(browser: Browser, client: SandboxClient) -> None:
    for value in (ODD, "barred@example.com"):
        client.call("POST", "/sandbox/suppressions", json={"value": value})
    browser.driver.refresh()
    await_list(browser, ODD, "barred@example.com")
    browser.click("Remove")
    await_list(browser, "barred@example.com")
    browser.click("Remove")
    await_list(browser)
    assert browser.one(".empty").is_displayed()
    assert client.get("/sandbox/suppressions").json() == []
    assert failure_codes(client.load(person("barred@example.com"))) == []


@pytest.mark.parametrize(
    "value",
    ["nobody", "a b@example.com", "a@b@example.com", "@example.com", "a@example.com/b"],
)
def test_what_is_no_address_and_no_domain_is_not_sent(
    browser: Browser, client: SandboxClient, value: str
) -> None:
    add(browser, value)
    assert "Write an e-mail address" in browser.one("[role=alert]").text
    assert client.get("/sandbox/suppressions").json() == []
    browser.one("#suppression").clear()
    add(browser, "example.com")
    await_list(browser, "example.com")
    assert not browser.all("[role=alert]")[0].is_displayed()


def test_the_page_takes_what_the_list_takes(browser: Browser) -> None:
    written = ["a.b@sub.example.co.uk", "sub.example.com", "ä@exämple.com"]
    for value in written:
        add(browser, value)
    await_list(browser, *written)


def test_a_long_address_leaves_room_for_its_button_on_a_phone(
    browser: Browser, client: SandboxClient
) -> None:
    for value in (LONG, "example.com"):
        client.call("POST", "/sandbox/suppressions", json={"value": value})
    browser.resize(390, 740)
    try:
        browser.driver.refresh()
        await_list(browser, "example.com", LONG)
        widths = {button.size["width"] for button in browser.all(".values button")}
        page = browser.driver.execute_script("return document.documentElement.scrollWidth")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert len(widths) == 1
    assert page <= 390
