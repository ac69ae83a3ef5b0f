"""Contacts as v3 answers them: one of them, or a page."""

from __future__ import annotations

import base64
import binascii
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from target_dotdigital.sandbox.account import find_address_book, find_segment
from target_dotdigital.sandbox.api.v3.contacts.countries import country_of
from target_dotdigital.sandbox.api.v3.contacts.requests import read_identifier
from target_dotdigital.sandbox.contacts import (
    LARGEST_CONTACT_ID,
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

    from target_dotdigital.sandbox.http import RefusalError

ALL_FIELDS = "[[ALL]]"
INCLUDABLE = frozenset({"channelProperties", "lists", "preferences", "consentRecords"})
MAXIMUM_PAGE_CONTACTS = 5_000
DEFAULT_PAGE_CONTACTS = 1_000

_RAW_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])

# A date that was not asked for is the empty text, which no date is less than.
_SINCE = "created >= :created AND updated >= :modified"
_PAGE_OF_ALL = f"""
    SELECT * FROM contact WHERE id > :after AND {_SINCE} ORDER BY id LIMIT :limit
"""  # noqa: S608 - a constant
_PAGE_OF_LIST = f"""
    SELECT contact.* FROM membership JOIN contact ON contact.id = contact_id
    WHERE address_book_id = :list AND contact_id > :after AND {_SINCE}
    ORDER BY contact_id LIMIT :limit
"""  # noqa: S608 - a constant
_PAGE_OF_SEGMENT = f"""
    SELECT contact.* FROM segment_member JOIN contact ON contact.id = contact_id
    WHERE segment_id = :segment AND contact_id > :after AND {_SINCE}
    ORDER BY contact_id LIMIT :limit
"""  # noqa: S608 - a constant
_LISTS = """
    SELECT contact_id, address_book.id, name
    FROM membership JOIN address_book ON address_book.id = address_book_id
    WHERE contact_id IN (SELECT value FROM json_each(?))
    ORDER BY address_book.id
"""

LIST_STATUSES = {
    "pendingOptIn": "pending",
    "unsubscribed": "suppressed",
    "suppressed": "suppressed",
}
"""A contact's status in its lists by the status of its e-mail; any other is `subscribed`."""


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
        after: Only contacts with a higher ID.
        limit: So many contacts at most.
        data_fields: Names of the fields to answer; `ALL_FIELDS` among them means all.
        include: Which of `INCLUDABLE` to answer.
    """

    list_id: int | None = None
    segment_id: int | None = None
    created_since: str = ""
    modified_since: str = ""
    after: int = 0
    limit: int = DEFAULT_PAGE_CONTACTS
    data_fields: Collection[str] = ()
    include: Collection[str] = ()


def marker_after(contact_id: int) -> str:
    """Return the marker of the page that begins after a contact; 0 is the first page."""
    return base64.urlsafe_b64encode(str(contact_id).encode()).decode()


def read_marker(marker: str) -> int:
    """Return the contact that a marker's page begins after.

    Raises:
        RefusalError: 400, it is no marker.
    """
    try:
        contact_id = int(base64.urlsafe_b64decode(marker))
    except (binascii.Error, ValueError):
        contact_id = -1
    if not 0 <= contact_id <= LARGEST_CONTACT_ID:
        raise v3_refusal("contacts:invalidMarker", "The marker is invalid")
    return contact_id


def contact_page(
    connection: sqlite3.Connection, query: Query
) -> tuple[list[ContactReply], int | None]:
    """Return a page of contacts in the order of their IDs.

    Returns:
        The contacts, and the ID after which the next page begins, if there is one.

    Raises:
        RefusalError: 400, there is no such list or segment.
    """
    parameters = {
        "list": query.list_id,
        "segment": query.segment_id,
        "created": query.created_since,
        "modified": query.modified_since,
        "after": query.after,
        # One more than asked for tells whether there is a next page.
        "limit": query.limit + 1,
    }
    rows = connection.execute(_statement(connection, query), parameters).fetchall()
    found = [Contact(**row) for row in rows[: query.limit]]
    following = found[-1].id if len(rows) > query.limit else None
    return _replies(connection, found, query), following


def _statement(connection: sqlite3.Connection, query: Query) -> str:
    if query.segment_id is not None:
        if find_segment(connection, query.segment_id):
            return _PAGE_OF_SEGMENT
    elif query.list_id is None or query.list_id == ALL_CONTACTS_ID:
        return _PAGE_OF_ALL
    elif find_address_book(connection, query.list_id):
        return _PAGE_OF_LIST
    value = query.list_id if query.segment_id is None else query.segment_id
    raise v3_refusal("contacts:invalidFilter", f"The filter value '{value}' is invalid")


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
    wanted = identifiers.get(name)
    contact = find_contacts(connection, [identifiers]).find(name, wanted or 0)
    if contact is None:
        raise contact_not_found(name, value)
    query = Query(data_fields=(ALL_FIELDS,), include=INCLUDABLE)
    return _replies(connection, [contact], query)[0]


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
        for contact_id, list_id, name in connection.execute(_LISTS, (ids,)):
            status = LIST_STATUSES.get(contacts[contact_id].email_status, "subscribed")
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
