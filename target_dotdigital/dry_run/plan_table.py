"""A plan as a table for people to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.verification import aligned, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_dotdigital.dry_run.plan import MirrorNumbers, Numbers, Plan
    from target_dotdigital.mapping import StreamCounts

MAX_ADDRESS_BOOKS = 50
"""Rows can name any number of them. The report has them all."""

_MINUTE, _HOUR = 60, 3600


def plan_table(plan: Plan, streams: Sequence[StreamCounts], failure: str | None) -> str:
    """Return the table, a line break at its end.

    Args:
        plan: The plan.
        streams: The rows that were read.
        failure: Why the run did not end well; None if it did.
    """
    sections = [
        ["Plan of a dry run. Nothing was written to Dotdigital."],
        [] if failure is None else [f"It is of what was read until the end: {one_line(failure)}"],
        _rows(streams),
        _creates(plan),
        _contacts(plan),
        _leaving(plan),
        _mirrors(plan),
        _calls(plan),
        [f"- {one_line(note)}" for note in plan.notes],
    ]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _rows(streams: Sequence[StreamCounts]) -> list[str]:
    heads = ("Rows", "read", "valid", "rejected", "collapsed", "skipped")
    rows = [
        (each.stream, each.read, each.imported, each.rejected_total, each.collapsed, each.skipped)
        for each in streams
    ]
    lines = aligned(heads, rows)
    for each in streams:
        if each.rejected:
            codes = ", ".join(f"{code} {count:,}" for code, count in sorted(each.rejected.items()))
            lines.append(f"rejected of {one_line(each.stream)}, by code: {codes}")
    return lines


def _creates(plan: Plan) -> list[str]:
    books = [("address book", name, "") for name in plan.creates.address_books]
    fields = [
        ("data field", each.name, f"{each.type}, by the schema of {each.stream}")
        for each in plan.creates.data_fields
    ]
    if rows := plan.creates.address_books_of_rows:
        books.append((f"{rows:,} address books", "that rows name", ""))
    if not books and not fields:
        return ["Nothing would be created."]
    return [
        "Would be created",
        *(
            f"  {kind} {one_line(name)}" + (f" ({one_line(more)})" if more else "")
            for kind, name, more in (*books, *fields)
        ),
    ]


def _contacts(plan: Plan) -> list[str]:
    heads = ("Contacts", "all", "new", "updated", "updated: in it now", "updated: would join")
    total = plan.contacts
    rows = [("of the account", total.contacts, total.new, total.updated, "", "")]
    lines = aligned(
        heads,
        [
            *rows,
            *(
                (
                    address_book_label(each.address_book, each.name),
                    each.contacts,
                    each.new,
                    each.updated,
                    each.updated_members,
                    each.updated_joining,
                )
                for each in plan.address_books[:MAX_ADDRESS_BOOKS]
            ),
        ],
    )
    if (more := len(plan.address_books) - MAX_ADDRESS_BOOKS) > 0:
        lines.append(f"and {more:,} address books more")
    if plan.contacts.updated and plan.unchanged is not None:
        lines.append(
            f"Of the {plan.contacts.updated:,} updated contacts of the account, "
            f"{plan.unchanged:,} have everything already: to update them changes nothing"
        )
    return lines


def _leaving(plan: Plan) -> list[str]:
    rows = [
        (
            "would be deleted from the account"
            if each.is_deletion
            else f"would leave {address_book_label(each.address_book, each.name)}",
            each.contacts,
            each.there_now,
        )
        for each in plan.leaving
    ]
    return aligned(("Contacts marked as deleted", "all", "there now"), rows) if rows else []


def _mirrors(plan: Plan) -> list[str]:
    rows = [
        (
            address_book_label(each.address_book, each.name),
            each.members,
            each.would_leave,
            f"{each.max_removal_percent} %",
            mirror_obstacle(each),
        )
        for each in plan.mirrors
    ]
    return aligned(("Mirrors", "in it now", "would leave", "limit", ""), rows) if rows else []


def mirror_obstacle(mirror: MirrorNumbers) -> str:
    """Return why nobody would leave an address book; nothing if they would.

    Args:
        mirror: What would become of it.
    """
    if mirror.is_refused:
        return "refused, nobody would leave"
    return "waits for another stream" if mirror.waits else ""


def _calls(plan: Plan) -> list[str]:
    tiers = plan.calls_by_tier.items()
    text = (
        f"Imports: {plan.imports:,}, of {plan.contacts_in_imports:,} contacts and "
        f"{plan.import_bytes:,} bytes. Their time: {time_range(plan.seconds)}."
    )
    return [
        text,
        *aligned(
            ("Calls", "at least", "at most"),
            [(tier, calls.at_least, calls.at_most) for tier, calls in tiers],
        ),
    ]


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
    """Return how an address book is called.

    Args:
        number: Its ID; None if it would be created.
        name: Its name; None if it is not known, or a record's.
    """
    if number is None:
        return (
            "address book that rows name (new)" if name is None else f"address book '{name}' (new)"
        )
    return f"address book {number}" + (f" ({name})" if name is not None else "")
