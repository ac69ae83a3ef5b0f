"""A contact as it is stored, and the words for its types and statuses."""

from __future__ import annotations

import msgspec

from target_dotdigital.sandbox.contacts.records.identifiers import (
    EMAIL,
    MOBILE_NUMBER,
    Identifiers,
)

SUBSCRIBED = "subscribed"
SUPPRESSED = "suppressed"
PENDING = "pendingOptIn"
NO_SUBSCRIPTION = "noSubscription"
VERIFIED_DOUBLE = "VerifiedDouble"

# Requests spell these words in camel case, answers in Pascal case, and the vendor's own example of
# a request is in Pascal case: read any, store what is answered.
EMAIL_TYPES = {word.lower(): word for word in ("Html", "PlainText")}
OPT_IN_TYPES = {word.lower(): word for word in ("Unknown", "Single", "Double", VERIFIED_DOUBLE)}
EMAIL_STATUSES = {word.lower(): word for word in (SUBSCRIBED, "unsubscribed", SUPPRESSED)}
MOBILE_STATUSES = EMAIL_STATUSES | {NO_SUBSCRIPTION.lower(): NO_SUBSCRIPTION}


class Contact(msgspec.Struct):
    """A contact as it is stored.

    Attributes:
        id: Never changes, never given again.
        created: When it was created (ISO 8601, UTC).
        updated: When it was last imported.
        email: Lower case.
        mobile_number: Digits, without a plus sign.
        email_type: As answered: `Html` or `PlainText`.
        opt_in_type: As answered.
        email_status: `noSubscription` as long as there is no e-mail address.
        sms_status: The same for the mobile number.
        whatsapp_status: The same for the mobile number.
        data_fields: A JSON object of the fields that are set, names in upper case.
        custom: Custom identifiers by name.
    """

    id: int
    created: str
    updated: str
    email: str | None = None
    mobile_number: str | None = None
    email_type: str = "Html"
    opt_in_type: str = "Unknown"
    email_status: str = NO_SUBSCRIPTION
    sms_status: str = NO_SUBSCRIPTION
    whatsapp_status: str = NO_SUBSCRIPTION
    data_fields: str = "{}"
    custom: dict[str, str] = {}


def reported_identifiers(contact: Contact) -> dict[str, str]:
    """Return the identifiers by which answers name a contact: those it has, the ID excepted."""
    identifiers = dict(contact.custom)
    if contact.email is not None:
        identifiers[EMAIL] = contact.email
    if contact.mobile_number is not None:
        identifiers[MOBILE_NUMBER] = contact.mobile_number
    return identifiers


def identifiers_of(contact: Contact) -> Identifiers:
    """Return all identifiers of a contact, the ID among them."""
    return Identifiers(contact.id, contact.email, contact.mobile_number, contact.custom)
