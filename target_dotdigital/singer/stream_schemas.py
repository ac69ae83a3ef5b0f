"""Schemas on their way through the SDK: what it is given, and what is certain of its result.

Stream maps compute properties, and the SDK guesses their types by how an expression begins.
`age > 18` is a text to it, and `int(age) > 18` a whole number. What it guesses is not used.
"""

from __future__ import annotations

import ast
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, Final

from target_dotdigital.mapping import SharedSchema
from target_dotdigital.singer.flattening import flattenable, without_old_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.mapper import PluginMapper

    from target_dotdigital.mapping import Subschema

_CALLS: Final = {
    "bool": "boolean",
    "float": "number",
    "int": "integer",
    "md5": "string",
    "sha256": "string",
    "str": "string",
}
"""Functions of stream maps, and the only type that each returns."""

_DATE_CALLS: Final = frozenset(
    {
        *("combine", "date", "datetime", "fromisoformat", "fromtimestamp", "isoformat", "now"),
        *("strptime", "today", "utcnow"),
    }
)


def prepared(message: Mapping[str, Any], mapper: PluginMapper) -> dict[str, Any]:
    """Return a SCHEMA message that the SDK can copy cheaply, and flatten if it is to.

    Args:
        message: The SCHEMA message.
        mapper: The SDK's stream maps.
    """
    schema = message["schema"]
    if _flattens(mapper):
        schema = flattenable(schema, mapper.flattening_options.max_level)
    return {**message, "schema": SharedSchema(schema)}


def described(
    schema: dict[str, Any], mapper: PluginMapper, stream: str, properties: Mapping[str, Any]
) -> SharedSchema:
    """Return what a stream map has made of a schema, without what the SDK only guesses.

    Args:
        schema: What the stream map has made.
        mapper: The SDK's stream maps.
        stream: What the tap calls the stream.
        properties: Those of the tap's own schema.
    """
    found = computed_properties(mapper.stream_maps_dict, stream, properties)
    for stream_map, computed in zip(mapper.stream_maps[stream], found, strict=True):
        if stream_map.transformed_schema is schema and computed:
            known = {name: computed[name] for name in computed.keys() & schema["properties"]}
            schema = {**schema, "properties": {**schema["properties"], **known}}
            break
    return SharedSchema(without_old_names(schema) if _flattens(mapper) else schema)


def _flattens(mapper: PluginMapper) -> bool:
    options = mapper.flattening_options
    return options.enabled and options.max_level > 0


def computed_properties(
    definitions: Mapping[str, Any], stream: str, properties: Mapping[str, Any]
) -> list[dict[str, Subschema]]:
    """Return what is certain of the properties that each of a stream's maps computes.

    Args:
        definitions: The setting `stream_maps`.
        stream: What the tap calls the stream.
        properties: Those of the tap's own schema.

    Returns:
        The computed properties by stream map, in the SDK's order.
    """
    return [
        _computed(each, properties) if isinstance(each, dict) else {}
        for each in map_definitions(definitions, stream)
    ]


def map_definitions(definitions: Mapping[str, Any], stream: str) -> list[Any]:
    """Return how each of a stream's maps is defined, in the SDK's order.

    Args:
        definitions: The setting `stream_maps`.
        stream: What the tap calls the stream.

    Returns:
        Of the maps that keep the stream's place the last one, None if there is none; then those
        that make further streams of it.
    """
    first = None
    others = []
    for key, definition in definitions.items():
        source = definition.get("__source__", key) if isinstance(definition, dict) else key
        if not (stream == source or fnmatch(stream, source)):
            continue
        if isinstance(definition, dict) and "__source__" in definition:
            others.append(definition)
        else:
            first = definition
    return [first, *others]


def _computed(definition: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Subschema]:
    return {
        name: _certain(expression)
        for name, expression in definition.items()
        if isinstance(expression, str)
        and not name.startswith("__")
        and not _is_pass(name, expression.strip(), properties)
    }


def _is_pass(name: str, expression: str, properties: Mapping[str, Any]) -> bool:
    """Return whether a property is passed on as it came, and the SDK describes it so."""
    if expression in {"self", name}:
        return name in properties
    return expression in properties and name not in properties


def _certain(expression: str) -> Subschema:
    """Return what holds for every value of an expression, whatever the record holds."""
    try:
        node = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return {}  # the SDK tells it
    if isinstance(node, ast.Compare) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    ):
        return {"type": "boolean"}
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in _CALLS:
            return {"type": _CALLS[node.func.id]}
        if isinstance(node.func, ast.Attribute) and node.func.attr in _DATE_CALLS:
            return {"format": "date-time"}
    return {}
