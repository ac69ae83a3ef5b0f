"""Properties of a record that are mapped, each with the conversion of its values."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from target_dotdigital.errors import RowRejectedError
from target_dotdigital.mapping.contacts import normalise

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_dotdigital.mapping.values.consent import Consent, Preferences
    from target_dotdigital.mapping.values.field_values import Rounded, Sendable
    from target_dotdigital.mapping.values.opt_outs import OptOuts
    from target_dotdigital.mapping.values.property_path import PropertyPath
    from target_dotdigital.mapping.values.row_address_books import RowAddressBooks


class MappedIdentifier(NamedTuple):
    """A property that is mapped to an identifier."""

    name: str
    """The identifier's name."""
    path: PropertyPath
    check: Callable[[object], str | int]
    """Returns what is sent for a value that is not empty; raises `RowRejectedError`."""

    def identity(self, value: object) -> str:
        """Return a value as a normalised identifier. It need not be a valid one.

        Args:
            value: What a record holds.
        """
        with suppress(RowRejectedError):
            value = self.check(value)
        return normalise(self.name, value)


class MappedField(NamedTuple):
    """A property that is mapped to a data field."""

    name: str
    """The data field's name in the account."""
    path: PropertyPath
    type: str
    """The data field's type."""
    convert: Callable[[object], Sendable | Rounded]
    """Returns what is sent for a value that is not None; raises `RowRejectedError`."""


class MappedProperties(NamedTuple):
    """All properties that a stream's settings map."""

    identifiers: list[MappedIdentifier]
    """The match identifier first."""
    fields: list[MappedField]
    preferences: Preferences
    consent: Consent | None
    opt_outs: OptOuts
    address_books: RowAddressBooks | None
    """The property that names the row's own address books."""

    @property
    def paths(self) -> list[PropertyPath]:
        """The paths of all of them."""
        return [
            *(each.path for each in self.identifiers),
            *(each.path for each in self.fields),
            *self.preferences.paths.values(),
            *(self.consent.paths.values() if self.consent is not None else ()),
            *self.opt_outs.paths.values(),
            *([self.address_books.path] if self.address_books is not None else ()),
        ]
