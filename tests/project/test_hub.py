"""The definition for MeltanoHub: in step with the target, and as the hub's schema wants it.

The hub's schema (meltano/hub, `schemas/plugin_definitions/loaders.schema.json` and what that refers
to) is not part of this repository. What it asks of a loader is said here, as last known.
"""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
import yaml

from target_dotdigital.target import TargetDotdigital
from tests.support.settings_files import top_level_settings
from tests.support.target.command import REPOSITORY

REQUIRED: Final = {"name", "namespace", "variant", "quality"}
TEXTS: Final = {
    *("name", "namespace", "variant", "label", "description", "definition", "domain_url"),
    *("docs", "repo", "logo_url", "pip_url", "executable", "python", "log_parser", "quality"),
    *("maintenance_status", "prereq", "next_steps", "settings_preamble", "usage"),
}
OTHERS: Final = {
    *("capabilities", "keywords", "settings", "settings_group_validation"),
    *("commands", "dialect", "hidden", "requires", "supported_python_versions", "target_schema"),
}
CAPABILITIES: Final = {
    *("about", "activate-version", "batch", "datatype-failsafe", "hard-delete"),
    *("schema-flattening", "soft-delete", "stream-maps", "target-schema", "validate-records"),
}
QUALITIES: Final = {"gold", "silver", "bronze", "unknown"}
MAINTENANCE: Final = {"active", "beta", "development", "inactive", "unknown"}
SETTING_KEYS: Final = {
    *("name", "aliases", "label", "value", "placeholder", "kind", "description", "tooltip"),
    *("documentation", "env", "value_processor", "value_post_processor", "oauth", "options"),
    *("docs", "hidden", "sensitive"),
}
KINDS: Final = {
    *("array", "boolean", "date_iso8601", "decimal", "email", "file", "hidden", "integer"),
    *("oauth", "object", "options", "password", "string"),
}

OF_MELTANO: Final = {"structured-logging"}
"""Perhaps not in the hub's schema; without it Meltano shows errors as information."""


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    text = (REPOSITORY / "hub" / "target-dotdigital.yml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


@pytest.fixture(scope="module")
def loader() -> dict[str, Any]:
    meltano = yaml.safe_load((REPOSITORY / "meltano.yml").read_text(encoding="utf-8"))
    (only,) = meltano["plugins"]["loaders"]
    assert isinstance(only, dict)
    return only


def test_the_hub_knows_every_key(definition: dict[str, Any]) -> None:
    assert set(definition) >= REQUIRED
    assert set(definition) <= TEXTS | OTHERS


def test_texts_are_texts(definition: dict[str, Any]) -> None:
    for name in TEXTS & set(definition):
        assert isinstance(definition[name], str), name
        assert definition[name].strip(), name


def test_the_hub_knows_its_words(definition: dict[str, Any]) -> None:
    assert definition["quality"] in QUALITIES
    assert definition["maintenance_status"] in MAINTENANCE
    assert set(definition["capabilities"]) <= CAPABILITIES | OF_MELTANO
    assert all(isinstance(keyword, str) for keyword in definition["keywords"])
    for version in definition["supported_python_versions"]:
        assert re.fullmatch(r"3\.\d+", version)
    assert definition["domain_url"].startswith("https://")


def test_settings_are_as_the_hub_has_them(definition: dict[str, Any]) -> None:
    for setting in definition["settings"]:
        assert set(setting) <= SETTING_KEYS
        assert setting["kind"] in KINDS
        for option in setting.get("options", ()):
            assert {type(part) for part in option.values()} == {str}


def test_what_the_page_says_of_it_is_said(definition: dict[str, Any]) -> None:
    shown = {"label", "description", "keywords", "prereq", "usage", "next_steps", "definition"}
    assert shown <= set(definition)
    # The page says: The target-dotdigital loader <definition>.
    assert definition["definition"][0].islower()
    assert not definition["definition"].endswith(".")


def test_it_has_the_settings_of_the_code(definition: dict[str, Any]) -> None:
    assert definition["settings"] == [setting.meltano for setting in top_level_settings()]


def test_it_has_the_capabilities_of_the_code(definition: dict[str, Any]) -> None:
    told = {capability.value for capability in TargetDotdigital.capabilities}
    assert set(definition["capabilities"]) == told
    assert definition["log_parser"] == "singer-sdk"


def test_it_is_the_plugin_of_meltano_yml(
    definition: dict[str, Any], loader: dict[str, Any]
) -> None:
    same = ("name", "namespace", "label", "description", "executable", "settings")
    for key in (*same, "settings_group_validation"):
        assert definition[key] == loader[key], key


def test_it_installs_a_clone_beside_the_project(definition: dict[str, Any]) -> None:
    assert definition["name"] == TargetDotdigital.name
    assert definition["pip_url"] == f"-e ../{TargetDotdigital.name}[sandbox]"
    assert "meltano_sdk" in definition["keywords"]


def test_texts_name_settings_that_exist(definition: dict[str, Any]) -> None:
    pages = " ".join(definition[key] for key in ("prereq", "settings_preamble", "usage"))
    named = set(re.findall(r"`([a-z_]+_[a-z_]+)", pages))
    known = {setting.name for setting in top_level_settings()}
    streams = TargetDotdigital.config_jsonschema["properties"]["streams"]
    of_streams = set(streams["additionalProperties"]["properties"])
    assert named
    assert named <= known | of_streams
