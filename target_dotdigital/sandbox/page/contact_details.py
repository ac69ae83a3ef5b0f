"""One contact on the page, with everything that is known about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.api import find_contact
from target_dotdigital.sandbox.contacts import CONTACT_ID
from target_dotdigital.sandbox.http import RefusalError
from target_dotdigital.sandbox.page.shown_fields import ShownField, shown_fields

if TYPE_CHECKING:
    import sqlite3


class ShownMembership(msgspec.Struct, frozen=True):
    """An address book that a contact is in."""

    id: int
    name: str
    status: str


class ShownPreference(msgspec.Struct, frozen=True, rename="camel"):
    """A marketing preference of a contact."""

    id: int
    is_opted_in: bool


class ShownConsent(msgspec.Struct, frozen=True, rename="camel"):
    """A consent that a contact gave."""

    text: str
    date_time_consented: str


class ContactDetails(msgspec.Struct, frozen=True):
    """Everything about a contact."""

    id: str
    status: str
    created: str
    updated: str
    identifiers: list[ShownField]
    data_fields: list[ShownField]
    channels: list[ShownField]
    lists: list[ShownMembership]
    preferences: list[ShownPreference]
    consents: list[ShownConsent]


_RAW_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LISTS = msgspec.json.Decoder(list[ShownMembership])
_PREFERENCES = msgspec.json.Decoder(list[ShownPreference])
_CONSENTS = msgspec.json.Decoder(list[ShownConsent])


def contact_details(connection: sqlite3.Connection, contact_id: str) -> ContactDetails | None:
    """Return everything about a contact, if there is such a contact."""
    try:
        found = find_contact(connection, CONTACT_ID, contact_id)
    except RefusalError:
        return None
    # In the shape of the API, whatever that holds by now.
    answer = _RAW_FIELDS.decode(msgspec.json.encode(found))
    channels = shown_fields(answer.get("channelProperties"))
    return ContactDetails(
        str(found.contact_id),
        found.status,
        found.created,
        found.updated,
        shown_fields(answer.get("identifiers")),
        shown_fields(answer.get("dataFields")),
        [
            ShownField(f"{channel.name} · {each.name}", each.value)
            for channel in channels
            for each in shown_fields(msgspec.Raw(channel.value.encode()))
        ],
        _LISTS.decode(answer.get("lists", b"[]")),
        _PREFERENCES.decode(answer.get("preferences", b"[]")),
        _CONSENTS.decode(answer.get("consentRecords", b"[]")),
    )
