"""The full load of one mirror: who came in it, and whether all of it has come."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from target_dotdigital.mapping import IdentitySet

if TYPE_CHECKING:
    from target_dotdigital.settings import StreamSettings

Version = int | str | Decimal
"""What a tap numbers its full loads with."""


class FullLoad:
    """What one stream has sent for its address book in this run.

    A tap may give each row the version of its full load, and marks one as complete by
    ACTIVATE_VERSION. Rows without a version belong to every one.

    Attributes:
        stream: The stream's name after stream maps.
        settings: Its settings.
        address_book_id: The ID of its address book; None before the stream's SCHEMA.
        tap_streams: The names that the tap has for it.
        first_row: The number of its first row; None before that.
    """

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
        self.first_row: int | None = None
        self._unversioned = IdentitySet()
        self._versions: dict[Version, IdentitySet] = {}
        self._newest: Version | None = None
        """The version of the newest row that has one."""
        self._activated_before: Version | None = None
        """The version of an ACTIVATE_VERSION that came before its rows."""
        self._activated_after: Version | None = None
        """The version of one that came after rows of it."""
        self._has_state_after_rows = False

    def identity_set(self, version: object, row: int) -> IdentitySet:
        """Return the set that takes the identities of a row's contact.

        Args:
            version: The message's version, if it has one.
            row: The row's number.
        """
        if self.first_row is None:
            self.first_row = row
        self._has_state_after_rows = False
        if not isinstance(version, Version):
            return self._unversioned
        self._newest = version
        return self._versions.setdefault(version, IdentitySet())

    def process_activate_version(self, version: object) -> None:
        """Take in an ACTIVATE_VERSION: the rows of this version are all there are.

        After the rows it says that all of them have come. Taps made with the Meltano SDK send it
        before them, and a STATE when the stream has ended (`Stream.sync` there).

        Args:
            version: The message's version.
        """
        if not isinstance(version, Version):
            return
        if version in self._versions:
            self._activated_after = version
        else:
            self._activated_before = version

    def process_state(self) -> None:
        """Take in a STATE: a tap that has died in the stream would not have sent it."""
        self._has_state_after_rows = True

    def identity_sets(self) -> tuple[IdentitySet, ...]:
        """Return the identities of all contacts that stay."""
        complete = self._complete_version()
        if complete is None:
            return (self._unversioned,)
        return (self._unversioned, self._versions[complete])

    def outdated_sets(self) -> list[IdentitySet]:
        """Return the identities of other versions: of contacts that may have left since."""
        kept = self.identity_sets()
        return [each for each in self._versions.values() if not any(each is one for one in kept)]

    def problem(self) -> str | None:
        """Return why the load cannot be taken as complete; None if it can."""
        if self._newest is not None and self._complete_version() != self._newest:
            return (
                "the tap did not mark the end of its load, with an ACTIVATE_VERSION after its rows "
                "or with one before them and a STATE after them"
            )
        if not any(self.identity_sets()):
            return "the tap sent no contact"
        return None

    def _complete_version(self) -> Version | None:
        """Return the version of which all rows have come; None if that is known of none."""
        if self._activated_before == self._newest and self._has_state_after_rows:
            return self._newest
        return self._activated_after
