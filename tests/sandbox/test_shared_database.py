"""One database, several programs: who has it, who joins in, and what the others are told."""

from __future__ import annotations

import json
import os
import signal
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from target_dotdigital.sandbox import EmbeddedSandbox, Options, SandboxServer, embedded
from target_dotdigital.sandbox.command import main
from target_dotdigital.sandbox.http import Credentials
from tests.support.sandbox.client import SandboxClient, people
from tests.support.sandbox.command import SandboxCommand

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "SHARE_SECONDS", 0.0)


def lock_file(database: Path) -> Path:
    return Path(f"{database}-lock")


def names_in(sandbox: EmbeddedSandbox) -> set[str]:
    with SandboxClient(sandbox.url, (sandbox.username, sandbox.password)) as client:
        return {each["name"] for each in client.get("/v2/address-books").json()}


@pytest.mark.parametrize("arguments", [(), ("--username=me",)], ids=["open", "with credentials"])
def test_a_program_uses_the_sandbox_that_runs(database: Path, arguments: tuple[str, ...]) -> None:
    password = "s3cret" if arguments else None
    with SandboxCommand(database, *arguments, password=password) as command:
        for _ in range(2):
            with EmbeddedSandbox(
                database, address_books=["New", 42], preferences=[7], custom_identifiers=["crmId"]
            ) as sandbox:
                assert sandbox.is_shared
                assert sandbox.url == command.url
                assert names_in(sandbox) >= {"New", "Address book 42"}
                account = (sandbox.username, sandbox.password)
        assert stat.S_IMODE(lock_file(database).stat().st_mode) == 0o600
        # It goes on: only the program has ended.
        with SandboxClient(command.url, account) as client:
            found = client.get("/configuration/v3/customIdentifiers").json()
            assert [each["name"] for each in found] == ["crmId"]
            client.load(*people(3, "p"))
        command.end(signal.SIGTERM)
    assert lock_file(database).read_bytes() == b""
    with EmbeddedSandbox(database) as sandbox:
        assert not sandbox.is_shared
        assert names_in(sandbox) >= {"New"}


def test_what_cannot_be_created_is_told(database: Path) -> None:
    with SandboxCommand(database), pytest.raises(ValueError, match="an address book's"):
        EmbeddedSandbox(database, address_books=["x" * 129])


def test_faults_do_not_keep_it_from_being_found(database: Path, tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps([{"route": "*", "kind": "answer", "status": 500}]))
    with SandboxCommand(database, f"--faults={faults}") as command:
        sandbox = EmbeddedSandbox(database)
        assert (sandbox.is_shared, sandbox.url) == (True, command.url)
        with SandboxClient(sandbox.url) as client:
            assert client.get("/v2/account-info").status_code == 500


def test_a_sandbox_that_was_killed_misleads_nobody(database: Path) -> None:
    with SandboxCommand(database) as command:
        command.end(signal.SIGKILL)
    assert command.url in lock_file(database).read_text()
    with EmbeddedSandbox(database) as sandbox:
        assert not sandbox.is_shared
        assert command.url not in lock_file(database).read_text()


def test_a_lock_file_that_others_could_read_is_closed_to_them(database: Path) -> None:
    lock_file(database).touch(0o644)
    lock_file(database).write_text("an older one, which was longer than what is written now" * 9)
    with SandboxCommand(database), EmbeddedSandbox(database) as sandbox:
        assert sandbox.is_shared
        assert stat.S_IMODE(lock_file(database).stat().st_mode) == 0o600


def test_a_server_on_every_interface_is_reached_on_loopback(database: Path) -> None:
    account = Credentials("me", "s3cret")
    options = Options(database, host="0.0.0.0", credentials=account, is_shared=True)  # noqa: S104
    with SandboxServer(options), EmbeddedSandbox(database) as sandbox:
        assert sandbox.url.startswith("http://127.0.0.1:")
        assert "s3cret" not in repr(sandbox)
        assert names_in(sandbox)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[SandboxServer]:
    with SandboxServer(Options(tmp_path / "other.db", is_shared=True)) as other:
        yield other


@pytest.mark.usefixtures("impatience")
def test_another_sandbox_at_the_same_url_is_not_taken_for_it(
    database: Path, other: SandboxServer
) -> None:
    """A volume that containers share: the lock is there, and the URL leads elsewhere."""
    with SandboxServer(Options(database, is_shared=True)) as server:
        text = lock_file(database).read_text().replace(server.url, other.url)
        lock_file(database).write_text(text)
        with pytest.raises(OSError, match=f"in use by another sandbox, at {other.url}"):
            EmbeddedSandbox(database, address_books=["New"])
    with SandboxClient(other.url) as client:
        assert "New" not in {each["name"] for each in client.get("/v2/address-books").json()}


@pytest.mark.usefixtures("impatience")
@pytest.mark.parametrize("content", [b"", b"{}", b"[1", b"\xff", b'{"process": "x"}'])
def test_one_that_does_not_say_where_it_is(database: Path, content: bytes) -> None:
    with SandboxServer(Options(database, is_shared=True)):
        lock_file(database).write_bytes(content)
        with pytest.raises(OSError, match=r"in use by another sandbox\. Stop that one"):
            EmbeddedSandbox(database)


def test_a_load_has_its_sandbox_to_itself(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with EmbeddedSandbox(database):
        with pytest.raises(OSError, match=f"inside process {os.getpid()}, such as a load"):
            EmbeddedSandbox(database)
        assert main(["--port=0", f"--database={database}"]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"The sandbox cannot start: {database} is in use by another sandbox")
    assert "Wait until that has ended and start again" in told


def test_a_second_server_is_told_where_the_first_one_is(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with SandboxCommand(database, "--username=me", password="s3cret") as command:
        assert main(["--port=0", f"--database={database}"]) == 1
    told = capsys.readouterr().err
    assert f"at {command.url} (process {command.process.pid}). Use that one, stop it" in told
    assert "s3cret" not in told
