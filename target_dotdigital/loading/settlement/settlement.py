"""A settlement: what became of each contact of a load."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from operator import iadd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_dotdigital.mapping import Contact


@dataclass(slots=True)
class Settlement:
    """What became of a load's contacts.

    All of them are in exactly one of `imported`, `left`, `deleted`, `unknown`, `left_out`,
    `rejected` and `unnamed`.
    """

    imported: list[Contact] = field(default_factory=list)
    new: list[Contact] = field(default_factory=list)
    """Of the imported ones: those that the report says were new to the account."""
    updated: list[Contact] = field(default_factory=list)
    """Of the imported ones: those that the report says were there."""
    left: list[Contact] = field(default_factory=list)
    """Contacts that have left the address book."""
    deleted: list[Contact] = field(default_factory=list)
    """Contacts that were deleted from the account."""
    unknown: list[Contact] = field(default_factory=list)
    """Contacts that were to leave, and are not there."""
    left_out: list[Contact] = field(default_factory=list)
    """Contacts that have opted out, are not known to the account, and were not to be created."""
    rejected: list[tuple[Contact, str]] = field(default_factory=list)
    """Contacts with their reject codes."""
    unnamed: list[Contact] = field(default_factory=list)
    """Contacts of which Dotdigital says how many were refused, and not which."""
    unnamed_codes: Counter[str] = field(default_factory=Counter)
    """How many of `unnamed` were refused, by reject code; the others were imported."""
    warnings: list[tuple[Contact, str]] = field(default_factory=list)
    """Imported contacts of which a part was refused, with its code."""
    unmatched: Counter[str] = field(default_factory=Counter)
    """Failures of contacts that were not sent, by code."""
    ids: list[tuple[Contact, int]] = field(default_factory=list)
    """Contact IDs that a report names, of contacts that a mirror keeps."""

    def add(self, other: Settlement) -> None:
        """Take another part of the same import in.

        Args:
            other: What became of the contacts of that part.
        """
        for part in fields(self):
            # Each is a list or a Counter, and grows in place.
            iadd(getattr(self, part.name), getattr(other, part.name))

    @property
    def written(self) -> int:
        """How many contacts were imported, named or not."""
        return len(self.imported) + len(self.unnamed) - sum(self.unnamed_codes.values())

    def by_arrival(self) -> tuple[list[Contact], list[Contact]]:
        """Return the contacts of which all was imported, and those of which it is not known."""
        in_part = {id(contact) for contact, _ in self.warnings}
        whole = self.imported
        if in_part:
            whole = [each for each in whole if id(each) not in in_part]
        others = [contact for contact, _ in (*self.warnings, *self.rejected)]
        return whole, [*others, *self.unnamed]

    @property
    def codes(self) -> Counter[str]:
        """How many contacts were refused, by reject code."""
        return Counter(code for _, code in self.rejected) + self.unnamed_codes
