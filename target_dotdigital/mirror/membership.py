"""Mirrors: who may stay in an address book, and when those who may not have to leave.

A mirror's stream is the whole truth about its address book, so what it does not hold leaves. Nobody
does unless it is certain that the stream has been told to its end; whoever is in doubt stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_dotdigital.errors import DataError, SettingsError
from target_dotdigital.mapping import IdentitySet
from target_dotdigital.settings import address_book_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_dotdigital.settings import Settings, StreamSettings

Version = int | str | Decimal


@dataclass(frozen=True, slots=True)
class MirroredBook:
    """An address book whose full load has ended well."""

    address_book_id: int
    streams: tuple[str, ...]
    held: tuple[IdentitySet, ...]
    """Whoever is in any of them stays."""
    max_removal_percent: int
    absent_keys: frozenset[str | int]
    """Address books, as the settings name them, of mirrors that have not come in this run."""


class Additions:
    """Whom streams that are no mirrors put into an address book: they stay."""

    def __init__(self) -> None:
        """Start with nobody."""
        self.held = IdentitySet()

    def holding(self, version: object, row: int) -> IdentitySet:
        """Return where a row's contact is held, whatever its version and number.

        Args:
            version: Not looked at.
            row: Not looked at.
        """
        del version, row
        return self.held


class Mirror:
    """What one stream tells about its address book in this run."""

    def __init__(self, stream: str, settings: StreamSettings) -> None:
        """Start before the stream's SCHEMA.

        Args:
            stream: Its name after stream maps.
            settings: Its settings.
        """
        self.stream = stream
        self.settings = settings
        self.address_book_id: int | None = None
        self.tap_streams: set[str] = set()
        """What the tap calls it."""
        self.first_row: int | None = None
        self._held = IdentitySet()
        self._by_version: dict[Version, IdentitySet] = {}
        self._newest: Version | None = None
        self._activated: Version | None = None
        self._announced: Version | None = None
        self._has_state_after_rows = False

    def holding(self, version: object, row: int) -> IdentitySet:
        """Return where a row's contact is held.

        Args:
            version: The message's version, if it has one.
            row: The row's number.
        """
        if self.first_row is None:
            self.first_row = row
        self._has_state_after_rows = False
        if not isinstance(version, (int, str, Decimal)):
            return self._held  # of no version, so of every one
        self._newest = version
        return self._by_version.setdefault(version, IdentitySet())

    def activate(self, version: object) -> None:
        """Take note of an ACTIVATE_VERSION: the rows of this version are all there are.

        After the rows it says that all of them have come. Taps made with the Meltano SDK send it
        before them, and a STATE when the stream has ended (`Stream.sync` there).

        Args:
            version: The message's version.
        """
        if not isinstance(version, (int, str, Decimal)):
            return
        if version in self._by_version:
            self._activated = version
        else:
            self._announced = version

    def note_state(self) -> None:
        """Take note of a STATE: a tap that has died in the stream would not have sent it."""
        self._has_state_after_rows = True

    def _complete(self) -> Version | None:
        """Return the version of which all rows have come, if that is known of one."""
        if self._announced == self._newest and self._has_state_after_rows:
            return self._newest
        return self._activated

    def held(self) -> tuple[IdentitySet, ...]:
        """Return where those are who stay."""
        complete = self._complete()
        if complete is None:
            return (self._held,)
        return (self._held, self._by_version[complete])

    def problem(self) -> str | None:
        """Return why the stream cannot be taken for the whole truth, or None if it can."""
        if self._newest is not None and self._complete() != self._newest:
            return (
                "the tap has not marked the end of its load, with ACTIVATE_VERSION after its rows "
                "or with one before them and a STATE after them"
            )
        if not any(self.held()):
            return "not a contact came"
        return None


class Mirrors:
    """All mirrors of a run."""

    def __init__(self, settings: Settings) -> None:
        """Find the streams that are mirrors.

        Args:
            settings: The target's settings.
        """
        self._mirrors = {
            name: Mirror(name, stream)
            for name, stream in (settings.streams or {}).items()
            if stream.sync_mode == "mirror"
        }
        self._additions: dict[int, Additions] = {}
        self._currently_syncing: object = None
        self._tap_streams: set[str] = set()
        self._are_done = False

    @property
    def first_row(self) -> int | None:
        """The first row of a mirror, as long as it is not known who has to leave."""
        rows = [each.first_row for each in self._mirrors.values() if each.first_row is not None]
        return None if self._are_done else min(rows, default=None)

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._mirrors)

    def enter(self, stream: str, address_book_id: int | None) -> Mirror | Additions | None:
        """Return what a stream's rows are held by, once its address book is known.

        Args:
            stream: The stream's name after stream maps.
            address_book_id: The ID of its address book.

        Returns:
            None if nobody wants to know.

        Raises:
            SettingsError: Another stream mirrors the same address book, and does not share it.
        """
        if not self._mirrors or address_book_id is None:
            return None
        mirror = self._mirrors.get(stream)
        if mirror is None:
            return self._additions.setdefault(address_book_id, Additions())
        mirror.address_book_id = address_book_id
        others = [each for each in self._of(address_book_id) if each is not mirror]
        if others and not all(each.settings.mirror_shared for each in (mirror, *others)):
            listed = ", ".join(sorted(each.stream for each in (mirror, *others)))
            raise SettingsError(
                f"The streams {listed} mirror the same address book, {address_book_id}, and would "
                "take each other's contacts out: set mirror_shared for each of them if their "
                "contacts are to be in it together"
            )
        return mirror

    def note_schema(self, stream: str, message: Mapping[str, Any]) -> None:
        """Make sure that a SCHEMA announces a full load.

        Args:
            stream: The stream's name after stream maps.
            message: The SCHEMA message.

        Raises:
            SettingsError: It announces an incremental one, which tells nothing of who is missing.
        """
        self._tap_streams |= {message["stream"], stream}
        mirror = self._mirrors.get(stream)
        if mirror is None:
            return
        mirror.tap_streams |= {message["stream"], stream}
        if message.get("bookmark_properties"):
            raise SettingsError(
                f"streams.{stream}.sync_mode: the tap loads this stream incrementally (its SCHEMA "
                "has bookmark_properties), so whoever is missing in it may still be there: let the "
                "tap load the full table, or set sync_mode to upsert"
            )

    def note_tap_stream(self, stream: str) -> None:
        """Take note of what the tap calls a stream that is not loaded.

        Args:
            stream: Its name.
        """
        self._tap_streams.add(stream)

    def note_activation(self, stream: str, version: object) -> None:
        """Take note of an ACTIVATE_VERSION.

        Args:
            stream: The stream's name after stream maps.
            version: The message's version.
        """
        if stream in self._mirrors:
            self._mirrors[stream].activate(version)

    def note_state(self, value: object) -> None:
        """Take note of what the tap is at.

        Args:
            value: The newest STATE's value.
        """
        self._currently_syncing = (
            value.get("currently_syncing") if isinstance(value, dict) else None
        )
        for mirror in self._mirrors.values():
            mirror.note_state()

    def due(self) -> list[MirroredBook]:
        """Return the address books whose full loads have come, now that the input has ended.

        Raises:
            DataError: A stream cannot be taken for the whole truth. Nobody has to leave then.
        """
        present = [each for each in self._mirrors.values() if each.address_book_id is not None]
        problems = [
            f"stream '{each.stream}': {problem}"
            for each in present
            if (problem := self._interruption(each) or each.problem()) is not None
        ]
        if problems:
            raise DataError(
                f"Nobody was taken out of an address book, because a mirror needs a full load that "
                f"has ended well: {'; '.join(problems)}. Run the tap again, for a full load"
            )
        absent = frozenset(
            address_book_key(each.settings.address_book)
            for each in self._mirrors.values()
            if each.address_book_id is None and each.settings.address_book is not None
        )
        return [
            self._book(address_book_id, absent)
            for address_book_id in sorted({each.address_book_id or 0 for each in present})
        ]

    def close(self) -> None:
        """Take note that everybody has left who has to: no STATE is held back any more."""
        self._are_done = True

    def _book(self, address_book_id: int, absent: frozenset[str | int]) -> MirroredBook:
        mirrors = list(self._of(address_book_id))
        held = [held for each in mirrors for held in each.held()]
        if address_book_id in self._additions:
            held.append(self._additions[address_book_id].held)
        return MirroredBook(
            address_book_id,
            tuple(each.stream for each in mirrors),
            tuple(held),
            min(each.settings.max_removal_percent for each in mirrors),
            absent,
        )

    def _of(self, address_book_id: int) -> Iterator[Mirror]:
        for mirror in self._mirrors.values():
            if mirror.address_book_id == address_book_id:
                yield mirror

    def _interruption(self, mirror: Mirror) -> str | None:
        """Return how the last STATE says that the tap was interrupted in a stream, if it does.

        Taps name a stream by its ID there (`shop-public-customers`), which ends in its name. What
        cannot be told apart may be this stream.
        """
        named = self._currently_syncing
        if named is None or named == "":
            return None
        text = named if isinstance(named, str) else ""
        is_known = any(_names(text, stream) for stream in self._tap_streams)
        if is_known and not any(_names(text, stream) for stream in mirror.tap_streams):
            return None
        return "the tap was interrupted (currently_syncing in its last STATE)"


def _names(text: str, stream: str) -> bool:
    return text == stream or text.endswith((f"-{stream}", f".{stream}", f"_{stream}", f"/{stream}"))
