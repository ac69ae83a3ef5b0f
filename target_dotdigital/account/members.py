"""Contacts that are there: read page by page, or looked up one by one while they are few."""

from __future__ import annotations

import logging
import threading
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Final, TypeVar

from target_dotdigital.account.identities import identities_of
from target_dotdigital.api import Details, HeldContact, Member
from target_dotdigital.errors import (
    DotdigitalError,
    NotFoundError,
    RequestRefusedError,
    SettingsError,
)
from target_dotdigital.mapping import IdentitySet, decode_sent
from target_dotdigital.settings import address_book_label, gone_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from target_dotdigital.api import AddressBook, Client, ContactPage
    from target_dotdigital.mapping import Contact

MAX_EMPTY_PAGES = 3
"""Pages in a row without a contact that still name a next one."""

MAX_LOOKUPS: Final = 200
"""Contacts that are looked up one by one. For more, lists are read: 5,000 contacts a call."""

NOT_IN_A_PATH: Final = frozenset({".", ".."})
"""Values that HTTP clients take out of a path, so that another call would be made."""

_logger = logging.getLogger("target-dotdigital.account")


_ContactT = TypeVar("_ContactT", Member, HeldContact)


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


def read_member_pages(
    client: Client,
    address_book_id: int,
    on_page: Callable[[], None] = lambda: None,
    label: str | None = None,
) -> Iterator[Sequence[Member]]:
    """Yield the members of an address book by the page. Read to the end, they are all of them.

    Args:
        client: Calls Dotdigital.
        address_book_id: The address book's ID.
        on_page: Called before each page; it may raise.
        label: What messages call the address book; its ID if not given.

    Raises:
        IncompleteListError: The pages go round in circles, or are fewer than they should be.
    """
    read = partial(client.members, address_book_id)
    yield from _read_all(client, address_book_id, read, on_page, label)


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
        IncompleteListError: See `read_member_pages`.
    """
    read = partial(client.held_contacts, details, address_book_id)
    yield from chain.from_iterable(_read_all(client, address_book_id, read, on_page))


def _read_all(
    client: Client,
    address_book_id: int,
    read: Callable[[str | None], ContactPage[_ContactT]],
    on_page: Callable[[], None],
    label: str | None = None,
) -> Iterator[Sequence[_ContactT]]:
    before = find_address_book(client, address_book_id).contacts
    label = label or address_book_label(address_book_id)
    listed = 0
    for page in _read_pages(read, label, on_page):
        listed += len(page)
        yield page
    after = find_address_book(client, address_book_id).contacts
    # It may have grown or shrunk meanwhile: whatever lies between the two counts is complete.
    told = min((count for count in (before, after) if count is not None), default=0)
    if listed < told:
        raise IncompleteListError(
            f"Dotdigital counts {told} contacts in {label}, but lists only {listed}"
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
    read = partial(client.held_contacts, details, None)
    since_ever = False

    def page(marker: str | None) -> ContactPage[HeldContact]:
        nonlocal since_ever
        try:
            return read(marker, since_ever=since_ever)
        except RequestRefusedError:
            if marker is not None or since_ever:
                raise
            since_ever = True
            return read(marker, since_ever=since_ever)

    try:
        yield from chain.from_iterable(_read_pages(page, "the account", on_page))
    except RequestRefusedError as error:
        raise IncompleteListError(error.message) from None


def _read_pages(
    read: Callable[[str | None], ContactPage[_ContactT]], whose: str, on_page: Callable[[], None]
) -> Iterator[Sequence[_ContactT]]:
    marker: str | None = None
    seen: set[str | int] = set()
    listed = empty = 0
    while True:
        on_page()
        page = read(marker)
        yield page.items
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


class KnownContacts:
    """Tells which contacts the account knows. Safe to use from several threads.

    Where it cannot be told, a contact counts as known: an opt-out is sent rather than lost.
    """

    def __init__(self, client: Client) -> None:
        """Call nothing yet.

        Args:
            client: Calls Dotdigital, by GET alone.
        """
        self._client = client
        self._lock = threading.Lock()
        self._lookups = 0
        self._known = IdentitySet()
        self._is_listing = False
        """Whether the list of the account's contacts is used, or just being read."""
        self._is_read = False
        self._is_unreadable = False

    def divide(self, contacts: Iterable[Contact]) -> tuple[list[Contact], list[Contact]]:
        """Divide contacts into those that are to be sent, and those that are left out.

        Args:
            contacts: The contacts.

        Returns:
            Left out are those that are to be sent only if the account knows them, and are unknown.

        Raises:
            TargetDotdigitalError: A call fails.
        """
        everybody = list(contacts)
        unsure = list(filter(attrgetter("only_if_known"), everybody))
        if not unsure:
            return everybody, []
        with self._lock:
            if not self._is_read and self._lookups + len(unsure) > MAX_LOOKUPS:
                self._read_account()
            is_known = self._is_listed if self._is_read else self._is_found
            left_out = [each for each in unsure if not is_known(each)]
        keys = {each.key for each in left_out}
        return [each for each in everybody if each.key not in keys], left_out

    def note(self, contacts: Iterable[Contact]) -> None:
        """Take note of contacts that are known from now on.

        Args:
            contacts: They were imported.
        """
        if not self._is_listing:
            return  # the account is asked for each contact, and will list these
        with self._lock:
            if self._is_read:
                for contact in contacts:
                    for identity in contact.identities:
                        self._known.add(identity)

    def _read_account(self) -> None:
        if self._is_unreadable:
            return
        self._is_listing = True
        try:
            for contact in read_held_account(self._client, Details(), lambda: None):
                for identity in identities_of(contact.identifiers, contact.contact_id):
                    self._known.add(identity)
        except IncompleteListError:
            self._is_unreadable = True
            self._known = IdentitySet()
            _logger.warning(
                "The list of the account's contacts is not complete: each contact that has opted "
                "out is looked up by itself, for opt_out_new: skip"
            )
        else:
            self._is_read = True

    def _is_listed(self, contact: Contact) -> bool:
        return any(identity in self._known for identity in contact.identities)

    def _is_found(self, contact: Contact) -> bool:
        """Look a contact up by each of its identifiers, until one finds somebody."""
        for identifier, value in decode_sent(contact.body).identifiers.items():
            self._lookups += 1
            try:
                if str(value) in NOT_IN_A_PATH or self._client.contact(identifier, value):
                    return True
            except RequestRefusedError:
                return True  # the import says what is wrong with it
        return False
