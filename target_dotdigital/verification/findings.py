"""What a verification has found: counts, and nothing of a contact."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class PlaceFindings:
    """The contacts of one address book, of the account without one, or of all together.

    Attributes:
        in_the_stream: Those that it has there: `as_it_should_be`, `differing` and `missing`.
        as_it_should_be: They are there, with the stream's values.
        differing: They are there, with other values.
        missing: They are not there.
        not_in_the_account: Of the missing ones, those that are not in the account at all.
        opted_out: Of those in the stream, those that have opted out, be they there or missing.
        extra: They are in a mirrored address book, and the stream does not hold them.
        still_there: Their rows are marked as deleted, and they have not left.
    """

    in_the_stream: int = 0
    as_it_should_be: int = 0
    differing: int = 0
    missing: int = 0
    not_in_the_account: int = 0
    opted_out: int = 0
    extra: int = 0
    still_there: int = 0

    @property
    def is_right(self) -> bool:
        """Whether everyone is there as the stream has them, and nobody else."""
        return not (self.differing or self.missing or self.extra or self.still_there)


@dataclass(slots=True)
class Findings:
    """What a verification has found.

    Attributes:
        all: All contacts, each counted once.
        places: The same by the ID of an address book; `ACCOUNT` for contacts without one.
        names: The names of address books, by ID. That which rows alone name has none here.
        differing: By what differs, for how many contacts.
        compared: How many contacts were looked for, those that should have left included.
        rejected: Rows that could not become a contact, so that nobody can be looked for.
        problems: Why something could not be compared.
        is_done: Whether the comparison came to its end.
    """

    all: PlaceFindings = field(default_factory=PlaceFindings)
    places: dict[int, PlaceFindings] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    differing: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    rejected: int = 0
    problems: list[str] = field(default_factory=list)
    is_done: bool = False

    def place(self, address_book_id: int) -> PlaceFindings:
        """Return what was found of an address book.

        Args:
            address_book_id: Its ID, or `ACCOUNT`.
        """
        return self.places.setdefault(address_book_id, PlaceFindings())

    @property
    def is_empty(self) -> bool:
        """Whether there was nobody to look for."""
        return not (self.compared or self.all.extra or self.rejected or self.problems)

    @property
    def is_right(self) -> bool:
        """Whether everything is as the stream has it, and known to be."""
        is_known = self.is_done and not self.is_empty and not self.problems
        return is_known and not self.rejected and self.all.is_right

    def reasons(self) -> list[str]:
        """Return why it is not, in a few words each."""
        found = self.all
        counted = (
            (found.missing, "missing"),
            (found.differing, "with other values"),
            (found.extra, "in a mirrored address book, but not in the stream"),
            (found.still_there, "still there although their rows are marked as deleted"),
        )
        told = [f"{count:,} {_contacts(count)} {what}" for count, what in counted if count]
        if self.rejected:
            rows = "row" if self.rejected == 1 else "rows"
            told.append(f"{self.rejected:,} rejected {rows} that cannot be looked for")
        return [*told, *self.problems]


def _contacts(count: int) -> str:
    return "contact" if count == 1 else "contacts"
