from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.client import SandboxClient, person
from tests.sandbox.conftest import LIST_ID

if TYPE_CHECKING:
    from typing import Any

PATH = "/v2/address-books"


def test_every_account_has_the_two_standard_lists(sandbox: SandboxClient) -> None:
    names = [book["name"] for book in sandbox.get(PATH).json()]
    assert {"All Contacts", "Test"} <= set(names)


def test_a_new_address_book_is_found_by_its_id(sandbox: SandboxClient) -> None:
    created = sandbox.call("POST", PATH, json={"name": "Newsletter"}).json()
    assert created == {
        "id": created["id"],
        "name": "Newsletter",
        "visibility": "Private",
        "contacts": 0,
    }
    assert sandbox.get(f"{PATH}/{created['id']}").json() == created


def test_pages_hold_as_many_as_selected_and_end_with_an_empty_one(sandbox: SandboxClient) -> None:
    for number in range(5):
        sandbox.create_list(f"Page {number}")
    everything = sandbox.get(PATH).json()
    paged: list[dict[str, Any]] = []
    while page := sandbox.get(PATH, select=2, skip=len(paged)).json():
        assert len(page) <= 2
        paged += page
    assert paged == everything


@pytest.mark.parametrize("parameters", ["select=0", "select=1001", "select=x", "skip=-1"])
def test_a_page_out_of_range_is_refused(sandbox: SandboxClient, parameters: str) -> None:
    reply = sandbox.get(f"{PATH}?{parameters}")
    assert reply.status_code == 400
    assert reply.json()["message"].endswith(" ERROR_PARAMETER_INVALID")


@pytest.mark.parametrize("address_book_id", ["7", "0", "2147483647"])
def test_an_address_book_that_does_not_exist_is_answered_404(
    sandbox: SandboxClient, address_book_id: str
) -> None:
    reply = sandbox.get(f"{PATH}/{address_book_id}")
    assert reply.status_code == 404
    assert reply.json()["message"].endswith(" ERROR_ADDRESSBOOK_NOT_FOUND")


@pytest.mark.parametrize("name", ["Taken", "tAKEN", "Test", "all contacts"])
def test_a_name_that_is_taken_or_reserved_is_refused_in_any_case(
    sandbox: SandboxClient, name: str
) -> None:
    sandbox.call("POST", PATH, json={"name": "Taken"})
    reply = sandbox.call("POST", PATH, json={"name": name})
    assert reply.status_code == 400
    assert reply.json()["message"].endswith(" ERROR_ADDRESSBOOK_DUPLICATE")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "ERROR_ADDRESSBOOK_INVALID"),
        ({"name": 5}, "ERROR_ADDRESSBOOK_INVALID"),
        ({"name": " "}, "ERROR_ADDRESSBOOK_INVALID"),
        ({"name": "x" * 129}, "ERROR_ADDRESSBOOK_INVALID"),
        ({"name": "Hidden", "visibility": "Secret"}, "ERROR_ADDRESSBOOK_INVALID"),
        ([], "ERROR_ADDRESSBOOK_INVALID"),
    ],
)
def test_an_address_book_that_is_none_is_refused(
    sandbox: SandboxClient, body: object, code: str
) -> None:
    reply = sandbox.call("POST", PATH, json=body)
    assert reply.status_code == 400
    assert reply.json()["message"].endswith(f" {code}")


def test_a_name_of_128_characters_is_accepted(sandbox: SandboxClient) -> None:
    name = "é" * 128
    assert sandbox.call("POST", PATH, json={"name": name}).json()["name"] == name


def test_a_body_that_is_no_json_is_refused(sandbox: SandboxClient) -> None:
    reply = sandbox.call("POST", PATH, data=b"{")
    assert reply.status_code == 400
    assert reply.json()["message"].endswith(" ERROR_MALFORMED_REQUEST")


def test_the_count_is_of_distinct_members(sandbox: SandboxClient) -> None:
    for _ in range(2):
        sandbox.load(
            person("count1@example.com", lists=[LIST_ID, LIST_ID]),
            person("count2@example.com", lists=[LIST_ID]),
            person("count3@example.com"),
        )
    assert sandbox.get(f"{PATH}/{LIST_ID}").json()["contacts"] == 2
    everyone = next(book for book in sandbox.get(PATH).json() if book["name"] == "All Contacts")
    assert everyone["contacts"] == 3
    assert len(sandbox.members(everyone["id"])) == 3
