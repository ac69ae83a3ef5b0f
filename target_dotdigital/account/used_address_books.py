"""The address books that a run has used: their names, and how many contacts they have."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from target_dotdigital.account.account import SHOWN_OF_ROWS
from target_dotdigital.errors import TargetDotdigitalError

if TYPE_CHECKING:
    from collections.abc import Collection

    from target_dotdigital.account.account import Account

MAX_SINGLE_CALLS: Final = 10
"""Address books that are asked for one by one. For more, all of the account's are listed."""

PATIENCE_SECONDS: Final = 60.0
"""How long call limits may hold back a number that the run can do without."""


class UsedAddressBook(NamedTuple):
    """An address book that contacts have joined or left, or would."""

    address_book_id: int
    """Negative if a dry run only plans it."""
    name: str | None
    """None if rows alone name it: it is a record's value then."""
    before: int | None
    """How many contacts it had when the run began; None if that is not known."""
    now: int | None
    """How many it has after the run; None if that is not known, or in a dry run."""


def used_address_books(
    account: Account, ids: Collection[int], *, asks: bool
) -> list[UsedAddressBook]:
    """Return what there is to say of address books.

    Args:
        account: The account that they belong to.
        ids: Their IDs.
        asks: Whether Dotdigital is asked how many contacts they have now. What it does not tell at
            once is left open: the run has done its work.
    """
    now: dict[int, int | None] = {}
    if asks and ids:
        with suppress(TargetDotdigitalError):
            now = _sizes(account, ids)
    return [UsedAddressBook(each, *_before(account, each), now.get(each)) for each in ids]


def _sizes(account: Account, ids: Collection[int]) -> dict[int, int | None]:
    client = account.client
    client.caller.hurry(PATIENCE_SECONDS)
    if not client.caller.is_open("GET /v2/address-books/{id}"):
        return {}
    if len(ids) > MAX_SINGLE_CALLS:
        return {each.id: each.contacts for each in client.address_books()}
    return {each: client.address_book(each).contacts for each in ids}


def _before(account: Account, address_book_id: int) -> tuple[str | None, int | None]:
    """Return an address book's name, and how many contacts it had when the run began."""
    planned = account.creation.planned_address_books.get(address_book_id)
    if planned is not None:
        return None if planned == SHOWN_OF_ROWS else planned.strip("'"), 0
    known = account.known_address_books.get(address_book_id)
    if known is not None:
        return known.name, known.contacts
    name = account.created_name(address_book_id)
    return name, None if name is None else 0
