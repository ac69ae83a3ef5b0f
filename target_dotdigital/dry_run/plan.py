"""The plan of a dry run, as it stands in the report: what a real run would do."""

from __future__ import annotations

import msgspec


class NewField(msgspec.Struct, frozen=True):
    """A data field that would be created."""

    name: str
    type: str
    stream: str


class Creations(msgspec.Struct, frozen=True):
    """What would be created."""

    address_books: list[str]
    address_books_of_rows: int
    """How many that rows name, and so are not named here."""
    data_fields: list[NewField]


class ContactNumbers(msgspec.Struct, frozen=True):
    """How many contacts would be new or updated; None where that is not known."""

    contacts: int
    new: int | None
    updated: int | None


class AddressBookNumbers(ContactNumbers, frozen=True):
    """The same of the contacts that would be in an address book after the run."""

    address_book: int | None
    """Its ID; None if it would be created."""
    name: str | None
    updated_members: int | None
    """Of the updated ones: those that are in it already."""
    updated_joining: int | None
    """Of the updated ones: those that would join it."""


class RemovalNumbers(msgspec.Struct, frozen=True):
    """Contacts whose rows are marked as deleted."""

    address_book: int | None
    """What they would leave; None for the account, or if it would be created."""
    name: str | None
    is_deletion: bool
    """Whether they would be deleted from the account."""
    contacts: int
    there_now: int | None
    """How many of them are in the address book, or in the account."""


class MirrorNumbers(msgspec.Struct, frozen=True):
    """What a mirror would do to its address book."""

    address_book: int | None
    name: str | None
    streams: list[str]
    members: int
    would_leave: int
    max_removal_percent: int
    is_refused: bool
    """Whether they would be too many, so that nobody leaves and the run fails."""
    waits: bool
    """Whether nobody leaves, because another stream that mirrors it has not come."""


class RouteCalls(msgspec.Struct, frozen=True):
    """The calls of a route."""

    route: str
    tier: str
    is_guess: bool
    at_least: int
    at_most: int


class Numbers(msgspec.Struct, frozen=True):
    """A range, of an estimate."""

    at_least: int
    at_most: int


class Plan(msgspec.Struct, frozen=True):
    """What a real run would do."""

    creates: Creations
    contacts: ContactNumbers
    address_books: list[AddressBookNumbers]
    leaving: list[RemovalNumbers]
    mirrors: list[MirrorNumbers]
    imports: int
    contacts_in_imports: int
    import_bytes: int
    calls: list[RouteCalls]
    calls_by_tier: dict[str, Numbers]
    seconds: Numbers
    notes: list[str]
    """What is an estimate, and what is not known."""
    unchanged: int | None = None
    """Of the updated contacts of the account, those that have everything already."""
