"""Contacts with what the account holds of them: data fields, channels, address books, preferences.

Source: the vendor's OpenAPI file of contacts v3 (3.4.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from target_dotdigital.api.replies import CONTACTS_A_PAGE, EVER, HELD_CONTACT, HELD_PAGE
from target_dotdigital.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_dotdigital.api.replies import HeldContact, HeldPage
    from target_dotdigital.api.retries import Caller

ALL_DATA_FIELDS = "[[ALL]]"
"""Stands for all data fields where names of some would."""

MAX_NAMED_FIELDS = 1_000
"""Characters of the names of data fields in a URL. What lies in between may refuse a longer one."""


class Details(NamedTuple):
    """What is told of a contact besides its identifiers.

    Attributes:
        data_fields: The names of data fields.
        include: Other parts, such as `channelProperties`.
    """

    data_fields: Sequence[str]
    include: Sequence[str]


def held_contact(caller: Caller, identifier: str, value: str | int) -> HeldContact | None:
    """Return a contact (`GET /contacts/v3/{identifier}/{value}`), or None if there is none.

    Args:
        caller: Makes the calls.
        identifier: `email`, `mobileNumber`, `contactId` or a custom identifier's name.
        value: Its value.

    Raises:
        RequestRefusedError: The value can be nobody's.
    """
    path = "/contacts/v3/{identifier}/{value}"
    try:
        return caller.make(HELD_CONTACT, "GET", path, identifier=identifier, value=value)
    except NotFoundError as error:
        if error.code is None:  # a proxy, say: nothing is known of the contact
            raise
        return None


def held_contacts(
    caller: Caller,
    details: Details,
    address_book_id: int | None,
    marker: str | None,
    *,
    since_ever: bool = False,
) -> HeldPage:
    """Return a page of contacts (`GET /contacts/v3`).

    Args:
        caller: Makes the calls.
        details: What is told of each contact.
        address_book_id: The address book that they are in; None for all of the account.
        marker: That of the page; None for the first one.
        since_ever: Whether a filter is sent that every contact passes: all filters are optional
            by the vendor's file, and nothing says that none at all is taken.

    Raises:
        RequestRefusedError: It is not taken like this.
    """
    params: dict[str, str | int] = {"limit": CONTACTS_A_PAGE, "include": "|".join(details.include)}
    if address_book_id is not None:
        params["~listId"] = address_book_id
    if since_ever:
        params["~created"] = EVER
    if details.data_fields:
        names = "|".join(details.data_fields)
        params["data-fields"] = names if len(names) <= MAX_NAMED_FIELDS else ALL_DATA_FIELDS
    if marker is not None:
        params["marker"] = marker
    return caller.make(HELD_PAGE, "GET", "/contacts/v3", params=params)
