"""What a sandbox is started with."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_dotdigital.sandbox.account import Seeds
from target_dotdigital.sandbox.faults import Switches
from target_dotdigital.sandbox.imports import DEFAULT_SLOTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from target_dotdigital.sandbox.faults import Fault, FlatLimit, TierLimits
    from target_dotdigital.sandbox.http import Credentials

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Options:
    """What a sandbox is started with.

    Attributes:
        database: The SQLite file; made if it is missing, its directory too.
        host: A name or an address of this machine.
        port: 0 for any that is free.
        credentials: The ones to insist on. Without them, any are accepted.
        address_books: IDs or names of address books to create if they are missing.
        preferences: IDs or names of marketing preferences to create if they are missing.
        custom_identifiers: Names of custom identifiers to create if they are missing.
        suppressed: Addresses and domains to put on Dotdigital's own suppression list.
        slots: How many imports are worked off at a time. With 0, they wait on disk.
        pace: Contacts a second in each slot. Without it, as many as this machine can.
        switches: The answers to what Dotdigital's documents leave open.
        faults: What is armed from the start.
        rate_limits: Calls that are taken. Without them, all are.
        clock: By which rate limits are counted and reports kept: seconds since 1970.
        allowed_hosts: Names besides this machine's own by which clients may call it.
        is_shared: Whether a program with a sandbox inside that names the same database uses this
            one as long as it runs. The lock file then holds the URL and the credentials.
    """

    database: Path
    host: str = LOOPBACK
    port: int = 0
    credentials: Credentials | None = None
    address_books: Sequence[str | int] = ()
    preferences: Sequence[str | int] = ()
    custom_identifiers: Sequence[str] = ()
    suppressed: Sequence[str] = ()
    slots: int = DEFAULT_SLOTS
    pace: float | None = None
    switches: Switches = field(default_factory=Switches)
    faults: Sequence[Fault] = ()
    rate_limits: TierLimits | FlatLimit | None = None
    clock: Callable[[], float] = time.time
    allowed_hosts: Sequence[str] = ()
    is_shared: bool = False

    @property
    def seeds(self) -> Seeds:
        """What the account has from the start."""
        return Seeds(
            address_books=self.address_books,
            preferences=self.preferences,
            custom_identifiers=self.custom_identifiers,
            suppressed=self.suppressed,
        )
