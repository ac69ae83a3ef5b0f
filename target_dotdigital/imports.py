"""Imports: contacts that go to Dotdigital in one request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_dotdigital.contacts import collapse

if TYPE_CHECKING:
    from target_dotdigital.contacts import Contact
    from target_dotdigital.settings_schema import MergeOption

MAX_BODY_BYTES = 50_000_000
"""Size of an import's JSON: https://developer.dotdigital.com/reference/importcontacts-1."""

_ENVELOPE = b'{"mergeOption":"%s","contacts":[%s]}'
_ENVELOPE_BYTES = len(_ENVELOPE) + len("overwriteIfNotEmpty")


def import_body(merge_option: MergeOption, contacts: list[Contact]) -> bytes:
    """Return an import's JSON.

    Args:
        merge_option: How Dotdigital merges the contacts with its own.
        contacts: At least one.
    """
    return _ENVELOPE % (merge_option.encode(), b",".join(contact.body for contact in contacts))


@dataclass(slots=True)
class Import:
    """Contacts that go to Dotdigital in one request, and are settled together."""

    merge_option: MergeOption
    first_row: int
    """Number of the first row in it."""
    opened_at: float
    """When that row came, in seconds of the run's clock."""
    contacts: dict[str, Contact] = field(default_factory=dict, repr=False)
    """By normalised match identifier."""
    others: dict[str, str] = field(default_factory=dict, repr=False)
    """The contacts' other identifiers, with the match identifier of the contact."""
    size: int = _ENVELOPE_BYTES
    """Bytes of its JSON, or a little less than that."""

    def has_room(self, contact: Contact, max_contacts: int, max_bytes: int) -> bool:
        """Return whether a contact fits in, joined with the one of the same key if there is one.

        Args:
            contact: The contact.
            max_contacts: The most contacts of an import.
            max_bytes: The most bytes of its JSON.
        """
        is_new = contact.key not in self.contacts
        fits = self.size + len(contact.body) + 1 <= max_bytes
        return fits and not (is_new and len(self.contacts) >= max_contacts)

    def add(self, contact: Contact) -> None:
        """Take a contact in, or join it with an older row's.

        Args:
            contact: The contact.
        """
        earlier = self.contacts.get(contact.key)
        if earlier is not None:
            contact = collapse(earlier, contact, self.merge_option)
            self.size -= len(earlier.body) + 1
        self.contacts[contact.key] = contact
        self.size += len(contact.body) + 1
        for identity in contact.other_identities:
            self.others[identity] = contact.key
