"""The address books that the settings name: found by ID or name, or why they cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from target_dotdigital.errors import NotFoundError
from target_dotdigital.near_misses import nearest
from target_dotdigital.settings import MAX_ID, RESERVED_ADDRESS_BOOKS, address_book_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_dotdigital.api import AddressBook, Client
    from target_dotdigital.settings import Settings


class FoundAddressBooks(NamedTuple):
    """Address books that were looked for."""

    found: dict[str | int, AddressBook | None]
    """Each that was wanted, in that order; None for what does not exist."""
    near: dict[str | int, str]
    """By the name of one that does not exist, the name that is probably meant."""


def named_address_books(settings: Settings) -> list[str | int]:
    """Return the address books that the settings name, each once: names first, then IDs.

    Args:
        settings: The target's settings.
    """
    streams = [settings.default_stream]
    if settings.streams is not None:
        streams = list(settings.streams.values())
    keys = {
        address_book_key(each.address_book) for each in streams if each.address_book is not None
    }
    return sorted(keys, key=lambda key: (isinstance(key, int), key))


def seeded_address_books(settings: Settings) -> list[str | int]:
    """Return what an embedded sandbox is to have: all, but for names that a run is to create.

    Args:
        settings: The target's settings.
    """
    return [
        key
        for key in named_address_books(settings)
        if isinstance(key, int) or not settings.create_address_book
    ]


def find_address_books(client: Client, wanted: Sequence[str | int]) -> FoundAddressBooks:
    """Find address books by ID or exact name.

    Args:
        client: Calls the account.
        wanted: What `address_book_key` has returned for each.

    Raises:
        TargetDotdigitalError: A call fails.
    """
    found: dict[str | int, AddressBook | None] = dict.fromkeys(wanted)
    names = []
    if any(isinstance(key, str) for key in wanted):
        for book in client.address_books():
            names.append(book.name)
            if book.name in found:
                found[book.name] = book
    for key in wanted:
        if isinstance(key, int):
            found[key] = find_by_id(client, key)
    missing = [key for key in wanted if isinstance(key, str) and found[key] is None]
    proposed = {key: nearest(key, names) for key in missing}
    return FoundAddressBooks(
        found, {key: near for key, near in proposed.items() if near is not None}
    )


def address_book_problem(
    key: str | int, book: AddressBook | None, near: str | None, *, creates: bool
) -> str | None:
    """Return why an address book cannot be joined, or None if it can, or is to be created.

    Args:
        key: Its ID or name, as the settings name it.
        book: What `find_address_books` has found.
        near: The name that is probably meant, if there is one.
        creates: Whether one that is named and missing is created.
    """
    if book is not None:
        reserved = book.name.strip().lower() in RESERVED_ADDRESS_BOOKS
        text = f"Address book '{book.name}' ({book.id}) is reserved by Dotdigital. Name another one"
        return text if reserved else None
    if isinstance(key, int):
        return f"Address book ID {key} not found. Look its ID up in Dotdigital"
    if creates:
        return None
    meant = "" if near is None else f" Did you mean '{near}'?"
    return (
        f"Address book '{key}' not found.{meant} Correct the name, or to create it, set "
        "create_address_book: true"
    )


def find_by_id(client: Client, address_book_id: int) -> AddressBook | None:
    """Return an address book, or None if there is none with this ID.

    Args:
        client: Calls the account.
        address_book_id: The ID.
    """
    try:
        return client.address_book(address_book_id) if address_book_id <= MAX_ID else None
    except NotFoundError:
        return None
