from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.support.dotdigital.plain_client import (
    TIMEOUT_SECONDS,
    PlainClient,
    contact,
    failure_codes,
)

if TYPE_CHECKING:
    from tests.support.dotdigital.server import DotdigitalServer


def test_wrong_credentials_are_refused_on_every_route(server: DotdigitalServer) -> None:
    for path in ("/v2/account-info", "/v2/data-fields", "/contacts/v3/import/x"):
        answer = requests.get(server.url + path, auth=("someone", "else"), timeout=TIMEOUT_SECONDS)
        assert answer.status_code == 401
    assert [call.status for call in server.calls] == [401, 401, 401]


def test_account_info_names_the_endpoint(server: DotdigitalServer, client: PlainClient) -> None:
    server.api_endpoint = "https://r2-api.dotdigital.com/"
    properties = client.get("/v2/account-info").json()["properties"]
    assert {"name": "ApiEndpoint", "type": "String", "value": server.api_endpoint} in properties


def test_address_books_come_in_pages_and_one_by_one(
    server: DotdigitalServer, client: PlainClient
) -> None:
    server.address_books.update({number: f"Book {number}" for number in range(200, 1300)})
    first = client.get("/v2/address-books").json()
    rest = client.get("/v2/address-books?select=1000&skip=1000").json()
    assert (len(first), len(rest)) == (1000, 102)
    assert client.get("/v2/address-books?skip=1102").json() == []
    assert client.get("/v2/address-books?select=1001").status_code == 400
    assert client.get("/v2/address-books/101").json()["name"] == "Newsletter"
    missing = client.get("/v2/address-books/7")
    assert missing.status_code == 404
    assert missing.json()["message"].endswith("ERROR_ADDRESSBOOK_NOT_FOUND")


def test_data_fields_are_listed_with_their_types(client: PlainClient) -> None:
    listed = {each["name"]: each["type"] for each in client.get("/v2/data-fields").json()}
    assert listed["FIRSTNAME"] == "String"
    assert listed["LOYALTY_POINTS"] == "Numeric"
    assert listed["BIRTHDAY"] == "Date"
    assert listed["IS_MEMBER"] == "Boolean"


def test_an_import_creates_and_updates(server: DotdigitalServer, client: PlainClient) -> None:
    server.add_contact("old@example.com", {"LASTNAME": "Kept"}, email_status="unsubscribed")
    report = client.load(
        contact("Old@Example.com", 101, firstName="Ann"), contact("new@example.com", 101)
    )
    assert report["summary"]["newContacts"] == 1
    assert report["summary"]["updatedContacts"] == 1
    assert report["failures"] == []
    old = server.contacts["old@example.com"]
    assert old.data_fields == {"FIRSTNAME": "Ann", "LASTNAME": "Kept"}
    assert old.email_status == "unsubscribed"
    assert server.contacts["new@example.com"].email_status == "subscribed"
    assert server.contacts["new@example.com"].lists == {101}


def test_lists_are_only_added_to(server: DotdigitalServer, client: PlainClient) -> None:
    server.add_contact("a@example.com", lists=(102,))
    client.load(contact("a@example.com", 101))
    client.load(contact("a@example.com"))
    assert server.contacts["a@example.com"].lists == {101, 102}


@pytest.mark.parametrize(
    ("merge_option", "expected"),
    [
        ("overwrite", {"FIRSTNAME": "new", "FULLNAME": "new", "GENDER": ""}),
        (
            "overwriteIfNotEmpty",
            {"FIRSTNAME": "new", "FULLNAME": "new", "LASTNAME": "old", "GENDER": "old"},
        ),
        (
            "overwriteIfEmpty",
            {"FIRSTNAME": "old", "FULLNAME": "new", "LASTNAME": "old", "GENDER": "old"},
        ),
    ],
)
def test_the_merge_option_decides_what_is_kept(
    server: DotdigitalServer, client: PlainClient, merge_option: str, expected: dict[str, str]
) -> None:
    old = {"FIRSTNAME": "old", "LASTNAME": "old", "GENDER": "old", "FULLNAME": ""}
    server.add_contact("a@example.com", old)
    sent = contact("a@example.com", FIRSTNAME="new", FULLNAME="new", LASTNAME=None, GENDER="")
    client.load(sent, merge_option=merge_option)
    assert server.contacts["a@example.com"].data_fields == expected


def test_another_identifier_can_match_and_change_the_address(
    server: DotdigitalServer, client: PlainClient
) -> None:
    server.custom_identifiers.add("customerId")
    first = {"email": "before@example.com", "customerId": "C1"}
    client.load({"matchIdentifier": "customerId", "identifiers": first})
    second = {"email": "after@example.com", "customerId": "C1"}
    report = client.load({"matchIdentifier": "customerId", "identifiers": second})
    assert report["summary"]["updatedContacts"] == 1
    assert list(server.contacts) == ["after@example.com"]
    assert server.contact("C1", "customerId") == server.contact("after@example.com")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (contact("no-address"), "invalidEmail"),
        (contact("two@@example.com"), "invalidEmail"),
        (contact("a@example.com", 7), "invalidAddressBookIds"),
        (contact("a@example.com", SHOE_SIZE=7), "apiSchemaViolation"),
        (contact("a@example.com", LOYALTY_POINTS="7"), "apiSchemaViolation"),
        (contact("a@example.com", LOYALTY_POINTS=True), "apiSchemaViolation"),
        (contact("a@example.com", IS_MEMBER="yes"), "apiSchemaViolation"),
        (contact("a@example.com", BIRTHDAY="2023-02-29T00:00:00Z"), "apiSchemaViolation"),
        (contact("a@example.com", BIRTHDAY="2023-02-28"), "apiSchemaViolation"),
        (contact("a@example.com", FIRSTNAME=7), "apiSchemaViolation"),
        (contact("a@example.com", FIRSTNAME="x" * 1001), "apiSchemaViolation"),
        (
            {"matchIdentifier": "customerId", "identifiers": {"email": "a@example.com"}},
            "invalidMatchIdentifier",
        ),
        (
            {"matchIdentifier": "mobileNumber", "identifiers": {"email": "a@example.com"}},
            "noValidIdentifiers",
        ),
        (
            {"matchIdentifier": "mobileNumber", "identifiers": {"mobileNumber": "07700"}},
            "invalidPhoneNumber",
        ),
        ({"matchIdentifier": "contactId", "identifiers": {"contactId": 1}}, "invalidContactId"),
    ],
)
def test_a_bad_value_fails_its_contact_alone(
    server: DotdigitalServer, client: PlainClient, sent: dict[str, Any], code: str
) -> None:
    report = client.load(sent, contact("good@example.com", BIRTHDAY="2023-02-28T00:00:00Z"))
    assert failure_codes(report) == [code]
    assert list(server.contacts) == ["good@example.com"]


def test_the_second_of_two_same_contacts_fails(
    server: DotdigitalServer, client: PlainClient
) -> None:
    report = client.load(
        contact("a@example.com", FIRSTNAME="first"), contact("A@example.com", FIRSTNAME="second")
    )
    assert failure_codes(report) == ["duplicateIdentifier"]
    assert report["summary"]["duplicateIdentifiers"] == 1
    assert server.contacts["a@example.com"].data_fields == {"FIRSTNAME": "first"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], "server:badRequest"),
        ({"contacts": []}, "server:badRequest"),
        ({"contacts": [contact("a@example.com")], "mergeOption": "Overwrite"}, "server:badRequest"),
        ({"contacts": [{"matchIdentifier": "email"}]}, "contacts:badRequest"),
        ({"contacts": [contact("a@example.com") | {"dataFields": []}]}, "server:badRequest"),
        ({"contacts": [contact("a@example.com") | {"lists": []}]}, "server:badRequest"),
        ({"contacts": [contact("a@example.com") | {"lists": ["101"]}]}, "server:badRequest"),
        ({"contacts": [contact("a@example.com") | {"lists": [True]}]}, "server:badRequest"),
        ({"contacts": [contact("a@example.com", FIRSTNAME=["a"])]}, "server:badRequest"),
        ({"contacts": [contact("\ud800@example.com")]}, "contacts:badJson"),
        (
            {"contacts": [contact("a@example.com") | {"channelProperties": {"fax": {}}}]},
            "server:badRequest",
        ),
    ],
)
def test_a_bad_shape_sinks_the_whole_request(
    server: DotdigitalServer, client: PlainClient, body: object, code: str
) -> None:
    answer = client.send(body)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)
    assert server.imports == []


def test_nan_is_no_json(server: DotdigitalServer) -> None:
    body = json.dumps({"contacts": [contact("a@example.com", LOYALTY_POINTS=float("nan"))]})
    url = f"{server.url}/contacts/v3/import"
    answer = requests.put(
        url, data=body, auth=(server.username, server.password), timeout=TIMEOUT_SECONDS
    )
    assert answer.json()["errorCode"] == "contacts:badJson"
