"""Dotdigital's answers, typed. Source: the vendor's OpenAPI files (contacts 3.4.3, v2).

Each has all names that the vendor documents, those that nobody reads as well: see `Documented`.
A type is decoded by the decoder that is made for it here, while the module is imported. msgspec
looks at a type when a decoder is made for it, and crashes when two threads do that at once.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

import msgspec

from target_dotdigital.api.any_case import AnyCaseDecoder, Documented

# It stands in URLs and logs, so nothing but an ID may be in it.
JobId = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z-]{1,64}$")]

CONTACTS_A_PAGE = 5000
"""The most contacts that one call returns, and the most that one deletion takes."""

EVER = "gte::2000-01-01T00:00:00Z"
"""A filter that every contact passes, as the company is younger."""

ContactT_co = TypeVar("ContactT_co", covariant=True)

_UNREAD = msgspec.Raw()
"""Stands for what an answer has and nobody reads: it is skipped, not decoded."""


class AccountProperty(Documented, frozen=True):
    """One of the account's properties; every value is a text."""

    name: str
    value: str | None = None
    type: msgspec.Raw = _UNREAD


class AccountInfo(Documented, frozen=True):
    """`GET /v2/account-info`."""

    id: int
    properties: list[AccountProperty] = msgspec.field(default_factory=list)

    def property(self, name: str) -> str | None:
        """Return a property's value, or None.

        Args:
            name: The property's name, such as `ApiEndpoint`, in any case.
        """
        wanted = name.lower()
        return next((each.value for each in self.properties if each.name.lower() == wanted), None)


class AddressBook(Documented, frozen=True):
    """One of `GET /v2/address-books`."""

    id: int
    name: str
    contacts: int | None = None
    """How many there are in it."""
    visibility: msgspec.Raw = _UNREAD


class DataField(Documented, frozen=True):
    """One of `GET /v2/data-fields`."""

    name: str
    type: str
    visibility: msgspec.Raw = _UNREAD
    default_value: msgspec.Raw = msgspec.field(name="defaultValue", default=_UNREAD)


class CustomIdentifier(Documented, frozen=True):
    """One of `GET /configuration/v3/customIdentifiers`. Source: configuration 3.0.2."""

    name: str
    created: msgspec.Raw = _UNREAD
    updated: msgspec.Raw = _UNREAD


class ImportAccepted(Documented, frozen=True):
    """202 of `PUT /contacts/v3/import`: queued, nothing more."""

    import_id: JobId = msgspec.field(name="importId")


class ImportSummary(Documented, frozen=True, rename="camel"):
    """What an import came to, in contacts."""

    new_contacts: int = 0
    updated_contacts: int = 0
    globally_suppressed: int = 0
    invalid_entries: int = 0
    duplicate_identifiers: int = 0


class WrittenContact(Documented, frozen=True, rename="camel", gc=False):
    """A contact that was created or updated."""

    contact_id: int | None = None
    identifiers: dict[str, Any] | None = None


class Failure(Documented, frozen=True, rename="camel"):
    """Why a contact, or a part of it, was refused."""

    failure_code: str | None = None
    description: msgspec.Raw = _UNREAD


class FailedContact(Documented, frozen=True, rename="camel"):
    """A contact that was refused, or written without one of its parts."""

    contact_id: int | None = None
    match_identifier: str | None = None
    identifiers: dict[str, Any] | None = None
    failures: list[Failure] | None = None


class ImportStatus(Documented, frozen=True):
    """`GET /contacts/v3/import/{importId}`: status and report in one."""

    status: str
    summary: ImportSummary | None = None
    created: list[WrittenContact] | None = None
    updated: list[WrittenContact] | None = None
    failures: list[FailedContact] | None = None
    import_id: msgspec.Raw = msgspec.field(name="importId", default=_UNREAD)


class ListOfContact(Documented, frozen=True):
    """An address book that a contact is in."""

    id: int
    status: str | None = None
    """`subscribed`, `pending`, or `suppressed` where the contact has opted out."""
    name: msgspec.Raw = _UNREAD


class Member(Documented, frozen=True, rename="camel", gc=False, forbid_unknown_fields=False):
    """A contact of a list, with names spelled as documented.

    It must have the names that are read: so the others need no look to tell that they are others.
    """

    contact_id: int
    identifiers: dict[str, Any] | None


class FoundContact(Member, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True):
    """A contact of `GET /contacts/v3`, or of `GET /contacts/v3/{identifier}/{value}`."""

    identifiers: dict[str, Any] | None = None
    lists: list[ListOfContact] | None = None
    """Not told by every answer."""
    status: msgspec.Raw = _UNREAD
    created: msgspec.Raw = _UNREAD
    updated: msgspec.Raw = _UNREAD
    data_fields: msgspec.Raw = _UNREAD
    channel_properties: msgspec.Raw = _UNREAD
    preferences: msgspec.Raw = _UNREAD
    consent_records: msgspec.Raw = _UNREAD


class PreferenceOfContact(Documented, frozen=True, rename="camel"):
    """A marketing preference that a contact has."""

    id: int
    is_opted_in: bool | None = None
    name: msgspec.Raw = _UNREAD
    public_name: msgspec.Raw = _UNREAD
    private_name: msgspec.Raw = _UNREAD


class HeldContact(Documented, frozen=True, rename="camel"):
    """A contact with what the account holds of it, as far as it was asked for."""

    contact_id: int
    identifiers: dict[str, Any] | None = None
    status: str | None = None
    """Such as `subscribed`, `unsubscribed`, `suppressed`, `binned`."""
    data_fields: dict[str, Any] | None = None
    channel_properties: dict[str, dict[str, Any] | None] | None = None
    lists: list[ListOfContact] | None = None
    preferences: list[PreferenceOfContact] | None = None
    created: msgspec.Raw = _UNREAD
    updated: msgspec.Raw = _UNREAD
    consent_records: msgspec.Raw = _UNREAD


class PageLink(Documented, frozen=True):
    """Where a page is."""

    marker: str
    link: msgspec.Raw = _UNREAD


class PageLinks(Documented, frozen=True):
    """A page's neighbours."""

    next: PageLink | None = None
    this: msgspec.Raw = msgspec.field(name="self", default=_UNREAD)
    first: msgspec.Raw = _UNREAD
    prev: msgspec.Raw = _UNREAD
    last: msgspec.Raw = _UNREAD


class ContactPage(Documented, Generic[ContactT_co], frozen=True):
    """A page of `GET /contacts/v3`. The last one has no next."""

    items: list[ContactT_co] = msgspec.field(name="_items")
    links: PageLinks = msgspec.field(name="_links")


class RemovalStatus(Documented, frozen=True):
    """A removal from an address book: 202 when it is asked for, and every poll."""

    id: JobId
    status: str


class DeletionAccepted(Documented, frozen=True):
    """202 of `POST /contacts/v3/delete`: queued, nothing more."""

    delete_id: JobId = msgspec.field(name="deleteId")


class DeletionSummary(Documented, frozen=True, rename="camel"):
    """What a deletion came to, in contacts."""

    deleted_contacts: int = 0
    unknown_contacts: int = 0
    invalid_entries: int = 0
    requested_contacts: msgspec.Raw = _UNREAD


class FailedDeletion(Documented, frozen=True):
    """A contact that was not deleted: it is not there, or Dotdigital refuses."""

    identifier: dict[str, Any] | None = None
    failures: list[Failure] | None = None


class DeletionStatus(Documented, frozen=True):
    """`GET /contacts/v3/delete/{deleteId}`: status and report in one."""

    status: str
    summary: DeletionSummary | None = None
    deleted: list[dict[str, Any]] | None = None
    failures: list[FailedDeletion] | None = None
    delete_id: msgspec.Raw = msgspec.field(name="deleteId", default=_UNREAD)


ACCOUNT_INFO = AnyCaseDecoder(AccountInfo)
ADDRESS_BOOK = AnyCaseDecoder(AddressBook)
ADDRESS_BOOKS = AnyCaseDecoder(list[AddressBook])
DATA_FIELD = AnyCaseDecoder(DataField)
DATA_FIELDS = AnyCaseDecoder(list[DataField])
CUSTOM_IDENTIFIERS = AnyCaseDecoder(list[CustomIdentifier])
IMPORT_ACCEPTED = AnyCaseDecoder(ImportAccepted)
IMPORT_STATUS = AnyCaseDecoder(ImportStatus)
FOUND_CONTACT = AnyCaseDecoder(FoundContact)
CONTACT_PAGE: AnyCaseDecoder[ContactPage[Member]] = AnyCaseDecoder(
    ContactPage[FoundContact], ContactPage[Member]
)
HELD_CONTACT = AnyCaseDecoder(HeldContact)
HELD_PAGE = AnyCaseDecoder(ContactPage[HeldContact])
REMOVAL_STATUS = AnyCaseDecoder(RemovalStatus)
DELETION_ACCEPTED = AnyCaseDecoder(DeletionAccepted)
DELETION_STATUS = AnyCaseDecoder(DeletionStatus)
