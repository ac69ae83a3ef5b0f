"""Dotdigital's limits on calls: by tiers, or the older flat one. Off unless asked for.

Source: https://developer.dotdigital.com/docs/call-rate-limits. A tier's calls are counted for the
account, in windows of a minute.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.responses import Response

from target_dotdigital.sandbox.faults.tiers import HIGH, LOW, MEDIUM, tier_of
from target_dotdigital.sandbox.http import answer, drain, is_v2, v2_refusal, v3_refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from target_dotdigital.sandbox.faults.open_questions import Switches
    from target_dotdigital.sandbox.http import RouteTable

WINDOW_SECONDS = 60.0

FLAT_CALLS = 2_000
FLAT_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True)
class TierLimits:
    """Calls a window in each tier.

    Attributes:
        low: For imports and reads of much.
        medium: For writes of one record.
        high: For reads of one record.
        window_seconds: A minute, as Dotdigital has it.
    """

    low: int
    medium: int
    high: int
    window_seconds: float = WINDOW_SECONDS


@dataclass(frozen=True, slots=True)
class FlatLimit:
    """Calls of any kind in the time that is just past.

    Attributes:
        calls: How many.
        seconds: That time.
    """

    calls: int = FLAT_CALLS
    seconds: float = FLAT_SECONDS


BASIC = TierLimits(low=35, medium=150, high=600)
"""The Basic package. Only its low tier is public; the other two are guesses of a likely size."""


def read_limits(text: str) -> TierLimits | FlatLimit:
    """Read limits as they are written on a command line.

    Args:
        text: `basic`, `flat`, or `LOW,MEDIUM,HIGH`.

    Raises:
        ValueError: It is none of these.
    """
    if text == "basic":
        return BASIC
    if text == "flat":
        return FlatLimit()
    parts = text.split(",")
    numbers = [int(one) for one in parts if one.isascii() and one.isdigit() and len(one) < 10]  # noqa: PLR2004 - digits of an int32
    if len(parts) != len(numbers) or len(numbers) != 3 or min(numbers) < 1:  # noqa: PLR2004 - tiers
        message = "rate limits are basic, flat, or three numbers of calls: LOW,MEDIUM,HIGH"
        raise ValueError(message)
    return TierLimits(*numbers)


@dataclass(frozen=True, slots=True)
class Count:
    """What counting a call came to.

    Attributes:
        scope: The tier's name in the headers.
        limit: Calls that it allows.
        used: Calls of this window, this one included.
        reset: When the window ends, in seconds since 1970.
    """

    scope: str
    limit: int
    used: int
    reset: float


class TierCounter:
    """Counts the calls of each tier."""

    def __init__(self, limits: TierLimits) -> None:
        """Begin with no calls."""
        self._window = limits.window_seconds
        self._limits = {LOW: limits.low, MEDIUM: limits.medium, HIGH: limits.high}
        self._lock = threading.Lock()
        self._used: dict[str, tuple[float, int]] = {}

    def count(self, tier: str, now: float) -> Count | None:
        """Count a call.

        Args:
            tier: Its tier.
            now: In seconds since 1970.

        Returns:
            Nothing if the tier has no limit.
        """
        if tier not in self._limits:
            return None
        begin = now // self._window * self._window
        with self._lock:
            window, used = self._used.get(tier, (begin, 0))
            used = used + 1 if window == begin else 1
            self._used[tier] = (begin, used)
        return Count(f"{tier}CallRate", self._limits[tier], used, begin + self._window)


class FlatCounter:
    """Counts the calls of the time that is just past; those that are refused do not count."""

    def __init__(self, limit: FlatLimit) -> None:
        """Begin with no calls."""
        self._limit = limit
        self._lock = threading.Lock()
        self._calls: deque[float] = deque()

    def admit(self, now: float) -> bool:
        """Tell whether a call is taken, and count it if it is."""
        with self._lock:
            while self._calls and self._calls[0] <= now - self._limit.seconds:
                self._calls.popleft()
            if len(self._calls) >= self._limit.calls:
                return False
            self._calls.append(now)
            return True


class RateLimitMiddleware:
    """The layer that counts calls, and refuses those that are too many."""

    def __init__(
        self,
        app: ASGIApp,
        limits: TierLimits | FlatLimit | None,
        routes: RouteTable,
        switches: Switches,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Wrap the application.

        Args:
            app: What is behind it.
            limits: Without them, nothing is counted.
            routes: Those of the API; no other calls are counted.
            switches: What Dotdigital's documents leave open.
            clock: Seconds since 1970.
        """
        self._app = app
        self._routes = routes
        self._switches = switches
        self._clock = clock
        self._tiers = TierCounter(limits) if isinstance(limits, TierLimits) else None
        self._flat = FlatCounter(limits) if isinstance(limits, FlatLimit) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or refuse it."""
        route = self._routes.name_of(scope) if self._tiers or self._flat else None
        if route is None:
            await self._app(scope, receive, send)
        elif self._tiers is not None:
            await self._by_tier(self._tiers, route, scope, receive, send)
        elif self._flat is not None and self._flat.admit(self._clock()):
            await self._app(scope, receive, send)
        else:
            await drain(receive)
            await _usage_exceeded(scope["path"])(scope, receive, send)

    async def _by_tier(
        self, tiers: TierCounter, route: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        now = self._clock()
        counted = tiers.count(tier_of(route, self._switches), now)
        if counted is None:
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers(counted, now).items():
                    headers.setdefault(name, value)  # a fault may have headers of its own
            await send(message)

        if counted.used <= counted.limit:
            await self._app(scope, receive, with_headers)
        else:
            await drain(receive)
            await self._too_many(scope["path"])(scope, receive, with_headers)

    def _headers(self, counted: Count, now: float) -> dict[str, str]:
        reset = counted.reset if self._switches.reset_header == "epoch" else counted.reset - now
        return {
            "X-RateLimit-Limit": str(counted.limit),
            "X-RateLimit-Remaining": str(max(0, counted.limit - counted.used)),
            # Rounded up: whoever waits for it finds the next window open.
            "X-RateLimit-Reset": str(math.ceil(reset)),
            "X-RateLimit-Scope": counted.scope,
        }

    def _too_many(self, path: str) -> Response:
        status = HTTPStatus.TOO_MANY_REQUESTS
        if self._switches.limit_body == "none":
            return Response(status_code=status)
        sentence = "The rate limit of this tier is exceeded."
        if is_v2(path):
            return answer(v2_refusal("ERROR_TOO_MANY_REQUESTS", sentence).body, status)
        return answer(v3_refusal("server:tooManyRequests", sentence).body, status)


def _usage_exceeded(path: str) -> Response:
    code, sentence = "ERROR_APIUSAGE_EXCEEDED", "Excess API activity, temporarily capped."
    refusal = v2_refusal if is_v2(path) else v3_refusal
    return answer(refusal(code, sentence).body, HTTPStatus.BAD_REQUEST)
