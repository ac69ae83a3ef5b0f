"""The tables of docs/sandbox.md: the sandbox's routes, and its switches.

They are made of the code, and the page holds them as Markdown, so that it can be read where it is.

`uv run python -m tests.support.generated_docs` writes them.
"""

from __future__ import annotations

import re
from dataclasses import fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from target_dotdigital.sandbox.api import API_ROUTES
from target_dotdigital.sandbox.api.statuses import STATUSES
from target_dotdigital.sandbox.faults import Switches
from target_dotdigital.sandbox.faults.open_questions import spelled
from target_dotdigital.sandbox.faults.switched_routes import (
    EVERY_ROUTE,
    ROUTES_WITH_A_BODY,
    SWITCHED_ROUTES,
    V2_ROUTES,
)
from target_dotdigital.sandbox.faults.tiers import tier_of
from target_dotdigital.sandbox.http import route_name
from tests.support.target.command import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGE: Final = REPOSITORY / "docs" / "sandbox.md"

GROUPS: Final = {
    EVERY_ROUTE: "every route",
    V2_ROUTES: "every route of v2",
    ROUTES_WITH_A_BODY: "every route with a body",
}
"""Routes that are told of once, and not in every row."""


def routes() -> Iterator[str]:
    """Yield the routes, such as `GET /v2/address-books/{id}`, by path."""
    found = [
        (re.sub(r":\w+(?=\})", "", route.path), method)
        for route in API_ROUTES
        for method in route.methods or ()
        if method != "HEAD"
    ]
    order = ("GET", "POST", "PUT", "PATCH", "DELETE")
    for path, method in sorted(found, key=lambda each: (each[0], order.index(each[1]))):
        yield f"{method} {path}"


def is_of(patterns: Iterable[str], route: str) -> bool:
    """Tell whether a route is one of those that patterns name."""
    return any(fnmatchcase(route_name(route), pattern) for pattern in patterns)


def route_table() -> str:
    """Return the table of the routes, after what is the same for many of them."""
    lines = []
    for patterns, called in GROUPS.items():
        names = [name for name, named in SWITCHED_ROUTES.items() if named == patterns]
        lines.append(f"- Switches of {called}: {_listed(map(spelled, names))}.")
    lines += ["", "| route | tier | statuses | switches |", "| --- | --- | --- | --- |"]
    for route in routes():
        name = route_name(route)
        own = [
            spelled(switch)
            for switch, patterns in SWITCHED_ROUTES.items()
            if patterns not in GROUPS and is_of(patterns, route)
        ]
        statuses = ", ".join(map(str, STATUSES.get(name, ())))
        lines.append(f"| `{route}` | {tier_of(name, Switches())} | {statuses} | {_listed(own)} |")
    return "\n".join(lines)


def switch_table() -> str:
    """Return the table of the switches."""
    lines = ["| switch | positions | question | open because |", "| --- | --- | --- | --- |"]
    for each in fields(Switches):
        positions = _listed(each.metadata["positions"])
        question, source = each.metadata["question"], each.metadata["source"]
        lines.append(f"| `{spelled(each.name)}` | {positions} | {question} | {source} |")
    return "\n".join(lines)


def with_tables() -> str:
    """Return the page with the tables as they are now."""
    text = PAGE.read_text(encoding="utf-8")
    for name, table in (("routes", route_table()), ("switches", switch_table())):
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        text = f"{before}{begin}{table}\n{end}{after}"
    return text


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
