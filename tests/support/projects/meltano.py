"""Meltano projects in tests: a copy of the repository, and Meltano run in it for real."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_dotdigital.sandbox import EmbeddedSandbox
from tests.support.projects.shell_commands import NOT_OURS, PATIENCE_SECONDS, Shell
from tests.support.sandbox.client import SandboxClient
from tests.support.target.command import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Sequence

MELTANO = Path(sys.executable).with_name("meltano")

SETTINGS = {
    # Nobody is told that a test ran, and the interpreter of the test is the only one.
    "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
    "UV_PYTHON_DOWNLOADS": "never",
    "NO_COLOR": "1",
}

Contents = dict[str, dict[str, Any]]
"""The data fields of an address book's contacts, by e-mail address."""


@dataclass(frozen=True)
class Project:
    """A copy of the project, as a clone of the repository would have it."""

    folder: Path

    @classmethod
    def copy_to(cls, folder: Path) -> Project:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (REPOSITORY / name).is_file():  # it may have been removed and not been committed yet
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPOSITORY / name, folder / name)
        return cls(folder)

    def meltano(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run Meltano, which must succeed."""
        return self.run(MELTANO, *arguments, **variables)

    def run(
        self, program: str | Path, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in the project, which must succeed."""
        ended = self.attempt(program, *arguments, **variables)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended

    def attempt(
        self, program: str | Path, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in the project."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith(NOT_OURS)}
        return subprocess.run(
            [program, *arguments],
            cwd=self.folder,
            env={**kept, **SETTINGS, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    @property
    def shell(self) -> Shell:
        """Return a shell in the project's folder."""
        return Shell(self.folder, **SETTINGS)

    def address_book(self, name: str, fields: Sequence[str]) -> Contents:
        """Return some data fields of those who are in an address book of the sandbox."""
        with (
            EmbeddedSandbox(self.folder / "output" / "sandbox.db") as sandbox,
            SandboxClient(sandbox.url, (sandbox.username, sandbox.password)) as client,
        ):
            (list_id,) = (
                book["id"]
                for book in client.get("/v2/address-books").json()
                if book["name"] == name
            )
            parameters = {"~listId": list_id, "data-fields": "|".join(fields), "limit": 5_000}
            members = client.get("/contacts/v3", **parameters).json()["_items"]
        contents = {member["identifiers"]["email"]: member["dataFields"] for member in members}
        assert len(contents) == len(members)
        return contents

    def program(self, kind: str, plugin: str, name: str) -> Path:
        """Return a program of the environment that Meltano made for a plugin."""
        return self.folder / ".meltano" / kind / plugin / "venv" / "bin" / name
