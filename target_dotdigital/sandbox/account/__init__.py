"""The account: what it defines, and which contacts are in which of its lists.

Address books (v3 calls them lists), data fields and the values that they take, memberships.
"""

from target_dotdigital.sandbox.account.data_fields import (
    DataField,
    DataFieldDeletion,
    NewDataField,
    create_data_field,
    delete_data_field,
    list_data_fields,
)
from target_dotdigital.sandbox.account.definitions import Definitions, load_definitions
from target_dotdigital.sandbox.account.field_values import (
    ISO_8601,
    MAXIMUM_TEXT_CHARACTERS,
    VALUE_CHECKS,
    is_date_without_time,
    read_time,
)
from target_dotdigital.sandbox.account.lists import (
    AddressBook,
    NewAddressBook,
    address_book_page,
    cancel_opt_out,
    count_contacts,
    create_address_book,
    delete_address_book,
    ensure_address_book,
    find_address_book,
    get_address_book,
    join_lists,
    leave_all_lists,
    leave_list,
    leave_list_first,
    opt_out_of_list,
    opted_out_at,
    update_address_book,
    writable_address_book,
)
from target_dotdigital.sandbox.account.reset import reset_account

__all__ = [
    "ISO_8601",
    "MAXIMUM_TEXT_CHARACTERS",
    "VALUE_CHECKS",
    "AddressBook",
    "DataField",
    "DataFieldDeletion",
    "Definitions",
    "NewAddressBook",
    "NewDataField",
    "address_book_page",
    "cancel_opt_out",
    "count_contacts",
    "create_address_book",
    "create_data_field",
    "delete_address_book",
    "delete_data_field",
    "ensure_address_book",
    "find_address_book",
    "get_address_book",
    "is_date_without_time",
    "join_lists",
    "leave_all_lists",
    "leave_list",
    "leave_list_first",
    "list_data_fields",
    "load_definitions",
    "opt_out_of_list",
    "opted_out_at",
    "read_time",
    "reset_account",
    "update_address_book",
    "writable_address_book",
]
