"""Flattening: arrays as texts that people can read, and schemas that say what a record holds.

The SDK flattens. It writes arrays as JSON, with an escape for each letter beyond ASCII.

Of a property without a plain `type` the SDK guesses one, or leaves it out; an array becomes a text
in the record, but not always in the schema; and what an object that was taken apart was required to
hold stays required under its old name.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from singer_sdk.singerlib.json import serialize_json

from target_dotdigital.errors import UnfitError
from target_dotdigital.mapping import (
    TYPES,
    References,
    alternatives,
    declared_types,
    to_text,
)
from target_dotdigital.singer.sdk import set_flattened_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_dotdigital.mapping import Subschema

_NESTED: Final = frozenset({"array", "object"})


def join_flattened_arrays() -> None:
    """Let flattening write arrays of plain values as they are sent when nothing is flattened.

    Only flattening itself knows which texts have been arrays.
    """
    set_flattened_json(_flattened)


def _flattened(obj: object, **kwargs: Any) -> str:
    """Return the text of an array or object that flattening leaves whole."""
    if isinstance(obj, list):
        with suppress(UnfitError):  # it holds more than plain values
            return to_text(obj)
    return serialize_json(obj, ensure_ascii=False, **kwargs)


def flattenable(schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """Return a schema that gives every property a type, as the SDK needs one.

    Args:
        schema: A stream's JSON schema.
        depth: How many levels of objects are flattened.
    """
    references = References(schema)
    return {**schema, "properties": _properties(schema["properties"], references, depth)}


def without_old_names(flattened: dict[str, Any]) -> dict[str, Any]:
    """Return a flattened schema that requires nothing but what it has.

    Args:
        flattened: What the SDK has made of a schema.
    """
    required, properties = flattened.get("required"), flattened["properties"]
    if not isinstance(required, list):
        return flattened
    kept = [name for name in required if isinstance(name, str) and name in properties]
    return {**flattened, "required": kept}


def _properties(described: object, references: References, depth: int) -> dict[str, Any]:
    if not isinstance(described, dict):
        return {}
    return {name: _typed(node, references, depth) for name, node in described.items()}


def _typed(node: object, references: References, depth: int) -> Subschema:
    """Return what describes a property's values after flattening, or the object to flatten."""
    if node is not True and not isinstance(node, dict):
        return {"type": []}  # nothing: an error where it is mapped, and only there
    branches = alternatives(node, references)
    types = _types(branches)
    inside: dict[str, Any] = {}
    for branch in branches:
        if isinstance(branch.get("properties"), dict):
            inside.update(branch["properties"])
    if "object" in types and inside and depth > 0:
        return {"type": types, "properties": _properties(inside, references, depth - 1)}
    if _NESTED & set(map(str, types)):
        # Written as JSON. What else the schema says is about what it was.
        plain = [name for name in types if name not in _NESTED]
        return {"type": list(dict.fromkeys([*plain, "string"]))}
    if len(branches) == 1:
        return {**branches[0], "type": types}
    return {"type": types, "anyOf": branches}


def _types(branches: Sequence[Subschema]) -> list[Any]:
    """Return the types that some alternative takes: all of them where one does not tell."""
    found: list[Any] = []
    for branch in branches:
        if "type" in branch:
            found += declared_types(branch)
        else:
            found += ["object"] if isinstance(branch.get("properties"), dict) else sorted(TYPES)
    return [name for place, name in enumerate(found) if name not in found[:place]]
