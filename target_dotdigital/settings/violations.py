"""Violations of the settings' schema, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from target_dotdigital.near_misses import did_you_mean

if TYPE_CHECKING:
    from jsonschema import ValidationError


def describe(error: ValidationError) -> str:
    """Return a schema violation in words, without the value that breaks the schema.

    Args:
        error: What `jsonschema` found.
    """
    name = ".".join(str(part) for part in error.absolute_path) or "the configuration"
    rule, wanted, schema = str(error.validator), cast("Any", error.validator_value), error.schema
    if rule == "additionalProperties" and isinstance(error.instance, dict):
        known = set(cast("dict[str, Any]", schema).get("properties", {}))
        unknown = sorted(set(error.instance) - known)
        listed = f"{name}: unknown: {', '.join(unknown)}. Known: {', '.join(sorted(known))}"
        hints = "".join(dict.fromkeys(did_you_mean(each, known) for each in unknown))
        return f"{listed}.{hints}" if hints else listed
    if rule == "enum":
        words = [str(word) for word in wanted if word]
        meant = did_you_mean(error.instance, words)
        return f"{name}: must be one of {', '.join(words)}{'.' if meant else ''}{meant}"
    if rule == "type":
        types = [wanted] if isinstance(wanted, str) else wanted
        return f"{name}: must be of type {' or '.join(word for word in types if word != 'null')}"
    if rule in {"minimum", "maximum"}:
        return f"{name}: must be at {'least' if rule == 'minimum' else 'most'} {wanted}"
    return f"{name}: breaks the rule '{rule}'"
