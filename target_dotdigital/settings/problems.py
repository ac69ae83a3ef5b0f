"""What is wrong with the settings, as far as can be told without an account.

Messages name settings and never repeat a value: the value may be a password in the wrong place.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from target_dotdigital.near_misses import did_you_mean, nearest, nearly_equal
from target_dotdigital.settings.schema import CONSENT_KEYS
from target_dotdigital.settings.settings import (
    MAX_ID,
    REJECT_PROPERTY_PREFIX,
    address_book_key,
    address_book_name_problem,
    address_book_setting,
    is_loopback,
    path_setting,
)
from target_dotdigital.settings.stream_names import STREAM_SETTING_NAMES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from jsonschema import ValidationError

_CUSTOM_IDENTIFIER = re.compile(r"[-A-Za-z0-9_]{1,50}")
_PREFERENCE_ID = re.compile(r"[0-9]{1,20}")
_OWN_IDENTIFIERS = ("email", "mobileNumber", "contactId")


NO_ADDRESS_BOOK: Final = (
    "it has no address book; set address_book, or account_only: true if its contacts are to be in "
    "none"
)

_BOOK_KEYS: Final = ("address_book", "address_book_property", "account_only", "skip")
"""What says whether a stream needs an address book, and which."""

_CLOSE_SETTING: Final = 0.8
"""How alike, by `difflib`, a setting that is not known is to a known one that is meant."""


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
        listed = f"{name}: unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}"
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
        *_name_problems(config, schema["properties"]),
        *(each for each in _further_problems(sound) if each.partition(":")[0] not in names),
        *_loading_problems(sound, wrong),
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
    if config.get("account_only") and config.get("address_book") is not None:
        found.append("account_only, address_book: only one of them can be set")
    for name, stream in (config.get("streams") or {}).items():
        found += _stream_problems(f"streams.{name}", stream)
    return [*found, *_leaving_problems(config)]


def _name_problems(config: Mapping[str, Any], known: Collection[str]) -> Iterator[str]:
    """Yield what nearly is a setting's name, at the top level."""
    for name in sorted(set(config) - set(known) - STREAM_SETTING_NAMES):
        meant = _meant_setting(name, known)
        if meant is not None:
            yield f"{name}: unknown. Did you mean '{meant}'?"


def _meant_setting(name: str, known: Collection[str]) -> str | None:
    found = nearest(name, known)
    if found is None or nearly_equal(name, [found]) is not None:
        return found
    return found if SequenceMatcher(None, name, found).ratio() >= _CLOSE_SETTING else None


def doubts(config: Mapping[str, Any], known: Collection[str]) -> list[str]:
    """Return what is probably a mistake in the settings, beside what `problems` tells.

    Args:
        config: The plugin's configuration. It need not be sound.
        known: The settings that there are at the top level.
    """
    found = []
    for name in sorted(set(config) - set(known)):
        if name in STREAM_SETTING_NAMES:
            found.append(f"The setting '{name}' has no effect here: set it under streams.<name>")
        elif _meant_setting(name, known) is None:
            found.append(f"The setting '{name}' is not known and has no effect")
    streams = config.get("streams")
    for name, stream in streams.items() if isinstance(streams, dict) else ():
        found += [
            f"streams.{name}: an identifier is taken for a custom one of the account. Did you mean "
            f"'{meant}'?"
            for meant in (_meant_identifiers(stream) if isinstance(stream, dict) else ())
        ]
    return found


def _meant_identifiers(stream: Mapping[str, Any]) -> Iterator[str]:
    """Yield Dotdigital's own identifiers that custom ones nearly are."""
    identifiers = stream.get("identifiers")
    names = set(identifiers) if isinstance(identifiers, dict) else set()
    if isinstance(match_identifier := stream.get("match_identifier", "email"), str):
        names.add(match_identifier)
    for name in sorted(names):
        meant = nearly_equal(name, _OWN_IDENTIFIERS)
        if name not in _OWN_IDENTIFIERS and meant is not None and _is_identifier(name):
            yield meant


def _loading_problems(
    config: Mapping[str, Any], wrong: Collection[tuple[str | int, ...]]
) -> Iterator[str]:
    """Yield why nothing would be loaded, or contacts into no address book.

    Args:
        config: The plugin's configuration, without settings of a wrong type.
        wrong: Where those are: what they should have said is not known.
    """
    streams = config.get("streams")
    if streams is None:
        return
    if not streams and not any(path[0] == "streams" for path in wrong):
        yield (
            "streams: it is empty, so nothing was loaded: name the streams to load, or leave it "
            "out. Of TARGET_DOTDIGITAL_STREAMS, Meltano drops a stream whose name has a dot: "
            r"write public\\.customers there"
        )
    if streams and all(stream.get("skip") for stream in streams.values()):
        yield "streams: each has skip: true, so nothing was loaded: name one that is to be loaded"
    wrong_keys = {(path[1] if len(path) > 1 else None, path[-1]) for path in wrong if path}
    for name, stream in streams.items():
        address_book, account_only = address_book_setting(stream, config)
        is_said = address_book is not None or account_only or stream.get("skip")
        is_unclear = any((each, key) in wrong_keys for each in (name, None) for key in _BOOK_KEYS)
        by_row = stream.get("address_book_property") is not None
        if not (is_said or by_row or is_unclear):
            yield f"streams.{name}: {NO_ADDRESS_BOOK}"


def _leaving_problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with who is to leave which address book."""
    mirrors: dict[str | int, list[str]] = {}
    for name, settings in (config.get("streams") or {}).items():
        if settings.get("skip"):
            continue
        address_book, _ = address_book_setting(settings, config)
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
    if isinstance(value, str) and not text:
        yield f"{name}: it is empty; name an address book, or leave it out"
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
                "custom identifier's name (letters, digits, - and _, at most 50)."
                f"{did_you_mean(identifier, _OWN_IDENTIFIERS)}"
            )
    if identifiers is not None and match_identifier not in identifiers:
        meant = did_you_mean(match_identifier, identifiers)
        yield f"{name}.identifiers: the match identifier is missing.{meant}"
    fields = stream.get("fields") or {}
    lowered = [field.lower() for field in fields]
    for twice in sorted({field for field in lowered if lowered.count(field) > 1}):
        yield f"{name}.fields: '{twice.upper()}' is mapped twice"
    yield from _permission_problems(name, stream)
    yield from _country_problems(f"{name}.mobile_country", stream.get("mobile_country"))
    for key in ("identifiers", "fields", "preferences", "consent"):
        for entry, path in (stream.get(key) or {}).items():
            yield from _property_problems(f"{name}.{key}.{entry}", path)
    yield from _account_only_problems(name, stream)
    if (by_row := stream.get("address_book_property")) is not None:
        yield from _row_book_problems(f"{name}.address_book_property", by_row, stream)


def _country_problems(name: str, country: str | None) -> Iterator[str]:
    if country is None:
        return
    import phonenumbers  # noqa: PLC0415 - large, and needed only where a country is named

    if country.upper() not in phonenumbers.SUPPORTED_REGIONS:
        yield f"{name}: must be a country's ISO 3166-1 alpha-2 code, such as GB"


def _account_only_problems(name: str, stream: Mapping[str, Any]) -> Iterator[str]:
    if stream.get("account_only"):
        for other in ("address_book", "address_book_property"):
            if stream.get(other) is not None:
                yield f"{name}.account_only: it excludes {other} in the same stream"


def _row_book_problems(name: str, path: str, stream: Mapping[str, Any]) -> Iterator[str]:
    yield from _property_problems(name, path)
    if stream.get("address_book") is not None:
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
