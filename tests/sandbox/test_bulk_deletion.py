"""Contacts that are deleted from the account, many with one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from tests.support.sandbox.client import SandboxClient, people, person

if TYPE_CHECKING:
    from pathlib import Path

    import requests

PATH = "/contacts/v3/delete"
RUNNING = ("NotStarted", "NotFinished")


def start(sandbox: SandboxClient, *entries: object) -> str:
    reply = sandbox.call("POST", PATH, json=list(entries))
    assert reply.status_code == 202, reply.text
    delete_id: str = reply.json()["deleteId"]
    return delete_id


def delete(sandbox: SandboxClient, *entries: object) -> dict[str, Any]:
    return sandbox.poll(f"{PATH}/{start(sandbox, *entries)}", *RUNNING)


def error_of(reply: requests.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["errorCode"]


def test_contacts_are_deleted_by_any_of_their_identifiers(sandbox: SandboxClient) -> None:
    list_id = sandbox.create_list("Deleted from")
    by_mobile = {"mobileNumber": "447555000666", "email": "deleted2@example.com"}
    created = sandbox.load(
        person("deleted0@example.com", lists=[list_id]),
        person("deleted1@example.com", lists=[list_id]),
        {"matchIdentifier": "email", "identifiers": by_mobile},
        {"matchIdentifier": "key", "identifiers": {"key": "K", "email": "deleted3@example.com"}},
        person("undeleted@example.com", lists=[list_id]),
    )["created"]
    entries = [
        {"contactId": created[0]["contactId"]},
        {"email": "DELETED1@example.com"},
        {"mobileNumber": "+447555000666"},
        {"key": "K"},
    ]
    report = delete(sandbox, *entries)
    assert report["status"] == "Finished"
    assert report["deleted"] == entries
    assert report["failures"] == []
    assert report["summary"] == {
        "requestedContacts": 4,
        "deletedContacts": 4,
        "unknownContacts": 0,
        "invalidEntries": 0,
    }
    for number in range(4):
        reply = sandbox.get(f"/contacts/v3/email/deleted{number}%40example.com")
        assert reply.status_code == 404
    assert sandbox.get("/contacts/v3/key/K").status_code == 404
    freed = {"key": "K", "mobileNumber": "447555000666", "email": "deleted9@example.com"}
    again = sandbox.load({"matchIdentifier": "email", "identifiers": freed})
    assert [one["identifiers"] for one in again["created"]] == [freed]
    (member,) = sandbox.members(list_id)
    assert member["identifiers"] == {"email": "undeleted@example.com"}
    assert sandbox.get(f"/v2/address-books/{list_id}").json()["contacts"] == 1


def test_what_cannot_be_deleted_is_told_with_its_reason(sandbox: SandboxClient) -> None:
    sandbox.load(person("doubled@example.com"))
    report = delete(
        sandbox,
        {"email": "doubled@example.com"},
        {"email": "a@b@c"},
        {"contactId": 1},
        {"email": "doubled@example.com"},
        {"contactId": "1"},
    )
    told = [
        (one["identifier"], [failure["failureCode"] for failure in one["failures"]])
        for one in report["failures"]
    ]
    assert told == [
        ({"email": "a@b@c"}, ["invalidEmail"]),
        ({"contactId": 1}, ["contactNotFound"]),
        ({"email": "doubled@example.com"}, ["contactNotFound"]),
        ({"contactId": "1"}, ["invalidContactId"]),
    ]
    assert report["summary"] == {
        "requestedContacts": 5,
        "deletedContacts": 1,
        "unknownContacts": 2,
        "invalidEntries": 2,
    }


def test_5_000_contacts_are_deleted_with_one_call_and_5_001_are_not(
    sandbox: SandboxClient,
) -> None:
    emails = [{"email": one["identifiers"]["email"]} for one in people(5_001, "crowd")]
    sandbox.load(*people(5_001, "crowd"))
    refused = sandbox.call("POST", PATH, json=emails)
    assert error_of(refused) == (400, "contacts:badRequest")
    assert delete(sandbox, *emails[:5_000])["summary"]["deletedContacts"] == 5_000
    assert sandbox.contact("crowd5000@example.com")["status"] == "subscribed"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], "contacts:noContactsSpecified"),
        ([{}], "contacts:badRequest"),
        ([{"email": "a@example.com", "contactId": 5}], "contacts:badRequest"),
        ([{"a name": "x"}], "contacts:badRequest"),
        ([{"email": 5}], "server:badRequest"),
        (["a@example.com"], "server:badRequest"),
        ({"email": "a@example.com"}, "server:badRequest"),
    ],
)
def test_what_is_no_array_of_identifiers_is_refused(
    sandbox: SandboxClient, body: object, code: str
) -> None:
    assert error_of(sandbox.call("POST", PATH, json=body)) == (400, code)


def test_a_body_that_is_no_json_is_refused(sandbox: SandboxClient) -> None:
    assert error_of(sandbox.call("POST", PATH, data=b"[")) == (400, "contacts:badJson")


def test_a_deletion_that_is_unknown_has_no_status(sandbox: SandboxClient) -> None:
    unknown = "d7de900d-d337-43f6-b1e1-c8ec73e1a434"
    assert error_of(sandbox.get(f"{PATH}/{unknown}")) == (404, "contacts:importNotFound")
    assert error_of(sandbox.get(f"{PATH}/123646")) == (400, "contacts:invalidDeleteId")


def test_deletions_wait_on_disk_at_most_25_of_them(database: Path) -> None:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        client.load(*people(25, "waiting"))
    entries = [{"email": one["identifiers"]["email"]} for one in people(26, "waiting")]
    waiting = Options(database, slots=0)
    with SandboxServer(waiting) as server, SandboxClient(server.url) as client:
        jobs = [start(client, entry) for entry in entries[:25]]
        assert client.get(f"{PATH}/{jobs[0]}").json() == {
            "deleteId": jobs[0],
            "status": "NotStarted",
        }
        reply = client.call("POST", PATH, json=entries[25:])
        assert error_of(reply) == (429, "contacts:tooManyBulkDeleteJobs")
        assert client.contact("waiting0@example.com")["status"] == "subscribed"
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        for job in jobs:
            assert client.poll(f"{PATH}/{job}", *RUNNING)["summary"]["deletedContacts"] == 1
        assert client.get("/contacts/v3").json()["_items"] == []
        assert start(client, entries[25])
