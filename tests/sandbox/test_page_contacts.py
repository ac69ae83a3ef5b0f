"""The list of contacts that the page reads: whole, whatever is searched for and left out."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.page import contacts as page_contacts
from tests.sandbox.conftest import LIST_ID
from tests.support.sandbox.client import SandboxClient, person

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/sandbox/page/contacts"
STATUSES = ("subscribed", "unsubscribed", "suppressed")
FILTERS: dict[str, str | int] = {"search": "3-", "status": "suppressed", "list": LIST_ID}
COMBINATIONS = [each for size in (1, 2, 3) for each in combinations(FILTERS, size)]


def sent(number: int) -> dict[str, Any]:
    """Return a contact: every third in the list, the statuses in turn for ten each."""
    parts: dict[str, Any] = {} if number % 3 else {"lists": [LIST_ID]}
    channels = {"email": {"status": STATUSES[number // 10 % 3]}}
    return person(f"{number % 7}-{number}@example.com", channelProperties=channels, **parts)


SENT = [sent(number) for number in range(300)]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxClient]:
    """A sandbox that has nobody but those of `SENT`."""
    database = tmp_path_factory.mktemp("filled") / "dotdigital.db"
    options = Options(database, address_books=[LIST_ID])
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        client.load(*SENT)
        yield client


def pages(sandbox: SandboxClient, **filters: str | int) -> list[list[str]]:
    """Read all pages and return the addresses on each."""
    found, position = [], ""
    while True:
        page = sandbox.get(PATH, position=position, **filters).json()
        found.append([one["email"] for one in page["items"]])
        if page["next"] is None:
            return found
        position = page["next"]
        assert len(found) < 200, "the pages do not end"


def wanted(filters: dict[str, str | int]) -> list[str]:
    """Return the addresses that the filters leave, in the order of the list."""
    search = str(filters.get("search", ""))
    found = [
        one["identifiers"]["email"]
        for one in SENT
        if ("list" not in filters or "lists" in one)
        and filters.get("status") in {None, one["channelProperties"]["email"]["status"]}
    ]
    return sorted(one for one in found if one.startswith(search)) if search else found[::-1]


@pytest.mark.parametrize("scanned", [7, 20_000])
@pytest.mark.parametrize("names", [(), *COMBINATIONS], ids="-".join)
def test_pages_together_are_all_that_is_wanted(
    filled: SandboxClient, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], scanned: int
) -> None:
    monkeypatch.setattr(page_contacts, "SCANNED_CONTACTS", scanned)
    filters = {name: FILTERS[name] for name in names}
    found = pages(filled, **filters)
    assert [one for page in found for one in page] == wanted(filters)
    assert all(len(page) <= 50 for page in found)


def test_an_answer_looks_at_no_more_contacts_than_it_may(
    filled: SandboxClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_contacts, "SCANNED_CONTACTS", 20)
    page = filled.get(PATH, status="pendingOptIn").json()
    assert (page["items"], page["scanned"]) == ([], 20)
    assert page["next"] is not None


def test_names_and_fields_are_listed_shortened(sandbox: SandboxClient) -> None:
    names = [f"FIELD{number}" for number in range(6)]
    for name in names:
        sandbox.create_field(name, "String")
    fields = {"LASTNAME": "Hopper", "FULLNAME": "Grace H.", **dict.fromkeys(names, "x" * 100)}
    sandbox.load(
        person("field-grace@example.com", dataFields=fields),
        person("field-full@example.com", dataFields={"FULLNAME": "Ada L."}),
        person("field-none@example.com"),
    )
    items = sandbox.get(PATH, search="field-").json()["items"]
    assert [one["name"] for one in items] == ["Ada L.", "Hopper", ""]
    assert items[1]["fields"] == [{"name": name, "value": "x" * 40} for name in names[:4]]
    assert items[2]["fields"] == []


def test_a_page_of_an_address_book_names_it(sandbox: SandboxClient) -> None:
    page = sandbox.get(PATH, list=LIST_ID).json()
    assert page["address_book"] == sandbox.get(f"/v2/address-books/{LIST_ID}").json()
    assert sandbox.get(PATH).json()["address_book"] is None
    unknown = sandbox.get(PATH, list=7).json()
    assert (unknown["items"], unknown["address_book"]) == ([], None)
