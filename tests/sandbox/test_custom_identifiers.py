"""Custom identifiers: the account defines them, and contacts have no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import read_switches
from tests.support.dotdigital.contract.openapi import check_response, needs_vendor_files
from tests.support.sandbox.client import SandboxClient, failure_codes, person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests

PATH = "/configuration/v3/customIdentifiers"
NAMED = ("crmId", "shopper-number")


@pytest.fixture
def client(database: Path) -> Iterator[SandboxClient]:
    options = Options(database, custom_identifiers=NAMED)
    with SandboxServer(options) as server, SandboxClient(server.url) as running:
        yield running


def names(client: SandboxClient) -> set[str]:
    return {each["name"] for each in client.get(PATH).json()}


def create(client: SandboxClient, name: object) -> requests.Response:
    return client.call("POST", PATH, json={"name": name})


def keyed(name: str, value: str, email: str) -> dict[str, Any]:
    return {"matchIdentifier": name, "identifiers": {name: value, "email": email}}


def test_those_named_at_the_start_and_those_created_are_listed(client: SandboxClient) -> None:
    reply = create(client, "Profile_ID")
    assert reply.status_code == 201
    assert reply.json()["name"] == "Profile_ID"
    assert reply.json() in client.get(PATH).json()
    assert names(client) == {*NAMED, "Profile_ID"}


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("x" * 51, 400, "customIdentifiers:nameTooLong"),
        ("", 400, "customIdentifiers:nameInvalid"),
        ("with blank", 400, "customIdentifiers:nameInvalid"),
        (7, 400, "customIdentifiers:badRequest"),
        ("crmId", 409, "customIdentifiers:nameAlreadyExists"),
        ("CRMID", 409, "customIdentifiers:nameAlreadyExists"),
        ("Email", 409, "customIdentifiers:nameAlreadyExists"),
    ],
)
def test_a_name_that_cannot_be_is_refused(
    client: SandboxClient, name: object, status: int, code: str
) -> None:
    reply = create(client, name)
    assert (reply.status_code, reply.json()["errorCode"]) == (status, code)
    assert names(client) == set(NAMED)


def test_there_is_a_limit(client: SandboxClient) -> None:
    statuses = [create(client, f"number{number}").status_code for number in range(60)]
    assert statuses == [201] * (50 - len(NAMED)) + [412] * (10 + len(NAMED))


def test_an_unknown_one_fails_the_contact_alone(client: SandboxClient) -> None:
    report = client.load(
        keyed("crmId", "1", "known@example.com"),
        keyed("crmID", "2", "case@example.com"),
        keyed("other", "3", "match@example.com"),
        person("beside@example.com") | {"identifiers": {"email": "b@example.com", "other": "4"}},
    )
    assert failure_codes(report) == ["invalidMatchIdentifier"] * 3
    assert report["summary"] == {
        "newContacts": 1,
        "updatedContacts": 0,
        "globallySuppressed": 0,
        "invalidEntries": 3,
        "duplicateIdentifiers": 0,
    }
    assert client.contact("1", "crmId")["identifiers"]["email"] == "known@example.com"


def test_an_unknown_one_is_refused_by_the_calls_about_one_contact(client: SandboxClient) -> None:
    client.load(person("one@example.com"))
    for method in ("GET", "DELETE", "PATCH", "PUT"):
        body = {"identifiers": {"email": "one@example.com"}}
        reply = client.call(method, "/contacts/v3/other/1", json=body)
        assert (reply.status_code, reply.json()["errorCode"]) == (400, "contacts:invalidId")
    body = {"identifiers": {"email": "two@example.com", "other": "1"}}
    for method, path in (("POST", ""), ("PATCH", "/email/one%40example.com")):
        reply = client.call(method, f"/contacts/v3{path}", json=body)
        assert (reply.status_code, reply.json()["errorCode"]) == (400, "contacts:badRequest")
        assert reply.json()["details"][0]["item"] == "invalidMatchIdentifier"
    assert client.get("/contacts/v3/crmId/1").status_code == 404


def test_nobody_is_deleted_by_an_unknown_one(client: SandboxClient) -> None:
    client.load(keyed("crmId", "1", "one@example.com"))
    reply = client.call("POST", "/contacts/v3/delete", json=[{"other": "1"}, {"crmId": "2"}])
    path = f"/contacts/v3/delete/{reply.json()['deleteId']}"
    report = client.poll(path, "NotStarted", "NotFinished")
    assert failure_codes(report) == ["invalidMatchIdentifier", "contactNotFound"]
    assert report["summary"]["invalidEntries"] == 1


def test_one_that_is_deleted_is_unknown_from_then_on(client: SandboxClient) -> None:
    assert client.call("DELETE", f"{PATH}/crmId").status_code == 204
    reply = client.call("DELETE", f"{PATH}/crmId")
    assert (reply.status_code, reply.json()["errorCode"]) == (404, "customIdentifiers:notExist")
    assert client.call("DELETE", f"{PATH}/email").status_code == 404
    report = client.load(keyed("crmId", "1", "one@example.com"))
    assert failure_codes(report) == ["invalidMatchIdentifier"]


@pytest.mark.parametrize(("position", "status"), [("inUse", 400), ("deleted", 204)])
def test_one_that_contacts_have_is_deleted_with_a_switch_only(
    database: Path, position: str, status: int
) -> None:
    switches = read_switches([f"used-identifier={position}"])
    options = Options(database, custom_identifiers=NAMED, switches=switches)
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        client.load(keyed("crmId", "1", "one@example.com"))
        reply = client.call("DELETE", f"{PATH}/crmId")
        assert reply.status_code == status
        kept = client.contact("one@example.com")["identifiers"]
        if status == 400:
            assert reply.json()["errorCode"] == "customIdentifiers:inUse"
            assert kept["crmId"] == "1"
        else:
            assert "crmId" not in kept
            # Otherwise the value would be there again with the next one of that name.
            create(client, "crmId")
            assert client.get("/contacts/v3/crmId/1").status_code == 404


def test_a_reset_keeps_those_named_at_the_start(client: SandboxClient) -> None:
    create(client, "other")
    client.call("DELETE", f"{PATH}/crmId")
    assert client.call("POST", "/sandbox/reset", json={}).status_code == 204
    assert names(client) == set(NAMED)


@pytest.mark.parametrize("name", ["", "x" * 51, "with blank", "Email", "contactId"])
def test_a_sandbox_does_not_start_with_a_name_that_cannot_be(database: Path, name: str) -> None:
    with pytest.raises(ValueError, match="a custom identifier's name"):
        SandboxServer(Options(database, custom_identifiers=[name]))


@needs_vendor_files
def test_the_answers_are_valid(client: SandboxClient) -> None:
    client.load(keyed("crmId", "1", "one@example.com"))
    calls = [
        ("GET", PATH, None),
        *(("POST", PATH, {"name": name}) for name in ("new", "new", "x" * 51, 7)),
        *(("DELETE", f"{PATH}/{name}", None) for name in ("new", "new", "crmId")),
    ]
    statuses = []
    for method, path, body in calls:
        reply = client.call(method, path, json=body)
        statuses.append(reply.status_code)
        found = check_response(method, path, reply.status_code, reply.headers, reply.content)
        assert found == []
    assert statuses == [200, 201, 409, 400, 400, 204, 404, 400]
