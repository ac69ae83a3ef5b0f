"""Contacts as v3 answers them: one of them, or a page."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from target_dotdigital.sandbox.account import find_address_book, find_segment, identifier_names
from target_dotdigital.sandbox.api.v3.contacts.countries import country_of
from target_dotdigital.sandbox.api.v3.contacts.markers import (
    ACCOUNT,
    FIRST,
    LIST,
    SEGMENT,
    Marker,
    Selection,
    Source,
)
from target_dotdigital.sandbox.api.v3.contacts.requests import insist_on_identifier, read_identifier
from target_dotdigital.sandbox.contacts import (
    ConsentRecordReply,
    Contact,
    PreferenceReply,
    add_custom_identifiers,
    consent_records_of,
    find_contacts,
    preferences_of,
    reported_identifiers,
)
from target_dotdigital.sandbox.http import Detail, v3_refusal
from target_dotdigital.sandbox.storage import ALL_CONTACTS_ID

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping, Sequence

    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.http import RefusalError

ALL_FIELDS = "[[ALL]]"
INCLUDABLE = frozenset({"channelProperties", "lists", "preferences", "consentRecords"})
MAXIMUM_PAGE_CONTACTS = 5_000
DEFAULT_PAGE_CONTACTS = 1_000

_RAW_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LISTS = """
    SELECT contact_id, address_book.id, name, has_left FROM (
        SELECT contact_id, address_book_id, 0 AS has_left FROM membership
        WHERE contact_id IN (SELECT value FROM json_each(:ids))
        UNION ALL
        SELECT contact_id, address_book_id, 1 FROM opt_out
        WHERE contact_id IN (SELECT value FROM json_each(:ids))
    ) JOIN address_book ON address_book.id = address_book_id
    ORDER BY address_book.id
"""
"""The lists of contacts, and those that they left by unsubscribing."""

LIST_STATUSES = {
    "pendingOptIn": "pending",
    "unsubscribed": "suppressed",
    "suppressed": "suppressed",
}
"""A contact's status in its lists by the status of its e-mail; any other is `subscribed`."""

TYPES = frozenset({"emailType", "optInType"})
"""Properties of a channel whose words are in Pascal case by one part of the specification, and in
camel case by another."""


class ListMembership(msgspec.Struct, frozen=True):
    """A list that a contact is in."""

    id: int
    name: str
    status: str


class ContactReply(msgspec.Struct, frozen=True, rename="camel"):
    """A contact in the vendor's shape."""

    contact_id: int
    status: str
    created: str
    updated: str
    identifiers: Mapping[str, str]
    data_fields: msgspec.Raw | Mapping[str, Any] | UnsetType = UNSET
    channel_properties: Mapping[str, Mapping[str, str]] | UnsetType = UNSET
    lists: Sequence[ListMembership] | UnsetType = UNSET
    preferences: Sequence[PreferenceReply] | UnsetType = UNSET
    consent_records: Sequence[ConsentRecordReply] | UnsetType = UNSET


class Query(msgspec.Struct, frozen=True):
    """What `GET /contacts/v3` asks for.

    Attributes:
        list_id: Only members of this list.
        segment_id: Only contacts that were in this segment when it was last refreshed.
        created_since: Only contacts that were created then or later (as `created` is written).
        modified_since: The same of their last update.
        marker: Which page.
        limit: So many contacts at most.
        data_fields: Names of the fields to answer; `ALL_FIELDS` among them means all.
        include: Which of `INCLUDABLE` to answer.
    """

    list_id: int | None = None
    segment_id: int | None = None
    created_since: str = ""
    modified_since: str = ""
    marker: Marker = FIRST
    limit: int = DEFAULT_PAGE_CONTACTS
    data_fields: Collection[str] = ()
    include: Collection[str] = ()


class Page(NamedTuple):
    """A page of contacts, and where it is among the others.

    Attributes:
        contacts: The contacts, in the order of their IDs.
        after: The ID after which it begins.
        following: The ID after which the next page begins, if there is one.
        has_earlier: Whether there is a page before it.
    """

    contacts: list[ContactReply]
    after: int
    following: int | None
    has_earlier: bool


def contact_page(connection: sqlite3.Connection, query: Query, switches: Switches) -> Page:
    """Return a page of contacts.

    Raises:
        RefusalError: 400, there is no such list or segment.
    """
    source = _source(connection, query)
    if source is None:
        if query.segment_id is None and switches.unknown_list_filter == "empty":
            return Page([], 0, None, has_earlier=False)
        value = query.list_id if query.segment_id is None else query.segment_id
        raise v3_refusal("contacts:invalidFilter", f"The filter value '{value}' is invalid")
    selection = Selection(
        connection,
        source,
        {
            "list": query.list_id or 0,
            "segment": query.segment_id or 0,
            "created": query.created_since,
            "modified": query.modified_since,
        },
    )
    after = selection.beginning(query.marker, query.limit)
    # One more than asked for tells whether there is a next page.
    rows = selection.page(after, query.limit + 1)
    found = [Contact(**row) for row in rows[: query.limit]]
    return Page(
        contacts=_replies(connection, found, query),
        after=after,
        following=found[-1].id if len(rows) > query.limit else None,
        has_earlier=selection.has_earlier(after),
    )


def _source(connection: sqlite3.Connection, query: Query) -> Source | None:
    """Return where the contacts are read, or None if there is no such list or segment."""
    if query.segment_id is not None:
        return SEGMENT if find_segment(connection, query.segment_id) else None
    if query.list_id in {None, ALL_CONTACTS_ID}:
        return ACCOUNT
    return LIST if find_address_book(connection, query.list_id or 0) else None


def find_contact(connection: sqlite3.Connection, name: str, value: str) -> ContactReply:
    """Return the contact that has an identifier.

    Args:
        connection: In a transaction.
        name: The identifier's name.
        value: Its value, decoded from the URL.

    Raises:
        RefusalError: 400, no contact could have it; 404, none has it.
    """
    identifiers = read_identifier(name, value)
    insist_on_identifier(identifier_names(connection), name, value)
    wanted = identifiers.get(name)
    contact = find_contacts(connection, [identifiers]).find(name, wanted or 0)
    if contact is None:
        raise contact_not_found(name, value)
    query = Query(data_fields=(ALL_FIELDS,), include=INCLUDABLE)
    return _replies(connection, [contact], query)[0]


def spelled(contact: ContactReply, switches: Switches) -> ContactReply:
    """Return a contact with the words for types spelled as answers spell them."""
    channels = contact.channel_properties
    if switches.answered_words == "PascalCase" or isinstance(channels, UnsetType):
        return contact
    words = {
        channel: {
            name: word[0].lower() + word[1:] if name in TYPES else word
            for name, word in properties.items()
        }
        for channel, properties in channels.items()
    }
    return msgspec.structs.replace(contact, channel_properties=words)


def contact_not_found(name: str, value: str) -> RefusalError:
    """Refuse to go on without a contact."""
    return v3_refusal(
        "contacts:contactNotFound",
        "The following contacts could not be found",
        Detail(item=value, description=f"Not found using the identifier '{name}'"),
        status=HTTPStatus.NOT_FOUND,
    )


def _replies(
    connection: sqlite3.Connection, found: Sequence[Contact], query: Query
) -> list[ContactReply]:
    contacts = {contact.id: contact for contact in found}
    ids = json.dumps(list(contacts))
    add_custom_identifiers(connection, contacts)
    lists: dict[int, list[ListMembership]] = {contact_id: [] for contact_id in contacts}
    if "lists" in query.include:
        for contact_id, list_id, name, has_left in connection.execute(_LISTS, {"ids": ids}):
            status = LIST_STATUSES.get(contacts[contact_id].email_status, "subscribed")
            status = "suppressed" if has_left else status
            lists[contact_id].append(ListMembership(list_id, name, status))
    preferences = preferences_of(connection, ids) if "preferences" in query.include else {}
    consents = consent_records_of(connection, ids) if "consentRecords" in query.include else {}
    return [
        ContactReply(
            contact.id,
            contact.sms_status if contact.email is None else contact.email_status,
            contact.created,
            contact.updated,
            reported_identifiers(contact),
            _data_fields(contact, query.data_fields),
            _channels(contact) if "channelProperties" in query.include else UNSET,
            lists[contact.id] if "lists" in query.include else UNSET,
            # The vendor's schema has no contact with an empty array of preferences.
            preferences.get(contact.id, UNSET),
            consents.get(contact.id, ()) if "consentRecords" in query.include else UNSET,
        )
        for contact in found
    ]


def _data_fields(
    contact: Contact, names: Collection[str]
) -> msgspec.Raw | Mapping[str, Any] | UnsetType:
    if not names:
        return UNSET
    if ALL_FIELDS in names:
        return msgspec.Raw(contact.data_fields.encode())
    # Values stay encoded: a number is answered as it was stored.
    fields = _RAW_FIELDS.decode(contact.data_fields)
    wanted = {name.upper() for name in names}
    return {name: value for name, value in fields.items() if name in wanted}


def _channels(contact: Contact) -> Mapping[str, Mapping[str, str]]:
    channels: dict[str, Mapping[str, str]] = {}
    if contact.email is not None:
        channels["email"] = {
            "emailType": contact.email_type,
            "optInType": contact.opt_in_type,
            "status": contact.email_status,
        }
    if contact.mobile_number is not None:
        channels["sms"] = {
            "countryCode": country_of(contact.mobile_number),
            "status": contact.sms_status,
        }
        channels["whatsApp"] = {"status": contact.whatsapp_status}
    return channels
