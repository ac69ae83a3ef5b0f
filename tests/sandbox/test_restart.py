"""What was accepted survives the end of the process, however it comes."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from tests.support.sandbox.client import SandboxClient, failure_codes, people, person
from tests.support.sandbox.command import SandboxCommand

if TYPE_CHECKING:
    from pathlib import Path

LIST_ID = 42
IMPORTS = 20
CONTACTS = 2_200


def contacts_of(number: int) -> list[dict[str, Any]]:
    """An import of three parts with a bad contact, and at its end a duplicate of its start."""
    contacts = people(
        CONTACTS, f"import{number}-", lists=[LIST_ID], dataFields={"FIRSTNAME": f"F{number}"}
    )
    contacts[1_500] = person("not an address")
    return [*contacts, contacts[0]]


def check_everything(client: SandboxClient, import_ids: list[str]) -> None:
    """Check that each import has the outcome that it would have had undisturbed."""
    for import_id in import_ids:
        report = client.finish(import_id)
        assert report["summary"] == {
            "newContacts": CONTACTS - 1,
            "updatedContacts": 0,
            "globallySuppressed": 0,
            "invalidEntries": 1,
            "duplicateIdentifiers": 1,
        }
        assert failure_codes(report) == ["invalidEmail", "duplicateIdentifier"]
        assert len({one["contactId"] for one in report["created"]}) == CONTACTS - 1
    members = client.members(LIST_ID)
    assert len({one["identifiers"]["email"] for one in members}) == len(members)
    assert len(members) == len(import_ids) * (CONTACTS - 1)
    count = client.get(f"/v2/address-books/{LIST_ID}").json()["contacts"]
    assert count == len(members)


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM])
def test_imports_that_a_signal_interrupts_are_finished_after_a_restart(
    database: Path, signal_number: signal.Signals
) -> None:
    with (
        SandboxCommand(database, f"--address-book={LIST_ID}") as command,
        SandboxClient(command.url) as client,
    ):
        import_ids = [client.start_import(contacts_of(number)) for number in range(IMPORTS)]
        unfinished = client.report(import_ids[-1])["status"]
        command.end(signal_number)
    assert unfinished == "NotFinished"
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        check_everything(client, import_ids)


def test_an_import_that_is_killed_again_and_again_is_finished_in_the_end(database: Path) -> None:
    with (
        SandboxServer(Options(database, address_books=[LIST_ID], slots=0)) as server,
        SandboxClient(server.url) as client,
    ):
        import_ids = [client.start_import(contacts_of(number)) for number in range(IMPORTS)]
    for _ in range(2):
        with SandboxCommand(database) as command:
            command.end(signal.SIGKILL)
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        check_everything(client, import_ids)


def state_of(client: SandboxClient, import_id: str) -> list[Any]:
    return [
        client.finish(import_id),
        client.get("/v2/address-books").json(),
        client.get("/v2/data-fields").json(),
        client.contact("kept@example.com"),
    ]


def test_everything_is_there_after_a_restart(database: Path) -> None:
    options = Options(database, address_books=["Customers", LIST_ID])
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        client.create_field("SCORE", "Numeric")
        kept = person("kept@example.com", lists=[LIST_ID], dataFields={"SCORE": 5})
        import_id = client.start_import([kept])
        before = state_of(client, import_id)
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        assert state_of(client, import_id) == before
