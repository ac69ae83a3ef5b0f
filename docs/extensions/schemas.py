"""Tables of the settings and of the report, made from their JSON schemas.

    ```{settings} target
    ```

`target` are the settings themselves, `stream` those of one stream. `{report}` is the report.
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import target_dotdigital
from target_dotdigital.settings.stream_schema import STREAM_SETTINGS
from target_dotdigital.target import TargetDotdigital

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docutils.nodes import Node
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

REPORT_SCHEMA = Path(target_dotdigital.__file__).with_name("report.schema.json")
_REFERENCE = "#/$defs/"


def settings(of: str) -> dict[str, Any]:
    """Return the schemas of settings, by name.

    Args:
        of: `target` or `stream`.
    """
    if of == "stream":
        properties: dict[str, Any] = STREAM_SETTINGS.to_dict()["properties"]
        return properties
    schema = deepcopy(TargetDotdigital.config_jsonschema)
    TargetDotdigital.append_builtin_config(schema)
    return dict(schema["properties"])


def settings_table(of: str) -> list[str]:
    """Return the Markdown of a table of settings.

    Args:
        of: `target` or `stream`.
    """
    lines = ["| Setting | Kind | Default | Description |", "| --- | --- | --- | --- |"]
    for name, schema in settings(of).items():
        default = f"`{_plain(schema['default'])}`" if "default" in schema else ""
        lines.append(f"| `{name}` | {kind(schema)} | {default} | {schema['description']} |")
    return lines


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def kind(schema: dict[str, Any]) -> str:
    """Put into words what a value has to be.

    Args:
        schema: Its JSON schema.
    """
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REFERENCE).replace("_", " ")
    choices = [schema["const"]] if "const" in schema else schema.get("enum", ())
    if choices:
        return ", ".join(f"`{_plain(each)}`" for each in choices if each is not None)
    alternatives = schema.get("oneOf") or schema.get("anyOf")
    if alternatives and "type" not in schema:
        return " or ".join(kind(each) for each in alternatives)
    return ", ".join([_type(schema), *_limits(schema)])


def _type(schema: dict[str, Any]) -> str:
    types = schema.get("type", "any")
    listed = [each for each in (types if isinstance(types, list) else [types]) if each != "null"]
    if "array" in listed and "items" in schema:
        return f"array of {kind(schema['items'])}"
    others = schema.get("additionalProperties")
    if isinstance(others, dict) and "properties" not in schema:
        return f"object of {kind(others)}"
    return " or ".join(listed)


def _limits(schema: dict[str, Any]) -> Iterator[str]:
    if "format" in schema:
        yield schema["format"]
    if "maximum" in schema:
        yield f"{schema.get('minimum', '')} to {schema['maximum']}"
    elif "minimum" in schema:
        yield f"at least {schema['minimum']}"
    if schema.get("secret"):
        yield "secret"


def report_tables(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the Markdown of all of the report's tables.

    Args:
        schema: The report's JSON schema.
    """
    yield from _object_table("Every report", schema)
    for alternative in schema.get("oneOf", ()):
        names = dict(alternative["properties"])
        which = names.pop("kind")["const"]
        needed = [*schema["required"], *alternative.get("required", ())]
        yield from _object_table(f"A {which}, besides", {"properties": names, "required": needed})
    for name, definition in schema["$defs"].items():
        yield from _object_table(name.replace("_", " ").capitalize(), definition)


def _object_table(title: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"\n**{title}.** {schema.get('description', '')}\n"
    if not schema.get("properties"):
        yield f"{kind(schema)}\n"
        return
    yield "| Key | Kind | Description |"
    yield "| --- | --- | --- |"
    yield from _rows("", schema)


def _rows(prefix: str, schema: dict[str, Any]) -> Iterator[str]:
    for name, each in schema["properties"].items():
        is_list = "items" in each and "properties" in each["items"]
        path = f"{prefix}{name}{'[]' if is_list else ''}"
        null = isinstance(each.get("type"), list) and "null" in each["type"]
        remarks = ["or null"] if null else []
        if name not in schema.get("required", ()):
            remarks.append("may be absent")
        text = each.get("description", "")
        what = ", ".join(
            [kind({**each, "items": {"type": "object"}} if is_list else each), *remarks]
        )
        yield f"| `{path}` | {what} | {text} |"
        inner = each["items"] if is_list else each
        if inner.get("properties"):
            yield from _rows(f"{path}.", inner)


def stacked(found: list[Node]) -> list[Node]:
    """Mark tables as those whose cells go one below the other where there is little room.

    Args:
        found: Some of them may be tables.
    """
    for each in found:
        if isinstance(each, nodes.table):
            each["classes"].append("stacked")
    return found


class SettingsDirective(SphinxDirective):
    """The table of the target's or of a stream's settings."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[Node]:
        """Return the table."""
        return stacked(self.parse_text_to_nodes("\n".join(settings_table(self.arguments[0]))))


class ReportDirective(SphinxDirective):
    """The tables of the report."""

    def run(self) -> list[Node]:
        """Return the tables."""
        schema = json.loads(REPORT_SCHEMA.read_text(encoding="utf-8"))
        self.env.note_dependency(str(REPORT_SCHEMA))
        return stacked(self.parse_text_to_nodes("\n".join(report_tables(schema))))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx."""
    app.add_directive("settings", SettingsDirective)
    app.add_directive("report", ReportDirective)
    return {"version": "1", "parallel_read_safe": True}
