"""What the calls about one contact take."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

import msgspec

from target_dotdigital.sandbox.account import IDENTIFIER_NAME
from target_dotdigital.sandbox.contacts import (
    LARGEST_CONTACT_ID,
    ContactData,
    Identifiers,
    check_identifiers,
    normalise_identifiers,
)
from target_dotdigital.sandbox.http import decode_v3, v3_refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from target_dotdigital.sandbox.contacts import MergeOption
    from target_dotdigital.sandbox.http import RefusalError

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


_CONTACT = msgspec.json.Decoder(ContactData, float_hook=Decimal)
_NAMED_CONTACT = msgspec.json.Decoder(NamedContact, float_hook=Decimal)


def read_contact(body: bytes) -> ContactData:
    """Decode a contact whose identifier is in the path.

    Raises:
        RefusalError: 400, it is no JSON or not of this shape.
    """
    return _read(_CONTACT, body)


def read_named_contact(body: bytes) -> NamedContact:
    """Decode a contact that must have identifiers.

    Raises:
        RefusalError: 400, it is no JSON or not of this shape.
    """
    return _read(_NAMED_CONTACT, body)


def _read(decoder: msgspec.json.Decoder[Body], body: bytes) -> Body:
    contact = decode_v3(decoder, body)
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


def read_identifier(name: str, value: str) -> Identifiers:
    """Read the identifier that a path names.

    Raises:
        RefusalError: 400, no contact could have it.
    """
    sent: int | str = value
    if name == "contactId" and value.isascii() and value.isdigit():
        # Longer than any ID: `int` would be slow on thousands of digits, and Python refuses it.
        sent = int(value) if len(value) <= len(str(LARGEST_CONTACT_ID)) else -1
    identifiers, failures = normalise_identifiers({name: sent})
    if failures or not IDENTIFIER_NAME.fullmatch(name):
        raise _invalid_id(name, value)
    return identifiers


def insist_on_identifier(known: Collection[str], name: str, value: str) -> None:
    """Refuse the identifier that a path names if the account does not define it.

    Args:
        known: Names of identifiers that contacts may have.
        name: The identifier's name.
        value: Its value.

    Raises:
        RefusalError: 400, no contact could have it.
    """
    if name not in known:
        raise _invalid_id(name, value)


def _invalid_id(name: str, value: str) -> RefusalError:
    description = f"The id value '{value}' is invalid for the identifier '{name}'"
    return v3_refusal("contacts:invalidId", description)
