from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.command import main
from target_dotdigital.sandbox.imports import DOTDIGITAL_PACE
from tests.support.sandbox.client import DEADLINE_SECONDS, SandboxClient, people
from tests.support.sandbox.command import SandboxCommand

if TYPE_CHECKING:
    from pathlib import Path

LIST_ID = 42


def contacts(client: SandboxClient) -> int:
    count: int = client.get(f"/v2/address-books/{LIST_ID}").json()["contacts"]
    return count


def test_an_import_takes_as_long_as_its_contacts_do(database: Path) -> None:
    options = Options(database, pace=200)
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        began = time.monotonic()
        report = client.load(*people(100, "a"))
        assert time.monotonic() - began >= 0.5
        assert report["summary"]["newContacts"] == 100


def test_every_slot_has_the_pace_for_itself(database: Path) -> None:
    # Minutes each, and more than that one after the other: they are seen side by side.
    options = Options(database, pace=4, slots=4)
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        import_ids = [client.start_import(people(2_000, f"i{number}-")) for number in range(4)]
        deadline = time.monotonic() + DEADLINE_SECONDS
        for number in range(4):
            first = f"/contacts/v3/email/i{number}-0@example.com"
            while client.get(first).status_code != 200:
                assert time.monotonic() < deadline
                time.sleep(0.01)
        assert {client.report(each)["status"] for each in import_ids} == {"NotFinished"}


def test_progress_survives_a_stop_and_stopping_does_not_wait_for_the_pace(database: Path) -> None:
    options = Options(database, address_books=[LIST_ID], pace=4)
    sent = people(2_000, "a", lists=[LIST_ID])
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        import_id = client.start_import(sent)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not contacts(client):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < DEADLINE_SECONDS  # the rest takes eight minutes
    with SandboxServer(Options(database, slots=0)) as server, SandboxClient(server.url) as client:
        assert 0 < contacts(client) < 2_000
        assert client.report(import_id)["status"] == "NotFinished"
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        assert client.finish(import_id)["summary"]["newContacts"] == 2_000
        assert contacts(client) == 2_000


def test_a_slow_import_holds_a_slot_and_the_26th_is_refused(database: Path) -> None:
    with (
        SandboxCommand(database, "--pace=0.001", "--slots=2") as command,
        SandboxClient(command.url) as client,
    ):
        for number in range(25):
            client.start_import(people(1, f"i{number}-"))
        refused = client.send_import(people(1, "refused"))
        assert refused.status_code == 429
        assert refused.json()["errorCode"] == "contacts:tooManyActiveImports"


def test_dotdigitals_pace_is_a_million_in_three_hours() -> None:
    assert round(DOTDIGITAL_PACE * 3 * 3_600) == 1_000_000


@pytest.mark.parametrize("pace", ["dotdigital", "quick", "5000", "0.5"])
def test_a_pace_is_a_word_or_a_number(database: Path, pace: str) -> None:
    with SandboxCommand(database, f"--pace={pace}") as command:
        assert command.url


@pytest.mark.parametrize(
    "argument",
    ["--pace=0", "--pace=-1", "--pace=nan", "--pace=inf", "--pace=fast", "--slots=26", "--slots=x"],
)
def test_a_pace_or_a_number_of_slots_that_is_none_is_refused(argument: str) -> None:
    with pytest.raises(SystemExit) as refusal:
        main([argument])
    assert refusal.value.code == 2
