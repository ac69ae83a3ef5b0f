"""The compiler of a stream's settings: which properties are mapped, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from target_dotdigital.errors import DotdigitalError, SettingsError, joined
from target_dotdigital.mapping.contacts import checker
from target_dotdigital.mapping.name_matching import (
    find_by_name,
    match_property,
    no_data_field,
    unknown_fields,
)
from target_dotdigital.mapping.schemas import why_missing
from target_dotdigital.mapping.values import (
    DATA_FIELD_TYPES,
    Consent,
    MappedField,
    MappedIdentifier,
    MappedProperties,
    OptOuts,
    Preferences,
    PropertyPath,
    RowAddressBooks,
    converter,
)
from target_dotdigital.near_misses import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from target_dotdigital.settings import StreamSettings

_Key = TypeVar("_Key", str, int)


class MappingCompiler:
    """Compiles one stream's settings against its schema and the account's data fields."""

    def __init__(
        self, settings: StreamSettings, schema: Mapping[str, Any], data_fields: Mapping[str, str]
    ) -> None:
        """Compile nothing yet.

        Args:
            settings: The stream's settings.
            schema: The stream's JSON schema, after stream maps.
            data_fields: The account's data fields: name to type.
        """
        self._settings = settings
        self._schema = schema
        self._properties: Mapping[str, Any] = schema.get("properties", {})
        self._data_fields = data_fields
        self._problems: list[str] = []

    def compile(
        self, find_address_book: Callable[[str | int], int] | None = None
    ) -> MappedProperties:
        """Return the properties that are mapped.

        Args:
            find_address_book: Returns the ID of an address book that a row names.

        Raises:
            SettingsError: The settings do not fit the schema or the account; all of it at once.
            DotdigitalError: A mapped data field has a type that is not documented.
        """
        identifiers = self._identifiers()
        mapped = MappedProperties(
            identifiers=identifiers,
            fields=self._fields({each.path.name for each in identifiers}),
            preferences=Preferences(
                self._find_all(self._settings.preferences, "the preference {}")
            ),
            consent=self._consent(),
            opt_outs=OptOuts(self._find_all(self._settings.opt_out or {}, "the opt-out of {}")),
            address_books=self._address_books(find_address_book),
        )
        if self._problems:
            raise SettingsError(joined(self._problems))
        return mapped

    def _identifiers(self) -> list[MappedIdentifier]:
        """Return the identifiers, the matching one first."""
        match, wanted = self._settings.match_identifier, self._settings.identifiers
        if wanted is None:
            path = match_property(match, self._properties)
            if path is None:
                problem = f"The schema has no property for the identifier '{match}'"
                self._problems.append(problem + self._meant(match))
                return []
            wanted = {match: path}
        ordered = {match: wanted[match], **wanted}
        country = self._settings.mobile_country
        return [
            MappedIdentifier(name, path, checker(name, path.name, country))
            for name, path in self._find_all(ordered, "the identifier '{}'").items()
        ]

    def _fields(self, taken: set[str]) -> list[MappedField]:
        """Return the data fields, as the settings name them, or else by the properties' names.

        Args:
            taken: The properties that are identifiers.
        """
        wanted = self._settings.fields
        if wanted is None:
            wanted = self._fields_by_name(taken)
        for field in unknown_fields(self._settings, self._data_fields):
            self._problems.append(no_data_field(field, self._data_fields))
        names = {name.lower(): name for name in self._data_fields}
        found = []
        for field, path in self._find_all(wanted, "{}").items():
            name = names.get(field.lower())
            if name is not None:
                found.append(self._field(name, path))
        return found

    def _field(self, name: str, path: PropertyPath) -> MappedField:
        field_type = self._data_fields[name]
        if field_type not in DATA_FIELD_TYPES:
            raise DotdigitalError(
                f"The data field {name} has a type that target-dotdigital does not know. Map "
                "another one"
            )
        exact_numbers = self._settings.exact_numbers
        convert = converter(name, field_type, path.name, exact_numbers=exact_numbers)
        return MappedField(name, path, field_type, convert)

    def _fields_by_name(self, taken: set[str]) -> dict[str, str]:
        """Map every property whose name is a data field's, letters and digits compared."""
        candidates: dict[str, list[str]] = {}
        for path in self._properties:
            # The SDK's own `_sdc_` properties, and the rejects file's, are never meant by a name.
            if path in taken or path.startswith("_sdc_"):
                continue
            field, clash = find_by_name(path, self._data_fields)
            if clash:
                fields = ", ".join(clash)
                self._problems.append(
                    f"Property '{path}' could be {fields}. Name one under 'fields'"
                )
            elif field is not None:
                candidates.setdefault(field, []).append(path)
        found = {}
        for field, paths in candidates.items():
            chosen, clash = find_by_name(field, paths)
            if chosen is None:
                properties = ", ".join(clash)
                self._problems.append(
                    f"Several properties mean {field}: {properties}. Name one under 'fields'"
                )
            else:
                found[field] = chosen
        return found

    def _consent(self) -> Consent | None:
        wanted = self._settings.consent
        return Consent(self._find_all(wanted, "the consent's {}")) if wanted is not None else None

    def _address_books(self, find: Callable[[str | int], int] | None) -> RowAddressBooks | None:
        name = self._settings.address_book_property
        if name is None or find is None:
            return None
        path = self._find(name, "address_book_property")
        return RowAddressBooks(path, find) if path is not None else None

    def _find_all(self, wanted: Mapping[_Key, str], purpose: str) -> dict[_Key, PropertyPath]:
        """Return the paths of the properties that the schema has, by what they are mapped to.

        Args:
            wanted: The properties, by what they are mapped to.
            purpose: What that is, for messages; `{}` stands for its name.
        """
        found = {key: self._find(name, purpose.format(key)) for key, name in wanted.items()}
        return {key: path for key, path in found.items() if path is not None}

    def _find(self, name: str, purpose: str) -> PropertyPath | None:
        """Return a property's path; None, and a problem, if the schema has no such property."""
        why = why_missing(self._schema, name)
        if why is None:
            return PropertyPath.of(name, self._properties)
        hint = why or self._meant(name)
        self._problems.append(f"The schema has no property '{name}' (for {purpose}){hint}")
        return None

    def _meant(self, name: str) -> str:
        """Return a sentence that proposes a property for one that does not exist."""
        meant = did_you_mean(name, _names(self._properties, name.count(".")))
        return f".{meant}" if meant else ""


def _names(properties: object, depth: int) -> Iterator[str]:
    """Yield the names of a schema's properties, and so many levels of those inside."""
    for name, each in properties.items() if isinstance(properties, dict) else ():
        yield name
        if depth and isinstance(each, dict):
            for inner in _names(each.get("properties"), depth - 1):
                yield f"{name}.{inner}"
