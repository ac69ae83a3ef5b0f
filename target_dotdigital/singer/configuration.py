"""The configuration: files, environment variables and defaults, and what is wrong with them.

Messages repeat nothing of a file or a variable.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import ConfigValidationError

from target_dotdigital.errors import FIX_THE_SETTINGS
from target_dotdigital.settings import CONFIG_SCHEMA, from_environment, problems, whole_names
from target_dotdigital.singer.sdk import ConfigInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENVIRONMENT = "ENV"
"""What `--config` says if settings are in environment variables, too."""

CONFIG_FAILED = f"Config validation failed [to act: {FIX_THE_SETTINGS}]"
"""The line above what is wrong with the settings. Its first words are the SDK's."""


@dataclass
class ConfigFiles(ConfigInput):
    """Settings from files; later ones win.

    Attributes:
        problems: What is wrong with the files, a sentence each.
    """

    problems: list[str] = field(default_factory=list)


class _UnusableError(Exception):
    """A file holds no settings; the text says why."""


def read_files(paths: Sequence[str]) -> ConfigFiles:
    """Read settings. All files are looked at, whatever is wrong with one.

    Args:
        paths: Files, or `ENV`.
    """
    found = ConfigFiles(parse_env=ENVIRONMENT in paths)
    for path in paths:
        if path == ENVIRONMENT:
            continue
        try:
            found.config.update(_read(path))
        except _UnusableError as error:
            found.problems.append(f"--config: {path!r} {error}")
    return found


def check_files(config: ConfigInput | None) -> None:
    """Make sure that the files of `--config` hold settings.

    Args:
        config: What the command line was given.

    Raises:
        ConfigValidationError: One does not; it lists all that is wrong.
    """
    if isinstance(config, ConfigFiles) and config.problems:
        raise ConfigValidationError(CONFIG_FAILED, errors=config.problems, schema={})


def read_environment(schema: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the settings that environment variables hold.

    Args:
        schema: The target's settings.
        prefix: What the names of the variables begin with.
    """
    return without_nulls(from_environment(schema, prefix))


def without_nulls(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy in which settings that are null are not set.

    Args:
        config: The configuration.
    """
    known = CONFIG_SCHEMA["properties"]
    kept = {key: value for key, value in config.items() if value is not None or key not in known}
    streams = kept.get("streams")
    if isinstance(streams, dict):
        kept["streams"] = {
            name: {key: value for key, value in stream.items() if value is not None}
            if isinstance(stream, dict)
            else stream
            for name, stream in whole_names(streams).items()
        }
    return kept


def complete(config: dict[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Fill defaults in, and return what is wrong, a sentence each.

    Args:
        config: The configuration. Defaults are added to it.
        schema: The target's settings.
    """
    for name, definition in schema["properties"].items():
        if "default" in definition:
            config.setdefault(name, definition["default"])
    return problems(config, schema)


def _read(path: str) -> dict[str, Any]:
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise _UnusableError("does not exist. Correct the path") from None
    except IsADirectoryError:
        raise _UnusableError("is a folder. Name a file in it") from None
    except PermissionError:
        raise _UnusableError("cannot be read. Give your user the permission to read it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "this is not a path"
        raise _UnusableError(f"cannot be read: {reason}") from None
    return _settings(content)


def _settings(content: bytes) -> dict[str, Any]:
    try:
        settings = json.loads(content.decode("utf-8-sig"), parse_float=Decimal)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _UnusableError(
            f"is not encoded in UTF-8: see line {line}. Save it as UTF-8"
        ) from None
    except json.JSONDecodeError as error:
        what = error.msg.partition(":")[0]  # what was expected; behind it a sign may be quoted
        raise _UnusableError(
            f"is not valid JSON: {what}, in line {error.lineno}, column {error.colno}"
        ) from None
    except (RecursionError, ValueError):
        raise _UnusableError(
            "cannot be read as JSON: it is nested too deeply, or a number is too long"
        ) from None
    if not isinstance(settings, dict):
        raise _UnusableError("is not a JSON object. Write the settings between { and }")
    return settings
