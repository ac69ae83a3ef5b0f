"""Contacts as v2 is sent them: an e-mail address, with data fields as pairs of key and value."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from target_dotdigital.sandbox.account import MAXIMUM_TEXT_CHARACTERS, VALUE_CHECKS, value_of_text
from target_dotdigital.sandbox.api.v2.consents import CONSENT_PARTS, consent_part
from target_dotdigital.sandbox.contacts import (
    ChannelProperties,
    ConsentRecord,
    EmailProperties,
    Identifiers,
    Preference,
    normalise_identifiers,
)
from target_dotdigital.sandbox.http import (
    AnyCaseDecoder,
    RefusalError,
    decode_v2,
    v2_refusal,
    whole_number,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OptInType = Literal["Unknown", "Single", "Double", "VerifiedDouble"]
EmailType = Literal["Html", "PlainText"]


class SentField(msgspec.Struct, frozen=True):
    """A data field, or a part of a consent, with its value."""

    key: str
    value: Any = None


class ContactBody(msgspec.Struct, frozen=True, rename="camel"):
    """A contact. Clients send back what they were answered: its status is not looked at.

    Attributes:
        id: Names the contact where there is no address; no contact has the ID 0.
        email: In any case.
        opt_in_type: Left as it is, if it is not sent.
        email_type: The same.
        data_fields: Fields to set; those that are not sent stay.
    """

    id: int = 0
    email: str | None = None
    opt_in_type: OptInType | None = None
    email_type: EmailType | None = None
    data_fields: list[SentField] | None = None


class ConsentBody(msgspec.Struct, frozen=True):
    """A consent that was given."""

    fields: list[SentField] | None = None


class CategoryPreference(msgspec.Struct, frozen=True, rename="camel"):
    """A preference within a category."""

    id: int | str
    is_opted_in: bool | None = None


class PreferenceBody(CategoryPreference, frozen=True, rename="camel"):
    """A preference, or a category with some."""

    preferences: list[CategoryPreference] | None = None


class ContactWithConsent(msgspec.Struct, frozen=True, rename="camel"):
    """A contact with consents and preferences.

    Attributes:
        contact: The contact.
        consent_fields: The vendor's example is a list, and its schema an object.
        preferences: For the calls that take them.
    """

    contact: ContactBody
    consent_fields: list[ConsentBody] | ConsentBody | None = None
    preferences: list[PreferenceBody] | None = None


class Resubscription(msgspec.Struct, frozen=True, rename="camel"):
    """Somebody who wants to be mailed again."""

    unsubscribed_contact: ContactBody
    preferred_locale: str | None = None
    return_url_to_use_if_challenged: str | None = None


class Along(msgspec.Struct, frozen=True):
    """What is written along with a contact.

    Attributes:
        consent_records: Consents to add.
        preferences: Preferences to set.
        list_id: The list that the contact joins.
        status: The status to set; without one, an existing contact keeps its own.
    """

    consent_records: list[ConsentRecord] = []
    preferences: list[Preference] = []
    list_id: int | None = None
    status: str = ""


_CONTACT = AnyCaseDecoder(ContactBody)
_WITH_CONSENT = AnyCaseDecoder(ContactWithConsent)
_RESUBSCRIPTION = AnyCaseDecoder(Resubscription)


def read_contact(body: bytes) -> ContactBody:
    """Decode a contact.

    Raises:
        RefusalError: 400, it is none.
    """
    return decode_v2(_CONTACT, body, "ERROR_CONTACT_INVALID")


def read_contact_with_consent(body: bytes, *, with_preferences: bool) -> tuple[ContactBody, Along]:
    """Decode a contact with consents.

    Args:
        body: The body of the call.
        with_preferences: Whether the call takes preferences.

    Raises:
        RefusalError: 400, it is none.
    """
    sent = decode_v2(_WITH_CONSENT, body, "ERROR_CONTACT_INVALID")
    consents = sent.consent_fields or []
    preferences = (sent.preferences or []) if with_preferences else []
    return sent.contact, Along(
        [_consent(one) for one in (consents if isinstance(consents, list) else [consents])],
        [_preference(one) for each in preferences for one in (each.preferences or [each])],
    )


def read_resubscription(body: bytes) -> ContactBody:
    """Decode who is to be resubscribed. Nobody is mailed, so the language does not matter.

    Raises:
        RefusalError: 400, nobody is.
    """
    sent = decode_v2(_RESUBSCRIPTION, body, "ERROR_CONTACT_RESUBSCRIPTION_INVALID")
    return sent.unsubscribed_contact


def channel_properties(body: ContactBody, status: str = "") -> ChannelProperties:
    """Return the e-mail channel as v3 has it.

    Args:
        body: The contact.
        status: The status to set; without one, an existing contact keeps its own.
    """
    return ChannelProperties(
        email=EmailProperties(
            email_type=_in_camel_case(body.email_type),
            opt_in_type=_in_camel_case(body.opt_in_type),
            status=status or UNSET,
        )
    )


def _in_camel_case(word: str | None) -> str | UnsetType:
    """Return a word of v2 as v3 spells it: a switch lets v3 know its own spelling only."""
    return word[0].lower() + word[1:] if word else UNSET


def read_address(email: str) -> Identifiers:
    """Read an e-mail address.

    Raises:
        RefusalError: 400, it is none.
    """
    identifiers, failures = normalise_identifiers({"email": email})
    if failures:
        raise invalid_email()
    return identifiers


def contact_not_found() -> RefusalError:
    """Refuse to go on without a contact."""
    return v2_refusal("ERROR_CONTACT_NOT_FOUND", "Error:", HTTPStatus.NOT_FOUND)


def invalid_email() -> RefusalError:
    """Refuse a contact without a valid address."""
    return v2_refusal("ERROR_INVALID_EMAIL", "The email address of the contact is invalid.")


def _consent(sent: ConsentBody) -> ConsentRecord:
    parts = dict.fromkeys(CONSENT_PARTS, "")
    for field in sent.fields or ():
        name = consent_part(field.key)
        if name and isinstance(field.value, str):
            parts[name] = field.value
    return ConsentRecord(**parts)


def _preference(sent: CategoryPreference) -> Preference:
    try:
        # The vendor's Magento extension sends IDs as texts.
        number = whole_number(str(sent.id))
    except ValueError:
        number = 0
    return Preference(number, bool(sent.is_opted_in))


def typed_fields(sent: Sequence[SentField] | None, types: Mapping[str, str]) -> dict[str, Any]:
    """Return data fields by their names, with values of their types.

    Args:
        sent: As they were sent: v2 takes texts for every type.
        types: The account's, by name.

    Raises:
        RefusalError: 400, the account lacks a field, or a field does not take its value.
    """
    return {field.key.upper(): _typed(field, types.get(field.key.upper())) for field in sent or ()}


def _typed(field: SentField, kind: str | None) -> object:
    if kind is None:
        raise v2_refusal("ERROR_DATAFIELD_NOTFOUND", "A data field does not exist.")
    value = _value(kind, field.value)
    if kind == "String" and isinstance(value, str) and len(value) > MAXIMUM_TEXT_CHARACTERS:
        raise v2_refusal("ERROR_DATAFIELD_VALUE_OVERFLOW", "A data field's value is too long.")
    if value is not None and not VALUE_CHECKS[kind](value):
        raise v2_refusal("ERROR_DATAFIELD_INVALID", "A value is not of its data field's type.")
    return value


def _value(kind: str, value: object) -> object:
    """Return a value in the type of its field; an empty text is nothing but in a String field."""
    if kind == "String" or not isinstance(value, str):
        return value
    return value_of_text(kind, value) if value.strip() else None
