from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.dotdigital.contract.recording import Exchange
from tests.support.dotdigital.contract.rules import (
    check_accepted,
    check_creation,
    check_data_fields,
    check_deletion_body,
    check_headers,
    check_identifiers,
    check_import_body,
    check_lists,
    check_no_status,
    check_removal_body,
    check_report,
    check_size,
    strict_violations_of,
)
from tests.support.dotdigital.plain_client import contact

HEADERS = {
    "Authorization": "Basic dXNlcjpwYXNzd29yZA==",
    "User-Agent": "target-dotdigital/1.0",
    "Accept": "application/json",
    "Content-Type": "application/json",
    "Content-Length": "7",
}
IMPORT_ID = "d7de900d-d337-43f6-b1e1-c8ec73e1a434"


def body(*contacts: dict[str, Any], **more: object) -> bytes:
    return json.dumps({"contacts": contacts, **more}).encode()


def test_a_good_import_breaks_no_rule() -> None:
    good = contact("a@example.com", 101, FIRSTNAME="Ann", BIRTHDAY=None, LOYALTY_POINTS=7)
    assert check_import_body(body(good, contact("b@example.com"), mergeOption="overwrite")) == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (body(contact("a@example.com"), contact("A@example.com ")), "in this import already"),
        (body(contact("a@example.com"), listId=101), "unknown key listId"),
        (body(contact("a@example.com") | {"email": "a@example.com"}), "unknown key email"),
        (body(contact("a@example.com", _sdc_batched_at="x")), "belongs to Singer"),
        (body(contact("A@example.com")), "not trimmed and lower-cased"),
        (body(contact("a@example.com") | {"lists": []}), "lists is empty"),
        (
            body(
                contact("a@example.com") | {"channelProperties": {"sms": {"status": "subscribed"}}}
            ),
            "a status for sms is sent",
        ),
    ],
)
def test_a_broken_rule_is_told_for_the_import(wrong: bytes, told: str) -> None:
    assert told in " ".join(check_import_body(wrong))


def test_a_status_may_be_asked_for() -> None:
    asked = contact("a@example.com") | {"channelProperties": {"email": {"status": "subscribed"}}}
    assert check_import_body(body(asked), status_asked=True) == []
    assert check_no_status(asked) == ["a status for email is sent"]
    assert check_no_status({"channelProperties": {"email": {"emailType": "html"}}}) == []


@pytest.mark.parametrize("lists", [[], {}, ["101"], [True], [0], [2**31], [101.0], [101, 101]])
def test_lists_are_different_integers(lists: object) -> None:
    assert check_lists({"lists": lists})


@pytest.mark.parametrize(
    "data_fields",
    [[], None, {"A" * 21: 1}, {"first name": 1}, {"_sdc_x": 1}, {"A": {}}, {"A": [1]}],
)
def test_data_fields_are_an_object_of_scalars(data_fields: object) -> None:
    assert check_data_fields({"dataFields": data_fields})


@pytest.mark.parametrize(
    "identifiers",
    [
        {},
        {"email": ""},
        {"email": None},
        {"email": " a@example.com"},
        {"email": "a@example.com", "contactId": "7"},
        {"email": "a@example.com", "mobileNumber": 447700900000},
    ],
)
def test_identifiers_are_whole(identifiers: dict[str, Any]) -> None:
    assert check_identifiers({"matchIdentifier": "email", "identifiers": identifiers})


def test_size_is_counted_in_bytes() -> None:
    assert check_size(b" " * 50_000_000) == []
    assert check_size(b" " * 50_000_001) == ["50000001 bytes are over 50 MB"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"Authorization": "Bearer abc"}, "Authorization"),
        ({"Authorization": "Basic not-base64"}, "Authorization"),
        ({"User-Agent": "python-requests/2.32"}, "User-Agent"),
        ({"Accept": "*/*"}, "Accept"),
        ({"Content-Type": "text/plain"}, "Content-Type"),
        ({"Content-Encoding": "gzip"}, "Content-Encoding"),
    ],
)
def test_a_wrong_header_is_told(change: dict[str, str], told: str) -> None:
    assert check_headers(HEADERS) == []
    (violation,) = check_headers(HEADERS | change)
    assert violation.startswith(told)


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/v2/address-books", {"name": " New"}),
        ("/v2/address-books", {"name": "All Contacts"}),
        ("/v2/address-books", {"name": "2024"}),
        ("/v2/address-books", {"visibility": "Public"}),
        ("/v2/address-books", {"type": "Date"}),
        ("/v2/data-fields", {"name": "new"}),
        ("/v2/data-fields", {"name": "A" * 21}),
        ("/v2/data-fields", {"visibility": None}),
        ("/v2/data-fields", {"defaultValue": "x"}),
    ],
)
def test_what_is_created_is_private_and_well_named(path: str, change: dict[str, Any]) -> None:
    good = {"name": "NEW", "visibility": "Private"}
    assert check_creation(path, json.dumps(good).encode()) == []
    assert check_creation(path, json.dumps(good | change).encode())


def test_answers_have_what_the_target_needs() -> None:
    assert check_accepted(json.dumps({"importId": IMPORT_ID}).encode()) == []
    assert check_accepted(b"{}")
    assert check_accepted(b'{"importId": "7"}')
    report = {"summary": {"newContacts": 1}, "created": [{}], "updated": []}
    assert check_report(json.dumps(report).encode()) == []
    assert check_report(json.dumps(report | {"updated": [{}]}).encode())
    assert check_report(b"{}") == []


def test_recorded_exchanges_are_checked_by_their_kind() -> None:
    def exchange(method: str, path: str, status: int, sent: bytes, answered: bytes) -> Exchange:
        return Exchange(method, path, {}, HEADERS, sent, status, {}, answered)

    path = "/contacts/v3/import"
    found = strict_violations_of(
        [
            exchange("PUT", path, 202, body(contact("A@example.com")), b"{}"),
            exchange("GET", f"{path}/7", 200, b"", b'{"summary": {}, "created": [1]}'),
            exchange("GET", "/v2/data-fields", 200, b"", b"[]"),
        ]
    )
    assert found == [
        "PUT /contacts/v3/import: contact 0: the address is not trimmed and lower-cased",
        "PUT /contacts/v3/import: no importId in the answer",
        "GET /contacts/v3/import/7: created and newContacts differ",
    ]


def test_departures_are_different_people() -> None:
    assert check_deletion_body(b'[{"email": "a@example.com"}, {"contactId": 7}]') == []
    assert check_removal_body(b"[7, 8]") == []


@pytest.mark.parametrize(
    "sent",
    [
        [],
        [{"email": "a@example.com"}] * 2,
        [{"email": "a@example.com", "contactId": 7}],
        [{}],
        [{"contactId": "7"}],
        [{"mobileNumber": 447123123123}],
        [{"contactId": number} for number in range(5_001)],
    ],
    ids=["none", "twice", "two identifiers", "no identifier", "text", "number", "many"],
)
def test_a_broken_rule_is_told_for_a_deletion(sent: object) -> None:
    assert check_deletion_body(json.dumps(sent).encode())


@pytest.mark.parametrize("sent", [[], {}, ["7"], [7, 7], [2**31], [0], [True], [{"contactId": 7}]])
def test_a_broken_rule_is_told_for_a_removal(sent: object) -> None:
    assert check_removal_body(json.dumps(sent).encode())
