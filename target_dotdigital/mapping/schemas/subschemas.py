"""Subschemas: what a stream's JSON schema says of a property.

References are followed and unions taken apart. Taps write schemas of every draft, and not always
as any draft wants them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT7, DRAFT201909, DRAFT202012, specification_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Subschema: TypeAlias = dict[str, Any]

TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})

_UNIONS: Final = ("anyOf", "oneOf")
_JOINED: Final = frozenset({*_UNIONS, "allOf", "$ref"})

_MAX_ALTERNATIVES: Final = 64
_MAX_DEPTH: Final = 32
"""Of unions and references inside each other. A schema may refer to itself."""


class UnusableSchemaError(Exception):
    """A part of a schema cannot be used; the text says what is wrong with it."""


class SharedSchema(Subschema):
    """A stream's schema whose copies share the properties' subschemas.

    The SDK makes two deep copies of each schema, which is slow and large for megabytes. In a copy
    it only changes which properties there are.
    """

    def __deepcopy__(self, _memo: object) -> SharedSchema:
        """Return a copy with properties of its own."""
        return SharedSchema({**self, "properties": dict(self["properties"])})


class References:
    """Follows references inside one schema; other files are never read."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Follow nothing yet.

        Args:
            schema: A stream's JSON schema.
        """
        dialect = schema.get("$schema")
        specification = specification_with(
            dialect if isinstance(dialect, str) else "", default=DRAFT7
        )
        self.is_modern = specification in {DRAFT201909, DRAFT202012}
        """Whether a keyword beside `$ref` counts, as it does since draft 2019-09."""
        self.has_prefix_items = specification is DRAFT202012
        odd = {word for word in ("$id", "id") if not isinstance(schema.get(word), str)}
        root = {word: value for word, value in schema.items() if word not in odd}
        self._resolver = Registry[Any]().resolver_with_root(specification.create_resource(root))

    def target(self, reference: object) -> Any:  # noqa: ANN401 - any part of a JSON schema
        """Return what a `$ref` leads to.

        Args:
            reference: The keyword's value.

        Raises:
            UnusableSchemaError: It leads to nothing in this schema.
        """
        if not isinstance(reference, str):
            raise UnusableSchemaError("its $ref is not a text")
        try:
            return self._resolver.lookup(reference).contents
        except (Unresolvable, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            # Its look for names passes through all of the schema, whatever that holds.
            raise UnusableSchemaError(
                f"its $ref '{reference}' is not in the schema, and other files are not read"
            ) from None


def alternatives(node: object, references: References, depth: int = 0) -> list[Subschema]:
    """Return a subschema without references and unions: itself, or the alternatives of its unions.

    Where there are too many, the one alternative is a subschema that says nothing.

    Args:
        node: A part of a JSON schema.
        references: Those of the schema.
        depth: How many unions and references it is inside of.
    """
    if not isinstance(node, dict) or depth > _MAX_DEPTH:
        return [{}]
    found: list[Subschema] = [{word: value for word, value in node.items() if word not in _JOINED}]
    if "$ref" in node:
        try:
            target = references.target(node["$ref"])
        except UnusableSchemaError:
            return [{}]
        found = _joined(found, alternatives(target, references, depth + 1))
    for part in _parts(node, "allOf"):
        found = _joined(found, alternatives(part, references, depth + 1))
    union = [
        branch
        for word in _UNIONS
        for part in _parts(node, word)
        for branch in alternatives(part, references, depth + 1)
    ]
    if union:
        found = _joined(found, union)
    return found


def _parts(node: Subschema, word: str) -> Iterable[object]:
    parts = node.get(word)
    return parts if isinstance(parts, list) else ()


def _joined(left: list[Subschema], right: list[Subschema]) -> list[Subschema]:
    """Return every combination: what holds for all alternatives of a union, holds for each."""
    if len(left) * len(right) > _MAX_ALTERNATIVES:
        return [{}]
    return [_merged(one, other) for one in left for other in right]


def _merged(one: Subschema, other: Subschema) -> Subschema:
    merged = {**one, **other}
    if "type" in one and "type" in other:
        both = [name for name in declared_types(one) if name in declared_types(other)]
        merged["type"] = both or other["type"]
    if isinstance(one.get("properties"), dict) and isinstance(other.get("properties"), dict):
        merged["properties"] = {**one["properties"], **other["properties"]}
    return merged


def declared_types(node: Subschema) -> list[Any]:
    """Return the names of types in a subschema; none if it has no `type`.

    Args:
        node: A subschema.
    """
    named = node.get("type", [])
    return named if isinstance(named, list) else [named]


def within(nodes: Iterable[Subschema], segment: str, references: References) -> Iterator[Subschema]:
    """Yield the subschemas of a property inside objects.

    Args:
        nodes: Alternatives for the objects.
        segment: The property's name.
        references: Those of the schema.
    """
    for node in nodes:
        properties = node.get("properties")
        if isinstance(properties, dict) and segment in properties:
            yield from alternatives(properties[segment], references)


def why_missing(schema: Mapping[str, Any], path: str) -> str | None:
    """Return what is to be added to the message that no record can hold a property.

    A text may hold an object, written as JSON: a path into it is never a problem.

    Args:
        schema: The stream's JSON schema, after stream maps.
        path: The property; a dot walks into an object, unless a property has the whole name.

    Returns:
        Of what type a value is that is no object, or an empty text. None if a record can hold the
        property, as far as its schema tells.
    """
    if path in (schema.get("properties") or ()):
        return None
    references = References(schema)
    nodes = alternatives(schema, references)
    segments = path.split(".")
    for place, segment in enumerate(segments):
        inside = list(within(nodes, segment, references))
        if not inside:
            if any(_may_hold(node, is_root=place == 0) for node in nodes):
                return None
            types = {str(name) for node in nodes for name in declared_types(node)}
            if place == 0 or "object" in types or not types:
                return ""
            return f": '{'.'.join(segments[:place])}' is of type {', '.join(sorted(types))}"
        nodes = inside
    return None


def _may_hold(node: Subschema, *, is_root: bool) -> bool:
    """Return whether a value may have a property that its subschema does not name."""
    types = set(map(str, declared_types(node)))
    if types and not is_root:
        if types == {"null"} or "string" in types:
            return True
        if "object" not in types:
            return False
    has_more = bool(node.get("additionalProperties") or node.get("patternProperties"))
    return has_more or not node.get("properties")
