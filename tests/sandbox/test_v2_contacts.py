"""v2's calls about one contact: by its address or its ID, with data fields as pairs."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.sandbox.conftest import LIST_ID
from tests.support.sandbox.client import CONSENT, person

if TYPE_CHECKING:
    import requests

    from tests.support.sandbox.client import SandboxClient

CONTACTS = "/v2/contacts"
MEMBERS = f"/v2/address-books/{LIST_ID}/contacts"
NOT_FOUND = (404, "Error: ERROR_CONTACT_NOT_FOUND")
SUPPRESSED = (400, "Contact is suppressed. ERROR_CONTACT_SUPPRESSED")


def refusal(reply: requests.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["message"]


def code_of(reply: requests.Response) -> tuple[int, str]:
    status, message = refusal(reply)
    return status, message.rpartition(" ")[2]


def path_of(name: str | int) -> str:
    return f"{CONTACTS}/{quote(str(name), safe='')}"


def pairs(contact: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: one["value"] for one in contact["dataFields"]}


def create(sandbox: SandboxClient, email: str, **parts: object) -> dict[str, Any]:
    reply = sandbox.call("POST", CONTACTS, json={"email": email, **parts})
    assert reply.status_code == 201, reply.text
    contact: dict[str, Any] = reply.json(parse_float=Decimal)
    return contact


def with_status(sandbox: SandboxClient, email: str, status: str) -> int:
    """Import a contact with a status, and return its ID."""
    sandbox.load(person(email, channelProperties={"email": {"status": status}}))
    contact_id: int = sandbox.contact(email)["contactId"]
    return contact_id


def test_a_contact_is_created_as_it_is_sent(sandbox: SandboxClient) -> None:
    created = create(
        sandbox,
        "New@Example.com",
        optInType="Single",
        emailType="PlainText",
        dataFields=[{"key": "FIRSTNAME", "value": "Ada"}],
    )
    assert created == {
        "id": sandbox.contact("new@example.com")["contactId"],
        "email": "new@example.com",
        "optInType": "Single",
        "emailType": "PlainText",
        "dataFields": [{"key": "FIRSTNAME", "value": "Ada"}],
        "status": "Subscribed",
    }
    for name in ("new@example.com", created["id"]):
        assert sandbox.get(path_of(name)).json() == created


def test_names_and_words_are_read_in_any_case(sandbox: SandboxClient) -> None:
    body = {
        "Email": "cased@example.com",
        "EmailType": "html",
        "OptInType": "DOUBLE",
        "DataFields": [{"Key": "firstname", "Value": "Ada"}],
    }
    created = sandbox.call("POST", f"{CONTACTS}", json=body).json()
    assert (created["emailType"], created["optInType"]) == ("Html", "Double")
    assert pairs(created) == {"FIRSTNAME": "Ada"}


def test_a_contact_that_is_there_is_updated(sandbox: SandboxClient) -> None:
    first = create(
        sandbox,
        "again@example.com",
        dataFields=[{"key": "FIRSTNAME", "value": "Ada"}, {"key": "GENDER", "value": "f"}],
    )
    second = create(
        sandbox,
        "AGAIN@example.com",
        emailType="PlainText",
        dataFields=[{"key": "FIRSTNAME", "value": "Eva"}],
    )
    assert second["id"] == first["id"]
    assert pairs(second) == {"FIRSTNAME": "Eva", "GENDER": "f"}
    assert second["emailType"] == "PlainText"


def test_values_that_are_sent_as_texts_get_the_types_of_their_fields(
    sandbox: SandboxClient,
) -> None:
    for name, kind in (("AMOUNT", "Numeric"), ("VIP", "Boolean"), ("SEEN", "Date")):
        sandbox.create_field(name, kind)
    sent = {"AMOUNT": "12.50", "VIP": "True", "SEEN": "2026-01-31", "FIRSTNAME": "7"}
    fields = [{"key": key, "value": value} for key, value in sent.items()]
    create(sandbox, "typed@example.com", dataFields=fields)
    assert sandbox.fields("typed@example.com") == {
        "AMOUNT": Decimal("12.50"),
        "VIP": True,
        "SEEN": "2026-01-31T00:00:00",
        "FIRSTNAME": "7",
    }
    emptied = [{"key": "AMOUNT", "value": ""}, {"key": "FIRSTNAME", "value": None}]
    left = create(sandbox, "typed@example.com", dataFields=emptied)
    assert pairs(left) == {"VIP": True, "SEEN": "2026-01-31T00:00:00"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"email": "none"}, "ERROR_INVALID_EMAIL"),
        ({}, "ERROR_INVALID_EMAIL"),
        ({"email": 1}, "ERROR_CONTACT_INVALID"),
        ([], "ERROR_CONTACT_INVALID"),
        ({"email": "bad@example.com", "optInType": "Triple"}, "ERROR_CONTACT_INVALID"),
        (
            {"email": "bad@example.com", "dataFields": [{"key": "NONE", "value": 1}]},
            "ERROR_DATAFIELD_NOTFOUND",
        ),
        (
            {"email": "bad@example.com", "dataFields": [{"key": "LASTSUBSCRIBED", "value": "x"}]},
            "ERROR_DATAFIELD_INVALID",
        ),
        (
            {"email": "bad@example.com", "dataFields": [{"key": "GENDER", "value": "x" * 1_001}]},
            "ERROR_DATAFIELD_VALUE_OVERFLOW",
        ),
    ],
)
def test_a_contact_at_fault_is_refused(
    sandbox: SandboxClient, body: dict[str, Any], code: str
) -> None:
    assert code_of(sandbox.call("POST", CONTACTS, json=body)) == (400, code)
    assert refusal(sandbox.get(path_of("bad@example.com"))) == NOT_FOUND


def test_an_address_in_a_path_may_have_characters_that_paths_give_a_meaning_to(
    sandbox: SandboxClient,
) -> None:
    for email in ("a+b@example.com", "a/b@example.com", "a%2fb@example.com", "a?b#c@example.com"):
        created = create(sandbox, email)
        assert sandbox.get(path_of(email)).json() == created
        assert sandbox.get(f"{path_of(email)}/with-consent").json()["contact"] == created
        changed = sandbox.call("PUT", path_of(email), json={"email": email, "emailType": "Html"})
        assert changed.json() == created
        assert sandbox.call("DELETE", path_of(email)).status_code == 204
        assert refusal(sandbox.get(path_of(email))) == NOT_FOUND


def test_a_path_that_names_no_contact_is_no_route(sandbox: SandboxClient) -> None:
    reply = sandbox.get(f"{CONTACTS}/import/none/such")
    assert refusal(reply) == (404, "Not Found.")


@pytest.mark.parametrize("name", ["0", "1", "9" * 5_000, "nobody@example.com", "none", "²"])
def test_a_contact_that_is_not_there_is_not_found(sandbox: SandboxClient, name: str) -> None:
    path = path_of(name)
    assert refusal(sandbox.get(path)) == NOT_FOUND
    assert refusal(sandbox.get(f"{path}/with-consent")) == NOT_FOUND
    assert refusal(sandbox.call("PUT", path, json={"email": "x@example.com"})) == NOT_FOUND
    assert refusal(sandbox.call("DELETE", path)) == NOT_FOUND


def test_a_contact_without_an_address_is_none_of_v2s(sandbox: SandboxClient) -> None:
    report = sandbox.load(
        {"matchIdentifier": "mobileNumber", "identifiers": {"mobileNumber": "447123123177"}}
    )
    contact_id = report["created"][0]["contactId"]
    assert refusal(sandbox.get(path_of(contact_id))) == NOT_FOUND
    assert refusal(sandbox.call("POST", MEMBERS, json={"id": contact_id})) == NOT_FOUND
    assert all(one["email"] for one in sandbox.get(CONTACTS).json())


def test_an_update_changes_what_is_sent_and_the_address(sandbox: SandboxClient) -> None:
    created = create(sandbox, "old@example.com", dataFields=[{"key": "GENDER", "value": "f"}])
    reply = sandbox.call("PUT", path_of(created["id"]), json={"Email": "Other@example.com"})
    assert reply.status_code == 200
    assert reply.json() == created | {"email": "other@example.com"}
    assert refusal(sandbox.get(path_of("old@example.com"))) == NOT_FOUND
    by_address = sandbox.call(
        "PUT", path_of("other@example.com"), json={"dataFields": [{"key": "GENDER", "value": "m"}]}
    )
    assert pairs(by_address.json()) == {"GENDER": "m"}


def test_an_update_to_another_contacts_address_is_refused(sandbox: SandboxClient) -> None:
    mine = create(sandbox, "mine@example.com")
    create(sandbox, "theirs@example.com")
    reply = sandbox.call("PUT", path_of(mine["id"]), json={"email": "theirs@example.com"})
    assert code_of(reply) == (400, "ERROR_NON_UNIQUE_EMAIL")
    assert sandbox.get(path_of(mine["id"])).json() == mine


@pytest.mark.parametrize("status", ["unsubscribed", "suppressed"])
def test_whoever_opted_out_is_not_written_to(sandbox: SandboxClient, status: str) -> None:
    email = f"{status}@example.com"
    contact_id = with_status(sandbox, email, status)
    body = {"email": email, "dataFields": [{"key": "FIRSTNAME", "value": "Ada"}]}
    for method, path in (("POST", CONTACTS), ("PUT", path_of(contact_id)), ("POST", MEMBERS)):
        assert refusal(sandbox.call(method, path, json=body)) == SUPPRESSED
    assert sandbox.fields(email) == {}
    assert sandbox.contact(email)["lists"] == []
    # By the address it is answered, and clients send it back to resubscribe it.
    assert sandbox.get(path_of(email)).json()["status"] == status.capitalize()
    assert refusal(sandbox.get(path_of(contact_id))) == NOT_FOUND


def test_a_verified_double_opt_in_waits_for_the_person(sandbox: SandboxClient) -> None:
    created = create(sandbox, "asked@example.com", optInType="VerifiedDouble")
    assert (created["optInType"], created["status"]) == ("Double", "PendingOptIn")


def test_a_contact_joins_a_list_by_its_address_or_its_id(sandbox: SandboxClient) -> None:
    known = create(sandbox, "known@example.com")
    for body in ({"email": "joins@example.com"}, {"id": known["id"]}):
        for _ in range(2):
            reply = sandbox.call("POST", MEMBERS, json=body)
            assert reply.status_code == 200, reply.text
            assert reply.json()["status"] == "Subscribed"
    assert reply.json() == known
    joined = {one["email"] for one in sandbox.get(MEMBERS).json()}
    assert joined == {"known@example.com", "joins@example.com"}
    assert sandbox.get(f"/v2/address-books/{LIST_ID}").json()["contacts"] == 2


def test_a_list_that_is_not_there_or_not_writable_takes_nobody(sandbox: SandboxClient) -> None:
    body = {"email": "listless@example.com"}
    path = "/v2/address-books/{}/contacts"
    unknown = sandbox.call("POST", path.format(7), json=body)
    assert code_of(unknown) == (404, "ERROR_ADDRESSBOOK_NOT_FOUND")
    test_list = sandbox.get("/v2/address-books").json()[-1]
    assert test_list["name"] == "Test"
    reply = sandbox.call("POST", path.format(test_list["id"]), json=body)
    assert code_of(reply) == (400, "ERROR_ADDRESSBOOK_NOTWRITABLE")
    assert refusal(sandbox.call("POST", MEMBERS, json={"id": 1})) == NOT_FOUND
    assert code_of(sandbox.call("POST", MEMBERS, json={})) == (400, "ERROR_INVALID_EMAIL")
    assert refusal(sandbox.get(path_of("listless@example.com"))) == NOT_FOUND


PARTS = {
    "TEXT": CONSENT["text"],
    "DATETIMECONSENTED": CONSENT["dateTimeConsented"],
    "URL": CONSENT["url"],
    "IPADDRESS": CONSENT["ipAddress"],
    "USERAGENT": CONSENT["userAgent"],
}
OTHER_NAMES = ("consenttext", "consentdatetime", "consenturl", "consentip", "consentuseragent")


def consent(names: tuple[str, ...] = tuple(PARTS)) -> dict[str, Any]:
    values = zip(names, PARTS.values(), strict=True)
    return {"fields": [{"key": name, "value": value} for name, value in values]}


@pytest.mark.parametrize(
    ("email", "fields"),
    [
        ("list@example.com", [consent()]),
        ("object@example.com", consent()),
        ("columns@example.com", [consent(OTHER_NAMES)]),
    ],
)
def test_a_consent_is_kept_with_its_contact(
    sandbox: SandboxClient, email: str, fields: object
) -> None:
    body = {"contact": {"email": email}, "consentFields": fields}
    reply = sandbox.call("POST", f"{CONTACTS}/with-consent", json=body)
    assert reply.status_code == 201, reply.text
    answered = reply.json()
    assert answered["contact"]["email"] == email
    (kept,) = answered["consentFields"]
    assert kept["id"] is None
    parts = {one["key"]: one["value"] for one in kept["fields"]}
    assert parts.pop("DATETIMECREATED")
    assert parts == PARTS
    (record,) = sandbox.contact(email)["consentRecords"]
    assert {name: record[name] for name in CONSENT} == CONSENT
    path = f"{path_of(answered['contact']['id'])}/with-consent"
    assert sandbox.get(path).json() == answered
    changed = sandbox.call("PUT", path, json=body)
    assert changed.status_code == 200
    assert len(changed.json()["consentFields"]) == 2


def test_half_a_consent_refuses_the_contact(sandbox: SandboxClient) -> None:
    body = {
        "contact": {"email": "half@example.com"},
        "consentFields": [{"fields": [{"key": "TEXT", "value": "Yes"}]}],
    }
    reply = sandbox.call("POST", f"{CONTACTS}/with-consent", json=body)
    assert code_of(reply) == (400, "ERROR_CONTACT_INVALID")
    assert refusal(sandbox.get(path_of("half@example.com"))) == NOT_FOUND


def test_preferences_are_set_within_categories_and_without(sandbox: SandboxClient) -> None:
    body = {
        "Contact": {"Email": "prefers@example.com"},
        "ConsentFields": [consent()],
        "Preferences": [
            {"id": 1, "isPreference": False, "preferences": [{"id": "2", "isOptedIn": True}]},
            {"Id": 4, "isPreference": True, "isOptedIn": False},
        ],
    }
    path = f"{CONTACTS}/with-consent-and-preferences"
    answered = sandbox.call("POST", path, json=body).json()
    set_to = {one["id"]: one["isOptedIn"] for one in answered["preferences"]}
    assert set_to == {2: True, 4: False}
    assert len(answered["consentFields"]) == 1
    contact_id = answered["contact"]["id"]
    body["Preferences"] = [{"id": 4, "isPreference": True, "isOptedIn": True}]
    reply = sandbox.call("PUT", f"{path_of(contact_id)}/with-consent-and-preferences", json=body)
    set_to = {one["id"]: one["isOptedIn"] for one in reply.json()["preferences"]}
    assert set_to == {2: True, 4: True}
    # Calls without preferences leave them alone.
    body["Preferences"] = [{"id": 4, "isPreference": True, "isOptedIn": False}]
    assert sandbox.call("POST", f"{CONTACTS}/with-consent", json=body).status_code == 201
    kept = sandbox.contact("prefers@example.com")["preferences"]
    assert {one["id"]: one["isOptedIn"] for one in kept} == {2: True, 4: True}


@pytest.mark.parametrize("preference", [0, -1, 2**31, "none"])
def test_a_preference_that_cannot_be_there_refuses_the_contact(
    sandbox: SandboxClient, preference: int | str
) -> None:
    body = {
        "contact": {"email": "undecided@example.com"},
        "preferences": [{"id": preference, "isPreference": True, "isOptedIn": True}],
    }
    reply = sandbox.call("POST", f"{CONTACTS}/with-consent-and-preferences", json=body)
    assert code_of(reply) == (404, "ERROR_PREFERENCE_NOT_FOUND")
    assert refusal(sandbox.get(path_of("undecided@example.com"))) == NOT_FOUND


def test_the_contacts_are_answered_page_by_page(sandbox: SandboxClient) -> None:
    for number in range(3):
        create(sandbox, f"page{number}@example.com", dataFields=[{"key": "GENDER", "value": "f"}])
    everybody = sandbox.get(CONTACTS).json()
    assert [one["id"] for one in everybody] == sorted(one["id"] for one in everybody)
    assert sandbox.get(CONTACTS, select=2, skip=1).json() == everybody[1:3]
    assert everybody[-1]["dataFields"] is None
    (last,) = sandbox.get(CONTACTS, skip=len(everybody) - 1, withFullData="true").json()
    assert pairs(last) == {"GENDER": "f"}
    for parameters in ({"select": 0}, {"select": 1_001}, {"skip": -1}, {"withFullData": "maybe"}):
        assert code_of(sandbox.get(CONTACTS, **parameters)) == (400, "ERROR_PARAMETER_INVALID")
