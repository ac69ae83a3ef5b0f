"""What the calls about one contact take."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

import msgspec

from target_dotdigital.sandbox.errors import v3_refusal
from target_dotdigital.sandbox.imports.import_body import (
    ContactData,
    ImportContact,
    bad_json,
    check_identifiers,
    schema_refusal,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_dotdigital.sandbox.imports.import_body import MergeOption

Body = TypeVar("Body", bound=ContactData)

MERGE_OPTIONS: Mapping[str, MergeOption] = {
    "overwrite": "overwrite",
    "overwrite-if-not-empty": "overwriteIfNotEmpty",
    "overwrite-if-empty": "overwriteIfEmpty",
}
"""An import spells its merge option in camel case, a single contact in kebab case."""


class NamedContact(ContactData, frozen=True, rename="camel", kw_only=True):
    """A contact that must have identifiers: it is created or replaced by them."""

    identifiers: dict[str, int | str]


CONTACT_DATA = msgspec.json.Decoder(ContactData, float_hook=Decimal)
NAMED_CONTACT = msgspec.json.Decoder(NamedContact, float_hook=Decimal)


def decode(body: bytes, decoder: msgspec.json.Decoder[Body]) -> Body:
    """Decode the contact of a request.

    Args:
        body: The request's body.
        decoder: The decoder of its shape, made before a thread needs it.

    Raises:
        RefusalError: 400, it is no JSON or not of this shape.
    """
    try:
        contact = decoder.decode(body)
    except msgspec.ValidationError as error:
        raise schema_refusal(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad_json() from None
    check_identifiers(contact, "$")
    return contact


def read_merge_option(word: str | None) -> MergeOption:
    """Read the parameter `merge-option`.

    Raises:
        RefusalError: 400, it is none.
    """
    option = MERGE_OPTIONS.get("overwrite" if word is None else word)
    if option is None:
        raise v3_refusal(
            "contacts:badRequest", f"merge-option is one of {', '.join(MERGE_OPTIONS)}"
        )
    return option


def matched_by(name: str, sent: ContactData) -> ImportContact:
    """Return a single contact as an import would have it.

    Args:
        name: The identifier that it is matched by.
        sent: The contact.
    """
    return ImportContact(
        match_identifier=name,
        identifiers=sent.identifiers,
        data_fields=sent.data_fields,
        channel_properties=sent.channel_properties,
        lists=sent.lists,
        preferences=sent.preferences,
        consent_records=sent.consent_records,
    )
