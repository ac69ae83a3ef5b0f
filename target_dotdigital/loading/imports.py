"""Imports: contacts that go to Dotdigital in one request."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

from target_dotdigital.loading.settlement import CONFLICTS
from target_dotdigital.mapping import collapse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from io import BytesIO

    from target_dotdigital.loading.removals import Removal
    from target_dotdigital.loading.settlement import Settlement
    from target_dotdigital.mapping import Contact
    from target_dotdigital.settings import MergeOption

MAX_BODY_BYTES = 50_000_000
"""Size of an import's JSON: https://developer.dotdigital.com/reference/importcontacts-1."""

_key_of = attrgetter("key")
_source_of = attrgetter("source")
_others_of = attrgetter("other_identities")

_START = b'{"mergeOption":"%s","contacts":['
_END = b"]}"
_BYTES_AROUND_CONTACTS = len(_START) + len("overwriteIfNotEmpty") + len(_END)


def import_body(
    merge_option: MergeOption, contacts: Sequence[Contact], buffer: BytesIO
) -> memoryview:
    """Put an import's JSON together, once.

    Args:
        merge_option: How Dotdigital merges the contacts with its own.
        contacts: At least one.
        buffer: Where to. It is used again: what is fresh each time, and each in another thread,
            the C library keeps.

    Returns:
        The JSON in the buffer. To be released before the buffer is used again.
    """
    buffer.seek(0)
    buffer.write(_START % merge_option.encode())
    between = b""
    for source, part in groupby(contacts, _source_of):
        buffer.writelines((between, source.joined(list(part))))
        between = b","
    buffer.write(_END)
    return buffer.getbuffer()[: buffer.tell()]


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
    size: int = _BYTES_AROUND_CONTACTS
    """Bytes of its JSON, or a little less than that."""
    following: Import | None = field(default=None, repr=False)
    """What is sent after it: contacts of it once more, that could not be joined with their own."""
    is_retry: bool = False
    """Whether its contacts were refused for an identifier that an earlier contact may free."""

    @property
    def chain(self) -> Iterator[Import]:
        """Itself, and what follows it, in the order in which they are to be sent."""
        load: Import | None = self
        while load is not None:
            yield load
            load = load.following

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

    def add(self, contact: Contact) -> bool:
        """Take a contact in, or join it with an older row's.

        Args:
            contact: The contact.

        Returns:
            Whether it is in; not if it cannot be joined with the older row's.
        """
        earlier = self.contacts.get(contact.key)
        if earlier is not None:
            joined = collapse(earlier, contact, self.merge_option)
            if joined is None:
                # Whoever takes over what it had must not overtake it.
                contact.other_identities = tuple(
                    dict.fromkeys((*earlier.other_identities, *contact.other_identities))
                )
                return False
            contact = joined
            self.size -= len(earlier.body) + 1
        self.contacts[contact.key] = contact
        self.size += len(contact.body) + 1
        for identity in contact.other_identities:
            self.others[identity] = contact.key
        return True

    def extend(self, contacts: Sequence[Contact], max_bytes: int) -> int:
        """Take contacts in that have nothing to do with those that are in, or with each other.

        Args:
            contacts: Contacts that together are not too many.
            max_bytes: The most bytes of an import's JSON.

        Returns:
            How many are taken in: all of them or none.
        """
        keys = list(map(_key_of, contacts))
        size = sum(source.size(list(part)) + 1 for source, part in groupby(contacts, _source_of))
        if self.size + size > max_bytes or self.following is not None or holds_any(self, keys):
            return 0
        others: dict[str, str] = {}
        if any(map(_others_of, contacts)):
            others = {identity: each.key for each in contacts for identity in each.other_identities}
            if (
                len(others) < sum(map(len, map(_others_of, contacts)))
                or holds_any(self, others)
                or not others.keys().isdisjoint(keys)
            ):
                return 0
        before = len(self.contacts)
        self.contacts.update(zip(keys, contacts, strict=True))
        if len(self.contacts) < before + len(keys):  # two of them are of one person
            for key in dict.fromkeys(keys):
                del self.contacts[key]
            return 0
        self.others.update(others)
        self.size += size
        return len(contacts)

    def take(
        self,
        contact: Contact,
        max_contacts: int,
        max_bytes: int,
        start: Callable[[], Import],
    ) -> bool:
        """Take a contact into this import, or into what follows it if it cannot be joined.

        Args:
            contact: The contact.
            max_contacts: The most contacts of an import.
            max_bytes: The most bytes of its JSON.
            start: Returns an empty import.

        Returns:
            Whether there was room for it.
        """
        load = self
        # What follows an import holds no contact that the import does not hold too.
        while load.following is not None and contact.key in load.following.contacts:
            load = load.following
        if not load.has_room(contact, max_contacts, max_bytes):
            return False
        if load.add(contact):
            return True
        following = load.following or start()
        if not following.has_room(contact, max_contacts, max_bytes):
            return False
        following.add(contact)
        load.following = following
        return True


def holds_any(load: Import | Removal, identities: Collection[str]) -> bool:
    """Return whether a contact in a load has any of some identities.

    Args:
        load: The load.
        identities: Normalised identifiers.
    """
    return not (
        load.contacts.keys().isdisjoint(identities) and load.others.keys().isdisjoint(identities)
    )


def split(load: Import, most: int, max_bytes: int) -> list[Import]:
    """Split an import into smaller ones that follow one another.

    No two of its contacts may be the same person, so the parts need no order among themselves.

    Args:
        load: The import.
        most: The most contacts of a part.
        max_bytes: The most bytes of a part's JSON.

    Returns:
        The parts, each followed by the next, and the last one by what followed the import.
    """
    parts: list[Import] = []

    def start() -> Import:
        parts.append(Import(load.merge_option, load.first_row, load.opened_at))
        return parts[-1]

    contacts = list(load.contacts.values())
    for first in range(0, len(contacts), most):
        some, part = contacts[first : first + most], start()
        if part.extend(some, max_bytes):
            continue
        for contact in some:
            if part.contacts and not part.has_room(contact, most, max_bytes):
                part = start()
            part.add(contact)
    for part, following in pairwise(parts):
        part.following = following
    parts[-1].following = load.following
    return parts


def conflict_retry(load: object, settlement: Settlement) -> Import | None:
    """Take contacts out of a settlement that were refused for another contact's identifier.

    A row may hand its address to the next, as when the e-mail addresses of two customers were
    mixed up. Whether Dotdigital goes through an import in order is not documented, and imports
    that are known to share nothing go side by side; so the one who takes over may come too early.

    Args:
        load: The load. Only of imports anything is sent again.
        settlement: What became of it. Its conflicts are removed if they are to be sent again.

    Returns:
        An import of those contacts, to be sent once all that came before is settled; None if there
        are none, or if sending them again has helped nobody.
    """
    if not isinstance(load, Import) or (load.is_retry and not settlement.imported):
        return None
    again = [contact for contact, code in settlement.rejected if _is_conflict(contact, code)]
    if not again:
        return None
    settlement.rejected = [each for each in settlement.rejected if not _is_conflict(*each)]
    following = Import(load.merge_option, load.first_row, load.opened_at, is_retry=True)
    for contact in again:
        following.add(contact)
    return following


def _is_conflict(contact: Contact, code: str) -> bool:
    return bool(contact.other_identities) and code.lower() in CONFLICTS
