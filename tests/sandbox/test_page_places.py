"""Where one is on the page: addresses of their own, filters, and the way back."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.support.select import Select

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.page import contacts as page_contacts
from tests.sandbox.conftest import LIST_ID
from tests.support.browser import Browser, needs_browser, started
from tests.support.sandbox.client import SandboxClient, people, person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = needs_browser

PHONE = (390, 740)
LONG_EMAIL = "katherine.fletcher_montgomery+newsletter10023@customers.example.co.uk"
UNKNOWN_IMPORT = "d7de900d-d337-43f6-b1e1-c8ec73e1a434"
UNKNOWN_LIST = 7


def of_status(email: str, status: str) -> dict[str, Any]:
    return person(email, lists=[LIST_ID], channelProperties={"email": {"status": status}})


class Loaded:
    """A sandbox with contacts of each status, and what the tests look for in it."""

    def __init__(self, client: SandboxClient) -> None:
        self.url = client.url
        newsletter = client.create_list("Newsletter")
        client.load(*people(100, "p", lists=[LIST_ID]))
        fields = {"FIRSTNAME": "Ada", "LASTNAME": "Lovelace", "POSTCODE": "N7 4QP"}
        self.import_id = client.start_import(
            [
                person("ada@example.com", dataFields=fields, lists=[LIST_ID, newsletter]),
                person(LONG_EMAIL, lists=[newsletter]),
                person("unlisted@example.com", lists=[UNKNOWN_LIST]),
            ]
        )
        client.finish(self.import_id)
        self.ada = str(client.contact("ada@example.com")["contactId"])
        client.load(
            of_status("gone@example.com", "unsubscribed"),
            of_status("barred@example.com", "suppressed"),
        )


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    database = tmp_path_factory.mktemp("places") / "dotdigital.db"
    with (
        SandboxServer(Options(database, address_books=[LIST_ID])) as server,
        SandboxClient(server.url) as client,
    ):
        yield Loaded(client)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """A browser that complains of nothing."""
    chromium.console()
    yield chromium
    chromium.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert chromium.console() == []


def emails(browser: Browser) -> list[str]:
    return browser.texts("tbody th a")


def place(browser: Browser) -> str:
    return browser.driver.current_url.partition("#")[2]


def choose(browser: Browser, name: str, text: str) -> None:
    select: Any = browser.one(f"#{name}")
    browser.until(lambda: text in [one.text for one in Select(select).options], text)
    Select(select).select_by_visible_text(text)


def is_open(browser: Browser) -> bool:
    return bool(browser.all("dialog[open]"))


def test_contacts_show_names_and_fields_and_the_whole_row_opens(
    browser: Browser, loaded: Loaded
) -> None:
    browser.open(f"{loaded.url}/#/contacts?search=ada")
    row = browser.one("tbody tr")
    assert "Ada Lovelace" in row.text
    assert "POSTCODE N7 4QP" in row.text
    row.find_element("css selector", "td.fields").click()
    browser.until(lambda: "Ada" in browser.one("dialog").text, "the contact")
    assert browser.one("#dialog-title").text == "ada@example.com"
    assert place(browser) == f"/contacts/{loaded.ada}?search=ada"


def test_a_contact_has_an_address_that_reload_back_and_close_heed(
    browser: Browser, loaded: Loaded
) -> None:
    browser.open(f"{loaded.url}/#/imports")
    browser.click("Contacts")
    browser.one("#search").send_keys("ada")
    browser.until(lambda: emails(browser) == ["ada@example.com"], "the contact found")
    browser.click("ada@example.com")
    browser.until(lambda: is_open(browser), "the dialog")
    browser.driver.back()
    browser.until(lambda: not is_open(browser), "the way back")
    assert place(browser) == "/contacts?search=ada"
    assert emails(browser) == ["ada@example.com"]
    browser.driver.forward()
    browser.until(lambda: is_open(browser), "the way forward")
    browser.driver.refresh()
    browser.until(lambda: "Lovelace" in browser.one("dialog").text, "the contact after a reload")
    browser.click("Close")
    browser.until(lambda: place(browser) == "/contacts?search=ada", "the list")
    assert not is_open(browser)
    assert browser.one("#search").get_attribute("value") == "ada"


def test_closing_leads_back_so_that_the_list_is_not_in_the_history_twice(
    browser: Browser, loaded: Loaded
) -> None:
    browser.open(f"{loaded.url}/#/imports")
    browser.click("Contacts")
    for email in ("barred@example.com", "gone@example.com"):
        browser.click(email)
        browser.until(lambda: is_open(browser), "the dialog")
        browser.click("Close")
        browser.until(lambda: place(browser) == "/contacts", "the list")
    browser.driver.back()
    browser.until(lambda: place(browser) == "/imports", "the view before")


def test_an_import_names_its_address_books_and_has_an_address(
    browser: Browser, loaded: Loaded
) -> None:
    browser.open(f"{loaded.url}/#/imports")
    entry = browser.one(f'[data-import="{loaded.import_id}"]')
    into = f"Into Newsletter, {UNKNOWN_LIST} (no such address book), Address book {LIST_ID}"
    assert into in entry.text
    entry.find_element("css selector", "progress").click()
    browser.until(lambda: place(browser) == f"/imports/{loaded.import_id}", "the address")
    browser.driver.refresh()
    browser.until(lambda: loaded.import_id in browser.one("dialog").text, "the import")
    assert "2 of its contacts" in browser.one("dialog").text
    assert f"{UNKNOWN_LIST}: no such address book" in browser.one("dialog").text
    browser.click("Close")
    browser.until(lambda: place(browser) == "/imports", "the list")
    browser.click("Newsletter")
    browser.until(lambda: LONG_EMAIL in emails(browser), "the members")


@pytest.mark.parametrize("path", ["contacts/1", "contacts/none", f"imports/{UNKNOWN_IMPORT}"])
def test_what_is_not_there_says_so(browser: Browser, loaded: Loaded, path: str) -> None:
    browser.open(f"{loaded.url}/#/{path}")
    browser.until(lambda: "is not in the account" in browser.one("dialog").text, "the word")
    browser.click("Close")
    browser.until(lambda: place(browser) == f"/{path.partition('/')[0]}", "the list")


def test_an_address_books_page_tells_the_status_of_its_members(
    browser: Browser, loaded: Loaded
) -> None:
    browser.open(loaded.url)
    browser.click(f"Address book {LIST_ID}")
    browser.until(lambda: len(emails(browser)) == 50, "the members")
    assert browser.one("h1").text == f"Address book {LIST_ID}"
    assert "103 contacts" in browser.one(".lead").text
    rows = browser.texts("tbody tr")
    assert next(row for row in rows if "gone@" in row).count("Unsubscribed") == 1
    assert next(row for row in rows if "barred@" in row).count("Suppressed") == 1


def test_contacts_are_filtered_by_status_and_address_book(browser: Browser, loaded: Loaded) -> None:
    browser.open(f"{loaded.url}/#/contacts")
    choose(browser, "status", "Suppressed")
    browser.until(lambda: emails(browser) == ["barred@example.com"], "the suppressed one")
    assert place(browser) == "/contacts?status=suppressed"
    choose(browser, "list", "Newsletter")
    browser.until(lambda: "No contact here has this status" in browser.one(".empty").text, "none")
    choose(browser, "status", "Subscribed")
    browser.until(lambda: emails(browser) == [LONG_EMAIL, "ada@example.com"], "the members")
    browser.driver.refresh()
    browser.until(lambda: emails(browser) == [LONG_EMAIL, "ada@example.com"], "after a reload")
    selected: Any = browser.one("#status")
    assert Select(selected).first_selected_option.text == "Subscribed"


def test_what_was_typed_into_the_search_is_kept(browser: Browser, loaded: Loaded) -> None:
    browser.open(f"{loaded.url}/#/contacts")
    browser.one("#search").send_keys("gone")
    browser.driver.refresh()  # at once: nothing has been searched for yet
    browser.until(lambda: emails(browser) == ["gone@example.com"], "the search after a reload")
    browser.click("Imports")
    browser.until(lambda: browser.all(".imports li"), "the imports")
    browser.driver.back()
    browser.until(lambda: emails(browser) == ["gone@example.com"], "the search on the way back")
    browser.click("Imports")
    browser.until(lambda: browser.all(".imports li"), "the imports")
    browser.click("Contacts")
    browser.until(lambda: emails(browser) == ["gone@example.com"], "the search by the link")
    assert browser.one("#search").get_attribute("value") == "gone"


def test_few_among_many_are_found_without_asking_for_more(
    browser: Browser, loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of 100 older contacts, all subscribed, ten are looked through for each answer.
    monkeypatch.setattr(page_contacts, "SCANNED_CONTACTS", 10)
    browser.open(f"{loaded.url}/#/contacts?status=unsubscribed")
    browser.until(lambda: emails(browser) == ["gone@example.com"], "the one")
    browser.open(f"{loaded.url}/#/contacts?status=pendingOptIn")
    browser.until(lambda: "No contact here has this status" in browser.one(".empty").text, "none")
    browser.open(f"{loaded.url}/#/contacts?status=subscribed&list={LIST_ID}")
    browser.until(lambda: len(emails(browser)) >= 50, "a page")
    assert browser.one("section > button").text == "Show more"


def test_an_address_breaks_between_its_parts_on_a_phone(browser: Browser, loaded: Loaded) -> None:
    browser.resize(*PHONE)
    browser.open(f"{loaded.url}/#/contacts")
    browser.until(lambda: LONG_EMAIL in emails(browser), "the long address")
    script = """
        const links = [...document.querySelectorAll("tbody th a")];
        const parts = links.flatMap((link) => [...link.childNodes]);
        return parts.filter((part) => part.nodeType === Node.TEXT_NODE).map((part) => {
            const range = document.createRange();
            range.selectNodeContents(part);
            return range.getClientRects().length;
        });
    """
    assert set(browser.driver.execute_script(script)) == {1}
    table = browser.one(".scroll")
    assert table.get_property("scrollWidth") == table.get_property("clientWidth")
    browser.click(LONG_EMAIL)
    browser.until(lambda: LONG_EMAIL in browser.one("#dialog-title").text, "the contact")
    dialog: Any = browser.one("dialog")
    assert dialog.size["width"] <= PHONE[0]
    assert dialog.get_property("scrollWidth") <= dialog.get_property("clientWidth")


@pytest.mark.parametrize(
    ("finished", "words"),
    [
        ("12:00:00.060Z", "in under 0.1 s"),
        ("12:00:00.100Z", "in 0.1 s"),
        ("12:00:59.970Z", "in 1 min 0 s"),
    ],
)
def test_durations_are_told_as_people_tell_them(
    browser: Browser, database: Path, finished: str, words: str
) -> None:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        client.load(person("quick@example.com"))
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        times = ("2026-01-01T12:00:00.000Z", f"2026-01-01T{finished}")
        connection.execute("UPDATE import SET accepted = ?, finished = ?", times)
    with SandboxServer(Options(database)) as server:
        browser.open(f"{server.url}/#/imports")
        assert words in browser.one(".imports li").text
        browser.driver.get("about:blank")


def test_a_look_into_an_import_that_is_under_way_goes_along(
    browser: Browser, database: Path
) -> None:
    with (
        SandboxServer(Options(database, pace=1_000.0)) as server,
        SandboxClient(server.url) as client,
    ):
        import_id = client.start_import(people(2_000, "bar"))
        browser.open(f"{client.url}/#/imports/{import_id}")
        browser.until(lambda: "Under way" in browser.one("dialog").text, "the import")
        browser.until(lambda: "2,000" in browser.texts("dialog dd")[4], "the end")
        browser.until(lambda: "Under way" not in browser.one("dialog").text, "the status")
        browser.driver.get("about:blank")
