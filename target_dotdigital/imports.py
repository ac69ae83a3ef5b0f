"""Imports: how contacts are gathered into them, and the order in which they go to Dotdigital."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from target_dotdigital.contacts import collapse
from target_dotdigital.settlement import CONFLICTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_dotdigital.contacts import Contact
    from target_dotdigital.settings_schema import MergeOption
    from target_dotdigital.settlement import Settlement
    from target_dotdigital.wakeup import Wakeup

MAX_BODY_BYTES = 50_000_000
"""Size of an import's JSON: https://developer.dotdigital.com/reference/importcontacts-1."""

_ENVELOPE = b'{"mergeOption":"%s","contacts":[%s]}'
_ENVELOPE_BYTES = len(_ENVELOPE) + len("overwriteIfNotEmpty")


def import_body(merge_option: MergeOption, contacts: list[Contact]) -> bytes:
    """Return an import's JSON.

    Args:
        merge_option: How Dotdigital merges the contacts with its own.
        contacts: At least one.
    """
    return _ENVELOPE % (merge_option.encode(), b",".join(contact.body for contact in contacts))


@dataclass(slots=True)
class Import:
    """Contacts that go to Dotdigital in one request, and are settled together."""

    merge_option: MergeOption
    first_row: int
    """Number of the first row in it."""
    opened_at: float
    """When that row came, in seconds of the run's clock."""
    contacts: dict[str, Contact] = field(default_factory=dict, repr=False)
    """By normalised match identifier."""
    others: dict[str, str] = field(default_factory=dict, repr=False)
    """The contacts' other identifiers, with the match identifier of the contact."""
    size: int = _ENVELOPE_BYTES
    """Bytes of its JSON, or a little less than that."""
    following: Import | None = field(default=None, repr=False)
    """What is sent after it: contacts of it once more, that could not be joined with their own."""
    is_second_try: bool = False
    """Whether its contacts were refused for an identifier that an earlier contact may free."""

    @property
    def chain(self) -> Iterator[Import]:
        """Itself, and what follows it, in the order in which they are to be sent."""
        load: Import | None = self
        while load is not None:
            yield load
            load = load.following

    def holder(self, contact: Contact) -> str | None:
        """Return the match identifier of a contact in here that may be the same person.

        One of another key comes first: in one request the two would be in no order.

        Args:
            contact: A contact, in here or not.
        """
        own = contact.key if contact.key in self.contacts else None
        for identity in contact.identities:
            holder = identity if identity in self.contacts else self.others.get(identity)
            if holder is not None and holder != contact.key:
                return holder
        return own

    def precedes(self, contact: Contact, merge_option: MergeOption) -> bool:
        """Return whether this must be sent before a contact can be taken anywhere.

        So it is if it, or what follows it, holds the same person under another key, or to be
        merged otherwise.

        Args:
            contact: A contact that is newer than those in here.
            merge_option: How it is to be merged.
        """
        for load in self.chain:
            holder = load.holder(contact)
            if holder is not None and (holder != contact.key or self.merge_option != merge_option):
                return True
        return False

    def has_room(self, contact: Contact, max_contacts: int, max_bytes: int) -> bool:
        """Return whether a contact fits in, joined with the one of the same key if there is one.

        Args:
            contact: The contact.
            max_contacts: The most contacts of an import.
            max_bytes: The most bytes of its JSON.
        """
        is_new = contact.key not in self.contacts
        fits = self.size + len(contact.body) + 1 <= max_bytes
        return fits and not (is_new and len(self.contacts) >= max_contacts)

    def add(self, contact: Contact) -> bool:
        """Take a contact in, or join it with an older row's.

        Args:
            contact: The contact.

        Returns:
            Whether it is in; not if it cannot be joined with the older row's.
        """
        earlier = self.contacts.get(contact.key)
        if earlier is not None:
            joined = collapse(earlier, contact, self.merge_option)
            if joined is None:
                # Whoever takes over what it had must not overtake it.
                contact.other_identities = tuple(
                    dict.fromkeys((*earlier.other_identities, *contact.other_identities))
                )
                return False
            contact = joined
            self.size -= len(earlier.body) + 1
        self.contacts[contact.key] = contact
        self.size += len(contact.body) + 1
        for identity in contact.other_identities:
            self.others[identity] = contact.key
        return True

    def take(
        self,
        contact: Contact,
        max_contacts: int,
        max_bytes: int,
        start: Callable[[], Import],
    ) -> bool:
        """Take a contact into this import, or into what follows it if it cannot be joined.

        Args:
            contact: The contact.
            max_contacts: The most contacts of an import.
            max_bytes: The most bytes of its JSON.
            start: Returns an empty import.

        Returns:
            Whether there was room for it.
        """
        load = self
        # What follows an import holds no contact that the import does not hold too.
        while load.following is not None and contact.key in load.following.contacts:
            load = load.following
        if not load.has_room(contact, max_contacts, max_bytes):
            return False
        if load.add(contact):
            return True
        following = load.following or start()
        if not following.has_room(contact, max_contacts, max_bytes):
            return False
        following.add(contact)
        load.following = following
        return True

    def shares_a_contact_with(self, other: Import) -> bool:
        """Return whether both hold something of the same person.

        Args:
            other: Another import.
        """
        return not (
            self.contacts.keys().isdisjoint(other.contacts.keys())
            and self.contacts.keys().isdisjoint(other.others.keys())
            and self.others.keys().isdisjoint(other.contacts.keys())
            and self.others.keys().isdisjoint(other.others.keys())
        )


def second_try(load: Import, settlement: Settlement) -> Import | None:
    """Take contacts out of a settlement that were refused for another contact's identifier.

    A row may hand its address to the next, as when the e-mail addresses of two customers were
    mixed up. Whether Dotdigital goes through an import in order is not documented, and imports
    that are known to share nothing go side by side; so the one who takes over may come too early.

    Args:
        load: The import.
        settlement: What became of it. Its conflicts are removed if they are to be sent again.

    Returns:
        An import of those contacts, to be sent once all that came before is settled; None if there
        are none, or if sending them again has helped nobody.
    """
    if load.is_second_try and not settlement.imported:
        return None
    again = [
        contact
        for contact, code in settlement.rejected
        if contact.other_identities and code.lower() in CONFLICTS
    ]
    if not again:
        return None
    taken = {id(contact) for contact in again}
    settlement.rejected = [each for each in settlement.rejected if id(each[0]) not in taken]
    following = Import(load.merge_option, load.first_row, load.opened_at, is_second_try=True)
    for contact in again:
        following.add(contact)
    return following


class Ended(NamedTuple):
    """An import whose worker is done with it."""

    load: Import
    outcome: Settlement | Exception


class ImportQueue:
    """Keeps imports active side by side, and those that share a contact one after the other.

    All methods belong to the main thread; only the function that loads an import runs in others.
    """

    def __init__(
        self, load: Callable[[Import], Settlement], wakeup: Wakeup, max_active: int
    ) -> None:
        """Start with no import.

        Args:
            load: Brings an import to its end, in a thread of its own.
            wakeup: Told when an import has ended.
            max_active: How many imports may be with Dotdigital at a time.
        """
        self._load = load
        self._wakeup = wakeup
        self._max_active = max_active
        self._executor = ThreadPoolExecutor(max_active, thread_name_prefix="import")
        self._unsettled: list[Import] = []
        self._active: set[int] = set()
        self._ended: deque[Ended] = deque()
        self._stopped = False

    @property
    def is_full(self) -> bool:
        """Whether no import can be added: the waiting ones count, they take memory too."""
        return len(self._unsettled) >= self._max_active

    @property
    def unsettled(self) -> tuple[Import, ...]:
        """The imports that are not settled, in the order in which they were added."""
        return tuple(self._unsettled)

    @property
    def active(self) -> int:
        """How many imports are being loaded."""
        return len(self._active)

    def add(self, load: Import) -> None:
        """Queue an import. It starts once no earlier one holds a contact of it.

        Args:
            load: The import.
        """
        self._unsettled.append(load)
        self._start()

    def take_ended(self) -> list[Ended]:
        """Return the imports that have ended since the last call.

        One that has failed stays unsettled for good, so nothing that waits for it ever starts.
        """
        ended = []
        while self._ended:
            item = self._ended.popleft()
            self._active.discard(id(item.load))
            if isinstance(item.outcome, Exception):
                self._stopped = True
            else:
                self._settle(item.load, item.outcome)
            ended.append(item)
        self._start()
        return ended

    def stop(self) -> None:
        """Start no further import."""
        self._stopped = True

    def close(self) -> None:
        """Let the threads go, without waiting for them."""
        self.stop()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _settle(self, load: Import, settlement: Settlement) -> None:
        """Let an import go, or put its conflicts in its place: what waits for them goes on to."""
        again = second_try(load, settlement)
        place = next(place for place, each in enumerate(self._unsettled) if each is load)
        self._unsettled[place : place + 1] = [] if again is None else [again]

    def _start(self) -> None:
        """Start every import that may: a slot is free, and no earlier one shares a contact."""
        for position, load in enumerate(self._unsettled):
            if self._stopped or len(self._active) >= self._max_active:
                return
            earlier = self._unsettled[:position]
            waits = (load.is_second_try and earlier) or any(
                load.shares_a_contact_with(other) for other in earlier
            )
            if id(load) not in self._active and not waits:
                self._active.add(id(load))
                self._executor.submit(self._work, load)

    def _work(self, load: Import) -> None:
        outcome: Settlement | Exception
        try:
            outcome = self._load(load)
        except Exception as error:  # noqa: BLE001 - it is raised again in the main thread
            outcome = error
        self._ended.append(Ended(load, outcome))
        self._wakeup.set()
