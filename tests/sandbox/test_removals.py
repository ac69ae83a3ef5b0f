"""Contacts that leave a list, by v2: they stay in the account, with the status they had."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from tests.support.sandbox.client import SandboxClient, people, person
from tests.support.sandbox.command import SandboxCommand

if TYPE_CHECKING:
    from pathlib import Path

    import requests

BOOKS = "/v2/address-books"
UNKNOWN = "d7de900d-d337-43f6-b1e1-c8ec73e1a434"


def fill(sandbox: SandboxClient, name: str, count: int = 4) -> tuple[int, list[int]]:
    """Create a list with members; return its ID and theirs."""
    list_id = sandbox.create_list(name)
    prefix = name.lower().replace(" ", "-")
    report = sandbox.load(*people(count, prefix, lists=[list_id]))
    return list_id, [one["contactId"] for one in report["created"]]


def remove(sandbox: SandboxClient, list_id: int, contact_ids: object) -> requests.Response:
    return sandbox.call("POST", f"{BOOKS}/{list_id}/contacts/delete", json=contact_ids)


def finish(sandbox: SandboxClient, reply: requests.Response) -> str:
    assert reply.status_code == 202, reply.text
    accepted = reply.json()
    assert accepted["status"] == "Started"
    over = sandbox.poll(f"/v2/contacts/deletion/{accepted['id']}", "Started")
    assert over["id"] == accepted["id"]
    status: str = over["status"]
    return status


def members(sandbox: SandboxClient, list_id: int) -> list[int]:
    """Return the IDs of the members, after checking that they are as many as the list says."""
    found = [one["contactId"] for one in sandbox.members(list_id)]
    assert sandbox.get(f"{BOOKS}/{list_id}").json()["contacts"] == len(found)
    return found


def code_of(reply: requests.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["message"].rpartition(" ")[2]


def test_those_who_are_named_leave_and_nobody_else(sandbox: SandboxClient) -> None:
    list_id, ids = fill(sandbox, "Some leave")
    outsider = sandbox.load(person("outsider@example.com"))["created"][0]["contactId"]
    assert finish(sandbox, remove(sandbox, list_id, [ids[0], ids[2], outsider, 1, -5])) == (
        "Completed"
    )
    assert members(sandbox, list_id) == [ids[1], ids[3]]


def test_who_leaves_a_list_stays_as_he_was(sandbox: SandboxClient) -> None:
    other = sandbox.create_list("Kept")
    list_id = sandbox.create_list("Left")
    known = person("leaver@example.com", dataFields={"FIRSTNAME": "Ada"}, lists=[other])
    sandbox.load(known)
    before = sandbox.contact("leaver@example.com")
    sandbox.load(person("leaver@example.com", lists=[list_id]))
    finish(sandbox, remove(sandbox, list_id, [before["contactId"]]))
    after = sandbox.contact("leaver@example.com")
    assert before | {"updated": ""} == after | {"updated": ""}
    assert after["status"] == "subscribed"


def test_one_contact_leaves_at_once(sandbox: SandboxClient) -> None:
    list_id, ids = fill(sandbox, "One leaves")
    for _ in range(2):
        reply = sandbox.call("DELETE", f"{BOOKS}/{list_id}/contacts/{ids[1]}")
        assert (reply.status_code, reply.content) == (204, b"")
    assert members(sandbox, list_id) == [ids[0], *ids[2:]]


def test_everyone_leaves(sandbox: SandboxClient) -> None:
    other, stayed = fill(sandbox, "All stay")
    list_id, _ = fill(sandbox, "All leave", 5_001)
    reply = sandbox.call("POST", f"{BOOKS}/{list_id}/contacts/delete-all")
    assert finish(sandbox, reply) == "Completed"
    assert members(sandbox, list_id) == []
    assert members(sandbox, other) == stayed


def test_who_left_may_join_again(sandbox: SandboxClient) -> None:
    list_id, ids = fill(sandbox, "Rejoined", 1)
    finish(sandbox, remove(sandbox, list_id, ids))
    sandbox.load(person("rejoined0@example.com", lists=[list_id]))
    assert members(sandbox, list_id) == ids


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], "ERROR_CONTACTS_ARE_NOT_SPECIFIED"),
        (["a@example.com"], "ERROR_PARAMETER_INVALID"),
        ([2**31], "ERROR_PARAMETER_INVALID"),
        ([1.5], "ERROR_PARAMETER_INVALID"),
        ({"contactIds": [1]}, "ERROR_PARAMETER_INVALID"),
        (None, "ERROR_MALFORMED_REQUEST"),
    ],
)
def test_what_is_no_array_of_contact_ids_is_refused(
    sandbox: SandboxClient, body: object, code: str
) -> None:
    list_id = sandbox.create_list(f"Refusing {body}")
    assert code_of(remove(sandbox, list_id, body)) == (400, code)


@pytest.mark.parametrize("name", ["All Contacts", "Test"])
def test_nobody_leaves_the_two_standard_lists(sandbox: SandboxClient, name: str) -> None:
    books = {book["name"]: book["id"] for book in sandbox.get(BOOKS).json()}
    path = f"{BOOKS}/{books[name]}/contacts"
    for reply in (
        remove(sandbox, books[name], [1]),
        sandbox.call("POST", f"{path}/delete-all"),
        sandbox.call("DELETE", f"{path}/1"),
    ):
        assert code_of(reply) == (400, "ERROR_ADDRESSBOOK_NOTWRITABLE")


def test_what_does_not_exist_is_answered_404(sandbox: SandboxClient) -> None:
    list_id = sandbox.create_list("Without the contact")
    for reply in (
        remove(sandbox, 987_654, [1]),
        sandbox.call("POST", f"{BOOKS}/987654/contacts/delete-all"),
        sandbox.call("DELETE", f"{BOOKS}/987654/contacts/1"),
        sandbox.get(f"{BOOKS}/987654/contacts"),
    ):
        assert code_of(reply) == (404, "ERROR_ADDRESSBOOK_NOT_FOUND")
    reply = sandbox.call("DELETE", f"{BOOKS}/{list_id}/contacts/1")
    assert code_of(reply) == (404, "ERROR_CONTACT_NOT_FOUND")
    unknown = sandbox.get(f"/v2/contacts/deletion/{UNKNOWN}")
    assert code_of(unknown) == (404, "ERROR_PARAMETER_INVALID")
    assert code_of(sandbox.get("/v2/contacts/deletion/1")) == (400, "ERROR_PARAMETER_INVALID")


def removals_of(client: SandboxClient, some: int, every: int, ids: list[int]) -> list[str]:
    replies = [
        remove(client, some, ids),
        client.call("POST", f"{BOOKS}/{every}/contacts/delete-all"),
    ]
    return [reply.json()["id"] for reply in replies]


def test_removals_that_wait_are_done_after_a_restart(database: Path) -> None:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        some, ids = fill(client, "Some")
        every, _ = fill(client, "Every")
    waiting = Options(database, slots=0)
    with SandboxServer(waiting) as server, SandboxClient(server.url) as client:
        jobs = removals_of(client, some, every, ids[:3])
        statuses = [client.get(f"/v2/contacts/deletion/{job}").json()["status"] for job in jobs]
        assert statuses == ["Started", "Started"]
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        for job in jobs:
            assert client.poll(f"/v2/contacts/deletion/{job}", "Started")["status"] == "Completed"
        assert (members(client, some), members(client, every)) == (ids[3:], [])


def test_removals_that_are_killed_are_done_after_a_restart(database: Path) -> None:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        some, ids = fill(client, "Some", 12_000)
        every, _ = fill(client, "Every", 12_000)
    with SandboxCommand(database) as command, SandboxClient(command.url) as client:
        jobs = removals_of(client, some, every, ids[1:])
        command.end(signal.SIGKILL)
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        for job in jobs:
            assert client.poll(f"/v2/contacts/deletion/{job}", "Started")["status"] == "Completed"
        assert (members(client, some), members(client, every)) == (ids[:1], [])


def emails(page: list[dict[str, Any]]) -> list[str]:
    return [one["email"] for one in page]


def test_the_contacts_of_a_list_come_in_pages(sandbox: SandboxClient) -> None:
    list_id, ids = fill(sandbox, "Paged", 5)
    path = f"{BOOKS}/{list_id}/contacts"
    everyone = sandbox.get(path).json()
    assert [one["id"] for one in everyone] == ids
    paged: list[dict[str, Any]] = []
    while page := sandbox.get(path, select=2, skip=len(paged)).json():
        assert len(page) <= 2
        paged += page
    assert paged == everyone
    assert everyone[0] == {
        "id": ids[0],
        "email": "paged0@example.com",
        "optInType": "Unknown",
        "emailType": "Html",
        "dataFields": None,
        "status": "Subscribed",
    }


def test_full_data_is_a_list_of_keys_and_values(sandbox: SandboxClient) -> None:
    list_id = sandbox.create_list("Full data")
    fields = {"FIRSTNAME": "Ada", "GENDER": ""}
    status = {"email": {"status": "unsubscribed", "optInType": "single"}}
    sandbox.load(
        person("full@example.com", lists=[list_id], dataFields=fields, channelProperties=status),
        {
            "matchIdentifier": "mobileNumber",
            "identifiers": {"mobileNumber": "447555000555"},
            "lists": [list_id],
        },
    )
    (found,) = sandbox.get(f"{BOOKS}/{list_id}/contacts", withFullData="true").json()
    assert (found["status"], found["optInType"]) == ("Unsubscribed", "Single")
    assert {one["key"]: one["value"] for one in found["dataFields"]} == fields


def test_everyone_is_a_contact_of_all_contacts(sandbox: SandboxClient) -> None:
    sandbox.load(person("everyone@example.com"))
    books = {book["name"]: book["id"] for book in sandbox.get(BOOKS).json()}
    path = f"{BOOKS}/{books['All Contacts']}/contacts"
    found: list[str] = []
    while page := sandbox.get(path, skip=len(found)).json():
        found += emails(page)
    assert "everyone@example.com" in found


@pytest.mark.parametrize("parameters", ["select=0", "select=1001", "skip=-1", "withFullData=2"])
def test_a_page_out_of_range_is_refused(sandbox: SandboxClient, parameters: str) -> None:
    list_id = sandbox.create_list(f"Out of range {parameters}")
    reply = sandbox.get(f"{BOOKS}/{list_id}/contacts?{parameters}")
    assert code_of(reply) == (400, "ERROR_PARAMETER_INVALID")
