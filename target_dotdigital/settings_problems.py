"""What is wrong with the settings, as far as can be told without an account.

Messages name settings and never repeat a value: the value may be a password in the wrong place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from target_dotdigital.settings import (
    MAX_ID,
    REJECT_PROPERTY_PREFIX,
    address_book_key,
    address_book_name_problem,
    is_loopback,
    path_setting,
)
from target_dotdigital.settings_schema import CONSENT_KEYS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from jsonschema import ValidationError

_CUSTOM_IDENTIFIER = re.compile(r"[-A-Za-z0-9_]{1,50}")
_PREFERENCE_ID = re.compile(r"[0-9]{1,20}")
_OWN_IDENTIFIERS = ("email", "mobileNumber", "contactId")


def describe(error: ValidationError) -> str:
    """Put a schema violation into words, without the value that breaks it.

    Args:
        error: What `jsonschema` found.
    """
    name = ".".join(str(part) for part in error.absolute_path) or "the configuration"
    rule, wanted, schema = str(error.validator), cast("Any", error.validator_value), error.schema
    if rule == "additionalProperties" and isinstance(error.instance, dict):
        known = set(cast("dict[str, Any]", schema).get("properties", {}))
        unknown = sorted(set(error.instance) - known)
        return f"{name}: unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}"
    if rule == "enum":
        return f"{name}: must be one of {', '.join(str(word) for word in wanted if word)}"
    if rule == "type":
        types = [wanted] if isinstance(wanted, str) else wanted
        return f"{name}: must be of type {' or '.join(word for word in types if word != 'null')}"
    if rule in {"minimum", "maximum"}:
        return f"{name}: {rule} is {wanted}"
    return f"{name}: breaks the rule '{rule}'"


def problems(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Return everything that is wrong with a configuration, all at once.

    Args:
        config: The plugin's configuration.
        schema: The JSON schema of the settings.
    """
    violations = list(DEFAULT_JSONSCHEMA_VALIDATOR(_mended(schema)).iter_errors(config))
    # What the schema refuses is told once, and kept from checks that expect its type.
    wrong = {tuple(each.absolute_path) for each in violations if each.validator in {"type", "enum"}}
    sound = _without(config, wrong)
    names = [".".join(str(part) for part in path) for path in wrong]
    return [
        *(describe(violation) for violation in violations),
        *(each for each in _further_problems(sound) if each.partition(":")[0] not in names),
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
    found = [*_access_problems(config), *_path_problems(config)]
    found += _address_book_problems("address_book", config.get("address_book"))
    for name, stream in (config.get("streams") or {}).items():
        found += _stream_problems(f"streams.{name}", stream)
    return [*found, *_leaving_problems(config)]


def _leaving_problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with who is to leave which address book."""
    mirrors: dict[str | int, list[str]] = {}
    for name, settings in (config.get("streams") or {}).items():
        address_book = settings.get("address_book") or config.get("address_book")
        is_mirror = settings.get("sync_mode") == "mirror"
        if not address_book:
            if is_mirror:
                yield f"streams.{name}.sync_mode: a mirror needs an address_book"
            if settings.get("on_delete") == "remove":
                yield f"streams.{name}.on_delete: to be removed from, there must be an address_book"
        elif is_mirror:
            mirrors.setdefault(address_book_key(address_book), []).append(name)
        if settings.get("mirror_shared") and not is_mirror:
            yield f"streams.{name}.mirror_shared: without sync_mode mirror it means nothing"
    for names in mirrors.values():
        shared = [config["streams"][name].get("mirror_shared", False) for name in names]
        if len(names) > 1 and not all(shared):
            yield (
                f"streams.{', streams.'.join(names)}: they mirror the same address book, and would "
                "take each other's contacts out: set mirror_shared for each of them if their "
                "contacts are to be in it together"
            )


def _path_problems(config: Mapping[str, Any]) -> Iterator[str]:
    paths: dict[Path, str] = {}
    for name in ("rejects_path", "sandbox_path", "report_path"):
        try:
            path = path_setting(config, name)
        except RuntimeError:
            yield f"{name}: there is no such home directory"
            continue
        if path is None:
            continue
        other = paths.setdefault(path.absolute(), name)
        if other != name:
            yield f"{name}, {other}: they would be the same file"


def _access_problems(config: Mapping[str, Any]) -> Iterator[str]:
    if config.get("sandbox_path"):
        if config.get("api_url"):
            yield "sandbox_path, api_url: only one of them can be set"
        return
    for name in ("username", "password"):
        if not config.get(name):
            yield f"{name}: required unless sandbox_path is set"
    if config.get("api_url") and not _is_safe_url(config["api_url"]):
        yield "api_url: must be https, or http on a loopback address, without user name and query"


def _is_safe_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username or parts.password or "?" in url or "#" in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def _address_book_problems(name: str, value: str | int | None) -> Iterator[str]:
    if isinstance(value, int) and value <= 0:
        yield f"{name}: an ID must be positive"
    text = value.strip() if isinstance(value, str) else ""
    # An ID may be written with any number of digits.
    if text and not (text.isascii() and text.isdigit()):
        problem = address_book_name_problem(text)
        if problem is not None:
            yield f"{name}: {problem}"


def _stream_problems(name: str, stream: Mapping[str, Any]) -> Iterator[str]:
    yield from _address_book_problems(f"{name}.address_book", stream.get("address_book"))
    match_identifier = stream.get("match_identifier", "email")
    identifiers = stream.get("identifiers")
    for identifier in {match_identifier, *(identifiers or {})}:
        if not _is_identifier(identifier):
            yield (
                f"{name}: an identifier is {', '.join(_OWN_IDENTIFIERS)}, spelled like this, or a "
                "custom identifier's name (letters, digits, - and _, at most 50)"
            )
    if identifiers is not None and match_identifier not in identifiers:
        yield f"{name}.identifiers: the match identifier is missing"
    fields = stream.get("fields") or {}
    lowered = [field.lower() for field in fields]
    for twice in sorted({field for field in lowered if lowered.count(field) > 1}):
        yield f"{name}.fields: '{twice.upper()}' is mapped twice"
    yield from _permission_problems(name, stream)
    yield from _country_problems(f"{name}.mobile_country", stream.get("mobile_country"))
    for key in ("identifiers", "fields", "preferences", "consent"):
        for entry, path in (stream.get(key) or {}).items():
            yield from _property_problems(f"{name}.{key}.{entry}", path)
    if (by_row := stream.get("address_book_property")) is not None:
        yield from _row_book_problems(f"{name}.address_book_property", by_row, stream)


def _country_problems(name: str, country: str | None) -> Iterator[str]:
    if country is None:
        return
    import phonenumbers  # noqa: PLC0415 - large, and needed only where a country is named

    if country.upper() not in phonenumbers.SUPPORTED_REGIONS:
        yield f"{name}: must be a country's ISO 3166-1 alpha-2 code, such as GB"


def _row_book_problems(name: str, path: str, stream: Mapping[str, Any]) -> Iterator[str]:
    yield from _property_problems(name, path)
    if stream.get("address_book") not in {None, ""}:
        yield f"{name}: it excludes address_book in the same stream"
    if stream.get("sync_mode") == "mirror":
        yield f"{name}: it excludes sync_mode: mirror"
    if stream.get("on_delete") == "remove":
        yield f"{name}: it excludes on_delete: remove"


def _permission_problems(name: str, stream: Mapping[str, Any]) -> Iterator[str]:
    preferences = stream.get("preferences") or {}
    numbers = [int(each) for each in preferences if _PREFERENCE_ID.fullmatch(each)]
    if len(numbers) < len(preferences) or any(not 0 < each <= MAX_ID for each in numbers):
        yield f"{name}.preferences: an ID is a whole number from 1 to {MAX_ID}, in digits"
    if len(set(numbers)) < len(numbers):
        yield f"{name}.preferences: a preference is mapped twice"
    if (consent := stream.get("consent")) is not None:
        missing = [part for part in CONSENT_KEYS if part not in consent]
        if missing:
            yield f"{name}.consent: all five parts are needed; missing: {', '.join(missing)}"


def _property_problems(name: str, path: str) -> Iterator[str]:
    if not path:
        yield f"{name}: the property's name is empty"
    elif path.startswith(REJECT_PROPERTY_PREFIX):
        yield f"{name}: {REJECT_PROPERTY_PREFIX}* is never sent"


def _is_identifier(name: str) -> bool:
    if name.lower() in {own.lower() for own in _OWN_IDENTIFIERS}:
        return name in _OWN_IDENTIFIERS
    return _CUSTOM_IDENTIFIER.fullmatch(name) is not None
