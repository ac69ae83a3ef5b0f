"""Dotdigital's answers, typed. Source: the vendor's OpenAPI files (contacts 3.4.3, v2).

A type is decoded by the decoder that is made for it here, while the module is imported. msgspec
looks at a type when a decoder is made for it, and crashes when two threads do that at once.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

# It stands in URLs and logs, so nothing but an ID may be in it.
JobId = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z-]{1,64}$")]


class AccountProperty(msgspec.Struct, frozen=True):
    """One of the account's properties; every value is a text."""

    name: str
    value: str | None = None


class AccountInfo(msgspec.Struct, frozen=True):
    """`GET /v2/account-info`."""

    id: int
    properties: list[AccountProperty] = []

    def property(self, name: str) -> str | None:
        """Return a property's value, or None.

        Args:
            name: The property's name, such as `ApiEndpoint`.
        """
        return next((item.value for item in self.properties if item.name == name), None)


class AddressBook(msgspec.Struct, frozen=True):
    """One of `GET /v2/address-books`."""

    id: int
    name: str
    contacts: int | None = None
    """How many there are in it."""


class DataField(msgspec.Struct, frozen=True):
    """One of `GET /v2/data-fields`."""

    name: str
    type: str


class ImportAccepted(msgspec.Struct, frozen=True):
    """202 of `PUT /contacts/v3/import`: queued, nothing more."""

    import_id: JobId = msgspec.field(name="importId")


class ImportSummary(msgspec.Struct, frozen=True, rename="camel"):
    """What an import came to, in contacts."""

    new_contacts: int = 0
    updated_contacts: int = 0
    globally_suppressed: int = 0
    invalid_entries: int = 0
    duplicate_identifiers: int = 0


class WrittenContact(msgspec.Struct, frozen=True, rename="camel"):
    """A contact that was created or updated."""

    contact_id: int | None = None
    identifiers: dict[str, Any] | None = None


class Failure(msgspec.Struct, frozen=True, rename="camel"):
    """Why a contact, or a part of it, was refused."""

    failure_code: str | None = None


class FailedContact(msgspec.Struct, frozen=True, rename="camel"):
    """A contact that was refused, or written without one of its parts."""

    contact_id: int | None = None
    match_identifier: str | None = None
    identifiers: dict[str, Any] | None = None
    failures: list[Failure] | None = None


class ImportStatus(msgspec.Struct, frozen=True):
    """`GET /contacts/v3/import/{importId}`: status and report in one."""

    status: str
    summary: ImportSummary | None = None
    created: list[WrittenContact] | None = None
    updated: list[WrittenContact] | None = None
    failures: list[FailedContact] | None = None


class ListOfContact(msgspec.Struct, frozen=True):
    """An address book that a contact is in."""

    id: int


class FoundContact(msgspec.Struct, frozen=True, rename="camel"):
    """A contact of `GET /contacts/v3`, or of `GET /contacts/v3/{identifier}/{value}`."""

    contact_id: int
    identifiers: dict[str, Any] | None = None
    lists: list[ListOfContact] | None = None
    """Not told by every answer."""


class PageLink(msgspec.Struct, frozen=True):
    """Where a page is."""

    marker: str


class PageLinks(msgspec.Struct, frozen=True):
    """A page's neighbours."""

    next: PageLink | None = None


class ContactPage(msgspec.Struct, frozen=True):
    """A page of `GET /contacts/v3`. The last one has no next."""

    items: list[FoundContact] = msgspec.field(name="_items")
    links: PageLinks = msgspec.field(name="_links")


class RemovalStatus(msgspec.Struct, frozen=True):
    """A removal from an address book: 202 when it is asked for, and every poll."""

    id: JobId
    status: str


class DeletionAccepted(msgspec.Struct, frozen=True):
    """202 of `POST /contacts/v3/delete`: queued, nothing more."""

    delete_id: JobId = msgspec.field(name="deleteId")


class DeletionSummary(msgspec.Struct, frozen=True, rename="camel"):
    """What a deletion came to, in contacts."""

    deleted_contacts: int = 0
    unknown_contacts: int = 0
    invalid_entries: int = 0


class FailedDeletion(msgspec.Struct, frozen=True):
    """A contact that was not deleted: it is not there, or Dotdigital refuses."""

    identifier: dict[str, Any] | None = None
    failures: list[Failure] | None = None


class DeletionStatus(msgspec.Struct, frozen=True):
    """`GET /contacts/v3/delete/{deleteId}`: status and report in one."""

    status: str
    summary: DeletionSummary | None = None
    deleted: list[dict[str, Any]] | None = None
    failures: list[FailedDeletion] | None = None


ACCOUNT_INFO = msgspec.json.Decoder(AccountInfo)
ADDRESS_BOOK = msgspec.json.Decoder(AddressBook)
ADDRESS_BOOKS = msgspec.json.Decoder(list[AddressBook])
DATA_FIELD = msgspec.json.Decoder(DataField)
DATA_FIELDS = msgspec.json.Decoder(list[DataField])
IMPORT_ACCEPTED = msgspec.json.Decoder(ImportAccepted)
IMPORT_STATUS = msgspec.json.Decoder(ImportStatus)
FOUND_CONTACT = msgspec.json.Decoder(FoundContact)
CONTACT_PAGE = msgspec.json.Decoder(ContactPage)
REMOVAL_STATUS = msgspec.json.Decoder(RemovalStatus)
DELETION_ACCEPTED = msgspec.json.Decoder(DeletionAccepted)
DELETION_STATUS = msgspec.json.Decoder(DeletionStatus)
ERROR = msgspec.json.Decoder(dict[str, Any])
"""The answer to a call that is refused."""
