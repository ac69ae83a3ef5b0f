"""The settings: where they are read from, and their types."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from dotenv import dotenv_values
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_dotdigital.settings.schema import MergeOption

REJECT_PROPERTY_PREFIX = "_sdc_reject"
"""Properties that the rejects file adds to a record. They are never sent."""

RESERVED_ADDRESS_BOOKS = frozenset({"all contacts", "test"})
"""Dotdigital keeps these two for itself: the first cannot be joined, the second holds 200."""

MAX_ADDRESS_BOOK_NAME = 128

MAX_ID = 2**31 - 1
"""Dotdigital's IDs of address books and preferences are int32."""

_TRUE_WORDS = frozenset({"true", "1", "yes", "on"})
_FALSE_WORDS = frozenset({"false", "0", "no", "off"})

_decode = msgspec.json.Decoder().decode


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
    exact_numbers: bool = False
    mobile_country: str | None = None
    account_only: bool = False
    """Whether contacts are to be in no address book."""

    @property
    def has_address_book(self) -> bool:
        """Whether it is said where contacts go: into an address book, or into none on purpose."""
        named = self.address_book is not None or self.address_book_property is not None
        return named or self.account_only


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
    dry_run: bool
    create_address_book: bool
    create_data_fields: bool
    batch_size_rows: int
    batch_wait_limit_seconds: int
    max_active_imports: int
    import_timeout_seconds: int
    shutdown_grace_seconds: int
    max_reject_percent: int
    streams: Mapping[str, StreamSettings] | None
    """Those that are loaded."""
    default_stream: StreamSettings
    skipped_streams: frozenset[str] = frozenset()
    """Those that `skip` leaves out on purpose."""

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
        skipped = frozenset(name for name, each in (streams or {}).items() if each.get("skip"))
        return cls(
            username=config.get("username") or "",
            password=config.get("password") or "",
            region=config.get("region"),
            api_url=config.get("api_url") or None,
            sandbox_path=path_setting(config, "sandbox_path"),
            rejects_path=path_setting(config, "rejects_path"),
            report_path=path_setting(config, "report_path"),
            dry_run=config.get("dry_run", False),
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
            else {
                name: _stream(settings, config)
                for name, settings in streams.items()
                if name not in skipped
            },
            default_stream=_stream({}, config),
            skipped_streams=skipped,
        )


def path_setting(config: Mapping[str, Any], name: str) -> Path | None:
    """Return a setting that is a path, or None if it is not set.

    Args:
        config: The plugin's configuration.
        name: The setting's name.

    Raises:
        RuntimeError: It begins with a home directory that there is none of.
    """
    return Path(config[name]).expanduser() if config.get(name) else None


def _stream(settings: Mapping[str, Any], config: Mapping[str, Any]) -> StreamSettings:
    address_book, account_only = address_book_setting(settings, config)
    country = settings.get("mobile_country")
    return StreamSettings(
        address_book=address_book,
        address_book_property=settings.get("address_book_property"),
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
        exact_numbers=settings.get("exact_numbers", False),
        mobile_country=country.upper() if country is not None else None,
        account_only=account_only,
    )


def address_book_setting(
    stream: Mapping[str, Any], config: Mapping[str, Any]
) -> tuple[str | int | None, bool]:
    """Return a stream's address book, and whether its contacts are to be in none.

    What the stream says goes before what the top level says.

    Args:
        stream: The stream's settings.
        config: The plugin's configuration.
    """
    if stream.get("account_only"):
        return None, True
    if stream.get("address_book_property") is not None:
        return None, False
    if (own := stream.get("address_book")) is not None:
        return own, False
    if stream.get("account_only", config.get("account_only")):
        return None, True
    return config.get("address_book"), False


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
        return _decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return text


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


def is_loopback(host: str | None) -> bool:
    """Return whether a host is this machine itself, by its name or its address.

    Args:
        host: A name or an address, without brackets.
    """
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False
