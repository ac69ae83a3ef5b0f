"""The wheel and the sdist, installed and run in clean environments.

The wheel is built from the sdist, as `uv build` does. `DISTRIBUTIONS` can name a folder with both,
built before.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from tests.support.messages import record, schema, state
from tests.support.target.command import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping

UV = Path(sys.executable).with_name("uv")
"""Comes with Meltano."""

PATIENCE_SECONDS = 300
"""For a first run over a slow connection; uv's cache makes the next ones quick."""

NOT_OURS = ("TARGET_DOTDIGITAL_", "VIRTUAL_ENV", "PYTHON", "UV_PROJECT")
"""What variables begin with that would let the environment of the tests in."""

PACKAGE = "target_dotdigital/"


def run(
    *command: str | Path, folder: Path, text: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command outside the repository and the tests' environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
    return subprocess.run(
        command,
        cwd=folder,
        env={**kept, "UV_PYTHON_DOWNLOADS": "never", **variables},
        input=text,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def uv(*arguments: str | Path, folder: Path) -> None:
    ended = run(UV, *arguments, folder=folder)
    assert ended.returncode == 0, ended.stderr


@dataclass(frozen=True)
class Distributions:
    wheel: Path
    sdist: Path

    def wheel_files(self) -> set[str]:
        with ZipFile(self.wheel) as archive:
            return set(archive.namelist())

    def sdist_files(self) -> set[str]:
        with tarfile.open(self.sdist) as archive:
            return {name.partition("/")[2] for name in archive.getnames()}


@dataclass(frozen=True)
class Environment:
    """An environment with nothing in it but a distribution and what that needs."""

    folder: Path

    @classmethod
    def with_installed(cls, folder: Path, distribution: Path, extra: str = "") -> Environment:
        uv("venv", "--quiet", "--python", sys.executable, folder / "venv", folder=folder)
        what = f"target-dotdigital{extra} @ {distribution.as_uri()}"
        python = folder / "venv" / "bin" / "python"
        uv("pip", "install", "--quiet", "--python", python, what, folder=folder)
        return cls(folder)

    def run(
        self, program: str, *arguments: str, text: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        path = self.folder / "venv" / "bin" / program
        return run(path, *arguments, folder=self.folder, text=text, **variables)

    def load(self, config: Mapping[str, object]) -> subprocess.CompletedProcess[str]:
        (self.folder / "config.json").write_text(json.dumps(config))
        messages = (schema(), record(id=1, email="ada@example.org"), state({"at": 1}))
        text = "".join(f"{json.dumps(message)}\n" for message in messages)
        return self.run("target-dotdigital", "--config", "config.json", text=text)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    if given := os.environ.get("DISTRIBUTIONS"):
        folder = REPOSITORY / given
    else:
        folder = tmp_path_factory.mktemp("dist")
        uv("build", "--quiet", "--out-dir", folder, REPOSITORY, folder=folder)
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    return Distributions(wheel, sdist)


def package_files() -> set[str]:
    """Return the package's files, as the repository has them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", PACKAGE],  # noqa: S607
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name for name in listed.stdout.split() if (REPOSITORY / name).is_file()}


def test_the_wheel_holds_the_package_and_nothing_else(built: Distributions) -> None:
    files = built.wheel_files()
    assert {name for name in files if ".dist-info/" not in name} == package_files()
    assert f"{PACKAGE}py.typed" in files
    assert f"{PACKAGE}report.schema.json" in files
    assert f"{PACKAGE}verification.schema.json" in files
    assert f"{PACKAGE}report/templates/report.html" in files
    assert f"{PACKAGE}sandbox/page/static/page.html" in files
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in files)


def test_the_sdist_holds_what_the_wheel_is_built_from(built: Distributions) -> None:
    files = built.sdist_files()
    assert package_files() <= files
    assert {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO"} <= files
    # They need a clone, with Git and the rest of the repository.
    assert not {name for name in files if name.startswith(("tests/", "benchmarks/"))}


def test_the_wheel_runs_without_the_extra(built: Distributions, tmp_path: Path) -> None:
    environment = Environment.with_installed(tmp_path, built.wheel)
    version = built.wheel.name.split("-")[1]
    told = environment.run("target-dotdigital", "--version")
    assert told.stdout.startswith(f"target-dotdigital v{version},"), told.stderr
    about = environment.run("target-dotdigital", "--about", "--format=json")
    assert json.loads(about.stdout)["version"] == version
    shipped = "import target_dotdigital; print(target_dotdigital.__file__)"
    assert str(tmp_path) in environment.run("python", "-c", shipped).stdout
    # What needs the extra says so, and how to get it.
    refused = environment.load({"sandbox_path": "sandbox.db", "address_book": "Customers"})
    assert refused.returncode == 1
    assert (
        "sandbox_path needs an extra. Install it: pip install 'target-dotdigital[sandbox]'"
        in refused.stderr
    )
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""
    server = environment.run("target-dotdigital-sandbox", "--help")
    assert server.returncode == 1
    assert server.stderr == (
        "The sandbox cannot start: it needs the extra: pip install 'target-dotdigital[sandbox]'\n"
    )


def test_the_sdist_runs_with_the_extra(built: Distributions, tmp_path: Path) -> None:
    environment = Environment.with_installed(tmp_path, built.sdist, "[sandbox]")
    ended = environment.load(
        {"sandbox_path": "sandbox.db", "address_book": "Customers", "report_path": "reports/"}
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == '{"at": 1}\n'
    assert "read 1 = imported 1 + rejected 0" in ended.stderr
    (report,) = (tmp_path / "reports").glob("run-*.json")
    assert json.loads(report.read_text())["outcome"]["status"] == "succeeded"
    assert f'href="{report.stem}.html"' in (tmp_path / "reports" / "index.html").read_text()
    server = environment.run("target-dotdigital-sandbox", "--help")
    assert server.returncode == 0
    assert "A local Dotdigital" in server.stdout
