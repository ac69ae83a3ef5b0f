"""The account: what it defines, and which contacts are in which of its lists.

Address books (v3 calls them lists) and memberships, data fields and the values that they take,
marketing preferences, custom identifiers, and Dotdigital's own suppression list.
"""

from target_dotdigital.sandbox.account.custom_identifiers import (
    BUILT_IN_IDENTIFIERS,
    IDENTIFIER_NAME,
    CustomIdentifier,
    NewCustomIdentifier,
    create_custom_identifier,
    delete_custom_identifier,
    identifier_names,
    list_custom_identifiers,
)
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
from target_dotdigital.sandbox.account.preferences import (
    LARGEST_ID as LARGEST_PREFERENCE_ID,
)
from target_dotdigital.sandbox.account.preferences import (
    ChangedPreference,
    MarketingPreference,
    NewPreference,
    create_preference,
    delete_preference,
    preference_not_found,
    preference_tree,
    update_preference,
)
from target_dotdigital.sandbox.account.reset import reset_account
from target_dotdigital.sandbox.account.seeds import Seeds, ensure_seeds
from target_dotdigital.sandbox.account.suppression_list import (
    domain_of,
    find_suppressed,
    list_suppressed,
    stop_suppressing,
    suppress,
)

__all__ = [
    "BUILT_IN_IDENTIFIERS",
    "IDENTIFIER_NAME",
    "ISO_8601",
    "LARGEST_PREFERENCE_ID",
    "MAXIMUM_TEXT_CHARACTERS",
    "VALUE_CHECKS",
    "AddressBook",
    "ChangedPreference",
    "CustomIdentifier",
    "DataField",
    "DataFieldDeletion",
    "Definitions",
    "MarketingPreference",
    "NewAddressBook",
    "NewCustomIdentifier",
    "NewDataField",
    "NewPreference",
    "Seeds",
    "address_book_page",
    "cancel_opt_out",
    "count_contacts",
    "create_address_book",
    "create_custom_identifier",
    "create_data_field",
    "create_preference",
    "delete_address_book",
    "delete_custom_identifier",
    "delete_data_field",
    "delete_preference",
    "domain_of",
    "ensure_seeds",
    "find_address_book",
    "find_suppressed",
    "get_address_book",
    "identifier_names",
    "is_date_without_time",
    "join_lists",
    "leave_all_lists",
    "leave_list",
    "leave_list_first",
    "list_custom_identifiers",
    "list_data_fields",
    "list_suppressed",
    "load_definitions",
    "opt_out_of_list",
    "opted_out_at",
    "preference_not_found",
    "preference_tree",
    "read_time",
    "reset_account",
    "stop_suppressing",
    "suppress",
    "update_address_book",
    "update_preference",
    "value_of_text",
    "writable_address_book",
]
