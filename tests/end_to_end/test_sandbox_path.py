"""`sandbox_path` beside a sandbox that runs on the same file, in any order."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.messages import rows, schema, state
from tests.support.sandbox.client import SandboxClient
from tests.support.sandbox.command import SandboxCommand
from tests.support.target.command import TargetProcess, load

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = [schema(), *rows(["ann", "bob"]), state(1)]


def config(folder: Path, **settings: Any) -> dict[str, Any]:
    return {"sandbox_path": str(folder / "sandbox.db"), "address_book": "Customers", **settings}


def emails_at(url: str) -> list[str]:
    with SandboxClient(url) as client:
        found = client.get("/contacts/v3").json()["_items"]
    return sorted(each["identifiers"]["email"] for each in found)


@pytest.mark.parametrize("password", [None, "s3cret"])
def test_load_look_load_look(tmp_path: Path, password: str | None) -> None:
    user = ("--username=me",) if password else ()
    assert load(config(tmp_path), tmp_path, *PEOPLE).status == 0
    for number in range(2):
        with SandboxCommand(tmp_path / "sandbox.db", *user, password=password) as command:
            new = [schema(), *rows([f"new.{number}"]), state(2)]
            ended = load(config(tmp_path), tmp_path, *new)
            assert (ended.status, ended.states) == (0, [2]), ended.stderr
            assert f"using the sandbox that runs on this file, at {command.url}" in ended.stderr
            assert "s3cret" not in ended.stderr
            if password is None:
                assert f"new.{number}@example.com" in emails_at(command.url)
            command.end((signal.SIGTERM, signal.SIGKILL)[number])
    ended = load(config(tmp_path), tmp_path, *PEOPLE)
    assert ended.status == 0
    assert "using the sandbox" not in ended.stderr


def test_a_dry_run_and_the_preflight_use_it_and_create_nothing(tmp_path: Path) -> None:
    with SandboxCommand(tmp_path / "sandbox.db") as command:
        ended = load(config(tmp_path, dry_run=True), tmp_path, *PEOPLE)
        assert (ended.status, ended.stdout) == (0, "")
        with TargetProcess(config(tmp_path), tmp_path, arguments=("--test",)) as target:
            ended = target.end()
        assert ended.status == 0
        assert "OK   Address book 'Customers': will be created in the sandbox" in ended.stdout
        with SandboxClient(command.url) as client:
            names = {each["name"] for each in client.get("/v2/address-books").json()}
    assert "Customers" not in names


def test_its_faults_hold_for_the_load(tmp_path: Path) -> None:
    fault = {"route": "PUT /contacts/v3/import", "kind": "answer", "status": 401, "times": None}
    (tmp_path / "faults.json").write_text(json.dumps(fault))
    with SandboxCommand(tmp_path / "sandbox.db", f"--faults={tmp_path / 'faults.json'}"):
        ended = load(config(tmp_path), tmp_path, *PEOPLE)
    assert (ended.status, ended.states) == (1, [])
    assert "401" in ended.stderr


def test_a_sandbox_that_starts_during_a_load_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from target_dotdigital.sandbox.command import main  # noqa: PLC0415 - of this test alone

    with TargetProcess(config(tmp_path, batch_size_rows=1), tmp_path) as target:
        target.send(*PEOPLE)
        target.wait_for("settled: 1 contacts imported", "stderr")  # so its sandbox runs
        assert main(["--port=0", f"--database={tmp_path / 'sandbox.db'}"]) == 1
        assert target.end().status == 0
    told = capsys.readouterr().err
    assert f"inside process {target.process.pid}, such as a load of target-dotdigital. Wait" in told
