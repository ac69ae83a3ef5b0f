"""Dotdigital's own suppression list: whoever is on it is neither created nor updated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from target_dotdigital.sandbox import EmbeddedSandbox, Options, SandboxServer
from target_dotdigital.sandbox.command import main
from tests.support.sandbox.client import DEADLINE_SECONDS, SandboxClient, failure_codes, person
from tests.support.sandbox.command import SandboxCommand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATH = "/sandbox/suppressions"
BARRED = "barred@example.com"
DOMAIN = "barred.example"


@pytest.fixture
def client(database: Path) -> Iterator[SandboxClient]:
    options = Options(database, suppressed=[" Barred@Example.com", DOMAIN])
    with SandboxServer(options) as server, SandboxClient(server.url) as running:
        yield running


def suppress(client: SandboxClient, value: object) -> requests.Response:
    return client.call("POST", PATH, json={"value": value})


def by_key(**identifiers: str) -> dict[str, Any]:
    return {"matchIdentifier": "key", "identifiers": {"key": "K", **identifiers}}


@pytest.mark.parametrize(
    ("contact", "code"),
    [
        (person("BARRED@example.com"), "globallySuppressed"),
        (person("ann@barred.example"), "suppressedByDomain"),
        (by_key(email=BARRED), "globallySuppressed"),
        (by_key(email=f"bob@{DOMAIN}", mobileNumber="447123123123"), "suppressedByDomain"),
    ],
)
def test_whoever_is_on_the_list_is_not_created(
    client: SandboxClient, contact: dict[str, Any], code: str
) -> None:
    report = client.load(contact, person("not-barred@example.com"), person(f"a@b.{DOMAIN}"))
    assert failure_codes(report) == [code]
    # A domain too: the specification has no other sum for those "suppressed at account level".
    assert report["summary"] == {
        "newContacts": 2,
        "updatedContacts": 0,
        "globallySuppressed": 1,
        "invalidEntries": 0,
        "duplicateIdentifiers": 0,
    }


@pytest.mark.parametrize("value", ["ann@example.com", "example.com"])
def test_whoever_comes_on_the_list_is_updated_no_more(client: SandboxClient, value: str) -> None:
    known = client.load(person("ann@example.com"))["created"][0]["contactId"]
    assert suppress(client, value).status_code == 201
    named = {"matchIdentifier": "contactId", "identifiers": {"contactId": known}}
    for contact in (person("ann@example.com"), named):
        report = client.load({**contact, "dataFields": {"FIRSTNAME": "Ann"}})
        assert report["summary"]["globallySuppressed"] == 1
        assert report["failures"][0]["contactId"] == known
    contact = client.contact("ann@example.com")
    assert (contact["status"], contact["dataFields"]) == ("subscribed", {})
    assert client.call("DELETE", f"{PATH}/{value}").status_code == 204
    assert client.load(person("ann@example.com"))["summary"]["updatedContacts"] == 1


@pytest.mark.parametrize(
    ("email", "code"),
    [
        (BARRED, "contacts:globallySuppressed"),
        (f"ann@{DOMAIN}", "contacts:suppressedByDomain"),
    ],
)
def test_a_call_for_one_contact_is_refused_too(
    client: SandboxClient, email: str, code: str
) -> None:
    body = {"identifiers": {"email": email}}
    for method, path in (("POST", ""), ("PATCH", f"/email/{email}"), ("PATCH", "/key/K")):
        reply = client.call(method, f"/contacts/v3{path}", json=body)
        assert (reply.status_code, reply.json()["errorCode"]) == (400, code)
    assert client.get("/contacts/v3").json()["_items"] == []


def test_the_list_is_read_and_changed(client: SandboxClient) -> None:
    assert client.get(PATH).json() == [DOMAIN, BARRED]
    reply = suppress(client, "Bücher.Example")
    assert (reply.status_code, reply.json()) == (201, [DOMAIN, BARRED, "bücher.example"])
    assert suppress(client, BARRED).json() == [DOMAIN, BARRED, "bücher.example"]
    assert client.call("DELETE", f"{PATH}/BARRED@example.com").status_code == 204
    assert client.call("DELETE", f"{PATH}/b%C3%BCcher.example").status_code == 204
    gone = client.call("DELETE", f"{PATH}/{BARRED}")
    assert (gone.status_code, gone.json()["errorCode"]) == (404, "sandbox:noSuchSuppression")
    assert client.get(PATH).json() == [DOMAIN]


def test_an_address_with_a_slash_comes_off_the_list(client: SandboxClient) -> None:
    suppress(client, "a/b@example.com")
    assert client.call("DELETE", f"{PATH}/a%2Fb@example.com").status_code == 204


@pytest.mark.parametrize("value", ["", "example", "a@b@example.com", "a b@example.com", "@a.com"])
def test_what_is_neither_an_address_nor_a_domain_is_refused(
    client: SandboxClient, value: str
) -> None:
    reply = suppress(client, value)
    assert (reply.status_code, reply.json()["errorCode"]) == (400, "sandbox:badSuppression")
    assert suppress(client, 5).status_code == 400
    assert client.get(PATH).json() == [DOMAIN, BARRED]


def test_another_site_cannot_change_the_list(client: SandboxClient) -> None:
    plain = client.call("POST", PATH, data='{"value": "a@example.com"}')
    assert plain.status_code == 415
    foreign = {"Origin": "https://evil.example"}
    for method, path in (("GET", PATH), ("POST", PATH), ("DELETE", f"{PATH}/{DOMAIN}")):
        assert (
            client.call(method, path, json={"value": "x.com"}, headers=foreign).status_code == 403
        )
    assert client.get(PATH).json() == [DOMAIN, BARRED]


def test_a_reset_leaves_what_the_list_was_started_with(client: SandboxClient) -> None:
    suppress(client, "later@example.com")
    client.call("DELETE", f"{PATH}/{DOMAIN}")
    assert client.call("POST", "/sandbox/reset", json={}).status_code == 204
    assert client.get(PATH).json() == [DOMAIN, BARRED]


def test_the_list_outlives_a_restart(database: Path) -> None:
    with SandboxServer(Options(database, suppressed=[DOMAIN])):
        pass
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        assert client.get(PATH).json() == [DOMAIN]


def test_the_embedded_sandbox_takes_the_list(database: Path) -> None:
    with EmbeddedSandbox(database, suppressed=[BARRED]) as sandbox:
        credentials = (sandbox.username, sandbox.password)
        reply = requests.get(sandbox.url + PATH, auth=credentials, timeout=DEADLINE_SECONDS)
        assert reply.json() == [BARRED]


def test_the_command_takes_the_list(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--suppress", BARRED, "--suppress", DOMAIN)
    with SandboxCommand(database, *arguments) as command, SandboxClient(command.url) as client:
        assert client.get(PATH).json() == [DOMAIN, BARRED]
    assert main([f"--database={database}", "--port=0", "--suppress=no-address@"]) == 1
    error = capsys.readouterr().err
    assert "an address or a domain" in error
    assert "no-address" not in error
