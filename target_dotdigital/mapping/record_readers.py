"""Readers of records on the fast path: they decode lines, and give a property's values of many.

A typed reader decodes nothing but what is mapped, and checks its types on the way. Where a decoder
cannot see to all that the schema demands of a property, or a stream map makes it, there is a record
of such properties alone. Where that is not enough, there is all of the record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from msgspec import UNSET
from msgspec.structs import astuple
from typing_extensions import override

from target_dotdigital.errors import RowRejectedError
from target_dotdigital.mapping.column_types import decoded_type
from target_dotdigital.mapping.record_types import (
    attribute_of,
    line_decoder,
    record_type,
    types_in,
)
from target_dotdigital.mapping.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from target_dotdigital.mapping.values import PropertyPath

MESSAGE_PARTS: Final = {"time_extracted": "_sdc_extracted_at", "version": "_sdc_table_version"}
"""Parts of messages, with the property of records that the SDK makes of each."""

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
        self.decode = line_decoder(stream, dict[str, Any], dict.fromkeys(MESSAGE_PARTS, Any))
        """Decodes a line; raises one of `UNREADABLE` if it has to go the slow way."""

    def records(self, lines: Sequence[Any], slow: set[int], filtered: set[int]) -> Any:  # noqa: ANN401 - for `values`
        """Return the records of lines, as `values` takes them.

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

    def values(self, path: PropertyPath, records: Any, slow: set[int]) -> list[Any]:  # noqa: ANN401 - see `records`
        """Return the values of a property; UNSET for each that is not there.

        Args:
            path: The property.
            records: What `records` has returned.
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

    def __init__(
        self,
        stream: str,
        record_type: Any,  # noqa: ANN401 - a type
        parts: Mapping[str, Any],
        of_messages: Mapping[str, str],
    ) -> None:
        """Make the decoder.

        Args:
            stream: What the tap calls the stream.
            record_type: As what a record is decoded.
            parts: What else of a message matters, and its types.
            of_messages: Properties that are made of such a part, and of which.
        """
        self.decode = line_decoder(stream, record_type, parts)
        self._names: tuple[str, ...] = record_type.__struct_fields__
        self._of_messages = of_messages

    @override
    def records(
        self, lines: Sequence[Any], slow: set[int], filtered: set[int]
    ) -> dict[str, Sequence[Any]]:
        columns = zip(*map(astuple, map(_record_of, lines)), strict=True)
        found: dict[str, Sequence[Any]] = dict(zip(self._names, columns, strict=bool(lines)))
        for name, part in self._of_messages.items():
            found[attribute_of(name)] = list(map(attrgetter(part), lines))
        return found

    @override
    def values(
        self, path: PropertyPath, records: dict[str, Sequence[Any]], slow: set[int]
    ) -> list[Any]:
        found = list(records.get(attribute_of(path.segments[0]), ()))
        for segment in path.segments[1:]:
            name = attribute_of(segment)
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
    parts: Mapping[str, str | None],
) -> TypedReader | None:
    """Return the typed reader of a stream; None if there is none for its schema.

    Args:
        stream: What the tap calls the stream.
        schema: Its JSON schema.
        key_properties: The tap's key properties.
        mapped: The properties that are mapped, and the type of each; None if it has none.
        parts: The parts of messages that matter, each with the property that is made of it.
    """
    types: dict[tuple[str, ...], Any] = {}
    for path, kind in mapped:
        if kind is None or types.setdefault(path.segments, kind) != kind:
            return None  # or two columns want to decode a property differently
    for name in key_properties:
        types.setdefault((name,), decoded_type(types_in(schema, (name,)), is_used=False))
    of_messages = {name: part for part, name in parts.items() if name is not None}
    kinds = dict.fromkeys(parts, Any)
    kinds |= {part: types.pop((name,), Any) for name, part in of_messages.items()}
    kind = record_type(schema, types, key_properties)
    if kind is None or None in kinds.values():
        return None
    return TypedReader(stream, kind, kinds, of_messages)
