"""The account's call limits, as its answers tell them, and how long to wait for each.

Source: https://developer.dotdigital.com/docs/call-rate-limits. Limits are counted per account and
tier, by the minute (current scheme) or by the hour for all calls (the older, flat one), and shared
with every other integration of the account.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol

import backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

EPOCH_FROM = 1_000_000_000
"""A reset header from here on is a time, below it a number of seconds: sources disagree."""

MAX_RESET_SECONDS = 300.0
"""Windows last a minute. A reset further away is a mistake, and is not waited for."""

MAX_BLIND_WAIT_SECONDS = 60.0
"""Longest wait between calls when the answer does not say when the limit ends."""

USAGE_WAIT_SECONDS = 60.0
"""First wait when the flat scheme's 2,000 calls an hour are used up; it doubles from there."""

MAX_USAGE_WAIT_SECONDS = 900.0

RESET_SPREAD_SECONDS = 1.0
"""Calls that waited for the same reset start spread over this time."""

WINDOW_SECONDS = 61.0
"""A minute, in which a tier's calls are counted, and what a call may take longer to arrive than a
later one."""

_EVERY_TIER = ""


class Time(Protocol):
    """Tells the time, and waits until the run is stopped at most."""

    def now(self) -> float:
        """Return seconds on a monotonic clock."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def sleep_before_sending(self, seconds: float) -> None:
        """Wait with something that writes."""


class RateLimits:
    """Holds calls back until their tier is open again. Safe to use from several threads."""

    def __init__(
        self,
        clock: Time,
        wall_time: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Start with every tier open.

        Args:
            clock: Waits, and monotonic time.
            wall_time: Seconds since 1970, for answers that lack a `Date`.
            jitter: Random numbers in [0, 1).
        """
        self._clock = clock
        self._wall_time = wall_time
        self._jitter = jitter
        self._lock = threading.Lock()
        self._tier_of: dict[str, str] = {}
        self._limit_of: dict[str, int] = {}
        """Calls a minute of a tier, as its answers tell."""
        self._calls: dict[str, deque[float]] = {}
        """When the calls of the last minute were made, by tier."""
        self._open_at: dict[str, float] = {}
        self._waits: dict[str, Iterator[float]] = {}

    def wait(self, route: str) -> None:
        """Wait until the route's tier is open.

        Args:
            route: A call's method and path template.

        Raises:
            AbandonedError: The run was given up while waiting; or stopped, if the call writes.
        """
        sleep = self._clock.sleep if is_read(route) else self._clock.sleep_before_sending
        while (seconds := self._take(route)) > 0:
            sleep(seconds + self._jitter() * RESET_SPREAD_SECONDS)

    def limit_of(self, route: str) -> int | None:
        """Return the calls a minute of a route's tier; None if no answer has told.

        Args:
            route: A call's method and path template.
        """
        with self._lock:
            return self._limit_of.get(self._tier(route))

    def is_open(self, route: str) -> bool:
        """Return whether a call would not have to wait.

        Args:
            route: A call's method and path template.
        """
        with self._lock:
            return self._seconds_to_wait(self._tier(route)) <= 0

    def _take(self, route: str) -> float:
        """Count a call, and return 0; or return how long it has to wait."""
        with self._lock:
            tier = self._tier(route)
            wait = self._seconds_to_wait(tier)
            if wait <= 0:
                self._calls_of(tier).append(self._clock.now())
            return wait

    def _seconds_to_wait(self, tier: str) -> float:
        now = self._clock.now()
        open_at = max(self._open_at.get(each, 0.0) for each in (tier, _EVERY_TIER))
        # Not more than a minute's calls in any minute, wherever Dotdigital lets one begin: whoever
        # uses them up at the end of one and again at the next one's beginning leaves others none.
        calls, limit = self._calls_of(tier), self._limit_of.get(tier, 0)
        if limit and len(calls) >= limit:
            open_at = max(open_at, calls[-limit] + WINDOW_SECONDS)
        return open_at - now

    def _calls_of(self, tier: str) -> deque[float]:
        calls = self._calls.setdefault(tier, deque())
        while calls and calls[0] <= self._clock.now() - WINDOW_SECONDS:
            calls.popleft()
        return calls

    def succeeded(self, route: str, headers: Mapping[str, str]) -> None:
        """Learn from an answer that the limits have let through.

        Args:
            route: The call's method and path template.
            headers: The answer's headers, compared without case.
        """
        with self._lock:
            tier = self._learn_tier(route, headers)
            self._waits.pop(tier, None)
            self._waits.pop(_EVERY_TIER, None)
            if headers.get("X-RateLimit-Remaining", "").strip() == "0":
                self._close(tier, self._seconds_to_reset(headers))

    def limited(self, route: str, headers: Mapping[str, str]) -> None:
        """Close the tier after a 429, until its reset or, without a usable one, for a while.

        Args:
            route: The call's method and path template.
            headers: The answer's headers.
        """
        with self._lock:
            tier = self._learn_tier(route, headers)
            reset = self._seconds_to_reset(headers)
            if reset is not None:
                self._close(tier, reset)
            elif not self._is_closed(tier):
                self._close(tier, self._blind_wait(tier))

    def usage_exceeded(self) -> None:
        """Close every tier after a 400 `ERROR_APIUSAGE_EXCEEDED` of the flat scheme."""
        with self._lock:
            if self._is_closed(_EVERY_TIER):
                return
            waits = self._waits.setdefault(
                _EVERY_TIER,
                backoff.expo(factor=USAGE_WAIT_SECONDS, max_value=MAX_USAGE_WAIT_SECONDS),
            )
            # Half to whole: an hour's allowance does not come back in a second.
            self._close(_EVERY_TIER, _next(waits) * (1 + self._jitter()) / 2)

    def _is_closed(self, tier: str) -> bool:
        return self._open_at.get(tier, 0.0) > self._clock.now()

    def _tier(self, route: str) -> str:
        return self._tier_of.get(route, route)

    def _learn_tier(self, route: str, headers: Mapping[str, str]) -> str:
        scope = headers.get("X-RateLimit-Scope", "").strip()
        if scope and scope != self._tier(route):
            earlier = self._calls.pop(self._tier(route), ())
            self._calls[scope] = deque(sorted((*self._calls.get(scope, ()), *earlier)))
            self._tier_of[route] = scope
        limit = headers.get("X-RateLimit-Limit", "").strip()
        if scope and limit.isascii() and limit.isdigit():
            self._limit_of[scope] = int(limit)
        return self._tier(route)

    def _blind_wait(self, tier: str) -> float:
        waits = self._waits.setdefault(tier, backoff.expo(max_value=MAX_BLIND_WAIT_SECONDS))
        return float(backoff.full_jitter(_next(waits)))

    def _seconds_to_reset(self, headers: Mapping[str, str]) -> float | None:
        """Return the wait that the headers ask for, or None if they do not, or absurdly."""
        try:
            reset = float(headers.get("X-RateLimit-Reset", ""))
        except ValueError:
            return None
        if reset >= EPOCH_FROM:
            reset -= self._server_time(headers)
        if not 0 < reset <= MAX_RESET_SECONDS:
            return None
        return reset

    def _server_time(self, headers: Mapping[str, str]) -> float:
        # Dotdigital's own clock where it is told: this machine's may be wrong, or set meanwhile.
        try:
            return parsedate_to_datetime(headers.get("Date", "")).timestamp()
        except (TypeError, ValueError, OverflowError):
            return self._wall_time()

    def _close(self, tier: str, seconds: float | None) -> None:
        if seconds is not None:
            until = self._clock.now() + seconds
            self._open_at[tier] = max(until, self._open_at.get(tier, 0.0))


def is_read(route: str) -> bool:
    """Return whether a call changes nothing at Dotdigital.

    Args:
        route: Its method and path template.
    """
    return route.startswith("GET ")


def _next(waits: Iterator[float]) -> float:
    # The library's generators begin with a 0 that is not meant as a wait.
    return next(waits) or next(waits)
