"""The access log: the calls of the last minutes, in memory, and how they were answered.

Nothing of a call's own values is kept: neither its path nor its query nor a body, as they hold
addresses; the route's template tells enough.
"""

from __future__ import annotations

import collections
import re
import threading
import time
from typing import TYPE_CHECKING

import msgspec
from starlette.datastructures import Headers

from target_dotdigital.sandbox.http import find_route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEPT_CALLS = 5_000
"""Calls that are kept at most: under 2 MB, and some minutes of a busy client."""

KEPT_SECONDS = 15 * 60.0

_CONVERTOR = re.compile(r":[a-z0-9_]+(?=\})")

NO_ROUTE = "(no such route)"

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""A method is whatever a client sends; others are noted as `?`."""


class Tier(msgspec.Struct, frozen=True):
    """What an answer's `X-RateLimit-*` headers say.

    Attributes:
        scope: The tier's name.
        limit: Calls that it allows.
        remaining: Calls that are left.
    """

    scope: str
    limit: int
    remaining: int


class Call(msgspec.Struct, frozen=True):
    """A call that was answered.

    Attributes:
        number: Counts up from 1.
        time: When it began, in seconds since 1970.
        method: The HTTP method.
        route: The template of its path.
        status: The HTTP status; 0 if the connection ended without one.
        milliseconds: How long it took.
        tier: What the answer said about rate limits.
    """

    number: int
    time: float
    method: str
    route: str
    status: int
    milliseconds: float
    tier: Tier | None


class AccessLog:
    """A ring of calls."""

    def __init__(self) -> None:
        """Begin empty."""
        self._calls: collections.deque[Call] = collections.deque(maxlen=KEPT_CALLS)
        self._tiers: dict[str, tuple[float, Tier]] = {}
        self._lock = threading.Lock()
        self._total = 0

    def record(  # noqa: PLR0913 - what a call is
        self,
        *,
        began: float,
        method: str,
        route: str,
        status: int,
        milliseconds: float,
        tier: Tier | None,
    ) -> None:
        """Add a call."""
        with self._lock:
            self._total += 1
            call = Call(self._total, began, method, route, status, milliseconds, tier)
            self._calls.append(call)
            if tier is not None:
                self._tiers[tier.scope] = (began, tier)

    def latest(self, seconds: float = KEPT_SECONDS) -> list[Call]:
        """Return the calls of the last seconds, the newest first."""
        since = time.time() - seconds
        with self._lock:
            return [call for call in reversed(self._calls) if call.time >= since]

    def tiers(self, seconds: float = 60.0) -> list[Tier]:
        """Return the last word on each tier that was heard of in the last seconds."""
        since = time.time() - seconds
        with self._lock:
            found = [tier for heard, tier in self._tiers.values() if heard >= since]
        return sorted(found, key=lambda tier: tier.scope)


class AccessLogMiddleware:
    """Notes every call but those of the page itself, which would fill the log by looking at it."""

    def __init__(
        self,
        app: ASGIApp,
        log: AccessLog,
        routes: Sequence[BaseRoute],
        unlogged: Sequence[BaseRoute],
    ) -> None:
        """Wrap the application.

        Args:
            app: What is behind it.
            log: Where calls are noted.
            routes: All routes.
            unlogged: Those of them that are not noted.
        """
        self._app = app
        self._log = log
        self._routes = routes
        self._unlogged = {id(route) for route in unlogged}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, and note how it was answered."""
        _, route = find_route(self._routes, scope)
        if route is not None and id(route) in self._unlogged:
            await self._app(scope, receive, send)
            return
        status = 0
        tier: Tier | None = None

        async def note_start(message: Message) -> None:
            nonlocal status, tier
            if message["type"] == "http.response.start":
                status = message["status"]
                tier = read_tier(Headers(raw=message["headers"]))
            await send(message)

        began, started = time.time(), time.perf_counter()
        try:
            await self._app(scope, receive, note_start)
        finally:
            self._log.record(
                began=began,
                method=scope["method"] if scope["method"] in METHODS else "?",
                route=NO_ROUTE if route is None else _CONVERTOR.sub("", route.path),
                status=status,
                milliseconds=round((time.perf_counter() - started) * 1_000, 1),
                tier=tier,
            )


def read_tier(headers: Headers) -> Tier | None:
    """Read an answer's rate-limit headers, if it has them."""
    limit, remaining = headers.get("x-ratelimit-limit"), headers.get("x-ratelimit-remaining")
    if limit is None or remaining is None or not (limit.isdigit() and remaining.isdigit()):
        return None
    return Tier(headers.get("x-ratelimit-scope", "calls"), int(limit), int(remaining))
