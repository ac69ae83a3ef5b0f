from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.conftest import LIST_ID
from tests.support.sandbox.client import SandboxClient, failure_codes, person

if TYPE_CHECKING:
    from collections.abc import Sequence

STORED = {"FIRSTNAME": "Ada", "LASTNAME": "Lovelace", "GENDER": ""}
SENT = {"firstName": "Grace", "lastName": None, "GENDER": "f", "POSTCODE": "", "FULLNAME": None}


@pytest.mark.parametrize(
    ("merge_option", "merged"),
    [
        (None, {"FIRSTNAME": "Grace", "GENDER": "f", "POSTCODE": ""}),
        ("overwrite", {"FIRSTNAME": "Grace", "GENDER": "f", "POSTCODE": ""}),
        ("overwriteIfNotEmpty", {"FIRSTNAME": "Grace", "LASTNAME": "Lovelace", "GENDER": "f"}),
        (
            "overwriteIfEmpty",
            {"FIRSTNAME": "Ada", "LASTNAME": "Lovelace", "GENDER": "f", "POSTCODE": ""},
        ),
    ],
)
def test_a_merge_option_decides_between_stored_and_sent_values(
    sandbox: SandboxClient, merge_option: str | None, merged: dict[str, str]
) -> None:
    email = f"merge-{merge_option}@example.com".lower()
    sandbox.load(person(email, dataFields=STORED))
    report = sandbox.load(person(email, dataFields=SENT), merge_option=merge_option)
    assert report["summary"]["updatedContacts"] == 1
    assert sandbox.fields(email) == merged


def test_fields_that_are_not_sent_stay(sandbox: SandboxClient) -> None:
    sandbox.load(person("stay@example.com", dataFields={"FIRSTNAME": "Ada"}))
    sandbox.load(person("stay@example.com", dataFields={"LASTNAME": "Lovelace"}))
    sandbox.load(person("stay@example.com"))
    assert sandbox.fields("stay@example.com") == {"FIRSTNAME": "Ada", "LASTNAME": "Lovelace"}


def test_the_last_of_two_imports_one_after_the_other_wins(sandbox: SandboxClient) -> None:
    for name in ("first", "second", "third"):
        sandbox.load(person("order@example.com", dataFields={"FIRSTNAME": name}))
    assert sandbox.fields("order@example.com") == {"FIRSTNAME": "third"}


def test_an_address_is_trimmed_and_lower_cased(sandbox: SandboxClient) -> None:
    report = sandbox.load(person("  Mixed.Case+Tag@Example.COM "))
    assert report["created"][0]["identifiers"] == {"email": "mixed.case+tag@example.com"}
    again = sandbox.load(person("MIXED.case+tag@example.com"))
    assert again["updated"] == report["created"]


def test_a_mobile_number_is_matched_by_its_digits(sandbox: SandboxClient) -> None:
    def by_number(number: str) -> dict[str, Any]:
        return {"matchIdentifier": "mobileNumber", "identifiers": {"mobileNumber": number}}

    created = sandbox.load(by_number("+447123123123"))["created"]
    assert created[0]["identifiers"] == {"mobileNumber": "447123123123"}
    assert sandbox.load(by_number("447123123123"))["updated"] == created
    contact = sandbox.contact("447123123123", "mobileNumber")
    assert contact["channelProperties"]["sms"]["countryCode"] == "GB"
    assert "email" not in contact["channelProperties"]


def test_a_contact_id_matches_and_the_address_can_change(sandbox: SandboxClient) -> None:
    contact_id = sandbox.load(person("before@example.com"))["created"][0]["contactId"]
    report = sandbox.load(
        {
            "matchIdentifier": "contactId",
            "identifiers": {"contactId": contact_id, "email": "after@example.com"},
        }
    )
    assert report["updated"] == [
        {"contactId": contact_id, "identifiers": {"email": "after@example.com"}}
    ]
    assert sandbox.contact("after@example.com")["contactId"] == contact_id
    assert sandbox.get("/contacts/v3/email/before%40example.com").status_code == 404


def test_a_custom_identifier_matches_by_name_and_value(sandbox: SandboxClient) -> None:
    def by_key(name: str, email: str) -> dict[str, Any]:
        return {"matchIdentifier": name, "identifiers": {name: "C-1", "email": email}}

    first = sandbox.load(by_key("customerKey", "key1@example.com"))["created"][0]
    other = sandbox.load(by_key("loyaltyKey", "key2@example.com"))["created"][0]
    assert first["identifiers"] == {"customerKey": "C-1", "email": "key1@example.com"}
    assert first["contactId"] != other["contactId"]
    moved = sandbox.load(by_key("customerKey", "key3@example.com"))["updated"][0]
    assert moved["contactId"] == first["contactId"]
    assert sandbox.contact("C-1", "customerKey")["identifiers"]["email"] == "key3@example.com"


def test_an_identifier_passes_from_one_contact_to_the_next_in_one_import(
    sandbox: SandboxClient,
) -> None:
    old = sandbox.load(person("pass@example.com"))["created"][0]["contactId"]
    report = sandbox.load(
        {
            "matchIdentifier": "contactId",
            "identifiers": {"contactId": old, "email": "passed@example.com"},
        },
        person("pass@example.com"),
    )
    assert failure_codes(report) == []
    assert sandbox.contact("passed@example.com")["contactId"] == old
    assert sandbox.contact("pass@example.com")["contactId"] != old


def test_overwrite_if_empty_keeps_an_identifier_that_is_there(sandbox: SandboxClient) -> None:
    def with_number(number: str) -> dict[str, Any]:
        return {
            "matchIdentifier": "email",
            "identifiers": {"email": "keep@example.com", "mobileNumber": number},
        }

    sandbox.load(person("keep@example.com"))
    sandbox.load(with_number("447000000001"), merge_option="overwriteIfEmpty")
    sandbox.load(with_number("447000000002"), merge_option="overwriteIfEmpty")
    identifiers = sandbox.contact("keep@example.com")["identifiers"]
    assert identifiers["mobileNumber"] == "447000000001"


def list_ids(sandbox: SandboxClient, email: str) -> list[int]:
    return [one["id"] for one in sandbox.contact(email)["lists"]]


def test_lists_are_only_ever_added_to(sandbox: SandboxClient) -> None:
    second = sandbox.create_list("Second")
    sandbox.load(person("lists@example.com", lists=[LIST_ID]))
    sandbox.load(person("lists@example.com", lists=[second]))
    sandbox.load(person("lists@example.com"))
    assert list_ids(sandbox, "lists@example.com") == [LIST_ID, second]


@pytest.mark.parametrize("backwards", [False, True])
def test_lists_are_answered_in_the_order_of_their_ids(
    sandbox: SandboxClient, *, backwards: bool
) -> None:
    wanted = [LIST_ID, *(sandbox.create_list(f"List {number} {backwards}") for number in range(3))]
    email = f"listed-{backwards}@example.com".lower()
    sent: Sequence[int] = wanted[::-1] if backwards else wanted
    sandbox.load(person(email, lists=sent))
    assert list_ids(sandbox, email) == wanted
