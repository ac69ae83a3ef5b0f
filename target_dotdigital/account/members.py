"""Contacts that are there: read page by page, those of an address book known to be all of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from target_dotdigital.api import held_contacts
from target_dotdigital.errors import (
    DotdigitalError,
    NotFoundError,
    RequestRefusedError,
    SettingsError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from target_dotdigital.api import (
        AddressBook,
        Client,
        Details,
        FoundContact,
        HeldContact,
        HeldPage,
    )

MAX_EMPTY_PAGES = 3
"""Pages in a row without a contact that still name a next one."""


class _Contact(Protocol):
    @property
    def contact_id(self) -> int: ...


class _Link(Protocol):
    @property
    def marker(self) -> str: ...


class _Links(Protocol):
    @property
    def next(self) -> _Link | None: ...


_ContactT = TypeVar("_ContactT", bound=_Contact)
_ContactT_co = TypeVar("_ContactT_co", bound=_Contact, covariant=True)


class _Page(Protocol[_ContactT_co]):
    @property
    def items(self) -> Sequence[_ContactT_co]: ...

    @property
    def links(self) -> _Links: ...


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
        raise SettingsError(f"The address book {address_book_id} is gone") from None


def read_members(
    client: Client, address_book_id: int, on_page: Callable[[], None] = lambda: None
) -> Iterator[FoundContact]:
    """Yield the members of an address book; whoever reads to the end has seen all of them.

    Args:
        client: Calls Dotdigital.
        address_book_id: The address book's ID.
        on_page: Called before each page; it may raise.

    Raises:
        IncompleteListError: The pages go round in circles, or are fewer than they should be.
    """
    yield from _read_all(client, address_book_id, partial(client.members, address_book_id), on_page)


def read_held_members(
    client: Client, address_book_id: int, details: Details, on_page: Callable[[], None]
) -> Iterator[HeldContact]:
    """Yield the members of an address book with what the account holds of them.

    Args:
        client: Calls Dotdigital.
        address_book_id: The address book's ID.
        details: What is told of each of them.
        on_page: Called before each page; it may raise.

    Raises:
        IncompleteListError: See `read_members`.
    """
    read = partial(held_contacts, client.caller, details, address_book_id)
    yield from _read_all(client, address_book_id, read, on_page)


def _read_all(
    client: Client,
    address_book_id: int,
    read: Callable[[str | None], _Page[_ContactT]],
    on_page: Callable[[], None],
) -> Iterator[_ContactT]:
    before = find_address_book(client, address_book_id).contacts
    whose = f"the members of address book {address_book_id}"
    listed = 0
    for contact in _read_pages(read, whose, on_page):
        listed += 1
        yield contact
    after = find_address_book(client, address_book_id).contacts
    # It may have grown or shrunk meanwhile: whatever lies between the two counts is complete.
    told = min((count for count in (before, after) if count is not None), default=0)
    if listed < told:
        raise IncompleteListError(
            f"Address book {address_book_id} has {told} contacts by its own count, and the list of "
            f"its members holds {listed}: the list is not complete"
        )


def read_held_account(
    client: Client, details: Details, on_page: Callable[[], None]
) -> Iterator[HeldContact]:
    """Yield the contacts of the account, as far as it lists them: no count tells how many it has.

    Args:
        client: Calls Dotdigital.
        details: What is told of each of them.
        on_page: Called before each page; it may raise.

    Raises:
        IncompleteListError: It lists none, or the pages go round in circles.
    """
    read = partial(held_contacts, client.caller, details, None)
    since_ever = False

    def page(marker: str | None) -> HeldPage:
        nonlocal since_ever
        try:
            return read(marker, since_ever=since_ever)
        except RequestRefusedError:
            if marker is not None or since_ever:
                raise
            since_ever = True
            return read(marker, since_ever=since_ever)

    try:
        yield from _read_pages(page, "the contacts of the account", on_page)
    except RequestRefusedError as error:
        raise IncompleteListError(error.message) from None


def _read_pages(
    read: Callable[[str | None], _Page[_ContactT]], whose: str, on_page: Callable[[], None]
) -> Iterator[_ContactT]:
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
                f"The list of {whose} does not end: a page comes again after {listed} contacts"
            )
        seen |= passed
        if page.links.next is None:
            return
