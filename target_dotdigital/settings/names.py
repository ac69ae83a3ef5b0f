"""Names in the settings: whole names of streams, and names that are not known."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final

from target_dotdigital.near_misses import nearest, nearly_equal
from target_dotdigital.settings.stream_schema import STREAM_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

STREAM_SETTING_NAMES: Final = frozenset(STREAM_SETTINGS.to_dict()["properties"])

OWN_IDENTIFIERS: Final = ("email", "mobileNumber", "contactId")
"""Dotdigital's own identifiers of a contact. All others are custom ones of the account."""

_CUSTOM_IDENTIFIER: Final = re.compile(r"[-A-Za-z0-9_]{1,50}")

_CLOSE_SETTING: Final = 0.8
"""How alike, by `difflib`, an unknown setting is to the known one that is meant."""


def whole_names(streams: Mapping[str, Any]) -> dict[str, Any]:
    """Return `streams` with each stream under its whole name.

    Meltano makes `{"public": {"customers": {…}}}` of `{"public.customers": {…}}`. A key that is a
    stream setting, or nearly one, is never taken for a part of a name.

    Args:
        streams: The setting, as Meltano or a file has it.
    """
    found: dict[str, Any] = {}
    for name, value in streams.items():
        for whole, settings in _taken_apart(str(name), value):
            if whole in found and isinstance(settings, dict) and isinstance(found[whole], dict):
                found[whole] = {**settings, **found[whole]}
            else:
                found[whole] = settings
    return found


def _taken_apart(name: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield the streams that an entry of `streams` holds: itself, and those within."""
    if not isinstance(value, dict) or not value:
        yield name, value
        return
    has_own = bool(STREAM_SETTING_NAMES & set(value))
    within = {key for key, each in value.items() if _is_stream(key, each, may_be_empty=not has_own)}
    own = {key: each for key, each in value.items() if key not in within}
    if own:
        yield name, own
    for key in value:
        if key in within:
            yield from _taken_apart(f"{name}.{key}", value[key])


def _is_stream(key: str, value: object, *, may_be_empty: bool) -> bool:
    """Return whether a key within a stream's settings is the next part of another one's name."""
    is_setting = key in STREAM_SETTING_NAMES or nearly_equal(key, STREAM_SETTING_NAMES) is not None
    if is_setting or not isinstance(value, dict):
        return False
    if not value:
        return may_be_empty
    return any(
        inner in STREAM_SETTING_NAMES
        or nearly_equal(inner, STREAM_SETTING_NAMES) is not None
        or _is_stream(inner, each, may_be_empty=True)
        for inner, each in value.items()
    )


def name_problems(config: Mapping[str, Any], known: Collection[str]) -> Iterator[str]:
    """Yield a message for each name at the top level that is nearly a setting's.

    Args:
        config: The plugin's configuration.
        known: The settings that there are at the top level.
    """
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
    """Return probable mistakes in the settings, beside those that `problems` returns.

    Args:
        config: The plugin's configuration. It need not be sound.
        known: The settings that there are at the top level.
    """
    found = []
    for name in sorted(set(config) - set(known)):
        if name in STREAM_SETTING_NAMES:
            found.append(f"The setting '{name}' has no effect here. Set it under streams.<name>")
        elif _meant_setting(name, known) is None:
            found.append(f"The setting '{name}' is not known and has no effect. Remove it")
    streams = config.get("streams")
    for name, stream in streams.items() if isinstance(streams, dict) else ():
        found += [
            f"streams.{name}: an identifier is not one of Dotdigital's own, so it is read as a "
            f"custom one. Did you mean '{meant}'?"
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
        meant = nearly_equal(name, OWN_IDENTIFIERS)
        if name not in OWN_IDENTIFIERS and meant is not None and is_identifier(name):
            yield meant


def is_identifier(name: str) -> bool:
    """Return whether an identifier is one of Dotdigital's, or can be a custom one.

    Args:
        name: The identifier's name.
    """
    if name.lower() in {own.lower() for own in OWN_IDENTIFIERS}:
        return name in OWN_IDENTIFIERS
    return _CUSTOM_IDENTIFIER.fullmatch(name) is not None
