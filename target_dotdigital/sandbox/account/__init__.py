"""The account: what it defines, and which contacts are in which of its lists.

Address books (v3 calls them lists), data fields and the values that they take, memberships,
marketing preferences.
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
from target_dotdigital.sandbox.account.field_texts import value_of_text
from target_dotdigital.sandbox.account.field_values import (
    ISO_8601,
    MAXIMUM_TEXT_CHARACTERS,
    VALUE_CHECKS,
    is_date_without_time,
)
from target_dotdigital.sandbox.account.lists import (
    AddressBook,
    NewAddressBook,
    address_book_page,
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
    update_address_book,
    writable_address_book,
)
from target_dotdigital.sandbox.account.preferences import (
    LARGEST_ID as LARGEST_PREFERENCE_ID,
)
from target_dotdigital.sandbox.account.preferences import (
    ChangedPreference,
    MarketingPreference,
    NewPreference,
    create_preference,
    delete_preference,
    ensure_preference,
    preference_not_found,
    preference_tree,
    update_preference,
)
from target_dotdigital.sandbox.account.reset import reset_account

__all__ = [
    "ISO_8601",
    "LARGEST_PREFERENCE_ID",
    "MAXIMUM_TEXT_CHARACTERS",
    "VALUE_CHECKS",
    "AddressBook",
    "ChangedPreference",
    "DataField",
    "DataFieldDeletion",
    "Definitions",
    "MarketingPreference",
    "NewAddressBook",
    "NewDataField",
    "NewPreference",
    "address_book_page",
    "count_contacts",
    "create_address_book",
    "create_data_field",
    "create_preference",
    "delete_address_book",
    "delete_data_field",
    "delete_preference",
    "ensure_address_book",
    "ensure_preference",
    "find_address_book",
    "get_address_book",
    "is_date_without_time",
    "join_lists",
    "leave_all_lists",
    "leave_list",
    "leave_list_first",
    "list_data_fields",
    "load_definitions",
    "preference_not_found",
    "preference_tree",
    "reset_account",
    "update_address_book",
    "update_preference",
    "value_of_text",
    "writable_address_book",
]
