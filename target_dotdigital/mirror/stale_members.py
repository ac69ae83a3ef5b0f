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
        label: What messages call the address book; empty if it does not exist yet.
    """

    address_book: MirroredAddressBook
    members: int = 0
    contact_ids: array[int] = field(default_factory=lambda: array("q"), repr=False)
    is_waiting: bool = False
    left: int = 0
    undo_file: Path | None = None
    label: str = ""

    @override
    def __str__(self) -> str:
        """Return how many there are, for messages."""
        return f"{len(self.contact_ids)} of {self.members} contacts ({self.percent:g} %)"

    @property
    def percent(self) -> float:
        """The share of them, rounded up: what is over a limit must not look like it."""
        return -(-len(self.contact_ids) * 1000 // max(self.members, 1)) / 10

    @property
    def is_too_many(self) -> bool:
        """Whether they are more than may leave."""
        return len(self.contact_ids) * 100 > self.address_book.max_removal_percent * self.members

    def check(self, *, is_dry_run: bool = False) -> None:
        """Make sure that they may leave.

        Args:
            is_dry_run: Whether nobody would leave anyway.

        Raises:
            DataError: They are too many.
        """
        if not self.is_too_many:
            return
        streams = ", ".join(f"stream '{name}'" for name in self.address_book.streams)
        limit = self.address_book.max_removal_percent
        if is_dry_run:
            raise DataError(
                f"A real run would be refused: {self} of {self.label} are not in {streams}, more "
                f"than the limit of {limit} % (max_removal_percent). If the stream is right, raise "
                "the limit for one run"
            )
        raise DataError(
            f"No contact was removed from an address book: {self} of {self.label} are not in "
            f"{streams}, more than the limit of {limit} % (max_removal_percent). If the stream is "
            "right, raise the limit for one run"
        )
