"""The Dockerfile, as far as that can be told without building it; CI on GitHub builds it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import entry_points, metadata
from pathlib import Path
from typing import Final

from tests.support.target.command import REPOSITORY

DOCKERFILE: Final = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
JOINED: Final = DOCKERFILE.replace("\\\n", " ")


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} +(.*)$", JOINED, re.MULTILINE)


def test_hadolint_finds_nothing() -> None:
    checked = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), "Dockerfile"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_it_runs_the_target_as_a_user_without_rights() -> None:
    last_stage = JOINED.rpartition("\nFROM ")[2]
    (user,) = re.findall(r"^USER (\d+):(\d+)$", last_stage, re.MULTILINE)
    assert user[0] == user[1] != "0"
    assert f"useradd --uid {user[0]} " in last_stage
    (entrypoint,) = instructions("ENTRYPOINT")
    assert json.loads(entrypoint) == ["target-dotdigital"]
    assert "target-dotdigital" in entry_points(group="console_scripts").names


def test_both_stages_are_of_one_tagged_python() -> None:
    (tag,) = re.findall(r"^ARG PYTHON=(\d\.\d+)-slim-\w+$", DOCKERFILE, re.MULTILINE)
    assert [each.split()[0] for each in instructions("FROM")] == ["python:${PYTHON}"] * 2
    classifiers = metadata("target-dotdigital").get_all("Classifier") or []
    assert f"Programming Language :: Python :: {tag}" in classifiers


def test_no_cache_stays_in_a_layer() -> None:
    for run in instructions("RUN"):
        for call in re.split(r"&&", run):
            if "pip install" in call or "pip wheel" in call:
                assert "--no-cache-dir" in call, call


def test_what_is_copied_is_in_the_context_and_nothing_else() -> None:
    copied = {
        source
        for copy in instructions("COPY")
        if "--from=" not in copy
        for source in copy.split()[:-1]
    }
    for source in copied:
        assert (REPOSITORY / source).exists(), source
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == copied
