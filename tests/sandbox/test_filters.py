"""Contacts by when they were created or last changed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sandbox.client import people, person

if TYPE_CHECKING:
    from tests.support.sandbox.client import SandboxClient

PAST, FUTURE = "2021-12-17T00:00:00Z", "9999-12-31T23:59:59Z"


@pytest.fixture(scope="module")
def dated(sandbox: SandboxClient) -> tuple[int, dict[str, dict[str, Any]]]:
    """A list of three contacts: old, old but changed lately, and new; they and the list."""
    list_id = sandbox.create_list("Dated")
    sandbox.load(*(person(f"{name}@example.com", lists=[list_id]) for name in ("old", "changed")))
    wait_for_the_clock(sandbox)
    sandbox.load(person("changed@example.com"), person("new@example.com", lists=[list_id]))
    names = ("old", "changed", "new")
    return list_id, {name: sandbox.contact(f"{name}@example.com") for name in names}


def wait_for_the_clock(sandbox: SandboxClient) -> None:
    """Return in another millisecond than the last import's, by which times are told apart."""
    before = sandbox.contact("old@example.com")["updated"]
    number = 0
    while True:
        created = sandbox.load(person(f"tick{number}@example.com"))["created"]
        if sandbox.contact(created[0]["contactId"], "contactId")["created"] > before:
            return
        number += 1
        time.sleep(0.001)


def found(sandbox: SandboxClient, **parameters: str | int) -> list[str]:
    named = {f"~{name}": value for name, value in parameters.items()}
    reply = sandbox.get("/contacts/v3", **named)
    assert reply.status_code == 200, reply.text
    emails = [one["identifiers"]["email"] for one in reply.json()["_items"]]
    return [email.partition("@")[0] for email in emails if not email.startswith("tick")]


def test_contacts_are_found_by_when_they_were_created(
    sandbox: SandboxClient, dated: tuple[int, dict[str, dict[str, Any]]]
) -> None:
    _, contacts = dated
    assert found(sandbox, created=f"gte::{contacts['new']['created']}") == ["new"]
    assert found(sandbox, created=f"gte::{contacts['old']['created']}") == list(contacts)
    assert found(sandbox, created=f"gte::{PAST}") == list(contacts)
    assert found(sandbox, created=f"gte::{FUTURE}") == []


def test_contacts_are_found_by_when_they_were_changed(
    sandbox: SandboxClient, dated: tuple[int, dict[str, dict[str, Any]]]
) -> None:
    _, contacts = dated
    since = contacts["changed"]["updated"]
    assert found(sandbox, modified=f"gte::{since}") == ["changed", "new"]
    assert found(sandbox, modified=f"gte::{FUTURE}") == []


def test_a_whole_second_is_its_beginning(
    sandbox: SandboxClient, dated: tuple[int, dict[str, dict[str, Any]]]
) -> None:
    _, contacts = dated
    second = contacts["old"]["created"][: len("2021-12-17T00:00:00")]
    assert "old" in found(sandbox, created=f"gte::{second}Z")


def test_a_date_and_a_list_are_both_heeded(
    sandbox: SandboxClient, dated: tuple[int, dict[str, dict[str, Any]]]
) -> None:
    list_id, contacts = dated
    since = f"gte::{contacts['new']['created']}"
    sandbox.load(person("later@example.com"))
    assert found(sandbox, listId=list_id, created=since) == ["new"]
    assert found(sandbox, listId=list_id, modified=since) == ["changed", "new"]
    assert "later" in found(sandbox, created=since)


def test_a_filter_holds_for_every_page(sandbox: SandboxClient) -> None:
    list_id = sandbox.create_list("Filtered pages")
    sandbox.load(*people(3, "page-old", lists=[list_id]))
    first = sandbox.contact("page-old0@example.com")
    while sandbox.load(*people(3, "page-new", lists=[list_id])) and (
        sandbox.contact("page-new0@example.com")["updated"] == first["updated"]
    ):
        time.sleep(0.001)
    since = sandbox.contact("page-new0@example.com")["updated"]
    parameters: dict[str, str | int] = {
        "~listId": list_id,
        "~modified": f"gte::{since}",
        "limit": 2,
    }
    page = sandbox.get("/contacts/v3", **parameters).json()
    link = page["_links"]["next"]["link"].removeprefix(sandbox.url)
    following = sandbox.call("GET", link).json()
    assert "next" not in following["_links"]
    emails = [one["identifiers"]["email"] for one in page["_items"] + following["_items"]]
    assert emails == [f"page-new{number}@example.com" for number in range(3)]
