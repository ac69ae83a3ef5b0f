"""HTTP on a loopback port for tests: a thread a connection, and nothing left behind at the end."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from typing_extensions import Self, override

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

# A lingering time of zero makes the kernel send RST in place of FIN.
RST_ON_CLOSE = struct.pack("ii", 1, 0)
# How often the accepting loop looks whether it should stop.
STOP_INTERVAL_SECONDS = 0.02


class LoopbackServer(ThreadingHTTPServer):
    """Runs while its context does; an error in a handler is raised when the context ends."""

    daemon_threads = False  # `server_close` waits for them: no thread and no socket stays behind
    request_queue_size = 128

    def __init__(self, handler: type[LoopbackHandler], name: str) -> None:
        self.closing = threading.Event()
        self._connections: set[socket.socket] = set()
        self._errors: list[BaseException] = []
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._thread = threading.Thread(
            target=self.serve_forever, args=(STOP_INTERVAL_SECONDS,), name=name
        )

    @override
    def __enter__(self) -> Self:
        self._thread.start()
        return self

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.closing.set()
        self.shutdown()
        self._thread.join()
        with self._lock:
            # Wakes the threads that read from connections which their clients keep open.
            for connection in self._connections:
                _shut(connection, socket.SHUT_RDWR)
        self.server_close()
        if error is None and self._errors:
            raise self._errors[0]

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    @override
    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        # A FIN before the RST would make it a polite end: see `break_connection`.
        if not request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER):
            _shut(request, socket.SHUT_WR)
        self.close_request(request)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        # Clients may leave as they like; anything else is the server's own fault.
        if error is not None and not isinstance(error, ConnectionError):
            self._errors.append(error)


def _shut(connection: socket.socket, how: int) -> None:
    with contextlib.suppress(OSError):  # the other side was faster
        connection.shutdown(how)


class LoopbackHandler(BaseHTTPRequestHandler):
    """Calls `serve` for every request, whatever its method."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def serve(self) -> None:
        raise NotImplementedError

    def do_GET(self) -> None:
        self.serve()

    do_PUT = do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the base class's spelling

    @override
    def log_message(self, *args: object) -> None:
        pass

    def read_body(self) -> bytes:
        """Read the whole body.

        Raises:
            ConnectionAbortedError: The client left before its end (it was killed, say).
        """
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError
        return body

    def send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        # In one piece, or the client's delayed ACK costs 40 ms a call.
        self.wfile.write(head_of(status, headers, len(body)) + body)

    def break_connection(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST_ON_CLOSE)
        self.close_connection = True


def head_of(status: int, headers: Mapping[str, str], length: int) -> bytes:
    """Return the status line and the headers of an answer with a body of this length."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if status != HTTPStatus.NO_CONTENT:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
