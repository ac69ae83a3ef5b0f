"""The account that is loaded into: connection and region, data fields, address books, members."""

from __future__ import annotations

from target_dotdigital.account.account import (
    SHOWN_OF_ROWS,
    Account,
    address_book_problem,
    field_problem,
    look_up,
    named_address_books,
    new_beside,
)
from target_dotdigital.account.connection import Connection, Patience, region_of
from target_dotdigital.account.members import (
    IncompleteListError,
    find_address_book,
    identities_of,
    read_account,
    read_members,
)

__all__ = [
    "SHOWN_OF_ROWS",
    "Account",
    "Connection",
    "IncompleteListError",
    "Patience",
    "address_book_problem",
    "field_problem",
    "find_address_book",
    "identities_of",
    "look_up",
    "named_address_books",
    "new_beside",
    "read_account",
    "read_members",
    "region_of",
]
