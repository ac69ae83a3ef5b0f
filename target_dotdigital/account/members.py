"""Contacts that are there: read page by page, those of an address book known to be all of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from target_dotdigital.errors import (
    DotdigitalError,
    NotFoundError,
    RequestRefusedError,
    SettingsError,
)
from target_dotdigital.settings import address_book_label, gone_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_dotdigital.api import AddressBook, Client, ContactPage, FoundContact

MAX_EMPTY_PAGES = 3
"""Pages in a row without a contact that still name a next one."""


class IncompleteListError(DotdigitalError):
    """A list of contacts is not known to hold all of them."""


def find_address_book(client: Client, address_book_id: int) -> AddressBook:
    """Return an address book that was there when the run began.

    Args:
        client: Calls Dotdigital.
        address_book_id: Its ID.

    Raises:
        SettingsError: It is gone.
    """
    try:
        return client.address_book(address_book_id)
    except NotFoundError:
        raise SettingsError(gone_message(address_book_label(address_book_id))) from None


def read_members(
    client: Client,
    address_book_id: int,
    on_page: Callable[[], None] = lambda: None,
    label: str | None = None,
) -> Iterator[FoundContact]:
    """Yield the members of an address book. Read to the end, they are all of them.

    Args:
        client: Calls Dotdigital.
        address_book_id: The address book's ID.
        on_page: Called before each page; it may raise.
        label: What messages call the address book; its ID if not given.

    Raises:
        IncompleteListError: The pages go round in circles, or are fewer than they should be.
    """
    before = find_address_book(client, address_book_id).contacts
    label = label or address_book_label(address_book_id)
    listed = 0
    for contact in _read_pages(partial(client.members, address_book_id), label, on_page):
        listed += 1
        yield contact
    after = find_address_book(client, address_book_id).contacts
    # It may have grown or shrunk meanwhile: whatever lies between the two counts is complete.
    told = min((count for count in (before, after) if count is not None), default=0)
    if listed < told:
        raise IncompleteListError(
            f"Dotdigital counts {told} contacts in {label}, but lists only {listed}"
        )


def read_account(
    client: Client, on_page: Callable[[], None] = lambda: None
) -> Iterator[FoundContact]:
    """Yield the contacts of the account, as far as it lists them: no count tells how many it has.

    Args:
        client: Calls Dotdigital.
        on_page: Called before each page; it may raise.

    Raises:
        IncompleteListError: It lists none, or the pages go round in circles.
    """
    since_ever = False

    def page(marker: str | None) -> ContactPage:
        nonlocal since_ever
        try:
            return client.contacts(marker, since_ever=since_ever)
        except RequestRefusedError:
            if marker is not None or since_ever:
                raise
            since_ever = True
            return client.contacts(marker, since_ever=since_ever)

    try:
        yield from _read_pages(page, "the account", on_page)
    except RequestRefusedError as error:
        raise IncompleteListError(error.message) from None


def _read_pages(
    read: Callable[[str | None], ContactPage], whose: str, on_page: Callable[[], None]
) -> Iterator[FoundContact]:
    marker: str | None = None
    seen: set[str | int] = set()
    listed = empty = 0
    while True:
        on_page()
        page = read(marker)
        yield from page.items
        listed += len(page.items)
        empty = 0 if page.items else empty + 1
        # The first contact tells a page that comes again under a marker of another name.
        passed: set[str | int] = {each.contact_id for each in page.items[:1]}
        if page.links.next is not None:
            marker = page.links.next.marker
            passed.add(marker)
        if not passed.isdisjoint(seen) or empty > MAX_EMPTY_PAGES:
            raise IncompleteListError(
                f"Dotdigital's list of the contacts in {whose} does not end: it repeats itself "
                f"after {listed} contacts"
            )
        seen |= passed
        if page.links.next is None:
            return
