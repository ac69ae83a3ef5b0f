"""A plain HTTP server that answers as Dotdigital does, from an account in memory.

It shares no code with the target or its sandbox, so that the sandbox is not the only judge. A test
holds the `DotdigitalServer` and steers it; the target, in this process or another, gets its `url`.
"""

from __future__ import annotations

import base64
import contextlib
import socket
import struct
import sys
import threading
from collections import defaultdict, deque
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from typing_extensions import Self, override

from tests.account import Account
from tests.answers import Answer, Call, Gate, Scripted, html_reply, v2_error
from tests.routes import ANSWERS, IMPORT, route_of

if TYPE_CHECKING:
    from types import TracebackType

# A lingering time of zero makes the kernel send RST in place of FIN.
RST_ON_CLOSE = struct.pack("ii", 1, 0)
# How often the accepting loop looks whether it should stop.
STOP_INTERVAL_SECONDS = 0.02


class DotdigitalServer(Account):
    """An account behind HTTP on a free loopback port; a context manager.

    Example:
        with DotdigitalServer() as server:
            server.answer_next(IMPORT, lost_reply())
            ...
            assert server.contents() == {...}
    """

    username = "apiuser-0123456789ab@apiconnector.com"
    password = "not:a/real secret%"

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        """In the order of arrival."""
        self.errors: list[BaseException] = []
        """What went wrong in the server itself; raised when the context ends."""
        self._scripts: defaultdict[str, deque[Scripted]] = defaultdict(deque)
        self._for_ever: dict[str, Scripted] = {}
        self._gates: list[Gate] = []
        self.closing = threading.Event()
        self._http = _Server(self)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(STOP_INTERVAL_SECONDS,), name="test server"
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.closing.set()
        for gate in self._gates:
            gate.open()
        self._http.shutdown()
        self._thread.join()
        self._http.hang_up()
        self._http.server_close()
        if error is None and self.errors:
            raise self.errors[0]

    # What a test arranges.

    def answer_next(self, route: str, *answers: Scripted, times: int | None = 1) -> None:
        """Answer the next calls of a route with these, in turn, and do so `times` over.

        Args:
            route: A method and a path's template (`IMPORT_STATUS`), or the same with a real path.
            answers: See `tests.answers`.
            times: None: for ever, until `answer_normally`; then one answer can be given.
        """
        with self.changed:
            if times is None:
                (self._for_ever[route],) = answers
            else:
                self._scripts[route].extend(answers * times)

    def answer_normally(self, route: str | None = None) -> None:
        """Forget what was armed, for one route or for all."""
        with self.changed:
            for scripts in (self._scripts, self._for_ever):
                if route is None:
                    scripts.clear()
                else:
                    scripts.pop(route, None)

    def hold_answer(self, route: str, *, handled: bool = True) -> Gate:
        """Make the route's next call wait; `handled`: after the account has acted on it."""
        gate = Gate()
        with self.changed:
            self._gates.append(gate)
            self._scripts[route].append(Answer(handled=True, gate=gate) if handled else gate)
        return gate

    # What a test looks at.

    def calls_of(self, route: str) -> list[Call]:
        with self.changed:
            return [call for call in self.calls if call.route == route]

    def wait_for_calls(self, route: str, count: int, timeout: float = 30) -> list[Call]:
        """Wait until a route was called `count` times since the start; return its calls."""
        self.wait_until(lambda: len(self.calls_of(route)) >= count, timeout)
        return self.calls_of(route)

    # What the handler does.

    def next_script(self, call: Call) -> Scripted | None:
        """Take note of a call, and take what was armed for it."""
        with self.changed:
            self.calls.append(call)
            self.changed.notify_all()
            for route in (f"{call.method} {call.path}", call.route):
                if self._scripts[route]:
                    return self._scripts[route].popleft()
                if route in self._for_ever:
                    return self._for_ever[route]
            return None

    def answer(self, call: Call, script: Scripted | None) -> Answer:
        """Return what this call is answered, the account having acted on it if it should."""
        scripted = script if isinstance(script, Answer) or script is None else script(call)
        if scripted is None:
            return self._own_answer(call)
        if not scripted.handled:
            return scripted
        imports = len(self.imports)
        own = self._own_answer(call)
        if call.route == IMPORT and (scripted.body is not None or scripted.fault != "none"):
            for orphan in self.imports[imports:]:
                self.end_orphan(orphan)
        return Answer(
            status=own.status if scripted.status is None else scripted.status,
            body=own.body if scripted.body is None else scripted.body,
            headers={**own.headers, **scripted.headers},
            fault=scripted.fault,
            interval=scripted.interval,
            gate=scripted.gate,
        )

    def _own_answer(self, call: Call) -> Answer:
        token = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        if call.headers.get("authorization") != f"Basic {token}":
            if call.path.startswith("/v2/"):
                return v2_error(401, "Authorization has been denied for this request.")
            return Answer(401, b"")
        answer = ANSWERS.get(call.route)
        return html_reply(404) if answer is None else answer(self, call)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # `server_close` waits for them: no thread and no socket stays behind
    request_queue_size = 128

    def __init__(self, owner: DotdigitalServer) -> None:
        self.owner = owner
        self.connections: set[socket.socket] = set()
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def hang_up(self) -> None:
        """Wake the threads that read from connections that their clients keep open."""
        with self.lock:
            for connection in self.connections:
                shut(connection, socket.SHUT_RDWR)

    @override
    def shutdown_request(self, request: Any) -> None:
        # A FIN before the RST would make it a polite end: see `_Handler._break_connection`.
        if not request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER):
            shut(request, socket.SHUT_WR)
        self.close_request(request)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError):
            self.owner.errors.append(error)


def shut(connection: socket.socket, how: int) -> None:
    with contextlib.suppress(OSError):  # the other side was faster
        connection.shutdown(how)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    @override
    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections.add(self.connection)

    @override
    def finish(self) -> None:
        with self.server.lock:
            self.server.connections.discard(self.connection)
        super().finish()

    @override
    def log_message(self, *args: object) -> None:
        pass

    def _serve(self) -> None:
        owner = self.server.owner
        call = self._read_head()
        script = owner.next_script(call)
        if isinstance(script, Answer) and script.fault == "reset unread":
            self._break_connection()
            return
        call.body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        answer = owner.answer(call, script)
        if answer.gate is not None:
            answer.gate.pass_through()
        if answer.fault == "reset":
            self._break_connection()
        else:
            call.status = answer.status
            self._send(answer)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - the base's spelling

    def _read_head(self) -> Call:
        url = urlsplit(self.path)
        path = unquote(url.path)
        route = route_of(self.command, url.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        return Call(self.command, path, query, headers, route)

    def _send(self, answer: Answer) -> None:
        status = answer.status or HTTPStatus.OK
        body = answer.body or b""
        head = [f"HTTP/1.1 {int(status)} {HTTPStatus(status).phrase}"]
        head += [f"{name}: {value}" for name, value in answer.headers.items()]
        head += [f"Content-Length: {len(body)}", "", ""]
        start = "\r\n".join(head).encode("latin-1")
        if answer.fault == "cut":
            self.wfile.write(start + body[: len(body) // 2])
            self.close_connection = True
        elif answer.fault == "trickle":
            self._trickle(start, body, answer.interval)
        else:
            # In one piece, or the client's delayed ACK costs 40 ms a call.
            self.wfile.write(start + body)

    def _trickle(self, start: bytes, body: bytes, interval: float) -> None:
        self.close_connection = True
        self.wfile.write(start)
        for position in range(len(body)):
            if self.server.owner.closing.wait(interval):
                return
            self.wfile.write(body[position : position + 1])

    def _break_connection(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST_ON_CLOSE)
        self.close_connection = True
