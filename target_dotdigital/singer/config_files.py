"""The files that `--config` names, and what is wrong with them, told without their contents."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk.plugin_base import _ConfigInput

if TYPE_CHECKING:
    from collections.abc import Sequence

ENVIRONMENT = "ENV"
"""What `--config` says in place of a file: settings are in environment variables, too."""


@dataclass
class ConfigFiles(_ConfigInput):
    """Settings from files; later ones win.

    Attributes:
        problems: What is wrong with the files, a sentence each.
    """

    problems: list[str] = field(default_factory=list)


class _UnusableError(Exception):
    """A file holds no settings; the text says why."""


def read(paths: Sequence[str]) -> ConfigFiles:
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


def _read(path: str) -> dict[str, Any]:
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise _UnusableError("is missing: there is no such file. Correct the path") from None
    except IsADirectoryError:
        raise _UnusableError("is a folder. Name a file in it") from None
    except PermissionError:
        raise _UnusableError("may not be read. Give the user who runs this the right to") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "this is no path"
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
            "is no JSON that can be read: nested too deeply, or a number is too long"
        ) from None
    if not isinstance(settings, dict):
        raise _UnusableError("holds no JSON object. Settings stand between { and }")
    return settings
