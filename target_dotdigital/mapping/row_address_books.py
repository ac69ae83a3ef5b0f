"""Address books that a row names itself: what it may say, and how one of them is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_dotdigital.errors import (
    NotFoundError,
    RequestRefusedError,
    RowRejectedError,
    UnfitError,
)
from target_dotdigital.mapping.contacts import MAX_LISTS, whole
from target_dotdigital.mapping.paths import ABSENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_dotdigital.api import Client
    from target_dotdigital.mapping.paths import Source


@dataclass(frozen=True, slots=True)
class RowAddressBooks:
    """Where a stream's records name the address books that their contacts join."""

    source: Source
    find: Callable[[str | int], int]
    """Returns an address book's ID; it raises `UnfitError` if a contact cannot join it."""

    def read(self, record: Mapping[str, Any]) -> list[int]:
        """Return the IDs of a row's address books, each once, at least one.

        A row that names none is refused: nobody has asked for a contact without an address book.

        Args:
            record: The record, after stream maps.

        Raises:
            RowRejectedError: One of them cannot be joined, or none is named; code `field.type`.
        """
        value = self.source.read(record)
        try:
            return self._find_all(value if isinstance(value, list) else [value])
        except UnfitError as error:
            # Which one is not told: it is a value of the record.
            reason = f"property '{self.source.path}' for the address book: {error}"
            raise RowRejectedError(
                "field.type", reason, property=self.source.path, rule="address book"
            ) from None

    def _find_all(self, named: list[object]) -> list[int]:
        found = dict.fromkeys(self.find(_named(each)) for each in named)
        if not found:
            raise UnfitError("it names none")
        if len(found) > MAX_LISTS:
            raise UnfitError(f"it names more than {MAX_LISTS}")
        return list(found)


def _named(named: object) -> str | int:
    value = whole(named)
    if value is ABSENT or value is None or (isinstance(value, str) and not value.strip()):
        raise UnfitError("it names none")
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise UnfitError("an ID, a name, or an array of these is needed")
    return value


class AddressBookLookup:
    """Finds address books by what rows call them, with few calls however many rows there are."""

    def __init__(self, client: Client) -> None:
        """Start without a call.

        Args:
            client: Calls Dotdigital.
        """
        self._client = client
        self._ids: dict[str, int] | None = None
        self._names: dict[int, str | None] = {}
        self._has_looked_again = False

    def find_id(self, name: str) -> int | None:
        """Return the ID of the address book of exactly this name, or None.

        All address books are listed when the first name is asked for, and once more in a run for
        a name that is not among them: it may have been made meanwhile.

        Args:
            name: Its name.
        """
        if self._ids is None:
            self._ids = self._list()
        elif name not in self._ids and not self._has_looked_again:
            self._has_looked_again = True
            self._ids = self._list()
        return self._ids.get(name)

    def learn(self, name: str, address_book_id: int) -> None:
        """Take note of an address book that has just been created.

        Args:
            name: Its name.
            address_book_id: Its ID.
        """
        self._names[address_book_id] = name
        if self._ids is not None:
            self._ids[name] = address_book_id

    def find_name(self, address_book_id: int) -> str | None:
        """Return the name of the address book of this ID, or None. Each is asked for once.

        Args:
            address_book_id: Its ID, an int32.
        """
        if address_book_id not in self._names:
            try:
                name = self._client.address_book(address_book_id).name
            except (NotFoundError, RequestRefusedError):
                name = None  # a call of nothing but an ID can only be refused for that ID
            self._names[address_book_id] = name
        return self._names[address_book_id]

    def _list(self) -> dict[str, int]:
        listed = list(self._client.address_books())
        self._names.update((each.id, each.name) for each in listed)
        return {each.name: each.id for each in listed}
