"""What lies between the target and the server, and breaks: a proxy whose faults a test arms."""

from __future__ import annotations

import contextlib
import http.client
import selectors
import socket
import threading
from collections import deque
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from typing_extensions import override

from tests.support.dotdigital.loopback import LoopbackHandler, LoopbackServer, head_of
from tests.support.dotdigital.routes import route_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

ProxyFault = Literal[
    "reset unread", "cut upload", "lost reply", "half-open", "trickle", "truncated", "none"
]
"""`reset unread`: RST before the body is read. `cut upload`: RST when the server has half of the
body. `lost reply`: the server has answered, the client gets an RST. `half-open`: the request is
taken, and nothing ever comes back. `trickle`: the reply comes byte by byte and has no end.
`truncated`: half of the reply's body comes."""

UPSTREAM_TIMEOUT_SECONDS = 30
PIPE_BYTES = 65_536


class BreakingProxy(LoopbackServer):
    """Forwards to a loopback server; a context manager."""

    def __init__(self, upstream_url: str) -> None:
        upstream = urlsplit(upstream_url)
        self.upstream = (upstream.hostname or "127.0.0.1", upstream.port or 80)
        self._armed: dict[str, deque[ProxyFault]] = {}
        self._for_ever: dict[str, ProxyFault] = {}
        self._arming = threading.Lock()
        super().__init__(_ProxyHandler, "proxy")

    def arm(self, route: str, *faults: ProxyFault, times: int | None = 1) -> None:
        """Break the next exchanges of a route, in turn; all of them when `times` is None."""
        with self._arming:
            if times is None:
                (self._for_ever[route],) = faults
            else:
                self._armed.setdefault(route, deque()).extend(faults * times)

    def next_fault(self, route: str) -> ProxyFault:
        with self._arming:
            armed = self._armed.get(route)
            return armed.popleft() if armed else self._for_ever.get(route, "none")


class _ProxyHandler(LoopbackHandler):
    server: BreakingProxy

    @override
    def serve(self) -> None:
        fault = self.server.next_fault(route_of(self.command, urlsplit(self.path).path))
        if fault == "reset unread":
            self.break_connection()
            return
        body = self.read_body()
        host, port = self.server.upstream
        upstream = http.client.HTTPConnection(host, port, timeout=UPSTREAM_TIMEOUT_SECONDS)
        with contextlib.closing(upstream):
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                upstream.putheader(name, value)
            upstream.endheaders()
            if fault == "cut upload":
                upstream.send(body[: len(body) // 2])
                self.break_connection()
                return
            upstream.send(body)
            reply = upstream.getresponse()
            text = reply.read()
        self._pass_on(fault, reply.status, dict(reply.getheaders()), text)

    def _pass_on(
        self, fault: ProxyFault, status: int, headers: Mapping[str, str], text: bytes
    ) -> None:
        kept = {name: value for name, value in headers.items() if name != "Content-Length"}
        if fault == "none":
            self.send(status, kept, text)
            return
        self.close_connection = True
        if fault == "lost reply":
            self.break_connection()
        elif fault == "half-open":
            self.server.closing.wait()
        elif fault == "truncated":
            self.wfile.write(head_of(status, kept, len(text)) + text[: len(text) // 2])
        else:
            self.wfile.write(head_of(status, kept, 10**9) + text)
            with contextlib.suppress(OSError):  # the client has left
                while not self.server.closing.wait(0.02):
                    self.wfile.write(b" ")


class Tunnel(LoopbackServer):
    """An HTTPS proxy that leads Dotdigital's hosts to loopback servers."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        """Listen.

        Args:
            ports: The loopback port that stands for each host.
        """
        self.ports = ports
        super().__init__(_TunnelHandler, "tunnel")


class _TunnelHandler(LoopbackHandler):
    server: Tunnel

    def do_CONNECT(self) -> None:  # noqa: N802 - the base class's spelling
        self.close_connection = True
        host = self.path.partition(":")[0]
        if host not in self.server.ports:
            self.send(502, {}, b"")
            return
        with socket.create_connection(("127.0.0.1", self.server.ports[host])) as far:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                self._carry(far)

    def _carry(self, far: socket.socket) -> None:
        """Carry bytes both ways until either side ends."""
        other = {self.connection: far, far: self.connection}
        with selectors.DefaultSelector() as selector:
            for side, far_side in other.items():
                selector.register(side, selectors.EVENT_READ, far_side)
            while not self.server.closing.is_set():
                for key, _ in selector.select(0.1):
                    data = key.fileobj.recv(PIPE_BYTES)  # type: ignore[union-attr]
                    if not data:
                        return
                    key.data.sendall(data)


class _TlsHandler(LoopbackHandler):
    server: TlsFront

    @override
    def handle(self) -> None:
        # A copy, for the server keeps the plain one to end the connection with.
        plain = self.connection.dup()
        with (
            contextlib.closing(plain),
            contextlib.suppress(OSError),  # the client may refuse
            self.server.context.wrap_socket(plain, server_side=True) as self.connection,
        ):
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", 0)
            super().handle()

    @override
    def serve(self) -> None:
        body = self.read_body()
        host, port = self.server.upstream
        near = http.client.HTTPConnection(host, port, timeout=UPSTREAM_TIMEOUT_SECONDS)
        with contextlib.closing(near):
            near.request(self.command, self.path, body, dict(self.headers.items()))
            reply = near.getresponse()
            text = reply.read()
        headers = dict(reply.getheaders())
        headers.pop("Content-Length", None)
        self.send(reply.status, headers, text)


class TlsFront(LoopbackServer):
    """A loopback server behind TLS; a context manager."""

    def __init__(self, upstream_url: str, context: ssl.SSLContext) -> None:
        upstream = urlsplit(upstream_url)
        self.upstream = (upstream.hostname or "127.0.0.1", upstream.port or 80)
        self.context = context
        super().__init__(_TlsHandler, "TLS front")
