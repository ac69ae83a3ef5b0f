"""Which route a call is for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.routing import Match, Route
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

_PARAMETER = re.compile(r"\{[^}]*\}")


class EncodedRoute(Route):
    """A route whose parameters may have a slash: an encoded one is part of a value."""

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        # A server need not tell how the path was written; ours does.
        written = scope.get("raw_path", scope["path"].encode())
        encoded = {**scope, "path": written.decode("ascii", "replace")}
        match, found = super().matches(encoded)
        if match is not Match.NONE:
            parameters = found["path_params"].items()
            found["path_params"] = {name: unquote(value) for name, value in parameters}
        return match, found


class RouteTable:
    """The routes by their names, such as `GET /v2/address-books/{}`."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        """Name every route.

        Args:
            routes: In the order in which they are tried.
        """
        self._routes = [one for one in routes if isinstance(one, Route)]
        self.names = frozenset(
            route_name(f"{method} {one.path}")
            for one in self._routes
            for method in (one.methods or ())
            if method != "HEAD"
        )

    def name_of(self, scope: Scope) -> str | None:
        """Return the name of the route that a call is for, if it is for any."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        match, route = find_route(self._routes, scope)
        return route_name(f"{method} {route.path}") if route and match is Match.FULL else None


class TrailingSlashMiddleware:
    """Takes a slash at the end of a path away, so that it is the same route with and without.

    The vendor's own clients send one. An encoded slash is part of a value, and stays.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on."""
        if scope["raw_path"].endswith(b"/") and scope["path"] != "/":
            scope = {**scope, "path": scope["path"][:-1], "raw_path": scope["raw_path"][:-1]}
        await self._app(scope, receive, send)


def find_route(routes: Iterable[BaseRoute], scope: Scope) -> tuple[Match, Route | None]:
    """Return the route that a call is for: fully, or by its path alone if by nothing more."""
    partial = None
    for route in routes:
        if isinstance(route, Route):
            match, _ = route.matches(scope)
            if match is Match.FULL:
                return match, route
            if match is Match.PARTIAL:
                partial = partial or route
    return Match.NONE if partial is None else Match.PARTIAL, partial


def route_name(name: str) -> str:
    """Return a route's name without the names of its parameters: they tell nothing."""
    return _PARAMETER.sub("{}", name)
