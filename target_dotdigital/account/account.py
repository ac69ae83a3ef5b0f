"""The account that is loaded into: its region, its data fields, its address books."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from target_dotdigital.account.address_book_lookup import AddressBookLookup
from target_dotdigital.account.connection import Connection
from target_dotdigital.account.creation import Creation, field_name_problem
from target_dotdigital.errors import ForbiddenError, NotFoundError, SettingsError, UnfitError
from target_dotdigital.mapping import no_data_field, unknown_fields
from target_dotdigital.near_misses import nearest, nearly_equal
from target_dotdigital.settings import (
    MAX_ID,
    RESERVED_ADDRESS_BOOKS,
    address_book_key,
    address_book_name_problem,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from target_dotdigital.api import AddressBook, Client
    from target_dotdigital.clock import Clock
    from target_dotdigital.events import Timeline
    from target_dotdigital.settings import Settings, StreamSettings

SHOWN_OF_ROWS = "that a row names"
"""How messages speak of an address book whose name is a record's value."""

_logger = logging.getLogger("target-dotdigital.account")


class LookUp(NamedTuple):
    """What has become of looking address books up."""

    found: dict[str | int, AddressBook | None]
    """Each that was wanted, in that order; None for what does not exist."""
    near: dict[str | int, str]
    """By the name of one that does not exist, the name that is probably meant."""


class Account:
    """An account that can be reached, with what the settings name of it."""

    def __init__(self, settings: Settings, clock: Clock, timeline: Timeline | None = None) -> None:
        """Connect, and check everything that the settings name before anything is written.

        Args:
            settings: The target's settings.
            clock: Waits between tries.
            timeline: Where waits are noted, if they are.

        Raises:
            TargetDotdigitalError: The account cannot be reached, or lacks what is named.
        """
        wanted = seeded_address_books(settings)
        # Of those that an embedded sandbox is to have, a dry run only says that they would be made.
        self._plans_sandbox = settings.dry_run and settings.sandbox_path is not None
        if self._plans_sandbox:
            wanted = []
        self._connection = Connection(settings, clock, wanted, timeline=timeline)
        try:
            self._connect(settings, clock)
        except BaseException:
            self.close()
            raise

    def _connect(self, settings: Settings, clock: Clock) -> None:
        self.client: Client = self._connection.client()
        try:
            fields = self.client.data_fields()
        except ForbiddenError:
            if not self._connection.names_region:
                raise
            elsewhere = self._connection.client_elsewhere()
            raise self._connection.wrong_region(elsewhere) from None
        self.data_fields: dict[str, str] = {field.name: field.type for field in fields}
        self.creation = Creation(self.client, clock, is_planned=settings.dry_run)
        self._creates_address_books = settings.create_address_book
        self._creates_fields = settings.create_data_fields
        self.known_address_books: dict[int, AddressBook] = {}
        """Those in use that were there when the run began, by ID."""
        self._address_books = self._find_address_books(settings)
        self._lookup = AddressBookLookup(self.client)
        self._rows_address_books: set[int] = set()
        self._uncreatable: dict[str, str] = {}
        _logger.info(
            "Connected to %s: the account has %d data fields, and %d of the address books that the "
            "settings name",
            self.client.host,
            len(self.data_fields),
            len(self._address_books),
        )

    def address_book_id(self, address_book: str | int | None) -> int | None:
        """Return the ID of an address book that the settings name; it is created if it is missing.

        Args:
            address_book: Its ID or name, or None for no address book.

        Raises:
            TargetDotdigitalError: It cannot be created.
        """
        if address_book is None:
            return None
        key = address_book_key(address_book)
        # What is missing and may not be created has ended the run already.
        if key not in self._address_books and (isinstance(key, str) or self._plans_sandbox):
            shown = f"'{key}'" if isinstance(key, str) else f"ID {key}"
            self._address_books[key] = self.creation.address_book(str(key), shown)
        return self._address_books[key]

    def missing_fields(
        self, stream: str, settings: StreamSettings, schema: Mapping[str, Any]
    ) -> dict[str, str]:
        """Return the data fields that are to be created for a stream: name to type.

        Args:
            stream: The stream's name.
            settings: Its settings.
            schema: Its JSON schema, after stream maps.

        Raises:
            SettingsError: Another stream has wanted one of them with another type.
        """
        if not self._creates_fields:
            return {}
        return self.creation.missing_fields(stream, settings, schema, self.data_fields)

    def create_fields(self, stream: str, wanted: Mapping[str, str]) -> None:
        """Create data fields, for this stream and for all that follow.

        Args:
            stream: The stream's name.
            wanted: What `missing_fields` returned for it.

        Raises:
            TargetDotdigitalError: One cannot be created.
        """
        known = list(self.data_fields)
        for name in wanted:
            if (near := nearly_equal(name, known)) is not None:
                self.creation.doubt(new_beside(f"data field '{name}'", near))
        self.creation.data_fields(stream, wanted, self.data_fields)

    def row_address_book_id(self, address_book: str | int) -> int:
        """Return the ID of an address book that a row names; calls Dotdigital if it is a new one.

        Args:
            address_book: Its ID (a number, or digits) or its exact name.

        Raises:
            UnfitError: There is none, or contacts cannot join it.
            TargetDotdigitalError: Dotdigital cannot be asked.
        """
        is_id = isinstance(address_book, int)  # of thousands of digits it may be no text
        key = address_book if is_id else address_book_key(address_book)
        if isinstance(key, int):
            name = self._lookup.find_name(key) if 0 < key <= MAX_ID else None
            found = None if name is None else key
            if (name or "").strip().lower() in RESERVED_ADDRESS_BOOKS:
                raise UnfitError("reserved by Dotdigital")
        else:
            if (problem := address_book_name_problem(key)) is not None:
                raise UnfitError(problem)
            found = self._lookup.find_id(key)
            if found is None and self._creates_address_books:
                found = self._create_for_a_row(key)
        if found is None:
            raise UnfitError("there is none of this ID or name")
        self._rows_address_books.add(found)
        return found

    def _create_for_a_row(self, name: str) -> int:
        if name not in self._uncreatable:
            try:
                found = self.creation.address_book(name, SHOWN_OF_ROWS)
            except SettingsError as error:
                # That one row's fault, and told without its value. Nobody is asked again.
                self._uncreatable[name] = error.message
            else:
                self._lookup.learn(name, found)
                return found
        raise UnfitError(self._uncreatable[name])

    def check_address_books(self) -> None:
        """Make sure that the address books in use are still there. Safe in a worker thread.

        Raises:
            SettingsError: One is gone.
        """
        # A copy: the main thread may just be adding one that it has created.
        for number in tuple(self._address_books.values()):
            if _address_book(self.client, number) is None:
                raise SettingsError(f"The address book {number} is gone")
        # Copied: the main thread adds to it meanwhile.
        if by_rows := self._rows_address_books.copy():
            gone = by_rows - {each.id for each in self.client.address_books()}
            if gone:
                numbers = ", ".join(str(each) for each in sorted(gone))
                raise SettingsError(f"Address books that rows name are gone: {numbers}")

    def abort(self) -> None:
        """Break every call off."""
        self._connection.abort()

    def close(self) -> None:
        """Close the connections and, if it is embedded, the sandbox."""
        self._connection.close()

    def _find_address_books(self, settings: Settings) -> dict[str | int, int]:
        """Look up what the settings name, data fields included, and tell all that is missing."""
        problems = [
            f"streams.{name}.fields: {problem}"
            for name, stream in (settings.streams or {}).items()
            if (problem := field_problem(stream, self.data_fields, creates=self._creates_fields))
        ]
        found, near = look_up(self.client, named_address_books(settings))
        for key, book in found.items():
            if book is None and self._plans_sandbox:
                continue
            creates = self._creates_address_books
            problem = address_book_problem(key, book, near.get(key), creates=creates)
            if problem is not None:
                problems.append(problem)
        if problems:
            raise SettingsError("; ".join(problems))
        for key, other in near.items():
            if nearly_equal(str(key), [other]) is not None:
                self.creation.doubt(new_beside(f"address book '{key}'", other))
        there = {key: book for key, book in found.items() if book is not None}
        self.known_address_books = {book.id: book for book in there.values()}
        return {key: book.id for key, book in there.items()}


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


def look_up(client: Client, wanted: Sequence[str | int]) -> LookUp:
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
            found[key] = _address_book(client, key)
    missing = [key for key in wanted if isinstance(key, str) and found[key] is None]
    proposed = {key: nearest(key, names) for key in missing}
    return LookUp(found, {key: near for key, near in proposed.items() if near is not None})


def address_book_problem(
    key: str | int, book: AddressBook | None, near: str | None, *, creates: bool
) -> str | None:
    """Return why an address book cannot be joined, or None if it can, or is to be created.

    Args:
        key: Its ID or name, as the settings name it.
        book: What `look_up` has found.
        near: The name that is probably meant, if there is one.
        creates: Whether one that is named and missing is created.
    """
    if book is not None:
        reserved = book.name.strip().lower() in RESERVED_ADDRESS_BOOKS
        text = f"Address book {book.id} ({book.name}) is reserved by Dotdigital; name another one"
        return text if reserved else None
    if isinstance(key, int):
        return f"Address book ID {key} not found. Name one that exists"
    if creates:
        return None
    meant = "" if near is None else f" Did you mean '{near}'?"
    return (
        f"Address book '{key}' not found.{meant} Name one that exists, or to create it, set "
        "create_address_book: true"
    )


def field_problem(
    settings: StreamSettings, data_fields: Mapping[str, str], *, creates: bool
) -> str | None:
    """Return what is wrong with the data fields that a stream maps and the account lacks.

    Args:
        settings: The stream's settings.
        data_fields: The account's data fields: name to type.
        creates: Whether they are created.

    Returns:
        A text that names each of them, and what to do; None if nothing is wrong.
    """
    missing = unknown_fields(settings, data_fields)
    if creates:
        problems = [
            f"The data field '{field}' cannot be created: {problem}."
            for field in missing
            if (problem := field_name_problem(field)) is not None
        ]
        remedy = "Map others"
    else:
        problems = [no_data_field(field, data_fields) for field in missing]
        remedy = "Map others, or to create what is missing, set create_data_fields: true"
    return " ".join([*problems, remedy]) if problems else None


def new_beside(what: str, other: str) -> str:
    """Return the warning of something to be created whose name is nearly another one's.

    Args:
        what: What it is, with its name.
        other: The name of what exists.
    """
    return f"New {what}: '{other}' exists. Did you mean '{other}'?"


def _address_book(client: Client, address_book_id: int) -> AddressBook | None:
    try:
        return client.address_book(address_book_id) if address_book_id <= MAX_ID else None
    except NotFoundError:
        return None
