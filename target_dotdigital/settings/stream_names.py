"""Streams' names in `streams`: Meltano takes those with dots apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from target_dotdigital.near_misses import nearly_equal
from target_dotdigital.settings.schema import STREAM_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STREAM_SETTING_NAMES: Final = frozenset(STREAM_SETTINGS.to_dict()["properties"])


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
