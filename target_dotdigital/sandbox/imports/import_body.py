"""What `PUT /contacts/v3/import` takes, and what it refuses as a whole."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, Meta

from target_dotdigital.sandbox.account import IDENTIFIER_NAME
from target_dotdigital.sandbox.contacts import (
    CONTACT_ID,
    EMAIL,
    MergeOption,
    SentContact,
    check_identifiers,
    is_consent_record,
    normalise_identifiers,
    wrong_words,
)
from target_dotdigital.sandbox.http import BAD_JSON, RefusalError, decode_v3, schema_refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from target_dotdigital.sandbox.faults import Switches


class ImportBody(msgspec.Struct, frozen=True, rename="camel"):
    """The whole request. Its contacts stay encoded: a body of 50 MB is many times that decoded."""

    contacts: Annotated[list[msgspec.Raw], Meta(min_length=1)]
    merge_option: MergeOption = "overwrite"


class CheckedImport(msgspec.Struct, frozen=True):
    """What a request came to.

    Attributes:
        contacts: How many contacts it has.
        lists: How many of them name each list, by the list's ID.
    """

    contacts: int
    lists: Mapping[int, int]


class _Key(msgspec.Struct, frozen=True, rename="camel"):
    """What of a contact tells whether it is a duplicate."""

    match_identifier: str
    identifiers: dict[str, Any]


_BODY = msgspec.json.Decoder(ImportBody)
_CONTACT = msgspec.json.Decoder(SentContact, float_hook=Decimal)
_KEY = msgspec.json.Decoder(_Key)
_ANYTHING = msgspec.json.Decoder()


def read_import(body: bytes) -> ImportBody:
    """Decode a body, its contacts excepted.

    Raises:
        RefusalError: 400, it is no JSON or not of this shape.
    """
    return decode_v3(_BODY, body)


def read_contact(contact: msgspec.Raw, place: str = "$") -> SentContact:
    """Decode one contact of a body.

    Args:
        contact: The contact, still encoded.
        place: Where in the body it is.

    Raises:
        RefusalError: 400, it is no JSON or of the wrong structure.
    """
    sent = decode_v3(_CONTACT, contact, place)
    if not IDENTIFIER_NAME.fullmatch(sent.match_identifier):
        raise schema_refusal("The matchIdentifier is not a name of an identifier", place)
    check_identifiers(sent, place)
    return sent


def read_malformed(raw: msgspec.Raw) -> SentContact:
    """Return what can be told of a contact of the wrong structure: who it is."""
    sent = _ANYTHING.decode(raw)
    if not isinstance(sent, dict):
        sent = {}
    match = sent.get("matchIdentifier")
    identifiers = sent.get("identifiers")
    named = identifiers.items() if isinstance(identifiers, dict) else ()
    if not isinstance(match, str) or not IDENTIFIER_NAME.fullmatch(match):
        match = EMAIL
    return SentContact(
        match_identifier=match,
        identifiers={
            name: value
            for name, value in named
            if IDENTIFIER_NAME.fullmatch(name)
            and (isinstance(value, str) or (name == CONTACT_ID and type(value) is int))
        },
    )


def check_import(body: bytes, switches: Switches, lists: Collection[int]) -> CheckedImport:
    """Check the structure of a request, every contact included.

    Args:
        body: The request.
        switches: Whether one contact at fault refuses all of it.
        lists: IDs of the lists that contacts may join.

    Raises:
        RefusalError: 400, for the whole request.
    """
    contacts = read_import(body).contacts
    named: Counter[int] = Counter()
    for index, raw in enumerate(contacts):
        place = f"$.contacts[{index}]"
        try:
            contact = read_contact(raw, place)
        except RefusalError as refusal:
            if switches.bad_contact == "request" or refusal.code == BAD_JSON:
                raise
        else:
            if contact.lists is not UNSET:
                named.update(set(contact.lists))
            _check_by_switches(contact, switches, lists, place)
    return CheckedImport(len(contacts), named)


def _check_by_switches(
    contact: SentContact, switches: Switches, lists: Collection[int], place: str
) -> None:
    """Refuse the request for what a switch says that it does not fail the contact alone."""
    if switches.empty_identifiers == "request" and not contact.identifiers:
        raise schema_refusal("The Identifiers field is required", f"{place}.identifiers")
    wanted = () if contact.lists is UNSET else contact.lists
    if switches.unknown_list == "refused" and any(one not in lists for one in wanted):
        raise schema_refusal("Invalid value for 'lists'", f"{place}.lists")
    if switches.wrong_word == "request":
        for failure in wrong_words(contact.channel_properties, switches):
            raise schema_refusal(failure.description, f"{place}.channelProperties")
    records = () if contact.consent_records is UNSET else contact.consent_records
    if switches.invalid_consent == "refused" and not all(map(is_consent_record, records)):
        raise schema_refusal("Invalid consent record", f"{place}.consentRecords")


def earlier_duplicates(contacts: Sequence[msgspec.Raw]) -> frozenset[int]:
    """Return the positions of entries that a later one of the same import takes the place of."""
    latest: dict[tuple[str, int | str], int] = {}
    earlier = set()
    for position, raw in enumerate(contacts):
        try:
            sent = _KEY.decode(raw)
        except msgspec.ValidationError:
            continue
        value = sent.identifiers.get(sent.match_identifier)
        if not isinstance(value, (int, str)):
            continue
        identifier, _ = normalise_identifiers({sent.match_identifier: value})
        normalised = identifier.get(sent.match_identifier)
        if normalised is None:
            continue
        key = (sent.match_identifier, normalised)
        if key in latest:
            earlier.add(latest[key])
        latest[key] = position
    return frozenset(earlier)
