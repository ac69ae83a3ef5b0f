"""The settings in code, meltano.yml, .env.example and the README say the same."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from copy import deepcopy
from dataclasses import dataclass
from importlib.resources import as_file, files
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from dotenv import dotenv_values

from target_dotdigital.settings import from_environment
from target_dotdigital.settings_schema import STREAM_SETTINGS
from target_dotdigital.target import TargetDotdigital

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
PREFIX = "TARGET_DOTDIGITAL_"

UNKNOWN_TO_MELTANO = {"validate-records"}
"""Capabilities that the schema of Meltano 4.4 refuses; Meltano's main branch knows them."""

NO_DEFAULT = object()


@dataclass(frozen=True)
class Setting:
    name: str
    schema: Mapping[str, Any]

    @property
    def types(self) -> list[str]:
        return [kind for kind in self.schema["type"] if kind != "null"]

    @property
    def options(self) -> list[str]:
        return [option for option in self.schema.get("enum", ()) if option is not None]

    @property
    def default(self) -> object:
        return self.schema.get("default", NO_DEFAULT)

    @property
    def default_text(self) -> str:
        if self.default is NO_DEFAULT:
            return ""
        return self.default if isinstance(self.default, str) else json.dumps(self.default)

    @property
    def description(self) -> str:
        return str(self.schema["description"])

    @property
    def is_secret(self) -> bool:
        return bool(self.schema.get("secret"))

    @property
    def kind(self) -> str:
        """Its kind in the README's words."""
        if self.options:
            return ", ".join(f"`{option}`" for option in self.options)
        words = " or ".join(self.types)
        if "maximum" in self.schema:
            return f"{words}, {self.schema['minimum']} to {self.schema['maximum']}"
        if "minimum" in self.schema:
            return f"{words}, at least {self.schema['minimum']}"
        return f"{words}, secret" if self.is_secret else words

    @property
    def meltano(self) -> dict[str, Any]:
        """What meltano.yml should have. A kind is one type there, so text where it may be text."""
        text_or_first = "string" if "string" in self.types else self.types[0]
        expected = {
            "name": self.name,
            "label": self.schema["title"],
            "kind": "options" if self.options else text_or_first,
            "description": self.description,
        }
        if self.is_secret:
            expected["sensitive"] = True
        if self.options:
            expected["options"] = [{"label": each, "value": each} for each in self.options]
        if self.default is not NO_DEFAULT:
            expected["value"] = self.default
        return expected

    @property
    def environment_lines(self) -> list[str]:
        """What .env.example should have."""
        comment = f"{self.description} JSON." if self.types == ["object"] else self.description
        return [
            *textwrap.wrap(
                comment,
                width=100,
                initial_indent="# ",
                subsequent_indent="# ",
                break_long_words=False,
                break_on_hyphens=False,
            ),
            f"#{PREFIX}{self.name.upper()}={self.default_text}",
        ]

    @property
    def row(self) -> str:
        """What a table of the README should have."""
        default = f"`{self.default_text}`" if self.default_text else ""
        return f"| `{self.name}` | {self.kind} | {default} | {self.description} |"


def config_schema() -> dict[str, Any]:
    """Return the settings' schema, the SDK's own settings included."""
    schema = deepcopy(TargetDotdigital.config_jsonschema)
    TargetDotdigital.append_builtin_config(schema)
    return schema


def top_level_settings() -> list[Setting]:
    return [Setting(name, schema) for name, schema in config_schema()["properties"].items()]


def stream_settings() -> list[Setting]:
    properties = STREAM_SETTINGS.to_dict()["properties"]
    return [Setting(name, schema) for name, schema in properties.items()]


def expected_rows(settings: list[Setting]) -> list[str]:
    """Return a settings table of the README, as it should be."""
    return [
        "| Setting | Kind | Default | Description |",
        "| --- | --- | --- | --- |",
        *(setting.row for setting in settings),
    ]


@pytest.fixture(scope="module")
def meltano() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
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
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_environment_file_has_the_settings_of_the_code() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    _header, *blocks = text.strip().split("\n\n")
    assert [block.splitlines() for block in blocks] == [
        setting.environment_lines for setting in top_level_settings()
    ]


def test_the_environment_file_sets_the_defaults_once_uncommented() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    uncommented = re.sub(rf"^#(?={PREFIX})", "", text, flags=re.MULTILINE)
    found = dotenv_values(stream=StringIO(uncommented))
    values = {name: value or "" for name, value in found.items()}
    settings = top_level_settings()
    assert list(values) == [f"{PREFIX}{setting.name.upper()}" for setting in settings]
    assert from_environment(config_schema(), PREFIX, values) == {
        setting.name: setting.default for setting in settings if setting.default is not NO_DEFAULT
    }


@pytest.mark.parametrize(
    ("marker", "settings"),
    [
        pytest.param("settings", top_level_settings(), id="top level"),
        pytest.param("stream settings", stream_settings(), id="streams"),
    ],
)
def test_the_readme_has_the_settings_of_the_code(marker: str, settings: list[Setting]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _, start, rest = text.partition(f"<!-- {marker} -->\n")
    table, end, _ = rest.partition(f"<!-- /{marker} -->\n")
    assert start, f"README.md has no <!-- {marker} -->"
    assert end, f"README.md has no <!-- /{marker} -->"
    assert table.strip().splitlines() == expected_rows(settings)
