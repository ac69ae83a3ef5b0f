"""The address books of a contact, private and public ones, and how many contacts there are."""

from __future__ import annotations

import pytest

from tests.support.sandbox.client import SandboxClient, people, person

BOOKS = "/v2/address-books"


def names(sandbox: SandboxClient, path: str, **parameters: str | int) -> list[str]:
    reply = sandbox.get(path, **parameters)
    assert reply.status_code == 200, reply.text
    return [book["name"] for book in reply.json()]


def test_private_and_public_address_books_are_listed_apart(sandbox: SandboxClient) -> None:
    for number in range(2):
        book = {"name": f"Public {number}", "visibility": "Public"}
        assert sandbox.call("POST", BOOKS, json=book).ok
    sandbox.create_list("Private 0")
    assert names(sandbox, f"{BOOKS}/public") == ["Public 0", "Public 1"]
    private = names(sandbox, f"{BOOKS}/private")
    assert "Private 0" in private
    assert "Public 0" not in private
    assert names(sandbox, f"{BOOKS}/public", select=1, skip=1) == ["Public 1"]
    for name in ("select", "limit"):
        assert names(sandbox, f"{BOOKS}/private", skip=1, **{name: 1}) == private[1:2]


@pytest.mark.parametrize(
    "query", ["private?select=0", "private?limit=1001", "public?select=x", "public?skip=-1"]
)
def test_a_page_out_of_range_is_refused(sandbox: SandboxClient, query: str) -> None:
    reply = sandbox.get(f"{BOOKS}/{query}")
    assert reply.status_code == 400
    assert reply.json()["message"].endswith(" ERROR_PARAMETER_INVALID")


def test_a_contact_has_the_address_books_that_it_is_in(sandbox: SandboxClient) -> None:
    first, second = sandbox.create_list("First"), sandbox.create_list("Second")
    sandbox.load(person("elsewhere@example.com", lists=[sandbox.create_list("Elsewhere")]))
    created = sandbox.load(person("member@example.com", lists=[second, first]))["created"]
    path = f"/v2/contacts/{created[0]['contactId']}/address-books"
    assert names(sandbox, path) == ["First", "Second"]
    assert sandbox.get(path).json()[0] == sandbox.get(f"{BOOKS}/{first}").json()
    assert names(sandbox, path, select=1, skip=1) == ["Second"]
    assert sandbox.get(path, select=0).status_code == 400


def test_a_contact_that_is_not_there_has_no_address_books(sandbox: SandboxClient) -> None:
    reply = sandbox.get("/v2/contacts/1/address-books")
    assert reply.status_code == 404
    assert reply.json()["message"].endswith(" ERROR_CONTACT_NOT_FOUND")
    assert sandbox.get("/v2/contacts/x/address-books").status_code == 400


def test_contacts_are_counted(sandbox: SandboxClient) -> None:
    before = sandbox.get("/v2/contacts/count").json()
    sandbox.load(*people(3, "counted"))
    sandbox.call("DELETE", "/contacts/v3/email/counted0%40example.com")
    assert sandbox.get("/v2/contacts/count").json() == before + 2


def test_all_members_leave_an_address_book_and_stay_in_the_account(sandbox: SandboxClient) -> None:
    emptied, other = sandbox.create_list("Emptied"), sandbox.create_list("Untouched")
    sandbox.load(*people(7_000, "leaving", lists=[emptied, other]))
    assert sandbox.call("DELETE", f"{BOOKS}/{emptied}/contacts").status_code == 204
    assert sandbox.get(f"{BOOKS}/{emptied}").json()["contacts"] == 0
    assert sandbox.members(emptied) == []
    assert len(sandbox.members(other)) == 7_000
    assert sandbox.call("DELETE", f"{BOOKS}/{emptied}/contacts").status_code == 204


@pytest.mark.parametrize(
    ("list_id", "status", "code"),
    [
        ("7", 404, "ERROR_ADDRESSBOOK_NOT_FOUND"),
        ("1000001", 400, "ERROR_ADDRESSBOOK_NOTWRITABLE"),
        ("x", 400, "ERROR_PARAMETER_INVALID"),
    ],
)
def test_who_cannot_leave_stays(
    sandbox: SandboxClient, list_id: str, status: int, code: str
) -> None:
    reply = sandbox.call("DELETE", f"{BOOKS}/{list_id}/contacts")
    assert reply.status_code == status
    assert reply.json()["message"].endswith(f" {code}")
