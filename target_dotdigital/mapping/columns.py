"""Columns: one property of many records, decoded by type and converted all at once.

Most columns hold nothing that has to be changed, and one look at all of their values shows it. Any
other value is converted as a single record's would be; where that fails, its row goes the slow way,
which decides what becomes of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeAlias, Union

from msgspec import UNSET, Meta, Raw, UnsetType

from target_dotdigital.errors import RowRejectedError
from target_dotdigital.mapping.contacts import EMAIL, PLAIN_EMAIL
from target_dotdigital.mapping.values import (
    MAX_TEXT_UNITS,
    MAX_WHOLE_DIGITS,
    PLAIN_DAY,
    PLAIN_TIME,
    Rounded,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_dotdigital.mapping.record_mapping import FieldSource, IdentifierSource

Values: TypeAlias = "list[Any]"
"""A value for each record. UNSET is sent as nothing."""

Convert: TypeAlias = Callable[[Values, "set[int]"], Values]
"""Converts a column, and adds the places of rows that must go the slow way."""


class Column(NamedTuple):
    """A property that is mapped."""

    name: str
    """What it is mapped to."""
    path: str
    """The property."""
    type: Any
    """The type of its values, as msgspec decodes them. What does not fit goes the slow way."""
    convert: Convert
    rounded: list[int]
    """The places of numbers that a conversion has rounded, until it is cleared."""


class Rules(NamedTuple):
    """What a property's schema demands, as far as a typed decoder can see to it."""

    types: frozenset[str]
    """JSON schema's names of plain types."""
    bounds: Mapping[str, Any]
    """`Meta`'s arguments for its texts or whole numbers."""


_PLAIN_TYPES = frozenset({"string", "integer", "number", "boolean", "null"})

_SAFE_WORDS = frozenset(
    {
        "$comment", "$id", "title", "description", "default", "example", "examples", "format",
        "readOnly", "writeOnly", "deprecated",
    }
)  # fmt: skip
"""Keywords that say nothing about a value, as do all that begin with `x-`. Formats are not checked
anywhere, as in the SDK."""

_KINDS = {"string": str, "integer": int, "number": float, "boolean": bool, "null": None}

_BOUNDS = {
    "minLength": ("string", "min_length"),
    "maxLength": ("string", "max_length"),
    "minimum": ("integer", "ge"),
    "maximum": ("integer", "le"),
}

_QUICK_TEXT_LENGTH = MAX_TEXT_UNITS // 2
"""A text of so many characters fits into a text field, whatever characters they are."""

_NUMBER_BOUND = 10**MAX_WHOLE_DIGITS

_WHOLE = rb"(?:0|-?[1-9][0-9]{0,17})"
_NUMBER = rb"%b(?:\.[0-9]{1,9}0*)?|-0\.[0-9]{0,8}[1-9]0*" % _WHOLE
"""JSON numbers that a numeric field takes as they are: zeros at their end change nothing."""

_A_NUMBER = re.compile(_NUMBER)
_NUMBERS = re.compile(rb"(?:%b(?:\.[0-9]{1,9})?\n)+" % _WHOLE)
_NUMBERS_AND_NULLS = re.compile(rb"(?:(?:%b|null)\n)+" % _NUMBER)
_NULL = Raw(b"null")
_ANY_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
"""JSON numbers of which one at a time may have to be rounded, or written without an exponent."""

_EMAILS = re.compile(rf"(?:{PLAIN_EMAIL}\n)+")
_UTC_DATES = re.compile(rf"(?:{PLAIN_DAY}T{PLAIN_TIME}Z\n)+")
_DATES = re.compile(
    rf"^({PLAIN_DAY})(?:[T ]({PLAIN_TIME})(?:(\.[0-9]*[1-9])0*|\.0+)?(?:Z|\+00:00)?)?$",
    re.MULTILINE,
)
"""Dates in UTC, with the parts that are sent: day, time, fraction of a second."""


def rules(schema: object) -> Rules | None:
    """Return what a property's schema demands; None if a typed decoder cannot see to it.

    Args:
        schema: The property's JSON schema.
    """
    if not isinstance(schema, dict):
        return None
    if isinstance(branches := schema.get("anyOf"), list):
        return _either(schema, branches)
    named: Any = schema.get("type")
    listed = named if isinstance(named, list) else [named]
    types = {each for each in listed if isinstance(each, str)}
    if len(types) < len(listed):
        return None
    bounds: dict[str, Any] = {}
    for word, value in schema.items():
        if word in _BOUNDS:
            kind, bound = _BOUNDS[word]
            # A bound is of one type; a union's other types do not know it.
            if types - {"null"} != {kind} or not _can_bound(kind, value):
                return None
            bounds[bound] = value
        elif word != "type" and word not in _SAFE_WORDS and not word.startswith("x-"):
            return None
    return Rules(frozenset(types), bounds) if types and types <= _PLAIN_TYPES else None


def says_nothing(schema: object) -> bool:
    """Return whether a property's schema demands nothing, as of one that a stream map computes.

    Args:
        schema: The property's JSON schema.
    """
    return isinstance(schema, dict) and all(
        word in _SAFE_WORDS or word.startswith("x-") for word in schema
    )


def _either(schema: dict[str, Any], branches: Iterable[Any]) -> Rules | None:
    """Join alternatives that are nothing but types."""
    found = [rules(branch) for branch in branches]
    if schema.keys() - _SAFE_WORDS - {"type"} != {"anyOf"} or not found:
        return None
    if any(each is None or each.bounds for each in found):
        return None
    types = frozenset().union(*(each.types for each in found if each is not None))
    if "type" in schema:  # as of a flattened schema
        named = rules({"type": schema["type"]})
        if named is None or named.types != types:
            return None
    return Rules(types, {})


def _can_bound(kind: str, value: object) -> bool:
    """Return whether msgspec takes a bound: a length, or what fits into 64 bits."""
    least = 0 if kind == "string" else -(2**63)
    return type(value) is int and least <= value < 2**63


def _typed(types: frozenset[str], bounds: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a type
    """Return what values of these types are decoded as. A text of unusual length goes slowly."""
    kinds: list[Any] = []
    for name in sorted(types):
        kind: Any = _KINDS[name]
        if name == "string":
            longest = min(bounds.get("max_length", MAX_TEXT_UNITS), _QUICK_TEXT_LENGTH)
            kind = Annotated[str, Meta(**{**bounds, "max_length": longest})]
        elif name == "integer" and bounds:
            kind = Annotated[int, Meta(**bounds)]
        kinds.append(kind)
    return Union[(*kinds, UnsetType)]


def field_column(
    source: FieldSource, schema: object, *, keeps_empty: bool, is_decoded: bool
) -> Column | None:
    """Return the column of a data field; None if its values cannot be converted at once.

    Args:
        source: Where the data field comes from.
        schema: The property's JSON schema.
        keeps_empty: Whether null and empty values are sent.
        is_decoded: Whether values come as Python's, and not as a typed decoder's.
    """
    rounded: list[int] = []
    convert_each = _each(source.convert, rounded, keeps_empty=keeps_empty)
    if is_decoded and says_nothing(schema):
        convert = _unknown(convert_each, source.type, keeps_empty=keeps_empty)
        return Column(source.name, source.source.path, Any, convert, rounded)
    demanded = rules(schema)
    if demanded is None or not demanded.types - {"null"}:
        return None
    types, bounds = demanded.types - {"null"}, dict(demanded.bounds)
    if "number" in types:
        if source.type != "Numeric" or types - {"number", "integer"}:
            return None
        has_null = "null" in demanded.types
        # Raw: a binary fraction would not keep every digit.
        kind: Any = Any if is_decoded else Raw | UnsetType
        convert = (
            _decimals(convert_each, has_null=has_null)
            if is_decoded
            else _numbers(convert_each, keeps_empty=keeps_empty, has_null=has_null)
        )
        return Column(source.name, source.source.path, kind, convert, rounded)
    convert = convert_each
    match source.type, *types:
        case "String", "string":
            convert = _as_they_are if keeps_empty else _texts_without_empty
        case "Date", "string":
            convert = _dates(convert_each, keeps_empty=keeps_empty)
        case "Boolean", "boolean":
            convert = _as_they_are if keeps_empty else _without_null
        case "Numeric", "integer":
            convert = _as_they_are if keeps_empty else _without_null
            bounds["ge"] = max(bounds.get("ge", -_NUMBER_BOUND), 1 - _NUMBER_BOUND)
            bounds["le"] = min(bounds.get("le", _NUMBER_BOUND), _NUMBER_BOUND - 1)
    kind = _typed(demanded.types, bounds)
    return Column(source.name, source.source.path, kind, convert, rounded)


def identifier_column(
    source: IdentifierSource, schema: object, *, is_match: bool, is_decoded: bool
) -> Column | None:
    """Return the column of an identifier; None if its values cannot be checked at once.

    Args:
        source: Where the identifier comes from.
        schema: The property's JSON schema.
        is_match: Whether it is the match identifier, which every contact needs.
        is_decoded: Whether values come as Python's, and not as a typed decoder's.
    """
    if is_decoded and says_nothing(schema):
        convert = _identifiers(source.check, is_match=is_match)
        if source.name == EMAIL:
            convert = _emails(convert)
        return Column(source.name, source.source.path, Any, convert, [])
    demanded = rules(schema)
    if demanded is None:
        return None
    types = demanded.types - {"null"}
    if not types or types - {"string", "integer"} or (source.name == EMAIL and "integer" in types):
        return None
    convert = _identifiers(source.check, is_match=is_match)
    if source.name == EMAIL:
        convert = _emails(convert)
    kind = _typed(demanded.types, demanded.bounds)
    return Column(source.name, source.source.path, kind, convert, [])


def key_type(schema: object, *, is_decoded: bool) -> Any:  # noqa: ANN401 - a type to decode
    """Return what a property is decoded as of which only its type matters; None if that is not all.

    Args:
        schema: The property's JSON schema.
        is_decoded: Whether values come as Python's, and not as a typed decoder's.
    """
    if is_decoded and says_nothing(schema):
        return Any
    demanded = rules(schema)
    return None if demanded is None else _typed(demanded.types, demanded.bounds)


def normalised(name: str, values: Values) -> list[str]:
    """Return the normalised form of identifiers; of one that is not there, an empty text.

    Args:
        name: The identifier.
        values: Its column, converted: whatever has passed its check is normalised.
    """
    return ["" if value is UNSET else f"{name}:{value}" for value in values]


# Conversions that change nothing, or only what is empty.


def _as_they_are(values: Values, _slow: set[int]) -> Values:
    return values


def _texts_without_empty(values: Values, _slow: set[int]) -> Values:
    return values if all(values) else [value or UNSET for value in values]


def _without_null(values: Values, _slow: set[int]) -> Values:
    return [UNSET if value is None else value for value in values]


def _each(convert: Callable[[object], object], rounded: list[int], *, keeps_empty: bool) -> Convert:
    """Return the conversion of values one by one, as single records' are."""

    def converted(values: Values, slow: set[int]) -> Values:
        found: Values = []
        for place, value in enumerate(values):
            sent: object = UNSET
            if value is None:
                sent = None if keeps_empty else UNSET
            elif value is not UNSET and (keeps_empty or value != ""):
                try:
                    sent = convert(value)
                except RowRejectedError:
                    slow.add(place)
                if isinstance(sent, Rounded):
                    rounded.append(place)
                    sent = sent.sent
                if sent == "" and not keeps_empty:
                    sent = UNSET
            found.append(sent)
        return found

    return converted


def _unknown(convert_each: Convert, field_type: str, *, keeps_empty: bool) -> Convert:
    """Return the conversion of values of any type, most of which are texts for a text field."""
    unchanged = _as_they_are if keeps_empty else _texts_without_empty

    def converted(values: Values, slow: set[int]) -> Values:
        if set(map(type, values)) == {str} and max(map(len, values)) <= _QUICK_TEXT_LENGTH:
            return unchanged(values, slow)
        return convert_each(values, slow)

    return converted if field_type == "String" else convert_each


def _dates(convert_each: Convert, *, keeps_empty: bool) -> Convert:
    unchanged = _as_they_are if keeps_empty else _texts_without_empty

    def converted(values: Values, slow: set[int]) -> Values:
        with suppress(TypeError):  # one of them is null, or not there
            if _are_lines("\n".join(values), len(values), _UTC_DATES):
                return values
        there = [value for value in values if value is not None and value is not UNSET]
        if not keeps_empty:  # otherwise an empty text is a date that is none
            there = [value for value in there if value]
        if not there:
            return unchanged(values, slow)
        joined = "\n".join(there)
        if _are_lines(joined, len(there), _UTC_DATES):
            return unchanged(values, slow)
        found = _DATES.findall(joined)
        if not len(found) == joined.count("\n") + 1 == len(there):
            return convert_each(values, slow)
        dates = [f"{day}T{time or '00:00:00'}{fraction}Z" for day, time, fraction in found]
        if len(dates) == len(values):
            return dates
        in_turn = iter(dates)
        return [next(in_turn) if value else value for value in unchanged(values, slow)]

    return converted


def _numbers(convert_each: Convert, *, keeps_empty: bool, has_null: bool) -> Convert:
    def converted(values: Values, slow: set[int]) -> Values:
        with suppress(TypeError):  # one of them is not there
            joined = b"\n".join(values) + b"\n"
            # No value has more than one line: it is a part of one.
            if _NUMBERS.fullmatch(joined):
                return values
            if keeps_empty and has_null and _NUMBERS_AND_NULLS.fullmatch(joined):
                return values
        found: Values = []
        others: Values = [UNSET] * len(values)
        for place, value in enumerate(values):
            if value is not UNSET and has_null and value == _NULL:
                value = None if keeps_empty else UNSET  # noqa: PLW2901 - the column's own null
            elif value is not UNSET and not _A_NUMBER.fullmatch(value):
                if _ANY_NUMBER.fullmatch(value):
                    others[place] = Decimal(bytes(value).decode())
                else:
                    slow.add(place)
            found.append(value)
        converted_others = convert_each(others, slow)
        return [
            value if other is UNSET else other
            for value, other in zip(found, converted_others, strict=True)
        ]

    return converted


def _decimals(convert_each: Convert, *, has_null: bool) -> Convert:
    def converted(values: Values, slow: set[int]) -> Values:
        for place, value in enumerate(values):
            is_null = value is None and has_null
            if not (is_null or value is UNSET or type(value) in {int, Decimal}):
                slow.add(place)
        return convert_each(values, slow)

    return converted


def _identifiers(check: Callable[[object], object], *, is_match: bool) -> Convert:
    def checked(values: Values, slow: set[int]) -> Values:
        found: Values = []
        for place, value in enumerate(values):
            sent: object = UNSET
            if value is None or value is UNSET or (isinstance(value, str) and not value.strip()):
                if is_match:
                    slow.add(place)
            else:
                try:
                    sent = check(value)
                except RowRejectedError:
                    slow.add(place)
            found.append(sent)
        return found

    return checked


def _emails(check_each: Convert) -> Convert:
    def checked(values: Values, slow: set[int]) -> Values:
        with suppress(TypeError):  # one of them is null
            joined = "\n".join(values)
            # Only ASCII: the Kelvin sign's lower case is `k`, and somebody else's address.
            lower = joined.lower() if joined.isascii() else ""
            if _are_lines(lower, len(values), _EMAILS):
                return values if lower == joined else lower.split("\n")
        return check_each(values, slow)

    return checked


def _are_lines(joined: str, count: int, lines: re.Pattern[str]) -> bool:
    """Return whether so many texts, joined by line ends, are as a pattern of lines wants them."""
    # A text of two lines could stand in for one that is not so.
    return joined.count("\n") == count - 1 and lines.fullmatch(joined + "\n") is not None
