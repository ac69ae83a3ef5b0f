"""The removal of stale members from mirrored address books. It runs in a worker thread."""

from __future__ import annotations

import logging
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_dotdigital.account import (
    IncompleteListError,
    find_address_book,
    identities_of,
    not_found,
    read_member_pages,
)
from target_dotdigital.api import CONTACTS_A_PAGE
from target_dotdigital.errors import DotdigitalError
from target_dotdigital.loading import LastLoad, Settlement
from target_dotdigital.mapping import HeldIdentities
from target_dotdigital.mirror.stale_members import StaleMembers
from target_dotdigital.mirror.undo_file import write_undo_file
from target_dotdigital.settings import address_book_label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from target_dotdigital.api import Client, Member
    from target_dotdigital.fingerprints import Fingerprints
    from target_dotdigital.mirror.mirrors import MirroredAddressBook

_logger = logging.getLogger("target-dotdigital.mirror")


@dataclass(slots=True, kw_only=True)
class MirrorRemoval(LastLoad):
    """The load that ends a run with mirrors, when everything else is settled.

    Attributes:
        address_books: The mirrored address books.
        folder: Where the files for undoing go.
        fingerprints: What was settled earlier, where only changes are sent.
        found: The stale members of each address book that has been read so far.
    """

    address_books: Sequence[MirroredAddressBook]
    folder: Path
    fingerprints: Fingerprints | None = None
    found: list[StaleMembers] = field(default_factory=list)
    _leaving: array[int] = field(default_factory=lambda: array("Q"))
    """The hashes of all identities of those who are to leave, if there are fingerprints."""

    def perform(self, client: Client, remove: Callable[[int, Sequence[int]], object]) -> Settlement:
        """Remove the stale members. If they may not leave one address book, they leave none.

        Args:
            client: Calls Dotdigital.
            remove: Takes up to `CONTACTS_A_PAGE` contacts, by ID, out of an address book.

        Returns:
            An empty settlement: the rows are settled already.

        Raises:
            AbandonedError: The run was asked to end before all of them had left.
            TargetDotdigitalError: Some may not leave, or have not.
        """
        for address_book in self.address_books:
            self.find(client, address_book).check()
        leaving = [each for each in self.found if each.contact_ids]
        # Before the first one leaves, and for all of them: the run may be killed at any moment.
        account_id = client.account_info().id if leaving else 0
        for stale in leaving:
            self._keep(stale, account_id)
        if leaving and self.fingerprints is not None:
            # Whoever comes back as he was has to be sent.
            self.fingerprints.drop(self._leaving)
            self.fingerprints.commit()
        for stale in leaving:
            self._remove(stale, remove)
        return Settlement()

    def find(self, client: Client, address_book: MirroredAddressBook) -> StaleMembers:
        """Find the stale members of an address book, and add them to `found`.

        Args:
            client: Calls Dotdigital.
            address_book: The address book.

        Raises:
            AbandonedError: The run was asked to end.
            TargetDotdigitalError: It is not known which contacts are in it.
        """
        number = address_book.address_book_id
        name = find_address_book(client, number).name
        stale = StaleMembers(address_book, label=address_book_label(number, name))
        self.found.append(stale)
        if {number, name} & address_book.absent_keys:
            stale.is_waiting = True
            _logger.warning(
                "Mirror of %s: no contact is removed, because another stream that mirrors it did "
                "not come. Load all of them in one run",
                stale.label,
            )
            return stale
        try:
            finders = self._finders(address_book)
            for page in read_member_pages(client, number, self.check_going_on, stale.label):
                stale.members += len(page)
                self._add(stale, not_found(page, finders))
        except IncompleteListError as error:
            raise DotdigitalError(
                f"No contact was removed from an address book: {error.message}. Run it again while "
                "nothing else changes the address book"
            ) from None
        if not stale.contact_ids:
            _logger.info("Mirror of %s: all %d contacts stay", stale.label, stale.members)
        return stale

    def _finders(
        self, address_book: MirroredAddressBook
    ) -> list[Callable[[Sequence[str]], Iterable[bool]]]:
        """Return what tells of identities whose contacts stay."""
        held = HeldIdentities(address_book.identity_sets)
        if self.fingerprints is None:
            return [held.among]
        # Nothing else tells that contacts stay whose rows were not sent.
        streams = (*address_book.streams, *address_book.other_streams)
        return [held.among, self.fingerprints.unchanged(streams, address_book.outdated).among]

    def _add(self, stale: StaleMembers, members: Sequence[Member]) -> None:
        """Add members who are stale."""
        stale.contact_ids.extend(member.contact_id for member in members)
        if self.fingerprints is not None:
            for member in members:
                identities = list(identities_of(member.identifiers, member.contact_id))
                self._leaving.extend(self.fingerprints.hasher.identities(identities))

    def _keep(self, stale: StaleMembers, account_id: int) -> None:
        """Write the file that puts stale members back."""
        number = stale.address_book.address_book_id
        stale.undo_file = write_undo_file(self.folder, account_id, number, stale.contact_ids)
        _logger.info(
            "Mirror of %s: removing %s. Their IDs are in %s",
            stale.label,
            stale,
            stale.undo_file,
        )

    def _remove(self, stale: StaleMembers, remove: Callable[[int, Sequence[int]], object]) -> None:
        number = stale.address_book.address_book_id
        for start in range(0, len(stale.contact_ids), CONTACTS_A_PAGE):
            self.check_going_on()
            part = stale.contact_ids[start : start + CONTACTS_A_PAGE].tolist()
            remove(number, part)
            stale.left += len(part)
        _logger.info(
            "Mirror of %s: removed %s. To put them back: --undo %s, with the same settings",
            stale.label,
            stale,
            stale.undo_file,
        )
