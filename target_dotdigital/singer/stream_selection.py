"""Which of the tap's streams are loaded, as far as names and a plain SCHEMA tell."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, Final

from singer_sdk.mapper import NULL_STRING, RemoveRecordTransform

from target_dotdigital.errors import SettingsError
from target_dotdigital.mapping import match_property
from target_dotdigital.near_misses import did_you_mean, nearly_equal_stream
from target_dotdigital.singer.sdk import stream_alias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from singer_sdk.mapper import PluginMapper

    from target_dotdigital.settings import Settings, StreamSettings

NOT_NAMED: Final = "it is not named in 'streams'. Name it there, with skip: true to leave it out"
"""Why a stream is skipped that is not loaded and is not left out on purpose."""

MAX_LISTED: Final = 10
"""So many names stand in a message."""


class Selection:
    """Tells streams that are loaded from those that are not, before the SDK looks at their SCHEMA.

    A stream that is not loaded must not end the run, whatever its SCHEMA and its records are like.
    """

    def __init__(self, settings: Settings, mapper: PluginMapper) -> None:
        """Look at nothing yet.

        Args:
            settings: The target's settings.
            mapper: The SDK's stream maps.
        """
        self._settings = settings
        self._mapper = mapper

    def left_out(self, message: Mapping[str, Any]) -> dict[str, str | None] | None:
        """Return the names of a stream that is not loaded; None if it is, or may be.

        Args:
            message: Its SCHEMA, or a RECORD that came without one.

        Returns:
            The stream's names after stream maps, each with the reason to be warned of, which is
            None where it is left out on purpose.

        Raises:
            SettingsError: `streams` does not name it, but nearly.
            MapExpressionError: The SDK cannot read the alias of its stream map.
        """
        settings, aliases = self._settings, dict(self._aliases(message["stream"]))
        if settings.streams is None:
            return self._without_identifier(message, aliases)
        loaded = {name for name, kept in aliases.items() if kept and name in settings.streams}
        found: dict[str, str | None] = {}
        for name, kept in aliases.items():
            is_meant = not kept or name in settings.skipped_streams
            if not is_meant and name not in loaded:
                _check_near_miss(name, settings.streams)
            found[name] = None if is_meant else NOT_NAMED
        return None if loaded else found

    def _aliases(self, stream: str) -> Iterator[tuple[str, bool]]:
        """Yield a stream's names after stream maps, each with whether its rows are kept."""
        mapper = self._mapper
        first = (stream, mapper.default_mapper_type is not RemoveRecordTransform)
        others = []
        for key, definition in mapper.stream_maps_dict.items():
            options = definition if isinstance(definition, dict) else {}
            source = options.get("__source__", key)
            if not fnmatch(stream, source) and stream != source:
                continue
            alias = options.get("__alias__") if "__source__" not in options else None
            # The SDK's own reading: an alias may be an expression.
            name = key if alias is None else stream_alias(alias, stream)
            named = (
                stream if name == source else name,
                not (definition is None or definition == NULL_STRING),
            )
            if "__source__" in options:
                others.append(named)
            else:
                first = named
        yield from (first, *others)

    def _without_identifier(
        self, message: Mapping[str, Any], aliases: Mapping[str, bool]
    ) -> dict[str, str | None] | None:
        """Return the names of a stream without the match identifier, if no stream map adds it."""
        if not any(aliases.values()):
            return dict.fromkeys(aliases)
        stream, identifier = message["stream"], self._settings.default_stream.match_identifier
        has_map = any(
            fnmatch(stream, _source(*each)) for each in self._mapper.stream_maps_dict.items()
        )
        properties = _properties(message.get("schema"))
        if has_map or properties is None or _has(identifier, properties):
            return None
        options = self._mapper.flattening_options
        if options.enabled:
            try:
                flat = self._mapper.default_mapper_type(
                    stream, message["schema"], None, flattening_options=options
                )
            except Exception:  # noqa: BLE001 - the SDK fails in many ways at a schema that is none
                flat = None
            found = None if flat is None else _properties(flat.transformed_schema)
            if found is not None and _has(identifier, found):
                return None
        return {stream: _no_identifier(identifier, properties)}


def settings_of(
    settings: Settings, stream: str, schema: Mapping[str, Any]
) -> tuple[StreamSettings | None, str | None]:
    """Return a stream's settings; None if it is skipped, with the reason that is to be told.

    Args:
        settings: The target's settings.
        stream: Its name after stream maps.
        schema: Its JSON schema, after stream maps.

    Raises:
        SettingsError: The settings name the stream, and it has no match identifier.
    """
    found = settings.stream(stream)
    if found is None:
        return None, None if stream in settings.skipped_streams else NOT_NAMED
    identifier, properties = found.match_identifier, schema.get("properties", {})
    try:
        has_property = match_property(identifier, properties) is not None
    except SettingsError as error:
        if found.identifiers is None:
            raise SettingsError(f"streams.{stream}: {error.message}") from None
        has_property = True
    if found.identifiers is None and not has_property:
        if settings.streams is not None:
            raise SettingsError(
                f"streams.{stream}: the schema has no property for the match identifier "
                f"{identifier}. Name one under 'identifiers'."
                f"{did_you_mean(identifier, properties)}"
            )
        return None, _no_identifier(identifier, properties)
    return found, None


def _no_identifier(identifier: str, properties: Collection[str]) -> str:
    """Return why a stream without the match identifier's property is skipped.

    Args:
        identifier: The match identifier.
        properties: The stream's properties.
    """
    meant = did_you_mean(identifier, properties)
    hint = f".{meant} Name it under streams.<name>.identifiers" if meant else ""
    return f"it has no property {identifier}{hint}"


def nothing_loaded(settings: Settings, came: Collection[str]) -> str:
    """Return the message of a run whose input had streams, none of which was loaded.

    Args:
        settings: The target's settings.
        came: The streams that came, by their names after stream maps.
    """
    text = f"Nothing was loaded: the tap sent {_listed(came)}"
    if settings.streams is None:
        identifier = settings.default_stream.match_identifier
        return (
            f"{text} without a property {identifier}. Name the stream under 'streams', and the "
            "property that identifies a contact under its 'identifiers'"
        )
    meant = "".join(dict.fromkeys(did_you_mean(name, came) for name in settings.streams))
    return (
        f"{text}, but 'streams' names {_listed(settings.streams)}.{meant} Name each stream under "
        "'streams' as the tap or its stream map does"
    )


def _check_near_miss(name: str, streams: Collection[str]) -> None:
    meant = nearly_equal_stream(name, streams)
    if meant is not None:
        raise SettingsError(
            f"Stream '{name}' is not named in 'streams'. Did you mean '{meant}'? To load it, "
            f"write '{name}' there. To leave it out, set streams.{name}.skip: true"
        )


def _source(key: str, definition: object) -> str:
    return str(definition.get("__source__", key)) if isinstance(definition, dict) else key


def _properties(schema: object) -> dict[str, Any] | None:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return properties if isinstance(properties, dict) else None


def _has(identifier: str, properties: Mapping[str, Any]) -> bool:
    try:
        return match_property(identifier, properties) is not None
    except SettingsError:
        return True  # more than one


def _listed(names: Collection[str]) -> str:
    shown = [f"'{name}'" for name in sorted(names)[:MAX_LISTED]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
