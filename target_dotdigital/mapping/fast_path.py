"""The fast path of a stream: RECORD lines become contacts a column at a time.

Its decoder is made for the stream: it checks the types of the properties that are mapped, and skips
the others. Whatever it does not take, and whatever a column cannot convert, goes the slow way,
where one record at a time is decoded, checked and mapped. What comes out is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from itertools import compress, product, repeat
from operator import attrgetter, not_
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from target_dotdigital.mapping.column_conversions import Notes
from target_dotdigital.mapping.columns import normalised
from target_dotdigital.mapping.contacts import Contact
from target_dotdigital.mapping.values import DELETED_AT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_dotdigital.mapping.columns import Column, Columns
    from target_dotdigital.mapping.contact_mapping import ContactMapping
    from target_dotdigital.mapping.contacts import Row

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises for a line that is not for the fast path."""

_HIDDEN: Final[dict[str, Any]] = {"__repr__": lambda _self: "a record"}
"""Attributes of types that hold a record: their `repr` shows nothing of it."""

_record_of = attrgetter("record")
_encode_lines = msgspec.json.Encoder().encode_lines

Transform: TypeAlias = Callable[[dict[str, Any]], "dict[str, Any] | None"]
"""Makes the stream's record of the tap's, or None of one that is filtered out."""


class MappedLines(NamedTuple):
    """What lines have become."""

    contacts: list[Contact]
    """A contact for each line; at the places in `passed_over` it means nothing. Where only changes
    are sent, a contact for each place in `places`."""
    passed_over: Sequence[int]
    """In order, the places of lines that are filtered out, or have to go the slow way."""
    filtered: Collection[int]
    """The places of lines that a stream map filters out."""
    rounded: Mapping[str, int]
    """By data field, how many of the mapped lines hold a number that was rounded."""
    opted_out: Mapping[str, int]
    """By channel, how many of the mapped lines opt out of it."""
    places: Sequence[int] | None = None
    """In order, the places of lines that are sent; None if all are that are not passed over."""


class FastPath:
    """Decodes lines of one stream under one SCHEMA, and maps their records."""

    def __init__(
        self,
        stream: str,
        columns: Columns,
        mapping: ContactMapping,
        needed: Mapping[str, Any],
        transform: Transform | None,
    ) -> None:
        """Make the types that are decoded, and those that are encoded.

        Args:
            stream: What the tap calls the stream.
            columns: What is mapped.
            mapping: Tells what is sent for a contact's channels, and which lists it joins.
            needed: Properties that a record must have, mapped or not, and their types.
            transform: The stream map; None if there is none.
        """
        self._identifiers, self._fields, self._opt_outs = identifiers, fields, opt_outs = columns
        self._channels = _by_opt_outs([each.name for each in opt_outs], mapping)
        self._lists: object = UNSET if mapping.lists is None else mapping.lists
        self._transform = transform
        self._record_type, self._getters = _record_type((*identifiers, *fields, *opt_outs), needed)
        record: Any = self._record_type if transform is None else dict[str, Any]
        line = msgspec.defstruct(
            "Line",
            [("stream", Literal[stream]), ("record", record)],
            tag_field="type",
            tag="RECORD",
            gc=False,
            namespace=_HIDDEN,
        )
        self.decode = msgspec.json.Decoder(line, float_hook=Decimal).decode
        """Decodes a line; raises one of `UNREADABLE` if it has to go the slow way."""
        self._identifiers_type = _sent_type([each.name for each in identifiers])
        self._fields_type = _sent_type([each.name for each in fields])
        self._contact_type = _sent_type(
            ["identifiers", "dataFields", "channelProperties", "lists"],
            tag_field="matchIdentifier",
            tag=identifiers[0].name,
        )

    def map(
        self,
        lines: Sequence[Any],
        rows: Iterable[tuple[Row, ...]],
        are_unchanged: Callable[[list[bytes]], list[bool]] | None = None,
    ) -> MappedLines:
        """Map lines.

        Args:
            lines: What `decode` has returned for each.
            rows: The row that each stands for.
            are_unchanged: Returns for the JSON of each contact whether it need not be sent.
        """
        records = list(map(_record_of, lines))
        slow: set[int] = set()
        filtered: set[int] = set()
        if self._transform is not None:
            records = self._transformed(self._transform, records, slow, filtered)
        values = {path: list(map(get, records)) for path, get in self._getters.items()}
        rounded: dict[str, list[int]] = {each.name: [] for each in self._fields}
        identifiers = [
            each.convert(values[each.path], Notes(slow, [])) for each in self._identifiers
        ]
        fields = [
            each.convert(values[each.path], Notes(slow, rounded[each.name]))
            for each in self._fields
        ]
        opt_outs = [each.convert(values[each.path], Notes(slow, [])) for each in self._opt_outs]
        sent = map(
            self._contact_type,
            map(self._identifiers_type, *identifiers),
            self._data_fields(fields, len(records)),
            self._channel_properties(opt_outs),
            repeat(self._lists),
        )
        try:
            bodies = _encode_lines(list(sent)).splitlines()
        except UnicodeEncodeError:  # an expression has made half a surrogate pair
            return MappedLines([], range(len(records)), filtered, {}, {})
        others_way = slow | filtered
        rounded_rows = {name: len(set(places) - others_way) for name, places in rounded.items()}
        opted_out = {
            each.name: sum(column) - sum(column[place] for place in others_way)
            for each, column in zip(self._opt_outs, opt_outs, strict=True)
        }
        passed_over = sorted(others_way)
        places = None
        if are_unchanged is not None:
            is_left = are_unchanged(bodies)
            for place in passed_over:
                is_left[place] = True
            is_sent = list(map(not_, is_left))
            places = list(compress(range(len(bodies)), is_sent))
            rounded_rows = {name: len({*places} & {*rows}) for name, rows in rounded.items()}
            opted_out = {
                each.name: sum(compress(column, is_sent))
                for each, column in zip(self._opt_outs, opt_outs, strict=True)
            }
            identifiers = [list(compress(values, is_sent)) for values in identifiers]
            bodies, rows = list(compress(bodies, is_sent)), compress(rows, is_sent)
        keys, *others = map(normalised, (each.name for each in self._identifiers), identifiers)
        contacts = list(map(Contact, keys, _together(others), bodies, rows))
        return MappedLines(contacts, passed_over, filtered, rounded_rows, opted_out, places)

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

    def _channel_properties(self, opt_outs: list[list[bool]]) -> Iterable[object]:
        """Return what is sent for the channels of each contact; UNSET if that is nothing."""
        if not opt_outs:
            return repeat(self._channels[()])
        return map(self._channels.__getitem__, zip(*opt_outs, strict=True))

    def _data_fields(self, columns: list[list[Any]], length: int) -> Iterable[object]:
        """Return the data fields of each record; UNSET for one that has none."""
        if not columns:
            return repeat(UNSET, length)
        found = list(map(self._fields_type, *columns))
        if all(UNSET in column for column in columns):
            nothing = self._fields_type()
            return [UNSET if each == nothing else each for each in found]
        return found


def _by_opt_outs(names: Sequence[str], mapping: ContactMapping) -> dict[tuple[bool, ...], object]:
    """Return what is sent for a contact's channels, by whether it has opted out of each."""
    found: dict[tuple[bool, ...], object] = {}
    for flags in product((False, True), repeat=len(names)):
        sent = mapping.channel_properties(
            [name for name, flag in zip(names, flags, strict=True) if flag]
        )
        found[flags] = msgspec.Raw(msgspec.json.encode(sent)) if sent else UNSET
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
        "Record", fields, rename=renamed, kw_only=True, gc=False, namespace=_HIDDEN
    )
    return record, getters


def _sent_type(names: Iterable[str], **tag: Any) -> type[msgspec.Struct]:
    """Return the type of an object that is sent: what is UNSET in it is left out."""
    renamed = {f"p{number}": name for number, name in enumerate(names)}
    fields = [(field, Any, UNSET) for field in renamed]
    return msgspec.defstruct("Sent", fields, rename=renamed, gc=False, namespace=_HIDDEN, **tag)
