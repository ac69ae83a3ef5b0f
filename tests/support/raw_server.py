"""A server that a test scripts byte by byte."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from target_dotdigital.api.transport import NoReplyError, Transport
from tests.support.dotdigital.loopback import LoopbackHandler, LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable

DOTDIGITAL = "r1-api.dotdigital.com"
USERNAME, PASSWORD = "apiuser-canary@apiconnector.com", "pass-canary"
DEADLINE_SECONDS = 0.25
# How long a server goes on that never ends; seen by a target without a deadline alone.
NO_END_SECONDS = 12.0
# Far above the deadline, for a slow machine, and below `NO_END_SECONDS`.
IN_TIME_SECONDS = 8.0
UPLOAD = bytes(32_000_000)  # more than the sockets' buffers hold
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Peer(LoopbackHandler):
    """One connection's server side, which a test scripts byte by byte."""

    server: RawServer

    @override
    def handle(self) -> None:
        # The client is meant to go away in most tests.
        with contextlib.suppress(OSError):
            self.server.behave(self)

    def read_request(self) -> str:
        """Read a request's head and return it; empty at the connection's end."""
        head = self.rfile.readline()
        while head and not head.endswith(b"\r\n\r\n"):
            head += self.rfile.readline()
        self.server.heads.append(head.decode())
        return head.decode()

    def write(self, data: bytes) -> None:
        self.connection.sendall(data)

    def stall(self, seconds: float = NO_END_SECONDS) -> None:
        self.server.closing.wait(seconds)

    def trickle(self, start: bytes, piece: bytes) -> None:
        self.write(start)
        end = time.monotonic() + NO_END_SECONDS
        while time.monotonic() < end and not self.server.closing.wait(0.02):
            self.write(piece)

    def start_tls(self) -> None:
        # A copy, for the server keeps the plain one to end the connection with.
        self.connection = self.server.tls.wrap_socket(self.connection.dup(), server_side=True)
        self.rfile = self.connection.makefile("rb")

    def accept_tunnel(self) -> None:
        assert self.read_request().startswith(f"CONNECT {DOTDIGITAL}:443 ")
        self.write(b"HTTP/1.1 200 OK\r\n\r\n")

    @override
    def finish(self) -> None:
        super().finish()
        if self.connection is not self.request:
            self.connection.close()


class RawServer(LoopbackServer):
    def __init__(self, behave: Callable[[Peer], None], tls: ssl.SSLContext | None = None) -> None:
        self.behave = behave
        self.heads: list[str] = []
        self.tls = tls or ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        super().__init__(Peer, "raw server")


def lead_to(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make Dotdigital's host name lead to a test server; return the URL of that."""
    resolve = socket.getaddrinfo

    def to_loopback(host: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - its signature
        return resolve("127.0.0.1" if host == DOTDIGITAL else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", to_loopback)
    return f"https://{DOTDIGITAL}:{server.server_port}"


def assert_no_reply_in_time(transport: Transport, url: str, body: bytes | None = None) -> None:
    start = time.monotonic()
    with pytest.raises(NoReplyError):
        transport.exchange("PUT" if body else "GET", url, body=body)
    assert time.monotonic() - start < IN_TIME_SECONDS
