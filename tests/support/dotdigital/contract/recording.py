"""A forwarder between a client and any server, which keeps every exchange."""

from __future__ import annotations

import http.client
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

from tests.support.dotdigital.loopback import LoopbackHandler, LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Mapping

# Each holds for one connection only, or is written anew by who sends the message on.
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "content-length"})
# Longer than the 121 s that Dotdigital allows a call, so that the client gives up first.
UPSTREAM_TIMEOUT_SECONDS = 150


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, and the answer to it."""

    method: str
    path: str
    query: Mapping[str, str]
    request_headers: Mapping[str, str]
    request_body: bytes
    status: int
    response_headers: Mapping[str, str]
    response_body: bytes


class RecordingProxy(LoopbackServer):
    """Forwards to a loopback server; a context manager.

    Example:
        with RecordingProxy(sandbox_url) as proxy:
            run_target(api_url=proxy.url)
        assert violations_of(proxy.exchanges) == []
    """

    def __init__(self, upstream_url: str) -> None:
        upstream = urlsplit(upstream_url)
        self.upstream_host = upstream.hostname or "127.0.0.1"
        self.upstream_port = upstream.port or 80
        self.broken = 0
        """Requests that the upstream server gave no whole answer to."""
        self._kept: list[Exchange] = []
        self._keeping = threading.Lock()
        super().__init__(_ForwardingHandler, "recording proxy")

    @property
    def exchanges(self) -> list[Exchange]:
        """What was answered, in the order of the answers."""
        with self._keeping:
            return list(self._kept)

    def keep(self, exchange: Exchange | None) -> None:
        with self._keeping:
            if exchange is None:
                self.broken += 1
            else:
                self._kept.append(exchange)


class _ForwardingHandler(LoopbackHandler):
    server: RecordingProxy

    @override
    def serve(self) -> None:
        headers = dict(self.headers.items())
        body = self.read_body()
        try:
            status, response_headers, response_body = self._forward(headers, body)
        except (OSError, http.client.HTTPException):
            # As upstream did it: no answer, and no answer that looks whole.
            self.server.keep(None)
            self.break_connection()
            return
        url = urlsplit(self.path)
        exchange = Exchange(
            method=self.command,
            path=url.path,
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            request_headers=headers,
            request_body=body,
            status=status,
            response_headers=response_headers,
            response_body=response_body,
        )
        self.server.keep(exchange)
        self.send(status, response_headers, response_body)

    def _forward(
        self, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        upstream = http.client.HTTPConnection(
            self.server.upstream_host, self.server.upstream_port, timeout=UPSTREAM_TIMEOUT_SECONDS
        )
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in _end_to_end(headers).items():
                upstream.putheader(name, value)
            upstream.putheader("Content-Length", str(len(body)))
            upstream.endheaders(body)
            with upstream.getresponse() as answer:
                return answer.status, _end_to_end(dict(answer.getheaders())), answer.read()
        finally:
            upstream.close()


def _end_to_end(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}
