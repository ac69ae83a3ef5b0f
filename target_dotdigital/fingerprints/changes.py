"""What a run changes of fingerprints, as it is kept in the file, and what it will change."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from array import array

CONTACTS, OTHERS = 0, 1
"""What a change is about: a contact, or another identifier of one."""

WIDTHS = {CONTACTS: 3, OTHERS: 2}
"""How many hashes a change has: contact, what was sent, the row's line; identifier, contact."""


class Change(NamedTuple):
    """What was put into a stream's fingerprints, one after the other."""

    kind: int
    hashes: array[int]

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self.hashes) // WIDTHS[self.kind]


class Trace(NamedTuple):
    """What is kept of a contact once the row that it was sent for is settled."""

    contact: int
    """The hash of its match identifier."""
    others: tuple[int, ...]
    """The hashes of its other identifiers."""
    body: int
    """The hash of what was sent."""
    line: int
    """The hash of the row's line; 0 if it does not matter."""
