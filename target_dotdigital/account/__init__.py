"""The account that is loaded into: connection, region, what it defines, and its members."""

from __future__ import annotations

from target_dotdigital.account.account import SHOWN_OF_ROWS, Account
from target_dotdigital.account.address_books import (
    address_book_problem,
    find_address_books,
    named_address_books,
)
from target_dotdigital.account.connection import Connection, Timeouts, region_of
from target_dotdigital.account.creation import field_problem, new_beside
from target_dotdigital.account.custom_identifiers import check_custom_identifiers
from target_dotdigital.account.identities import identities_of, not_found
from target_dotdigital.account.members import (
    MAX_LOOKUPS,
    NOT_IN_A_PATH,
    IncompleteListError,
    KnownContacts,
    find_address_book,
    read_held_account,
    read_held_members,
    read_member_pages,
)
from target_dotdigital.account.used_address_books import UsedAddressBook, used_address_books

__all__ = [
    "MAX_LOOKUPS",
    "NOT_IN_A_PATH",
    "SHOWN_OF_ROWS",
    "Account",
    "Connection",
    "IncompleteListError",
    "KnownContacts",
    "Timeouts",
    "UsedAddressBook",
    "address_book_problem",
    "check_custom_identifiers",
    "field_problem",
    "find_address_book",
    "find_address_books",
    "identities_of",
    "named_address_books",
    "new_beside",
    "not_found",
    "read_held_account",
    "read_held_members",
    "read_member_pages",
    "region_of",
    "used_address_books",
]
