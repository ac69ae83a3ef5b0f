"""What arrived in each address book, who is missing, and why: the first view of a page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from target_dotdigital.loading import reason_in_words
from target_dotdigital.report.model import StreamPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_dotdigital.dry_run import AddressBookNumbers, MirrorNumbers, Plan
    from target_dotdigital.report.model import (
        AddressBookReport,
        Destination,
        MirrorReport,
        Report,
        StreamReport,
    )


_CHANNELS: Final = {"email": "of e-mail", "sms": "of SMS", "whatsApp": "of WhatsApp"}


class Part(NamedTuple):
    """Some of the rows that have something in common."""

    rows: int
    words: str
    """What they have or are; it follows the number."""
    more: str = ""
    """Names and codes, for those who look into it."""


@dataclass
class Arrivals:
    """What became, or would become, of the rows of all streams that are loaded into one place."""

    into: Destination | None
    """None for a stream that is not loaded."""
    streams: list[StreamReport | StreamPlan] = field(default_factory=list)
    books: list[AddressBookReport] = field(default_factory=list)
    """The address book; or those that the rows of a stream name."""
    mirrors: list[MirrorReport] = field(default_factory=list)

    @property
    def read(self) -> int:
        """All rows."""
        return sum(each.read for each in self.streams)

    @property
    def arrived(self) -> list[Part]:
        """Rows that were imported, or would be sent."""
        new = updated = imported = 0
        for each in self.streams:
            if isinstance(each, StreamPlan):
                imported += each.valid
            else:
                new, updated = new + each.new, updated + each.updated
                imported += each.imported - each.new - each.updated
        return _parts(
            (new, "new in your account"),
            (updated, "already in your account, and updated"),
            (imported, "new or updated: Dotdigital does not say which"),
        )

    @property
    def joined(self) -> int:
        """Rows that were joined with a later row of the same person."""
        return sum(each.collapsed for each in self.streams)

    @property
    def unchanged(self) -> int:
        """Rows that are as they were last loaded, so that nothing had to be sent."""
        return sum(each.unchanged for each in self.streams)

    @property
    def missing(self) -> list[Part]:
        """Rows that should have arrived, and did not: the most frequent reason first."""
        found: Counter[tuple[str, str | None, str | None]] = Counter()
        for each in self.streams:
            for group in each.reject_groups:
                found[group.code, group.property, group.rule] += group.rows
        parts = [
            Part(rows, reason_in_words(code, rule, rows), _detail(code, name))
            for (code, name, rule), rows in found.most_common()
        ]
        unsettled = sum(each.unsettled for each in self.streams)
        words = "not confirmed by Dotdigital: the run ended before. The next run sends them again"
        parts += _parts((unsettled, words))
        for each in self.streams:
            if each.not_loaded and each.not_loaded_because is not None:
                parts.append(Part(each.not_loaded, f"not loaded: {each.not_loaded_because}"))
        return parts

    @property
    def left_out(self) -> list[Part]:
        """Rows that were not to arrive."""
        left = deleted = not_there = filtered = ignored = opted_out = meant = 0
        for each in self.streams:
            if isinstance(each, StreamPlan):
                left, deleted = left + each.would_leave, deleted + each.would_be_deleted
            else:
                left, deleted = left + each.left, deleted + each.deleted
                not_there += each.not_there
            filtered, ignored = filtered + each.filtered, ignored + each.ignored_deletions
            opted_out += each.opted_out_new
            meant += each.not_loaded if each.not_loaded_because is None else 0
        return _parts(
            (left, "marked as deleted, to leave the address book"),
            (deleted, "marked as deleted, to be deleted from your account"),
            (not_there, "marked as deleted, and not there any more"),
            (ignored, "marked as deleted, and not sent (on_delete: ignore)"),
            (filtered, "filtered out by your stream map"),
            (opted_out, "opted out, new to your account, and not created (opt_out_new: skip)"),
            (meant, "of a stream that you skip on purpose"),
        )

    @property
    def opted_out(self) -> list[Part]:
        """Rows that opt out, by channel."""
        found: Counter[str] = Counter()
        for each in self.streams:
            found.update(each.opted_out)
        return _parts(*((found[channel], words) for channel, words in _CHANNELS.items()))

    @property
    def departed(self) -> int:
        """People who left the address book: for a mark in the row, or because of the mirror."""
        by_rows = sum(getattr(each, "left", 0) for each in self.streams)
        return by_rows + sum(each.left for each in self.mirrors)


def arrivals(report: Report) -> list[Arrivals]:
    """Return what arrived in each address book, the largest first, and what was not loaded last.

    Args:
        report: The report.
    """
    found: dict[object, Arrivals] = {}
    for stream in report.streams:
        books = [each for each in report.address_books if stream.stream in each.streams]
        one = stream.loaded_into == "address_book" and len(books) == 1
        place: object = (books[0].id, books[0].name) if one else stream.loaded_into
        if stream.loaded_into == "address_books_of_rows":
            place = stream.stream
        ids = {each.id for each in books}
        mirrors = [each for each in report.mirrors or () if each.address_book in ids]
        group = found.setdefault(place, Arrivals(stream.loaded_into, [], books, mirrors))
        group.streams.append(stream)
    return sorted(found.values(), key=lambda each: (each.into is None, -each.read))


class Forecast(NamedTuple):
    """What a real run would do to an address book. None stands for what is not known."""

    id: int | None
    name: str | None
    members: int | None
    """How many contacts it has now."""
    new: int | None
    updated: int | None
    joining: int | None
    leaving: int | None
    after: int | None
    """How many contacts it would have."""
    mirror: MirrorNumbers | None


def forecasts(plan: Plan, books: Iterable[AddressBookReport]) -> list[Forecast]:
    """Return what a real run would do to each address book.

    Args:
        plan: The plan of a dry run.
        books: The address books, with the contacts that they have now.
    """
    sizes = {(each.id, each.name): each.before for each in books}
    leaving = {
        (each.address_book, each.name): each.there_now
        for each in plan.leaving
        if not each.is_deletion
    }
    mirrors = {(each.address_book, each.name): each for each in plan.mirrors}
    found = []
    for numbers in plan.address_books:
        key = (numbers.address_book, numbers.name)
        found.append(_forecast(key, numbers, sizes.get(key), leaving, mirrors.pop(key, None)))
    known = {(each.id, each.name) for each in found}
    others = [key for key in dict.fromkeys((*leaving, *mirrors)) if key not in known]
    found += [_forecast(key, None, sizes.get(key), leaving, mirrors.get(key)) for key in others]
    return found


def _forecast(
    key: tuple[int | None, str | None],
    numbers: AddressBookNumbers | None,
    size: int | None,
    leaving: Mapping[tuple[int | None, str | None], int | None],
    mirror: MirrorNumbers | None,
) -> Forecast:
    acts = mirror is not None and not mirror.is_refused and not mirror.waits
    members = mirror.members if mirror is not None and not mirror.waits else size
    # Those who are marked as deleted are among those whom a mirror takes out.
    leaves = mirror.would_leave if mirror is not None and acts else leaving.get(key, 0)
    new, updated = (0, 0) if numbers is None else (numbers.new, numbers.updated)
    members_joining = 0 if numbers is None else numbers.updated_joining
    joins = None if new is None or members_joining is None else new + members_joining
    is_known = members is not None and joins is not None and leaves is not None
    return Forecast(
        id=key[0],
        name=key[1],
        members=members,
        new=new,
        updated=updated,
        joining=joins,
        leaving=leaves,
        after=(members or 0) + (joins or 0) - (leaves or 0) if is_known else None,
        mirror=mirror,
    )


def _parts(*given: tuple[int, str]) -> list[Part]:
    return [Part(rows, words) for rows, words in given if rows]


def _detail(code: str, name: str | None) -> str:
    return code if name is None else f"column {name}, {code}"
