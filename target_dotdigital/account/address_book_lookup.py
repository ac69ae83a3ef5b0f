"""A lookup of the address books that rows name, by name or ID, with few calls to Dotdigital."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.errors import NotFoundError, RequestRefusedError

if TYPE_CHECKING:
    from target_dotdigital.api import Client


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
