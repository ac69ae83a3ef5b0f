from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.conftest import LIST_ID
from tests.support.sandbox.client import SandboxClient, person

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


def test_an_address_book_is_renamed_and_keeps_its_contacts(sandbox: SandboxClient) -> None:
    list_id = sandbox.create_list("Before")
    sandbox.load(person("renamed@example.com", lists=[list_id]))
    body = {"name": "After", "visibility": "Public"}
    renamed = {"id": list_id, "contacts": 1, **body}
    reply = sandbox.call("PUT", f"{PATH}/{list_id}", json=body)
    assert (reply.status_code, reply.json()) == (200, renamed)
    assert sandbox.get(f"{PATH}/{list_id}").json() == renamed
    assert sandbox.create_list("BEFORE") != list_id


def test_an_address_book_may_keep_its_name_in_another_case(sandbox: SandboxClient) -> None:
    list_id = sandbox.create_list("Cased")
    reply = sandbox.call("PUT", f"{PATH}/{list_id}", json={"name": "CASED"})
    assert reply.json()["name"] == "CASED"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "oCCUPIED"}, "ERROR_ADDRESSBOOK_DUPLICATE"),
        ({"name": "Test"}, "ERROR_ADDRESSBOOK_DUPLICATE"),
        ({"name": ""}, "ERROR_ADDRESSBOOK_INVALID"),
        ({"visibility": "Public"}, "ERROR_ADDRESSBOOK_INVALID"),
    ],
)
def test_a_name_that_cannot_be_is_refused_when_renaming(
    sandbox: SandboxClient, body: object, code: str
) -> None:
    sandbox.call("POST", PATH, json={"name": "Occupied"})
    list_id = sandbox.create_list(f"Unrenamed {body}")
    reply = sandbox.call("PUT", f"{PATH}/{list_id}", json=body)
    assert reply.status_code == 400
    assert reply.json()["message"].endswith(f" {code}")
    assert sandbox.get(f"{PATH}/{list_id}").json()["name"] == f"Unrenamed {body}"


def test_the_contacts_of_a_deleted_address_book_stay(sandbox: SandboxClient) -> None:
    list_id = sandbox.create_list("Deleted")
    sandbox.load(person("remaining@example.com", lists=[list_id, LIST_ID]))
    reply = sandbox.call("DELETE", f"{PATH}/{list_id}")
    assert (reply.status_code, reply.content) == (204, b"")
    assert sandbox.get(f"{PATH}/{list_id}").status_code == 404
    assert sandbox.get("/contacts/v3", **{"~listId": list_id}).status_code == 400
    contact = sandbox.contact("remaining@example.com")
    assert (contact["status"], [one["id"] for one in contact["lists"]]) == ("subscribed", [LIST_ID])
    again = sandbox.create_list("Deleted")
    assert again != list_id
    assert sandbox.members(again) == []


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("name", ["All Contacts", "Test"])
def test_the_two_standard_lists_stay_as_they_are(
    sandbox: SandboxClient, method: str, name: str
) -> None:
    books = {book["name"]: book["id"] for book in sandbox.get(PATH).json()}
    reply = sandbox.call(method, f"{PATH}/{books[name]}", json={"name": "Mine"})
    assert reply.status_code == 400
    assert reply.json()["message"].endswith(" ERROR_ADDRESSBOOK_NOTWRITABLE")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_an_address_book_that_does_not_exist_cannot_be_changed(
    sandbox: SandboxClient, method: str
) -> None:
    reply = sandbox.call(method, f"{PATH}/987654", json={"name": "Nobody's"})
    assert reply.status_code == 404
    assert reply.json()["message"].endswith(" ERROR_ADDRESSBOOK_NOT_FOUND")
