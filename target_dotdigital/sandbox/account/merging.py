"""What an import does to one contact, once it is known which contact that is."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from target_dotdigital.sandbox.account.data_fields import VALUE_CHECKS
from target_dotdigital.sandbox.account.identifiers import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_dotdigital.sandbox.account.identifiers import Identifiers
    from target_dotdigital.sandbox.faults.switches import Switches
    from target_dotdigital.sandbox.imports.import_body import (
        EmailProperties,
        ImportContact,
        MergeOption,
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

_DATA_FIELDS = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


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


class Account(msgspec.Struct, frozen=True):
    """What an account has that contacts refer to.

    Attributes:
        data_fields: Each field's type by its name in upper case.
        lists: IDs of address books that an import may add contacts to.
    """

    data_fields: Mapping[str, str]
    lists: frozenset[int]


def problems(sent: ImportContact, account: Account) -> list[Failure]:
    """Find what is wrong with a contact's data, whoever it belongs to."""
    failures = []
    if sent.lists is not UNSET and not account.lists.issuperset(sent.lists):
        failures.append(Failure("invalidAddressBookIds", "Invalid value for 'lists'"))
    for name, value in sent.data_fields.items():
        kind = account.data_fields.get(name.upper())
        if kind is None:
            failures.append(Failure("apiSchemaViolation", f"Unknown data field '{name}'"))
        elif value is not None and not VALUE_CHECKS[kind](value):
            failures.append(Failure("apiSchemaViolation", f"'{name}' takes a {kind}"))
    channels = sent.channel_properties
    for word, known, name, code in (
        (channels.email.status, EMAIL_STATUSES, "email.status", "invalidContactStatus"),
        (channels.sms.status, MOBILE_STATUSES, "sms.status", "invalidContactStatus"),
        (channels.whats_app.status, MOBILE_STATUSES, "whatsApp.status", "invalidContactStatus"),
        (channels.email.email_type, EMAIL_TYPES, "email.emailType", "apiSchemaViolation"),
        (channels.email.opt_in_type, OPT_IN_TYPES, "email.optInType", "apiSchemaViolation"),
    ):
        if word is not UNSET and word.lower() not in known:
            failures.append(Failure(code, f"Invalid value for 'channelProperties.{name}'"))
    return failures


def merge(
    contact: Contact,
    sent: ImportContact,
    identifiers: Identifiers,
    option: MergeOption,
    switches: Switches,
) -> None:
    """Write what was sent into a contact, new or existing.

    Args:
        contact: Changed in place. A new one has nothing but its ID and times.
        sent: The contact of the import, free of problems.
        identifiers: Its identifiers, normalised; none belongs to another contact.
        option: What happens to values that are there already.
        switches: What Dotdigital's documents leave open.
    """
    had_email = contact.email is not None
    _merge_identifiers(contact, identifiers, option)
    if sent.data_fields:
        null_clears = switches.null_if_not_empty == "clears"
        contact.data_fields = _merge_data_fields(
            contact.data_fields, sent.data_fields, option, null_clears=null_clears
        )
    channels = sent.channel_properties
    _set_email_channel(contact, channels.email, had_email=had_email)
    if contact.mobile_number is None:
        return
    if channels.sms.status is not UNSET:
        contact.sms_status = MOBILE_STATUSES[channels.sms.status.lower()]
    if channels.whats_app.status is not UNSET:
        contact.whatsapp_status = MOBILE_STATUSES[channels.whats_app.status.lower()]


def _merge_identifiers(contact: Contact, sent: Identifiers, option: MergeOption) -> None:
    keep = option == "overwriteIfEmpty"
    if sent.email and not (keep and contact.email):
        contact.email = sent.email
    if sent.mobile_number and not (keep and contact.mobile_number):
        contact.mobile_number = sent.mobile_number
    contact.custom = (
        {**sent.custom, **contact.custom} if keep else {**contact.custom, **sent.custom}
    )


def _merge_data_fields(
    stored: str, sent: Mapping[str, Any], option: MergeOption, *, null_clears: bool
) -> str:
    fields = _DATA_FIELDS.decode(stored)
    for written, value in sent.items():
        name = written.upper()
        is_empty = value == "" or (value is None and not null_clears)
        if option == "overwriteIfNotEmpty" and is_empty:
            continue
        if option == "overwriteIfEmpty" and fields.get(name, "") != "":
            continue
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value
    return _ENCODER.encode(fields).decode()


def _set_email_channel(contact: Contact, sent: EmailProperties, *, had_email: bool) -> None:
    if sent.email_type is not UNSET:
        contact.email_type = EMAIL_TYPES[sent.email_type.lower()]
    if sent.opt_in_type is not UNSET:
        contact.opt_in_type = OPT_IN_TYPES[sent.opt_in_type.lower()]
    if contact.email is None:
        return
    status = UNSET if sent.status is UNSET else EMAIL_STATUSES[sent.status.lower()]
    if not had_email:
        # The address is new to the account; whoever must confirm it is not subscribed yet.
        status = SUBSCRIBED if status is UNSET else status
        must_confirm = contact.opt_in_type == VERIFIED_DOUBLE and status == SUBSCRIBED
        contact.email_status = PENDING if must_confirm else status
    elif status == SUBSCRIBED and not sent.resubscribe_options.resubscribe_with_no_challenge:
        # The person is asked first, and nobody answers the mail of a sandbox.
        return
    elif status is not UNSET:
        contact.email_status = status
