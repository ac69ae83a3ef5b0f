"""What became of a stream's rows: their counts, and the stream's line of the summary."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from target_dotdigital.mapping.contacts.limits import MAX_FRACTION_DIGITS

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_REJECT_GROUPS: Final = 200
"""Groups of a stream's rejects that are counted apart. Further ones are counted by code alone."""


class RejectGroup(NamedTuple):
    """What rejected rows have in common: names, never a record's value."""

    code: str
    property: str | None = None
    rule: str | None = None


@dataclass(slots=True)
class StreamCounts:
    """The rows of one stream, under its name after stream maps."""

    stream: str
    read: int = 0
    imported: int = 0
    new: int = 0
    """Of the imported rows: those whose contact was new to the account, if Dotdigital says so."""
    updated: int = 0
    """Of the imported rows: those whose contact was in the account, if Dotdigital says so."""
    collapsed: int = 0
    unchanged: int = 0
    """Rows of contacts that are as they were last settled, so that nothing had to be sent."""
    skipped: int = 0
    """Rows that write nothing: of streams that are not loaded, filtered out, or of a removal."""
    left: int = 0
    """Of the skipped rows: those whose contact has left the address book."""
    deleted: int = 0
    """Of the skipped rows: those whose contact was deleted from the account."""
    unknown: int = 0
    """Of the skipped rows: those whose contact was to leave, and was not there."""
    filtered: int = 0
    """Of the skipped rows: those that a stream map filtered out."""
    ignored: int = 0
    """Of the skipped rows: those marked as deleted, which `on_delete: ignore` leaves alone."""
    opted_out_new: int = 0
    """Of the skipped rows: those whose contact was unknown to the account, and has opted out."""
    sends_changes: bool = False
    """Whether rows can be unchanged: `send` is `changes`."""
    address_books: dict[int, None] = field(default_factory=dict)
    """The IDs of the address books that its contacts join; negative if they are yet to be made."""
    is_loaded: bool = False
    """Whether its rows become contacts."""
    not_loaded_because: str | None = None
    """Why it is not loaded; None if it is, or is left out on purpose."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Rows by reject code."""
    reject_groups: Counter[RejectGroup] = field(default_factory=Counter)
    """The same rows by code, property and rule."""
    warnings: Counter[str] = field(default_factory=Counter)
    """Contacts that were imported without one of their parts, by Dotdigital's code."""
    rounded: Counter[str] = field(default_factory=Counter)
    """Rows by the data field for which a number lost decimals."""
    opted_out: Counter[str] = field(default_factory=Counter)
    """Rows by the channel that they opt out of."""

    def note_mapped(self, rounded: Mapping[str, int], opted_out: Mapping[str, int]) -> None:
        """Count rows whose numbers were rounded, and rows that opt out.

        Args:
            rounded: How many of the first there are, by data field.
            opted_out: How many of the second there are, by channel.
        """
        for counts, rows in ((self.rounded, rounded), (self.opted_out, opted_out)):
            for name, count in rows.items():
                if count:
                    counts[name] += count

    def note_filtered(self) -> None:
        """Count a row that a stream map filters out."""
        self.skipped += 1
        self.filtered += 1

    def note_ignored(self) -> None:
        """Count a row that is marked as deleted, and left alone."""
        self.skipped += 1
        self.ignored += 1

    def note_address_book(self, address_book_id: int | None) -> None:
        """Take note of an address book that contacts join.

        Args:
            address_book_id: Its ID; None if they join none.
        """
        if address_book_id is not None:
            self.address_books[address_book_id] = None

    def reject(self, group: RejectGroup, rows: int = 1) -> None:
        """Count rejected rows.

        Args:
            group: What they have in common.
            rows: How many they are.
        """
        self.rejected[group.code] += rows
        if len(self.reject_groups) >= MAX_REJECT_GROUPS and group not in self.reject_groups:
            group = RejectGroup(group.code)
        self.reject_groups[group] += rows

    @property
    def not_loaded(self) -> int:
        """Of the skipped rows: those that came while the stream was not loaded."""
        departed = self.left + self.deleted + self.unknown
        return self.skipped - departed - self.filtered - self.ignored - self.opted_out_new

    @property
    def rejected_total(self) -> int:
        """Rejected rows, whatever the code."""
        return sum(self.rejected.values())

    @property
    def settled(self) -> int:
        """Rows whose fate is known."""
        written = self.imported + self.collapsed + self.unchanged
        return written + self.skipped + self.rejected_total

    @property
    def unsettled(self) -> int:
        """Rows that were read and whose fate is not known."""
        return self.read - self.settled

    def summary(self) -> str:
        """Return the stream's line of the summary: counts and codes, nothing of a record."""
        line = (
            f"Stream '{self.stream}': read {self.read} = imported {self.imported} + rejected "
            f"{self.rejected_total} + collapsed {self.collapsed} + skipped {self.skipped}"
        )
        if self.sends_changes:
            line += f" + unchanged {self.unchanged}"
        if self.unsettled:
            line += f" + unsettled {self.unsettled}"
        if self.rejected:
            line += f"; rejected by code: {_listed(self.rejected)}"
        if self.warnings:
            line += f"; imported without a refused part: {_listed(self.warnings)}"
        if self.left:
            line += f"; left the address book {self.left}"
        if self.deleted:
            line += f"; deleted {self.deleted}"
        if self.unknown:
            line += f"; not found to remove {self.unknown}"
        if self.opted_out:
            line += f"; opted out by channel: {_listed(self.opted_out)}"
        if self.opted_out_new:
            line += f"; opted out and not created {self.opted_out_new}"
        return line

    def rounding(self) -> str | None:
        """Return the line that counts rounded numbers; None if there are none."""
        if not self.rounded:
            return None
        rows = ", ".join(
            f"{name} {rows_in_words(each)}" for name, each in sorted(self.rounded.items())
        )
        return (
            f"Stream '{self.stream}': numbers were rounded to {MAX_FRACTION_DIGITS} decimals: "
            f"{rows}. To reject such rows, set exact_numbers: true"
        )


def rows_in_words(rows: int) -> str:
    """Return a number of rows in words, such as `1 row`.

    Args:
        rows: How many there are.
    """
    return f"{rows} {'row' if rows == 1 else 'rows'}"


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{code} {count}" for code, count in sorted(counts.items()))
