"""The headers of answers, as they are on the wire."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import TierLimits
from target_dotdigital.sandbox.http import Credentials
from tests.support.sandbox.client import DEADLINE_SECONDS, SandboxClient

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = "application/json; charset=utf-8"
DENIED = {"message": "Authorization has been denied for this request."}
LIMITS = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Scope"]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxClient]:
    database = tmp_path_factory.mktemp("headers") / "dotdigital.db"
    options = Options(
        database,
        credentials=Credentials("me", "secret"),
        rate_limits=TierLimits(low=10_000, medium=10_000, high=10_000),
    )
    with SandboxServer(options) as server, SandboxClient(server.url, ("me", "secret")) as client:
        yield client


def names(client: SandboxClient, request: bytes) -> list[str]:
    """Send a request, and return the names of the answer's headers as they come."""
    parts = urlsplit(client.url)
    with socket.create_connection((parts.hostname, parts.port), DEADLINE_SECONDS) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        answer.read()
    return sorted(answer.msg.keys())


def test_names_are_spelled_as_http_1_1_has_them(guarded: SandboxClient) -> None:
    head = b"GET /v2/account-info HTTP/1.1\r\nHost: localhost\r\n"
    allowed = head + b"Authorization: Basic bWU6c2VjcmV0\r\n"
    plain = ["Content-Length", "Content-Type", "Date"]
    assert names(guarded, allowed + b"\r\n") == [*plain, *LIMITS]
    assert names(guarded, allowed + b"Connection: close\r\n\r\n") == ["Connection", *plain, *LIMITS]
    assert names(guarded, head + b"\r\n") == [*plain, "WWW-Authenticate"]
    # What is no HTTP is answered by the server itself.
    assert names(guarded, b"GET  HTTP/1.1\r\n\r\n") == ["Connection", "Content-Type"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/account-info", 200),
        ("GET", "/v2/data-fields", 200),
        ("GET", "/v2/address-books/7", 404),
        ("GET", "/v2/none", 404),
        ("PATCH", "/v2/data-fields", 405),
        ("GET", "/contacts/v3", 200),
        ("GET", "/contacts/v3/email/none%40example.com", 404),
        ("PUT", "/contacts/v3/import", 400),
        ("GET", "/sandbox/page/activity", 200),
    ],
)
def test_json_says_its_character_set(
    guarded: SandboxClient, method: str, path: str, status: int
) -> None:
    reply = guarded.call(method, path)
    assert (reply.status_code, reply.headers["Content-Type"]) == (status, JSON)


@pytest.mark.parametrize("path", ["/v2/account-info", "/contacts/v3", "/no/such/path", "/"])
@pytest.mark.parametrize("password", ["wrong", "", "secret2"])
def test_wrong_credentials_are_answered_in_the_vendors_words(
    guarded: SandboxClient, path: str, password: str
) -> None:
    with SandboxClient(guarded.url, ("me", password)) as stranger:
        reply = stranger.get(path)
    assert (reply.status_code, reply.json()) == (401, DENIED)
    assert reply.headers["Content-Type"] == JSON
    assert reply.headers["WWW-Authenticate"].startswith("Basic ")
