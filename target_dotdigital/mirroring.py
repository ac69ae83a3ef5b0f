"""Performing mirrors: who is to leave is found, recorded, and taken out. In a worker thread."""

from __future__ import annotations

import logging
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_dotdigital.client import CONTACT_PAGE
from target_dotdigital.errors import AbandonedError, DataError, DotdigitalError
from target_dotdigital.members import (
    IncompleteListError,
    find_address_book,
    identities_of,
    read_members,
)
from target_dotdigital.settlement import Settlement
from target_dotdigital.undo import write_undo_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from target_dotdigital.client import Client
    from target_dotdigital.contacts import Contact
    from target_dotdigital.membership import MirroredBook
    from target_dotdigital.remover import Remover

_logger = logging.getLogger("target-dotdigital.mirror")


@dataclass(slots=True)
class Mirroring:
    """The mirrors of a run, performed when everything else is settled. It is a load of its own."""

    books: list[MirroredBook]
    first_row: int
    """The first row of a mirror."""
    folder: Path
    """Where the files for undoing go."""
    is_stopping: Callable[[], bool]
    """Whether the run has been asked to end."""
    contacts: Mapping[str, Contact] = field(default_factory=dict)
    """None: whoever leaves is known by ID."""
    others: Mapping[str, str] = field(default_factory=dict)
    """None."""

    def perform(self, client: Client, remover: Remover) -> Settlement:
        """Take out whoever is not held. If that may not be in one address book, nobody leaves any.

        Args:
            client: Calls Dotdigital.
            remover: Takes contacts out of address books.

        Returns:
            Nothing is settled by it.

        Raises:
            AbandonedError: The run was asked to end before everybody had left.
            TargetDotdigitalError: Somebody may not leave, or has not.
        """
        leavers: dict[int, array[int]] = {}
        for book in self.books:
            found = self._find_leavers(client, book)
            if found:
                leavers[book.address_book_id] = found
        # Before anybody leaves, and all of them: the run may be killed at any moment.
        for address_book_id, contact_ids in leavers.items():
            path = write_undo_file(self.folder, address_book_id, contact_ids)
            _logger.info(
                "Mirror of address book %d: %d contacts leave it. Their IDs are kept in %s: load "
                "it with match_identifier contactId and the same address book to undo this",
                address_book_id,
                len(contact_ids),
                path,
            )
        for address_book_id, contact_ids in leavers.items():
            for start in range(0, len(contact_ids), CONTACT_PAGE):
                self._go_on()
                remover.remove(address_book_id, contact_ids[start : start + CONTACT_PAGE].tolist())
        return Settlement()

    def _find_leavers(self, client: Client, book: MirroredBook) -> array[int]:
        number = book.address_book_id
        leavers = array("q")
        if {number, find_address_book(client, number).name} & book.absent_keys:
            _logger.warning(
                "Mirror of address book %d: nobody leaves it, because another stream that mirrors "
                "it has not come",
                number,
            )
            return leavers
        members = 0
        try:
            for member in read_members(client, number, on_page=self._go_on):
                members += 1
                identities = identities_of(member.identifiers, member.contact_id)
                if not any(one in held for one in identities for held in book.held):
                    leavers.append(member.contact_id)
        except IncompleteListError as error:
            raise DotdigitalError(
                f"Nobody was taken out of an address book: {error.message}. Run it again while "
                "nothing else changes the address book"
            ) from None
        if len(leavers) * 100 > book.max_removal_percent * members:
            raise DataError(
                f"Nobody was taken out of an address book: of the {members} contacts in address "
                f"book {number}, {len(leavers)} are missing in {', '.join(book.streams)}. That is "
                f"more than max_removal_percent ({book.max_removal_percent}): if the stream is "
                "right, raise that setting for one run"
            )
        if not leavers:
            _logger.info("Mirror of address book %d: all %d contacts stay", number, members)
        return leavers

    def _go_on(self) -> None:
        if self.is_stopping():
            raise AbandonedError("The run is stopped before every contact has left")
