"""What meltano.yml, the example's, hub/target-dotdigital.yml and .env.example say of the settings.

All of it follows from the settings' schema.

`uv run python -m tests.support.generated_docs` writes it.
"""

from __future__ import annotations

import json
import textwrap
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_dotdigital.settings.stream_schema import STREAM_SETTINGS
from target_dotdigital.target import TargetDotdigital

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PREFIX = "TARGET_DOTDIGITAL_"
NO_DEFAULT = object()

LINE_WIDTH = 100
FOLDED_WIDTH = 84


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
        """What its value has to be, in words."""
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
        """What Meltano should be told. A kind is one type there, so text where it may be text."""
        text_or_first = "string" if "string" in self.types else self.types[0]
        told: dict[str, Any] = {
            "name": self.name,
            "label": self.schema["title"],
            "kind": "options" if self.options else text_or_first,
        }
        if self.is_secret:
            told["sensitive"] = True
        if self.options:
            told["options"] = [{"label": each, "value": each} for each in self.options]
        if self.default is not NO_DEFAULT:
            told["value"] = self.default
        return {**told, "description": self.description}

    @property
    def yaml_lines(self) -> list[str]:
        """The same, as it is written in meltano.yml and for the hub."""
        lines = []
        for key, value in self.meltano.items():
            if key == "options":
                lines.append("  options:")
                for option in value:
                    lines += [f"  - label: {option['label']}", f"    value: {option['value']}"]
            elif key == "description":
                lines += _yaml_text(f"  {key}: ", value)
            else:
                lines.append(f"  {key}: {value if isinstance(value, str) else json.dumps(value)}")
        return [f"- {lines[0].lstrip()}", *lines[1:]]

    @property
    def environment_lines(self) -> list[str]:
        """What .env.example should have."""
        comment = f"{self.description} JSON." if self.types == ["object"] else self.description
        return [
            *textwrap.wrap(
                comment,
                width=LINE_WIDTH,
                initial_indent="# ",
                subsequent_indent="# ",
                break_long_words=False,
                break_on_hyphens=False,
            ),
            f"#{PREFIX}{self.name.upper()}={self.default_text}",
        ]


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


def with_settings(name: str, text: str) -> str:
    """Return a file's text with the settings as the code has them.

    Args:
        name: One of `FILES`.
        text: The file's text.
    """
    return FILES[name](text)


def _meltano(text: str) -> str:
    return _with_last_list(text, indent="    ")


def _hub(text: str) -> str:
    return _with_last_list(text, indent="")


def _with_last_list(text: str, indent: str) -> str:
    """Replace what stands below the last `settings:`, which ends the file."""
    head, key, _ = text.rpartition(f"\n{indent}settings:\n")
    assert key, "no settings: to be filled"
    lines = [line for setting in top_level_settings() for line in setting.yaml_lines]
    return head + key + "".join(f"{indent}{line}\n" for line in lines)


def _example(text: str) -> str:
    """Replace the settings of the example's loader, from which others inherit below it."""
    start = "    settings:\n    - name: username\n"
    head, _, rest = text.partition(start)
    assert rest, "no settings: to be filled"
    _, blank, others = rest.partition("\n\n")
    return _meltano(head + start) + blank[1:] + others


def _environment(text: str) -> str:
    header, *_ = text.split("\n\n")
    blocks = ["\n".join(setting.environment_lines) for setting in top_level_settings()]
    return "\n\n".join([header, *blocks]) + "\n"


def _yaml_text(key: str, text: str) -> list[str]:
    """Write a text as YAML: on the key's line if it fits, and folded below it otherwise."""
    plain = ": " not in text and text[0] not in "'\"`[{&*!|>%@#"
    line = key + (text if plain else json.dumps(text, ensure_ascii=False))
    if len(line) <= LINE_WIDTH - len("    "):
        return [line]
    folded = textwrap.wrap(text, FOLDED_WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"{key}>-", *(f"    {each}" for each in folded)]


FILES: dict[str, Callable[[str], str]] = {
    "meltano.yml": _meltano,
    "examples/postgres/meltano.yml": _example,
    "hub/target-dotdigital.yml": _hub,
    ".env.example": _environment,
}
