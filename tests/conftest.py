"""What most tests need: a test server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.server import DotdigitalServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[DotdigitalServer]:
    with DotdigitalServer() as running:
        yield running
