"""Which of the API's routes a call is for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.routing import Match, Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.routing import BaseRoute
    from starlette.types import Scope

_PARAMETER = re.compile(r"\{[^}]*\}")


class RouteTable:
    """The routes by their names, such as `GET /v2/address-books/{id}`."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        """Name every route.

        Args:
            routes: In the order in which they are tried.
        """
        self._routes = [one for one in routes if isinstance(one, Route)]
        self.names = frozenset(
            normal_name(f"{method} {one.path}")
            for one in self._routes
            for method in (one.methods or ())
            if method != "HEAD"
        )

    def name_of(self, scope: Scope) -> str | None:
        """Return the name of the route that a call is for, if it is for any."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        for route in self._routes:
            match, _ = route.matches(scope)
            if match is Match.FULL:
                return normal_name(f"{method} {route.path}")
        return None


def normal_name(name: str) -> str:
    """Return a route's name with the names of its parameters left out: they tell nothing."""
    return _PARAMETER.sub("{}", name)
