"""Every answer is valid against the vendor's own description of its API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.api import API_ROUTES
from target_dotdigital.sandbox.api.statuses import STATUSES
from target_dotdigital.sandbox.http import RouteTable
from tests.sandbox.conftest import CUSTOM_IDENTIFIERS, LIST_ID
from tests.support.dotdigital.contract.openapi import check_response, needs_vendor_files
from tests.support.sandbox.client import SandboxClient, people, person
from tests.support.sandbox.v2_imports import ROUTE as V2_IMPORT
from tests.support.sandbox.v2_imports import csv_of, finish, send_json, upload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests

pytestmark = needs_vendor_files

ROUTES = RouteTable(API_ROUTES)


SUPPRESSED = ("barred.example", "barred@suppressed.example")


class CheckingClient(SandboxClient):
    """Checks every answer that it gets."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.violations: list[str] = []

    @override
    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        reply = super().call(method, path, **arguments)
        name = ROUTES.name_of({"type": "http", "method": method, "path": path.partition("?")[0]})
        if reply.status_code not in STATUSES[str(name)]:
            self.violations.append(f"{name} answers {reply.status_code}, which it does not name")
        self.violations += check_response(
            method, path.partition("?")[0], reply.status_code, reply.headers, reply.content
        )
        return reply

    def make_segment(self, segment: dict[str, Any]) -> int:
        """Create a segment by the sandbox's own call, which the vendor's files do not have."""
        reply = super().call("POST", "/sandbox/segments", json=segment)
        assert reply.status_code == 201, reply.text
        segment_id: int = reply.json()["id"]
        return segment_id


@pytest.fixture
def client(database: Path) -> Iterator[CheckingClient]:
    with (
        SandboxServer(
            Options(
                database,
                address_books=[LIST_ID],
                preferences=[1],
                custom_identifiers=CUSTOM_IDENTIFIERS,
                suppressed=SUPPRESSED,
            )
        ) as server,
        CheckingClient(server.url) as checking,
    ):
        yield checking
        assert checking.violations == []


def test_the_accounts_answers_are_valid(client: CheckingClient) -> None:
    client.get("/v2/account-info")
    client.get("/v2/server-time")
    client.get("/v2/address-books", select=1)
    client.get(f"/v2/address-books/{LIST_ID}")
    client.get("/v2/address-books/1")
    client.create_list("New")
    client.call("POST", "/v2/address-books", json={"name": "New"})
    client.create_field("NEW", "Boolean")
    client.call("POST", "/v2/data-fields", json={"name": "NEW", "type": "String"})
    client.get("/v2/data-fields")
    for name in ("NEW", "NEW", "FIRSTNAME"):
        client.call("DELETE", f"/v2/data-fields/{name}")


def test_the_answers_about_imports_are_valid(client: CheckingClient) -> None:
    email = {"email": {"status": "suppressed", "emailType": "plainText", "optInType": "single"}}
    client.load(
        *people(3, "valid", lists=[LIST_ID]),
        person("valid0@example.com"),
        person("in@valid@example.com"),
        person("barred@example.com", channelProperties=email),
    )
    by_id = {"matchIdentifier": "contactId", "identifiers": {"contactId": 1}}
    by_key = {"matchIdentifier": "key", "identifiers": {"key": "1", "email": "k@example.com"}}
    client.load(person("barred@example.com"), person("valid1@example.com"), by_id, by_key)
    client.call("DELETE", "/contacts/v3/email/valid2%40example.com")
    client.load(*map(person, (*SUPPRESSED, f"a@{SUPPRESSED[0]}", "valid2@example.com")))
    client.send_import([])
    client.send_import([{}])
    client.call("PUT", "/contacts/v3/import", data=b"{")
    client.get("/contacts/v3/import/d7de900d-d337-43f6-b1e1-c8ec73e1a434")
    client.get("/contacts/v3/import/1")


def test_the_answers_about_contacts_are_valid(client: CheckingClient) -> None:
    client.load(
        person("first@example.com", lists=[LIST_ID], dataFields={"FIRSTNAME": "Ada"}),
        {"matchIdentifier": "mobileNumber", "identifiers": {"mobileNumber": "447123123123"}},
        {"matchIdentifier": "key", "identifiers": {"key": "1", "email": "k@example.com"}},
    )
    included = "channelProperties|lists|preferences|consentRecords"
    page = client.get("/contacts/v3", limit=1).json()
    following = client.get("/contacts/v3", limit=1, marker=page["_links"]["next"]["marker"]).json()
    assert set(following["_links"]) == {"self", "first", "prev", "next", "last"}
    client.get("/contacts/v3", limit=1, marker=page["_links"]["last"]["marker"])
    client.get("/contacts/v3", **{"data-fields": "[[ALL]]", "include": included})
    client.get("/contacts/v3", **{"~listId": LIST_ID})
    client.get("/contacts/v3", **{"~listId": "none"})
    client.get("/contacts/v3", **{"~modified": "gte::2021-12-17T00:00:00Z"})
    client.get("/contacts/v3", **{"~created": "2021-12-17"})
    client.contact("first@example.com")
    client.contact("447123123123", "mobileNumber")
    client.contact("1", "key")
    client.get("/contacts/v3/email/none")
    client.get("/contacts/v3/email/none%40example.com")


CONSENT = {
    "text": "Yes",
    "dateTimeConsented": "2023-01-26T21:29:00",
    "url": "http://www.example.com/signup",
    "ipAddress": "2b01:1234:136:0:116f:3244:a476:d6b7",
    "userAgent": "Mozilla/5.0",
}


def test_the_answers_about_one_contact_are_valid(client: CheckingClient) -> None:
    path = "/contacts/v3"
    body = {
        "identifiers": {"email": "one@example.com", "mobileNumber": "447123123124", "key": "1"},
        "preferences": [{"id": 1, "isOptedIn": True}],
        "consentRecords": [CONSENT],
        "lists": [LIST_ID],
    }
    for _ in range(2):
        client.call("POST", path, json=body)
    client.call("POST", path, json={})
    client.call("POST", path, json={"identifiers": {"email": "none"}})
    one = f"{path}/email/one%40example.com"
    client.get(one)
    client.get(path, include="preferences|consentRecords")
    for method in ("PATCH", "PUT", "DELETE"):
        client.call(method, f"{path}/email/none", json=body)
        client.call(method, f"{path}/contactId/1", json=body)
    client.call("PATCH", f"{path}/email/two%40example.com", json={"dataFields": {"GENDER": "f"}})
    client.call("PATCH", one, json={"dataFields": {"NO_SUCH_FIELD": 1}})
    client.call("PATCH", one, json={"identifiers": {"email": "two@example.com"}})
    client.call("PATCH", one, data=b"{")
    client.call("PUT", one, json=body)
    client.call("DELETE", one)
    client.call("PATCH", one, json=body)
    client.call("PATCH", f"{path}/key/2", json={})
    for email in (f"a@{SUPPRESSED[0]}", SUPPRESSED[1]):
        client.call("PATCH", f"{path}/email/{email}", json={})
        client.call("POST", path, json={"identifiers": {"email": email}})


def test_the_answers_about_deletions_are_valid(client: CheckingClient) -> None:
    path = "/contacts/v3/delete"
    client.load(*people(3, "deleted"))
    entries = [
        {"email": "deleted0@example.com"},
        {"email": "none"},
        {"contactId": 1},
        {"key": "1"},
        {"mobileNumber": "447123123123"},
    ]
    delete_id = client.call("POST", path, json=entries).json()["deleteId"]
    client.poll(f"{path}/{delete_id}", "NotStarted", "NotFinished")
    client.call("POST", path, json=[])
    client.get(f"{path}/1")
    client.get(f"{path}/d7de900d-d337-43f6-b1e1-c8ec73e1a434")


def test_the_answers_about_imports_of_v2_are_valid(client: CheckingClient) -> None:
    rows = csv_of(("Email", "FirstName"), ("v2@example.com", "Ada"), ("none", "Bob"))
    for route in (V2_IMPORT, f"/v2/address-books/{LIST_ID}/contacts/import"):
        import_id = finish(client, upload(client, rows, route))
        send_json(client, rows, f"{route}/with-merge-option/Overwrite")
        upload(client, rows, f"{route}/with-merge-option/None")
    for report in ("", "/report", "/report-faults"):
        client.get(f"{V2_IMPORT}/{import_id}{report}")
        client.get(f"{V2_IMPORT}/d7de900d-d337-43f6-b1e1-c8ec73e1a434{report}")
        client.get(f"{V2_IMPORT}/1{report}")
    bad = finish(client, upload(client, b"\xff"), "InvalidFileFormat")
    client.get(f"{V2_IMPORT}/{bad}/report")
    contacts = [{"email": "collected@example.com", "optInType": "Single"}]
    body = {"contacts": contacts, "addressBookIds": [LIST_ID], "mergeOption": "Overwrite"}
    finish(client, client.call("POST", f"{V2_IMPORT}-collection", json=body))
    client.call("POST", f"{V2_IMPORT}-collection", json={"contacts": []})
    client.call("POST", V2_IMPORT, json={})
    upload(client, b"Name\n")
    upload(client, b"Email\n", "/v2/address-books/1/contacts/import")


def test_the_answers_about_members_are_valid(client: CheckingClient) -> None:
    created = client.load(*people(3, "member", lists=[LIST_ID]))["created"]
    path = f"/v2/address-books/{LIST_ID}"
    client.get(f"{path}/contacts", withFullData="true", select=1)
    client.get(f"{path}/contacts", select=0)
    client.call("DELETE", f"{path}/contacts/{created[0]['contactId']}")
    reply = client.call("POST", f"{path}/contacts/delete", json=[created[1]["contactId"]])
    client.poll(f"/v2/contacts/deletion/{reply.json()['id']}", "Started")
    client.call("POST", f"{path}/contacts/delete", json=[])
    client.call("POST", f"{path}/contacts/delete-all")
    client.get("/v2/contacts/deletion/1")
    client.call("PUT", path, json={"name": "Renamed"})
    client.call("PUT", path, json={"name": "Test"})
    client.call("DELETE", path)
    client.call("DELETE", path)


def test_the_answers_about_preferences_are_valid(client: CheckingClient) -> None:
    path = "/v2/preferences"
    named = {"publicName": "Channels", "privateName": "channels"}
    category = client.call("POST", path, json=named).json()["id"]
    inside = {**named, "isPreference": True, "categoryId": category}
    preference = client.call("POST", path, json=inside).json()["id"]
    client.call("POST", path, json={**named, "isPreference": True, "order": "top"})
    client.call("POST", path, json={"publicName": "Channels"})
    client.get(path)
    client.call("PUT", f"{path}/{preference}", json={**named, "id": preference})
    client.call("PUT", f"{path}/{preference}", json={**named, "id": category})
    created = client.load(person("chooses@example.com"))["created"]
    choices = [{"id": preference, "isPreference": True, "isOptedIn": True}]
    for contact in ("contacts/chooses@example.com", f"contact/{created[0]['contactId']}"):
        client.call("PUT", f"/v2/{contact}/preferences", json=choices)
        client.get(f"/v2/{contact}/preferences")
    client.get("/v2/contacts/unknown@example.com/preferences")
    for _ in range(2):
        client.call("DELETE", f"{path}/{category}")


def test_the_answers_about_v2s_contacts_are_valid(client: CheckingClient) -> None:
    path = "/v2/contacts"
    contact = {
        "email": "v2@example.com",
        "optInType": "Single",
        "emailType": "Html",
        "dataFields": [{"key": "FIRSTNAME", "value": "Ada"}],
    }
    keys = ("TEXT", "DATETIMECONSENTED", "URL", "IPADDRESS", "USERAGENT")
    parts = zip(keys, CONSENT.values(), strict=True)
    consents = [{"fields": [{"key": key, "value": value} for key, value in parts]}]
    preferences = [{"id": 1, "isPreference": True, "isOptedIn": True}]
    body = {"contact": contact, "consentFields": consents, "preferences": preferences}
    contact_id = client.call("POST", path, json=contact).json()["id"]
    client.call("POST", path, json={})
    for name in (contact_id, "v2%40example.com", 1):
        client.get(f"{path}/{name}")
        client.get(f"{path}/{name}/with-consent")
        client.call("PUT", f"{path}/{name}", json=contact)
        for call in ("with-consent", "with-consent-and-preferences"):
            client.call("POST", f"{path}/{call}", json=body)
            client.call("PUT", f"{path}/{name}/{call}", json=body)
    client.get(path, withFullData="true")
    client.call("POST", f"/v2/address-books/{LIST_ID}/contacts", json=contact)
    client.call("DELETE", f"{path}/{contact_id}")
    client.call("DELETE", f"{path}/{contact_id}")


def test_the_answers_about_subscriptions_are_valid(client: CheckingClient) -> None:
    paths = ("/v2/contacts", f"/v2/address-books/{LIST_ID}/contacts")
    client.load(*people(4, "sub", lists=[LIST_ID], dataFields={"FIRSTNAME": "Ada"}))
    names = [{"id": 1}, {"email": "sub3@example.com"}]
    client.call("PUT", "/v2/contacts/suppress-contacts", json=names)
    for number, path in enumerate(paths):
        for email in (f"sub{number}@example.com", "unknown@example.com"):
            client.call("POST", f"{path}/unsubscribe", json={"email": email})
        for kind in ("modified", "unsubscribed"):
            client.get(f"{path}/{kind}-since/2020-01-01T00:00:00Z", select=1)
        for email in (f"sub{number}@example.com", "sub3@example.com", "new@example.com"):
            resubscription = {"unsubscribedContact": {"email": email}}
            for how in ("", "-with-no-challenge"):
                client.call("POST", f"{path}/resubscribe{how}", json=resubscription)
        client.call("POST", f"{path}/resubscribe", json={})
    for kind in ("created", "suppressed"):
        client.get(f"/v2/contacts/{kind}-since/2020-01-01T00:00:00Z", withFullData="true")


def test_the_answers_about_lists_and_segments_are_valid(client: CheckingClient) -> None:
    created = client.load(*people(3, "segmented", lists=[LIST_ID]))["created"]
    client.call("POST", "/v2/address-books", json={"name": "Open", "visibility": "Public"})
    for kind in ("private", "public"):
        client.get(f"/v2/address-books/{kind}", skip=1)
        client.get(f"/v2/address-books/{kind}", select=0)
    client.get("/v2/contacts/count")
    for contact_id in (created[0]["contactId"], 1, "x"):
        client.get(f"/v2/contacts/{contact_id}/address-books")
    segment = {"name": "Segment", "rule": {"inAny": [LIST_ID]}}
    segment_id = client.make_segment(segment)
    client.get("/v2/segments", select=1)
    client.get("/v2/segments", select=0)
    client.get("/contacts/v3", **{"~segmentId": segment_id})
    client.get("/contacts/v3", **{"~segmentId": 7})
    client.get(f"/v2/address-books/{segment_id}/contacts")
    for one in (segment_id, 7):
        client.call("POST", f"/v2/segments/refresh/{one}")
        client.get(f"/v2/segments/refresh/{one}")
    client.call("PUT", f"/v2/address-books/{LIST_ID}", json={"name": "Segment"})
    for list_id in (LIST_ID, 7):
        client.call("DELETE", f"/v2/address-books/{list_id}/contacts")
