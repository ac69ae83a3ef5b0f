"""What the test server can be told to answer in place of its own answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
PATIENCE_SECONDS = 90.0
"""How long a test waits for a call that should come at once."""

A_PROXY_SAYS = b"<html><body><h1>Something is wrong in between</h1></body></html>"


@dataclass(slots=True)
class Call:
    """One request that reached the server."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """By lower-cased name."""
    route: str
    """The method and the path's template: ``GET /contacts/v3/import/{id}``."""
    body: bytes = b""
    at: float = field(default_factory=time.monotonic)
    """When it arrived, on the monotonic clock."""
    status: int | None = None
    """What was answered; none while there is no answer, or if the connection was broken instead."""

    @property
    def json(self) -> Any:  # noqa: ANN401 - it is whatever the client sent
        return json.loads(self.body)

    @property
    def contacts(self) -> list[dict[str, Any]]:
        """The contacts of a `PUT /contacts/v3/import`."""
        return list(self.json["contacts"])


class Gate:
    """Holds an answer until the test opens it; tells the test when a request has arrived."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._open = threading.Event()

    def wait(self, timeout: float = PATIENCE_SECONDS) -> None:
        """Return once a request waits at this gate."""
        if not self._reached.wait(timeout):
            message = f"no request came to the gate within {timeout} s"
            raise TimeoutError(message)

    def open(self) -> None:
        self._open.set()

    def pass_through(self) -> None:
        """What the server's thread does: say that it is here, then wait."""
        self._reached.set()
        self._open.wait()

    def __call__(self, _call: Call) -> None:
        self.pass_through()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, or what happens instead of one.

    `status` and `body` that are None are those of the account's own answer, which needs `handled`:
    the account acts on the request (accepts the import) before the answer goes wrong.
    """

    status: int | None = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    handled: bool = False
    fault: Literal["none", "reset unread", "reset", "cut", "trickle"] = "none"
    interval: float = 0.0
    """Seconds between two bytes of a trickling body."""
    gate: Gate | None = None
    """Passed after the account has acted and before the answer is sent."""


Scripted = Answer | Callable[[Call], Answer | None]
"""A callable is asked when the request has been read; None leaves it to the account."""


def reply(
    status: int,
    body: object = b"",
    headers: Mapping[str, str] | None = None,
    *,
    handled: bool = False,
) -> Answer:
    """Answer with a status and a body: bytes as they are, anything else as JSON."""
    if isinstance(body, bytes):
        return Answer(status, body, dict(headers or {}), handled)
    return Answer(
        status, json.dumps(body).encode(), {"Content-Type": JSON_TYPE, **(headers or {})}, handled
    )


def respelled(answer: Answer, spell: Callable[[str], str]) -> Answer:
    """Return a JSON answer with all its names spelled otherwise."""
    if not answer.body or not answer.headers.get("Content-Type", "").startswith("application/json"):
        return answer
    return replace(answer, body=json.dumps(_respelled(json.loads(answer.body), spell)).encode())


def _respelled(value: Any, spell: Callable[[str], str]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {spell(name): _respelled(each, spell) for name, each in value.items()}
    return [_respelled(each, spell) for each in value] if isinstance(value, list) else value


def v2_error(status: int, message: str) -> Answer:
    """Dotdigital's v2 error: a sentence whose last word is the code."""
    return reply(status, {"message": message})


def v3_error(
    status: int, code: str, description: str, details: list[dict[str, str]] | None = None
) -> Answer:
    body: dict[str, object] = {"errorCode": code, "description": description}
    if details is not None:
        body["details"] = details
    return reply(status, body)


def reset_unread() -> Answer:
    """Break the connection (RST) before the body is read."""
    return Answer(fault="reset unread")


def reset() -> Answer:
    """Break the connection after the request was read, without acting on it."""
    return Answer(fault="reset")


def lost_reply() -> Answer:
    """Act on the request, then break the connection in place of the answer."""
    return Answer(handled=True, fault="reset")


def truncated_reply() -> Answer:
    """Act on the request; half of the answer's body arrives, then the connection is closed."""
    return Answer(handled=True, fault="cut")


def trickling_reply(interval: float = 0.02, *, length: int = 1_000_000) -> Answer:
    """Act on the request; the answer comes a byte at a time and never ends."""
    return Answer(body=b" " * length, handled=True, fault="trickle", interval=interval)


def html_reply(status: int = 200, *, handled: bool = False) -> Answer:
    """Answer as a proxy or a captive portal would: HTML, whatever the status says."""
    return Answer(status, A_PROXY_SAYS, {"Content-Type": HTML_TYPE}, handled)


def empty_reply(status: int = 200, *, handled: bool = False) -> Answer:
    return Answer(status, b"", {"Content-Type": JSON_TYPE}, handled)


def redirect(location: str, status: int = 307) -> Answer:
    return Answer(status, b"", {"Location": location})


def rate_limited(
    *, epoch: float | None = None, seconds: float | None = None, scope: str = "lowCallRate"
) -> Answer:
    """Answer 429 of the tiered scheme.

    `X-RateLimit-Reset` is documented as a UTC epoch, and the vendor's own SDK calls it seconds:
    give one or the other, or neither for a 429 without headers. The body is not documented: none.
    """
    if epoch is None and seconds is None:
        return Answer(429, b"")
    headers = {
        "X-RateLimit-Limit": "35",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(epoch if epoch is not None else seconds or 0)),
        "X-RateLimit-Scope": scope,
    }
    return Answer(429, b"", headers)


def usage_exceeded() -> Answer:
    """Answer as the flat scheme does when 2000 calls an hour are passed: a 400."""
    return v2_error(
        400, "Account has generated excess API activity and is capped. ERROR_APIUSAGE_EXCEEDED"
    )


def too_many_active_imports() -> Answer:
    return v3_error(
        429,
        "contacts:tooManyActiveImports",
        "Your import request cannot be accepted as too many imports are being processed for you"
        " account. Please wait for an import to complete and then resubmit.",
    )


def too_many_deletions() -> Answer:
    return v3_error(
        429,
        "contacts:tooManyBulkDeleteJobs",
        "Your bulk delete request cannot be accepted as too many bulk delete jobs are being"
        " processed for you account. Please wait for a bulk delete job to complete.",
    )
