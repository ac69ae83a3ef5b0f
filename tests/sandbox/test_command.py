from __future__ import annotations

import signal
import socket
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from target_dotdigital.sandbox import EmbeddedSandbox
from target_dotdigital.sandbox.command import main
from tests.support.sandbox.client import SandboxClient
from tests.support.sandbox.command import SandboxCommand

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(database: Path, signal_number: signal.Signals) -> None:
    with SandboxCommand(database) as command:
        with SandboxClient(command.url) as client:
            assert client.get("/v2/account-info").status_code == 200
            # The client's connection is still open: ending does not wait for it.
            _, errors = command.end(signal_number)
        assert (command.process.returncode, errors) == (0, "")


def test_it_says_where_it_serves_and_how_the_target_gets_there(database: Path) -> None:
    with SandboxCommand(database) as command:
        assert command.ready_line.startswith(f"Sandbox ready at {command.url} ")
        assert f"api_url: {command.url} " in command.advice_line


def test_it_creates_the_address_books_that_are_named(database: Path) -> None:
    arguments = ("--address-book=Customers", "--address-book", "4711", "--address-book=test")
    for _ in range(2):
        with SandboxCommand(database, *arguments) as command:
            with SandboxClient(command.url) as client:
                books = client.get("/v2/address-books").json()
            command.end(signal.SIGTERM)
    names = sorted(book["name"] for book in books)
    assert names == ["Address book 4711", "All Contacts", "Customers", "Test"]
    assert 4711 in {book["id"] for book in books}


def test_it_creates_the_custom_identifiers_that_are_named(database: Path) -> None:
    arguments = ("--custom-identifier=crmId", "--custom-identifier", "shopper-number")
    with SandboxCommand(database, *arguments) as command, SandboxClient(command.url) as client:
        found = client.get("/configuration/v3/customIdentifiers").json()
    assert {each["name"] for each in found} == {"crmId", "shopper-number"}


def test_with_credentials_no_others_are_accepted(database: Path) -> None:
    with SandboxCommand(database, "--username=me", password="s3cret") as command:
        for credentials, status in ((("me", "s3cret"), 200), (("me", "other"), 401)):
            with SandboxClient(command.url, credentials) as client:
                assert client.get("/v2/account-info").status_code == status
        rest, errors = command.end(signal.SIGTERM)
    assert "s3cret" not in command.ready_line + command.advice_line + rest + errors


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])  # noqa: S104
def test_others_than_this_machine_need_credentials(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refusal:
        main(["--host", host])
    assert refusal.value.code == 2
    assert "needs --username and --password" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argument", ["--username=me", "--password=p", "--port=x", "--port=65536", "--port=-1"]
)
def test_an_argument_that_makes_no_sense_is_refused(argument: str) -> None:
    with pytest.raises(SystemExit) as refusal:
        main([argument])
    assert refusal.value.code == 2


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    told = capsys.readouterr().out
    assert told == f"target-dotdigital-sandbox {version('target-dotdigital')}\n"


def test_help_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    told = capsys.readouterr().out
    for word in ("api_url", "--host", "8025", "--database", "--address-book", "--username"):
        assert word in told


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_a_script_that_completes_it(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--print-completion", shell])
    assert end.value.code == 0
    script = capsys.readouterr().out
    for option in ("--database", "--rate-limits", "--version"):
        assert option.lstrip("-") in script


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    found = f"target-dotdigital-sandbox {version('target-dotdigital')}\n"
    assert capsys.readouterr().out == found


def test_a_port_in_use_is_told(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert main([f"--port={port}", f"--database={database}"]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"The sandbox cannot start: port {port} of 127.0.0.1 is in use")
    assert "--port" in told


def test_a_file_that_is_no_database_is_told(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database.write_text("This is a letter, and it is much longer than a header. " * 20)
    assert main(["--port=0", f"--database={database}"]) == 1
    assert str(database) in capsys.readouterr().err


def test_a_database_in_use_is_told(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with EmbeddedSandbox(database):
        assert main(["--port=0", f"--database={database}"]) == 1
    assert "in use by another sandbox" in capsys.readouterr().err


def test_a_failed_start_leaves_signals_as_they_were(database: Path) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert main(["--port=0", f"--database={database}", "--address-book=0"]) == 1
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
