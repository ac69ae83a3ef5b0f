"""The settings: where they are read from, every check that needs no account, and their types.

Messages name settings and never repeat a value: the value may be a password in the wrong place.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import msgspec
from dotenv import dotenv_values
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR
from typing_extensions import override

from target_dotdigital.settings_schema import CONSENT_KEYS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from jsonschema import ValidationError

    from target_dotdigital.settings_schema import MergeOption

REJECT_PROPERTY_PREFIX = "_sdc_reject"
"""Properties that the rejects file adds to a record. They are never sent."""

_CUSTOM_IDENTIFIER = re.compile(r"[-A-Za-z0-9_]{1,50}")
_OWN_IDENTIFIERS = ("email", "mobileNumber", "contactId")

RESERVED_ADDRESS_BOOKS = frozenset({"all contacts", "test"})
"""Dotdigital keeps these two for itself: the first cannot be joined, the second holds 200."""

MAX_ADDRESS_BOOK_NAME = 128
MAX_ID = 2**31 - 1
"""Dotdigital's IDs of address books and preferences are int32."""

_PREFERENCE_ID = re.compile(r"[0-9]{1,20}")

_TRUE_WORDS = frozenset({"true", "1", "yes", "on"})
_FALSE_WORDS = frozenset({"false", "0", "no", "off"})


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How one stream is loaded: `streams.<name>`, with the defaults filled in."""

    address_book: str | int | None
    address_book_property: str | None
    match_identifier: str
    identifiers: Mapping[str, str] | None
    fields: Mapping[str, str] | None
    merge_option: MergeOption
    email_type: str | None
    email_opt_in_type: str | None
    resubscribe: bool
    preferences: Mapping[int, str]
    """Properties by preference ID."""
    consent: Mapping[str, str] | None
    """Properties by the part of a consent record."""
    sync_mode: str = "upsert"
    max_removal_percent: int = 20
    mirror_shared: bool = False
    on_delete: str = "ignore"


@dataclass(frozen=True, slots=True)
class Settings:
    """The target's settings once they are known to be sound. Never printed: it has no `repr`."""

    username: str
    password: str
    region: str | None
    api_url: str | None
    sandbox_path: Path | None
    rejects_path: Path | None
    report_path: Path | None
    create_address_book: bool
    create_data_fields: bool
    batch_size_rows: int
    batch_wait_limit_seconds: int
    max_active_imports: int
    import_timeout_seconds: int
    shutdown_grace_seconds: int
    max_reject_percent: int
    streams: Mapping[str, StreamSettings] | None
    default_stream: StreamSettings

    @override
    def __repr__(self) -> str:
        """Show nothing: a credential must not reach a log or a traceback."""
        return "<Settings>"

    def stream(self, name: str) -> StreamSettings | None:
        """Return how a stream is loaded, or None if `streams` leaves it out.

        Args:
            name: The stream's name after stream maps.
        """
        return self.default_stream if self.streams is None else self.streams.get(name)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Read settings that `problems` has found none in.

        Args:
            config: The plugin's configuration, defaults filled in.
        """
        streams = config.get("streams")
        return cls(
            username=config.get("username") or "",
            password=config.get("password") or "",
            region=config.get("region"),
            api_url=config.get("api_url") or None,
            sandbox_path=_path(config, "sandbox_path"),
            rejects_path=_path(config, "rejects_path"),
            report_path=_path(config, "report_path"),
            create_address_book=config.get("create_address_book", False),
            create_data_fields=config.get("create_data_fields", False),
            batch_size_rows=config["batch_size_rows"],
            batch_wait_limit_seconds=config["batch_wait_limit_seconds"],
            max_active_imports=config["max_active_imports"],
            import_timeout_seconds=config["import_timeout_minutes"] * 60,
            shutdown_grace_seconds=config["shutdown_grace_seconds"],
            max_reject_percent=config["max_reject_percent"],
            streams=None
            if streams is None
            else {name: _stream(settings, config) for name, settings in streams.items()},
            default_stream=_stream({}, config),
        )


def _path(config: Mapping[str, Any], name: str) -> Path | None:
    return Path(config[name]).expanduser() if config.get(name) else None


def _stream(settings: Mapping[str, Any], config: Mapping[str, Any]) -> StreamSettings:
    address_book = settings.get("address_book")
    if address_book in {None, ""}:
        address_book = config.get("address_book")
    by_row = settings.get("address_book_property")
    return StreamSettings(
        address_book=None if address_book == "" or by_row is not None else address_book,
        address_book_property=by_row,
        match_identifier=settings.get("match_identifier", "email"),
        identifiers=settings.get("identifiers"),
        fields=settings.get("fields"),
        merge_option=settings.get("merge_option", config["merge_option"]),
        email_type=settings.get("email_type"),
        email_opt_in_type=settings.get("email_opt_in_type"),
        resubscribe=settings.get("resubscribe", False),
        preferences={int(each): path for each, path in settings.get("preferences", {}).items()},
        consent=settings.get("consent"),
        sync_mode=settings.get("sync_mode", "upsert"),
        max_removal_percent=settings.get("max_removal_percent", 20),
        mirror_shared=settings.get("mirror_shared", False),
        on_delete=settings.get("on_delete", "ignore"),
    )


def address_book_key(address_book: str | int) -> str | int:
    """Return an ID as a number, however it is written, and a name as it is.

    Args:
        address_book: What the settings name.
    """
    text = str(address_book).strip()
    # Twenty digits are no ID any more; Python would refuse thousands of them.
    return int(text[:20]) if text.isascii() and text.isdigit() else text


def from_environment(
    schema: Mapping[str, Any],
    prefix: str,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Read settings from the environment, and from `.env` in the working directory below it.

    A text that does not fit its setting's type is kept as it is, so that validation names it with
    all the other problems. Empty variables count as not set.

    Args:
        schema: The JSON schema of the settings.
        prefix: What the variables' names begin with, such as `TARGET_DOTDIGITAL_`.
        environment: The variables; those of `.env` and of the process when not given.
    """
    if environment is None:
        dotenv = {name: text for name, text in dotenv_values(".env").items() if text is not None}
        environment = {**dotenv, **os.environ}
    found = {}
    for name, definition in schema["properties"].items():
        text = environment.get(f"{prefix}{name.upper()}", "")
        if text:
            found[name] = _from_text(text, definition)
    return found


def _from_text(text: str, definition: Mapping[str, Any]) -> object:
    types = definition.get("type", [])
    types = {types} if isinstance(types, str) else set(types)
    if "string" in types:
        return text
    if "integer" in types:
        return int(text) if re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", text) else text
    if "boolean" in types:
        word = text.strip().lower()
        return word in _TRUE_WORDS if word in _TRUE_WORDS | _FALSE_WORDS else text
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return text


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
    found = [*_access_problems(config), *_path_problems(config), *_unavailable(config)]
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
    for name in ("rejects_path", "sandbox_path"):
        try:
            _path(config, name)
        except RuntimeError:
            yield f"{name}: there is no such home directory"


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


def is_loopback(host: str | None) -> bool:
    """Return whether a host is this machine itself, by its name or its address.

    Args:
        host: A name or an address, without brackets.
    """
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def _unavailable(config: Mapping[str, Any]) -> Iterator[str]:
    for name in ("dry_run", "report_path"):
        if config.get(name):
            yield f"{name}: not available yet"


def _address_book_problems(name: str, value: str | int | None) -> Iterator[str]:
    if isinstance(value, int) and value <= 0:
        yield f"{name}: an ID must be positive"
    text = value.strip() if isinstance(value, str) else ""
    # An ID may be written with any number of digits.
    if text and not (text.isascii() and text.isdigit()):
        problem = address_book_name_problem(text)
        if problem is not None:
            yield f"{name}: {problem}"


def address_book_name_problem(name: str) -> str | None:
    """Return why an address book that contacts may join cannot have a name, or None if it can.

    Args:
        name: The name, without blanks around it.
    """
    if name.lower() in RESERVED_ADDRESS_BOOKS:
        return "reserved by Dotdigital"
    if len(name) > MAX_ADDRESS_BOOK_NAME:
        return f"a name has at most {MAX_ADDRESS_BOOK_NAME} characters"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "a name is valid Unicode (this one holds half a surrogate pair)"
    return None


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
    for key in ("identifiers", "fields", "preferences", "consent"):
        for entry, path in (stream.get(key) or {}).items():
            yield from _property_problems(f"{name}.{key}.{entry}", path)
    if (by_row := stream.get("address_book_property")) is not None:
        yield from _row_book_problems(f"{name}.address_book_property", by_row, stream)


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
