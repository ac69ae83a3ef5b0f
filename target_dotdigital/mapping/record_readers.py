"""Readers of records on the fast path: they decode lines, and give a property's values of many.

A typed reader decodes nothing but what is mapped, and checks its types on the way. Where a decoder
cannot see to all that the schema demands of a property, or a stream map makes it, there is a record
of such properties alone. Where that is not enough, there is all of the record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType
from typing_extensions import override

from target_dotdigital.errors import RowRejectedError
from target_dotdigital.mapping.column_types import decoded_type, plain_types
from target_dotdigital.mapping.schemas import used_in
from target_dotdigital.mapping.values import ABSENT, DELETED_AT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from target_dotdigital.mapping.column_types import PlainTypes
    from target_dotdigital.mapping.values import PropertyPath

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

_record_of = attrgetter("record")

Prepare: TypeAlias = Callable[[Any], "dict[str, Any] | None"]
"""Makes the stream's record of a line, and checks it. None: a stream map filters it out. It may
raise anything of one that needs a look."""


class MadeProperties(NamedTuple):
    """What a stream map makes of records, and of which of their properties."""

    names: tuple[str, ...] = ()
    """The properties that it makes, or takes away."""
    read: tuple[str, ...] = ()
    """The properties that it looks at, as the tap sends them."""
    make: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda record: record
    """Makes a record of the latter alone, as `Prepare` does; but it checks nothing."""


NOTHING_MADE: Final = MadeProperties()


class RecordReader:
    """Decodes lines, and reads properties of their records: of all of a record, once prepared."""

    def __init__(self, stream: str, prepare: Prepare) -> None:
        """Make the decoder.

        Args:
            stream: What the tap calls the stream.
            prepare: Makes the stream's record of a line.
        """
        self._prepare = prepare
        self.decode = _line_decoder(stream, dict[str, Any], ("version", "time_extracted"))
        """Decodes a line; raises one of `UNREADABLE` if it has to go the slow way."""

    def records(self, lines: Sequence[Any], slow: set[int], filtered: set[int]) -> list[Any]:
        """Return the records of lines.

        Args:
            lines: What `decode` has returned for each.
            slow: Takes the places of those that need a look.
            filtered: Takes the places of those that a stream map filters out.
        """
        found = []
        for place, line in enumerate(lines):
            record: dict[str, Any] | None = {}
            try:
                record = self._prepare(line)
            except Exception:  # noqa: BLE001 - an expression may raise anything
                slow.add(place)
            if record is None:
                filtered.add(place)
            found.append(record or {})
        return found

    def values(self, path: PropertyPath, records: list[Any], slow: set[int]) -> list[Any]:
        """Return the values of a property; UNSET for each that is not there.

        Args:
            path: The property.
            records: The records.
            slow: Takes the places of those that need a look.
        """
        if len(path.segments) == 1:
            name = path.name
            return [record.get(name, UNSET) for record in records]
        found: list[Any] = [UNSET] * len(records)
        for place, record in enumerate(records):
            try:
                value = path.read(record)
            except RowRejectedError:
                slow.add(place)
            else:
                found[place] = UNSET if value is ABSENT else value
        return found


class TypedReader(RecordReader):
    """Decodes the mapped properties of a record, each as its type, and skips the others."""

    def __init__(self, stream: str, record_type: Any, *, has_versions: bool) -> None:  # noqa: ANN401 - a type
        """Make the decoder.

        Args:
            stream: What the tap calls the stream.
            record_type: As what a record is decoded.
            has_versions: Whether the versions of messages matter.
        """
        self.decode = _line_decoder(stream, record_type, ("version",) if has_versions else ())

    @override
    def records(self, lines: Sequence[Any], slow: set[int], filtered: set[int]) -> list[Any]:
        return list(map(_record_of, lines))

    @override
    def values(self, path: PropertyPath, records: list[Any], slow: set[int]) -> list[Any]:
        found = list(map(attrgetter(_attribute(path.segments[0])), records))
        for segment in path.segments[1:]:
            name = _attribute(segment)
            found = [getattr(value, name) if value else value for value in found]
        return found


class MappedReader(RecordReader):
    """Decodes as a typed reader does, but for a few properties: a record of these is prepared."""

    def __init__(
        self,
        reader: TypedReader,
        read: list[PropertyPath],
        names: Collection[str],
        prepare: Prepare,
    ) -> None:
        """Read nothing yet.

        Args:
            reader: Decodes lines.
            read: The few properties, as the tap sends them.
            names: The properties of what is prepared.
            prepare: Makes a record of the former, and checks it.
        """
        self.decode = reader.decode
        self._reader = reader
        self._read, self._names, self._prepare = read, names, prepare

    @override
    def records(self, lines: Sequence[Any], slow: set[int], filtered: set[int]) -> list[Any]:
        decoded = self._reader.records(lines, slow, filtered)
        read: list[dict[str, Any]] = [{} for _ in lines]
        for path in self._read:
            for record, value in zip(read, self._reader.values(path, decoded, slow), strict=True):
                if value is not UNSET:
                    record[path.name] = value
        return [decoded, super().records(read, slow, filtered)]

    @override
    def values(self, path: PropertyPath, records: list[Any], slow: set[int]) -> list[Any]:
        decoded, prepared = records
        if path.name in self._names:
            return super().values(path, prepared, slow)
        return self._reader.values(path, decoded, slow)


def typed_reader(
    stream: str,
    schema: Mapping[str, Any],
    key_properties: Sequence[str],
    mapped: Iterable[tuple[PropertyPath, Any]],
    *,
    has_versions: bool,
) -> TypedReader | None:
    """Return the typed reader of a stream; None if there is none for its schema.

    Args:
        stream: What the tap calls the stream.
        schema: Its JSON schema.
        key_properties: The tap's key properties.
        mapped: The properties that are mapped, and the type of each; None if it has none.
        has_versions: Whether the versions of messages matter.
    """
    types: dict[tuple[str, ...], Any] = {}
    for path, kind in mapped:
        if kind is None or types.setdefault(path.segments, kind) != kind:
            return None  # or two columns want to decode a property differently
    for name in key_properties:
        types.setdefault((name,), decoded_type(types_in(schema, (name,)), is_used=False))
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
    return TypedReader(stream, _struct(fields), has_versions=has_versions)


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
        [(_attribute(name), *rest) for name, *rest in listed],
        rename={_attribute(name): name for name, *_ in listed},
        kw_only=True,
        gc=False,
        namespace=_HIDDEN,
    )


def _attribute(name: str) -> str:
    """Return the attribute that holds a property: names of any kind become Python's."""
    return f"p{name.encode().hex()}"


def _line_decoder(
    stream: str,
    record_type: Any,  # noqa: ANN401 - a type
    others: Iterable[str],
) -> Callable[[bytes], Any]:
    line = msgspec.defstruct(
        "Line",
        [
            ("stream", Literal[stream]),
            ("record", record_type),
            *((name, Any, None) for name in others),
        ],
        tag_field="type",
        tag="RECORD",
        gc=False,
        namespace=_HIDDEN,
    )
    return msgspec.json.Decoder(line, float_hook=Decimal).decode
