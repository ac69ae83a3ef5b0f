from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.support.dotdigital import answers
from tests.support.dotdigital.contract.openapi import (
    check_exchange,
    check_request,
    check_response,
    needs_vendor_files,
    violations_of,
)
from tests.support.dotdigital.plain_client import PlainClient, contact
from tests.support.dotdigital.routes import DATA_FIELDS

if TYPE_CHECKING:
    from tests.support.dotdigital.contract.recording import RecordingProxy
    from tests.support.dotdigital.server import DotdigitalServer

pytestmark = needs_vendor_files

AUTH = {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="}
JSON_HEADERS = {"Content-Type": "application/json; charset=utf-8"}
IMPORT_PATH = "/contacts/v3/import"
IMPORT_ID = "d7de900d-d337-43f6-b1e1-c8ec73e1a434"
STATUS_PATH = f"{IMPORT_PATH}/{IMPORT_ID}"


# The test server's own answers.


def test_the_answers_to_reads_are_valid(
    proxy: RecordingProxy, recorded_client: PlainClient
) -> None:
    for path in (
        "/v2/account-info",
        "/v2/address-books?select=1&skip=1",
        "/v2/address-books/101",
        "/v2/address-books/7",
        "/v2/data-fields",
        f"/contacts/v3/import/{IMPORT_ID}",
        "/contacts/v3/import/7",
    ):
        recorded_client.get(path)
    assert [each.status for each in proxy.exchanges] == [200, 200, 200, 404, 200, 404, 400]
    assert violations_of(proxy.exchanges) == []


def test_the_answers_to_an_import_are_valid(
    server: DotdigitalServer, proxy: RecordingProxy, recorded_client: PlainClient
) -> None:
    server.add_contact("known@example.com")
    server.reject("bad@example.com", "GloballySuppressed")
    server.warn("warned@example.com")
    server.report_style.stranger = "stranger@example.com"
    server.polls_to_finish = lambda _import: 1
    everything = contact("known@example.com", 101, 102, FIRSTNAME="Ann", LOYALTY_POINTS=None) | {
        "channelProperties": {
            "email": {
                "emailType": "html",
                "optInType": "single",
                "status": "subscribed",
                "resubscribeOptions": {"resubscribeWithNoChallenge": True},
            }
        },
        "preferences": [{"id": 1, "isOptedIn": True}],
        "consentRecords": [
            {
                "text": "Yes",
                "dateTimeConsented": "2023-01-26T21:29:00Z",
                "url": "https://example.com/signup",
                "ipAddress": "192.0.2.1",
                "userAgent": "Mozilla/5.0",
            }
        ],
    }
    import_id = recorded_client.put(
        everything, *(contact(f"{name}@example.com") for name in ("bad", "warned", "new"))
    ).json()["importId"]
    assert [recorded_client.poll(import_id)["status"] for _ in range(2)] == [
        "NotFinished",
        "Finished",
    ]
    known = server.contacts["known@example.com"].contact_id
    recorded_client.put({"matchIdentifier": "contactId", "identifiers": {"contactId": known}})
    server.report_style.lists = False
    recorded_client.poll(import_id)
    assert [each.status for each in proxy.exchanges] == [202, 200, 200, 202, 200]
    assert violations_of(proxy.exchanges) == []


def test_the_answers_about_people_who_leave_are_valid(
    server: DotdigitalServer, proxy: RecordingProxy, recorded_client: PlainClient
) -> None:
    for name in ("ann", "bob", "cid"):
        server.add_contact(f"{name}@example.com", lists=(101,))
    server.departures.max_page = 2
    page = recorded_client.get("/contacts/v3?~listId=101&limit=5000").json()
    recorded_client.get(
        f"/contacts/v3?~listId=101&limit=5000&marker={page['_links']['next']['marker']}"
    )
    recorded_client.get("/contacts/v3?~listId=x")
    recorded_client.get("/contacts/v3?~listId=101&limit=5001")
    ann = recorded_client.get("/contacts/v3/email/ann%40example.com").json()["contactId"]
    recorded_client.get("/contacts/v3/email/nobody%40example.com")
    recorded_client.get("/contacts/v3/email/broken")
    removal = recorded_client.post("/v2/address-books/101/contacts/delete", [ann]).json()["id"]
    recorded_client.get(f"/v2/contacts/deletion/{removal}")
    recorded_client.get(f"/v2/contacts/deletion/{IMPORT_ID}")
    recorded_client.post("/v2/address-books/7/contacts/delete", [ann])
    people: list[dict[str, Any]] = [{"contactId": ann}, {"email": "x@example.com"}, {"email": "x"}]
    server.departures.polls_to_finish = lambda _job: 1
    deletion = recorded_client.post("/contacts/v3/delete", people).json()["deleteId"]
    for _ in range(2):
        recorded_client.get(f"/contacts/v3/delete/{deletion}")
    recorded_client.get(f"/contacts/v3/delete/{IMPORT_ID}")
    recorded_client.post("/contacts/v3/delete", [])
    server.departures.max_active_deletions = 0
    recorded_client.post("/contacts/v3/delete", people)
    statuses = [each.status for each in proxy.exchanges]
    assert statuses[:7] == [200, 200, 400, 400, 200, 404, 400]
    assert statuses[7:] == [202, 200, 404, 404, 202, 200, 200, 404, 400, 429]
    violations = violations_of(proxy.exchanges)
    assert [each for each in violations if "response:" in each] == []
    # What is asked wrongly on purpose: a filter, a limit, and nobody.
    assert len(violations) == 3


@pytest.mark.parametrize("status", [200, 201])
def test_the_answers_to_creations_are_valid(
    status: int, server: DotdigitalServer, proxy: RecordingProxy, recorded_client: PlainClient
) -> None:
    server.created_status = status
    for _ in range(2):
        recorded_client.post("/v2/address-books", {"name": "New", "visibility": "Private"})
        recorded_client.post("/v2/data-fields", {"name": "NEW", "type": "Date"})
    assert [each.status for each in proxy.exchanges] == [status, 201, 400, 400]
    assert violations_of(proxy.exchanges) == []


def test_refusals_are_valid(
    server: DotdigitalServer, proxy: RecordingProxy, recorded_client: PlainClient
) -> None:
    server.refuse_request_with("bad@example.com")
    recorded_client.put(contact("bad@example.com"))
    server.max_active_imports = 0
    recorded_client.put(contact("good@example.com"))
    server.max_body_bytes = 0
    recorded_client.put(contact("good@example.com"))
    server.answer_next(DATA_FIELDS, answers.usage_exceeded(), answers.rate_limited(seconds=1))
    recorded_client.get("/v2/data-fields")
    recorded_client.get("/v2/data-fields")
    assert [each.status for each in proxy.exchanges] == [400, 429, 413, 400, 429]
    assert violations_of(proxy.exchanges) == []


def test_refused_credentials_are_valid_answers(
    server: DotdigitalServer, proxy: RecordingProxy
) -> None:
    with requests.Session() as session:
        session.auth = ("someone", "else")
        stranger = PlainClient(proxy.url, session)
        stranger.get("/v2/account-info")
        stranger.get(STATUS_PATH)
    assert [call.status for call in server.calls] == [401, 401]
    assert violations_of(proxy.exchanges) == []


# What must be caught.


def sent(document: object, path: str = IMPORT_PATH, headers: dict[str, str] = AUTH) -> list[str]:
    body = json.dumps(document).encode()
    return check_request("PUT", path, {}, {**headers, **JSON_HEADERS}, body)


def answered(
    document: object, status: int = 200, method: str = "GET", path: str = STATUS_PATH
) -> list[str]:
    return check_response(method, path, status, JSON_HEADERS, json.dumps(document).encode())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"matchIdentifier": 7}, "$.contacts[0].matchIdentifier"),
        ({"identifiers": ["a@example.com"]}, "$.contacts[0].identifiers"),
        ({"identifiers": {"customerId": 7}}, "$.contacts[0].identifiers.customerId"),
        ({"identifiers": {"contactId": "7"}}, "$.contacts[0].identifiers.contactId"),
        ({"dataFields": [{"key": "A", "value": "b"}]}, "$.contacts[0].dataFields"),
        ({"lists": []}, "$.contacts[0].lists"),
        ({"lists": ["101"]}, "$.contacts[0].lists[0]"),
        ({"lists": list(range(101))}, "$.contacts[0].lists"),
        (
            {"channelProperties": {"email": {"emailType": "Html"}}},
            "$.contacts[0].channelProperties.email.emailType",
        ),
        (
            {"channelProperties": {"email": {"language": "de"}}},
            "$.contacts[0].channelProperties.email",
        ),
        ({"preferences": {"1": True}}, "$.contacts[0].preferences"),
        ({"consentRecords": [{"text": "Yes"}]}, "$.contacts[0].consentRecords[0]"),
    ],
)
def test_a_wrong_contact_is_caught(change: dict[str, Any], told: str) -> None:
    assert sent({"contacts": [contact("a@example.com")]}) == []
    found = sent({"contacts": [contact("a@example.com") | change]})
    assert any(each.startswith(f"request: {told}: ") for each in found)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"contacts": []}, "$.contacts"),
        ({"mergeOption": "overwrite"}, "$: 'contacts' is a required property"),
        ({"contacts": [{"identifiers": {}}]}, "'matchIdentifier' is a required property"),
        ({"contacts": [contact("a@b.example")], "mergeOption": "Overwrite"}, "$.mergeOption"),
    ],
)
def test_a_wrong_import_is_caught(document: object, told: str) -> None:
    assert told in " ".join(sent(document))


def test_other_wrong_requests_are_caught() -> None:
    headers = {**AUTH, **JSON_HEADERS}
    good = {"contacts": [contact("a@example.com")]}
    assert "SecurityValidationError" in " ".join(sent(good, headers={}))
    assert "PathNotFound" in " ".join(sent(good, path="/contacts/v3/import/a/b/c"))
    assert "OperationNotFound" in " ".join(check_request("POST", IMPORT_PATH, {}, headers, b"{}"))
    assert sent(good, path="/contacts/v4/import") == ["request: no vendor file knows this path"]
    assert "RequestBody" in " ".join(check_request("PUT", IMPORT_PATH, {}, headers, b"{"))
    assert "RequestBody" in " ".join(check_request("PUT", IMPORT_PATH, {}, AUTH, b"a=b"))
    assert "select" in " ".join(
        check_request("GET", "/v2/address-books", {"select": "all"}, AUTH, b"")
    )
    assert "Path parameter error: id" in " ".join(
        check_request("GET", "/v2/address-books/Newsletter", {}, AUTH, b"")
    )


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/v2/address-books", {"visibility": "Private"}),
        ("/v2/address-books", {"name": "x" * 129}),
        ("/v2/address-books", {"name": "New", "visibility": "Hidden"}),
        ("/v2/data-fields", {"name": "NEW"}),
        ("/v2/data-fields", {"name": "x" * 21, "type": "Date"}),
        ("/v2/data-fields", {"name": "NEW", "type": "Text"}),
    ],
)
def test_a_wrong_creation_is_caught(path: str, content: dict[str, Any]) -> None:
    headers = {**AUTH, **JSON_HEADERS}
    assert check_request("POST", path, {}, headers, json.dumps(content).encode())


def test_the_integration_token_is_checked_by_a_pattern_that_can_match() -> None:
    good = {"contacts": [contact("a@example.com")]}
    token = {"x-ddg-integration-token": IMPORT_ID}
    assert sent(good, headers={**AUTH, **token}) == []
    assert "x-ddg-integration-token" in " ".join(
        sent(good, headers={**AUTH, "x-ddg-integration-token": "mine"})
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"status": "Done"}, "$.status"),
        ({"importId": None}, "$.importId"),
        ({"summary": {"newContacts": "1"}}, "$.summary.newContacts"),
        ({"created": [{"identifiers": {}}]}, "$.created[0]"),
        ({"updated": {}}, "$.updated"),
        ({"failures": [{"matchIdentifier": "email", "identifiers": {}}]}, "$.failures[0]"),
        (
            {"failures": [{"matchIdentifier": "e mail", "identifiers": {}, "failures": []}]},
            "$.failures[0].matchIdentifier",
        ),
    ],
)
def test_a_wrong_report_is_caught(change: dict[str, Any], told: str) -> None:
    report = {"importId": IMPORT_ID, "status": "Finished"}
    assert answered(report) == []
    assert any(each.startswith(f"response: {told}: ") for each in answered(report | change))


@pytest.mark.parametrize(
    ("status", "method", "path", "document"),
    [
        (202, "PUT", IMPORT_PATH, {"importId": 7}),
        (400, "PUT", IMPORT_PATH, {"message": "no v3 error"}),
        (429, "PUT", IMPORT_PATH, {"message": "no v3 error"}),
        (404, "GET", STATUS_PATH, {"errorCode": "contacts:importNotFound"}),
        (200, "GET", "/v2/account-info", {"id": 1, "properties": [{"value": 7}]}),
        (200, "GET", "/v2/address-books", {"items": []}),
        (200, "GET", "/v2/address-books", [{"id": "101"}]),
        (200, "GET", "/v2/address-books/101", {"id": "101"}),
        (404, "GET", "/v2/address-books/101", {"errorCode": "a:b", "description": "no v2 error"}),
        (200, "GET", "/v2/data-fields", [{"name": "A", "type": "Text"}]),
        (418, "GET", STATUS_PATH, {}),
    ],
)
def test_a_wrong_answer_is_caught(status: int, method: str, path: str, document: object) -> None:
    assert answered(document, status, method, path)


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/v2/address-books/101/contacts/delete", {"contactIds": [7]}),
        ("/v2/address-books/101/contacts/delete", ["7"]),
        ("/contacts/v3/delete", {"contacts": [{"contactId": 7}]}),
        ("/contacts/v3/delete", [{"email": "a@example.com"}] * 5_001),
        ("/contacts/v3/delete", []),
    ],
    ids=["object", "text", "contacts", "many", "none"],
)
def test_a_wrong_departure_is_caught(path: str, document: object) -> None:
    body = json.dumps(document).encode()
    assert check_request("POST", path, {}, {**AUTH, **JSON_HEADERS}, body)


def test_an_answer_of_another_kind_is_caught() -> None:
    html = {"Content-Type": "text/html"}
    assert check_response("GET", STATUS_PATH, 200, html, b"<p>")
    assert check_response("GET", STATUS_PATH, 200, JSON_HEADERS, b"")
    assert check_response("GET", STATUS_PATH, 200, JSON_HEADERS, b"{")


def test_an_exchange_is_checked_both_ways() -> None:
    found = check_exchange(
        "GET",
        STATUS_PATH,
        query={},
        request_headers={},
        request_body=b"",
        status=200,
        response_headers=JSON_HEADERS,
        response_body=b"[]",
    )
    assert [each.partition(":")[0] for each in found] == ["request", "response"]
