"""The builder of fast paths: which streams can have one, and what it converts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from msgspec import Raw

from target_dotdigital.mapping.column_types import key_type
from target_dotdigital.mapping.columns import (
    Columns,
    field_column,
    identifier_column,
    opt_out_column,
)
from target_dotdigital.mapping.fast_path import FastPath
from target_dotdigital.mapping.values import DELETED_AT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_dotdigital.mapping.contact_mapping import ContactMapping
    from target_dotdigital.mapping.fast_path import Transform

_KNOWN_KEYWORDS: Final = frozenset(
    {
        "$schema", "$id", "$comment", "title", "description", "type", "properties", "required",
        "id", "definitions", "$defs", "additionalProperties",
    }
)  # fmt: skip
"""Keywords of a stream's schema that the fast path sees to, or that say nothing about the mapped
properties of a record."""

_ODD_SIGN: Final = re.compile(r'[\x00-\x1f"\\\ud800-\udfff]')
"""Characters that msgspec does not take in a field's name."""


def build_fast_path(
    stream: str,
    schema: Mapping[str, Any],
    key_properties: Sequence[str],
    mapping: ContactMapping,
    transform: Transform | None,
) -> FastPath | None:
    """Return the fast path of a stream whose records need nothing but mapping.

    Args:
        stream: What the tap calls it.
        schema: Its JSON schema, after stream maps.
        key_properties: The tap's key properties.
        mapping: How its records are mapped.
        transform: What the stream's map does with a record; None if it leaves it as it is.

    Returns:
        The fast path; None if it cannot see to a part of the schema, or of the mapping.
    """
    if not mapping.is_plain or not _is_plain(schema):
        return None
    if any(len(segments) > 1 for segments in mapping.paths):
        return None  # a path into objects
    is_decoded = transform is not None
    needed = _needed_types(schema, key_properties, is_decoded=is_decoded)
    columns = _columns(mapping, schema.get("properties", {}), is_decoded=is_decoded)
    if columns is None or None in needed.values():
        return None  # a property cannot be checked, or converted, by its type
    mapped = (*columns.identifiers, *columns.fields, *columns.opt_outs)
    names = (*needed, *(each.path for each in mapped))
    if DELETED_AT in names or _has_odd_name((stream, *names, *(each.name for each in mapped))):
        return None
    return FastPath(stream, columns, mapping, needed, transform)


def _needed_types(
    schema: Mapping[str, Any], key_properties: Sequence[str], *, is_decoded: bool
) -> dict[str, Any]:
    """Return the properties that a record must have, mapped or not, and their types.

    The type is None where a decoder cannot check it.
    """
    properties = schema.get("properties", {})
    # Of a property that is required and not mapped, it matters only that it is there.
    anything = Any if is_decoded else Raw
    return {
        **dict.fromkeys((*schema.get("required", ()), *key_properties), anything),
        **{
            name: key_type(properties[name], is_decoded=is_decoded)
            for name in key_properties
            if name in properties
        },
    }


def _columns(
    mapping: ContactMapping, properties: Mapping[str, Any], *, is_decoded: bool
) -> Columns | None:
    """Return the columns of a stream; None if a property cannot be converted by its type."""
    identifiers = [
        identifier_column(
            each, properties.get(each.path.name), is_match=place == 0, is_decoded=is_decoded
        )
        for place, each in enumerate(mapping.identifiers)
    ]
    fields = [
        field_column(
            each,
            properties.get(each.path.name),
            keeps_empty=mapping.keeps_empty,
            is_decoded=is_decoded,
        )
        for each in mapping.fields
    ]
    opt_outs = [
        opt_out_column(channel, path.name, properties.get(path.name), is_decoded=is_decoded)
        for channel, path in mapping.opt_outs.paths.items()
    ]
    found = Columns(
        [each for each in identifiers if each is not None],
        [each for each in fields if each is not None],
        [each for each in opt_outs if each is not None],
    )
    columns = (*found.identifiers, *found.fields, *found.opt_outs)
    types = {(each.path, each.type) for each in columns}
    if len(columns) < len(identifiers) + len(fields) + len(opt_outs):
        return None
    if len(types) > len({path for path, _ in types}):
        return None  # two columns want to decode a property differently
    return found


def _has_odd_name(names: Iterable[str]) -> bool:
    return any(map(_ODD_SIGN.search, names))


def _is_plain(schema: Mapping[str, Any]) -> bool:
    """Return whether a stream's schema says no more of a record than a typed decoder sees to."""
    types, required = schema.get("type", "object"), schema.get("required", [])
    is_object = "object" in (types if isinstance(types, list) else [types])
    are_names = isinstance(required, list) and all(isinstance(each, str) for each in required)
    return is_object and schema.keys() <= _KNOWN_KEYWORDS and are_names
