"""Everything that is wrong with the settings, as far as it shows without an account.

Messages name settings and never repeat a value: the value may be a password in the wrong place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from target_dotdigital.near_misses import did_you_mean
from target_dotdigital.settings.access import access_problems, path_problems, sending_problems
from target_dotdigital.settings.address_books import (
    address_book_problems,
    leaving_problems,
    loading_problems,
)
from target_dotdigital.settings.names import name_problems
from target_dotdigital.settings.streams import stream_problems

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from jsonschema import ValidationError


def problems(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Return everything that is wrong with a configuration, all at once.

    Args:
        config: The plugin's configuration.
        schema: The JSON schema of the settings.
    """
    violations = list(DEFAULT_JSONSCHEMA_VALIDATOR(_mended(schema)).iter_errors(config))
    # What the schema refuses gets one message, and is kept from checks that expect its type.
    wrong = {tuple(each.absolute_path) for each in violations if each.validator in {"type", "enum"}}
    sound = _without(config, wrong)
    names = [".".join(str(part) for part in path) for path in wrong]
    return [
        *(describe(violation) for violation in violations),
        *name_problems(config, schema["properties"]),
        *(each for each in _further_problems(sound) if each.partition(":")[0] not in names),
        *loading_problems(sound, wrong),
    ]


def _mended(schema: Any) -> Any:  # noqa: ANN401 - any part of a JSON schema
    """Return a schema without what is none: in the SDK's, an `anyOf` of stream maps has a text."""
    if isinstance(schema, dict):
        return {
            key: [_mended(part) for part in value if isinstance(part, (dict, bool))]
            if key == "anyOf"
            else _mended(value)
            for key, value in schema.items()
        }
    return schema


def _without(config: Mapping[str, Any], paths: Collection[tuple[str | int, ...]]) -> dict[str, Any]:
    """Return a copy that lacks the settings at some paths."""
    return {
        name: _without(value, {path[1:] for path in paths if path[0] == name and path[1:]})
        if isinstance(value, dict)
        else value
        for name, value in config.items()
        if (name,) not in paths
    }


def _further_problems(config: Mapping[str, Any]) -> list[str]:
    """Return what is wrong beyond the schema."""
    found = [*access_problems(config), *path_problems(config), *sending_problems(config)]
    found += address_book_problems("address_book", config.get("address_book"))
    if config.get("account_only") and config.get("address_book") is not None:
        found.append("account_only, address_book: set only one of the two")
    for name, stream in (config.get("streams") or {}).items():
        found += stream_problems(f"streams.{name}", stream)
    return [*found, *leaving_problems(config)]


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
