"""Dry runs: loads that are counted and looked at in place of being performed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_dotdigital.dry_run.comparison import Comparison
from target_dotdigital.errors import AbandonedError
from target_dotdigital.loading import ACCOUNT, MAX_BODY_BYTES, Import, Removal, Settlement
from target_dotdigital.mirror import Leavers, Mirroring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_dotdigital.account import Account
    from target_dotdigital.loading import Load
    from target_dotdigital.mapping import Contact


@dataclass(slots=True)
class Comparing:
    """The comparison with the account, when everything has been read. It is a load of its own."""

    is_stopping: Callable[[], bool]
    """Whether the run has been asked to end."""
    first_row: int = 0
    """Nothing is settled by it."""
    contacts: Mapping[str, Contact] = field(default_factory=dict)
    """None: they are held by the comparison."""
    others: Mapping[str, str] = field(default_factory=dict)
    """None."""

    def go_on(self) -> None:
        """Make sure that the comparison is still wanted.

        Raises:
            AbandonedError: The run was asked to end.
        """
        if self.is_stopping():
            raise AbandonedError("The run is stopped before everybody was looked for")


class DryRun:
    """Takes loads where a real run performs them. Safe to use from several threads.

    Attributes:
        account: The account, of which nothing but GET is asked.
        asked: The calls until everything was read, by route: a real run makes them, too.
        imports: How many imports there would be.
        sent: How many contacts they would hold; one may be in several.
        bytes: How much JSON they would be.
        departures: How many contacts each departure would hold, with what they would leave.
        comparison: Who would be imported or leave, and who is there.
        mirrors: Who would leave mirrored address books.
    """

    max_body_bytes = MAX_BODY_BYTES

    def __init__(self, account: Account) -> None:
        """Start with nothing taken.

        Args:
            account: The account.
        """
        self.account = account
        self.asked = account.client.caller.made()
        self.imports = 0
        self.sent = 0
        self.bytes = 0
        self.departures: list[tuple[int, int]] = []
        self.comparison = Comparison()
        self.mirrors: list[Leavers] = []
        self._lock = threading.Lock()

    def perform(self, load: Load) -> Settlement:
        """Take a load, and settle it as if everything about it had gone well.

        Args:
            load: The load.

        Raises:
            TargetDotdigitalError: A call fails, or a mirror would be refused.
        """
        with self._lock:
            if isinstance(load, Import):
                return self._import(load)
            if isinstance(load, Removal):
                return self._depart(load)
            if isinstance(load, Comparing):
                self.asked = self.account.client.caller.made()
                self.comparison.compare(self.account.client, load.go_on)
                return Settlement()
            if isinstance(load, Mirroring):
                return self._mirror(load)
            raise AssertionError

    def _import(self, load: Import) -> Settlement:
        contacts = list(load.contacts.values())
        self.imports += 1
        self.sent += len(contacts)
        self.bytes += load.size
        self.comparison.join(contacts)
        return Settlement(imported=contacts)

    def _depart(self, load: Removal) -> Settlement:
        contacts = list(load.contacts.values())
        self.departures.append((load.address_book_id, len(contacts)))
        self.comparison.leave(load.address_book_id, contacts)
        if load.address_book_id == ACCOUNT:
            return Settlement(deleted=contacts)
        return Settlement(left=contacts)

    def _mirror(self, load: Mirroring) -> Settlement:
        self.mirrors = load.found
        for book in load.books:
            if book.address_book_id > ACCOUNT:
                load.find(self.account.client, book)
            else:  # it is yet to be created, so nobody is in it
                load.found.append(Leavers(book))
        for leavers in self.mirrors:
            leavers.check()
        return Settlement()
