"""A client of the test server, and one whose calls are recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tests.support.dotdigital.contract.recording import RecordingProxy
from tests.support.dotdigital.plain_client import PlainClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.dotdigital.server import DotdigitalServer


@pytest.fixture
def session(server: DotdigitalServer) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.auth = (server.username, server.password)
        yield session


@pytest.fixture
def client(server: DotdigitalServer, session: requests.Session) -> PlainClient:
    return PlainClient(server.url, session)


@pytest.fixture
def proxy(server: DotdigitalServer) -> Iterator[RecordingProxy]:
    with RecordingProxy(server.url) as running:
        yield running


@pytest.fixture
def recorded_client(proxy: RecordingProxy, session: requests.Session) -> PlainClient:
    return PlainClient(proxy.url, session)
