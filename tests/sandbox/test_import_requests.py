from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from tests.sandbox.conftest import LIST_ID
from tests.support.sandbox.client import SandboxClient, people, person

if TYPE_CHECKING:
    from pathlib import Path

    import requests

PATH = "/contacts/v3/import"
MAXIMUM_BODY_BYTES = 50_000_000
MAXIMUM_ACTIVE_IMPORTS = 25


def put(sandbox: SandboxClient, body: bytes) -> requests.Response:
    return sandbox.call("PUT", PATH, data=body, headers={"Content-Type": "application/json"})


def consent(**parts: str) -> dict[str, str]:
    return {
        "text": "Yes",
        "dateTimeConsented": "2023-01-26T21:29:00Z",
        "url": "http://www.example.com/signup",
        "ipAddress": "129.168.0.2",
        "userAgent": "Mozilla/5.0",
        **parts,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b'{"contacts": [',
        b'{"contacts": [{"matchIdentifier": "email", "identifiers": }]}',
        b'{"contacts": [{"matchIdentifier": "email", "identifiers": {"email": "\xff"}}]}',
        b'{"contacts": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
        b'{"contacts": [{"matchIdentifier": "email", "identifiers": {"email": "a@example.com"}, '
        b'"dataFields": {"FIRSTNAME": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}]}",
    ],
    ids=["nothing", "a word", "half", "a hole", "not UTF-8", "too deep", "too deep inside"],
)
def test_what_is_no_json_is_refused(sandbox: SandboxClient, body: bytes) -> None:
    reply = put(sandbox, body)
    assert reply.status_code == 400
    assert reply.json()["errorCode"] == "contacts:badJson"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "contacts:badRequest"),
        ({"contacts": []}, "contacts:badRequest"),
        ({"contacts": None}, "server:badRequest"),
        ({"contacts": {}}, "server:badRequest"),
        ([], "server:badRequest"),
        ({"contacts": people(1, "x"), "mergeOption": "overwrite-if-empty"}, "contacts:badRequest"),
    ],
)
def test_a_request_that_is_no_import_is_refused(
    sandbox: SandboxClient, body: object, code: str
) -> None:
    reply = put(sandbox, json.dumps(body).encode())
    assert reply.status_code == 400
    assert reply.json()["errorCode"] == code


@pytest.mark.parametrize(
    ("contact", "code"),
    [
        ({"identifiers": {"email": "bad@example.com"}}, "contacts:badRequest"),
        ({"matchIdentifier": "email"}, "contacts:badRequest"),
        (
            {"matchIdentifier": "a name", "identifiers": {"email": "bad@example.com"}},
            "contacts:badRequest",
        ),
        ({"matchIdentifier": "email", "identifiers": {"email": 5}}, "server:badRequest"),
        ({"matchIdentifier": "email", "identifiers": {"email": None}}, "server:badRequest"),
        ({"matchIdentifier": "email", "identifiers": "bad@example.com"}, "server:badRequest"),
        (person("bad@example.com", dataFields=[{"key": "A", "value": 1}]), "server:badRequest"),
        (person("bad@example.com", dataFields=None), "server:badRequest"),
        (person("bad@example.com", lists=[]), "contacts:badRequest"),
        (person("bad@example.com", lists=[LIST_ID] * 101), "contacts:badRequest"),
        (person("bad@example.com", lists=[str(LIST_ID)]), "server:badRequest"),
        (person("bad@example.com", lists=[float(LIST_ID)]), "server:badRequest"),
        (person("bad@example.com", lists=[True]), "server:badRequest"),
        (person("bad@example.com", channelProperties={"fax": {}}), "contacts:badRequest"),
        (
            person("bad@example.com", channelProperties={"email": {"Status": "subscribed"}}),
            "contacts:badRequest",
        ),
        (
            person("bad@example.com", channelProperties={"sms": {"status": True}}),
            "server:badRequest",
        ),
        (person("bad@example.com", preferences={"1": True}), "server:badRequest"),
        (person("bad@example.com", consentRecords=[{"text": "yes"}]), "contacts:badRequest"),
        (
            person("bad@example.com", consentRecords=[consent(colour="blue")]),
            "contacts:badRequest",
        ),
        ("bad@example.com", "server:badRequest"),
    ],
)
def test_one_contact_of_the_wrong_structure_refuses_the_request(
    sandbox: SandboxClient, contact: dict[str, object], code: str
) -> None:
    reply = sandbox.send_import([person("good@example.com"), contact])
    assert reply.status_code == 400
    error = reply.json()
    assert error["errorCode"] == code
    assert error["details"][0]["item"].startswith("$.contacts[1]")
    assert sandbox.get("/contacts/v3/email/good%40example.com").status_code == 404


def test_a_key_that_the_specification_does_not_name_is_ignored(sandbox: SandboxClient) -> None:
    assert sandbox.load(person("extra@example.com", extra=1))["summary"]["newContacts"] == 1


def padded(size: int) -> bytes:
    contact = b'{"matchIdentifier": "email", "identifiers": {"email": "large@example.com"}}'
    body = b'{"contacts": [' + contact + b"]"
    return body + b" " * (size - len(body) - 1) + b"}"


def test_a_body_of_50_mb_is_accepted_and_one_byte_more_is_not(sandbox: SandboxClient) -> None:
    accepted = put(sandbox, padded(MAXIMUM_BODY_BYTES))
    refused = put(sandbox, padded(MAXIMUM_BODY_BYTES + 1))
    assert accepted.status_code == 202
    assert refused.status_code == 413
    assert "errorCode" in refused.json()


def test_a_26th_active_import_is_refused_until_one_finishes(database: Path) -> None:
    with (
        SandboxServer(Options(database, slots=0)) as server,
        SandboxClient(server.url) as client,
    ):
        waiting = [
            client.start_import(people(1, f"queue{number}-"))
            for number in range(MAXIMUM_ACTIVE_IMPORTS)
        ]
        refused = client.send_import(people(1, "one-too-many"))
        assert refused.status_code == 429
        assert refused.json()["errorCode"] == "contacts:tooManyActiveImports"
        assert {client.report(import_id)["status"] for import_id in waiting} == {"NotFinished"}
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        for import_id in waiting:
            client.finish(import_id)
        assert client.load(*people(1, "now"))["summary"]["newContacts"] == 1


@pytest.mark.parametrize("import_id", ["123646", "x", "7de900d-d337-43f6-b1e1-c8ec73e1a434"])
def test_a_malformed_import_id_is_refused(sandbox: SandboxClient, import_id: str) -> None:
    reply = sandbox.get(f"{PATH}/{import_id}")
    assert (reply.status_code, reply.json()["errorCode"]) == (400, "contacts:invalidId")


def test_an_unknown_import_is_answered_404(sandbox: SandboxClient) -> None:
    reply = sandbox.get(f"{PATH}/d7de900d-d337-43f6-b1e1-c8ec73e1a434")
    assert (reply.status_code, reply.json()["errorCode"]) == (404, "contacts:importNotFound")
