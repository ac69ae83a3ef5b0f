"""A collection of contacts in JSON, as `POST /v2/contacts/import-collection` takes it."""

from __future__ import annotations

from typing import Any

import msgspec

from target_dotdigital.sandbox.api.v2.consents import consent_part
from target_dotdigital.sandbox.http import AnyCaseDecoder, decode_v2, v2_refusal
from target_dotdigital.sandbox.imports import (
    Upload,
    UploadedContact,
    read_merge_option,
    upload_of,
)

_CONSENT_COLUMNS = {
    "text": "CONSENTTEXT",
    "date_time_consented": "CONSENTDATETIME",
    "url": "CONSENTURL",
    "ip_address": "CONSENTIP",
    "user_agent": "CONSENTUSERAGENT",
}
"""The columns of a file by the parts of a consent: from here on both are one."""


class KeyValue(msgspec.Struct, frozen=True):
    """A data field, or a part of a consent."""

    key: str | None = None
    value: Any = None


class CollectionContact(msgspec.Struct, frozen=True, rename="camel"):
    """A contact of a collection. Its ID and status are not taken from it."""

    email: str | None = None
    opt_in_type: str | None = None
    email_type: str | None = None
    data_fields: list[KeyValue] | None = None
    consent_fields: list[KeyValue] | None = None


class Collection(msgspec.Struct, frozen=True, rename="camel"):
    """The whole body."""

    contacts: list[CollectionContact] | None = None
    address_book_ids: list[int] | None = None
    merge_option: str | int | None = None


_COLLECTION = AnyCaseDecoder(Collection)


def read_collection(body: bytes) -> Upload:
    """Read a collection.

    Raises:
        RefusalError: 400, it is none, or it has no contacts.
        MergeOptionError: Its merge option is none.
    """
    collection = decode_v2(_COLLECTION, body, "ERROR_PARAMETER_INVALID")
    if not collection.contacts:
        raise v2_refusal("ERROR_CONTACTS_ARE_NOT_SPECIFIED", "There are no contacts in it.")
    option = 0 if collection.merge_option is None else collection.merge_option
    contacts = [UploadedContact(one.email or "", _cells(one)) for one in collection.contacts]
    columns = dict.fromkeys(name for contact in contacts for name in contact.cells)
    return upload_of(
        contacts,
        list(columns),
        merge_option=read_merge_option(option),
        lists=collection.address_book_ids or [],
        is_file=False,
    )


def _cells(contact: CollectionContact) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    if contact.opt_in_type:
        cells["OptInType"] = contact.opt_in_type
    if contact.email_type:
        cells["EmailType"] = contact.email_type
    for field in contact.data_fields or ():
        if field.key:
            cells[field.key] = field.value
    for part in contact.consent_fields or ():
        if name := consent_part(part.key or ""):
            cells[_CONSENT_COLUMNS[name]] = part.value
    return cells
