"""Transports, and a certificate that they trust."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from target_dotdigital.api.transport import Transport
from tests.support.dotdigital.server import DotdigitalServer
from tests.support.raw_server import DEADLINE_SECONDS, DOTDIGITAL, PASSWORD, USERNAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def make() -> Iterator[Callable[..., Transport]]:
    """Make transports that are closed at the end."""
    with contextlib.ExitStack() as stack:

        def made(
            deadline_seconds: float = 60.0, username: str = USERNAME, password: str = PASSWORD
        ) -> Transport:
            transport = Transport(username, password, "target-dotdigital/1.2.3", deadline_seconds)
            stack.callback(transport.close)
            return transport

        yield made


@pytest.fixture
def transport(make: Callable[..., Transport]) -> Transport:
    return make(username=DotdigitalServer.username, password=DotdigitalServer.password)


@pytest.fixture
def hasty(make: Callable[..., Transport]) -> Transport:
    return make(DEADLINE_SECONDS)


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Certify a server as Dotdigital's, by an authority that the target trusts."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(DOTDIGITAL).configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return context
