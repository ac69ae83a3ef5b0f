"""What most tests need: a test server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.server import DotdigitalServer

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--generated-runs",
        type=int,
        default=80,
        metavar="N",
        help="how many sequences of rows, faults, kills and restarts are made up (80)",
    )


@pytest.fixture
def server() -> Iterator[DotdigitalServer]:
    with DotdigitalServer() as running:
        yield running
