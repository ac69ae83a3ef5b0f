"""Loads that import nothing: removals, in batches like those that join, and what ends a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_dotdigital.api import CONTACTS_A_PAGE
from target_dotdigital.errors import AbandonedError
from target_dotdigital.mapping import Contact, OwnSource

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

ACCOUNT = 0
"""Stands for the account where an address book's ID would: contacts are deleted."""

FEW_CONTACTS = 20
"""Contacts that are looked up one by one, however few pages the address book has."""


@dataclass(slots=True)
class Removal:
    """Contacts that leave together, and are settled together."""

    address_book_id: int
    """The ID of the address book that they leave, or `ACCOUNT`."""
    first_row: int
    """Number of the first row in it."""
    opened_at: float
    """When that row came, in seconds of the run's clock."""
    contacts: dict[str, Contact] = field(default_factory=dict, repr=False)
    """By normalised match identifier. A contact's JSON is the object with that identifier."""
    others: dict[str, str] = field(default_factory=dict, repr=False)
    """The contacts' other identifiers, with the match identifier of the contact."""

    @property
    def chain(self) -> tuple[Removal]:
        """Itself: nothing follows it, as it may follow an import."""
        return (self,)

    def has_room(self, contact: Contact, max_contacts: int) -> bool:
        """Return whether a contact fits in.

        Args:
            contact: The contact.
            max_contacts: The most contacts of an import; Dotdigital's own limit is kept, too.
        """
        is_new = contact.key not in self.contacts
        return not (is_new and len(self.contacts) >= min(max_contacts, CONTACTS_A_PAGE))

    def add(self, contact: Contact) -> None:
        """Take a contact in, or its row if the contact is in here already.

        Args:
            contact: The contact.
        """
        earlier = self.contacts.get(contact.key)
        if earlier is not None:
            others = dict.fromkeys((*earlier.other_identities, *contact.other_identities))
            source = OwnSource(contact.body, (*earlier.rows, *contact.rows))
            contact = Contact(contact.key, tuple(others), source)
        self.contacts[contact.key] = contact
        for identity in contact.other_identities:
            self.others[identity] = contact.key


@dataclass(slots=True, kw_only=True)
class LastLoad:
    """A load that ends a run, when everything else is settled.

    Attributes:
        is_stopping: Tells whether the run has been asked to end.
        first_row: The first row that waits for it; 0 if none does.
        contacts: None, as no row is settled by it.
        others: None.
    """

    is_stopping: Callable[[], bool]
    first_row: int = 0
    contacts: Mapping[str, Contact] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)

    def check_going_on(self) -> None:
        """Make sure that the run is to go on.

        Raises:
            AbandonedError: It was asked to end.
        """
        if self.is_stopping():
            raise AbandonedError("The run is stopped before its last step has ended")


def deletion_body(contacts: Collection[Contact]) -> bytes:
    """Return the JSON that deletes contacts from the account.

    Args:
        contacts: At least one, as a removal holds them.
    """
    return b"[%s]" % b",".join(contact.body for contact in contacts)
