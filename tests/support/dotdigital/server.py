"""A plain HTTP server that answers as Dotdigital does, from an account in memory.

It shares no code with the target or its sandbox, so that the sandbox is not the only judge. A test
holds the `DotdigitalServer` and steers it; the target, in this process or another, gets its `url`.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict, deque
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from typing_extensions import Self, override

from tests.support.dotdigital.account.account import Account
from tests.support.dotdigital.answers import (
    PATIENCE_SECONDS,
    Answer,
    Call,
    Gate,
    Scripted,
    html_reply,
    respelled,
    v2_error,
)
from tests.support.dotdigital.departure_routes import DELETE, REMOVE
from tests.support.dotdigital.loopback import LoopbackHandler, LoopbackServer, head_of
from tests.support.dotdigital.routes import ANSWERS, IMPORT, route_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


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
        self.spell: Callable[[str], str] | None = None
        """Spells the names in the account's answers otherwise than the documents do."""
        self._scripts: defaultdict[str, deque[Scripted]] = defaultdict(deque)
        self._for_ever: dict[str, Scripted] = {}
        self._gates: list[Gate] = []
        self._http = _Server(self)
        self.url = self._http.url

    def __enter__(self) -> Self:
        self._http.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for gate in self._gates:
            gate.open()
        self._http.__exit__(kind, error, traceback)

    # What a test arranges.

    def answer_next(self, route: str, *answers: Scripted, times: int | None = 1) -> None:
        """Answer the next calls of a route with these, in turn, and do so `times` over.

        Args:
            route: A method and a path's template (`IMPORT_STATUS`), or the same with a real path.
            answers: See `tests.support.dotdigital.answers`.
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

    def wait_for_calls(
        self, route: str, count: int, timeout: float = PATIENCE_SECONDS
    ) -> list[Call]:
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

    def note_status(self, call: Call, status: int) -> None:
        with self.changed:
            call.status = status
            self.changed.notify_all()

    def answer(self, call: Call, script: Scripted | None) -> Answer:
        """Return what this call is answered, the account having acted on it if it should."""
        scripted = script if isinstance(script, Answer) or script is None else script(call)
        if scripted is None:
            return self._own_answer(call)
        if not scripted.handled:
            return scripted
        own = self._own_answer(call)
        lost = scripted.body is not None or scripted.fault != "none"
        if lost and call.route == IMPORT and own.status == HTTPStatus.ACCEPTED:
            self.end_orphan(_job_id(own, "importId"))
        if lost and call.route in {DELETE, REMOVE} and own.status == HTTPStatus.ACCEPTED:
            self.departures.end_orphan(_job_id(own, "deleteId", "id"))
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
        route = ANSWERS.get(call.route)
        answer = html_reply(404) if route is None else route(self, call)
        return answer if self.spell is None else respelled(answer, self.spell)


def _job_id(answer: Answer, *names: str) -> str:
    body = json.loads(answer.body or b"")
    accepted: dict[str, str] = {name.lower(): value for name, value in body.items()}
    return next(accepted[name.lower()] for name in names if name.lower() in accepted)


class _Handler(LoopbackHandler):
    server: _Server

    @override
    def serve(self) -> None:
        owner = self.server.owner
        url = urlsplit(self.path)
        call = Call(
            method=self.command,
            path=unquote(url.path),
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            route=route_of(self.command, url.path),
        )
        script = owner.next_script(call)
        if isinstance(script, Answer) and script.fault == "reset unread":
            self.break_connection()
            return
        call.body = self.read_body()
        answer = owner.answer(call, script)
        if answer.gate is not None:
            answer.gate.pass_through()
        if answer.fault == "reset":
            self.break_connection()
        else:
            status = answer.status or HTTPStatus.OK
            owner.note_status(call, status)
            self._send(answer, status)

    def _send(self, answer: Answer, status: int) -> None:
        body = answer.body or b""
        if answer.fault == "none":
            self.send(status, answer.headers, body)
            return
        self.close_connection = True
        head = head_of(status, answer.headers, len(body))
        if answer.fault == "cut":
            self.wfile.write(head + body[: len(body) // 2])
            return
        self.wfile.write(head)
        for position in range(len(body)):
            if self.server.closing.wait(answer.interval):
                return
            self.wfile.write(body[position : position + 1])


class _Server(LoopbackServer):
    def __init__(self, owner: DotdigitalServer) -> None:
        self.owner = owner
        super().__init__(_Handler, "test server")
