"""The settings in code, meltano.yml, hub/ and .env.example say the same."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.resources import as_file, files
from io import StringIO
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from target_dotdigital.settings.environment import from_environment
from target_dotdigital.target import TargetDotdigital
from tests.support.settings_files import (
    FILES,
    NO_DEFAULT,
    PREFIX,
    config_schema,
    top_level_settings,
    with_settings,
)
from tests.support.target.command import REPOSITORY

UNKNOWN_TO_MELTANO = {"validate-records"}
"""Capabilities that the schema of Meltano 4.4 refuses; Meltano's main branch knows them."""


@pytest.fixture(scope="module")
def meltano() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(
        (REPOSITORY / "meltano.yml").read_text(encoding="utf-8")
    )
    return loaded


@pytest.fixture(scope="module")
def loader(meltano: dict[str, Any]) -> dict[str, Any]:
    (only,) = meltano["plugins"]["loaders"]
    assert isinstance(only, dict)
    return only


def test_meltano_has_the_settings_of_the_code(loader: dict[str, Any]) -> None:
    assert loader["settings"] == [setting.meltano for setting in top_level_settings()]


def test_meltano_knows_which_settings_go_together(loader: dict[str, Any]) -> None:
    assert loader["settings_group_validation"] == [["username", "password"], ["sandbox_path"]]


def test_meltano_has_the_capabilities_of_the_code(loader: dict[str, Any]) -> None:
    told = {capability.value for capability in TargetDotdigital.capabilities}
    assert set(loader["capabilities"]) == told - UNKNOWN_TO_MELTANO


def test_meltano_holds_no_credentials(meltano: dict[str, Any]) -> None:
    configs = [loader.get("config", {}) for loader in meltano["plugins"]["loaders"]]
    for environment in meltano["environments"]:
        plugins = environment.get("config", {}).get("plugins", {})
        configs += [loader["config"] for loader in plugins.get("loaders", ())]
    assert {"username", "password"}.isdisjoint(name for config in configs for name in config)


def test_meltano_uses_nothing_that_is_deprecated(meltano: dict[str, Any]) -> None:
    assert "version" not in meltano
    kinds = {
        setting["kind"]
        for plugins in meltano["plugins"].values()
        for plugin in plugins
        for setting in plugin["settings"]
    }
    assert kinds.isdisjoint({"password", "hidden", "oauth"})


def test_check_meltano_accepts_the_project() -> None:
    # What the pre-commit hook `check-meltano` runs; the schema comes with the package.
    check_schema("--builtin-schema", "vendor.meltano")


def test_meltanos_own_schema_accepts_the_project() -> None:
    with as_file(files("meltano") / "schemas" / "meltano.schema.json") as schema:
        check_schema("--schemafile", str(schema))


def check_schema(*schema: str) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *schema, "meltano.yml"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_environment_file_sets_the_defaults_once_uncommented() -> None:
    text = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
    uncommented = re.sub(rf"^#(?={PREFIX})", "", text, flags=re.MULTILINE)
    found = dotenv_values(stream=StringIO(uncommented))
    values = {name: value or "" for name, value in found.items()}
    settings = top_level_settings()
    assert list(values) == [f"{PREFIX}{setting.name.upper()}" for setting in settings]
    assert from_environment(config_schema(), PREFIX, values) == {
        setting.name: setting.default for setting in settings if setting.default is not NO_DEFAULT
    }


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_as_they_are_written_from_the_code(name: str) -> None:
    # If it fails: uv run python -m tests.support.generated_docs
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    assert text == with_settings(name, text)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_out_of_step_is_put_right(name: str) -> None:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    old = text.replace("Contacts in one import at most.", "Contacts: at most.")
    assert old != text
    assert with_settings(name, old) == text
