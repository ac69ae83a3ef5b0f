"""The stale members of an address book: those that the streams that mirror it lack."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from typing_extensions import override

from target_dotdigital.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from target_dotdigital.mirror.mirrors import MirroredAddressBook


@dataclass(slots=True)
class StaleMembers:
    """The stale members of one address book, and what has become of them.

    Attributes:
        address_book: The address book.
        members: The number of contacts in it, stale or not.
        contact_ids: The stale ones, who are to leave.
        is_waiting: Whether they stay, because another stream that mirrors it has not come.
        left: The number of them that are known to have left.
        undo_file: The file that puts them back, once it is written.
    """

    address_book: MirroredAddressBook
    members: int = 0
    contact_ids: array[int] = field(default_factory=lambda: array("q"), repr=False)
    is_waiting: bool = False
    left: int = 0
    undo_file: Path | None = None

    @override
    def __str__(self) -> str:
        """Return how many there are, for messages."""
        return f"{len(self.contact_ids)} of {self.members} contacts"

    @property
    def is_too_many(self) -> bool:
        """Whether they are more than may leave."""
        return len(self.contact_ids) * 100 > self.address_book.max_removal_percent * self.members

    def check(self) -> None:
        """Make sure that they may leave.

        Raises:
            DataError: They are too many.
        """
        if self.is_too_many:
            streams = ", ".join(f"stream '{name}'" for name in self.address_book.streams)
            raise DataError(
                f"Nobody was taken out of an address book: of the {self.members} contacts in "
                f"address book {self.address_book.address_book_id}, {len(self.contact_ids)} did "
                f"not come in {streams}. That is more than max_removal_percent "
                f"({self.address_book.max_removal_percent}): if the stream is right, raise that "
                "setting for one run"
            )
