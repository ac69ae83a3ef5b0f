"""Imports: how contacts are gathered into them, and the order in which they go to Dotdigital."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from target_dotdigital.contacts import collapse

if TYPE_CHECKING:
    from collections.abc import Callable

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

    def add(self, contact: Contact) -> None:
        """Take a contact in, or join it with an older row's.

        Args:
            contact: The contact.
        """
        earlier = self.contacts.get(contact.key)
        if earlier is not None:
            contact = collapse(earlier, contact, self.merge_option)
            self.size -= len(earlier.body) + 1
        self.contacts[contact.key] = contact
        self.size += len(contact.body) + 1
        for identity in contact.other_identities:
            self.others[identity] = contact.key

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
                self._unsettled.remove(item.load)
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

    def _start(self) -> None:
        """Start every import that may: a slot is free, and no earlier one shares a contact."""
        for position, load in enumerate(self._unsettled):
            if self._stopped or len(self._active) >= self._max_active:
                return
            earlier = self._unsettled[:position]
            if id(load) not in self._active and not any(
                load.shares_a_contact_with(other) for other in earlier
            ):
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
