"""Performing mirrors: who is to leave is found, recorded, and taken out. In a worker thread."""

from __future__ import annotations

import logging
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from typing_extensions import override

from target_dotdigital.account import (
    IncompleteListError,
    find_address_book,
    identities_of,
    read_members,
)
from target_dotdigital.api import CONTACT_PAGE
from target_dotdigital.errors import AbandonedError, DataError, DotdigitalError
from target_dotdigital.loading import Settlement
from target_dotdigital.mirror.undo_file import write_undo_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from target_dotdigital.api import Client
    from target_dotdigital.loading import Remover
    from target_dotdigital.mapping import Contact
    from target_dotdigital.mirror.membership import MirroredBook

_logger = logging.getLogger("target-dotdigital.mirror")


@dataclass(slots=True)
class Leavers:
    """Who is in an address book, and not in the streams that mirror it."""

    book: MirroredBook
    members: int = 0
    """How many contacts are in it."""
    contact_ids: array[int] = field(default_factory=lambda: array("q"), repr=False)
    """Those who are to leave."""
    waits: bool = False
    """Nobody leaves, because another stream that mirrors it has not come."""
    left: int = 0
    """How many of them are known to have left."""
    undo_file: Path | None = None

    @override
    def __str__(self) -> str:
        """Return how many leave, for messages."""
        return f"{len(self.contact_ids)} of {self.members} contacts"

    @property
    def is_too_many(self) -> bool:
        """Whether more of them would leave than may."""
        return len(self.contact_ids) * 100 > self.book.max_removal_percent * self.members

    def check(self) -> None:
        """Make sure that they may leave.

        Raises:
            DataError: They are too many.
        """
        if self.is_too_many:
            raise DataError(
                f"Nobody was taken out of an address book: of the {self.members} contacts in "
                f"address book {self.book.address_book_id}, {len(self.contact_ids)} did not come "
                f"in {_listed(self.book.streams)}. That is more than max_removal_percent "
                f"({self.book.max_removal_percent}): if the stream is right, raise that setting "
                "for one run"
            )


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
    found: list[Leavers] = field(default_factory=list)
    """What has become of each address book so far."""
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
        for book in self.books:
            leavers = self.find(client, book)
            leavers.check()
        due = [each for each in self.found if each.contact_ids]
        # Before anybody leaves, and all of them: the run may be killed at any moment.
        for each in due:
            number = each.book.address_book_id
            each.undo_file = write_undo_file(self.folder, number, each.contact_ids)
            _logger.info(
                "Mirror of address book %d: takes %s out; their IDs are kept in %s",
                number,
                each,
                each.undo_file,
            )
        for each in due:
            number = each.book.address_book_id
            for start in range(0, len(each.contact_ids), CONTACT_PAGE):
                self._go_on()
                part = each.contact_ids[start : start + CONTACT_PAGE].tolist()
                remover.remove(number, part)
                each.left += len(part)
            _logger.info(
                "Mirror of address book %d: took %s out. To put them back, load %s with "
                "match_identifier contactId and address_book %d",
                number,
                each,
                each.undo_file,
                number,
            )
        return Settlement()

    def find(self, client: Client, book: MirroredBook) -> Leavers:
        """Find out who is to leave an address book, and note it.

        Args:
            client: Calls Dotdigital.
            book: The address book.

        Raises:
            AbandonedError: The run was asked to end.
            TargetDotdigitalError: It is not known who is in it.
        """
        number = book.address_book_id
        leavers = Leavers(book)
        self.found.append(leavers)
        if {number, find_address_book(client, number).name} & book.absent_keys:
            leavers.waits = True
            _logger.warning(
                "Mirror of address book %d: nobody leaves it, because another stream that mirrors "
                "it has not come",
                number,
            )
            return leavers
        try:
            for member in read_members(client, number, on_page=self._go_on):
                leavers.members += 1
                identities = identities_of(member.identifiers, member.contact_id)
                if not any(one in held for one in identities for held in book.held):
                    leavers.contact_ids.append(member.contact_id)
        except IncompleteListError as error:
            raise DotdigitalError(
                f"Nobody was taken out of an address book: {error.message}. Run it again while "
                "nothing else changes the address book"
            ) from None
        if not leavers.contact_ids:
            _logger.info("Mirror of address book %d: all %d contacts stay", number, leavers.members)
        return leavers

    def _go_on(self) -> None:
        if self.is_stopping():
            raise AbandonedError("The run is stopped before every contact has left")


def _listed(streams: Iterable[str]) -> str:
    return ", ".join(f"stream '{name}'" for name in streams)
