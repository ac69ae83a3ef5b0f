"""The account that is loaded into: its region, its data fields, its address books."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_dotdigital.account.address_book_lookup import AddressBookLookup
from target_dotdigital.account.address_books import (
    address_book_problem,
    find_address_books,
    find_by_id,
    named_address_books,
    seeded_address_books,
)
from target_dotdigital.account.connection import NO_SEEDS, Connection, Seeds
from target_dotdigital.account.creation import Creation, field_problem, new_beside
from target_dotdigital.account.custom_identifiers import (
    custom_identifier_problems,
    named_custom_identifiers,
)
from target_dotdigital.errors import ForbiddenError, SettingsError, UnfitError, joined
from target_dotdigital.near_misses import nearly_equal
from target_dotdigital.settings import (
    MAX_ID,
    RESERVED_ADDRESS_BOOKS,
    address_book_key,
    address_book_label,
    address_book_name_problem,
    gone_message,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from target_dotdigital.api import AddressBook, Client
    from target_dotdigital.clock import Clock
    from target_dotdigital.events import Events
    from target_dotdigital.settings import Settings, StreamSettings

SHOWN_OF_ROWS = "that a row names"
"""How messages speak of an address book whose name is a record's value."""

MAX_LISTED = 10
"""So many address books are named in a message."""

_logger = logging.getLogger("target-dotdigital.account")


class Account:
    """An account that can be reached, with what the settings name of it."""

    def __init__(self, settings: Settings, clock: Clock, events: Events | None = None) -> None:
        """Connect, and check everything that the settings name before anything is written.

        Args:
            settings: The target's settings.
            clock: Waits between tries.
            events: Where waits are noted, if they are.

        Raises:
            TargetDotdigitalError: The account cannot be reached, or lacks what is named.
        """
        seeds = Seeds(
            seeded_address_books(settings),
            _named_preferences(settings),
            named_custom_identifiers(settings),
        )
        # Of what an embedded sandbox is to have, a dry run only says that it would be made.
        self._plans_sandbox = settings.dry_run and settings.sandbox_path is not None
        if self._plans_sandbox:
            seeds = NO_SEEDS
        self._connection = Connection(settings, clock, seeds, events=events)
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
        self._id: int | None = None
        if settings.account_id is not None and settings.account_id != self.id:
            raise SettingsError(
                f"The file is of account {settings.account_id}, but the settings are of account "
                f"{self.id}. Use the settings of the run that wrote the file"
            )
        self.data_fields: dict[str, str] = {field.name: field.type for field in fields}
        self.creation = Creation(self.client, clock, is_planned=settings.dry_run)
        self._creates_address_books = settings.create_address_book
        self._creates_fields = settings.create_data_fields
        self.known_address_books: dict[int, AddressBook] = {}
        """Those in use that existed when the run began, by ID."""
        self._names: dict[int, str] = {}
        """The names of those that the settings name, by ID. Rows' own are values of records."""
        self._address_books = self._find_address_books(settings)
        self._lookup = AddressBookLookup(self.client)
        self._rows_address_books: set[int] = set()
        self._uncreatable: dict[str, str] = {}
        labels = [self.label(number) for number in self._address_books.values()]
        _logger.info(
            "Connected to %s. The account has %d data fields.%s",
            self.client.host,
            len(self.data_fields),
            f" Found {_listed(labels)}." if labels else "",
        )

    @property
    def id(self) -> int:
        """The account's ID. Dotdigital is asked when it is first needed.

        Raises:
            TargetDotdigitalError: It cannot be asked.
        """
        if self._id is None:
            self._id = self.client.account_info().id
        return self._id

    def is_empty(self, address_book_id: int | None) -> bool:
        """Return whether an address book had no contact when the run began, or was not there.

        Args:
            address_book_id: Its ID; None if there is none.
        """
        if address_book_id is None:
            return False
        known = self.known_address_books.get(address_book_id)
        return known is None or known.contacts == 0

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
            self._names[self._address_books[key]] = str(key)
        return self._address_books[key]

    def created_name(self, address_book_id: int) -> str | None:
        """Return the name of an address book that the settings name and this run has created.

        Args:
            address_book_id: Its ID.
        """
        names = (str(key) for key, each in self._address_books.items() if each == address_book_id)
        return None if address_book_id in self.known_address_books else next(names, None)

    def label(self, address_book_id: int) -> str:
        """Return what messages call an address book that the settings name.

        Args:
            address_book_id: Its ID.
        """
        return address_book_label(address_book_id, self.shown_name(address_book_id))

    def shown_name(self, address_book_id: int) -> str | None:
        """Return an address book's name; None if rows alone name it: it is a record's value then.

        Args:
            address_book_id: Its ID.
        """
        return self._names.get(address_book_id)

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
                raise UnfitError("Dotdigital reserves this address book")
        else:
            if (problem := address_book_name_problem(key)) is not None:
                raise UnfitError(problem)
            found = self._lookup.find_id(key)
            if found is None and self._creates_address_books:
                found = self._create_for_a_row(key)
        if found is None:
            raise UnfitError("the account has no address book with this ID or name")
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
            if find_by_id(self.client, number) is None:
                raise SettingsError(gone_message(self.label(number)))
        # Copied: the main thread adds to it meanwhile.
        if by_rows := self._rows_address_books.copy():
            gone = by_rows - {each.id for each in self.client.address_books()}
            if gone:
                numbers = ", ".join(str(each) for each in sorted(gone))
                raise SettingsError(
                    f"Address books that rows name no longer exist: {numbers}. Create them again, "
                    "or change the rows"
                )

    def abort(self) -> None:
        """Break every call off."""
        self._connection.abort()

    def close(self) -> None:
        """Close the connections and, if it is embedded, the sandbox."""
        self._connection.close()

    def _find_address_books(self, settings: Settings) -> dict[str | int, int]:
        """Find what the settings name; name all that is missing, not only address books."""
        found, near = find_address_books(self.client, named_address_books(settings))
        there = {key: book for key, book in found.items() if book is not None}
        wanted = there if self._plans_sandbox else found
        problems = [
            *self._wrong_fields(settings),
            *self._wrong_identifiers(settings),
            *self._unfit_address_books(wanted, near),
        ]
        if problems:
            raise SettingsError(joined(problems))
        for key, other in near.items():
            if nearly_equal(str(key), [other]) is not None:
                self.creation.doubt(new_beside(f"address book '{key}'", other))
        self.known_address_books = {book.id: book for book in there.values()}
        self._names.update((book.id, book.name) for book in there.values())
        return {key: book.id for key, book in there.items()}

    def _wrong_fields(self, settings: Settings) -> Iterator[str]:
        for name, stream in (settings.streams or {}).items():
            problem = field_problem(stream, self.data_fields, creates=self._creates_fields)
            if problem is not None:
                yield f"streams.{name}.fields: {problem}"

    def _wrong_identifiers(self, settings: Settings) -> Iterator[str]:
        if self._plans_sandbox or not named_custom_identifiers(settings):
            return
        known = self.client.custom_identifiers()
        if known is None:
            _logger.debug(
                "Custom identifiers are not checked: the account has no call that lists them"
            )
        else:
            yield from custom_identifier_problems(settings, known)

    def _unfit_address_books(
        self, found: Mapping[str | int, AddressBook | None], near: Mapping[str | int, str]
    ) -> Iterator[str]:
        creates = self._creates_address_books
        for key, book in found.items():
            problem = address_book_problem(key, book, near.get(key), creates=creates)
            if problem is not None:
                yield problem


def _listed(labels: list[str]) -> str:
    more = len(labels) - MAX_LISTED
    shown = ", ".join(labels[:MAX_LISTED])
    return f"{shown} and {more} more" if more > 0 else shown


def _named_preferences(settings: Settings) -> list[int]:
    """Return the IDs of the preferences that streams set: an embedded sandbox is to have them."""
    streams = (settings.streams or {}).values()
    return sorted({each for stream in streams for each in stream.preferences})
