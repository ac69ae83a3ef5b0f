"""The account that is loaded into: its region, its data fields, its address books."""

from __future__ import annotations

import logging
import re
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from target_dotdigital.client import Client
from target_dotdigital.errors import (
    AbandonedError,
    DotdigitalError,
    ForbiddenError,
    NotFoundError,
    SettingsError,
    TargetDotdigitalError,
    UnfitError,
)
from target_dotdigital.mapping import unknown_fields
from target_dotdigital.row_address_books import AddressBookLookup
from target_dotdigital.settings import MAX_ID, RESERVED_ADDRESS_BOOKS
from target_dotdigital.settings_schema import REGIONS
from target_dotdigital.throttle import Throttle
from target_dotdigital.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from target_dotdigital.clock import Clock
    from target_dotdigital.sandbox import EmbeddedSandbox
    from target_dotdigital.settings import Settings

DISCOVERY_URL = "https://r1-api.dotdigital.com"
"""Answers account-info for accounts of every region."""

_DOTDIGITAL_HOST = re.compile(r"[a-z0-9-]+\.(dotdigital|dotmailer)\.com")

_logger = logging.getLogger("target-dotdigital.account")


class Account:
    """An account that can be reached, with what the settings name of it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Connect, and check everything that the settings name before anything is written.

        Args:
            settings: The target's settings.
            clock: Waits between tries.

        Raises:
            TargetDotdigitalError: The account cannot be reached, or lacks what is named.
        """
        self._sandbox: EmbeddedSandbox | None = None
        self._transport: Transport | None = None
        try:
            self._connect(settings, clock)
        except BaseException:
            self.close()
            raise

    def _connect(self, settings: Settings, clock: Clock) -> None:
        username, password, base_url = settings.username, settings.password, settings.api_url
        if settings.sandbox_path is not None:
            self._sandbox = _start_sandbox(settings.sandbox_path, settings)
            username, password = self._sandbox.username, self._sandbox.password
            base_url = self._sandbox.url
        user_agent = f"target-dotdigital/{version('target-dotdigital')}"
        self._transport = transport = Transport(username, password, user_agent)

        def client_at(url: str) -> Client:
            throttle = Throttle(clock)
            limit = settings.import_timeout_seconds
            return Client(url.rstrip("/"), transport, throttle, clock, limit)

        if base_url is None and settings.region is not None:
            base_url = f"https://{settings.region}-api.dotdigital.com"
        if base_url is None:
            base_url = _endpoint(client_at(DISCOVERY_URL))
        self.client = client_at(base_url)
        try:
            fields = self.client.data_fields()
        except ForbiddenError:
            if settings.region is None or settings.api_url is not None:
                raise
            raise _wrong_region(settings.region, client_at(DISCOVERY_URL)) from None
        self.data_fields: Mapping[str, str] = {field.name: field.type for field in fields}
        self._address_books = self._find_address_books(settings)
        self._lookup = AddressBookLookup(self.client)
        self._rows_address_books: set[int] = set()
        _logger.info(
            "Connected to %s: %d data fields, %d of its address books in use",
            self.client.host,
            len(self.data_fields),
            len(self._address_books),
        )

    def address_book_id(self, address_book: str | int | None) -> int | None:
        """Return the ID of an address book that the settings name.

        Args:
            address_book: Its ID or name, or None for no address book.
        """
        return None if address_book is None else self._address_books[_key(address_book)]

    def row_address_book_id(self, address_book: str | int) -> int:
        """Return the ID of an address book that a row names; calls Dotdigital if it is a new one.

        Args:
            address_book: Its ID (a number, or digits) or its exact name.

        Raises:
            UnfitError: There is none, or contacts cannot join it.
            TargetDotdigitalError: Dotdigital cannot be asked.
        """
        is_id = isinstance(address_book, int)  # of thousands of digits it may be no text
        key = address_book if is_id else _key(address_book)
        found: int | None
        if isinstance(key, int):
            name = self._lookup.find_name(key) if 0 < key <= MAX_ID else None
            found = None if name is None else key
        else:
            # A name that is not found is one to be created.
            name, found = key, self._lookup.find_id(key)
        if (name or "").strip().lower() in RESERVED_ADDRESS_BOOKS:
            raise UnfitError("it is reserved by Dotdigital")
        if found is None:
            raise UnfitError("there is none of this ID or name")
        self._rows_address_books.add(found)
        return found

    def check_address_books(self) -> None:
        """Make sure that the address books in use are still there. Safe in a worker thread.

        Raises:
            SettingsError: One is gone.
        """
        for number in self._address_books.values():
            if self._address_book_name(number) is None:
                raise SettingsError(f"The address book {number} is gone")
        # Copied: the main thread adds to it meanwhile.
        if by_rows := self._rows_address_books.copy():
            gone = by_rows - {each.id for each in self.client.address_books()}
            if gone:
                numbers = ", ".join(str(each) for each in sorted(gone))
                raise SettingsError(f"Address books that rows name are gone: {numbers}")

    def abort(self) -> None:
        """Break every call off."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close the connections and, if it is embedded, the sandbox."""
        if self._transport is not None:
            self._transport.close()
        if self._sandbox is not None:
            self._sandbox.stop()
            self._sandbox = None

    def _address_book_name(self, address_book_id: int) -> str | None:
        try:
            return (
                self.client.address_book(address_book_id).name
                if address_book_id <= MAX_ID
                else None
            )
        except NotFoundError:
            return None

    def _find_address_books(self, settings: Settings) -> dict[str | int, int]:
        """Look up what the settings name, data fields included, and tell all that is missing."""
        problems = [
            f"streams.{name}.fields: the account has no data field '{field}'"
            for name, stream in (settings.streams or {}).items()
            for field in unknown_fields(stream, self.data_fields)
        ]
        found: dict[str | int, int] = {}
        wanted = {_key(book) for book in _named_address_books(settings)}
        names = {book for book in wanted if isinstance(book, str)}
        if names:
            for book in self.client.address_books():
                if book.name in names:
                    found[book.name] = book.id
        problems += [
            f"address_book: there is none named '{name}'" for name in sorted(names - set(found))
        ]
        for number in sorted(book for book in wanted if isinstance(book, int)):
            name = self._address_book_name(number)
            if name is None:
                problems.append(f"address_book: there is none with the ID {number}")
                continue
            if name.strip().lower() in RESERVED_ADDRESS_BOOKS:
                problems.append(f"address_book: {number} ({name}) is reserved by Dotdigital")
            found[number] = number
        if problems:
            raise SettingsError("; ".join(problems))
        if not wanted and not _rows_name_address_books(settings):
            _logger.warning("No address_book is set: contacts are added to the account alone")
        return found


def _named_address_books(settings: Settings) -> Iterable[str | int]:
    streams = [settings.default_stream]
    if settings.streams is not None:
        streams = list(settings.streams.values())
    return (stream.address_book for stream in streams if stream.address_book is not None)


def _rows_name_address_books(settings: Settings) -> bool:
    streams = (settings.streams or {}).values()
    return any(stream.address_book_property is not None for stream in streams)


def _key(address_book: str | int) -> str | int:
    """Return an ID as a number, however it is written, and a name as it is."""
    text = str(address_book).strip()
    # Twenty digits are no ID any more; Python would refuse thousands of them.
    return int(text[:20]) if text.isascii() and text.isdigit() else text


def _start_sandbox(path: Path, settings: Settings) -> EmbeddedSandbox:
    try:
        from target_dotdigital.sandbox import EmbeddedSandbox  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise SettingsError(
            "sandbox_path needs the extra: pip install 'target-dotdigital[sandbox]'"
        ) from None
    address_books = sorted({_key(book) for book in _named_address_books(settings)}, key=str)
    try:
        return EmbeddedSandbox(path, address_books=address_books)
    except (OSError, ValueError) as error:
        raise SettingsError(f"sandbox_path: the sandbox cannot start: {error}") from None


def _endpoint(client: Client) -> str:
    """Ask for the account's own host, and make sure that it is one of Dotdigital's.

    Credentials go wherever this says, so it is not taken on trust.
    """
    url = client.account_info().property("ApiEndpoint")
    if not url:
        raise DotdigitalError("account-info does not tell the account's ApiEndpoint; set 'region'")
    try:
        parts = urlsplit(url.strip())
        host, port, secure = parts.hostname or "", parts.port, parts.scheme == "https"
    except ValueError:
        host, port, secure = "", None, False
    if not secure or port not in {None, 443} or not _DOTDIGITAL_HOST.fullmatch(host):
        raise DotdigitalError("account-info tells an ApiEndpoint that is not Dotdigital's: refused")
    _logger.info("The account's region is at %s", host)
    return f"https://{host}"


def _wrong_region(region: str, client: Client) -> SettingsError:
    """Say which region the account is in, if Dotdigital tells."""
    try:
        host = urlsplit(_endpoint(client)).hostname or ""
    except AbandonedError:
        raise
    except TargetDotdigitalError:
        host = ""
    actual = host.partition("-")[0]
    hint = (
        f"it is in {actual}" if actual in REGIONS and actual != region else "which one is unknown"
    )
    return SettingsError(
        f"region: 403 from {region}: the account is not in this region ({hint}), or the API user "
        "may not use the API"
    )
