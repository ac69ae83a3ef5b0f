"""The mirrors of a run: which contacts stay in which address book.

A mirror's stream is the whole truth about its address book, so contacts that it lacks leave. They
leave only when it is certain that the stream has come to its end; in doubt, they stay.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from target_dotdigital.errors import DataError, SettingsError
from target_dotdigital.mapping import IdentitySet
from target_dotdigital.mirror.currently_syncing import CurrentlySyncing
from target_dotdigital.mirror.full_load import FullLoad
from target_dotdigital.settings import (
    REJECT_PROPERTY_PREFIX,
    address_book_key,
    address_book_label,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_dotdigital.settings import Settings

_logger = logging.getLogger("target-dotdigital.mirror")


class IdentityStore(Protocol):
    """Keeps the identities of contacts that stay in an address book."""

    def identity_set(self, version: object, row: int) -> IdentitySet:
        """Return the set that takes the identities of a row's contact.

        Args:
            version: The message's version, if it has one.
            row: The row's number.
        """


class OtherContacts:
    """Contacts that streams without a mirror put into an address book: they stay."""

    def __init__(self) -> None:
        """Start with none."""
        self.identities = IdentitySet()
        self.streams: dict[str, None] = {}
        """The streams whose contacts they are."""

    def identity_set(self, version: object, row: int) -> IdentitySet:
        """Return the set that takes the identities of every row's contact.

        Args:
            version: Not used.
            row: Not used.
        """
        del version, row
        return self.identities


@dataclass(frozen=True, slots=True)
class MirroredAddressBook:
    """An address book whose full load is complete.

    Attributes:
        address_book_id: Its ID; negative if a dry run only plans it.
        streams: The streams that mirror it.
        identity_sets: The contacts that stay, each in any of these sets.
        max_removal_percent: The largest share of its contacts that may leave.
        absent_keys: The address books, as the settings name them, of mirrors whose stream did not
            come in this run.
        other_streams: The streams without a mirror that put contacts into it.
        outdated: The contacts of earlier versions of full loads.
    """

    address_book_id: int
    streams: tuple[str, ...]
    identity_sets: tuple[IdentitySet, ...]
    max_removal_percent: int
    absent_keys: frozenset[str | int]
    other_streams: tuple[str, ...] = ()
    outdated: tuple[IdentitySet, ...] = ()


class Mirrors:
    """All mirrors of a run."""

    def __init__(self, settings: Settings) -> None:
        """Find the streams that are mirrors.

        Args:
            settings: The target's settings.
        """
        mirrors = {
            name: stream
            for name, stream in (settings.streams or {}).items()
            if stream.sync_mode == "mirror"
        }
        self._are_set = bool(mirrors)
        # A file of some rows is no full load: whoever is not in it must not leave.
        is_full = settings.purpose in {"load", "verify"}
        self._loads = {name: FullLoad(name, each) for name, each in mirrors.items() if is_full}
        self._replays: list[FullLoad] = []
        """Of streams that come from a rejects file: a part of a load, so that no contact leaves."""
        self._others: dict[int, OtherContacts] = {}
        """By address book ID."""
        self._currently_syncing = CurrentlySyncing()
        self._are_done = False

    def __bool__(self) -> bool:
        """Return whether the settings have any, be it that this run is no full load of them.

        Then it is noted by which ID Dotdigital knows each contact: so that a later run, in which it
        is unchanged, finds it in its address book.
        """
        return self._are_set

    @property
    def first_row(self) -> int | None:
        """The first row of a mirror. STATE after it waits until the mirrors are done."""
        rows = [each.first_row for each in self._loads.values() if each.first_row is not None]
        return None if self._are_done else min(rows, default=None)

    # The tap's messages.

    def process_schema(self, stream: str, message: Mapping[str, Any]) -> None:
        """Take in a SCHEMA, and make sure that it announces a full load.

        A rejects file's does not: its rows are loaded, and no contact leaves.

        Args:
            stream: The stream's name after stream maps.
            message: The SCHEMA message.

        Raises:
            SettingsError: It announces an incremental load, which does not tell who is missing.
        """
        names = {message["stream"], stream}
        self._currently_syncing.add_streams(names)
        load = self._loads.get(stream)
        if load is None:
            return
        properties = message["schema"].get("properties") or {}
        if any(name.startswith(REJECT_PROPERTY_PREFIX) for name in properties):
            self._replays.append(self._loads.pop(stream))
            _logger.info(
                "Stream '%s' comes from a rejects file, which is not a full load: its rows are "
                "loaded, and no contact leaves the address book",
                stream,
            )
            return
        load.tap_streams |= names
        if message.get("bookmark_properties"):
            raise SettingsError(
                f"streams.{stream}.sync_mode: the tap loads this stream incrementally (its SCHEMA "
                "has bookmark_properties), but a mirror needs all rows. Set the tap's "
                "replication-method to FULL_TABLE and its replication-key to '', or set "
                "sync_mode: upsert"
            )

    def process_skipped_stream(self, name: str) -> None:
        """Take in that the tap sends a stream that is not loaded.

        Args:
            name: The tap's name for it.
        """
        self._currently_syncing.add_streams((name,))

    def process_activate_version(self, stream: str, version: object) -> None:
        """Take in an ACTIVATE_VERSION.

        Args:
            stream: The stream's name after stream maps.
            version: The message's version.
        """
        if stream in self._loads:
            self._loads[stream].process_activate_version(version)

    def process_state(self, value: object) -> None:
        """Take in a STATE.

        Args:
            value: Its value.
        """
        self._currently_syncing.process_state(value)
        for load in self._loads.values():
            load.process_state()

    # The contacts that stay.

    def register(self, stream: str, address_book_id: int | None) -> IdentityStore | None:
        """Register a stream with an address book that its contacts join.

        Args:
            stream: The stream's name after stream maps.
            address_book_id: The ID of the address book, if there is one.

        Returns:
            What keeps the identities of its contacts; None if no mirror needs them.

        Raises:
            SettingsError: Another stream mirrors the same address book, and does not share it.
        """
        if not self or address_book_id is None:
            return None
        load = self._loads.get(stream)
        if load is None:
            others = self._others.setdefault(address_book_id, OtherContacts())
            others.streams[stream] = None
            return others
        load.address_book_id = address_book_id
        sharing = self._by_address_book()[address_book_id]
        if len(sharing) > 1 and not all(each.settings.mirror_shared for each in sharing):
            listed = ", ".join(sorted(each.stream for each in sharing))
            raise SettingsError(
                f"Streams {listed} mirror the same {_label(address_book_id, sharing)}, and would "
                "remove each other's contacts. To keep all contacts, set mirror_shared: true for "
                "each"
            )
        return load

    def address_books(self) -> list[MirroredAddressBook]:
        """Return the address books whose full loads have come, now that the input has ended.

        Raises:
            DataError: A full load may be incomplete. No contact may leave any of them then.
        """
        self._check_completeness()
        absent_keys = frozenset(
            address_book_key(each.settings.address_book)
            for each in (*self._absent(), *self._replays)
            if each.settings.address_book is not None
        )
        return [
            MirroredAddressBook(
                address_book_id,
                tuple(each.stream for each in loads),
                self._identity_sets(address_book_id, loads),
                min(each.settings.max_removal_percent for each in loads),
                absent_keys,
                tuple(self._others[address_book_id].streams)
                if address_book_id in self._others
                else (),
                tuple(outdated for each in loads for outdated in each.outdated_sets()),
            )
            for address_book_id, loads in sorted(self._by_address_book().items())
        ]

    def close(self) -> None:
        """Let STATE pass: every contact that has to leave has left."""
        self._are_done = True

    def _absent(self) -> list[FullLoad]:
        """Return the loads whose stream has not come."""
        return [load for load in self._loads.values() if load.address_book_id is None]

    def _by_address_book(self) -> dict[int, list[FullLoad]]:
        """Return the loads whose stream has come, by the ID of their address book."""
        found: dict[int, list[FullLoad]] = {}
        for load in self._loads.values():
            if load.address_book_id is not None:
                found.setdefault(load.address_book_id, []).append(load)
        return found

    def _identity_sets(
        self, address_book_id: int, loads: Sequence[FullLoad]
    ) -> tuple[IdentitySet, ...]:
        found = [each for load in loads for each in load.identity_sets()]
        if address_book_id in self._others:
            found.append(self._others[address_book_id].identities)
        return tuple(found)

    def _check_completeness(self) -> None:
        problems = [
            f"stream '{load.stream}': {problem}"
            for load in self._loads.values()
            if load.address_book_id is not None and (problem := self._problem(load)) is not None
        ]
        if problems:
            raise DataError(
                "No contact was removed from an address book, because a mirror needs a complete "
                f"load: {'; '.join(problems)}. Run the tap again, for a full load"
            )

    def _problem(self, load: FullLoad) -> str | None:
        if self._currently_syncing.is_interrupted(load.tap_streams):
            return "the tap was interrupted (currently_syncing in its last STATE)"
        return load.problem()


def _label(address_book_id: int, loads: Iterable[FullLoad]) -> str:
    """Return what messages call an address book: with its name, if the settings have it."""
    keys = (address_book_key(each.settings.address_book or "") for each in loads)
    name = next((key for key in keys if isinstance(key, str) and key), None)
    return address_book_label(address_book_id, name)
