"""A dry run: it counts loads and compares them with the account, and writes nothing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from target_dotdigital.account import KnownContacts
from target_dotdigital.dry_run.account_comparison import Comparison
from target_dotdigital.loading import ACCOUNT, Import, LastLoad, Removal, Settlement
from target_dotdigital.mirror import MirrorRemoval, StaleMembers
from target_dotdigital.verification import UnchangedContacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_dotdigital.api import Client
    from target_dotdigital.loading import Load


class ComparisonLoad(LastLoad):
    """The load that ends a dry run: the comparison with the account."""


class DryRun:
    """Takes loads where a real run performs them. Safe to use from several threads.

    Attributes:
        asked: The calls until everything was read, by route. A real run makes them, too.
        imports: The number of imports that a real run would send.
        sent: The number of contacts in them. A contact may be in several.
        bytes: The size of their JSON.
        removals: For each removal what its contacts would leave, and how many there are.
        comparison: The contacts that would be imported or leave, and those that exist.
        unchanged: Those of the contacts that would be imported to no effect.
        mirrors: The contacts that would leave mirrored address books.
    """

    def __init__(self, client: Client, data_fields: Mapping[str, str]) -> None:
        """Start with nothing taken.

        Args:
            client: Asks the account, for nothing but GET.
            data_fields: The account's data fields: name to type.
        """
        self._client = client
        self.asked = client.caller.made()
        self.imports = 0
        self.sent = 0
        self.bytes = 0
        self.removals: list[tuple[int, int]] = []
        self.unchanged = UnchangedContacts(data_fields)
        self.comparison = Comparison(self.unchanged.details, self.unchanged.meet)
        self.mirrors: list[StaleMembers] = []
        self._known = KnownContacts(client)
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
            if isinstance(load, ComparisonLoad):
                self.asked = self._client.caller.made()
                self.comparison.compare(self._client, load.check_going_on)
                return Settlement()
            if isinstance(load, MirrorRemoval):
                return self._mirror(load)
            raise AssertionError

    def _import(self, load: Import) -> Settlement:
        contacts, left_out = self._known.divide(load.contacts.values())
        if contacts:
            self.imports += 1
            self.sent += len(contacts)
            self.bytes += load.size - sum(len(each.body) + 1 for each in left_out)
            self.comparison.join(contacts)
            self.unchanged.join(contacts, load.merge_option)
            self._known.note(contacts)
        return Settlement(imported=contacts, left_out=left_out)

    def _depart(self, load: Removal) -> Settlement:
        contacts = list(load.contacts.values())
        self.removals.append((load.address_book_id, len(contacts)))
        self.comparison.leave(load.address_book_id, contacts)
        self.unchanged.leave(contacts, load.address_book_id)
        if load.address_book_id == ACCOUNT:
            return Settlement(deleted=contacts)
        return Settlement(left=contacts)

    def _mirror(self, load: MirrorRemoval) -> Settlement:
        self.mirrors = load.found
        for address_book in load.address_books:
            if address_book.address_book_id > ACCOUNT:
                load.find(self._client, address_book)
            else:  # it is yet to be created, so it has no members
                load.found.append(StaleMembers(address_book))
        for stale in self.mirrors:
            stale.check(is_dry_run=True)
        return Settlement()
