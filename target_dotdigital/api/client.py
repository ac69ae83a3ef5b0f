"""Dotdigital's API: one method an endpoint, typed answers.

Sources: https://developer.dotdigital.com/reference and the vendor's OpenAPI files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from target_dotdigital.api import replies
from target_dotdigital.api.replies import CONTACTS_A_PAGE, EVER
from target_dotdigital.errors import ForbiddenError, NotFoundError, NotOfferedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from target_dotdigital.api.any_case import AnyCaseDecoder
    from target_dotdigital.api.replies import (
        AccountInfo,
        AddressBook,
        ContactPage,
        DataField,
        DeletionStatus,
        FoundContact,
        HeldContact,
        ImportStatus,
        Member,
        RemovalStatus,
    )
    from target_dotdigital.api.retries import Caller

ADDRESS_BOOK_PAGE = 1000
"""The most address books that one call returns."""

ALL_DATA_FIELDS = "[[ALL]]"
"""Stands for all data fields where names of some would."""

MAX_NAMED_FIELDS = 1_000
"""Characters of the names of data fields in a URL. What lies in between may refuse a longer one."""

ContactT = TypeVar("ContactT")


class Details(NamedTuple):
    """What is told of a contact besides its identifiers.

    Attributes:
        data_fields: The names of data fields.
        include: Other parts, such as `channelProperties`.
    """

    data_fields: Sequence[str] = ()
    include: Sequence[str] = ()


class Client:
    """The calls that the target makes, through its `caller`. Safe to use from several threads."""

    def __init__(self, caller: Caller) -> None:
        """Call through a caller.

        Args:
            caller: Makes the calls, to an account's data region.
        """
        self.caller = caller

    @property
    def host(self) -> str:
        """The name of the host that is called."""
        return self.caller.host

    def account_info(self) -> AccountInfo:
        """Return the account's properties (`GET /v2/account-info`)."""
        return self.caller.make(replies.ACCOUNT_INFO, "GET", "/v2/account-info")

    def address_book(self, address_book_id: int) -> AddressBook:
        """Return an address book (`GET /v2/address-books/{id}`).

        Args:
            address_book_id: Its ID.

        Raises:
            NotFoundError: There is none with this ID.
        """
        return self.caller.make(
            replies.ADDRESS_BOOK, "GET", "/v2/address-books/{id}", id=address_book_id
        )

    def address_books(self) -> Iterator[AddressBook]:
        """Yield all address books, page by page (`GET /v2/address-books`)."""
        seen: set[int] = set()
        while True:
            page = self.caller.make(
                replies.ADDRESS_BOOKS,
                "GET",
                "/v2/address-books",
                params={"select": ADDRESS_BOOK_PAGE, "skip": len(seen)},
            )
            new = [book for book in page if book.id not in seen]
            if not new:  # an empty page, or a server that does not know `skip`
                return
            yield from new
            seen.update(book.id for book in new)

    def create_address_book(self, name: str, find: Callable[[], AddressBook | None]) -> AddressBook:
        """Create a private address book (`POST /v2/address-books`).

        Args:
            name: Its name.
            find: Looks for it. A POST whose answer was lost may have been carried out, so it is
                looked for before it is sent again.

        Raises:
            RequestRefusedError: It cannot be created; the code says why.
        """
        new = {"name": name, "visibility": "Private"}
        return self.caller.create(replies.ADDRESS_BOOK, "/v2/address-books", new, find)

    def data_fields(self) -> list[DataField]:
        """Return the account's data fields (`GET /v2/data-fields`)."""
        return self.caller.make(replies.DATA_FIELDS, "GET", "/v2/data-fields")

    def create_data_field(
        self, name: str, field_type: str, find: Callable[[], DataField | None]
    ) -> DataField:
        """Create a private data field (`POST /v2/data-fields`).

        Of the vendor's two descriptions of the answer, 201 both, the older one has no body.

        Args:
            name: Its name.
            field_type: `String`, `Numeric`, `Date` or `Boolean`.
            find: Looks for it, as for an address book.

        Raises:
            RequestRefusedError: It cannot be created; the code says why.
        """
        new = {"name": name, "type": field_type, "visibility": "Private"}
        created = replies.DataField(name, field_type)
        return self.caller.create(replies.DATA_FIELD, "/v2/data-fields", new, find, created)

    def custom_identifiers(self) -> list[str] | None:
        """Return the names of the account's custom identifiers.

        `GET /configuration/v3/customIdentifiers`, which is in preview: not every account has it.

        Returns:
            None if the call is not there.
        """
        path = "/configuration/v3/customIdentifiers"
        try:
            found = self.caller.make(replies.CUSTOM_IDENTIFIERS, "GET", path)
        except (ForbiddenError, NotFoundError, NotOfferedError):
            return None
        return [each.name for each in found]

    def takes_imports(self) -> bool:
        """Return whether the account's call limits are known to let an import through."""
        return self.caller.is_open("PUT /contacts/v3/import")

    def imports_a_minute(self) -> int | None:
        """Return how many imports a minute the call limits let through; None if none is told."""
        return self.caller.limit_of("PUT /contacts/v3/import")

    def import_contacts(self, body: bytes | memoryview) -> str:
        """Queue an import (`PUT /contacts/v3/import`), again if its answer was lost.

        Args:
            body: The request's JSON.

        Returns:
            The import's ID.

        Raises:
            TooManyActiveJobsError: An import has to end first.
            RequestTooLargeError: The body is too large.
            RequestRefusedError: The request as a whole is refused.
        """
        return self.caller.make(
            replies.IMPORT_ACCEPTED, "PUT", "/contacts/v3/import", body=body
        ).import_id

    def import_status(self, import_id: str) -> ImportStatus:
        """Return an import's status and report (`GET /contacts/v3/import/{importId}`).

        Args:
            import_id: The import's ID.

        Raises:
            NotFoundError: The import is not known, or not yet.
        """
        return self.caller.make(
            replies.IMPORT_STATUS, "GET", "/contacts/v3/import/{id}", id=import_id
        )

    def contact(self, identifier: str, value: str | int) -> FoundContact | None:
        """Return a contact (`GET /contacts/v3/{identifier}/{value}`), or None if there is none.

        Args:
            identifier: `email`, `mobileNumber`, `contactId` or a custom identifier's name.
            value: Its value.

        Raises:
            RequestRefusedError: The value can be nobody's.
        """
        return self._contact(replies.FOUND_CONTACT, identifier, value)

    def held_contact(self, identifier: str, value: str | int) -> HeldContact | None:
        """Return the same with what the account holds of the contact.

        Args:
            identifier: See `contact`.
            value: See `contact`.

        Raises:
            RequestRefusedError: The value can be nobody's.
        """
        return self._contact(replies.HELD_CONTACT, identifier, value)

    def _contact(
        self, decoder: AnyCaseDecoder[ContactT], identifier: str, value: str | int
    ) -> ContactT | None:
        path = "/contacts/v3/{identifier}/{value}"
        try:
            return self.caller.make(decoder, "GET", path, identifier=identifier, value=value)
        except NotFoundError as error:
            if error.code is None:  # a proxy, say: nothing is known of the contact
                raise
            return None

    def members(self, address_book_id: int, marker: str | None) -> ContactPage[Member]:
        """Return a page of an address book's contacts (`GET /contacts/v3`).

        Args:
            address_book_id: Its ID.
            marker: That of the page; None for the first one.
        """
        return self._page(replies.CONTACT_PAGE, {"~listId": address_book_id}, marker)

    def held_contacts(
        self,
        details: Details,
        address_book_id: int | None,
        marker: str | None,
        *,
        since_ever: bool = False,
    ) -> ContactPage[HeldContact]:
        """Return a page of contacts with what the account holds of them (`GET /contacts/v3`).

        Args:
            details: What is told of each contact.
            address_book_id: The address book that they are in; None for all of the account.
            marker: That of the page; None for the first one.
            since_ever: Whether a filter is sent that every contact passes: all filters are optional
                by the vendor's file, and nothing says that none at all is taken.

        Raises:
            RequestRefusedError: It is not taken like this.
        """
        params: dict[str, str | int] = {}
        if address_book_id is not None:
            params["~listId"] = address_book_id
        if since_ever:
            params["~created"] = EVER
        if details.include:
            params["include"] = "|".join(details.include)
        if details.data_fields:
            names = "|".join(details.data_fields)
            params["data-fields"] = names if len(names) <= MAX_NAMED_FIELDS else ALL_DATA_FIELDS
        return self._page(replies.HELD_PAGE, params, marker)

    def _page(
        self,
        decoder: AnyCaseDecoder[ContactPage[ContactT]],
        params: Mapping[str, str | int],
        marker: str | None,
    ) -> ContactPage[ContactT]:
        at = {} if marker is None else {"marker": marker}
        params = {**params, "limit": CONTACTS_A_PAGE, **at}
        return self.caller.make(decoder, "GET", "/contacts/v3", params=params)

    def remove_members(self, address_book_id: int, contact_ids: Sequence[int]) -> str:
        """Queue a removal from an address book (`POST /v2/address-books/{id}/contacts/delete`).

        The contacts stay in the account. It is sent again if its answer was lost: whoever has left
        cannot leave twice.

        Args:
            address_book_id: The address book's ID.
            contact_ids: At least one.

        Returns:
            The removal's ID.

        Raises:
            NotFoundError: There is no such address book.
        """
        path = "/v2/address-books/{id}/contacts/delete"
        body = msgspec.json.encode(contact_ids)
        return self.caller.make(
            replies.REMOVAL_STATUS, "POST", path, body=body, id=address_book_id
        ).id

    def removal_status(self, removal_id: str) -> RemovalStatus:
        """Return a removal's status (`GET /v2/contacts/deletion/{id}`).

        Args:
            removal_id: The removal's ID.

        Raises:
            NotFoundError: The removal is not known, or not yet.
        """
        return self.caller.make(
            replies.REMOVAL_STATUS, "GET", "/v2/contacts/deletion/{id}", id=removal_id
        )

    def delete_contacts(self, body: bytes) -> str:
        """Queue a deletion from the account (`POST /contacts/v3/delete`).

        It is sent again if its answer was lost, as removals are.

        Args:
            body: A JSON array of 1 to 5,000 objects, an identifier each.

        Returns:
            The deletion's ID.

        Raises:
            TooManyActiveJobsError: A deletion has to end first.
            RequestRefusedError: The request as a whole is refused.
        """
        return self.caller.make(
            replies.DELETION_ACCEPTED, "POST", "/contacts/v3/delete", body=body
        ).delete_id

    def deletion_status(self, delete_id: str) -> DeletionStatus:
        """Return a deletion's status and report (`GET /contacts/v3/delete/{deleteId}`).

        Args:
            delete_id: The deletion's ID.

        Raises:
            NotFoundError: The deletion is not known, or not yet.
        """
        return self.caller.make(
            replies.DELETION_STATUS, "GET", "/contacts/v3/delete/{id}", id=delete_id
        )
