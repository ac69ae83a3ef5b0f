"""Columns: a mapped property's values, decoded by type and converted all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import UNSET, Raw, UnsetType

from target_dotdigital.mapping.column_conversions import (
    Convert,
    as_they_are,
    dates,
    decimals,
    emails,
    identifiers,
    one_by_one,
    opt_outs,
    raw_numbers,
    texts_of_any_values,
    without_empty,
    without_null,
)
from target_dotdigital.mapping.column_types import decoded_type, demands_nothing, plain_types
from target_dotdigital.mapping.contacts import EMAIL, MAX_WHOLE_DIGITS
from target_dotdigital.mapping.values import opt_out_reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_dotdigital.mapping.column_conversions import Values
    from target_dotdigital.mapping.column_types import PlainTypes
    from target_dotdigital.mapping.values import MappedField, MappedIdentifier

_GREATEST_NUMBER: Final = 10**MAX_WHOLE_DIGITS - 1


class Column(NamedTuple):
    """A property that is mapped."""

    name: str
    """The identifier or data field that it is mapped to."""
    path: str
    """The property."""
    type: Any
    """The type as which msgspec decodes its values. What does not fit goes the slow way."""
    convert: Convert


class Columns(NamedTuple):
    """The columns of a stream."""

    identifiers: Sequence[Column]
    """That of the match identifier first."""
    fields: Sequence[Column]
    opt_outs: Sequence[Column]
    """Those of channels: whether their contacts have opted out."""


def identifier_column(
    identifier: MappedIdentifier, schema: object, *, is_match: bool, is_decoded: bool
) -> Column | None:
    """Return the column of an identifier; None if its values cannot be checked at once.

    Args:
        identifier: The mapped property.
        schema: The property's JSON schema.
        is_match: Whether it is the match identifier, which every contact needs.
        is_decoded: Whether a stream map has made the values, which are Python's then.
    """
    is_email = identifier.name == EMAIL
    convert = identifiers(identifier.check, is_match=is_match)
    if is_email:
        convert = emails(convert)
    if is_decoded and demands_nothing(schema):
        return Column(identifier.name, identifier.path.name, Any, convert)
    types = plain_types(schema)
    allowed = {"string"} if is_email else {"string", "integer"}
    if types is None or not types.without_null or types.without_null - allowed:
        return None
    return Column(identifier.name, identifier.path.name, decoded_type(types), convert)


def field_column(
    field: MappedField, schema: object, *, keeps_empty: bool, is_decoded: bool
) -> Column | None:
    """Return the column of a data field; None if its values cannot be converted at once.

    Args:
        field: The mapped property.
        schema: The property's JSON schema.
        keeps_empty: Whether null and empty values are sent.
        is_decoded: Whether a stream map has made the values, which are Python's then.
    """
    convert = one_by_one(field.convert, keeps_empty=keeps_empty)
    if is_decoded and demands_nothing(schema):
        if field.type == "String":
            convert = texts_of_any_values(convert, keeps_empty=keeps_empty)
        return Column(field.name, field.path.name, Any, convert)
    types = plain_types(schema)
    if types is None or not types.without_null:
        return None
    if "number" not in types.names:
        return _exact_column(field, types, convert, keeps_empty=keeps_empty)
    if field.type != "Numeric" or types.without_null - {"number", "integer"}:
        return None
    has_null = "null" in types.names
    if is_decoded:
        return Column(field.name, field.path.name, Any, decimals(convert, has_null=has_null))
    convert = raw_numbers(convert, keeps_empty=keeps_empty, has_null=has_null)
    # Raw: a binary fraction would not keep every digit.
    return Column(field.name, field.path.name, Raw | UnsetType, convert)


def opt_out_column(channel: str, path: str, schema: object, *, is_decoded: bool) -> Column | None:
    """Return the column of a channel's opt-outs; None if its values cannot be read at once.

    Args:
        channel: The channel.
        path: The property that is mapped to it.
        schema: The property's JSON schema.
        is_decoded: Whether a stream map has made the values, which are Python's then.
    """
    convert = opt_outs(opt_out_reader(channel, path))
    if is_decoded and demands_nothing(schema):
        return Column(channel, path, Any, convert)
    types = plain_types(schema)
    if types is None or not types.without_null or "number" in types.names:
        return None
    return Column(channel, path, decoded_type(types), convert)


def _exact_column(
    field: MappedField, types: PlainTypes, convert: Convert, *, keeps_empty: bool
) -> Column:
    """Return the column of a data field whose values a decoder keeps exactly.

    Args:
        field: The mapped property.
        types: What its schema demands.
        convert: Converts values one by one.
        keeps_empty: Whether null and empty values are sent.
    """
    match field.type, *types.without_null:
        case "String", "string":
            convert = as_they_are if keeps_empty else without_empty
        case "Date", "string":
            convert = dates(convert, keeps_empty=keeps_empty)
        case "Boolean", "boolean":
            convert = as_they_are if keeps_empty else without_null
        case "Numeric", "integer":
            convert = as_they_are if keeps_empty else without_null
            types = types.within(-_GREATEST_NUMBER, _GREATEST_NUMBER)
    return Column(field.name, field.path.name, decoded_type(types), convert)


def normalised(name: str, values: Values) -> list[str]:
    """Return the normalised form of identifiers; of one that is absent, an empty text.

    Args:
        name: The identifier.
        values: Its column, converted: whatever has passed its check is normalised.
    """
    return ["" if value is UNSET else f"{name}:{value}" for value in values]
