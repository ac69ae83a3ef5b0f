"""Contacts as they are sent and as they are kept.

Their identifiers, the body that names them, consents and preferences, how they are found, and the
recycle bin of those that were deleted.
"""

from target_dotdigital.sandbox.contacts.records.consent import (
    ConsentRecordReply,
    PreferenceReply,
    add_consent_records,
    consent_records_of,
    is_consent_record,
    preferences_of,
    set_preferences,
)
from target_dotdigital.sandbox.contacts.records.contact import (
    EMAIL_STATUSES,
    EMAIL_TYPES,
    MOBILE_STATUSES,
    NO_SUBSCRIPTION,
    OPT_IN_TYPES,
    PENDING,
    SUBSCRIBED,
    SUPPRESSED,
    VERIFIED_DOUBLE,
    Contact,
    identifiers_of,
    reported_identifiers,
)
from target_dotdigital.sandbox.contacts.records.contact_body import (
    ChannelProperties,
    ConsentRecord,
    ContactData,
    EmailProperties,
    MergeOption,
    Preference,
    SentContact,
    check_identifiers,
    matched_by,
)
from target_dotdigital.sandbox.contacts.records.identifiers import (
    BUILT_IN,
    CONTACT_ID,
    EMAIL,
    IDENTIFIER_NAME,
    LARGEST_CONTACT_ID,
    MOBILE_NUMBER,
    Failure,
    Identifiers,
    normalise_identifiers,
)
from target_dotdigital.sandbox.contacts.records.lookup import (
    ContactIndex,
    add_custom_identifiers,
    find_contacts,
)
from target_dotdigital.sandbox.contacts.records.recycle_bin import (
    expired_contacts,
    find_deleted_contacts,
    put_into_recycle_bin,
    take_out_of_recycle_bin,
)

__all__ = [
    "BUILT_IN",
    "CONTACT_ID",
    "EMAIL",
    "EMAIL_STATUSES",
    "EMAIL_TYPES",
    "IDENTIFIER_NAME",
    "LARGEST_CONTACT_ID",
    "MOBILE_NUMBER",
    "MOBILE_STATUSES",
    "NO_SUBSCRIPTION",
    "OPT_IN_TYPES",
    "PENDING",
    "SUBSCRIBED",
    "SUPPRESSED",
    "VERIFIED_DOUBLE",
    "ChannelProperties",
    "ConsentRecord",
    "ConsentRecordReply",
    "Contact",
    "ContactData",
    "ContactIndex",
    "EmailProperties",
    "Failure",
    "Identifiers",
    "MergeOption",
    "Preference",
    "PreferenceReply",
    "SentContact",
    "add_consent_records",
    "add_custom_identifiers",
    "check_identifiers",
    "consent_records_of",
    "expired_contacts",
    "find_contacts",
    "find_deleted_contacts",
    "identifiers_of",
    "is_consent_record",
    "matched_by",
    "normalise_identifiers",
    "preferences_of",
    "put_into_recycle_bin",
    "reported_identifiers",
    "set_preferences",
    "take_out_of_recycle_bin",
]
