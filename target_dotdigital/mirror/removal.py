"""The removal of stale members from mirrored address books. It runs in a worker thread."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_dotdigital.account import (
    IncompleteListError,
    find_address_book,
    identities_of,
    read_members,
)
from target_dotdigital.api import CONTACTS_A_PAGE
from target_dotdigital.errors import AbandonedError, DotdigitalError
from target_dotdigital.loading import Settlement
from target_dotdigital.mirror.stale_members import StaleMembers
from target_dotdigital.mirror.undo_file import write_undo_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from target_dotdigital.api import Client
    from target_dotdigital.mapping import Contact
    from target_dotdigital.mirror.mirrors import MirroredAddressBook

_logger = logging.getLogger("target-dotdigital.mirror")


@dataclass(slots=True)
class MirrorRemoval:
    """The load that ends a run with mirrors, when everything else is settled.

    Attributes:
        address_books: The mirrored address books.
        first_row: The first row of a mirror.
        folder: Where the files for undoing go.
        is_stopping: Tells whether the run has been asked to end.
        found: The stale members of each address book that has been read so far.
        contacts: None, as the members are known by ID alone.
        others: None.
    """

    address_books: Sequence[MirroredAddressBook]
    first_row: int
    folder: Path
    is_stopping: Callable[[], bool]
    found: list[StaleMembers] = field(default_factory=list)
    contacts: Mapping[str, Contact] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)

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
        for stale in leaving:
            self._keep(stale)
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
        stale = StaleMembers(address_book)
        self.found.append(stale)
        if {number, find_address_book(client, number).name} & address_book.absent_keys:
            stale.is_waiting = True
            _logger.warning(
                "Mirror of address book %d: nobody leaves it, because another stream that mirrors "
                "it has not come",
                number,
            )
            return stale
        try:
            for member in read_members(client, number, on_page=self._check_going_on):
                stale.members += 1
                identities = identities_of(member.identifiers, member.contact_id)
                stays = any(
                    identity in known
                    for identity in identities
                    for known in address_book.identity_sets
                )
                if not stays:
                    stale.contact_ids.append(member.contact_id)
        except IncompleteListError as error:
            raise DotdigitalError(
                f"Nobody was taken out of an address book: {error.message}. Run it again while "
                "nothing else changes the address book"
            ) from None
        if not stale.contact_ids:
            _logger.info("Mirror of address book %d: all %d contacts stay", number, stale.members)
        return stale

    def _keep(self, stale: StaleMembers) -> None:
        """Write the file that puts stale members back."""
        number = stale.address_book.address_book_id
        stale.undo_file = write_undo_file(self.folder, number, stale.contact_ids)
        _logger.info(
            "Mirror of address book %d: takes %s out; their IDs are kept in %s",
            number,
            stale,
            stale.undo_file,
        )

    def _remove(self, stale: StaleMembers, remove: Callable[[int, Sequence[int]], object]) -> None:
        number = stale.address_book.address_book_id
        for start in range(0, len(stale.contact_ids), CONTACTS_A_PAGE):
            self._check_going_on()
            part = stale.contact_ids[start : start + CONTACTS_A_PAGE].tolist()
            remove(number, part)
            stale.left += len(part)
        _logger.info(
            "Mirror of address book %d: took %s out. To put them back: --undo %s, with the same "
            "settings",
            number,
            stale,
            stale.undo_file,
        )

    def _check_going_on(self) -> None:
        if self.is_stopping():
            raise AbandonedError("The run is stopped before every contact has left")
