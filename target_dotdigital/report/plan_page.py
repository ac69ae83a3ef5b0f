"""A dry run's plan on a report's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.dry_run import (
    MAX_ADDRESS_BOOKS,
    address_book_label,
    mirror_obstacle,
    time_range,
)
from target_dotdigital.report.charts import Share
from target_dotdigital.report.markup import counted, folded, number, paragraph, section, table
from target_dotdigital.report.markup import shares as share_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_dotdigital.dry_run import ContactNumbers, Plan


def plan_sections(plan: Plan) -> Iterator[str]:
    """Yield the parts of the page that tell what a real run would do.

    Args:
        plan: The plan.
    """
    yield section("Would be created", _creates(plan))
    yield section("Contacts", *_contacts(plan))
    yield section(
        "Contacts marked as deleted",
        table(
            "Contacts that would leave",
            ("from", "all", "there now"),
            [
                (
                    "the account"
                    if each.is_deletion
                    else address_book_label(each.address_book, each.name),
                    each.contacts,
                    number(each.there_now),
                )
                for each in plan.leaving
            ],
        ),
    )
    yield section(
        "Mirrors",
        table(
            "Contacts that would be taken out",
            ("address book", "in it now", "would leave", "limit", ""),
            [
                (
                    address_book_label(each.address_book, each.name),
                    each.members,
                    each.would_leave,
                    f"{each.max_removal_percent} %",
                    mirror_obstacle(each),
                )
                for each in plan.mirrors
            ],
            texts=(4,),
        ),
    )
    yield section("Imports and calls", *_calls(plan))


def _creates(plan: Plan) -> str:
    rows = [
        *(("address book", name, "") for name in plan.creates.address_books[:MAX_ADDRESS_BOOKS]),
        *(
            ("data field", each.name, f"{each.type}, by the schema of {each.stream}")
            for each in plan.creates.data_fields
        ),
    ]
    if more := max(len(plan.creates.address_books) - MAX_ADDRESS_BOOKS, 0):
        rows.append(("address books", f"{more:,} more", ""))
    if of_rows := plan.creates.address_books_of_rows:
        rows.append(("address books", f"{of_rows:,} that rows name", ""))
    return table("What would be created", ("what", "name", ""), rows, texts=(1, 2)) or paragraph(
        "Nothing would be created."
    )


def _contacts(plan: Plan) -> Iterator[str]:
    yield (
        f'<div class="top"><h3>In the account</h3><span class="quiet">'
        f"{counted(plan.contacts.contacts, 'contact')}</span></div>"
    )
    yield _newness(plan.contacts)
    books = plan.address_books[:MAX_ADDRESS_BOOKS]
    more = len(plan.address_books) - len(books)
    yield table(
        "Contacts of each address book"
        + (f"; {more:,} address books more are left out" * (more > 0)),
        ("address book", "all", "new", "updated", "in it now", "would join"),
        [
            (
                address_book_label(each.address_book, each.name),
                each.contacts,
                number(each.new),
                number(each.updated),
                number(each.updated_members),
                number(each.updated_joining),
            )
            for each in books
        ],
    )


def _newness(contacts: ContactNumbers) -> str:
    if contacts.new is None or contacts.updated is None:
        return paragraph("Who of them is new is not known.")
    parts = [
        Share("new", contacts.new, "new"),
        Share("updated", contacts.updated, "updated"),
    ]
    return share_list(parts, f"{contacts.new:,} new, {contacts.updated:,} updated")


def _calls(plan: Plan) -> Iterator[str]:
    yield paragraph(
        f"{counted(plan.imports, 'import')} of {counted(plan.contacts_in_imports, 'contact')} and "
        f"{counted(plan.import_bytes, 'byte')}. Their time: {time_range(plan.seconds)}."
    )
    yield table(
        "Calls by tier",
        ("tier", "at least", "at most"),
        [(tier, calls.at_least, calls.at_most) for tier, calls in plan.calls_by_tier.items()],
    )
    yield folded(
        "Calls by route",
        table(
            "Calls by route",
            ("route", "tier", "at least", "at most"),
            [
                (
                    each.route,
                    f"{each.tier}{' (a guess)' if each.is_guess else ''}",
                    each.at_least,
                    each.at_most,
                )
                for each in plan.calls
            ],
            texts=(1,),
        ),
    )
    for note in plan.notes:
        yield paragraph(note)
