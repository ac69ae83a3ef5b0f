"""Contacts that are created, changed, replaced and deleted one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.sandbox.conftest import LIST_ID
from tests.support.sandbox.client import CONSENT, SandboxClient, person

if TYPE_CHECKING:
    import requests

PATH = "/contacts/v3"


def create(sandbox: SandboxClient, email: str | None = None, **parts: Any) -> requests.Response:
    body = {"identifiers": {} if email is None else {"email": email}} | parts
    return sandbox.call("POST", PATH, json=body)


def change(
    sandbox: SandboxClient, email: str, method: str = "PATCH", query: str = "", **body: Any
) -> requests.Response:
    return sandbox.call(method, f"{PATH}/email/{quote(email, safe='')}{query}", json=body)


def error_of(reply: requests.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["errorCode"]


def test_a_contact_is_created_with_everything_that_is_sent(sandbox: SandboxClient) -> None:
    reply = create(
        sandbox,
        "Created@Example.com",
        dataFields={"FIRSTNAME": "Ada"},
        channelProperties={"email": {"emailType": "plainText", "optInType": "single"}},
        lists=[LIST_ID],
        preferences=[{"id": 7, "isOptedIn": True}],
        consentRecords=[CONSENT],
    )
    created = reply.json()
    assert reply.status_code == 201
    assert created == sandbox.contact("created@example.com")
    assert created["identifiers"] == {"email": "created@example.com"}
    assert (created["status"], created["dataFields"]) == ("subscribed", {"FIRSTNAME": "Ada"})
    assert [one["id"] for one in created["lists"]] == [LIST_ID]
    assert [(one["id"], one["isOptedIn"]) for one in created["preferences"]] == [(7, True)]
    assert created["channelProperties"]["email"]["optInType"] == "Single"
    assert created["consentRecords"][0].items() >= CONSENT.items()


def test_a_contact_that_exists_is_not_created_again(sandbox: SandboxClient) -> None:
    create(sandbox, "once@example.com", dataFields={"FIRSTNAME": "Ada"})
    reply = create(sandbox, "ONCE@example.com", dataFields={"FIRSTNAME": "Grace"})
    assert error_of(reply) == (409, "contacts:identifierConflict")
    assert sandbox.fields("once@example.com") == {"FIRSTNAME": "Ada"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "contacts:badRequest"),
        ({"identifiers": {}}, "contacts:badRequest"),
        ({"identifiers": {"key": "1"}}, "contacts:badRequest"),
        ({"identifiers": {"email": "a@b@c"}}, "contacts:invalidId"),
        ({"identifiers": {"mobileNumber": "12"}}, "contacts:invalidId"),
        ({"identifiers": {"contactId": 5, "email": "c@example.com"}}, "contacts:badRequest"),
        ({"identifiers": {"email": 5}}, "server:badRequest"),
        ({"identifiers": {"email": "l@example.com"}, "lists": [987_654]}, "contacts:badRequest"),
        ({"identifiers": {"email": "f@example.com"}, "dataFields": []}, "server:badRequest"),
        (
            {"identifiers": {"email": "r@example.com"}, "consentRecords": [CONSENT | {"url": ""}]},
            "contacts:badRequest",
        ),
        (
            {"identifiers": {"email": "p@example.com"}, "preferences": [{"id": 1}]},
            "contacts:badRequest",
        ),
    ],
)
def test_a_contact_that_is_none_is_refused_and_not_written(
    sandbox: SandboxClient, body: dict[str, Any], code: str
) -> None:
    assert error_of(sandbox.call("POST", PATH, json=body)) == (400, code)
    email = body.get("identifiers", {}).get("email", "")
    assert sandbox.get(f"{PATH}/email/{email}").status_code in {400, 404}


def test_a_patch_creates_a_contact_and_updates_it_after_that(sandbox: SandboxClient) -> None:
    first = change(sandbox, "patched@example.com", dataFields={"FIRSTNAME": "Ada", "GENDER": "f"})
    again = change(sandbox, "PATCHED@example.com", dataFields={"FIRSTNAME": "Grace"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["contactId"] == first.json()["contactId"]
    assert again.json()["dataFields"] == {"FIRSTNAME": "Grace", "GENDER": "f"}
    assert again.json() == sandbox.contact("patched@example.com")


@pytest.mark.parametrize(
    ("option", "merged"),
    [
        ("overwrite", {"FIRSTNAME": "Grace", "GENDER": "f"}),
        ("overwrite-if-not-empty", {"FIRSTNAME": "Grace", "LASTNAME": "Lovelace", "GENDER": "f"}),
        ("overwrite-if-empty", {"FIRSTNAME": "Ada", "LASTNAME": "Lovelace", "GENDER": "f"}),
    ],
)
def test_a_patch_takes_its_merge_option_in_kebab_case(
    sandbox: SandboxClient, option: str, merged: dict[str, str]
) -> None:
    email = f"{option}@example.com"
    create(sandbox, email, dataFields={"FIRSTNAME": "Ada", "LASTNAME": "Lovelace"})
    sent = {"FIRSTNAME": "Grace", "LASTNAME": None, "GENDER": "f"}
    reply = change(sandbox, email, query=f"?merge-option={option}", dataFields=sent)
    assert reply.json()["dataFields"] == merged


def test_a_merge_option_in_camel_case_is_refused(sandbox: SandboxClient) -> None:
    reply = change(sandbox, "camel@example.com", query="?merge-option=overwriteIfEmpty")
    assert error_of(reply) == (400, "contacts:badRequest")


def test_a_patch_gives_a_contact_another_address(sandbox: SandboxClient) -> None:
    known = create(sandbox, "old@example.com").json()["contactId"]
    reply = change(sandbox, "old@example.com", identifiers={"email": "new@example.com"})
    assert reply.json()["identifiers"] == {"email": "new@example.com"}
    assert sandbox.contact("new@example.com")["contactId"] == known
    assert sandbox.get(f"{PATH}/email/old%40example.com").status_code == 404


@pytest.mark.parametrize("email", ["owner1@example.com", "nobody1@example.com"])
@pytest.mark.parametrize(
    "taken", [{"mobileNumber": "447555000222"}, {"email": "owner2@example.com"}, {"key": "K-2"}]
)
def test_a_patch_takes_no_identifier_of_another_contact(
    sandbox: SandboxClient, email: str, taken: dict[str, str]
) -> None:
    owned = {"email": "owner2@example.com", "mobileNumber": "447555000222", "key": "K-2"}
    sandbox.load(person("owner1@example.com"))
    sandbox.load({"matchIdentifier": "email", "identifiers": owned})
    reply = change(sandbox, email, identifiers=taken)
    assert error_of(reply) == (409, "contacts:identifierConflict")
    assert sandbox.contact("owner2@example.com")["identifiers"] == owned


def test_a_patch_does_not_change_the_contact_id(sandbox: SandboxClient) -> None:
    known = create(sandbox, "numbered@example.com").json()["contactId"]
    reply = change(sandbox, "numbered@example.com", identifiers={"contactId": known + 1})
    assert error_of(reply) == (400, "contacts:badRequest")
    by_id = sandbox.call("PATCH", f"{PATH}/contactId/{known}", json={"dataFields": {"GENDER": "f"}})
    assert (by_id.status_code, by_id.json()["contactId"]) == (200, known)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_suppressed_contact_is_changed_and_stays_suppressed(
    sandbox: SandboxClient, method: str
) -> None:
    email = f"barred-{method.lower()}@example.com"
    create(sandbox, email, channelProperties={"email": {"status": "suppressed"}})
    reply = change(sandbox, email, method, identifiers={"email": email}, dataFields={"GENDER": "f"})
    assert (reply.status_code, reply.json()["status"]) == (200, "suppressed")
    assert sandbox.fields(email) == {"GENDER": "f"}


@pytest.mark.parametrize(
    ("path", "identifiers", "status"),
    [
        ("key/K-unknown", {}, 400),
        ("contactId/354265", {}, 400),
        ("key/K-unknown", {"email": "by-key@example.com"}, 201),
        ("mobileNumber/447555000444", {}, 201),
        ("key/K-unknown-2", {"mobileNumber": "447555000555"}, 201),
    ],
)
def test_a_patch_of_somebody_unknown_needs_an_address_or_a_mobile_number(
    sandbox: SandboxClient, path: str, identifiers: dict[str, str], status: int
) -> None:
    body = {"identifiers": identifiers, "dataFields": {"GENDER": "f"}}
    reply = sandbox.call("PATCH", f"{PATH}/{path}", json=body)
    assert reply.status_code == status, reply.text
    known = sandbox.get(f"{PATH}/{path}").status_code
    assert known == (200 if status == 201 else 404)


def test_a_put_empties_what_is_not_sent(sandbox: SandboxClient) -> None:
    other_list = sandbox.create_list("Left by a put")
    full = {
        "identifiers": {"email": "put@example.com", "mobileNumber": "447555000333", "key": "K-3"},
        "dataFields": {"FIRSTNAME": "Ada", "LASTNAME": "Lovelace"},
        "channelProperties": {
            "email": {"emailType": "plainText", "status": "unsubscribed"},
            "sms": {"status": "subscribed"},
        },
        "lists": [LIST_ID, other_list],
        "preferences": [{"id": 1, "isOptedIn": True}],
        "consentRecords": [CONSENT],
    }
    before = sandbox.call("POST", PATH, json=full).json()
    reply = change(
        sandbox,
        "put@example.com",
        "PUT",
        identifiers={"email": "put@example.com"},
        dataFields={"LASTNAME": "King"},
        lists=[LIST_ID],
    )
    after = reply.json()
    assert (reply.status_code, after) == (200, sandbox.contact("put@example.com"))
    assert (after["contactId"], after["created"]) == (before["contactId"], before["created"])
    assert after["identifiers"] == {"email": "put@example.com"}
    assert after["dataFields"] == {"LASTNAME": "King"}
    assert [one["id"] for one in after["lists"]] == [LIST_ID]
    assert after["channelProperties"] == {
        "email": {"emailType": "Html", "optInType": "Unknown", "status": "unsubscribed"}
    }
    assert "preferences" not in after
    assert after["consentRecords"] == before["consentRecords"]
    assert sandbox.get(f"/v2/address-books/{other_list}").json()["contacts"] == 0
    for freed in ("mobileNumber/447555000333", "key/K-3"):
        assert sandbox.get(f"{PATH}/{freed}").status_code == 404


def test_a_put_takes_no_identifier_of_another_contact(sandbox: SandboxClient) -> None:
    create(sandbox, "put-owner@example.com")
    create(sandbox, "put-taker@example.com")
    reply = change(
        sandbox, "put-taker@example.com", "PUT", identifiers={"email": "put-owner@example.com"}
    )
    # The vendor's specification has no 409 for it.
    assert error_of(reply) == (400, "contacts:identifierConflict")


def test_a_put_never_creates(sandbox: SandboxClient) -> None:
    reply = change(sandbox, "unput@example.com", "PUT", identifiers={"email": "unput@example.com"})
    assert error_of(reply) == (404, "contacts:contactNotFound")
    assert sandbox.get(f"{PATH}/email/unput%40example.com").status_code == 404


def test_a_put_that_is_refused_leaves_the_contact_as_it_was(sandbox: SandboxClient) -> None:
    create(sandbox, "kept@example.com", dataFields={"FIRSTNAME": "Ada"}, lists=[LIST_ID])
    before = sandbox.contact("kept@example.com")
    for body in (
        {"identifiers": {"key": "only"}},
        {"identifiers": {"email": "kept@example.com"}, "dataFields": {"NO_SUCH_FIELD": 1}},
        {"identifiers": {"email": "kept@example.com"}, "lists": [987_654]},
        {},
    ):
        assert change(sandbox, "kept@example.com", "PUT", **body).status_code == 400
    assert sandbox.contact("kept@example.com") == before


def test_a_deleted_contact_leaves_the_account_and_its_lists(sandbox: SandboxClient) -> None:
    list_id = sandbox.create_list("Left by deletion")
    books = {book["name"]: book["id"] for book in sandbox.get("/v2/address-books").json()}
    everyone = books["All Contacts"]
    created = create(sandbox, "gone@example.com", lists=[list_id], consentRecords=[CONSENT]).json()
    before = sandbox.get(f"/v2/address-books/{everyone}").json()["contacts"]
    reply = sandbox.call("DELETE", f"{PATH}/contactId/{created['contactId']}")
    assert (reply.status_code, reply.json()) == (200, {"contactId": created["contactId"]})
    assert sandbox.get(f"{PATH}/email/gone%40example.com").status_code == 404
    assert sandbox.members(list_id) == []
    assert sandbox.get(f"/v2/address-books/{list_id}").json()["contacts"] == 0
    assert sandbox.get(f"/v2/address-books/{everyone}").json()["contacts"] == before - 1


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH"])
def test_a_call_for_a_value_that_no_contact_can_have_is_refused(
    sandbox: SandboxClient, method: str
) -> None:
    body = {"identifiers": {"email": "x@example.com"}}
    reply = sandbox.call(method, f"{PATH}/email/123646", json=body)
    assert error_of(reply) == (400, "contacts:invalidId")


def test_deleting_a_contact_that_is_not_there_is_answered_404(sandbox: SandboxClient) -> None:
    reply = sandbox.call("DELETE", f"{PATH}/contactId/354265")
    assert error_of(reply) == (404, "contacts:contactNotFound")
    assert reply.json()["details"][0]["item"] == "354265"


def test_a_line_end_in_a_value_is_a_value_that_is_none(sandbox: SandboxClient) -> None:
    for method in ("PATCH", "PUT"):
        reply = change(sandbox, "line\nend@example.com", method, identifiers={})
        assert reply.status_code == 400, reply.text
