"""No value, address or credential is ever logged, and a fault inside ends no server."""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING, NoReturn

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.api.v3.contacts import pages
from target_dotdigital.sandbox.imports import parts
from tests.support.sandbox.client import SandboxClient, person
from tests.support.sandbox.v2_imports import ROUTE, csv_of, finish, upload

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from target_dotdigital.sandbox import EmbeddedSandbox

CANARY = "canary-7f3a"


def log_lines(caplog: pytest.LogCaptureFixture) -> str:
    """Return what the server logs; the client's own library logs paths, which is its affair."""
    formatter = logging.Formatter("%(name)s %(message)s")
    return "\n".join(
        formatter.format(record)
        for record in caplog.records
        if not record.name.startswith("urllib3")
    )


def exercise(client: SandboxClient) -> None:
    client.load(
        person(f"{CANARY}@example.com", dataFields={"FIRSTNAME": CANARY, CANARY: CANARY}),
        person(f"{CANARY}@@example.com", dataFields={"FIRSTNAME": CANARY}),
        person(f"{CANARY}@example.com"),
    )
    client.send_import([{"matchIdentifier": CANARY, "identifiers": {CANARY: 5}}])
    client.call("PUT", "/contacts/v3/import", data=f'{{"{CANARY}'.encode())
    client.get(f"/contacts/v3/email/{CANARY}%40example.com", marker=CANARY)
    client.get(f"/{CANARY}")
    client.call("POST", "/v2/address-books", json={"name": CANARY, "visibility": CANARY})
    rows = csv_of(("Email", "FirstName", CANARY), (f"{CANARY}2@example.com", CANARY, CANARY))
    finish(client, upload(client, rows, name=f"{CANARY}.csv"))
    finish(client, upload(client, f'Email\n"{CANARY}'.encode()), "InvalidFileFormat")
    form = {"Content-Type": f"multipart/form-data; boundary={CANARY}"}
    client.call("POST", ROUTE, data=f"--{CANARY}\r\n{CANARY}".encode(), headers=form)


def test_nothing_of_a_request_is_logged_at_any_level(
    embedded: EmbeddedSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for credentials in ((embedded.username, embedded.password), (CANARY, CANARY)):
        with SandboxClient(embedded.url, credentials) as client:
            if credentials[0] == CANARY:
                assert client.get("/v2/account-info").status_code == 401
            else:
                exercise(client)
    lines = log_lines(caplog)
    assert CANARY not in lines
    assert embedded.password not in lines
    assert embedded.username not in lines


def _break(*_arguments: object) -> NoReturn:
    raise sqlite3.OperationalError(CANARY)


def test_a_fault_in_a_call_is_answered_500_without_its_text(
    sandbox: SandboxClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(pages, "find_contact", _break)
        reply = sandbox.get("/contacts/v3/email/a%40example.com")
    assert (reply.status_code, reply.json()["errorCode"]) == (500, "server:unknown")
    assert sandbox.get("/contacts/v3/email/a%40example.com").status_code == 404
    assert "A call failed: OperationalError" in log_lines(caplog)
    assert CANARY not in log_lines(caplog) + caplog.text + reply.text


def test_a_fault_in_an_import_fails_that_import_alone(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        SandboxServer(Options(database, slots=1)) as server,
        SandboxClient(server.url) as client,
    ):
        with monkeypatch.context() as broken:
            broken.setattr(parts, "import_part", _break)
            import_id = client.start_import([person("a@example.com")])
            client.finish(import_id, "Failed")
        assert client.load(person("b@example.com"))["summary"]["newContacts"] == 1
    assert "failed: OperationalError" in log_lines(caplog)
    assert CANARY not in caplog.text
