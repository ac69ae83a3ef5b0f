"""The merge of what was sent into a contact, once it is known which contact that is."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from target_dotdigital.sandbox.contacts.records import (
    EMAIL_STATUSES,
    EMAIL_TYPES,
    MOBILE_STATUSES,
    OPT_IN_TYPES,
    PENDING,
    SUBSCRIBED,
    VERIFIED_DOUBLE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_dotdigital.sandbox.contacts.records import (
        Contact,
        EmailProperties,
        Identifiers,
        MergeOption,
        SentContact,
    )
    from target_dotdigital.sandbox.faults import Switches

_DATA_FIELDS = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def merge(
    contact: Contact,
    sent: SentContact,
    identifiers: Identifiers,
    option: MergeOption,
    switches: Switches,
) -> None:
    """Write what was sent into a contact, new or existing.

    Args:
        contact: Changed in place. A new one has nothing but its ID and times.
        sent: The contact as sent, free of problems.
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
