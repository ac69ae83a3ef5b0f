"""Settings from the environment and from `.env`: every one of them, in its own type."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from target_dotdigital.settings.environment import from_environment
from target_dotdigital.settings.schema import CONFIG_SCHEMA
from target_dotdigital.target import TargetDotdigital

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from target_dotdigital.settings.settings import Settings

PREFIX = "TARGET_DOTDIGITAL_"
ACCESS = {"username": "apiuser-1@apiconnector.com", "password": "secret"}


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    TargetDotdigital.append_builtin_config(CONFIG_SCHEMA)
    for name in CONFIG_SCHEMA["properties"]:
        monkeypatch.delenv(f"{PREFIX}{name.upper()}", raising=False)


def settings_of(config: Mapping[str, Any]) -> Settings:
    target = TargetDotdigital(config=dict(config), parse_env_config=True)
    target.run.close()
    return target.run.settings


STREAMS = {"a": {"fields": {"AGE": "n"}, "resubscribe": True, "address_book": 7}}
ENVIRONMENT: dict[str, list[tuple[str, object]]] = {
    "username": [("apiuser-1@apiconnector.com", "apiuser-1@apiconnector.com"), ("7", "7")],
    "password": [(" pa$$ 'word' # ", " pa$$ 'word' # "), ("12345678", "12345678"), ("{}", "{}")],
    "region": [("r2", "r2")],
    "api_url": [("https://example.com", "https://example.com")],
    "sandbox_path": [("s.db", "s.db")],
    "address_book": [("12345", "12345"), ("New customers", "New customers"), ("007", "007")],
    "create_address_book": [("true", True), ("FALSE", False), ("1", True), ("off", False)],
    "account_only": [("true", True), ("no", False)],
    "create_data_fields": [("yes", True), ("no", False)],
    "streams": [(json.dumps(STREAMS), STREAMS), ("{}", {}), (" null ", None)],
    "merge_option": [("overwriteIfEmpty", "overwriteIfEmpty")],
    "batch_size_rows": [("500", 500), (" 500 ", 500), ("+5", 5), ("0500", 500)],
    "batch_wait_limit_seconds": [("30", 30)],
    "max_active_imports": [("25", 25)],
    "import_timeout_minutes": [("1", 1)],
    "shutdown_grace_seconds": [("0", 0)],
    "max_reject_percent": [("100", 100)],
    "send": [("changes", "changes")],
    "fingerprints_path": [("somewhere", "somewhere")],
    "send_all_every_days": [("0", 0)],
    "batch_config": [('{"storage": {"root": "s3://b"}}', {"storage": {"root": "s3://b"}})],
    "rejects_path": [("rejects.singer", "rejects.singer")],
    "rejects_csv": [("rejects.csv", "rejects.csv")],
    "report_path": [("report.json", "report.json")],
    "dry_run": [("True", True), ("0", False), (" on ", True)],
    "load_method": [("upsert", "upsert")],
    "add_record_metadata": [("true", True)],
    "validate_records": [("false", False)],
    "stream_maps": [('{"a": {"__alias__": "b"}}', {"a": {"__alias__": "b"}})],
    "stream_map_config": [('{"hash_seed": "x"}', {"hash_seed": "x"})],
    "faker_config": [('{"seed": 7}', {"seed": 7})],
    "flattening_enabled": [("true", True)],
    "flattening_max_depth": [("2", 2)],
    "flattening_max_key_length": [("64", 64)],
    "flattening_separator": [("__", "__")],
}


def test_every_setting_of_the_schema_is_tried_here() -> None:
    assert set(ENVIRONMENT) == set(CONFIG_SCHEMA["properties"])


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [(name, *pair) for name, pairs in ENVIRONMENT.items() for pair in pairs],
    ids=str,
)
def test_a_setting_is_read_from_the_environment(
    name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}{name.upper()}", text)
    assert from_environment(CONFIG_SCHEMA, PREFIX) == {name: value}


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARGET_DOTDIGITAL_BATCH_SIZE_ROWS", "7")
    monkeypatch.setenv("TARGET_DOTDIGITAL_ADDRESS_BOOK", "101")
    monkeypatch.setenv("TARGET_DOTDIGITAL_STREAMS", json.dumps({"a": {"fields": None}}))
    settings = settings_of({**ACCESS, "batch_size_rows": 5})
    assert settings.batch_size_rows == 7
    assert settings.default_stream.address_book == "101"
    assert settings.streams == {"a": settings.default_stream}


@pytest.mark.parametrize(
    "key", CONFIG_SCHEMA["properties"]["streams"]["additionalProperties"]["properties"]
)
def test_null_means_not_set_in_the_environment_too(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_DOTDIGITAL_STREAMS", json.dumps({"a": {key: None}}))
    settings = settings_of({**ACCESS, "address_book": 7})
    assert settings.streams == {"a": settings.default_stream}


@pytest.mark.parametrize("text", ["", None])
def test_an_empty_variable_is_not_set(text: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CONFIG_SCHEMA["properties"]:
        if text is not None:
            monkeypatch.setenv(f"{PREFIX}{name.upper()}", text)
    assert from_environment(CONFIG_SCHEMA, PREFIX) == {}
    assert settings_of(ACCESS).username == ACCESS["username"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("batch_size_rows", text) for text in ("ten", "5.5", "1e3", "0x10", "1_000", "\u0661")),
        ("max_active_imports", "9" * 30),
        *(("dry_run", text) for text in ("maybe", "2", "{}")),
        *(("streams", text) for text in ("{", "[1]", "a", "7", '{"a": NaN}', "{'a': {}}")),
        ("streams", '{"a": "\udcff"}'),
        ("stream_maps", "[]"),
        ("region", "R1"),
    ],
    ids=ascii,
)
def test_a_variable_that_does_not_fit_is_named(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}{name.upper()}", text)
    with pytest.raises(ConfigValidationError) as caught:
        settings_of({**ACCESS, "address_book": -1})
    names = [problem.partition(":")[0] for problem in caught.value.errors]
    assert sorted(names) == sorted(["address_book", name])


def test_dotenv_is_read_in_the_working_directory_and_the_process_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(
        "TARGET_DOTDIGITAL_USERNAME=of-dotenv\n"
        "TARGET_DOTDIGITAL_PASSWORD='p#1'\n"
        "TARGET_DOTDIGITAL_BATCH_SIZE_ROWS=7\n"
        "TARGET_DOTDIGITAL_REGION\n"
    )
    monkeypatch.setenv("TARGET_DOTDIGITAL_USERNAME", "of-process")
    settings = settings_of({})
    assert (settings.username, settings.password) == ("of-process", "p#1")
    assert settings.batch_size_rows == 7
