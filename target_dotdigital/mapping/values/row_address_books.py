"""Address books that rows name themselves, in a property."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_dotdigital.errors import RowRejectedError, UnfitError
from target_dotdigital.mapping.contacts import MAX_LISTS, as_integer
from target_dotdigital.mapping.values.property_path import is_empty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_dotdigital.mapping.values.property_path import PropertyPath


@dataclass(frozen=True, slots=True)
class RowAddressBooks:
    """The property in which a stream's records name the address books that their contacts join."""

    path: PropertyPath
    find: Callable[[str | int], int]
    """Returns an address book's ID; it raises `UnfitError` if a contact cannot join it."""

    def read(self, record: Mapping[str, Any]) -> list[int]:
        """Return the IDs of a row's address books, each once, at least one.

        A row that names none is rejected: its contact would be in no address book.

        Args:
            record: The record, after stream maps.

        Raises:
            RowRejectedError: One of them cannot be joined, or none is named; code `field.type`.
        """
        value = self.path.read(record)
        try:
            return self._find_all(value if isinstance(value, list) else [value])
        except UnfitError as error:
            # The message does not say which one: that is a value of the record.
            reason = f"Property '{self.path.name}' for the address book: {error}"
            raise RowRejectedError(
                "field.type", reason, property=self.path.name, rule="address book"
            ) from None

    def _find_all(self, named: list[object]) -> list[int]:
        found = dict.fromkeys(self.find(_named(each)) for each in named)
        if not found:
            raise UnfitError("it names none")
        if len(found) > MAX_LISTS:
            raise UnfitError(f"it names more than {MAX_LISTS}")
        return list(found)


def _named(named: object) -> str | int:
    value = as_integer(named)
    if is_empty(value):
        raise UnfitError("it names none")
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise UnfitError("must be an ID, a name, or an array of these")
    return value
