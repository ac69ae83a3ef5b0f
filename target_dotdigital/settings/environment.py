"""Settings in the environment, and in `.env`."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import msgspec
from dotenv import dotenv_values

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRUE_WORDS = frozenset({"true", "1", "yes", "on"})
_FALSE_WORDS = frozenset({"false", "0", "no", "off"})

_decode = msgspec.json.Decoder().decode


def from_environment(
    schema: Mapping[str, Any],
    prefix: str,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Read settings from the environment, and from `.env` in the working directory below it.

    A text that does not fit its setting's type is kept as it is, so that validation names it with
    all the other problems. Empty variables count as not set.

    Args:
        schema: The JSON schema of the settings.
        prefix: What the variables' names begin with, such as `TARGET_DOTDIGITAL_`.
        environment: The variables; those of `.env` and of the process when not given.
    """
    if environment is None:
        dotenv = {name: text for name, text in dotenv_values(".env").items() if text is not None}
        environment = {**dotenv, **os.environ}
    found = {}
    for name, definition in schema["properties"].items():
        text = environment.get(f"{prefix}{name.upper()}", "")
        if text:
            found[name] = _from_text(text, definition)
    return found


def _from_text(text: str, definition: Mapping[str, Any]) -> object:
    types = definition.get("type", [])
    types = {types} if isinstance(types, str) else set(types)
    if "string" in types:
        return text
    if "integer" in types:
        return int(text) if re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", text) else text
    if "boolean" in types:
        word = text.strip().lower()
        return word in _TRUE_WORDS if word in _TRUE_WORDS | _FALSE_WORDS else text
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return text
