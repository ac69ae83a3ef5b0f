"""Subsets of JSON schemas: what they say of the properties in use, and nothing else.

An object is described no deeper than it is used. What a schema says of other properties is left
out, be it wrong or large.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import jsonschema_rs

from target_dotdigital.mapping.schemas.keywords import (
    check_keywords,
    is_unicode,
    kind_of,
    matches,
    modernised,
    pattern_keyword,
)
from target_dotdigital.mapping.schemas.subschemas import References, UnusableSchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Used: TypeAlias = "dict[str, Used]"
"""The properties of an object that are used, and those inside of each. None inside: it is used as a
whole, which can only be a plain value, or an array of such."""

_COPIED: Final = frozenset(
    {
        "type", "enum", "const", "multipleOf", "minimum", "maximum", "exclusiveMinimum",
        "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems",
        "minContains", "maxContains",
    }
)  # fmt: skip

_OF_SCHEMA: Final = frozenset(
    {"items", "additionalItems", "contains", "unevaluatedItems", "not", "if", "then", "else"}
)
"""Keywords whose value is a schema, of a value that is used as a whole."""

_OF_SCHEMAS: Final = frozenset({"allOf", "anyOf", "oneOf"})
_DECIDING: Final = frozenset({"type", "enum", "const"})
"""Keywords that are kept of an object of which only parts are used: they tell it from null, say."""


def used_in(paths: Iterable[tuple[str, ...]]) -> Used:
    """Return the properties in use, as a tree.

    Args:
        paths: Where in a record they are.
    """
    used: Used = {}
    for path in paths:
        node = used
        for segment in path:
            node = node.setdefault(segment, {})
    return used


class SchemaSubset:
    """The subset of one schema that concerns the properties in use, and what is wrong with it."""

    def __init__(self, schema: Mapping[str, Any], used: Used) -> None:
        """Take the subset.

        Args:
            schema: A stream's JSON schema.
            used: What is used of a record.
        """
        self._references = References(schema)
        self._definitions: dict[str, Any] = {}
        self._places: dict[tuple[int, str], str] = {}
        self.faults: list[str] = []
        """What cannot be used, each with its place; no more than one of a property."""
        self.schema: dict[str, Any] = {"properties": {}}
        # Its own properties come one by one, so that each has a problem of its own.
        rest = {**schema, "properties": dict.fromkeys(schema.get("properties") or (), True)}
        self.schema.update(self._subset("the record", rest, used) or {})
        required = schema.get("required")
        if isinstance(required, list):
            names = [name for name in required if isinstance(name, str) and is_unicode(name)]
            self.schema["required"] = names
        self._add_properties(schema, used)
        self.schema["definitions"] = self._definitions

    @property
    def validator_type(self) -> Any:  # noqa: ANN401 - one of the library's classes
        """The class that reads the schema's draft."""
        if self._references.has_prefix_items:
            return jsonschema_rs.Draft202012Validator
        if self._references.is_modern:
            return jsonschema_rs.Draft201909Validator
        return jsonschema_rs.Draft7Validator

    def _add_properties(self, schema: Mapping[str, Any], used: Used) -> None:
        properties = schema.get("properties")
        for name, inside in used.items():
            if isinstance(properties, dict) and name in properties and is_unicode(name):
                place = f"property '{name}'"
                found = self._subset(place, properties[name], inside)
                if found is False:
                    self.faults.append(f"{place}: false allows no value")
                elif found is not None:
                    other = self.schema["properties"].get(name, True)
                    self.schema["properties"][name] = (
                        found if other is True else {"allOf": [other, found]}
                    )

    def _subset(self, place: str, node: object, used: Used) -> Any:  # noqa: ANN401 - a schema
        """Return the subset of a node; None, and a problem, if it cannot be used."""
        before = len(self._definitions)
        try:
            found = self._reduced(node, used)
            added = list(self._definitions.values())[before:]
            for part in [found, *added]:
                check_keywords(part, self.validator_type)
        except UnusableSchemaError as error:
            self.faults.append(f"{place}: {error}")
        except RecursionError:
            self.faults.append(f"{place}: it is nested too deeply")
        else:
            return found
        return None

    def _reduced(self, node: object, used: Used) -> Any:  # noqa: ANN401 - a part of a schema
        """Return a part of a schema without what it says of properties that are not used."""
        if isinstance(node, bool):
            return node
        if not isinstance(node, dict):
            raise UnusableSchemaError(f"{kind_of(node)} is not a schema")
        if "$ref" in node:
            reference = self._reference(node["$ref"], used)
            if not self._references.is_modern:
                return reference
            rest = {word: value for word, value in node.items() if word != "$ref"}
            return {"allOf": [reference, self._reduced(rest, used)]}
        reduced = self._reduced_object(node, used) if used else self._reduced_value(node)
        if (pattern := node.get("pattern")) is not None:
            reduced.update(pattern_keyword(pattern))
        for word in _OF_SCHEMAS & node.keys():
            if not isinstance(node[word], list):
                raise UnusableSchemaError(f"{word} is not a list")
            parts = [self._reduced(part, used) for part in node[word]]
            if used and word == "oneOf":
                # What distinguishes them may be left out.
                reduced.setdefault("allOf", []).append({"anyOf": parts})
            else:
                reduced.setdefault(word, []).extend(parts)
        return reduced

    def _reduced_value(self, node: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a schema says of a plain value, or of an array of such.

        An object that is mapped as a whole has no data field that takes it, whatever is in it.
        """
        reduced = {word: node[word] for word in _COPIED & node.keys()}
        for word in _OF_SCHEMA & node.keys():
            if word == "items" and isinstance(node[word], list):
                word_now = "prefixItems" if self._references.has_prefix_items else "items"
                reduced[word_now] = [self._reduced(part, {}) for part in node[word]]
            else:
                reduced[word] = self._reduced(node[word], {})
        if self._references.has_prefix_items and isinstance(node.get("prefixItems"), list):
            reduced["prefixItems"] = [self._reduced(part, {}) for part in node["prefixItems"]]
        return modernised(reduced)

    def _reduced_object(self, node: Mapping[str, Any], used: Used) -> dict[str, Any]:
        """Return what a schema says of the properties of an object that are used."""
        reduced: dict[str, Any] = {word: node[word] for word in _DECIDING & node.keys()}
        required = node.get("required")
        if isinstance(required, list):
            reduced["required"] = [
                name for name in required if isinstance(name, str) and name in used
            ]
        described = {}
        for name, inside in used.items():
            if not is_unicode(name):
                continue
            parts = [self._reduced(part, inside) for part in _schemas_of(node, name)]
            if parts:
                described[name] = parts[0] if len(parts) == 1 else {"allOf": parts}
        if described:
            reduced["properties"] = described
        return modernised(reduced)

    def _reference(self, reference: object, used: Used) -> dict[str, Any]:
        """Return a reference to the subset of what a reference leads to."""
        target = self._references.target(reference)
        key = (id(target), repr(used))
        if key not in self._places:
            place = self._places[key] = str(len(self._places))
            self._definitions[place] = {}
            self._definitions[place] = self._reduced(target, used)
        return {"$ref": f"#/definitions/{self._places[key]}"}


def _schemas_of(node: Mapping[str, Any], name: str) -> list[Any]:
    """Return the schemas that an object's schema has for one of its properties."""
    found = []
    properties, patterns = node.get("properties"), node.get("patternProperties")
    if isinstance(properties, dict) and name in properties:
        found.append(properties[name])
    if isinstance(patterns, dict):
        found += [part for pattern, part in patterns.items() if matches(pattern, name)]
    more = node.get("additionalProperties")
    # `false` is for columns that the tap did not know of when it wrote the SCHEMA.
    if not found and isinstance(more, dict):
        found.append(more)
    return found
