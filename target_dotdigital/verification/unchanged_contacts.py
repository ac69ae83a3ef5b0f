"""Counts the contacts of the account that an import would leave as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.verification.comparison import HeldParts
from target_dotdigital.verification.expected_contacts import ExpectedContacts
from target_dotdigital.verification.parts import ACCOUNT, OUT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from target_dotdigital.api import Details, HeldContact
    from target_dotdigital.mapping import Contact
    from target_dotdigital.settings import MergeOption

_COMPARED = 1
_DIFFERS = 2


class UnchangedContacts:
    """What would be sent, compared with contacts while these are read. Not thread-safe.

    Attributes:
        count: How many contacts have everything already, and are in all of their address books.
    """

    def __init__(self, data_fields: Mapping[str, str]) -> None:
        """Start with none.

        Args:
            data_fields: The account's data fields: name to type.
        """
        self.count = 0
        self._types = data_fields
        self._expected = ExpectedContacts(data_fields)

    def join(self, contacts: Iterable[Contact], merge_option: MergeOption) -> None:
        """Add contacts that would be imported.

        Args:
            contacts: The contacts of an import.
            merge_option: How Dotdigital merges them.
        """
        self._expected.join(contacts, merge_option)

    def leave(self, contacts: Iterable[Contact], place: int) -> None:
        """Add contacts that would leave.

        Args:
            contacts: The contacts of a removal.
            place: The ID of the address book, or `ACCOUNT`.
        """
        self._expected.leave(contacts, place)

    def details(self) -> Details:
        """Return what has to be told of a contact of the account."""
        return self._expected.details()

    def meet(self, contact: HeldContact, address_books: Collection[int]) -> None:
        """Compare a contact of the account.

        Args:
            contact: The contact.
            address_books: Those that it is known to be in. More of them may follow.
        """
        expected = self._expected.take_held(contact)
        if expected is None:
            return
        known = self._expected.parts
        if not expected.flags & _COMPARED:
            expected.flags |= _COMPARED
            held = HeldParts(contact, self._types)
            expected.flags |= _DIFFERS * bool(held.differing(known, expected.parts))
        here = {ACCOUNT, *address_books}
        expected.parts = {
            number: value
            for number, value in expected.parts.items()
            # Whoever is to leave an address book is never taken for unchanged.
            if known[number].kind == "address book"
            and (value == OUT or int(known[number].name) not in here)
        }
        if expected.parts:
            self._expected.keep(expected)
        elif not expected.flags & _DIFFERS:
            self.count += 1
