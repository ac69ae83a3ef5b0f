"""Deleted contacts that come again are who they were."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from tests.sandbox.conftest import LIST_ID
from tests.support.sandbox.client import CONSENT, SandboxClient, failure_codes, people, person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATH = "/contacts/v3"
MOBILE = "447555000111"


@pytest.fixture
def client(database: Path) -> Iterator[SandboxClient]:
    options = options_of(database)
    with SandboxServer(options) as server, SandboxClient(server.url) as running:
        yield running


def named(match: str, **identifiers: object) -> dict[str, Any]:
    return {"matchIdentifier": match, "identifiers": identifiers}


def delete(client: SandboxClient, email: str) -> int:
    contact_id: int = client.contact(email)["contactId"]
    reply = client.call("DELETE", f"{PATH}/contactId/{contact_id}")
    assert reply.status_code == 200
    return contact_id


def rename(client: SandboxClient, before: str, after: str) -> None:
    body = {"identifiers": {"email": after}}
    reply = client.call("PATCH", f"{PATH}/email/{quote(before)}", json=body)
    assert reply.status_code == 200, reply.text


def options_of(database: Path) -> Options:
    return Options(database, address_books=[LIST_ID], preferences=[7], custom_identifiers=["key"])


def deleted_ann(client: SandboxClient) -> dict[str, Any]:
    """Delete somebody with everything that a contact can have, and return who that was."""
    client.load(
        {
            **named("email", email="ann@example.com", mobileNumber=MOBILE, key="K"),
            "dataFields": {"FIRSTNAME": "Ann", "LASTNAME": "Lee"},
            "channelProperties": {"email": {"status": "unsubscribed"}},
            "lists": [LIST_ID],
            "preferences": [{"id": 7, "isOptedIn": True}],
            "consentRecords": [CONSENT],
        }
    )
    contact = client.contact("ann@example.com")
    delete(client, "ann@example.com")
    return contact


def count(client: SandboxClient) -> int:
    """Return how many contacts the account says that it has."""
    books = {book["name"]: book["contacts"] for book in client.get("/v2/address-books").json()}
    return int(books["All Contacts"])


def test_a_deleted_contact_is_nowhere(client: SandboxClient) -> None:
    ann = deleted_ann(client)
    for one in (f"contactId/{ann['contactId']}", "email/ann@example.com", f"mobileNumber/{MOBILE}"):
        assert client.get(f"{PATH}/{one}").status_code == 404
        assert client.call("DELETE", f"{PATH}/{one}").status_code == 404
        body = {"identifiers": {"email": "ann@example.com"}}
        assert client.call("PUT", f"{PATH}/{one}", json=body).status_code == 404
    assert client.get(PATH).json()["_items"] == []
    assert client.get("/v2/address-books/1000001/contacts").json() == []
    assert client.get("/sandbox/page/contacts").json()["items"] == []
    assert client.members(LIST_ID) == []
    assert count(client) == 0


@pytest.mark.parametrize(
    "sent",
    [
        named("email", email="Ann@Example.com"),
        named("mobileNumber", mobileNumber=f"+{MOBILE}"),
        named("key", key="K"),
        named("contactId"),
    ],
    ids=lambda sent: str(sent["matchIdentifier"]),
)
def test_an_import_brings_a_contact_back(client: SandboxClient, sent: dict[str, Any]) -> None:
    ann = deleted_ann(client)
    if sent["matchIdentifier"] == "contactId":
        sent["identifiers"]["contactId"] = ann["contactId"]
    report = client.load({**sent, "dataFields": {"FIRSTNAME": "Anna"}}, person("bob@example.com"))
    summary = report["summary"]
    assert (summary["newContacts"], summary["updatedContacts"]) == (1, 1)
    (updated,) = report["updated"]
    assert updated == {"contactId": ann["contactId"], "identifiers": ann["identifiers"]}
    again = client.contact(ann["contactId"], "contactId")
    assert again["updated"] > ann["updated"]
    assert again == {
        **ann,
        "updated": again["updated"],
        "dataFields": {"FIRSTNAME": "Anna", "LASTNAME": "Lee"},
        "lists": [],
    }
    for one in ("email/ann@example.com", f"mobileNumber/{MOBILE}", "key/K"):
        assert client.get(f"{PATH}/{one}").json()["contactId"] == ann["contactId"]
    listed = {one["contactId"]: one["created"] for one in client.get(PATH).json()["_items"]}
    assert listed[ann["contactId"]] == ann["created"]
    assert count(client) == 2


def test_a_contact_that_is_back_joins_lists_and_counts_as_any(client: SandboxClient) -> None:
    ann = deleted_ann(client)
    client.load(person("ann@example.com", lists=[LIST_ID]))
    assert [one["contactId"] for one in client.members(LIST_ID)] == [ann["contactId"]]
    report = client.load(person("ann@example.com", dataFields={"GENDER": "f"}))
    assert report["summary"]["updatedContacts"] == 1
    assert count(client) == 1
    assert delete(client, "ann@example.com") == ann["contactId"]
    assert (count(client), client.members(LIST_ID)) == (0, [])


@pytest.mark.parametrize("path", ["email/ann@example.com", f"mobileNumber/{MOBILE}", "key/K"])
def test_a_patch_brings_a_contact_back(client: SandboxClient, path: str) -> None:
    ann = deleted_ann(client)
    body = {"identifiers": {"email": "new@example.com"}, "dataFields": {"LASTNAME": None}}
    reply = client.call("PATCH", f"{PATH}/{path}", json=body)
    again = reply.json()
    assert (reply.status_code, again["contactId"]) == (200, ann["contactId"])
    assert again["dataFields"] == {"FIRSTNAME": "Ann"}
    assert again["identifiers"] == {**ann["identifiers"], "email": "new@example.com"}
    assert again["created"] == ann["created"]
    assert client.get(f"{PATH}/email/ann@example.com").status_code == 404


@pytest.mark.parametrize(
    ("after", "is_new"), [("unsubscribed", False), ("suppressed", True), ("subscribed", None)]
)
def test_whoever_opts_out_again_while_coming_back_did_so_then(
    client: SandboxClient, after: str, *, is_new: bool | None
) -> None:
    deleted_ann(client)
    before = client.get("/v2/server-time").text.replace("+00:00", "Z")
    channel = {"channelProperties": {"email": {"status": after}}}
    client.load({**named("email", email="ann@example.com"), **channel})
    found = client.get("/v2/contacts/suppressed-since/2020-01-01").json()
    assert [one["suppressedContact"]["status"].lower() for one in found] == [after] * len(found)
    assert len(found) == (is_new is not None)
    assert len(client.get(f"/v2/contacts/suppressed-since/{before}").json()) == bool(is_new)
    # Nothing of the first time is left when somebody opts out by coming back once more.
    delete(client, "ann@example.com")
    before = client.get("/v2/server-time").text.replace("+00:00", "Z")
    status = "suppressed" if after == "unsubscribed" else "unsubscribed"
    channel = {"channelProperties": {"email": {"status": status}}}
    client.load({**named("email", email="ann@example.com"), **channel})
    assert len(client.get(f"/v2/contacts/suppressed-since/{before}").json()) == 1


def test_a_patch_brings_a_contact_back_by_the_address_that_it_sends(client: SandboxClient) -> None:
    ann = deleted_ann(client)
    body = {"identifiers": {"email": "ann@example.com"}}
    reply = client.call("PATCH", f"{PATH}/email/new@example.com", json=body)
    assert (reply.status_code, reply.json()["contactId"]) == (200, ann["contactId"])


def test_a_create_brings_a_contact_back(client: SandboxClient) -> None:
    ann = deleted_ann(client)
    body = {"identifiers": {"email": "ann@example.com"}}
    reply = client.call("POST", PATH, json=body)
    assert (reply.status_code, reply.json()["contactId"]) == (201, ann["contactId"])
    assert reply.json()["dataFields"] == ann["dataFields"]
    assert client.call("POST", PATH, json=body).status_code == 409


def test_bulk_deletion_fills_the_bin_as_well(client: SandboxClient) -> None:
    before = client.load(*people(3, "p"))["created"]
    entries = [{"contactId": one["contactId"]} for one in before]
    job = client.call("POST", f"{PATH}/delete", json=entries).json()["deleteId"]
    client.poll(f"{PATH}/delete/{job}", "NotStarted", "NotFinished")
    assert client.load(*people(3, "p"))["updated"] == before


def test_a_contact_that_fails_stays_deleted_and_is_not_named_by_its_id(
    client: SandboxClient,
) -> None:
    deleted_ann(client)
    report = client.load(person("ann@example.com", dataFields={"NO_SUCH_FIELD": 1}))
    assert failure_codes(report) == ["apiSchemaViolation"]
    assert "contactId" not in report["failures"][0]
    assert client.get(f"{PATH}/email/ann@example.com").status_code == 404
    assert count(client) == 0


def test_a_suppressed_contact_is_back_only_when_it_is_off_the_list(client: SandboxClient) -> None:
    ann = deleted_ann(client)
    client.call("POST", "/sandbox/suppressions", json={"value": "ann@example.com"})
    for sent in (person("ann@example.com"), named("key", key="K")):
        assert failure_codes(client.load(sent)) == ["globallySuppressed"]
    client.call("DELETE", "/sandbox/suppressions/ann@example.com")
    assert client.load(named("key", key="K"))["updated"][0]["contactId"] == ann["contactId"]


def test_a_contact_that_is_deleted_twice_comes_back_twice(client: SandboxClient) -> None:
    ann = deleted_ann(client)
    for name in ("Anna", "Annie"):
        report = client.load(person("ann@example.com", dataFields={"FIRSTNAME": name}))
        assert report["updated"][0]["contactId"] == ann["contactId"]
        assert delete(client, "ann@example.com") == ann["contactId"]
    client.load(person("ann@example.com"))
    assert client.fields("ann@example.com") == {"FIRSTNAME": "Annie", "LASTNAME": "Lee"}


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_of_two_with_one_address_the_one_that_was_deleted_last_comes_back(
    client: SandboxClient, order: tuple[str, str]
) -> None:
    ids = {}
    client.load(*(person(f"{name}@example.com") for name in order))
    for name in order:
        rename(client, f"{name}@example.com", "both@example.com")
        ids[name] = delete(client, "both@example.com")
    report = client.load(person("both@example.com"))
    assert report["updated"][0]["contactId"] == ids[order[1]]
    # The other one has lost its address to it, and nothing else to be found by.
    other = named("contactId", contactId=ids[order[0]])
    assert failure_codes(client.load(other)) == ["noValidIdentifiers"]
    report = client.load({**other, "identifiers": {**other["identifiers"], "email": "c@c.org"}})
    (updated,) = report["updated"]
    assert updated == {"contactId": ids[order[0]], "identifiers": {"email": "c@c.org"}}


def test_what_others_have_got_since_does_not_come_back(client: SandboxClient) -> None:
    ann = deleted_ann(client)
    client.load(named("email", email="bob@example.com", mobileNumber=MOBILE, key="K"))
    report = client.load(person("ann@example.com"))
    (updated,) = report["updated"]
    assert updated == {
        "contactId": ann["contactId"],
        "identifiers": {"email": "ann@example.com"},
    }
    assert client.contact(MOBILE, "mobileNumber")["identifiers"]["email"] == "bob@example.com"
    assert client.contact("K", "key")["identifiers"]["email"] == "bob@example.com"


def test_a_contact_is_not_taken_for_another_that_is_deleted(client: SandboxClient) -> None:
    """Only the match identifier tells who it is, as it does among contacts that are there."""
    ann = deleted_ann(client)
    report = client.load(named("email", email="new@example.com", mobileNumber=MOBILE))
    assert report["created"][0]["contactId"] > ann["contactId"]
    assert client.fields("new@example.com") == {}


def test_a_second_entry_for_a_contact_that_came_back_is_a_duplicate(client: SandboxClient) -> None:
    ann = deleted_ann(client)
    report = client.load(
        person("ann@example.com"), named("key", key="K"), *people(1_500, "p"), named("key", key="K")
    )
    assert failure_codes(report) == ["duplicateIdentifier"] * 2
    assert [one["contactId"] for one in report["failures"]] == [ann["contactId"]] * 2


def test_a_contact_that_is_deleted_while_its_import_waits_comes_back(database: Path) -> None:
    with SandboxServer(Options(database, slots=0)) as server, SandboxClient(server.url) as client:
        known = client.call("POST", PATH, json={"identifiers": {"email": "p5@example.com"}}).json()
        job = client.start_import(people(10, "p"))
        assert delete(client, "p5@example.com") == known["contactId"]
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        report = client.finish(job)
        assert [one["contactId"] for one in report["updated"]] == [known["contactId"]]
        assert len(report["created"]) == 9
        assert count(client) == 10


def test_a_contact_that_is_deleted_while_its_import_runs_is_a_duplicate_still(
    database: Path,
) -> None:
    options = Options(database, slots=1, pace=2, custom_identifiers=["key"])
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        import_id = client.start_import([person("p@example.com"), person("P@example.com")])
        client.wait_for(f"{PATH}/email/p@example.com")
        delete(client, "p@example.com")
        assert failure_codes(client.finish(import_id)) == ["duplicateIdentifier"]
        assert client.get(f"{PATH}/email/p@example.com").status_code == 404


def test_an_identifier_that_was_deleted_meanwhile_does_not_come_back(client: SandboxClient) -> None:
    ann = deleted_ann(client)
    path = "/configuration/v3/customIdentifiers"
    assert client.call("DELETE", f"{path}/key").status_code == 204
    assert client.call("POST", path, json={"name": "key"}).status_code == 201
    assert client.call("PATCH", f"{PATH}/key/K", json={}).status_code == 400
    client.load(person("ann@example.com"))
    back = client.contact("ann@example.com")
    assert back["contactId"] == ann["contactId"]
    assert set(back["identifiers"]) == {"email", "mobileNumber"}


def test_a_field_that_was_deleted_meanwhile_does_not_come_back(client: SandboxClient) -> None:
    client.create_field("SCORE", "Numeric")
    client.load(person("ann@example.com", dataFields={"SCORE": 5, "FIRSTNAME": "Ann"}))
    delete(client, "ann@example.com")
    client.call("DELETE", "/v2/data-fields/SCORE")
    client.create_field("SCORE", "Boolean")
    client.load(person("ann@example.com"))
    assert client.fields("ann@example.com") == {"FIRSTNAME": "Ann"}


@pytest.mark.parametrize(("days", "comes_back"), [(29, True), (31, False)])
def test_the_bin_keeps_contacts_for_30_days(database: Path, days: int, *, comes_back: bool) -> None:
    options = options_of(database)
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        ann = deleted_ann(client)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "UPDATE deleted_contact SET deleted = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?)",
            (f"-{days} days",),
        )
        connection.commit()
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        again = client.call("PATCH", f"{PATH}/email/ann@example.com", json={}).json()
        assert (again["contactId"] == ann["contactId"]) is comes_back
        assert again["consentRecords"] == (ann["consentRecords"] if comes_back else [])
        # With the next deletion, what is too old is gone from the file as well.
        delete(client, "ann@example.com")
    with contextlib.closing(sqlite3.connect(database)) as connection:
        left = connection.execute("SELECT id FROM deleted_contact").fetchall()
        assert left == [(again["contactId"],)]
        owners = connection.execute(
            "SELECT contact_id FROM deleted_identifier UNION SELECT contact_id FROM consent_record "
            "UNION SELECT contact_id FROM preference"
        ).fetchall()
        assert owners == left


def test_a_reset_empties_the_bin(client: SandboxClient) -> None:
    ann = deleted_ann(client)
    assert client.call("POST", "/sandbox/reset", json={}).status_code == 204
    report = client.load(person("ann@example.com"))
    assert report["created"][0]["contactId"] > ann["contactId"]
