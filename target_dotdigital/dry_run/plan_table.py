"""A plan for people to read: tables in colour on a terminal, plain text elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from target_dotdigital.terminal import cell, heading, lines, percent, table, text, text_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table
    from rich.text import Text

    from target_dotdigital.dry_run.plan import MirrorNumbers, Numbers, Plan
    from target_dotdigital.mapping import StreamCounts

MAX_ADDRESS_BOOKS = 50
"""Rows can name any number of them. The report has them all."""

_MINUTE, _HOUR = 60, 3600


def plan_table(plan: Plan, streams: Sequence[StreamCounts], failure: str | None) -> str:
    """Return the plan as text for standard error, a line break at its end.

    Args:
        plan: The plan.
        streams: The rows that were read.
        failure: Why the run did not end well; None if it did.
    """
    parts: list[Table | Text] = [heading("Plan of a dry run. Nothing was written to Dotdigital.")]
    if failure is not None and any(each.is_refused for each in plan.mirrors):
        parts += lines(f"The plan covers everything that was read. {failure}")
    elif failure is not None:
        parts += lines(f"The plan covers what was read until the dry run failed: {failure}")
    imports = (
        f"Imports: {plan.imports:,} (contacts {plan.contacts_in_imports:,}, bytes "
        f"{plan.import_bytes:,}). They take {time_range(plan.seconds)}."
    )
    tiers = [(tier, each.at_least, each.at_most) for tier, each in plan.calls_by_tier.items()]
    parts += [text(""), *_rows(streams), text("")]
    parts += [*lines(*_creations(plan)), text(""), *_people(plan), text("")]
    if mirrors := [_mirror(each) for each in plan.mirrors]:
        parts += [heading("Mirrors"), *lines(*mirrors), text("")]
    parts += [*lines(imports), table(("Calls", "at least", "at most"), tiers), text("")]
    parts += lines(*(f"- {note}" for note in plan.notes))
    return text_for(sys.stderr, *parts)


def _rows(streams: Sequence[StreamCounts]) -> Iterator[Table | Text]:
    heads: tuple[str, ...] = ("Rows", "read", "valid", "rejected", "collapsed", "skipped")
    rows: list[tuple[object, ...]] = [
        (each.stream, each.read, each.imported, each.rejected_total, each.collapsed, each.skipped)
        for each in streams
    ]
    if any(each.sends_changes for each in streams):
        heads = (*heads, "unchanged")
        rows = [(*row, each.unchanged) for row, each in zip(rows, streams, strict=True)]
    yield table(heads, rows)
    for each in streams:
        if each.rejected:
            codes = ", ".join(f"{code} {count:,}" for code, count in sorted(each.rejected.items()))
            share = percent(each.rejected_total, each.read)
            yield text(f"Rejected of {each.stream}: {share}, by code: {codes}")
        if each.opted_out:
            outs = ", ".join(f"{name} {count:,}" for name, count in sorted(each.opted_out.items()))
            yield text(f"Opted out of {each.stream}, by channel: {outs}")
        if each.opted_out_new:
            yield text(f"Opted out of {each.stream}, and not created: {each.opted_out_new:,}")


def _creations(plan: Plan) -> Iterator[str]:
    creates = plan.creates
    if not creates.address_books and not creates.address_books_of_rows and not creates.data_fields:
        yield "Would be created: nothing."
        return
    yield "Would be created"
    for name in creates.address_books:
        yield f"  address book '{name}'"
    if creates.address_books_of_rows:
        yield f"  {creates.address_books_of_rows:,} address books that rows name"
    for field in creates.data_fields:
        yield f"  data field {field.name} ({field.type}, from the schema of {field.stream})"


def _people(plan: Plan) -> Iterator[Table | Text]:
    """Yield what becomes of people, by address book; those who leave are not among the others."""
    deleted = [each for each in plan.leaving if each.is_deletion]
    leaving = {
        (each.address_book, each.name): each.there_now
        for each in plan.leaving
        if not each.is_deletion
    }
    for mirror in plan.mirrors:
        key = (mirror.address_book, mirror.name)
        would_leave = 0 if mirror_obstacle(mirror) else mirror.would_leave
        before = leaving.get(key, 0)
        leaving[key] = None if before is None else before + would_leave
    rows: list[Sequence[object]] = []
    for book in plan.address_books:
        joining = (
            None
            if book.new is None or book.updated_joining is None
            else book.new + book.updated_joining
        )
        key = (book.address_book, book.name)
        leave = leaving.pop(key, 0)
        rows.append((address_book_label(*key), book.new, book.updated, joining, leave))
    rows += [(address_book_label(*key), 0, 0, 0, each) for key, each in leaving.items()]
    total = plan.contacts
    account = ("whole account", total.new, total.updated, "", "")
    heads = ("People", "would be new", "would be updated", "would join", "would leave")
    yield table(heads, [account, *rows[:MAX_ADDRESS_BOOKS]])
    if (more := len(rows) - MAX_ADDRESS_BOOKS) > 0:
        yield text(f"and {more:,} more address books")
    if total.updated and plan.unchanged is not None:
        yield text(
            f"Of the {total.updated:,} people who would be updated, {plan.unchanged:,} have "
            "everything already: for them nothing changes"
        )
    for each in deleted:
        yield text(
            f"Would be deleted from the account: {cell(each.there_now)} of {each.contacts:,} "
            "people whose rows are marked as deleted"
        )


def _mirror(mirror: MirrorNumbers) -> str:
    label = address_book_label(mirror.address_book, mirror.name)
    obstacle = mirror_obstacle(mirror)
    return (
        f"  {label}: {mirror.would_leave:,} of {mirror.members:,} people would leave "
        f"({percent(mirror.would_leave, mirror.members)}); max_removal_percent allows "
        f"{mirror.max_removal_percent} %" + (f". {obstacle}" if obstacle else "")
    )


def mirror_obstacle(mirror: MirrorNumbers) -> str:
    """Return why no one would leave an address book; nothing if they would.

    Args:
        mirror: What would become of it.
    """
    if mirror.is_refused:
        return "Refused: the run would fail, and no one would leave"
    return "No one leaves before another stream of this mirror has come" if mirror.waits else ""


def time_range(seconds: Numbers) -> str:
    """Return a range of time in words.

    Args:
        seconds: The range, in seconds.
    """
    least, most = _time(seconds.at_least), _time(seconds.at_most)
    return f"about {least}" if least == most else f"{least} to {most}"


def _time(seconds: int) -> str:
    if seconds < 2 * _MINUTE:
        return f"{seconds} s"
    if seconds < 2 * _HOUR:
        return f"{-(-seconds // _MINUTE)} min"
    return f"{seconds / _HOUR:.1f} h"


def address_book_label(number: int | None, name: str | None) -> str:
    """Return what an address book is called, such as `'Newsletter' (ID 102)`.

    Args:
        number: Its ID; None if it would be created.
        name: Its name; None if it is not known, or a record's.
    """
    if number is None:
        return "new ones that rows name" if name is None else f"'{name}' (new)"
    return f"ID {number}" if name is None else f"'{name}' (ID {number})"
