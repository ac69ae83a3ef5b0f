"""The shape of a contact in requests: alone, or one of an import."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from target_dotdigital.sandbox.account import IDENTIFIER_NAME
from target_dotdigital.sandbox.contacts.records.identifiers import CONTACT_ID
from target_dotdigital.sandbox.http import schema_refusal

MergeOption = Literal["overwrite", "overwriteIfNotEmpty", "overwriteIfEmpty"]

Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class ResubscribeOptions(msgspec.Struct, frozen=True, rename="camel"):
    """Whether someone who opted out is asked before being subscribed again."""

    resubscribe_with_no_challenge: bool = True
    preferred_locale: str | UnsetType = UNSET
    redirect_url_after_challenge: str | UnsetType = UNSET


class EmailProperties(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The e-mail channel. Its words are checked for each contact, not for the request."""

    email_type: str | UnsetType = UNSET
    opt_in_type: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    resubscribe_options: ResubscribeOptions = ResubscribeOptions()


class MobileProperties(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The SMS or the WhatsApp channel."""

    status: str | UnsetType = UNSET


class ChannelProperties(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What is sent of each channel."""

    email: EmailProperties = EmailProperties()
    sms: MobileProperties = MobileProperties()
    whats_app: MobileProperties = MobileProperties()


class Preference(msgspec.Struct, frozen=True, rename="camel"):
    """A marketing preference that is set."""

    id: Int32
    is_opted_in: bool


class ConsentRecord(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A consent that was given; all five parts are required."""

    text: str
    date_time_consented: str
    url: str
    ip_address: str
    user_agent: str


class ContactData(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What is sent of a contact, alone or in an import.

    Attributes:
        identifiers: By name; `contactId` is a number, all others are strings.
        data_fields: By name; numbers with a point are Decimals, so that none loses a digit.
        channel_properties: Statuses and types to set.
        lists: IDs of address books to join.
        preferences: Marketing preferences to set.
        consent_records: Consents to add.
    """

    identifiers: dict[str, int | str] = {}
    data_fields: dict[str, Any] = {}
    channel_properties: ChannelProperties = ChannelProperties()
    lists: Annotated[list[Int32], Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    preferences: Annotated[list[Preference], Meta(min_length=1)] | UnsetType = UNSET
    consent_records: (
        Annotated[list[ConsentRecord], Meta(min_length=1, max_length=5)] | UnsetType
    ) = UNSET


class SentContact(ContactData, frozen=True, rename="camel", kw_only=True):
    """A contact as sent, with the identifier that it is matched by.

    Attributes:
        match_identifier: The name of the identifier that finds the existing contact.
        identifiers: The one that is named by it has to be among them.
    """

    match_identifier: str
    identifiers: dict[str, int | str]


def matched_by(name: str, sent: ContactData) -> SentContact:
    """Return a contact that was sent alone as an import would have it.

    Args:
        name: The identifier that it is matched by.
        sent: The contact.
    """
    return SentContact(match_identifier=name, **msgspec.structs.asdict(sent))


def check_identifiers(contact: ContactData, place: str) -> None:
    """Check the names of identifiers, and that the values are texts.

    Raises:
        RefusalError: 400, they are not.
    """
    for name, value in contact.identifiers.items():
        if not IDENTIFIER_NAME.fullmatch(name):
            raise schema_refusal("Identifiers has a key that is no name of one", place)
        # A contact ID of the wrong type is a failure of its own (`invalidContactId`).
        if name != CONTACT_ID and not isinstance(value, str):
            raise schema_refusal("Expected `str`, got `int`", f"{place}.identifiers.{name}")
