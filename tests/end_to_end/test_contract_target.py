"""Every request that the target makes, and every answer that the sandbox gives, by the contract."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from target_dotdigital.sandbox import EmbeddedSandbox
from target_dotdigital.settings.stream_schema import CONSENT_KEYS
from tests.support.dotdigital.contract.openapi import needs_vendor_files, violations_of
from tests.support.dotdigital.contract.recording import RecordingProxy
from tests.support.dotdigital.contract.rules import strict_violations_of
from tests.support.dotdigital.routes import route_of
from tests.support.messages import record, schema, state
from tests.support.sandbox.client import SandboxClient, person
from tests.support.target.command import load, settings_for
from tests.support.target.commands import found, verify

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

PROPERTIES: dict[str, Any] = {
    "email": {"type": "string"},
    "phone": {"type": ["string", "null"]},
    "first_name": {"type": ["string", "null"]},
    "address": {"type": "object"},
    "seen": {"type": ["string", "null"], "format": "date-time"},
    "number": {"type": ["string", "null"]},
    "books": {},
    "news": {"type": ["boolean", "string", "null"]},
    "consent": {"type": ["object", "null"]},
}
CONSENT = {
    "text": "Yes, send me the newsletter 🎈",
    "url": "https://bücher.example/ü?q={a}",
    "date_time_consented": "2024-02-29 12:30:00.5+02:00",
    "ip_address": "2001:db8::7",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
}
ROWS = (
    schema(properties=PROPERTIES),
    record(email="ann@example.com", first_name="Ann", address={"postcode": "N1 5DP"}),
    record(email="Bob@Example.com", first_name=None, phone="+44 7123 123123", seen="2024-02-29"),
    record(email="chloé@bücher.example", first_name="Chloé 🎈", seen="2024-02-29T10:00:00+02:00"),
    record(email="bob@example.com", first_name="Bob"),
    record(email="not an address"),
    state({"row": 6}),
)
STREAMS = {
    "people": {
        "fields": {
            "FIRSTNAME": "first_name",
            "POSTCODE": "address.postcode",
            "LASTSUBSCRIBED": "seen",
        },
        "identifiers": {"email": "email", "mobileNumber": "phone"},
        "email_type": "html",
        "email_opt_in_type": "single",
    }
}

AGREED = {
    "people": {
        "address_book_property": "books",
        "match_identifier": "customerNumber",
        "identifiers": {"customerNumber": "number", "email": "email", "mobileNumber": "phone"},
        "fields": {"FIRSTNAME": "first_name"},
        "preferences": {"7": "news", "12": "news"},
        "consent": {part: f"consent.{part}" for part in CONSENT_KEYS},
        "resubscribe": True,
    }
}
AGREED_ROWS = (
    schema(properties=PROPERTIES),
    record(number="C-1", email="ann@example.com", books="Customers", news=True, consent=CONSENT),
    record(number="C-2", email="bob@example.com", books=["Customers"], news=None, consent=None),
    record(number="C-3", email="cid@example.com", books="Customers", consent={"text": "Yes"}),
    *(
        record(number="C-4", email="dan@example.com", books="Customers", news="no", consent=CONSENT)
        for _ in range(7)
    ),
    record(number="C-1", email="ann@example.org", books="Customers", phone="+44 7123 123123"),
    record(number="C-5", email="eve@example.com", books="None such"),
    state({"row": 12}),
)


@needs_vendor_files
@pytest.mark.parametrize("judge", ["test server", "sandbox"])
def test_preferences_consents_and_address_books_of_rows(
    server: DotdigitalServer, tmp_path: Path, judge: str
) -> None:
    server.custom_identifiers.add("customerNumber")
    has: dict[str, Any] = {
        "address_books": ["Customers"],
        "custom_identifiers": ["customerNumber"],
        "preferences": [7, 12],
    }
    with EmbeddedSandbox(tmp_path / "sandbox.db", **has) as sandbox:
        is_sandbox = judge == "sandbox"
        with RecordingProxy(sandbox.url if is_sandbox else server.url) as proxy:
            config = settings_for(server, api_url=proxy.url, streams=AGREED)
            if is_sandbox:
                config |= {"username": sandbox.username, "password": sandbox.password}
            ended = load(config, tmp_path, *AGREED_ROWS)
    assert (ended.status, ended.states) == (0, [{"row": 12}]), ended.stderr
    assert ended.counts() == (
        "read 12 = imported 5 + rejected 2 + collapsed 5 + skipped 0; "
        "rejected by code: field.type 2"
    )
    assert violations_of(proxy.exchanges) == []
    assert strict_violations_of(proxy.exchanges, status_asked=True) == []
    sent = [
        contact
        for each in proxy.exchanges
        if each.method == "PUT"
        for contact in json.loads(each.request_body)["contacts"]
    ]
    assert [len(contact.get("consentRecords", ())) for contact in sent] == [1, 0, 5, 2, 0]
    assert all(contact["channelProperties"]["email"]["status"] for contact in sent)


@needs_vendor_files
@pytest.mark.parametrize("merge_option", ["overwrite", "overwriteIfNotEmpty", "overwriteIfEmpty"])
def test_with_the_independent_server(
    server: DotdigitalServer, tmp_path: Path, merge_option: str
) -> None:
    with RecordingProxy(server.url) as proxy:
        config = settings_for(
            server,
            api_url=proxy.url,
            address_book="Customers",
            streams=STREAMS,
            merge_option=merge_option,
            batch_size_rows=2,
        )
        ended = load(config, tmp_path, *ROWS)
    assert (ended.status, ended.states) == (0, [{"row": 6}]), ended.stderr
    assert violations_of(proxy.exchanges) == []
    assert strict_violations_of(proxy.exchanges) == []
    assert len(proxy.exchanges) >= 6


LEAVING: dict[str, Any] = {
    "people": {
        "identifiers": {"email": "email", "mobileNumber": "phone"},
        "fields": {"FIRSTNAME": "first_name"},
        "sync_mode": "mirror",
        "max_removal_percent": 99,
        "on_delete": "delete",
    },
    "left": {"on_delete": "remove"},
    "numbers": {"match_identifier": "mobileNumber", "on_delete": "delete"},
}
NUMBERS = {"mobileNumber": {"type": "string"}}


def people_leave() -> list[Any]:
    """Every way to leave: few and many, known and not, and by a mirror."""
    when = "2026-01-31T10:00:00Z"
    mails = schema("left", properties={"email": {"type": "string"}})
    return [
        schema(properties=PROPERTIES),
        mails,
        schema("numbers", properties=NUMBERS),
        record(email="ann@example.com", first_name="Ann", phone="+44 7123 123123"),
        *(record(email=f"p{number}@example.com") for number in range(30)),
        record(email="p1@example.com", _sdc_deleted_at=when),
        record(email="nobody@example.com", _sdc_deleted_at=when),
        record("left", email="o'brien+tag/50%@example.com", _sdc_deleted_at=when),
        record("left", email="p2@example.com", _sdc_deleted_at=when),
        record(email="p2@example.com"),
        *(
            record("left", email=f"p{number}@example.com", _sdc_deleted_at=when)
            for number in range(3, 29)
        ),
        record("numbers", mobileNumber="+44 7123 123123", _sdc_deleted_at=when),
        state({"row": 1}),
    ]


LEFT_OVER = {"p0@example.com", "p2@example.com", "p29@example.com"}


@needs_vendor_files
def test_people_who_leave_with_the_independent_server(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.add_contact("missing@example.com", lists=(102,))
    with RecordingProxy(server.url) as proxy:
        config = settings_for(server, api_url=proxy.url, streams=LEAVING)
        ended = load(config, tmp_path, *people_leave())
    assert (ended.status, ended.states) == (0, [{"row": 1}]), ended.stderr
    assert {name for name, each in server.contacts.items() if 102 in each.lists} == LEFT_OVER
    assert violations_of(proxy.exchanges) == []
    assert strict_violations_of(proxy.exchanges) == []
    assert called(proxy) == LEAVING_CALLS


@needs_vendor_files
def test_people_who_leave_with_the_sandbox(tmp_path: Path) -> None:
    with (
        EmbeddedSandbox(tmp_path / "sandbox.db", address_books=[102]) as sandbox,
        RecordingProxy(sandbox.url) as proxy,
        SandboxClient(sandbox.url, (sandbox.username, sandbox.password)) as client,
    ):
        client.load(person("missing@example.com", lists=[102]))
        config = {
            "username": sandbox.username,
            "password": sandbox.password,
            "api_url": proxy.url,
            "address_book": 102,
            "streams": LEAVING,
        }
        ended = load(config, tmp_path, *people_leave())
        left_over = {each["identifiers"]["email"] for each in client.members(102)}
    assert (ended.status, ended.states) == (0, [{"row": 1}]), ended.stderr
    assert left_over == LEFT_OVER
    assert violations_of(proxy.exchanges) == []
    assert strict_violations_of(proxy.exchanges) == []
    assert called(proxy) == LEAVING_CALLS


LEAVING_CALLS = {
    "GET /v2/account-info",
    "GET /contacts/v3",
    "GET /contacts/v3/delete/{id}",
    "GET /contacts/v3/import/{id}",
    "GET /contacts/v3/{identifier}/{value}",
    "GET /v2/address-books/{id}",
    "GET /v2/contacts/deletion/{id}",
    "GET /v2/data-fields",
    "POST /contacts/v3/delete",
    "POST /v2/address-books/{id}/contacts/delete",
    "PUT /contacts/v3/import",
}


def called(proxy: RecordingProxy) -> set[str]:
    """Return the routes that were called."""
    return {route_of(each.method, each.path) for each in proxy.exchanges}


CREATING: dict[str, Any] = {
    "address_book": "Spring segment",
    "create_address_book": True,
    "create_data_fields": True,
    "streams": {
        "people": {"fields": {"NICKNAME": "first_name", "seen-at": "seen", "FLAT": "address.flat"}}
    },
}


@needs_vendor_files
@pytest.mark.parametrize("status", [200, 201])
def test_creations_with_the_independent_server(
    status: int, server: DotdigitalServer, tmp_path: Path
) -> None:
    server.created_status = status
    with RecordingProxy(server.url) as proxy:
        config = settings_for(server, api_url=proxy.url, **CREATING)
        ended = load(config, tmp_path, *ROWS)
    assert ended.status == 0, ended.stderr
    assert sum(each.method == "POST" for each in proxy.exchanges) == 4
    assert violations_of(proxy.exchanges) == []
    assert strict_violations_of(proxy.exchanges) == []


@needs_vendor_files
def test_creations_with_the_sandbox(tmp_path: Path) -> None:
    with (
        EmbeddedSandbox(tmp_path / "sandbox.db") as sandbox,
        RecordingProxy(sandbox.url) as proxy,
    ):
        access = {"username": sandbox.username, "password": sandbox.password}
        ended = load({**access, "api_url": proxy.url, **CREATING}, tmp_path, *ROWS)
    assert ended.status == 0, ended.stderr
    assert sum(each.method == "POST" for each in proxy.exchanges) == 4
    assert violations_of(proxy.exchanges) == []
    assert strict_violations_of(proxy.exchanges) == []


@needs_vendor_files
def test_with_the_sandbox(server: DotdigitalServer, tmp_path: Path) -> None:
    """The same input, so the same contents: neither judge is alone."""
    config = settings_for(server, streams=STREAMS, address_book="Customers")
    assert load(config, tmp_path, *ROWS).status == 0
    with (
        EmbeddedSandbox(tmp_path / "sandbox.db", address_books=["Customers"]) as sandbox,
        RecordingProxy(sandbox.url) as proxy,
    ):
        config |= {
            "api_url": proxy.url,
            "username": sandbox.username,
            "password": sandbox.password,
            "batch_size_rows": 2,
        }
        ended = load(config, tmp_path, *ROWS)
        by_the_target = proxy.exchanges
        books = requests.get(
            f"{proxy.url}/v2/address-books",
            auth=(sandbox.username, sandbox.password),
            timeout=30,
        ).json()
        (book,) = (each["id"] for each in books if each["name"] == "Customers")
        members = requests.get(
            f"{proxy.url}/contacts/v3",
            params={"~listId": book, "data-fields": "[[ALL]]", "limit": 5000},
            auth=(sandbox.username, sandbox.password),
            timeout=30,
        ).json()["_items"]
    assert (ended.status, ended.states) == (0, [{"row": 6}]), ended.stderr
    assert violations_of(proxy.exchanges) == []
    assert strict_violations_of(by_the_target) == []
    mapped = STREAMS["people"]["fields"]
    in_sandbox = {
        each["identifiers"]["email"]: {
            name: value
            for name, value in each["dataFields"].items()
            if name in mapped and value is not None and name != "LASTSUBSCRIBED"
        }
        for each in members
    }
    elsewhere = {
        email: {
            name: value
            for name, value in contact.data_fields.items()
            if value is not None and name != "LASTSUBSCRIBED"
        }
        for email, contact in server.contacts.items()
    }
    assert in_sandbox == elsewhere


@needs_vendor_files
@pytest.mark.parametrize("judge", ["sandbox", "the tests' own"])
def test_a_verification_asks_as_the_contract_says(
    server: DotdigitalServer, tmp_path: Path, judge: str
) -> None:
    """Its pages are what the vendor's file describes, on both servers, and it sends only GET."""
    server.custom_identifiers.add("customerNumber")
    has: dict[str, Any] = {
        "address_books": ["Customers"],
        "custom_identifiers": ["customerNumber"],
    }
    with EmbeddedSandbox(tmp_path / "sandbox.db", **has) as sandbox:
        is_sandbox = judge == "sandbox"
        url = sandbox.url if is_sandbox else server.url
        config = settings_for(server, api_url=url, streams=AGREED)
        if is_sandbox:
            config |= {"username": sandbox.username, "password": sandbox.password}
        assert load(config, tmp_path, *AGREED_ROWS).status == 0
        with RecordingProxy(url) as proxy:
            more = record(number="C-99", email="new@example.com", books="Customers")
            ended = verify({**config, "api_url": proxy.url}, tmp_path, *AGREED_ROWS, more)
    assert (ended.status, ended.stdout) == (1, ""), ended.stderr
    assert found(ended)["missing"] == 1
    assert {each.method for each in proxy.exchanges} == {"GET"}
    assert violations_of(proxy.exchanges) == []
    assert strict_violations_of(proxy.exchanges) == []
    assert "GET /contacts/v3" in called(proxy)
