"""`--about` and `--version`, from the real command line, where nothing is configured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import metadata, version
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.settings_files import PREFIX, config_schema
from tests.support.target.command import REPOSITORY

COMMAND = Path(sys.executable).with_name("target-dotdigital")
PATIENCE_SECONDS = 120


def ask(folder: Path, *arguments: str, **variables: str) -> str:
    """Run the command in an empty folder, and return what it prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    ended = subprocess.run(
        [COMMAND, *arguments],
        cwd=folder,
        env={**kept, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    assert list(folder.iterdir()) == []
    return ended.stdout


def told_as_json(folder: Path, **variables: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(ask(folder, "--about", "--format=json", **variables))
    return told


def supported_pythons() -> list[str]:
    prefix = "Programming Language :: Python :: 3."
    classifiers = metadata("target-dotdigital").get_all("Classifier") or []
    return [each.rpartition(" ")[2] for each in classifiers if each.startswith(prefix)]


def definition(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((REPOSITORY / name).read_text(encoding="utf-8"))
    return loaded


def test_json_holds_everything(tmp_path: Path) -> None:
    told = told_as_json(tmp_path)
    assert told["name"] == "target-dotdigital"
    assert told["version"] == version("target-dotdigital")
    assert told["sdk_version"] == version("singer-sdk")
    assert told["supported_python_versions"] == supported_pythons()
    assert told["settings"] == config_schema()


def test_json_is_in_step_with_meltano_and_the_hub(tmp_path: Path) -> None:
    told = told_as_json(tmp_path)
    (loader,) = definition("meltano.yml")["plugins"]["loaders"]
    hub = definition("hub/target-dotdigital.yml")
    for known in (loader, hub):
        assert known["name"] == told["name"]
        assert [setting["name"] for setting in known["settings"]] == [
            *told["settings"]["properties"]
        ]
        assert set(known["capabilities"]) <= set(told["capabilities"])
    # Each schema lacks one of the capabilities, and not the same one.
    assert {*loader["capabilities"], *hub["capabilities"]} == set(told["capabilities"])
    assert hub["supported_python_versions"] == told["supported_python_versions"]


def test_markdown_has_a_row_for_each_setting(tmp_path: Path) -> None:
    told = ask(tmp_path, "--about", "--format=markdown")
    assert told.startswith("# `target-dotdigital`\n")
    for name, setting in config_schema()["properties"].items():
        (row,) = (line for line in told.splitlines() if line.startswith(f"| {name} |"))
        assert setting["description"] in row
    for each in supported_pythons():
        assert f"\n- {each}\n" in told


def test_text_says_what_it_is(tmp_path: Path) -> None:
    told = ask(tmp_path, "--about")
    assert told.startswith("Name: target-dotdigital\n")
    assert f"Version: {version('target-dotdigital')}\n" in told
    assert all(f"  - {each}\n" in told for each in supported_pythons())


def test_there_is_no_other_format(tmp_path: Path) -> None:
    # When this fails, the SDK has a new one: it needs a test here.
    told = ask(tmp_path, "--help")
    assert "--format [json|markdown]" in told


@pytest.mark.parametrize("format_", ["text", "json", "markdown"])
def test_settings_that_are_wrong_are_not_looked_at(tmp_path: Path, format_: str) -> None:
    how = [] if format_ == "text" else [f"--format={format_}"]
    told = ask(tmp_path, "--about", *how, **{f"{PREFIX}REGION": "r9", f"{PREFIX}PASSWORD": "pw-99"})
    assert "pw-99" not in told
    assert "target-dotdigital" in told


def test_version_is_that_of_the_package(tmp_path: Path) -> None:
    told = ask(tmp_path, "--version")
    assert told.startswith(f"target-dotdigital v{version('target-dotdigital')},")
