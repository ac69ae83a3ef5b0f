"""Types as which lines and their records are decoded: of what is mapped, as the schema has it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from target_dotdigital.mapping.column_types import plain_types
from target_dotdigital.mapping.schemas import used_in
from target_dotdigital.mapping.values import DELETED_AT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_dotdigital.mapping.column_types import PlainTypes

_HIDDEN: Final[dict[str, Any]] = {"__repr__": lambda _self: "a record"}
"""Attributes of types that hold a record: their `repr` shows nothing of it."""

_KNOWN_KEYWORDS: Final = frozenset(
    {
        "$schema", "$id", "$comment", "title", "description", "type", "properties", "required",
        "id", "definitions", "$defs", "additionalProperties",
    }
)  # fmt: skip
"""Keywords of an object's schema that a typed decoder sees to, or that say nothing about the mapped
properties of a record."""

_ODD_SIGN: Final = re.compile(r'[\x00-\x1f"\\\ud800-\udfff]')
"""Characters that msgspec does not take in a field's name."""

_NEVER: Final[Any] = Annotated[int, Meta(gt=0, lt=0)] | UnsetType
"""The type of what is not to be there."""


def types_in(schema: object, path: Sequence[str]) -> PlainTypes | None:
    """Return what a schema demands of a property; None if a decoder cannot check all of it.

    Args:
        schema: The schema of an object.
        path: The property, with the objects that it is in.
    """
    for name in path:
        properties = schema.get("properties") if isinstance(schema, dict) else None
        schema = properties.get(name) if isinstance(properties, dict) else None
    return plain_types(schema)


def can_decode(names: Iterable[str]) -> bool:
    """Return whether names can be those of what a decoder is made for.

    Args:
        names: The stream's, its properties', and what these are mapped to.
    """
    return not any(map(_ODD_SIGN.search, names))


def record_type(
    schema: Mapping[str, Any],
    types: Mapping[tuple[str, ...], Any],
    key_properties: Sequence[str],
) -> type[msgspec.Struct] | None:
    """Return the type as which records are decoded; None if no decoder can check their schema.

    Args:
        schema: The JSON schema.
        types: The types of the properties that are decoded, by their paths; None: there is none.
        key_properties: The tap's key properties.
    """
    used = used_in(types)
    names = (name for segments in types for name in segments)
    if not _is_plain(schema) or not can_decode((*names, *schema.get("required", ()))):
        return None
    if None in types.values() or DELETED_AT in used:
        return None
    fields = _fields(schema, used, types, key_properties)
    if fields is None:
        return None
    fields += [(".".join(segments), _NEVER, UNSET) for segments in types if len(segments) > 1]
    # A row that may be marked as deleted goes the slow way.
    fields.append((DELETED_AT, Literal[""] | None | UnsetType, UNSET))
    return _struct(fields)


def _fields(
    schema: Any,  # noqa: ANN401 - any JSON
    used: Mapping[str, Any],
    types: Mapping[tuple[str, ...], Any],
    keys: Sequence[str] = (),
    place: tuple[str, ...] = (),
) -> list[tuple[Any, ...]] | None:
    """Return what is decoded of an object: names, types, and UNSET where nothing need be.

    Args:
        schema: The object's schema.
        used: The properties that are used, and those inside of each.
        types: The types of properties by their paths.
        keys: Properties that have to be there, mapped or not.
        place: The object's own path.

    Returns:
        None if a decoder cannot check the schema.
    """
    if not _is_plain(schema) or (place and "type" not in schema):
        return None
    required = {*schema.get("required", ()), *keys}
    fields: list[tuple[Any, ...]] = []
    for name, inside in used.items():
        path = (*place, name)
        kind = types.get(path)
        if inside:
            below = schema.get("properties", {}).get(name)
            parts = _fields(below, inside, types, (), path)
            if parts is None or kind is not None:
                return None
            kind = _struct(parts) | _null_in(below) | UnsetType
        fields.append((name, kind) if name in required else (name, kind, UNSET))
    if not place:  # of what is required and not used, it matters only that it is there
        fields += [(name, Raw) for name in sorted(required - used.keys())]
    return fields


def _null_in(schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a type
    return None if "null" in schema["type"] else UnsetType


def _is_plain(schema: object) -> bool:
    """Return whether an object's schema says no more than a typed decoder sees to."""
    if not isinstance(schema, dict):
        return False
    types, required = schema.get("type", "object"), schema.get("required", [])
    names = types if isinstance(types, list) else [types]
    are_names = isinstance(required, list) and all(isinstance(each, str) for each in required)
    return "object" in names and schema.keys() <= _KNOWN_KEYWORDS and are_names


def _struct(fields: Iterable[tuple[Any, ...]]) -> type[msgspec.Struct]:
    """Return the type of objects of which some properties are decoded."""
    listed = list(fields)
    return msgspec.defstruct(
        "Record",
        [(attribute_of(name), *rest) for name, *rest in listed],
        rename={attribute_of(name): name for name, *_ in listed},
        kw_only=True,
        gc=False,
        namespace=_HIDDEN,
    )


def attribute_of(name: str) -> str:
    """Return the attribute that holds a property: names of any kind become Python's."""
    return f"p{name.encode().hex()}"


def line_decoder(
    stream: str,
    record_type: Any,  # noqa: ANN401 - a type
    parts: Mapping[str, Any],
) -> Callable[[bytes], Any]:
    """Return the decoder of a stream's RECORD messages.

    Args:
        stream: What the tap calls the stream.
        record_type: As what a record is decoded.
        parts: What else of a message matters, and its types.
    """
    line = msgspec.defstruct(
        "Line",
        [
            ("stream", Literal[stream]),
            ("record", record_type),
            *((name, kind, None) for name, kind in parts.items()),
        ],
        tag_field="type",
        tag="RECORD",
        gc=False,
        namespace=_HIDDEN,
    )
    return msgspec.json.Decoder(line, float_hook=Decimal).decode
