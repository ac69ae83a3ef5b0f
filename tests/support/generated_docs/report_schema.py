"""Tables of the report, made from its JSON schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import target_dotdigital

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(target_dotdigital.__file__).parent
REPORT_SCHEMA = PACKAGE / "report.schema.json"
VERIFICATION_SCHEMA = PACKAGE / "verification.schema.json"
_REFERENCE = "#/$defs/"


def report_tables(_: str = "") -> str:
    """Return the tables of the report."""
    schema = json.loads(REPORT_SCHEMA.read_text(encoding="utf-8"))
    return "\n".join(_tables(schema, "Every report")).strip("\n")


def verification_tables(_: str = "") -> str:
    """Return the tables of what a verification writes."""
    schema = json.loads(VERIFICATION_SCHEMA.read_text(encoding="utf-8"))
    return "\n".join(_tables(schema, "A verification")).strip("\n")


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _kind(schema: dict[str, Any]) -> str:
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
        return " or ".join(_kind(each) for each in alternatives)
    return ", ".join([_type(schema), *_limits(schema)])


def _type(schema: dict[str, Any]) -> str:
    types = schema.get("type", "any")
    listed = [each for each in (types if isinstance(types, list) else [types]) if each != "null"]
    if "array" in listed and "items" in schema:
        return f"array of {_kind(schema['items'])}"
    others = schema.get("additionalProperties")
    if isinstance(others, dict) and "properties" not in schema:
        return f"object of {_kind(others)}"
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


def _tables(schema: dict[str, Any], title: str) -> Iterator[str]:
    yield from _object_table(title, schema)
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
        yield f"{_kind(schema)}\n"
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
            [_kind({**each, "items": {"type": "object"}} if is_list else each), *remarks]
        )
        yield f"| `{path}` | {what} | {text} |"
        inner = each["items"] if is_list else each
        if inner.get("properties"):
            yield from _rows(f"{path}.", inner)
