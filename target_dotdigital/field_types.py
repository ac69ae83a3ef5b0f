"""Which type a new data field gets: what a stream's JSON schema says of its property."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TYPES: Final = {"integer": "Numeric", "number": "Numeric", "boolean": "Boolean"}
_DATE_FORMATS: Final = frozenset({"date", "date-time"})
_NUMBER_FORMATS: Final = frozenset({"x-singer.decimal", "singer.decimal"})
"""A number that is spelled as a text, so that it keeps its digits."""
_UNIONS: Final = ("anyOf", "oneOf")


def field_type(schema: Mapping[str, Any], path: str) -> str:
    """Return the data field type that takes every value that a property may have.

    Args:
        schema: The stream's JSON schema, after stream maps.
        path: The property; a dot walks into an object, unless a property has the whole name.

    Returns:
        `Numeric`, `Boolean` or `Date` where the schema allows nothing else beside null; `String`
        for everything else, also where the schema does not tell.
    """
    whole = path in schema.get("properties", {}) or "." not in path
    described: list[Any] = [schema]
    for segment in [path] if whole else path.split("."):
        described = [
            branch["properties"][segment]
            for node in described
            for branch in _branches(node)
            if segment in (branch.get("properties") or {})
        ]
    found = {name for node in described for branch in _branches(node) for name in _types(branch)}
    return found.pop() if len(found) == 1 else "String"


def _branches(node: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - any part of a JSON schema
    """Yield what a description comes to: itself, or the alternatives of its unions."""
    if not isinstance(node, dict):
        yield {}
        return
    unions = [part for key in _UNIONS for part in node.get(key) or ()]
    if not unions:
        yield node
    for part in unions:
        # An alternative may leave to the union what holds for all of them, as a format.
        shared = {key: value for key, value in node.items() if key not in _UNIONS}
        yield from _branches({**shared, **part} if isinstance(part, dict) else part)


def _types(branch: Mapping[str, Any]) -> Iterator[str]:
    declared = branch.get("type", "any")
    for name in [declared] if isinstance(declared, str) else declared:
        if name == "string" and branch.get("format") in _DATE_FORMATS:
            yield "Date"
        elif name == "string" and branch.get("format") in _NUMBER_FORMATS:
            yield "Numeric"
        elif name != "null":
            yield _TYPES.get(name, "String")
