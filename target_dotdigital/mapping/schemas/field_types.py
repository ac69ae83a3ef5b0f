"""Types of new data fields, by what a stream's JSON schema says of their properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from target_dotdigital.mapping.schemas.subschemas import (
    References,
    alternatives,
    declared_types,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_dotdigital.mapping.schemas.subschemas import Subschema

_TYPES: Final = {"integer": "Numeric", "number": "Numeric", "boolean": "Boolean"}
_DATE_FORMATS: Final = frozenset({"date", "date-time"})
_NUMBER_FORMATS: Final = frozenset({"x-singer.decimal", "singer.decimal"})
"""Formats of numbers that taps write as texts, so that they keep their digits."""


def field_type(schema: Mapping[str, Any], path: str) -> str:
    """Return the data field type that takes every value that a property may have.

    Args:
        schema: The stream's JSON schema, after stream maps.
        path: The property; a dot walks into an object, unless a property has the whole name.

    Returns:
        `Numeric`, `Boolean` or `Date` where the schema allows nothing else beside null; `String`
        for everything else, also where the schema does not say.
    """
    whole = path in schema.get("properties", {}) or "." not in path
    references = References(schema)
    described = alternatives(schema, references)
    for segment in [path] if whole else path.split("."):
        described = list(within(described, segment, references))
    found = {name for node in described for name in _types(node)}
    return found.pop() if len(found) == 1 else "String"


def _types(branch: Subschema) -> Iterator[str]:
    for name in declared_types(branch) if "type" in branch else ["string"]:
        if name == "string" and _has_format(branch, _DATE_FORMATS):
            yield "Date"
        elif name == "string" and _has_format(branch, _NUMBER_FORMATS):
            yield "Numeric"
        elif name != "null":
            yield _TYPES.get(name, "String") if isinstance(name, str) else "String"


def _has_format(branch: Subschema, formats: frozenset[str]) -> bool:
    named = branch.get("format")
    return isinstance(named, str) and named in formats
