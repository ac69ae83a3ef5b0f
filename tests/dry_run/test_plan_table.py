"""The plan as text: names beside IDs, and shares beside limits."""

from __future__ import annotations

import msgspec
import pytest

from target_dotdigital.dry_run import empty_plan, plan_table
from target_dotdigital.dry_run.plan import (
    AddressBookNumbers,
    ContactNumbers,
    MirrorNumbers,
    Plan,
    RemovalNumbers,
)
from target_dotdigital.dry_run.plan_table import MAX_ADDRESS_BOOKS


def plan(**parts: object) -> Plan:
    return msgspec.structs.replace(empty_plan(), **parts)


def book(number: int | None, name: str | None) -> AddressBookNumbers:
    return AddressBookNumbers(
        contacts=3,
        new=1,
        updated=2,
        address_book=number,
        name=name,
        updated_members=1,
        updated_joining=1,
    )


def mirror(*, is_refused: bool = False, waits: bool = False) -> MirrorNumbers:
    return MirrorNumbers(102, "Spring", ["people"], 1_000, 201, 20, is_refused, waits)


@pytest.mark.parametrize(
    ("found", "said", "leave"),
    [
        (mirror(), "20 %\n", "203"),
        (mirror(is_refused=True), "20 %. Refused: the run would fail", "2"),
        (mirror(waits=True), "20 %. No one leaves before another stream", "2"),
    ],
)
def test_a_mirrors_share_stands_beside_its_limit(
    found: MirrorNumbers, said: str, leave: str
) -> None:
    leaving = RemovalNumbers(102, "Spring", is_deletion=False, contacts=5, there_now=2)
    deleted = RemovalNumbers(None, None, is_deletion=True, contacts=7, there_now=4)
    text = plan_table(
        plan(mirrors=[found], leaving=[leaving, deleted], address_books=[book(102, "Spring")]),
        [],
        None,
    )
    assert "'Spring' (ID 102): 201 of 1,000 people would leave (20.1 %); max" in text
    assert f"max_removal_percent allows {said}" in text
    (line,) = [each for each in text.splitlines() if each.startswith("'Spring' (ID 102) ")]
    assert line.split()[3:] == ["1", "2", "2", leave]
    assert "deleted from the account: 4 of 7 people" in text


def test_what_is_not_known_is_not_guessed() -> None:
    unknown = msgspec.structs.replace(
        book(7, None), new=None, updated=None, updated_members=None, updated_joining=None
    )
    leaving = RemovalNumbers(7, None, is_deletion=False, contacts=5, there_now=None)
    total = ContactNumbers(3, None, None)
    text = plan_table(
        plan(contacts=total, address_books=[unknown], leaving=[leaving]), [], "no\nluck"
    )
    lines = [each.split() for each in text.splitlines()]
    assert ["ID", "7", "?", "?", "?", "?"] in lines
    assert ["whole", "account", "?", "?"] in lines
    assert "until the dry run failed: no?luck\n" in text


def test_a_run_that_would_be_refused_has_read_everything() -> None:
    text = plan_table(plan(mirrors=[mirror(is_refused=True)]), [], "A real run would be refused")
    assert "The plan covers everything that was read. A real run would be refused\n" in text
    assert "until" not in text


def test_some_address_books_are_enough() -> None:
    books = [book(number, f"B{number}") for number in range(1, MAX_ADDRESS_BOOKS + 3)]
    text = plan_table(plan(address_books=[*books, book(None, None)]), [], None)
    assert "'B49' (ID 49)" in text
    assert "(ID 51)" not in text
    assert "and 3 more address books\n" in text
