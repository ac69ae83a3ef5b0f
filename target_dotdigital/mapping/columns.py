"""Columns: a mapped property's values of many records, and how they are converted all at once."""

from __future__ import annotations

from itertools import compress, count
from operator import not_
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import UNSET, Raw, UnsetType

from target_dotdigital.mapping.column_conversions import (
    CONSENT_PATTERNS,
    FLAGS,
    Convert,
    as_they_are,
    dates,
    emails,
    lines_of,
    needed,
    numbers,
    one_by_one,
    only_true,
    raw_numbers,
    texts,
    usual,
    without_empty,
    without_null,
)
from target_dotdigital.mapping.column_types import decoded_type
from target_dotdigital.mapping.contacts import EMAIL, MAX_WHOLE_DIGITS
from target_dotdigital.mapping.values import (
    CONSENT_PARTS,
    PropertyPath,
    is_empty,
    is_too_long,
    opt_out_reader,
    preference_reader,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_dotdigital.mapping.column_conversions import Notes, Values
    from target_dotdigital.mapping.column_types import PlainTypes
    from target_dotdigital.mapping.values import MappedField, MappedProperties

_GREATEST_NUMBER: Final = 10**MAX_WHOLE_DIGITS - 1


class Column(NamedTuple):
    """A property that is mapped."""

    name: str
    """The identifier, data field, preference, part of a consent or channel that it is mapped to."""
    path: PropertyPath
    convert: Convert
    type: Any
    """The type as which a decoder decodes its values. None: it cannot check their schema."""


class Columns(NamedTuple):
    """The columns of a stream."""

    identifiers: list[Column]
    """That of the match identifier first."""
    fields: list[Column]
    preferences: list[Column]
    consent: list[Column]
    """All parts of a consent record, or none."""
    opt_outs: list[Column]
    """Those of channels: whether their contacts have opted out."""
    address_books: list[Column]
    """That of the address books that rows name, or none."""


def columns_of(
    mapped: MappedProperties,
    types_of: Callable[[PropertyPath], PlainTypes | None],
    *,
    keeps_empty: bool,
) -> Columns:
    """Return the columns of a stream.

    Args:
        mapped: The properties that are mapped.
        types_of: Returns what a property's schema demands; None if values may be anything.
        keeps_empty: Whether null and empty values are sent.
    """

    def column(name: object, path: PropertyPath, convert: Convert) -> Column:
        return Column(str(name), path, convert, decoded_type(types_of(path)))

    books = mapped.address_books
    consent = {} if mapped.consent is None else mapped.consent.paths
    return Columns(
        [
            column(each.name, each.path, _identifiers(each.name, each.check, is_match=not place))
            for place, each in enumerate(mapped.identifiers)
        ],
        [_field(each, types_of(each.path), keeps_empty=keeps_empty) for each in mapped.fields],
        [
            column(number, path, _preferences(preference_reader(number, path.name)))
            for number, path in mapped.preferences.paths.items()
        ],
        [
            column(part.name, path, lines_of(CONSENT_PATTERNS[part.name], _consents(part.convert)))
            for part, path in ((CONSENT_PARTS[name], path) for name, path in consent.items())
        ],
        [
            column(channel, path, _opt_outs(opt_out_reader(channel, path.name)))
            for channel, path in mapped.opt_outs.paths.items()
        ],
        [] if books is None else [column("lists", books.path, _looked_up(books.known))],
    )


def _identifiers(name: str, check: Callable[[object], object], *, is_match: bool) -> Convert:
    checked = one_by_one(check, is_absent=is_empty)
    if is_match:
        checked = needed(checked)
    return emails(checked) if name == EMAIL else checked


def _preferences(read: Callable[[object], bool]) -> Convert:
    return usual(FLAGS, without_null, one_by_one(read, is_absent=_is_null))


def _opt_outs(read: Callable[[object], bool]) -> Convert:
    # An empty list is as little a no as a full one.
    convert_each = one_by_one(
        read, is_absent=lambda value: value is None or value is False, absent=False
    )
    return usual(FLAGS, only_true, convert_each)


def _consents(convert: Callable[[object], str]) -> Convert:
    def bounded(value: object) -> str:
        sent = convert(value)
        if is_too_long(sent):
            raise ValueError
        return sent

    return one_by_one(bounded, is_absent=is_empty)


def _fields(convert: Callable[[object], object], *, keeps_empty: bool) -> Convert:
    if keeps_empty:
        return one_by_one(lambda value: None if value is None else convert(value))
    return one_by_one(
        lambda value: UNSET if (sent := convert(value)) == "" else sent,
        is_absent=lambda value: value is None or value == "",
    )


def _is_null(value: object) -> bool:
    return value is None


def _field(field: MappedField, types: PlainTypes | None, *, keeps_empty: bool) -> Column:
    """Return the column of a data field.

    Args:
        field: The mapped property.
        types: What its schema demands; None if values may be anything.
        keeps_empty: Whether null and empty values are sent.
    """
    convert = _fields(field.convert, keeps_empty=keeps_empty)
    names = frozenset() if types is None else types.without_null
    unchanged = as_they_are if keeps_empty else without_null
    decoded = decoded_type(types)
    match field.type, *sorted(names):
        case ("Boolean", "boolean"):
            convert = unchanged
        case ("Boolean", *_):
            convert = usual(FLAGS, unchanged, convert)
        case ("Date", *_):
            convert = dates(convert, as_they_are if keeps_empty else without_empty)
        case ("String", *_):
            unchanged = as_they_are if keeps_empty else without_empty
            convert = unchanged if names == {"string"} else texts(unchanged, convert)
        case ("Numeric", "integer") if types is not None:
            convert = unchanged
            decoded = decoded_type(types.within(-_GREATEST_NUMBER, _GREATEST_NUMBER))
        case ("Numeric", "number") | ("Numeric", "integer", "number") if types is not None:
            has_null = "null" in types.names
            convert = raw_numbers(convert, keeps_empty=keeps_empty, has_null=has_null)
            decoded = Raw | UnsetType  # a binary fraction would not keep every digit
        case ("Numeric", *_):
            convert = numbers(unchanged, convert)
    return Column(field.name, field.path, convert, decoded)


def _looked_up(find: Callable[[Values], Values]) -> Convert:
    """Return the conversion of values for which rows before have found something.

    Args:
        find: Returns what was found for each; None if nothing was.
    """

    def converted(values: Values, notes: Notes) -> Values:
        found = find(values)
        notes.slow.update(compress(count(), map(not_, found)))
        return found

    return converted
