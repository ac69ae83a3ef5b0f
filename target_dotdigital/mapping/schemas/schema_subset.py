"""Excerpts of JSON schemas: what they say of the properties that are used, and nothing else.

An object is described no deeper than it is used, and what a schema says of its other properties is
left out, be it wrong or large. Older drafts' words are written as today's.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import jsonschema_rs

from target_dotdigital.mapping.schemas.subschemas import (
    TYPES,
    References,
    UnusableSchemaError,
    declared_types,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Used: TypeAlias = "dict[str, Used]"
"""The properties of an object that are used, and what inside of them. Nothing inside: as a whole,
which can only be a plain value, or an array of such."""

PYTHON_PATTERN: Final = "x-python-pattern"
"""The keyword for a pattern that is none of JSON schema's, but one that Python knows."""

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
"""Keywords that count for an object of which only parts are used: they tell null from it, say."""


def used_in(paths: Iterable[tuple[str, ...]]) -> Used:
    """Return what is used, as a tree.

    Args:
        paths: Where in a record it is.
    """
    used: Used = {}
    for path in paths:
        node = used
        for segment in path:
            node = node.setdefault(segment, {})
    return used


class Excerpt:
    """An excerpt of one schema, and what is wrong with what it should hold."""

    def __init__(self, schema: Mapping[str, Any], used: Used) -> None:
        """Make it.

        Args:
            schema: A stream's JSON schema.
            used: What is used of a record.
        """
        self._references = References(schema)
        self._definitions: dict[str, Any] = {}
        self._places: dict[tuple[int, str], str] = {}
        self.problems: list[str] = []
        """What cannot be used, each with its place; no more than one of a property."""
        self.schema: dict[str, Any] = {"properties": {}}
        # Its own properties come one by one, so that each is told of what is wrong with it.
        rest = {**schema, "properties": dict.fromkeys(schema.get("properties") or (), True)}
        self.schema.update(self._found("the record", rest, used) or {})
        required = schema.get("required")
        if isinstance(required, list):
            names = [name for name in required if isinstance(name, str) and _is_text(name)]
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
            if isinstance(properties, dict) and name in properties and _is_text(name):
                place = f"property '{name}'"
                found = self._found(place, properties[name], inside)
                if found is False:
                    self.problems.append(f"{place}: false takes no value at all")
                elif found is not None:
                    other = self.schema["properties"].get(name, True)
                    self.schema["properties"][name] = (
                        found if other is True else {"allOf": [other, found]}
                    )

    def _found(self, place: str, node: object, used: Used) -> Any:  # noqa: ANN401 - a schema
        """Return the excerpt of a node; None, and a problem, if it cannot be used."""
        before = len(self._definitions)
        try:
            found = self._cut(node, used)
            added = list(self._definitions.values())[before:]
            for part in [found, *added]:
                _check(part, self.validator_type)
        except UnusableSchemaError as error:
            self.problems.append(f"{place}: {error}")
        except RecursionError:
            self.problems.append(f"{place}: it is nested too deeply")
        else:
            return found
        return None

    def _cut(self, node: object, used: Used) -> Any:  # noqa: ANN401 - a part of a JSON schema
        if isinstance(node, bool):
            return node
        if not isinstance(node, dict):
            raise UnusableSchemaError(f"{_kind(node)} is no schema")
        if "$ref" in node:
            reference = self._reference(node["$ref"], used)
            if not self._references.is_modern:
                return reference
            rest = {word: value for word, value in node.items() if word != "$ref"}
            return {"allOf": [reference, self._cut(rest, used)]}
        cut = self._parts_of_object(node, used) if used else self._whole(node)
        if (pattern := node.get("pattern")) is not None:
            cut.update(_pattern(pattern))
        for word in _OF_SCHEMAS & node.keys():
            if not isinstance(node[word], list):
                raise UnusableSchemaError(f"{word} is no list")
            parts = [self._cut(part, used) for part in node[word]]
            if used and word == "oneOf":
                # What told them apart may be left out.
                cut.setdefault("allOf", []).append({"anyOf": parts})
            else:
                cut.setdefault(word, []).extend(parts)
        return cut

    def _whole(self, node: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is said of a plain value, or of an array of such.

        An object that is mapped as a whole has no data field that takes it, whatever is in it.
        """
        cut = {word: node[word] for word in _COPIED & node.keys()}
        for word in _OF_SCHEMA & node.keys():
            if word == "items" and isinstance(node[word], list):
                word_now = "prefixItems" if self._references.has_prefix_items else "items"
                cut[word_now] = [self._cut(part, {}) for part in node[word]]
            else:
                cut[word] = self._cut(node[word], {})
        if self._references.has_prefix_items and isinstance(node.get("prefixItems"), list):
            cut["prefixItems"] = [self._cut(part, {}) for part in node["prefixItems"]]
        return _as_today(cut)

    def _parts_of_object(self, node: Mapping[str, Any], used: Used) -> dict[str, Any]:
        """Return what is said of the parts of an object that are used."""
        cut: dict[str, Any] = {word: node[word] for word in _DECIDING & node.keys()}
        required = node.get("required")
        if isinstance(required, list):
            cut["required"] = [name for name in required if isinstance(name, str) and name in used]
        described = {}
        for name, inside in used.items():
            if not _is_text(name):
                continue
            parts = [self._cut(part, inside) for part in _told_of(node, name)]
            if parts:
                described[name] = parts[0] if len(parts) == 1 else {"allOf": parts}
        if described:
            cut["properties"] = described
        return _as_today(cut)

    def _reference(self, reference: object, used: Used) -> dict[str, Any]:
        """Return a reference to the excerpt of what a reference leads to."""
        target = self._references.target(reference)
        key = (id(target), repr(used))
        if key not in self._places:
            place = self._places[key] = str(len(self._places))
            self._definitions[place] = {}
            self._definitions[place] = self._cut(target, used)
        return {"$ref": f"#/definitions/{self._places[key]}"}


def _told_of(node: Mapping[str, Any], name: str) -> list[Any]:
    """Return the schemas that an object's schema has for one of its properties."""
    found = []
    properties, patterns = node.get("properties"), node.get("patternProperties")
    if isinstance(properties, dict) and name in properties:
        found.append(properties[name])
    if isinstance(patterns, dict):
        found += [part for pattern, part in patterns.items() if _matches(pattern, name)]
    more = node.get("additionalProperties")
    # `false` is for columns that the tap did not know of when it wrote the SCHEMA.
    if not found and isinstance(more, dict):
        found.append(more)
    return found


def _as_today(cut: dict[str, Any]) -> dict[str, Any]:
    """Write what older drafts say otherwise as today's do, and look at what the library lets be."""
    for word, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(cut.get(word), bool):
            is_exclusive = cut.pop(word)
            if is_exclusive and bound in cut:
                cut[word] = cut.pop(bound)
    if "type" in cut:
        unknown = [name for name in declared_types(cut) if str(name) not in TYPES]
        if unknown:
            raise UnusableSchemaError(f"type {_told(unknown[0])} is none of JSON schema's")
        if not declared_types(cut):
            raise UnusableSchemaError("it takes no value at all (no type is named)")
        if isinstance(cut["type"], list):
            cut["type"] = list(dict.fromkeys(cut["type"]))
    if any(_holds_no_number(value) for value in cut.values()):
        raise UnusableSchemaError("it holds a number that is none")
    return cut


def _check(cut: object, validator_type: Any) -> None:  # noqa: ANN401 - a class of the library
    """Make sure that an excerpt is a schema.

    Raises:
        UnusableSchemaError: It is not.
    """
    try:
        # What it refers to is not at hand here, and looked at for itself.
        validator_type(_without_references(cut))
    except jsonschema_rs.ValidationError as error:
        words = [part for part in error.instance_path if isinstance(part, str)]
        word = words[-1] if words else "it"
        raise UnusableSchemaError(f"{word}: {error.message}") from None
    except ValueError:
        # Half a surrogate pair, or an end that is too deep.
        raise UnusableSchemaError("it is nested too deeply, or no Unicode") from None


def _without_references(node: object) -> Any:  # noqa: ANN401 - any part of a JSON schema
    if isinstance(node, dict):
        return {word: _without_references(value) for word, value in node.items() if word != "$ref"}
    return [_without_references(each) for each in node] if isinstance(node, list) else node


def _pattern(text: object) -> dict[str, str]:
    if not isinstance(text, str):
        raise UnusableSchemaError("its pattern is no text")
    keyword = _pattern_keyword(text)
    if keyword is None:
        raise UnusableSchemaError(f"its pattern {_told(text)} is no regular expression")
    return {keyword: text}


@lru_cache(maxsize=256)
def _pattern_keyword(text: str) -> str | None:
    """Return the keyword under which a pattern is known; None if it is none."""
    try:
        jsonschema_rs.Draft7Validator({"pattern": text})
    except ValueError:
        try:
            re.compile(text)
        except (re.error, OverflowError, RecursionError):
            return None
        return PYTHON_PATTERN
    return "pattern"


def _matches(pattern: str, name: str) -> bool:
    keyword = _pattern_keyword(pattern)
    if keyword is None:
        raise UnusableSchemaError(f"the pattern {_told(pattern)} is no regular expression")
    if keyword == PYTHON_PATTERN:
        return re.search(pattern, name) is not None
    return bool(jsonschema_rs.Draft7Validator({"pattern": pattern}).is_valid(name))


def _holds_no_number(value: object) -> bool:
    if isinstance(value, list):
        return any(map(_holds_no_number, value))
    return isinstance(value, (float, Decimal)) and not math.isfinite(value)


def _is_text(name: str) -> bool:
    """Return whether a name is Unicode: the library takes no half of a surrogate pair."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _kind(node: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", type(None): "null"}
    return names.get(type(node), "a number")


def _told(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else _kind(value)
