"""What most tests need: a test server, and Dotdigital's hosts led to some."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.api.transport import Transport
from tests.support.dotdigital.server import DotdigitalServer
from tests.support.network import R1, R2, Network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_dotdigital.api.transport import Reply

# Processes that tests start find modules compiled: compiling the SDK's takes half of a start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


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


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch, server: DotdigitalServer) -> Iterator[Network]:
    """Make r1 lead to `server`, and r2 to another one."""
    network = Network()

    def exchange(transport: Transport, method: str, url: str, **kwargs: Any) -> Reply:
        return network.exchange(transport, method, url, **kwargs)

    with DotdigitalServer() as other:
        network.servers = {R1: server, R2: other}
        monkeypatch.setattr(Transport, "exchange", exchange)
        yield network
