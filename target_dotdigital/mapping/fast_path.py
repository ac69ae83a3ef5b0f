"""The fast lane of a stream: RECORD lines become contacts a column at a time.

Its decoder is made for the stream: it checks the types of the properties that are mapped, and skips
the others. Whatever it does not take, and whatever a column cannot convert, goes the slow way,
where one record at a time is decoded, checked and mapped. What comes out is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import UNSET, Raw, UnsetType

from target_dotdigital.mapping.columns import field_column, identifier_column, key_type, normalised
from target_dotdigital.mapping.contacts import Contact
from target_dotdigital.mapping.deletion_marks import DELETED_AT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_dotdigital.mapping.columns import Column
    from target_dotdigital.mapping.contacts import Row
    from target_dotdigital.mapping.record_mapping import ContactMapping

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises for a line that is none of the lane's."""

_SAFE_WORDS = frozenset(
    {
        "$schema", "$id", "$comment", "title", "description", "type", "properties", "required",
        "id", "definitions", "$defs", "additionalProperties",
    }
)  # fmt: skip
"""Keywords of a stream's schema that the lane sees to, or that say nothing about a record's mapped
properties."""

# msgspec's types have no fields of such names.
_ODD_SIGN = re.compile(r'[\x00-\x1f"\\\ud800-\udfff]')

_SHY: dict[str, Any] = {"__repr__": lambda _self: "a record"}
"""Nothing that holds a record shows it."""

_record_of = attrgetter("record")
_encode_lines = msgspec.json.Encoder().encode_lines


Transform: TypeAlias = Callable[[dict[str, Any]], "dict[str, Any] | None"]


class Columns(NamedTuple):
    """The columns of a stream."""

    identifiers: Sequence[Column]
    """That of the match identifier first."""
    fields: Sequence[Column]


class Mapped(NamedTuple):
    """What lines have become."""

    contacts: list[Contact]
    """One for each line; of those that are passed over it means nothing."""
    passed_over: Sequence[int]
    """In order, the places of those that are filtered out, or have to go the slow way."""
    filtered: Collection[int]
    """The places of those that a stream map filters out."""
    rounded: Mapping[str, int]
    """By data field, how many of the others hold a number that was rounded."""


class Lane:
    """Decodes lines of one stream under one SCHEMA, and maps their records."""

    def __init__(
        self,
        stream: str,
        columns: Columns,
        constants: Mapping[str, object],
        needed: Mapping[str, Any],
        transform: Transform | None,
    ) -> None:
        """Make the types that are decoded, and those that are encoded.

        Args:
            stream: What the tap calls the stream.
            columns: What is mapped.
            constants: What is the same in every contact.
            needed: Properties that a record must have, mapped or not, and their types.
            transform: Makes the stream's record of the tap's, or None of one that is filtered out.
        """
        self._identifiers, self._fields = identifiers, fields = columns
        self._constants = [repeat(value) for value in constants.values()]
        self._transform = transform
        self._record_type, self._getters = _record_type((*identifiers, *fields), needed)
        record: Any = self._record_type if transform is None else dict[str, Any]
        line = msgspec.defstruct(
            "Line",
            [("stream", Literal[stream]), ("record", record)],
            tag_field="type",
            tag="RECORD",
            gc=False,
            namespace=_SHY,
        )
        self.decode = msgspec.json.Decoder(line, float_hook=Decimal).decode
        """Decodes a line; raises one of `UNREADABLE` if it has to go the slow way."""
        self._identifiers_type = _sent_type([each.name for each in identifiers])
        self._fields_type = _sent_type([each.name for each in fields])
        self._contact_type = _sent_type(
            ["identifiers", "dataFields", *constants],
            tag_field="matchIdentifier",
            tag=identifiers[0].name,
        )

    def map(self, lines: Sequence[Any], rows: Iterable[tuple[Row, ...]]) -> Mapped:
        """Map lines.

        Args:
            lines: What `decode` has returned for each.
            rows: The row that each stands for.
        """
        records = list(map(_record_of, lines))
        slow: set[int] = set()
        filtered: set[int] = set()
        if self._transform is not None:
            records = self._transformed(self._transform, records, slow, filtered)
        values = {path: list(map(get, records)) for path, get in self._getters.items()}
        for each in self._fields:
            each.rounded.clear()
        identifiers = [each.convert(values[each.path], slow) for each in self._identifiers]
        fields = [each.convert(values[each.path], slow) for each in self._fields]
        sent = map(
            self._contact_type,
            map(self._identifiers_type, *identifiers),
            self._data_fields(fields, len(records)),
            *self._constants,
        )
        try:
            bodies = _encode_lines(list(sent)).split(b"\n")
        except UnicodeEncodeError:  # an expression has made half a surrogate pair
            return Mapped([], range(len(records)), filtered, {})
        keys, *others = map(normalised, (each.name for each in self._identifiers), identifiers)
        contacts = list(map(Contact, keys, _together(others), bodies, rows))
        rounded = {each.name: len(set(each.rounded) - slow - filtered) for each in self._fields}
        return Mapped(contacts, sorted(slow | filtered), filtered, rounded)

    def _transformed(
        self, transform: Transform, records: list[Any], slow: set[int], filtered: set[int]
    ) -> list[Any]:
        """Apply a stream map, and take what is mapped if it is of the right type."""
        nothing = self._record_type(**dict.fromkeys(self._record_type.__struct_fields__, UNSET))
        found = []
        for place, record in enumerate(records):
            made = nothing
            try:
                if (transformed := transform(record)) is None:
                    filtered.add(place)
                elif _may_be_deleted(record, transformed):
                    slow.add(place)
                else:
                    made = msgspec.convert(transformed, self._record_type)
            except Exception:  # noqa: BLE001 - an expression may raise anything
                slow.add(place)
            found.append(made)
        return found

    def _data_fields(self, columns: list[list[Any]], length: int) -> Iterable[object]:
        """Return the data fields of each record; UNSET for one that has none."""
        if not columns:
            return repeat(UNSET, length)
        found = list(map(self._fields_type, *columns))
        if all(UNSET in column for column in columns):
            nothing = self._fields_type()
            return [UNSET if each == nothing else each for each in found]
        return found


def _may_be_deleted(record: Mapping[str, Any], transformed: Mapping[str, Any]) -> bool:
    """Return whether to look for a mark more closely. Flattening takes an object apart."""
    mark = transformed.get(DELETED_AT)
    return (mark is not None and mark != "") or isinstance(record.get(DELETED_AT), (dict, list))


def _together(others: list[list[str]]) -> Iterable[tuple[str, ...]]:
    """Return the other identities of each contact."""
    if not others:
        return repeat(())
    return (tuple(filter(None, each)) for each in zip(*others, strict=True))


def build_lane(
    stream: str,
    schema: Mapping[str, Any],
    key_properties: Iterable[str],
    mapping: ContactMapping,
    transform: Transform | None,
) -> Lane | None:
    """Return the lane of a stream whose records need nothing but mapping.

    Args:
        stream: What the tap calls it.
        schema: Its JSON schema, after stream maps.
        key_properties: The tap's key properties.
        mapping: How its records are mapped.
        transform: What the stream's map does with a record; None if it leaves it as it is.

    Returns:
        The lane; None if a part of the schema, or of the mapping, is not for it.
    """
    if not mapping.is_plain or not _is_plain(schema):
        return None
    sources = [each.source for each in mapping.identifiers]
    sources += [each.source for each in mapping.fields]
    if any(len(each.segments) > 1 for each in sources):
        return None  # a path into objects
    schemas = schema.get("properties", {})
    # Of a property that is required and not mapped, it matters only that it is there.
    anything = Raw if transform is None else Any
    needed: dict[str, Any] = dict.fromkeys((*schema.get("required", ()), *key_properties), anything)
    is_decoded = transform is not None
    needed.update(
        (name, key_type(schemas[name], is_decoded=is_decoded))
        for name in key_properties
        if name in schemas
    )
    properties = (*needed, *(each.path for each in sources))
    sent = [each.name for each in mapping.identifiers] + [each.name for each in mapping.fields]
    is_odd = any(map(_ODD_SIGN.search, (stream, *properties, *sent)))
    if is_odd or DELETED_AT in properties:
        return None
    identifiers = [
        identifier_column(
            each, schemas.get(each.source.path), is_match=place == 0, is_decoded=is_decoded
        )
        for place, each in enumerate(mapping.identifiers)
    ]
    fields = [
        field_column(
            each,
            schemas.get(each.source.path),
            keeps_empty=mapping.keeps_empty,
            is_decoded=is_decoded,
        )
        for each in mapping.fields
    ]
    columns = [each for each in (*identifiers, *fields) if each is not None]
    types_of = {(each.path, each.type) for each in columns}
    if len(columns) < len(sources) or None in needed.values():
        return None  # a property cannot be checked, or converted, by its type
    if len(types_of) > len({path for path, _ in types_of}):
        return None  # two columns want to decode a property differently
    count = len(identifiers)
    mapped = Columns(columns[:count], columns[count:])
    return Lane(stream, mapped, mapping.constants, needed, transform)


def _is_plain(schema: Mapping[str, Any]) -> bool:
    """Return whether a stream's schema says no more of a record than a typed decoder sees to."""
    types, required = schema.get("type", "object"), schema.get("required", [])
    is_object = "object" in (types if isinstance(types, list) else [types])
    are_names = isinstance(required, list) and all(isinstance(each, str) for each in required)
    return is_object and schema.keys() <= _SAFE_WORDS and are_names


def _record_type(
    columns: Iterable[Column], needed: Mapping[str, Any]
) -> tuple[type[msgspec.Struct], dict[str, Callable[[Any], Any]]]:
    """Return the type that a record is decoded as, and what gets a mapped property's values."""
    types = {each.path: each.type for each in columns}
    names = {path: f"p{number}" for number, path in enumerate((*types, *needed, DELETED_AT))}
    getters: dict[str, Callable[[Any], Any]] = {path: attrgetter(names[path]) for path in types}
    types = {**needed, **types}
    fields = [
        (names[path], kind) if path in needed else (names[path], kind, UNSET)
        for path, kind in types.items()
    ]
    # A row that may be marked as deleted goes the slow way.
    fields.append((names[DELETED_AT], Literal[""] | None | UnsetType, UNSET))
    renamed = {name: path for path, name in names.items()}
    record = msgspec.defstruct(
        "Record", fields, rename=renamed, kw_only=True, gc=False, namespace=_SHY
    )
    return record, getters


def _sent_type(names: Iterable[str], **tag: Any) -> type[msgspec.Struct]:
    """Return the type of an object that is sent: what is UNSET in it is left out."""
    renamed = {f"p{number}": name for number, name in enumerate(names)}
    fields = [(field, Any, UNSET) for field in renamed]
    return msgspec.defstruct("Sent", fields, rename=renamed, gc=False, namespace=_SHY, **tag)
