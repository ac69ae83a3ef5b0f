"""Shell completion: quick, without settings, and with the options that the command has."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from target_dotdigital.__main__ import COMPLETION_VARIABLE
from target_dotdigital.target import TargetDotdigital
from target_dotdigital.terminal import complete

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = [
    *("--about", "--config", "--format", "--help", "--input", "--replay", "--test", "--undo"),
    *("--verify", "--version"),
]


def completed(folder: Path, instruction: str, words: str = "", word: int = 1) -> str:
    """Return what a shell is told."""
    program = (
        "import sys; sys.argv[0] = 'target-dotdigital'; "
        "from target_dotdigital.__main__ import main\n"
        "try: main()\n"
        "finally: assert not {'singer_sdk', 'requests'} & set(sys.modules)"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={
            **os.environ,
            COMPLETION_VARIABLE: instruction,
            "COMP_WORDS": f"target-dotdigital {words}",
            "COMP_CWORD": str(word),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_options_are_those_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = completed(tmp_path, "bash_complete", "--")
    assert sorted(line.removeprefix("plain,") for line in told.splitlines()) == OPTIONS
    kept: list[click.Command] = []
    monkeypatch.setattr(click.Command, "main", lambda self, **_: kept.append(self))
    complete(COMPLETION_VARIABLE)
    found = []
    for command in (kept[0], TargetDotdigital.get_singer_command()):
        options = command.get_params(click.Context(command))
        found.append(
            {
                (each.opts[0], each.nargs, each.multiple, each.is_flag)
                for each in options
                if isinstance(each, click.Option)
            }
        )
    assert found[0] == found[1]


def test_files_and_choices_are_completed(tmp_path: Path) -> None:
    assert completed(tmp_path, "bash_complete", "--config se", 2) == "file,se\n"
    assert completed(tmp_path, "bash_complete", "--format m", 2) == "plain,markdown\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(tmp_path: Path, shell: str) -> None:
    script = completed(tmp_path, f"{shell}_source")
    assert f"{COMPLETION_VARIABLE}={shell}_complete" in script
