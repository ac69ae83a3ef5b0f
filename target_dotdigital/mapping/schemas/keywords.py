"""Keywords of JSON schemas, of any draft, as the library that validates takes them."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import jsonschema_rs

from target_dotdigital.mapping.schemas.subschemas import TYPES, UnusableSchemaError, declared_types

PYTHON_PATTERN: Final = "x-python-pattern"
"""The keyword for a pattern that JSON schema does not know, but Python does: `(?i)`, say."""


def modernised(node: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose keywords of older drafts are written as today's.

    Args:
        node: A part of a schema; it is changed.

    Raises:
        UnusableSchemaError: It breaks a rule that the library does not check.
    """
    for word, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(node.get(word), bool):
            is_exclusive = node.pop(word)
            if is_exclusive and bound in node:
                node[word] = node.pop(bound)
    if "type" in node:
        _check_types(declared_types(node))
        if isinstance(node["type"], list):
            node["type"] = list(dict.fromkeys(node["type"]))
    if any(map(_holds_infinity, node.values())):
        raise UnusableSchemaError("it holds a number that is not finite")
    return node


def _check_types(names: list[Any]) -> None:
    unknown = [name for name in names if str(name) not in TYPES]
    if unknown:
        raise UnusableSchemaError(f"{_shown(unknown[0])} is not a type of JSON Schema")
    if not names:
        raise UnusableSchemaError("it allows no value, as its list of types is empty")


def check_keywords(node: object, validator_type: Any) -> None:  # noqa: ANN401 - a library's class
    """Make sure that keywords have the values that JSON schema wants.

    Args:
        node: A part of a schema.
        validator_type: The library's class for the schema's draft.

    Raises:
        UnusableSchemaError: They have not.
    """
    try:
        # What it refers to is not at hand here, and is checked on its own.
        validator_type(_without_references(node))
    except jsonschema_rs.ValidationError as error:
        words = [part for part in error.instance_path if isinstance(part, str)]
        word = words[-1] if words else "it"
        raise UnusableSchemaError(f"{word}: {error.message}") from None
    except ValueError:
        # Half a surrogate pair, or an end that is too deep.
        raise UnusableSchemaError("it is nested too deeply, or is not valid Unicode") from None


def _without_references(node: object) -> Any:  # noqa: ANN401 - any part of a JSON schema
    if isinstance(node, dict):
        return {word: _without_references(value) for word, value in node.items() if word != "$ref"}
    return [_without_references(each) for each in node] if isinstance(node, list) else node


def pattern_keyword(text: object) -> dict[str, str]:
    """Return a pattern under the keyword that can check it: JSON schema's, or `PYTHON_PATTERN`.

    Args:
        text: The value of `pattern` in a schema.

    Raises:
        UnusableSchemaError: It is no regular expression.
    """
    if not isinstance(text, str):
        raise UnusableSchemaError("its pattern is not a text")
    keyword = _keyword_of(text)
    if keyword is None:
        raise UnusableSchemaError(f"its pattern {_shown(text)} is not a regular expression")
    return {keyword: text}


@lru_cache(maxsize=256)
def _keyword_of(text: str) -> str | None:
    """Return the keyword that can check a pattern; None if it is no regular expression."""
    try:
        jsonschema_rs.Draft7Validator({"pattern": text})
    except ValueError:
        try:
            re.compile(text)
        except (re.error, OverflowError, RecursionError):
            return None
        return PYTHON_PATTERN
    return "pattern"


def matches(pattern: str, name: str) -> bool:
    """Return whether a pattern of `patternProperties` matches a property's name.

    Args:
        pattern: The pattern.
        name: The property's name, in Unicode.

    Raises:
        UnusableSchemaError: The pattern is no regular expression.
    """
    keyword = _keyword_of(pattern)
    if keyword is None:
        raise UnusableSchemaError(f"the pattern {_shown(pattern)} is not a regular expression")
    if keyword == PYTHON_PATTERN:
        return re.search(pattern, name) is not None
    return bool(jsonschema_rs.Draft7Validator({"pattern": pattern}).is_valid(name))


def _holds_infinity(value: object) -> bool:
    """Return whether a number in a keyword's value is infinite, or NaN."""
    if isinstance(value, list):
        return any(map(_holds_infinity, value))
    return isinstance(value, (float, Decimal)) and not math.isfinite(value)


def is_unicode(name: str) -> bool:
    """Return whether a name is valid Unicode: the library takes no half of a surrogate pair.

    Args:
        name: A property's name.
    """
    return not any("\ud800" <= character <= "\udfff" for character in name)


def kind_of(value: object) -> str:
    """Return what a value is that is no schema, in words.

    Args:
        value: A value of JSON.
    """
    names = {dict: "an object", list: "a list", str: "a text", type(None): "null"}
    return names.get(type(value), "a number")


def _shown(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else kind_of(value)
