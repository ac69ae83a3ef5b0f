"""The reference of the settings: a table to look them up in, and a section for each."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.settings_files import PREFIX, Setting, stream_settings, top_level_settings

OF_A_STREAM: Final = "stream"
"""What a block names for the settings of one stream; without it, it has those of the target."""

EXAMPLES: Final = Path(__file__).with_name("setting_examples.yml")
STREAM: Final = "customers"
"""The stream of the examples."""
ADDRESS_BOOK: Final = "Spring segment"
"""What an example of a stream has besides: without it, the run would end."""


@cache
def examples() -> dict[str, dict[str, Any]]:
    """Return what the examples set: of the target, and of a stream."""
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(EXAMPLES.read_text(encoding="utf-8"))
    return loaded


def example(name: str, of: str) -> dict[str, Any]:
    """Return the configuration that shows a setting.

    Args:
        name: The setting's name.
        of: `stream`, or nothing for one of the target.

    Raises:
        LookupError: `setting_examples.yml` has none.
    """
    group = "stream" if of == OF_A_STREAM else "target"
    if name not in examples()[group]:
        raise LookupError(f"{EXAMPLES.name} has no example of {name} of a {group}")
    shown = {name: examples()[group][name]}
    if of != OF_A_STREAM:
        return {**shown, **examples()["with"].get(name, {})}
    if whole := examples()["whole"].get(name):
        return dict(whole)
    beside = examples()["beside"].get(name, {"address_book": ADDRESS_BOOK})
    return {"streams": {STREAM: {**beside, **shown}}}


def title(setting: Setting, of: str) -> str:
    """Return the heading of a setting's section."""
    return f"`{setting.name}` of a stream" if of == OF_A_STREAM else f"`{setting.name}`"


def anchor(setting: Setting, of: str) -> str:
    """Return what a link to a setting's section ends with."""
    return title(setting, of).replace("`", "").replace(" ", "-")


def _settings(of: str) -> list[Setting]:
    return stream_settings() if of == OF_A_STREAM else top_level_settings()


def setting_table(of: str) -> str:
    """Return the table of the settings, each with the first sentence of its description."""
    rows = ["| Setting | Type | Default | Description |", "| --- | --- | --- | --- |"]
    for each in _settings(of):
        default = f"`{each.default_text}`" if each.default_text else ""
        first = in_short(each.description)
        link = f"[`{each.name}`](#{anchor(each, of)})"
        rows.append(f"| {link} | {each.kind} | {default} | {first} |")
    return "\n".join(rows)


def in_short(description: str) -> str:
    """Return what a description says first, up to a full stop or to a colon after a few words."""
    first = re.split(r"(?<=\.)\s(?=[A-Z])", description)[0].rstrip(".")
    head, _, _ = first.partition(": ")
    return head if len(head.split()) > 2 else first


def setting_sections(of: str) -> str:
    """Return a section for each of the settings."""
    return "\n\n".join(_section(each, of) for each in _settings(of))


def _section(setting: Setting, of: str) -> str:
    lines = [
        f"### {title(setting, of)}",
        "",
        setting.description,
        "",
        f"- Type: {setting.kind}",
        f"- Default: {f'`{setting.default_text}`' if setting.default_text else 'none'}",
    ]
    if of != OF_A_STREAM:
        lines.append(f"- Environment variable: `{PREFIX}{setting.name.upper()}`")
    return "\n".join([*lines, "", *_example_lines(setting, of)])


def _example_lines(setting: Setting, of: str) -> list[str]:
    if setting.is_secret:
        # It belongs into `.env`, and into no file that is shared.
        return ["```", f"{PREFIX}{setting.name.upper()}=…", "```"]
    shown = yaml.safe_dump(example(setting.name, of), sort_keys=False, allow_unicode=True)
    return ["```yaml", f"{shown}```"]
