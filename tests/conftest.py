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

LONG_TESTS = {
    "test_a_fan_out_shares_the_account_and_a_failed_partition_runs_again_alone",
    "test_generated_runs",
    "test_two_segments_follow_the_database",
}
"""Half a minute each, of the others none takes more than ten seconds."""

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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let each worker begin with a long test, so that none is left alone with one at the end."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    long = [each for each in items if each.name in LONG_TESTS][:workers]
    others = [each for each in items if each not in long]
    count, start = len(items), 0
    for number, each in enumerate(long):
        others.insert(start, each)
        start += (count - start) // (workers - number)  # as worksteal hands them out
    items[:] = others


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
