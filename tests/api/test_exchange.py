"""What counts as an answer, and where credentials go."""

from __future__ import annotations

import logging
import socket
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from target_dotdigital.api import transport as transport_module
from target_dotdigital.api.transport import NoReplyError, Transport
from target_dotdigital.errors import NetworkError
from tests.support.dotdigital.answers import (
    Answer,
    empty_reply,
    redirect,
    reply,
    reset,
    reset_unread,
)
from tests.support.dotdigital.routes import DATA_FIELDS
from tests.support.dotdigital.server import DotdigitalServer
from tests.support.raw_server import (
    DOTDIGITAL,
    IN_TIME_SECONDS,
    OK,
    PASSWORD,
    USERNAME,
    Peer,
    RawServer,
    lead_to,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

# What is not an answer.

BROKEN = {
    "reset before the request is read": reset_unread(),
    "reset after it": reset(),
    "truncated body": Answer(200, b"{  }", fault="cut"),
}
_OK = b"HTTP/1.1 200 OK\r\n"
MALFORMED = {
    "cut in the headers": b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nCont",
    "last chunk missing": _OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "bad chunk": _OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "not gzip": _OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "two lengths": _OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "cut redirect": b"HTTP/1.1 307 X\r\nLocation: /x\r\nContent-Length: 99\r\n\r\n{}",
    "not HTTP": b"\x16\x03\x01 this is no HTTP\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_connection_is_no_reply_and_the_next_call_works(
    answer: Answer, transport: Transport, server: DotdigitalServer
) -> None:
    server.answer_next(DATA_FIELDS, answer)
    with pytest.raises(NoReplyError, match=r"127\.0\.0\.1"):
        transport.exchange("GET", f"{server.url}/v2/data-fields")
    assert transport.exchange("GET", f"{server.url}/v2/data-fields").status == 200


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_answer_is_no_reply(name: str, transport: Transport) -> None:
    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.write(MALFORMED[name])

    # A redirect may as well be refused for good.
    errors = (NoReplyError, NetworkError) if name == "cut redirect" else NoReplyError
    with RawServer(behave) as server, pytest.raises(errors):
        transport.exchange("GET", server.url)


def test_an_answer_without_end_is_not_kept_in_memory(
    transport: Transport, server: DotdigitalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "MAX_REPLY_BYTES", 1000)
    server.answer_next(DATA_FIELDS, reply(200, bytes(1001)), reply(200, bytes(1000)))
    with pytest.raises(NoReplyError):
        transport.exchange("GET", f"{server.url}/v2/data-fields")
    assert len(transport.exchange("GET", f"{server.url}/v2/data-fields").body) == 1000


def test_a_host_that_cannot_be_reached_is_named(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_args: object, **_kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(NoReplyError, match=r"127\.0\.0\.1"):
        transport.exchange("GET", "http://127.0.0.1:1")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NoReplyError, match=DOTDIGITAL):
        transport.exchange("GET", f"https://{DOTDIGITAL}")


# Where credentials go.


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_the_other_host_gets_nothing(
    status: int, transport: Transport, server: DotdigitalServer
) -> None:
    with DotdigitalServer() as other:
        location = other.url.replace("127.0.0.1", "localhost") + "/v2/data-fields"
        server.answer_next(DATA_FIELDS, redirect(location, status))
        with pytest.raises(NetworkError, match="redirects to localhost"):
            transport.exchange("GET", f"{server.url}/v2/data-fields")
    assert other.calls == []
    assert len(server.calls) == 1


@pytest.mark.parametrize("location", ["/v2/account-info", "http://[", "foo:bar", ""])
@pytest.mark.parametrize("status", [300, 307])
def test_a_redirect_is_refused_wherever_it_leads(
    status: int, location: str, transport: Transport, server: DotdigitalServer
) -> None:
    server.answer_next(DATA_FIELDS, redirect(location, status))
    with pytest.raises(NetworkError, match="redirects"):
        transport.exchange("GET", f"{server.url}/v2/data-fields")
    assert len(server.calls) == 1


@pytest.mark.parametrize("flaw", ["unknown authority", "another host's"])
def test_a_bad_certificate_ends_the_run_before_anything_is_sent(
    flaw: str, transport: Transport, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections: list[Peer] = []

    def behave(peer: Peer) -> None:
        connections.append(peer)
        peer.start_tls()
        peer.read_request()

    if flaw == "unknown authority":
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    else:
        monkeypatch.setattr(transport_module, "is_loopback", lambda _host: False)
    with RawServer(behave, tls) as server:
        url = lead_to(server, monkeypatch)
        if flaw == "another host's":
            url = url.replace(DOTDIGITAL, "localhost")
        with pytest.raises(NetworkError, match="certificate"):
            transport.exchange("GET", url)
    assert (len(connections), server.heads) == (1, [])


def test_a_proxy_of_the_environment_is_not_used_for_loopback(
    transport: Transport, server: DotdigitalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DotdigitalServer() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert transport.exchange("GET", f"{server.url}/v2/data-fields").status == 200
    assert proxy.calls == []


@pytest.mark.parametrize("password", ["pa:ss word%", "p£ss", "p€ss пароль"])
def test_any_password_can_be_sent(
    password: str, make: Callable[..., Transport], server: DotdigitalServer
) -> None:
    server.password = password
    transport = make(username=server.username, password=password)
    assert transport.exchange("GET", f"{server.url}/v2/data-fields").status == 200


def test_a_request_says_who_asks_and_what_is_sent(
    transport: Transport, server: DotdigitalServer
) -> None:
    server.answer_next("PUT /x", empty_reply())
    transport.exchange("PUT", f"{server.url}/x", params={"a": "1 &"}, body=b'{"\xc3\xa9": 1}')
    (call,) = server.calls
    assert call.headers["user-agent"] == "target-dotdigital/1.2.3"
    assert call.headers["content-type"] == "application/json"
    assert call.headers["accept"] == "application/json"
    assert (call.query, call.body) == ({"a": "1 &"}, b'{"\xc3\xa9": 1}')


def test_a_thread_keeps_its_own_connection(transport: Transport) -> None:
    ports: list[int] = []
    both = threading.Barrier(2)

    def behave(peer: Peer) -> None:
        while peer.read_request():
            ports.append(peer.client_address[1])
            peer.write(OK)

    def calls() -> None:
        both.wait(IN_TIME_SECONDS)
        for _ in range(3):
            transport.exchange("GET", server.url)

    with RawServer(behave) as server, ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(calls) for _ in range(2)]:
            each.result()
        transport.close()
    assert sorted(ports.count(port) for port in set(ports)) == [3, 3]


SECRETS = (USERNAME, PASSWORD, "query-canary", "body-canary", "YXBpdXNlci1jYW5hcnl")
FAILURES = {
    **BROKEN,
    "redirect": redirect("http://x.invalid/?query-canary"),
    "no connection": None,
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_no_error_tells_credentials_the_query_or_the_body(
    failure: Answer | None,
    make: Callable[..., Transport],
    server: DotdigitalServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"{server.url}/x" if failure else "http://127.0.0.1:1/x"
    if failure:
        server.answer_next("PUT /x", failure)
    query, body, transport = {"q": SECRETS[2]}, SECRETS[3].encode(), make()
    with pytest.raises((NoReplyError, NetworkError)) as caught:
        transport.exchange("PUT", url, params=query, body=body)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(transport)
    assert [secret for secret in SECRETS if secret in told] == []
    assert [secret for secret in SECRETS if secret in caplog.text] in ([], ["query-canary"])
