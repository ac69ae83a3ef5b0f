from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.conftest import LIST_ID
from tests.support.sandbox.client import failure_codes, people, person

if TYPE_CHECKING:
    from tests.support.sandbox.client import SandboxClient


def matched_by(name: str, **identifiers: object) -> dict[str, Any]:
    return {"matchIdentifier": name, "identifiers": identifiers}


def channels(**properties: object) -> dict[str, Any]:
    return {"channelProperties": properties}


BAD_CONTACTS: list[tuple[dict[str, Any], str]] = [
    (person("bob@emailsim@io.com"), "invalidEmail"),
    (person(""), "invalidEmail"),
    (person("no-domain@example"), "invalidEmail"),
    (person("two words@example.com"), "invalidEmail"),
    (person("dots..dots@example.com"), "invalidEmail"),
    (person("nul\0@example.com"), "invalidEmail"),
    (person("x" * 65 + "@example.com"), "invalidEmail"),
    (matched_by("mobileNumber", mobileNumber="0712 345 678"), "invalidPhoneNumber"),
    (matched_by("mobileNumber", mobileNumber="+1234567890123456"), "invalidPhoneNumber"),
    (
        matched_by("email", email="has-number@example.com", mobileNumber="none"),
        "invalidPhoneNumber",
    ),
    (matched_by("contactId", contactId="12"), "invalidContactId"),
    (matched_by("contactId", contactId=-1), "invalidContactId"),
    (matched_by("contactId", contactId=10**30), "invalidContactId"),
    (matched_by("contactId", contactId=1), "noValidIdentifiers"),
    (matched_by("contactId", contactId=1, email="by-id@example.com"), "invalidContactId"),
    (matched_by("email", contactId=1, email="with-id@example.com"), "invalidContactId"),
    (matched_by("email"), "noValidIdentifiers"),
    (matched_by("email", mobileNumber="447123123199"), "noValidIdentifiers"),
    (matched_by("customerKey", customerKey="only"), "noValidIdentifiers"),
    (matched_by("customerKey", customerKey="", email="no-key@example.com"), "apiSchemaViolation"),
    (matched_by("Email", Email="case@example.com"), "invalidMatchIdentifier"),
    (matched_by("Email", email="case@example.com"), "invalidMatchIdentifier"),
    (person("list@example.com", lists=[LIST_ID, 987_654]), "invalidAddressBookIds"),
    (person("field@example.com", dataFields={"NO_SUCH_FIELD": 1}), "apiSchemaViolation"),
    (person("status@example.com", **channels(email={"status": "maybe"})), "invalidContactStatus"),
    (person("sms@example.com", **channels(sms={"status": "maybe"})), "invalidContactStatus"),
    (person("type@example.com", **channels(email={"emailType": "text"})), "apiSchemaViolation"),
    (person("opt@example.com", **channels(email={"optInType": "triple"})), "apiSchemaViolation"),
]


@pytest.mark.parametrize(("contact", "code"), BAD_CONTACTS)
def test_a_bad_contact_fails_alone_with_its_code(
    sandbox: SandboxClient, contact: dict[str, Any], code: str
) -> None:
    good = person("good@example.com", dataFields={"FIRSTNAME": code})
    report = sandbox.load(contact, good)
    assert failure_codes(report) == [code]
    assert report["failures"][0]["matchIdentifier"] == contact["matchIdentifier"]
    assert report["summary"]["invalidEntries"] == 1
    assert len(report["created"]) + len(report["updated"]) == 1
    assert sandbox.fields("good@example.com") == {"FIRSTNAME": code}


def test_a_failed_contact_is_named_by_its_identifiers_as_sent(sandbox: SandboxClient) -> None:
    report = sandbox.load(person(" Bob@EmailSim@io.com"))
    assert report["failures"] == [
        {
            "matchIdentifier": "email",
            "identifiers": {"email": " Bob@EmailSim@io.com"},
            "failures": [
                {"failureCode": "invalidEmail", "description": "Invalid value for 'email'"}
            ],
        }
    ]


def test_a_failed_contact_that_exists_is_named_by_its_id_too(sandbox: SandboxClient) -> None:
    known = sandbox.load(person("known@example.com"))["created"][0]["contactId"]
    report = sandbox.load(person("known@example.com", dataFields={"NO_SUCH_FIELD": 1}))
    assert report["failures"][0]["contactId"] == known


def test_every_fault_of_a_contact_is_told(sandbox: SandboxClient) -> None:
    report = sandbox.load(person("a@b@c", lists=[987_654], dataFields={"NO_SUCH_FIELD": 1}))
    assert failure_codes(report) == ["invalidEmail", "invalidAddressBookIds", "apiSchemaViolation"]
    assert report["summary"]["invalidEntries"] == 1


def test_a_contact_with_an_unknown_list_is_not_written_at_all(sandbox: SandboxClient) -> None:
    sandbox.load(person("unwritten@example.com", lists=[LIST_ID, 987_654]))
    assert sandbox.get("/contacts/v3/email/unwritten%40example.com").status_code == 404


def test_nobody_joins_the_list_test(sandbox: SandboxClient) -> None:
    books = {book["name"]: book["id"] for book in sandbox.get("/v2/address-books").json()}
    test, everyone = books["Test"], books["All Contacts"]
    assert failure_codes(sandbox.load(person("t@example.com", lists=[test]))) == [
        "invalidAddressBookIds"
    ]
    assert failure_codes(sandbox.load(person("t@example.com", lists=[everyone]))) == []


def test_the_first_of_two_entries_for_one_contact_is_taken(sandbox: SandboxClient) -> None:
    report = sandbox.load(
        person("twice@example.com", dataFields={"FIRSTNAME": "first"}),
        person("other@example.com"),
        person("TWICE@example.com ", dataFields={"FIRSTNAME": "second"}),
    )
    assert failure_codes(report) == ["duplicateIdentifier"]
    assert report["failures"][0]["identifiers"] == {"email": "TWICE@example.com "}
    assert report["summary"]["duplicateIdentifiers"] == 1
    assert report["summary"]["newContacts"] == 2
    assert sandbox.fields("twice@example.com") == {"FIRSTNAME": "first"}


def test_one_contact_under_two_identifiers_is_a_duplicate_too(sandbox: SandboxClient) -> None:
    known = sandbox.load(person("both@example.com"))["created"][0]["contactId"]
    report = sandbox.load(person("both@example.com"), matched_by("contactId", contactId=known))
    assert failure_codes(report) == ["duplicateIdentifier"]
    assert report["failures"][0]["contactId"] == known


def test_a_duplicate_is_found_across_the_parts_of_a_large_import(sandbox: SandboxClient) -> None:
    report = sandbox.load(*people(2_500, "large"), person("large0@example.com"))
    assert failure_codes(report) == ["duplicateIdentifier"]
    assert report["summary"]["newContacts"] == 2_500


def test_an_entry_that_failed_does_not_make_the_next_one_a_duplicate(
    sandbox: SandboxClient,
) -> None:
    report = sandbox.load(
        person("retry@example.com", dataFields={"NO_SUCH_FIELD": 1}),
        person("retry@example.com"),
    )
    assert failure_codes(report) == ["apiSchemaViolation"]
    assert report["summary"]["newContacts"] == 1


def test_an_identifier_of_another_contact_is_a_conflict(sandbox: SandboxClient) -> None:
    number = "447555000111"
    sandbox.load(matched_by("mobileNumber", mobileNumber=number))
    sandbox.load(person("mine@example.com"))
    for email in ("mine@example.com", "newcomer@example.com"):
        report = sandbox.load(matched_by("email", email=email, mobileNumber=number))
        assert failure_codes(report) == ["identifierConflict"]
        assert report["summary"]["duplicateIdentifiers"] == 1
    assert "mobileNumber" not in sandbox.contact("mine@example.com")["identifiers"]
