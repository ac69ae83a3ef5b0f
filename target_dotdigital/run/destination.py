"""Where loads go: the account, once it is needed, and what brings each load to its end there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_dotdigital.account import Account, KnownContacts, used_address_books
from target_dotdigital.api import DELETION, IMPORT, REMOVAL, Jobs, PollLimit
from target_dotdigital.loading import (
    MAX_BODY_BYTES,
    Capacity,
    Import,
    Importer,
    Removal,
    Remover,
)
from target_dotdigital.mirror import MirrorRemoval
from target_dotdigital.run.stream_warnings import warn_of_confirmation_mails

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from target_dotdigital.account import UsedAddressBook
    from target_dotdigital.clock import Clock
    from target_dotdigital.dry_run import DryRun, Plan
    from target_dotdigital.events import Events
    from target_dotdigital.loading import Load, RejectsCsv, Settlement
    from target_dotdigital.settings import Settings
    from target_dotdigital.verification import Findings, Verification


@dataclass(frozen=True, slots=True)
class LoadHandlers:
    """What brings loads to their end. Safe to use from several threads.

    Attributes:
        by_load: By the kind of a load, what brings it to its end.
        max_body_bytes: Returns the most bytes of an import's JSON.
        may_split: Returns whether small imports are of use.
        seconds_of_import: Returns how soon a full import ends; None if that is not known yet.
        dry_run: What takes loads in place of Dotdigital; None in a real run.
        verification: What compares them with the account; None unless that is the run's purpose.
    """

    by_load: Mapping[type, Callable[[Any], Settlement]]
    max_body_bytes: Callable[[], int]
    may_split: Callable[[], bool]
    seconds_of_import: Callable[[], float | None]
    dry_run: DryRun | None = None
    verification: Verification | None = None


def handlers_of_a_run(
    account: Account, settings: Settings, clock: Clock, events: Events
) -> LoadHandlers:
    """Return what sends loads to Dotdigital.

    Args:
        account: Where they go.
        settings: The target's settings.
        clock: Waits between polls.
        events: Where it is noted what happens to them.
    """
    client, limit = account.client, PollLimit()
    imports, removals, deletions = (
        Jobs(kind, clock, settings.import_timeout_seconds, limit)
        for kind in (IMPORT, REMOVAL, DELETION)
    )
    known = KnownContacts(client)
    importer = Importer(client, imports, events, known, account.check_address_books)
    remover = Remover(client, removals, deletions, events, account.label)

    def seconds_of_import() -> float | None:
        expected = imports.durations.expected(settings.batch_size_rows)
        return None if expected is None else expected.latest

    return LoadHandlers(
        by_load={
            Import: importer.load,
            Removal: remover.perform,
            MirrorRemoval: lambda load: load.perform(client, remover.remove),
        },
        max_body_bytes=lambda: importer.max_body_bytes,
        may_split=client.takes_imports,
        seconds_of_import=seconds_of_import,
    )


def handlers_of_a_verification(account: Account, rejects_csv: RejectsCsv | None) -> LoadHandlers:
    """Return what compares loads with the account, and writes nothing to it.

    Args:
        account: What they are compared with.
        rejects_csv: Where those who differ are listed, if they are.
    """
    from target_dotdigital.verification import (  # noqa: PLC0415 - for it alone
        Verification,
        VerificationLoad,
    )

    verification = Verification(account, rejects_csv)
    return LoadHandlers(
        by_load=dict.fromkeys((Import, Removal, VerificationLoad), verification.perform),
        max_body_bytes=lambda: MAX_BODY_BYTES,
        may_split=lambda: False,
        seconds_of_import=lambda: None,
        verification=verification,
    )


def handlers_of_a_dry_run(account: Account) -> LoadHandlers:
    """Return what counts loads and compares them with the account, and writes nothing.

    Args:
        account: What they are compared with.
    """
    from target_dotdigital.dry_run import ComparisonLoad, DryRun  # noqa: PLC0415 - for it alone

    dry_run = DryRun(account.client, account.data_fields)
    return LoadHandlers(
        by_load=dict.fromkeys((Import, Removal, MirrorRemoval, ComparisonLoad), dry_run.perform),
        max_body_bytes=lambda: MAX_BODY_BYTES,
        may_split=lambda: False,
        seconds_of_import=lambda: None,
        dry_run=dry_run,
    )


class Destination:
    """The account and the handlers of its loads. The main thread connects, workers perform."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        events: Events,
        rejects_csv: RejectsCsv | None = None,
    ) -> None:
        """Call nothing yet.

        Args:
            settings: The target's settings.
            clock: Waits.
            events: Takes down what happens.
            rejects_csv: Where a verification lists those who differ, if it does.
        """
        self._rejects_csv = rejects_csv
        self._settings = settings
        self._clock = clock
        self._events = events
        self._account: Account | None = None
        self._handlers: LoadHandlers | None = None
        self.is_connecting = False
        """Whether the account is being connected to: nothing has been read or sent."""

    def connect(self) -> Account:
        """Return the account, connected to when it is first needed.

        Raises:
            TargetDotdigitalError: It cannot be reached, or lacks what the settings name.
        """
        if self._account is None:
            settings, clock, events = self._settings, self._clock, self._events
            self.is_connecting = True
            try:
                self._account = Account(settings, clock, events)
            finally:
                self.is_connecting = False
            self._handlers = self._handlers_of(self._account)
            if settings.purpose != "verify":
                warn_of_confirmation_mails(settings)
        return self._account

    def _handlers_of(self, account: Account) -> LoadHandlers:
        if self._settings.purpose == "verify":
            return handlers_of_a_verification(account, self._rejects_csv)
        if self._settings.dry_run:
            return handlers_of_a_dry_run(account)
        return handlers_of_a_run(account, self._settings, self._clock, self._events)

    @property
    def host(self) -> str | None:
        """The host that is called; None if the account has not been needed."""
        return self._account.client.host if self._account is not None else None

    @property
    def is_dry_run(self) -> bool:
        """Whether loads are counted and compared only. False until the account is needed."""
        return self._handlers is not None and self._handlers.dry_run is not None

    def plan(self) -> Plan | None:
        """Return what a real run would do; None if this is no dry run."""
        if not self._settings.dry_run or self._settings.purpose == "verify":
            return None
        from target_dotdigital.dry_run import empty_plan, make_plan  # noqa: PLC0415 - for it alone

        if self._account is None or self._handlers is None or self._handlers.dry_run is None:
            return empty_plan()
        return make_plan(self._handlers.dry_run, self._account, self._settings)

    def findings(self) -> Findings | None:
        """Return what a verification has found; None if the run is none, or has read nothing."""
        if self._handlers is None or self._handlers.verification is None:
            return None
        return self._handlers.verification.findings

    def address_books(self, ids: Collection[int], *, asks: bool) -> list[UsedAddressBook]:
        """Return what there is to say of address books that the run has used.

        Args:
            ids: Their IDs.
            asks: Whether Dotdigital is asked how many contacts they have now.
        """
        if self._account is None:
            return []
        return used_address_books(self._account, ids, asks=asks and not self._settings.dry_run)

    def max_body_bytes(self) -> int:
        """Return the most bytes of an import's JSON, as far as that is known."""
        return MAX_BODY_BYTES if self._handlers is None else self._handlers.max_body_bytes()

    def capacity(self, free_slots: int, *, is_stopping: bool) -> Capacity:
        """Return what there is to be known when an import may be sent.

        Args:
            free_slots: How many loads can be queued.
            is_stopping: Whether the run is to end.
        """
        now, handlers = self._clock.now(), self._handlers
        if handlers is None or is_stopping:
            return Capacity(now, free_slots, may_split=False, full_import_seconds=None)
        seconds = handlers.seconds_of_import()
        return Capacity(now, free_slots, handlers.may_split(), seconds)

    def perform(self, load: Load) -> Settlement:
        """Bring a load to its end, in a worker thread.

        Args:
            load: The load.

        Returns:
            What became of its contacts.

        Raises:
            TargetDotdigitalError: It cannot be settled.
        """
        if self._handlers is None:
            raise AssertionError
        return self._handlers.by_load[type(load)](load)

    def close(self, *, breaks_off: bool) -> None:
        """Let go of the account.

        Args:
            breaks_off: Whether calls that are under way are broken off.
        """
        if self._account is not None:
            if breaks_off:
                self._account.abort()
            self._account.close()
