"""Performing mirrors: who is to leave is found, recorded, and taken out. In a worker thread."""

from __future__ import annotations

import logging
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from typing_extensions import override

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
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from target_dotdigital.client import Client
    from target_dotdigital.contacts import Contact
    from target_dotdigital.membership import MirroredBook
    from target_dotdigital.remover import Remover

_logger = logging.getLogger("target-dotdigital.mirror")


@dataclass(frozen=True, slots=True)
class Leavers:
    """Who is to leave an address book."""

    contact_ids: array[int]
    members: int
    """How many are in it."""

    @override
    def __str__(self) -> str:
        """Return how many leave, for messages."""
        return f"{len(self.contact_ids)} of {self.members} contacts"


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
        leavers: dict[int, Leavers] = {}
        for book in self.books:
            found = self._find_leavers(client, book)
            if found.contact_ids:
                leavers[book.address_book_id] = found
        # Before anybody leaves, and all of them: the run may be killed at any moment.
        files: dict[int, Path] = {}
        for number, found in leavers.items():
            files[number] = write_undo_file(self.folder, number, found.contact_ids)
            _logger.info(
                "Mirror of address book %d: takes %s out; their IDs are kept in %s",
                number,
                found,
                files[number],
            )
        for number, found in leavers.items():
            for start in range(0, len(found.contact_ids), CONTACT_PAGE):
                self._go_on()
                remover.remove(number, found.contact_ids[start : start + CONTACT_PAGE].tolist())
            _logger.info(
                "Mirror of address book %d: took %s out. To put them back, load %s with "
                "match_identifier contactId and address_book %d",
                number,
                found,
                files[number],
                number,
            )
        return Settlement()

    def _find_leavers(self, client: Client, book: MirroredBook) -> Leavers:
        number = book.address_book_id
        leavers = array("q")
        if {number, find_address_book(client, number).name} & book.absent_keys:
            _logger.warning(
                "Mirror of address book %d: nobody leaves it, because another stream that mirrors "
                "it has not come",
                number,
            )
            return Leavers(leavers, 0)
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
                f"book {number}, {len(leavers)} did not come in {_listed(book.streams)}. That is "
                f"more than max_removal_percent ({book.max_removal_percent}): if the stream is "
                "right, raise that setting for one run"
            )
        if not leavers:
            _logger.info("Mirror of address book %d: all %d contacts stay", number, members)
        return Leavers(leavers, members)

    def _go_on(self) -> None:
        if self.is_stopping():
            raise AbandonedError("The run is stopped before every contact has left")


def _listed(streams: Iterable[str]) -> str:
    return ", ".join(f"stream '{name}'" for name in streams)
