"""docs/sandbox.md shows the sandbox's routes and switches as they are."""

from __future__ import annotations

from dataclasses import fields

import pytest

from target_dotdigital.sandbox.api import API_ROUTES
from target_dotdigital.sandbox.api.statuses import STATUSES
from target_dotdigital.sandbox.faults import Switches
from target_dotdigital.sandbox.faults.switched_routes import SWITCHED_ROUTES
from target_dotdigital.sandbox.http import RouteTable, route_name
from tests.support.sandbox_tables import (
    PAGE,
    is_of,
    route_table,
    routes,
    switch_table,
    with_tables,
)


def test_the_page_shows_the_tables_as_they_are() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == with_tables(), "run `uv run python -m tests.support.generated_docs`"
    assert route_table() in text
    assert switch_table() in text


def test_every_route_names_its_statuses() -> None:
    assert set(STATUSES) == RouteTable(API_ROUTES).names
    assert {route_name(route) for route in routes()} == RouteTable(API_ROUTES).names


def test_every_switch_names_its_routes() -> None:
    assert set(SWITCHED_ROUTES) == {one.name for one in fields(Switches)}


@pytest.mark.parametrize("switch", SWITCHED_ROUTES)
def test_the_routes_that_a_switch_names_are_there(switch: str) -> None:
    assert SWITCHED_ROUTES[switch]
    for pattern in SWITCHED_ROUTES[switch]:
        assert any(is_of([pattern], route) for route in routes()), pattern
