"""The way to an account: its region, the credentials and, if it is embedded, the sandbox."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from target_dotdigital.api import (
    CALL_DEADLINE_SECONDS,
    MAX_TRIES,
    Caller,
    Client,
    RateLimits,
    Transport,
)
from target_dotdigital.errors import (
    AbandonedError,
    DotdigitalError,
    SettingsError,
    TargetDotdigitalError,
)
from target_dotdigital.settings import REGIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from target_dotdigital.clock import Clock
    from target_dotdigital.events import Events
    from target_dotdigital.sandbox import EmbeddedSandbox
    from target_dotdigital.settings import Settings

DISCOVERY_URL = "https://r1-api.dotdigital.com"
"""Answers account-info for accounts of every region."""

_DOTDIGITAL_HOST = re.compile(r"[a-z0-9-]+\.(dotdigital|dotmailer)\.com")

_logger = logging.getLogger("target-dotdigital.account")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long an answer is waited for.

    Attributes:
        deadline_seconds: One exchange, from connecting to the last byte.
        max_tries: Tries of a call that fails for a passing reason.
        rate_limit_seconds: How long a call may be kept waiting by call limits; the import
            timeout of the settings if None.
    """

    deadline_seconds: float = CALL_DEADLINE_SECONDS
    max_tries: int = MAX_TRIES
    rate_limit_seconds: float | None = None


RUN_TIMEOUTS: Final = Timeouts()


@dataclass(frozen=True, slots=True)
class Seeds:
    """What an embedded sandbox is to have before anything is loaded.

    Attributes:
        address_books: IDs or names.
        preferences: IDs.
        custom_identifiers: Names.
    """

    address_books: Sequence[str | int] = ()
    preferences: Sequence[int] = ()
    custom_identifiers: Sequence[str] = ()


NO_SEEDS: Final = Seeds()


class Connection:
    """Holds the connections and the sandbox; every client that it hands out uses them."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        seeds: Seeds = NO_SEEDS,
        timeouts: Timeouts = RUN_TIMEOUTS,
        *,
        events: Events | None = None,
    ) -> None:
        """Prepare, and start the sandbox if it is embedded. Nothing is called yet.

        Args:
            settings: The target's settings.
            clock: Waits between tries.
            seeds: What the embedded sandbox is to have.
            timeouts: How long answers are waited for.
            events: Where waits are noted, if they are.

        Raises:
            SettingsError: The sandbox cannot start.
        """
        self._clock = clock
        self._timeouts = timeouts
        self._events = events
        self._rate_limit_timeout = (
            settings.import_timeout_seconds
            if timeouts.rate_limit_seconds is None
            else timeouts.rate_limit_seconds
        )
        self._reads_only = settings.dry_run
        self._region = settings.region
        self._sandbox: EmbeddedSandbox | None = None
        self._base_url = settings.api_url
        username, password = settings.username, settings.password
        if settings.sandbox_path is not None:
            self._sandbox = _start_sandbox(settings.sandbox_path, seeds)
            username, password = self._sandbox.username, self._sandbox.password
            self._base_url = self._sandbox.url
        user_agent = f"target-dotdigital/{version('target-dotdigital')}"
        deadline = clock.real_seconds(timeouts.deadline_seconds)
        self._transport = Transport(username, password, user_agent, deadline)

    @property
    def names_region(self) -> bool:
        """Whether the settings say which region is called, and nothing else does."""
        return self._base_url is None and self._region is not None

    def client(self) -> Client:
        """Return a client of the account's own region, which is asked for if it is not set.

        Raises:
            TargetDotdigitalError: It is not told.
        """
        if self._base_url is not None:
            return self._client_at(self._base_url)
        if self._region is not None:
            return self._client_at(f"https://{self._region}-api.dotdigital.com")
        return self._client_at(self._own_url())

    def client_elsewhere(self) -> Client | None:
        """Return a client of the account's region after another one has said 403.

        Returns:
            None if Dotdigital tells no other region.

        Raises:
            AbandonedError: The run is given up.
        """
        try:
            url = self._own_url()
        except AbandonedError:
            raise
        except TargetDotdigitalError:
            return None
        region = region_of(urlsplit(url).hostname or "")
        return self._client_at(url) if region is not None and region != self._region else None

    def wrong_region(self, elsewhere: Client | None) -> SettingsError:
        """Say what a 403 from the region of the settings means.

        Args:
            elsewhere: What `client_elsewhere` has returned.
        """
        if elsewhere is None:
            return SettingsError(
                f"region: {self._region} answers 403. Leave region out if the account is in "
                "another one. Otherwise give the API user access to the API"
            )
        own = region_of(elsewhere.host)
        return SettingsError(
            f"region: {self._region} answers 403, because the account is in {own}. Set region to "
            f"{own}, or leave it out"
        )

    def abort(self) -> None:
        """Break every call off."""
        self._transport.abort()

    def close(self) -> None:
        """Close the connections and, if it is embedded, the sandbox."""
        self._transport.close()
        if self._sandbox is not None:
            self._sandbox.stop()
            self._sandbox = None

    def _client_at(self, url: str) -> Client:
        rate_limits, limit = RateLimits(self._clock), self._rate_limit_timeout
        client = Client(Caller(url.rstrip("/"), self._transport, rate_limits, self._clock, limit))
        if self._events is not None:
            client.caller.waiting = self._events.waiting
        client.caller.reads_only = self._reads_only
        client.caller.max_tries = self._timeouts.max_tries
        return client

    def _own_url(self) -> str:
        return _endpoint(self._client_at(DISCOVERY_URL))


def region_of(host: str) -> str | None:
    """Return the region that a host of Dotdigital's serves, or None if its name does not tell.

    Args:
        host: Such as `r1-api.dotdigital.com`.
    """
    region = host.partition("-")[0]
    return region if region in REGIONS else None


def _start_sandbox(path: Path, seeds: Seeds) -> EmbeddedSandbox:
    try:
        from target_dotdigital.sandbox import EmbeddedSandbox  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise SettingsError(
            "sandbox_path needs an extra. Install it: pip install 'target-dotdigital[sandbox]'"
        ) from None
    try:
        sandbox = EmbeddedSandbox(
            path,
            address_books=seeds.address_books,
            preferences=seeds.preferences,
            custom_identifiers=seeds.custom_identifiers,
        )
    except (OSError, ValueError) as error:
        raise SettingsError(f"sandbox_path: the sandbox cannot start: {error}") from None
    if sandbox.is_shared:
        _logger.info("sandbox_path: using the sandbox that runs on this file, at %s", sandbox.url)
    return sandbox


def _endpoint(client: Client) -> str:
    """Ask for the account's own host, and make sure that it is one of Dotdigital's.

    Credentials go wherever this says, so it is not taken on trust.
    """
    url = client.account_info().property("ApiEndpoint")
    if not url:
        raise DotdigitalError("Dotdigital's account-info has no ApiEndpoint. Set region")
    try:
        parts = urlsplit(url.strip())
        host, port, secure = parts.hostname or "", parts.port, parts.scheme == "https"
    except ValueError:
        host, port, secure = "", None, False
    if not secure or port not in {None, 443} or not _DOTDIGITAL_HOST.fullmatch(host):
        raise DotdigitalError(
            "Dotdigital's account-info has an ApiEndpoint outside dotdigital.com, which gets no "
            "credentials. Set region"
        )
    _logger.info("The account's data region is at %s", host)
    return f"https://{host}"
