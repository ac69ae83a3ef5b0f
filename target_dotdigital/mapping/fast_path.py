"""The fast path of a stream: RECORD lines become contacts a column at a time.

What a reader does not take, and what a column cannot convert, goes the slow way, where one record
at a time is decoded, checked and mapped. What comes out is the same.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import compress, count, repeat
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, Raw

from target_dotdigital.mapping.column_conversions import Notes
from target_dotdigital.mapping.columns import columns_of
from target_dotdigital.mapping.contacts import Contact
from target_dotdigital.mapping.record_readers import (
    MappedReader,
    RecordReader,
    typed_reader,
)
from target_dotdigital.mapping.record_types import can_decode, types_in
from target_dotdigital.mapping.values import PropertyPath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_dotdigital.mapping.column_conversions import Values
    from target_dotdigital.mapping.column_types import PlainTypes
    from target_dotdigital.mapping.columns import Column, Columns
    from target_dotdigital.mapping.contact_mapping import ContactMapping
    from target_dotdigital.mapping.contacts import Block
    from target_dotdigital.mapping.record_readers import MadeProperties, Prepare
    from target_dotdigital.mapping.schemas import RecordValidator

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError)
"""What a decoder raises for a line that is not for the fast path."""

SENT, UNCHANGED, FILTERED, SLOW = b"sufl"
"""What becomes of a line: a contact, nothing for one of two reasons, or it goes the slow way."""

_IS_SENT: Final = bytes(kind == SENT for kind in range(256))

_MAX_CACHED: Final = 10_000

_NO_FIELDS: Final = b',"dataFields":{}'
"""What is left out. In a text it would have other quotes."""

_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines


class Lines(NamedTuple):
    """What is known of a stream's lines."""

    stream: str
    """What the tap calls the stream."""
    schema: Mapping[str, Any]
    """Its JSON schema, after stream maps."""
    key_properties: Sequence[str]
    """The tap's key properties."""
    prepare: Prepare
    """Makes the stream's record of a line, and checks it."""
    made: MadeProperties | None
    """What is made to that end; None if that may be of any property."""
    validator: RecordValidator | None
    """What checks it; None if nothing does."""
    parts: Mapping[str, str | None]
    """The parts of messages that matter beside records, each with the property made of it."""


class MappedLines(NamedTuple):
    """What lines have become."""

    kinds: bytearray
    """For each line one of `SENT`, `UNCHANGED`, `FILTERED` and `SLOW`."""
    contacts: list[Contact]
    """Of the lines that are sent."""
    lists: list[list[int]]
    """The address books that the rows of these name, if they name any."""
    rounded: Mapping[str, list[int]]
    """By data field, the places of lines that hold a number that was rounded."""
    opted_out: Mapping[str, list[bool]]
    """By channel, for each line whether it opts out of it."""


class FastPath:
    """Decodes lines of one stream under one SCHEMA, and maps their records."""

    def __init__(self, reader: RecordReader, columns: Columns, mapping: ContactMapping) -> None:
        """Make the types that are encoded.

        Args:
            reader: Decodes lines.
            columns: What is mapped.
            mapping: Tells what is sent for a contact's channels, and which lists it joins.
        """
        self._reader = reader
        self._columns = columns
        self.decode = reader.decode
        """Decodes a line; raises one of `UNREADABLE` if it has to go the slow way."""
        channels = [each.name for each in columns.opt_outs]
        preferences = [int(each.name) for each in columns.preferences]
        self._channels = _Encoded(
            lambda flags: mapping.channel_properties(
                [name for name, flag in zip(channels, flags, strict=True) if flag]
            )
        )
        self._preferences = _Encoded(
            lambda values: [
                {"id": number, "isOptedIn": value}
                for number, value in zip(preferences, values, strict=True)
                if value is not UNSET
            ]
        )
        self._places: list[int] = []
        """The same numbers for each block: as objects, they are as large as a contact."""
        self._lists: object = UNSET if mapping.lists is None else Raw(_encode(mapping.lists))
        self._identifiers = _sent_type(each.name for each in columns.identifiers)
        self._fields = _sent_type(each.name for each in columns.fields)
        self._consent = _sent_type(each.name for each in columns.consent)
        self._contact = _sent_type(
            (
                "identifiers",
                "dataFields",
                "preferences",
                "consentRecords",
                "channelProperties",
                "lists",
            ),
            tag_field="matchIdentifier",
            tag=columns.identifiers[0].name,
        )

    def map(
        self,
        lines: Sequence[Any],
        block: Block,
        are_unchanged: Callable[[list[bytes]], list[bool]] | None = None,
    ) -> MappedLines:
        """Map lines.

        Args:
            lines: What `decode` has returned for each.
            block: The rows that they stand for. It takes their JSON.
            are_unchanged: Returns for the JSON of each contact whether it need not be sent.
        """
        slow: set[int] = set()
        filtered: set[int] = set()
        rounded: dict[str, list[int]] = defaultdict(list)
        records = self._reader.records(lines, slow, filtered)

        def converted(columns: Iterable[Column]) -> list[Values]:
            return [
                each.convert(
                    self._reader.values(each.path, records, slow), Notes(slow, rounded[each.name])
                )
                for each in columns
            ]

        groups = list(map(converted, self._columns))
        identifiers, *_, opt_outs, books = groups
        encoded = self._encoded(groups, slow, len(lines))
        block.fill(encoded, len(lines))
        kinds = bytearray((SENT,)) * len(lines)
        for kind, places in ((SLOW, slow), (FILTERED, filtered)):
            for place in places:
                kinds[place] = kind
        if are_unchanged is not None:
            bodies = encoded.split(b"\n")[:-1]
            for place in slow | filtered if bodies else ():
                bodies[place] = b""  # not what would be sent
            for place in compress(count(), are_unchanged(bodies)):
                kinds[place] = UNCHANGED
        are_sent = kinds.translate(_IS_SENT)
        if not all(are_sent):
            identifiers = [list(compress(values, are_sent)) for values in identifiers]
            books = [list(compress(values, are_sent)) for values in books]
        contacts = self._contacts(identifiers, are_sent, block)
        names = (each.name for each in self._columns.opt_outs)
        opted_out = dict(zip(names, opt_outs, strict=True))
        return MappedLines(kinds, contacts, books[0] if books else [], rounded, opted_out)

    def _encoded(self, groups: list[list[Values]], slow: set[int], number: int) -> bytes:
        """Return the JSON of so many contacts, a line for each; nothing if they have none."""
        identifiers, fields, preferences, consent, opt_outs, books = groups
        sent = map(
            self._contact,
            map(self._identifiers, *identifiers),
            map(self._fields, *fields) if fields else repeat(UNSET),
            self._preferences.of(preferences),
            _consents(self._consent, consent, slow),
            self._channels.of(opt_outs),
            books[0] if books else repeat(self._lists),
        )
        try:
            encoded = _encode_lines(list(sent))
        except UnicodeEncodeError:  # an expression has made half a surrogate pair
            slow.update(range(number))
            return b""
        if fields and all(UNSET in column for column in fields):
            return encoded.replace(_NO_FIELDS, b"")
        return encoded

    def _contacts(
        self, identifiers: list[Values], are_sent: bytearray, block: Block
    ) -> list[Contact]:
        """Return the contacts of the lines that are sent; these have the identifiers."""
        self._places.extend(range(len(self._places), len(are_sent)))
        places = compress(self._places, are_sent)
        keys, *others = [
            ["" if value is UNSET else f"{each.name}:{value}" for value in values]
            for each, values in zip(self._columns.identifiers, identifiers, strict=True)
        ]
        return list(map(Contact, keys, _together(others), repeat(block), places))


def build_fast_path(lines: Lines, mapping: ContactMapping) -> FastPath | None:
    """Return the fast path of a stream; None if no decoder can be made for one of its names.

    Args:
        lines: What is known of the stream's lines.
        mapping: How its records are mapped.
    """
    unknown: set[str] = set()

    def types_of(path: PropertyPath) -> PlainTypes | None:
        is_unknown = path.segments[0] in unknown
        return None if is_unknown else types_in(lines.schema, path.segments)

    mapped, keeps_empty = mapping.mapped, mapping.keeps_empty
    columns = columns_of(mapped, types_of, keeps_empty=keeps_empty)
    listed = [each for group in columns for each in group]
    if not can_decode((lines.stream, *(each.name for each in listed))):
        return None
    if lines.made is not None:
        # What no decoder can check is a record of its own, which is checked as others are.
        unchecked = [each.path for each in listed if each.type is None]
        unknown.update(path.name for path in unchecked if len(path.segments) == 1)
        keys = lines.key_properties
        unknown.update(name for name in keys if types_in(lines.schema, (name,)) is None)
        unknown.update(lines.made.names, lines.made.read)
        unknown.difference_update(filter(None, lines.parts.values()))
        columns = columns_of(mapped, types_of, keeps_empty=keeps_empty)
        reader = _reader(lines, lines.made, columns, unknown)
        if reader is not None:
            return FastPath(reader, columns, mapping)
    columns = columns_of(mapped, lambda _: None, keeps_empty=keeps_empty)
    return FastPath(RecordReader(lines.stream, lines.prepare), columns, mapping)


def _reader(
    lines: Lines, made: MadeProperties, columns: Columns, unknown: set[str]
) -> RecordReader | None:
    """Return what decodes lines as typed ones; None if there is nothing.

    Args:
        lines: What is known of the stream's lines.
        made: What is made of their records.
        columns: What is mapped.
        unknown: The properties that no decoder can check.
    """
    types = [(each.path, each.type) for group in columns for each in group]
    types = [(path, kind) for path, kind in types if path.name not in unknown]
    read = [PropertyPath(each, (each,)) for each in unknown.difference(made.names).union(made.read)]
    reader = typed_reader(
        lines.stream,
        lines.schema,
        [each for each in lines.key_properties if each not in made.names],
        [*types, *((path, Any) for path in read)],
        lines.parts,
    )
    if reader is None or not unknown:
        return reader
    fits = None if lines.validator is None else lines.validator.of(unknown).may_fit

    def prepare(record: dict[str, Any]) -> dict[str, Any] | None:
        prepared = made.make(record)
        if prepared is None or fits is None or fits(prepared):
            return prepared
        raise LookupError

    return MappedReader(reader, read, unknown, prepare)


class _Encoded(dict["tuple[Any, ...]", object]):
    """The JSON of what few values make, by these. UNSET: nothing is sent for them."""

    def __init__(self, make: Callable[[tuple[Any, ...]], object]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: tuple[Any, ...]) -> object:
        if len(self) >= _MAX_CACHED:
            self.clear()
        made = self._make(key)
        found = self[key] = Raw(_encode(made)) if made else UNSET
        return found

    def of(self, columns: list[Values]) -> Iterable[object]:
        """Return what is sent for each record."""
        if not columns:
            return repeat(self[()])
        return map(self.__getitem__, zip(*columns, strict=True))


def _consents(
    kind: type[msgspec.Struct], columns: list[Values], slow: set[int]
) -> Iterable[object]:
    """Return each record's consents; UNSET for one that has none. Incomplete ones need a look."""
    if not columns:
        return repeat(UNSET)
    found: list[object] = list(zip(map(kind, *columns)))
    if any(UNSET in column for column in columns):
        for place, parts in enumerate(zip(*columns, strict=True)):
            if UNSET in parts:
                found[place] = UNSET
                if set(parts) != {UNSET}:
                    slow.add(place)
    return found


def _together(others: list[list[str]]) -> Iterable[tuple[str, ...]]:
    """Return the other identities of each contact."""
    if not others:
        return repeat(())
    return (tuple(filter(None, each)) for each in zip(*others, strict=True))


def _sent_type(names: Iterable[str], **tag: Any) -> type[msgspec.Struct]:
    """Return the type of an object that is sent: what is UNSET in it is left out."""
    renamed = {f"p{number}": name for number, name in enumerate(names)}
    fields = [(field, Any, UNSET) for field in renamed]
    hidden = {"__repr__": lambda _self: "a record"}
    return msgspec.defstruct("Sent", fields, rename=renamed, gc=False, namespace=hidden, **tag)
