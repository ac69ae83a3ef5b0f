"""Clients of Dotdigital's API that the package registries carry, fetched for one test run."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests.support.sandbox.segment import HERE as SEGMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

REQUIRED_VARIABLE = "SANDBOX_CLIENTS_REQUIRED"
"""Where it is set, a client that cannot be fetched is a failure, and otherwise a skipped test."""

DEADLINE_SECONDS = 300
SHOWN_CHARACTERS = 300

DOTMAILER = (
    "dotmailer==0.4.2"
    " --hash=sha256:c2035f59d2c78dc5ae8350bce190af7e4e7bf8bffaa5a8bd03c988071cf40f1b"
)

DESTINATIONS = "@segment/action-destinations"
DESTINATIONS_VERSION = "3.497.0"
DESTINATIONS_SHA512 = (
    "6fd0f3b53ad1d57adf06eff45325204d735fbfbb398298c13ceff0ec2f1a5ba2"
    "07b1231232d7bbc0d7551f31acba32783f8de0edc2ac59be73b95d817559ff50"
)

PYTHON_2 = (
    (re.compile(r"^(\s*)print (.+)$", re.MULTILINE), r"\1print(\2)"),
    (re.compile(r"^(\s*raise [\w.]+), (.+)$", re.MULTILINE), r"\1(\2)"),
    (re.compile(r"\.has_key\("), ".__contains__("),
)
"""What of Python 2 there is in `dotmailer`, and the same in Python 3."""


class UnavailableError(Exception):
    """A package cannot be fetched; the text says why."""


def fetched(factory: pytest.TempPathFactory, name: str, fetch: Callable[[Path], None]) -> Path:
    """Return the folder that a package was fetched into, once for all workers of a test run."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, outcome = root / f"client-{name}", root / f"client-{name}.outcome"
    with (root / f"client-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not outcome.exists():
            outcome.write_text(_attempt(fetch, folder), "utf-8")
    if reason := outcome.read_text("utf-8"):
        (pytest.fail if os.environ.get(REQUIRED_VARIABLE) else pytest.skip)(reason)
    return folder


def _attempt(fetch: Callable[[Path], None], folder: Path) -> str:
    """Return why a package cannot be fetched, or nothing."""
    folder.mkdir()
    try:
        fetch(folder)
    except UnavailableError as error:
        return str(error)
    return ""


def dotmailer(folder: Path) -> None:
    """Fetch PyPI's `dotmailer`, of 2017, and make Python 3 of it.

    pip cannot install it: its `setup.py` reads a file that the archive lacks. But pip downloads
    the archive, checks its hash and, if told so, leaves what it has unpacked.

    Raises:
        UnavailableError: There is no pip, or no archive.
    """
    pip = [sys.executable, "-m", "pip"]
    if find_spec("pip") is None:
        found_pip = shutil.which("pip3") or shutil.which("pip")
        if found_pip is None:
            raise UnavailableError("there is no pip")
        pip = [found_pip]
    requirements, scratch = folder / "requirements.txt", folder / "scratch"
    requirements.write_text(DOTMAILER, "utf-8")
    scratch.mkdir()
    command = [*pip, "download", "--quiet", "--no-deps", "--no-clean"]
    command += ["--no-build-isolation", "--require-hashes", "--requirement", str(requirements)]
    said = _run([*command, "--dest", str(scratch)], folder, {"TMPDIR": str(scratch)})
    found = next(scratch.glob("*/dotmailer*/dotmailer"), None)
    if found is None:
        raise UnavailableError(f"pip does not download {DOTMAILER.split(maxsplit=1)[0]}: {said}")
    shutil.copytree(found, folder / "dotmailer")
    for module in (folder / "dotmailer").glob("*.py"):
        text = module.read_text("utf-8")
        for old, new in PYTHON_2:
            text = old.sub(new, text)
        module.write_text(text, "utf-8")


def segment(folder: Path) -> None:
    """Fetch npm's `@segment/action-destinations`, as far as it is about Dotdigital.

    The whole of it would bring the libraries of hundreds of other providers. The few that the
    destinations for Dotdigital import are in `segment/package-lock.json`.

    Raises:
        UnavailableError: There is no Node, no npm, or no package.
    """
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise UnavailableError(f"there is no {program}")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SEGMENT / name, folder)
    quiet = ["--no-audit", "--no-fund", "--no-update-notifier"]
    said = _run(["npm", "ci", "--ignore-scripts", *quiet], folder)
    said += _run(["npm", "pack", *quiet, f"{DESTINATIONS}@{DESTINATIONS_VERSION}"], folder)
    archive = next(folder.glob("*.tgz"), None)
    if archive is None or not (folder / "node_modules").is_dir():
        raise UnavailableError(f"npm does not install {DESTINATIONS}: {said}")
    if hashlib.sha512(archive.read_bytes()).hexdigest() != DESTINATIONS_SHA512:
        raise UnavailableError(f"{DESTINATIONS} {DESTINATIONS_VERSION} is not what it was")
    with tarfile.open(archive) as opened:
        for member in opened:
            if re.match(r"package/(package\.json$|dist/destinations/dotdigital)", member.name):
                member.name = member.name.removeprefix("package/")
                opened.extract(member, folder / "node_modules" / DESTINATIONS, filter="data")


def _run(command: list[str], folder: Path, variables: Mapping[str, str] | None = None) -> str:
    """Run a package manager and return what it said of its failure."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **(variables or {})},
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {DEADLINE_SECONDS} s"
    said = "" if done.returncode == 0 else done.stderr or done.stdout
    return " ".join(said.split())[:SHOWN_CHARACTERS]
