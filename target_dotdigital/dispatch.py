"""Dispatch: the account once it is needed, what brings loads to their end, and their queue."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_dotdigital.account import Account
from target_dotdigital.dry_run import DryRun
from target_dotdigital.loading import MAX_BODY_BYTES, Capacity, LoadQueue, conflict_retry
from target_dotdigital.performing import Performer

if TYPE_CHECKING:
    from target_dotdigital.clock import Clock
    from target_dotdigital.events import Events
    from target_dotdigital.loading import Load, Settlement, Wakeup
    from target_dotdigital.settings import Settings

_logger = logging.getLogger("target-dotdigital")


class Dispatch:
    """Where loads go. All of it belongs to the main thread but the performing of a load."""

    def __init__(self, settings: Settings, clock: Clock, timeline: Events, wakeup: Wakeup) -> None:
        """Prepare it. Nothing is called yet.

        Args:
            settings: The target's settings.
            clock: Waits.
            timeline: Takes down what happens.
            wakeup: Told when a load has ended.
        """
        self._settings = settings
        self._clock = clock
        self._timeline = timeline
        self._account: Account | None = None
        self._performer: Performer | DryRun | None = None
        self.is_connecting = False
        self.queue = LoadQueue(self._perform, wakeup, settings.max_active_imports, conflict_retry)

    @property
    def account(self) -> Account:
        """The account, connected to when it is first needed.

        Raises:
            TargetDotdigitalError: It cannot be reached, or lacks what the settings name.
        """
        if self._account is None:
            self.is_connecting = True
            try:
                self._account = Account(self._settings, self._clock, self._timeline)
            finally:
                self.is_connecting = False
            timeout = self._settings.import_timeout_seconds
            self._performer = (
                DryRun(self._account)
                if self._settings.dry_run
                else Performer(self._account, self._clock, timeout, self._timeline)
            )
            self._warn_of_confirmation_mails()
        return self._account

    @property
    def is_connected(self) -> bool:
        """Whether the account has been needed."""
        return self._account is not None

    @property
    def host(self) -> str | None:
        """The host that is called; None if the account has not been needed."""
        return self._account.client.host if self._account is not None else None

    @property
    def dry_run(self) -> DryRun | None:
        """What has been found without writing; None if this is no dry run."""
        return self._performer if isinstance(self._performer, DryRun) else None

    def max_body_bytes(self) -> int:
        """Return the most bytes of an import's JSON, as far as that is known."""
        return self._performer.max_body_bytes if self._performer else MAX_BODY_BYTES

    def moment(self, *, is_stopping: bool) -> Capacity:
        """Return what there is to be known when an import may be sent.

        Args:
            is_stopping: Whether the run is to end.
        """
        now, free = self._clock.now(), self.queue.free
        if self._account is None or not isinstance(self._performer, Performer) or is_stopping:
            return Capacity(now, free, may_split=False, full_import_seconds=None)
        seconds = self._performer.seconds_of_import(self._settings.batch_size_rows)
        return Capacity(now, free, self._account.client.takes_imports(), seconds)

    def close(self) -> None:
        """Let go of the account, and of the loads that are still active."""
        if self.queue.active:
            self._clock.abandon()
            if self._account is not None:
                self._account.abort()
        self.queue.close()
        if self._account is not None:
            self._account.close()

    def _perform(self, load: Load) -> Settlement:
        if self._performer is None:
            raise AssertionError
        return self._performer.perform(load)

    def _warn_of_confirmation_mails(self) -> None:
        streams = (self._settings.streams or {}).items()
        if names := [name for name, each in streams if each.email_opt_in_type == "verifiedDouble"]:
            _logger.warning(
                "email_opt_in_type is verifiedDouble (%s): Dotdigital mails requests for "
                "confirmation to the people who are loaded",
                ", ".join(f"'{name}'" for name in names),
            )
