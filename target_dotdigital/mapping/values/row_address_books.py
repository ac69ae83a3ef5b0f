"""Address books that rows name themselves, in a property."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from target_dotdigital.errors import RowRejectedError, UnfitError
from target_dotdigital.mapping.contacts import MAX_LISTS, as_integer
from target_dotdigital.mapping.values.property_path import is_empty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_dotdigital.mapping.values.property_path import PropertyPath


MAX_KNOWN: Final = 100_000
"""Ways of naming address books that are remembered."""


@dataclass(frozen=True, slots=True)
class RowAddressBooks:
    """The property in which a stream's records name the address books that their contacts join."""

    path: PropertyPath
    find: Callable[[str | int], int]
    """Returns an address book's ID; it raises `UnfitError` if a contact cannot join it."""
    _known: dict[object, list[int]] = field(default_factory=dict)
    """What rows have named, and the IDs of that."""

    def known(self, values: Sequence[object]) -> list[list[int] | None]:
        """Return the IDs of address books that other rows have named alike; None if none has.

        Args:
            values: What each row names them by.
        """
        are_plain = {*map(type, values)} <= {str, int}
        return list(map(self._known.get, zip(values) if are_plain else map(_as_key, values)))

    def read(self, record: Mapping[str, Any]) -> list[int]:
        """Return the IDs of a row's address books, each once, at least one.

        A row that names none is rejected: its contact would be in no address book.

        Args:
            record: The record, after stream maps.

        Raises:
            RowRejectedError: One of them cannot be joined, or none is named; code `field.type`.
        """
        value = self.path.read(record)
        (known,) = self.known((value,))
        if known is not None:
            return known
        try:
            found = self._find_all(value if isinstance(value, list) else [value])
        except UnfitError as error:
            # The message does not say which one: that is a value of the record.
            reason = f"Property '{self.path.name}' for the address book: {error}"
            raise RowRejectedError(
                "field.type", reason, property=self.path.name, rule="address book"
            ) from None
        if (key := _as_key(value)) is not None and len(self._known) < MAX_KNOWN:
            self._known[key] = found
        return found

    def _find_all(self, named: list[object]) -> list[int]:
        found = dict.fromkeys(self.find(_named(each)) for each in named)
        if not found:
            raise UnfitError("it names none")
        if len(found) > MAX_LISTS:
            raise UnfitError(f"it names more than {MAX_LISTS}")
        return list(found)


def _as_key(value: object) -> object:
    """Return what a property's value is remembered by; None if it is unusual."""
    named = value if isinstance(value, list) else (value,)
    # 1 and true would be one key.
    return tuple(named) if {*map(type, named)} <= {str, int} else None


def _named(named: object) -> str | int:
    value = as_integer(named)
    if is_empty(value):
        raise UnfitError("it names none")
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise UnfitError("must be an ID, a name, or an array of these")
    return value
