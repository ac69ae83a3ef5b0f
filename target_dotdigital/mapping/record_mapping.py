"""From a stream's records to contacts: settings, schema and data fields compiled once a SCHEMA."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from target_dotdigital.errors import DotdigitalError, RowRejectedError, SettingsError
from target_dotdigital.mapping.consent import Consent, Preferences
from target_dotdigital.mapping.contacts import Contact, checker, normalise
from target_dotdigital.mapping.paths import ABSENT, Source
from target_dotdigital.mapping.row_address_books import RowAddressBooks
from target_dotdigital.mapping.schemas import lack
from target_dotdigital.mapping.values import DATA_FIELD_TYPES, Rounded, converter
from target_dotdigital.near_misses import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from target_dotdigital.mapping.values import Sendable
    from target_dotdigital.settings import StreamSettings

_encode = msgspec.json.Encoder().encode


def comparable(name: str) -> str:
    """Return a name's letters and digits, in lower case: what names are compared by.

    Args:
        name: A property, a data field or an identifier.
    """
    return "".join(character for character in name.casefold() if character.isalnum())


def unknown_fields(settings: StreamSettings, data_fields: Mapping[str, str]) -> list[str]:
    """Return the mapped data fields that the account lacks.

    Args:
        settings: A stream's settings.
        data_fields: The account's data fields: name to type.
    """
    known = {name.lower() for name in data_fields}
    return [field for field in settings.fields or {} if field.lower() not in known]


def no_data_field(field: str, data_fields: Iterable[str]) -> str:
    """Return that the account lacks a data field, with the name that is probably meant.

    Args:
        field: The data field, as the settings name it.
        data_fields: The account's data fields.
    """
    return f"The account has no data field '{field}'.{did_you_mean(field, data_fields)}"


class IdentifierSource(NamedTuple):
    """Where an identifier comes from."""

    name: str
    source: Source
    check: Callable[[object], str | int]
    """Returns what is sent for a value that is not empty; raises `RowRejectedError`."""

    def identity(self, value: object) -> str:
        """Return the normalised identifier that a value is, or that it may be if it is not valid.

        Args:
            value: What a record holds.
        """
        with suppress(RowRejectedError):
            value = self.check(value)
        return normalise(self.name, value)


class FieldSource(NamedTuple):
    """Where a data field comes from."""

    name: str
    source: Source
    type: str
    convert: Callable[[object], Sendable | Rounded]
    """Returns what is sent for a value that is not None; raises `RowRejectedError`."""


class ContactMapping:
    """The compiled function record → contact of one stream and one version of its SCHEMA."""

    def __init__(
        self,
        settings: StreamSettings,
        schema: Mapping[str, Any],
        data_fields: Mapping[str, str],
        address_book_id: int | None,
        find_address_book: Callable[[str | int], int] | None = None,
    ) -> None:
        """Compile the mapping.

        Args:
            settings: The stream's settings.
            schema: The stream's JSON schema, after stream maps.
            data_fields: The account's data fields: name to type.
            address_book_id: The list that the contacts join.
            find_address_book: Returns the ID of an address book that a row names, by its ID or
                name. It raises `UnfitError` if a contact cannot join it.

        Raises:
            SettingsError: The settings do not fit the schema or the account; all of it at once.
            DotdigitalError: A mapped data field has a type that nobody has documented.
        """
        self._schema = schema
        self._properties: Mapping[str, Any] = schema.get("properties", {})
        self._problems: list[str] = []
        self._settings = settings
        self._match_identifier = settings.match_identifier
        self.identifiers = self._compile_identifiers()
        """Where the identifiers come from, the matching one first."""
        self.fields = self._compile_fields(data_fields)
        """Where the data fields come from."""
        self._preferences = self._compile_preferences()
        self._consent = self._compile_consent()
        self._address_books = self._compile_address_books(find_address_book)
        self.constants = _constants(settings, address_book_id)
        """What is the same in every contact, beside the match identifier's name."""
        self.rounded: list[str] = []
        """The data fields of the last contact whose numbers were rounded."""
        if self._problems:
            raise SettingsError("; ".join(self._problems))

    @property
    def paths(self) -> list[tuple[str, ...]]:
        """Where in a record the values are that a contact is made of."""
        sources = [each.source for each in self.identifiers]
        sources += [each.source for each in self.fields]
        sources += [source for _, source in self._preferences.sources]
        if self._consent is not None:
            sources += self._consent.sources.values()
        if self._address_books is not None:
            sources.append(self._address_books.source)
        return [each.segments for each in sources]

    @property
    def keeps_empty(self) -> bool:
        """Whether nulls and empty texts are sent: they change nothing, or must not, otherwise."""
        return self._settings.merge_option == "overwrite"

    @property
    def is_plain(self) -> bool:
        """Whether a contact holds identifiers, data fields and `constants`, and nothing else."""
        return not self._preferences.sources and self._consent is None and not self._address_books

    def contact(self, record: Mapping[str, Any]) -> Contact:
        """Map a record.

        Args:
            record: The record, after stream maps.

        Returns:
            The contact, without its rows.

        Raises:
            RowRejectedError: The record cannot become a contact.
        """
        identifiers = self._read_identifiers(record)
        identities = [normalise(name, value) for name, value in identifiers.items()]
        contact: dict[str, object] = {
            "matchIdentifier": self._match_identifier,
            "identifiers": identifiers,
        }
        if data_fields := self._read_fields(record):
            contact["dataFields"] = data_fields
        if preferences := self._preferences.read(record):
            contact["preferences"] = preferences
        if self._consent is not None and (consent := self._consent.read(record)):
            contact["consentRecords"] = [consent]
        contact.update(self.constants)
        if self._address_books is not None:
            # Last: of a row that is rejected anyway, no address book needs to be looked up.
            contact["lists"] = self._address_books.read(record)
        try:
            body = _encode(contact)
        except UnicodeEncodeError:
            raise RowRejectedError(
                "field.type",
                "a mapped text is no valid Unicode (it holds half a surrogate pair)",
                rule="Unicode",
            ) from None
        return Contact(identities[0], tuple(identities[1:]), body)

    def leaver(self, record: Mapping[str, Any]) -> Contact:
        """Map a record of somebody who leaves: only who that is matters.

        Args:
            record: The record, after stream maps. It may hold little more than an identifier.

        Returns:
            The contact, without its rows. Its JSON is an object with the match identifier alone.

        Raises:
            RowRejectedError: The record does not tell who leaves.
        """
        name, source, check = self.identifiers[0]
        value = source.read(record)
        if _is_empty(value):
            reason = f"a deleted row lacks the match identifier: property '{source.path}' is empty"
            raise RowRejectedError("delete.unidentified", reason, property=source.path)
        checked = check(value)
        key = normalise(name, checked)
        others = dict.fromkeys(self.raw_identities(record))
        others.pop(key, None)
        try:
            return Contact(key, tuple(others), _encode({name: checked}))
        except UnicodeEncodeError:
            raise RowRejectedError(
                "identifier.invalid",
                f"property '{source.path}' is no valid Unicode",
                property=source.path,
                rule="Unicode",
            ) from None

    def raw_identities(self, record: Mapping[str, Any]) -> list[str]:
        """Return what can be read of a record's identifiers, whether they are valid or not.

        Args:
            record: The record, after stream maps.
        """
        found = []
        for each in self.identifiers:
            try:
                value = each.source.read(record)
            except RowRejectedError:
                continue
            if not (_is_empty(value) or isinstance(value, (dict, list))):
                found.append(each.identity(value))
        return found

    def _read_identifiers(self, record: Mapping[str, Any]) -> dict[str, str | int]:
        """Return the identifiers, the matching one first; others that are null are left out."""
        found: dict[str, str | int] = {}
        for name, source, check in self.identifiers:
            value = source.read(record)
            if _is_empty(value):
                if name == self._match_identifier:
                    raise RowRejectedError(
                        "identifier.missing",
                        f"property '{source.path}' is empty",
                        property=source.path,
                    )
                continue
            found[name] = check(value)
        return found

    def _read_fields(self, record: Mapping[str, Any]) -> dict[str, Sendable | None]:
        keeps_empty = self.keeps_empty
        self.rounded = []
        found: dict[str, Sendable | None] = {}
        for name, source, _, convert in self.fields:
            value = source.read(record)
            if value is ABSENT:
                continue
            if not keeps_empty and (value is None or value == ""):
                continue
            sent = None if value is None else convert(value)
            if isinstance(sent, Rounded):
                self.rounded.append(name)
                sent = sent.sent
            if keeps_empty or sent != "":
                found[name] = sent
        return found

    def _compile_identifiers(self) -> list[IdentifierSource]:
        match = self._match_identifier
        wanted = self._settings.identifiers
        if wanted is None:
            wanted = {match: match_property(match, self._properties) or ""}
        ordered = {match: wanted[match], **wanted}
        compiled = []
        for name, path in ordered.items():
            why = lack(self._schema, path) if path else ""
            if why is None:
                source = Source.of(path, self._properties)
                check = checker(name, path, self._settings.mobile_country)
                compiled.append(IdentifierSource(name, source, check))
            else:
                what = f"no property '{path}'" if path else "no property"
                hint = why or self._meant(path or name)
                self._problems.append(f"the schema has {what} for the identifier '{name}'{hint}")
        return compiled

    def _compile_fields(self, data_fields: Mapping[str, str]) -> list[FieldSource]:
        listed = {name.lower(): name for name in data_fields}
        wanted = self._settings.fields
        if wanted is None:
            wanted = self._fields_by_name(data_fields)
        for field in unknown_fields(self._settings, data_fields):
            self._problems.append(no_data_field(field, data_fields))
        compiled = []
        for field, path in wanted.items():
            name = listed.get(field.lower())
            if (why := lack(self._schema, path)) is not None:
                hint = why or self._meant(path)
                self._problems.append(f"the schema has no property '{path}' (for {field}){hint}")
            elif name is not None:
                field_type = data_fields[name]
                if field_type not in DATA_FIELD_TYPES:
                    raise DotdigitalError(f"The data field {name} has a type that is not known")
                source = Source.of(path, self._properties)
                exact_numbers = self._settings.exact_numbers
                convert = converter(name, field_type, path, exact_numbers=exact_numbers)
                compiled.append(FieldSource(name, source, field_type, convert))
        return compiled

    def _compile_preferences(self) -> Preferences:
        wanted = self._settings.preferences.items()
        return Preferences(
            tuple(
                (preference, self._source(path, f"the preference {preference}"))
                for preference, path in wanted
            )
        )

    def _compile_consent(self) -> Consent | None:
        wanted = self._settings.consent
        if wanted is None:
            return None
        return Consent(
            {part: self._source(path, f"the consent's {part}") for part, path in wanted.items()}
        )

    def _compile_address_books(
        self, find: Callable[[str | int], int] | None
    ) -> RowAddressBooks | None:
        path = self._settings.address_book_property
        if path is None or find is None:
            return None
        return RowAddressBooks(self._source(path, "address_book_property"), find)

    def _source(self, path: str, purpose: str) -> Source:
        """Return where a property is; note a problem if the schema has no such property."""
        if (why := lack(self._schema, path)) is not None:
            hint = why or self._meant(path)
            self._problems.append(f"the schema has no property '{path}' (for {purpose}){hint}")
        return Source.of(path, self._properties)

    def _fields_by_name(self, data_fields: Mapping[str, str]) -> dict[str, str]:
        """Map every property whose name is a data field's, letters and digits compared."""
        taken = {source.path for _, source, _ in self.identifiers}
        candidates: dict[str, list[str]] = {}
        for path in self._properties:
            # The SDK's own `_sdc_` properties, and the rejects file's, are never meant by a name.
            if path in taken or path.startswith("_sdc_"):
                continue
            field, clash = _by_name(path, data_fields)
            if clash:
                fields = ", ".join(clash)
                self._problems.append(f"'{path}' could be {fields}: name one in 'fields'")
            elif field is not None:
                candidates.setdefault(field, []).append(path)
        found = {}
        for field, paths in candidates.items():
            chosen, clash = _by_name(field, paths)
            if chosen is None:
                properties = ", ".join(clash)
                self._problems.append(f"{properties} all mean {field}: name one in 'fields'")
            else:
                found[field] = chosen
        return found

    def _meant(self, path: str) -> str:
        """Return a sentence that proposes a property in place of one that there is none of."""
        meant = did_you_mean(path, _paths(self._properties, path.count(".")))
        return f".{meant}" if meant else ""


def _paths(properties: object, depth: int) -> Iterator[str]:
    """Yield the properties of a schema, and so many levels of those within."""
    for name, each in properties.items() if isinstance(properties, dict) else ():
        yield name
        if depth and isinstance(each, dict):
            for inner in _paths(each.get("properties"), depth - 1):
                yield f"{name}.{inner}"


def _is_empty(value: object) -> bool:
    return value is ABSENT or value is None or (isinstance(value, str) and not value.strip())


def match_property(match_identifier: str, properties: Mapping[str, Any]) -> str | None:
    """Return the property that holds the match identifier when the settings name none.

    Args:
        match_identifier: The identifier's name.
        properties: The schema's properties.

    Raises:
        SettingsError: Several properties could be it.
    """
    path, clash = _by_name(match_identifier, properties)
    if clash:
        raise SettingsError(
            f"The properties {', '.join(clash)} all mean {match_identifier}: set 'identifiers'"
        )
    return path


def _by_name(wanted: str, names: Iterable[str]) -> tuple[str | None, list[str]]:
    """Find a name by its letters and digits; of several, the one that is spelled alike."""
    key = comparable(wanted)
    alike = [name for name in names if comparable(name) == key]
    if len(alike) > 1:
        alike = [name for name in alike if name.lower() == wanted.lower()] or alike
    if len(alike) > 1:
        alike = [name for name in alike if name == wanted] or alike
    return (alike[0], []) if len(alike) == 1 else (None, alike)


def _constants(settings: StreamSettings, address_book_id: int | None) -> dict[str, object]:
    """Return what is the same in every contact of the stream."""
    channel: dict[str, str] = {}
    if settings.email_type is not None:
        channel["emailType"] = settings.email_type
    if settings.email_opt_in_type is not None:
        channel["optInType"] = settings.email_opt_in_type
    if settings.resubscribe:
        # The only place that sends a status: it opts people in again.
        channel["status"] = "subscribed"
    parts: dict[str, object] = {}
    if channel:
        parts["channelProperties"] = {"email": channel}
    if address_book_id is not None:
        parts["lists"] = [address_book_id]
    return parts
