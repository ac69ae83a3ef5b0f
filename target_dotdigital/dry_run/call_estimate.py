"""Estimates a run's calls by tier, and a range for its time.

Little of it is public. Sources: https://developer.dotdigital.com/docs/call-rate-limits (what the
tiers are for; an excerpt of the vendor's help names 35 low calls a minute, for the Basic package)
and Microsoft's documentation of its connector: up to a million contacts in up to three hours.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal

from target_dotdigital.api import (
    CONTACTS_A_PAGE,
    MAX_WAIT_SECONDS,
    POLLS_AROUND_THE_END,
    seconds_to_wait,
)
from target_dotdigital.dry_run.plan import Numbers
from target_dotdigital.loading import FEW_CONTACTS

if TYPE_CHECKING:
    from collections.abc import Mapping

Tier = Literal["low", "medium", "high", "unlimited"]

TIERS: Final[tuple[Tier, ...]] = ("low", "medium", "high", "unlimited")

IMPORT = "PUT /contacts/v3/import"
IMPORT_STATUS = "GET /contacts/v3/import/{id}"
CREATE_ADDRESS_BOOK = "POST /v2/address-books"
CREATE_DATA_FIELD = "POST /v2/data-fields"
ACCOUNT_INFO = "GET /v2/account-info"
_ADDRESS_BOOK = "GET /v2/address-books/{id}"
_CONTACTS = "GET /contacts/v3"
_CONTACT = "GET /contacts/v3/{identifier}/{value}"
_REMOVE = "POST /v2/address-books/{id}/contacts/delete"
_REMOVAL_STATUS = "GET /v2/contacts/deletion/{id}"
_DELETE = "POST /contacts/v3/delete"
_DELETION_STATUS = "GET /contacts/v3/delete/{id}"

DOCUMENTED: Final = frozenset({IMPORT})
"""Routes whose tier is public. The others are guessed from what a tier is for."""

_TIER_OF: Final[Mapping[str, Tier]] = {
    IMPORT: "low",
    IMPORT_STATUS: "high",  # or unlimited: the public texts say both
    ACCOUNT_INFO: "high",
    "GET /v2/address-books": "low",
    _ADDRESS_BOOK: "high",
    CREATE_ADDRESS_BOOK: "medium",
    "GET /v2/data-fields": "low",
    CREATE_DATA_FIELD: "medium",
    "GET /configuration/v3/customIdentifiers": "high",
    _CONTACTS: "low",
    _CONTACT: "high",
    _REMOVE: "low",
    _REMOVAL_STATUS: "high",
    _DELETE: "low",
    _DELETION_STATUS: "high",
}

CONTACTS_A_SECOND: Final = 1_000_000 / (3 * 60 * 60)
"""A million contacts in three hours, at the slowest: the one public figure."""

LOW_CALLS_A_MINUTE: Final = 35
"""Of the Basic package. The numbers of the others are not public."""


class CallEstimate:
    """The calls of a run that meets no fault: nothing is sent twice, or halved."""

    def __init__(self) -> None:
        """Start with none."""
        self._ranges: dict[str, Numbers] = {}

    def add(self, route: str, at_least: int, at_most: int | None = None) -> None:
        """Take calls in.

        Args:
            route: Their route.
            at_least: How many at least.
            at_most: How many at most, if that is another number.
        """
        old = self._ranges.get(route, Numbers(0, 0))
        most = at_least if at_most is None else at_most
        self._ranges[route] = Numbers(old.at_least + at_least, old.at_most + most)

    def add_removal(self, found: int, polls: int, *, is_certain: bool) -> None:
        """Take in the calls that take contacts out of an address book.

        Args:
            found: How many contacts, at most.
            polls: How often a job is asked for at most.
            is_certain: Whether they are known to be there; otherwise there may be none.
        """
        jobs = math.ceil(found / CONTACTS_A_PAGE)
        fewest = jobs if is_certain else 0
        self.add(_REMOVE, fewest, jobs)
        self.add(_REMOVAL_STATUS, fewest, jobs * polls)

    def add_search(self, contacts: int, members: int | None) -> None:
        """Take in the calls that look for contacts that are to leave an address book.

        Args:
            contacts: How many contacts.
            members: How many are in it; None if that is not known.
        """
        if contacts <= FEW_CONTACTS or (members or 0) > contacts * CONTACTS_A_PAGE:
            self.add(_CONTACT, contacts)
        else:
            self.add_listing(members or 0)

    def add_listing(self, members: int) -> None:
        """Take in the calls that read who is in an address book.

        Args:
            members: How many are in it.
        """
        self.add(_CONTACTS, max(math.ceil(members / CONTACTS_A_PAGE), 1))
        self.add(_ADDRESS_BOOK, 3)

    def add_deletion(self, polls: int) -> None:
        """Take in the calls that delete contacts from the account, a job of them.

        Args:
            polls: How often a job is asked for at most.
        """
        self.add(_DELETE, 1)
        self.add(_DELETION_STATUS, 1, polls)

    def routes(self) -> list[tuple[str, Tier, Numbers]]:
        """Return the routes that are called, with their tiers and numbers of calls."""
        return [
            (route, _TIER_OF[route], calls)
            for route, calls in sorted(self._ranges.items())
            if calls.at_most
        ]

    def tiers(self) -> dict[str, Numbers]:
        """Return the calls of each tier."""
        found: dict[str, Numbers] = {tier: Numbers(0, 0) for tier in TIERS}
        for _, tier, calls in self.routes():
            old = found[tier]
            found[tier] = Numbers(old.at_least + calls.at_least, old.at_most + calls.at_most)
        return found


def seconds_of_imports(contacts: int, imports: int, slots: int) -> Numbers:
    """Return how long imports may take.

    At least: as many at a time as slots, each at the public pace, and no faster than a Basic
    account's call limit lets them start. At most: that pace for all of them together.

    Args:
        contacts: How many contacts are sent.
        imports: In how many imports.
        slots: How many of them are active at a time.
    """
    alone = contacts / CONTACTS_A_SECOND
    side_by_side = alone / max(min(slots, imports), 1)
    starts = max(imports - LOW_CALLS_A_MINUTE, 0) / LOW_CALLS_A_MINUTE * 60
    at_least = math.ceil(max(side_by_side, starts))
    return Numbers(at_least, max(math.ceil(alone), at_least))


def most_polls(seconds: int) -> int:
    """Return how often a job that takes so long is asked for.

    Args:
        seconds: How long it takes.
    """
    age, polls = 0.0, 1  # the first one right after it was taken
    while age < seconds and (wait := seconds_to_wait(age, None, 0.0)) < MAX_WAIT_SECONDS * 0.9:
        age += wait
        polls += 1
    # Where an end is expected there are more of them, but not before.
    return (
        polls + POLLS_AROUND_THE_END + max(math.ceil((seconds - age) / (MAX_WAIT_SECONDS * 0.9)), 0)
    )
