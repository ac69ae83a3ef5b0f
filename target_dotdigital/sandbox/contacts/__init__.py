"""Contacts: how they are sent, checked, found, merged and written, one or many together.

A plan decides what becomes of each contact that is sent; the writer carries it out.
"""

from target_dotdigital.sandbox.contacts.consent import (
    ConsentRecordReply,
    PreferenceReply,
    consent_records_of,
    preferences_of,
)
from target_dotdigital.sandbox.contacts.contact import Contact, reported_identifiers
from target_dotdigital.sandbox.contacts.contact_body import (
    ContactData,
    MergeOption,
    SentContact,
    check_identifiers,
    matched_by,
)
from target_dotdigital.sandbox.contacts.identifiers import (
    CONTACT_ID,
    EMAIL,
    IDENTIFIER_NAME,
    LARGEST_CONTACT_ID,
    MOBILE_NUMBER,
    Failure,
    Identifiers,
    normalise_identifiers,
)
from target_dotdigital.sandbox.contacts.lookup import (
    ContactIndex,
    add_custom_identifiers,
    find_contacts,
)
from target_dotdigital.sandbox.contacts.plan import (
    DUPLICATE,
    GLOBALLY_SUPPRESSED,
    ContactReference,
    FailedContact,
    Outcome,
    Plan,
    load_plan,
)
from target_dotdigital.sandbox.contacts.writer import clear_contact, delete_contacts, write_plan

__all__ = [
    "CONTACT_ID",
    "DUPLICATE",
    "EMAIL",
    "GLOBALLY_SUPPRESSED",
    "IDENTIFIER_NAME",
    "LARGEST_CONTACT_ID",
    "MOBILE_NUMBER",
    "ConsentRecordReply",
    "Contact",
    "ContactData",
    "ContactIndex",
    "ContactReference",
    "FailedContact",
    "Failure",
    "Identifiers",
    "MergeOption",
    "Outcome",
    "Plan",
    "PreferenceReply",
    "SentContact",
    "add_custom_identifiers",
    "check_identifiers",
    "clear_contact",
    "consent_records_of",
    "delete_contacts",
    "find_contacts",
    "load_plan",
    "matched_by",
    "normalise_identifiers",
    "preferences_of",
    "reported_identifiers",
    "write_plan",
]
