"""The sink: rows of one stream under one SCHEMA, which become contacts for the run's intake."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import InvalidJSONSchema
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.sinks import BatchSink
from singer_sdk.target_base import Target
from typing_extensions import override

from target_dotdigital.damaged_lines import DamagedRecord
from target_dotdigital.errors import RowRejectedError, SettingsError
from target_dotdigital.fingerprints import terms_of
from target_dotdigital.loading import ACCOUNT
from target_dotdigital.mapping import (
    MESSAGE_PARTS,
    NOTHING_MADE,
    ContactMapping,
    Lines,
    OwnSource,
    RecordValidator,
    Row,
    build_fast_path,
    identities_in,
    is_deleted,
    used_in,
)
from target_dotdigital.run import FastRows, Loading
from target_dotdigital.settings import NO_ADDRESS_BOOK
from target_dotdigital.singer import check_damage, mapped_record, preparation, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from singer_sdk.mapper import StreamMap

    from target_dotdigital.fingerprints import StreamFingerprints
    from target_dotdigital.mapping import IdentitySet
    from target_dotdigital.mirror import IdentityStore
    from target_dotdigital.run import Intake


class SinkTarget(Target):
    """A target as its sinks know it."""

    @property
    def intake(self) -> Intake:
        """What takes the rows."""
        raise NotImplementedError


class ContactSink(BatchSink):
    """One stream under one SCHEMA: loaded as contacts, or skipped."""

    def __init__(
        self,
        target: SinkTarget,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        """Decide whether the stream is loaded, and compile how.

        Args:
            target: The target.
            stream_name: The stream's name after stream maps.
            schema: Its JSON schema, after stream maps.
            key_properties: The tap's key properties.

        Raises:
            TargetDotdigitalError: The settings do not fit the schema or the account.
        """
        self._intake = target.intake
        self._counts = self._intake.counts(stream_name)
        # One for all rows whose lines need not be kept: there are many of them in memory.
        self._bare_rows = (Row(self._counts, None, None),)
        self._settings, reason = settings_of(self._intake.settings, stream_name, schema)
        self._intake.note_settings(self._counts, reason)
        self._leaving: int | None = None
        self._mirror: IdentityStore | None = None
        self._fingerprints: StreamFingerprints | None = None
        super().__init__(target, stream_name, schema, key_properties)
        self._row_validator: RecordValidator | None = None
        self._keys = frozenset(self.key_properties)
        self._mapping = self._compile()
        names = [*self.schema.get("properties", ()), *self._names_in_use()]
        self._own_metadata = tuple(filter(_is_metadata, names))
        if self._mapping is not None:
            self._intake.note_loading(self._counts)

    def _compile(self) -> ContactMapping | None:
        if self._settings is None:
            return None
        settings, schema = self._settings, self.schema
        if not settings.has_address_book:
            raise SettingsError(f"Stream '{self.stream_name}': {NO_ADDRESS_BOOK}")
        account = self._intake.account
        try:
            missing = account.missing_fields(self.stream_name, settings, schema)
            # Compiled once for its checks: nothing is created if the settings do not fit.
            mapping = ContactMapping(settings, schema, {**account.data_fields, **missing}, None)
            self._check_schema(mapping)
            account.create_fields(self.stream_name, missing)
            address_book_id = account.address_book_id(settings.address_book)
            self._counts.note_address_book(address_book_id)
            self._mirror = self._intake.mirrors.register(self.stream_name, address_book_id)
            self._leaving = {"remove": address_book_id, "delete": ACCOUNT}.get(settings.on_delete)
            mapping = ContactMapping(
                settings, schema, account.data_fields, address_book_id, self._find_row_book
            )
        except SettingsError as error:
            raise SettingsError(f"Stream '{self.stream_name}': {error.message}") from None
        mapping.held_opt_outs = self._intake.held_opt_outs
        terms = terms_of(
            settings,
            mapping,
            address_book_id,
            is_mirrored=bool(self._intake.mirrors),
            schema=[schema, list(self.key_properties)],
        )
        self._fingerprints = self._intake.fingerprints_of(
            self._counts, terms, address_book_id, has_new_fields=bool(missing)
        )
        return mapping

    def _check_schema(self, mapping: ContactMapping) -> None:
        """Compile what the schema says of all that is mapped: before anything is created."""
        known = self.original_schema["properties"]
        lacking = [f"'{name}'" for name in self.key_properties if name not in known]
        if lacking:
            raise InvalidJSONSchema(
                f"Stream '{self.stream_name}': the schema lacks the tap's key_properties "
                f"{', '.join(lacking)}. Correct the tap's SCHEMA"
            )
        if self.validate_schema:
            used = used_in([*mapping.paths, *((name,) for name in self.key_properties)])
            self._row_validator = RecordValidator(self.stream_name, self.schema, used)

    def _names_in_use(self) -> list[str]:
        """Return the properties that matter: keys, required ones, and those that are mapped."""
        required = self.schema.get("required")
        names = [*self.key_properties, *(required if isinstance(required, list) else ())]
        return names + [path[0] for path in (self._mapping.paths if self._mapping else ())]

    @override
    def _remove_sdc_metadata_from_schema(self) -> None:
        """Leave what the tap declares: it can be mapped like any other property."""

    @override
    def _remove_sdc_metadata_from_record(self, record: dict[str, Any]) -> None:
        own = {name: record[name] for name in self._own_metadata if name in record}
        super()._remove_sdc_metadata_from_record(record)
        record.update(own)

    @override
    def get_validator(self) -> RecordValidator | None:
        return None  # made once it is known what the stream's settings map

    def receive(self, message: dict[str, Any], line: bytes, stream_map: StreamMap) -> None:
        """Take a RECORD message: it becomes a contact, a reject, or is skipped.

        Args:
            message: The message.
            line: The message as it was read.
            stream_map: What turns its record into one of this stream.

        Raises:
            TargetDotdigitalError: The run cannot go on.
        """
        counts = self._counts
        self._count_read(1)
        if self._mapping is None or self._settings is None:
            counts.skipped += 1
            return
        identity_set = None
        if self._mirror is not None:
            identity_set = self._mirror.identity_set(message.get("version"), self._intake.position)
        rows = self._rows(line, identity_set)
        raw, record = message["record"], None
        try:
            record = self._transformed(raw, stream_map)
            if record is None:
                counts.note_filtered()
                return
            # Flattening would take an object apart that stands where a mark should be.
            has_mark = is_deleted(raw if isinstance(stream_map, SameRecordTransform) else record)
            self._add_metadata(record, message)
            if has_mark:
                self._leave(record, rows)
            else:
                self._send(record, rows)
        except RowRejectedError as error:
            if identity_set is not None:
                self._hold_rejected(identity_set, raw, record)
            self._intake.reject(rows[0], error)

    def open_fast_path(self, stream: str, stream_map: StreamMap) -> FastRows | None:
        """Return what takes messages on the fast path; None if nothing does.

        Args:
            stream: What the tap calls the stream.
            stream_map: What turns its records into this stream's.
        """
        if (mapping := self._mapping) is None or self._settings is None:
            return None
        has_metadata = self.include_sdc_metadata_properties
        add = partial(self._add_sdc_metadata_to_record, context={}) if has_metadata else None
        prepare, made = preparation(stream_map, self.config, stream, add, self._may_fit)
        added = set(filter(_is_metadata, self._names_in_use() if has_metadata else ()))
        # A stream map reads and makes the tap's own ones, not what is put in their place later.
        own = {*MESSAGE_PARTS.values()} if has_metadata else set()
        if made is not None and not (added <= own and own.isdisjoint({*made.names, *made.read})):
            made = None
        parts = MESSAGE_PARTS if has_metadata else {"version": None} if self._mirror else {}
        lines = Lines(
            stream, self.schema, self.key_properties, prepare, made, self._row_validator, parts
        )
        if (fast_path := build_fast_path(lines, mapping)) is None:
            return None
        loading = Loading(
            mapping,
            self._counts,
            self._count_read,
            self._settings.merge_option,
            self._mirror,
            self._identity_sets if mapping.address_books and self._intake.mirrors else None,
        )
        rows = FastRows(self._intake, fast_path, loading)
        if self._fingerprints is not None:
            # Lines are compared without the times that the SDK makes properties of.
            by_line = made == NOTHING_MADE and not added and not mapping.address_books
            rows.compare_with(self._fingerprints, by_line=by_line)
        return rows

    def _may_fit(self, record: dict[str, Any]) -> bool:
        """Return whether a record is as its schema says; if not, `_check` has the last word."""
        validator = self._row_validator
        return self._keys <= record.keys() and (validator is None or validator.may_fit(record))

    def _count_read(self, count: int) -> None:
        self._counts.read += count
        self.tally_record_read(count)
        self.record_counter_metric.increment(count)

    def _leave(self, record: dict[str, Any], rows: tuple[Row]) -> None:
        """Take a row that is marked as deleted: its contact leaves, if the settings say so."""
        if self._mapping is None:
            raise AssertionError
        if self._leaving is None:
            self._counts.note_ignored()
            return
        # Of a deleted row the tap may know no more than what it is known by: the schema's
        # other properties are not asked for.
        try:
            contact = self._mapping.leaver(record)
        except RowRejectedError as error:
            if error.code == "delete.unidentified":
                path = self._mapping.identifiers[0].path.name
                self._intake.warnings.unidentified(self.stream_name, path)
            raise
        contact.source = OwnSource(contact.body, rows)
        self._intake.leave(contact, self._leaving)

    def _send(self, record: dict[str, Any], rows: tuple[Row]) -> None:
        """Hand the contact of a record over to the run."""
        if self._mapping is None or self._settings is None:
            raise AssertionError
        self._check(record)
        contact = self._mapping.contact(record)
        rounded, opted_out = Counter(self._mapping.rounded), Counter(self._mapping.opted_out)
        sets: Sequence[IdentitySet] = [each for each in (rows[0].identity_set,) if each is not None]
        if not sets and self._mapping.address_books is not None:
            sets = self._identity_sets(self._mapping.row_books)
        rows = (rows[0]._replace(identity_set=sets[0]),) if sets else rows
        contact.source = OwnSource(contact.body, rows)
        for identity_set in sets:
            identity_set.add_all(contact.identities)
        if self._intake.add(contact, self._settings.merge_option):
            self._counts.note_mapped(rounded, opted_out)

    def _check(self, record: dict[str, Any]) -> None:
        """Reject a record that is not as its schema says."""
        for name in self.key_properties:
            if name not in record:
                reason = f"The tap's key property '{name}' is missing"
                raise RowRejectedError("record.invalid", reason, property=name, rule="required")
        if self._row_validator is not None:
            self._row_validator.validate(record)

    def _find_row_book(self, named: str | int) -> int:
        found = self._intake.account.row_address_book_id(named)
        self._counts.note_address_book(found)
        return found

    def _identity_sets(self, address_book_ids: Iterable[int]) -> Sequence[IdentitySet]:
        """Return what holds the contacts of address books: another stream may mirror them."""
        mirrors, position = self._intake.mirrors, self._intake.position
        entered = (mirrors.register(self.stream_name, each) for each in address_book_ids)
        return [each.identity_set(None, position) for each in entered if each is not None]

    def _rows(self, line: bytes, identity_set: IdentitySet | None) -> tuple[Row]:
        """Return the row that a line is, as a contact keeps it."""
        if self._intake.keeps_rejects:
            schema = self._intake.schema_lines[self.stream_name]
            return (Row(self._counts, line, schema, identity_set, self._counts.read),)
        if self._bare_rows[0].identity_set is not identity_set:
            self._bare_rows = (Row(self._counts, None, None, identity_set),)
        return self._bare_rows

    def _hold_rejected(
        self, identity_set: IdentitySet, raw: object, record: dict[str, Any] | None
    ) -> None:
        """Hold whom a rejected row is about, as far as it tells: they are in the source."""
        if self._mapping is None:
            return
        if record is not None:
            identities: Iterable[str] = self._mapping.raw_identities(record)
        else:  # its stream map fails: nothing in it has its place
            identities = identities_in(raw, [each.identity for each in self._mapping.identifiers])
        identity_set.add_all(list(identities))

    def _transformed(self, raw: object, stream_map: StreamMap) -> dict[str, Any] | None:
        """Apply the stream map; None if the row is filtered out."""
        if isinstance(raw, DamagedRecord):
            used = {path[0] for path in (self._mapping.paths if self._mapping is not None else ())}
            check_damage(raw, stream_map, used, str(self.config.get("stream_maps")))
        return mapped_record(raw, stream_map, deletions_count=self._leaving is not None)

    def _add_metadata(self, record: dict[str, Any], message: dict[str, Any]) -> None:
        """Add the SDK's own properties, or take them away, as `add_record_metadata` says."""
        if self.include_sdc_metadata_properties:
            self._add_sdc_metadata_to_record(record, message, {})
        else:
            self._remove_sdc_metadata_from_record(record)

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        raise NotImplementedError  # rows come through `receive`

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Do nothing: the run sends imports when they are full, old, or the input has ended."""


def _is_metadata(name: object) -> bool:
    return isinstance(name, str) and name.startswith("_sdc_")
