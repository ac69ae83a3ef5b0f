"""The account's lists, which v2 calls address books, and which contacts are in them."""

from target_dotdigital.sandbox.account.lists.address_books import (
    AddressBook,
    NewAddressBook,
    address_book_page,
    create_address_book,
    delete_address_book,
    ensure_address_book,
    find_address_book,
    get_address_book,
    update_address_book,
    writable_address_book,
)
from target_dotdigital.sandbox.account.lists.memberships import (
    count_contacts,
    join_lists,
    leave_all_lists,
    leave_list,
    leave_list_first,
)
from target_dotdigital.sandbox.account.lists.opt_outs import (
    cancel_opt_out,
    opt_out_of_list,
    opted_out_at,
)

__all__ = [
    "AddressBook",
    "NewAddressBook",
    "address_book_page",
    "cancel_opt_out",
    "count_contacts",
    "create_address_book",
    "delete_address_book",
    "ensure_address_book",
    "find_address_book",
    "get_address_book",
    "join_lists",
    "leave_all_lists",
    "leave_list",
    "leave_list_first",
    "opt_out_of_list",
    "opted_out_at",
    "update_address_book",
    "writable_address_book",
]
