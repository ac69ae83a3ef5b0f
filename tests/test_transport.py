"""Single exchanges over real sockets: deadlines, aborts, redirects, certificates, secrets."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from typing_extensions import override

from target_dotdigital import transport as transport_module
from target_dotdigital.errors import AbandonedError, NetworkError
from target_dotdigital.transport import NoReplyError, Transport
from tests.answers import Answer, empty_reply, redirect, reply, reset, reset_unread
from tests.loopback import LoopbackHandler, LoopbackServer
from tests.routes import ACCOUNT_INFO, DATA_FIELDS
from tests.server import DotdigitalServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DOTDIGITAL = "r1-api.dotdigital.com"
USERNAME, PASSWORD = "apiuser-canary@apiconnector.com", "pass-canary"
DEADLINE_SECONDS = 0.25
# How long a server goes on that never ends; seen by a target without a deadline alone.
NO_END_SECONDS = 12.0
# Far above the deadline, for a slow machine, and below `NO_END_SECONDS`.
IN_TIME_SECONDS = 8.0
UPLOAD = bytes(32_000_000)  # more than the sockets' buffers hold
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class _Peer(LoopbackHandler):
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
    def __init__(self, behave: Callable[[_Peer], None], tls: ssl.SSLContext | None = None) -> None:
        self.behave = behave
        self.heads: list[str] = []
        self.tls = tls or ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        super().__init__(_Peer, "raw server")


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


# The deadline.

_OK, _LONG = b"HTTP/1.1 200 OK\r\n", b"Content-Length: 9999\r\n\r\n"
ENDLESS = {
    "nothing": (b"", b""),
    "status line": (b"HTTP/1.1 200 O", b"K"),
    "one header": (_OK + b"X-Slow: ", b"x"),
    "many headers": (b"HTTP/1.1 400 Bad\r\n", b"X-Slow: x\r\n"),
    "body": (_OK + _LONG + b"{}", b" "),
    "chunks": (_OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", b"1\r\n \r\n"),
    "body of no length": (b"HTTP/1.0 200 OK\r\n\r\n{}", b" "),
    "last body of a connection": (_OK + b"Connection: close\r\n" + _LONG + b"{}", b" "),
    "body of a redirect": (b"HTTP/1.1 307 X\r\nLocation: /\r\n" + _LONG, b" "),
}


@pytest.mark.parametrize("way", ["plain", "TLS", "TLS through a proxy"])
@pytest.mark.parametrize("endless", ENDLESS.values(), ids=ENDLESS.keys())
def test_a_call_ends_at_its_deadline_whatever_trickles(
    endless: tuple[bytes, bytes],
    way: str,
    hasty: Transport,
    tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def behave(peer: _Peer) -> None:
        if "proxy" in way:
            peer.accept_tunnel()
        if "TLS" in way:
            peer.start_tls()
        peer.read_request()
        peer.trickle(*endless)

    with RawServer(behave, tls) as server:
        url = server.url
        if "proxy" in way:
            monkeypatch.setenv("HTTPS_PROXY", server.url)
            url = f"https://{DOTDIGITAL}"
        elif way == "TLS":
            url = lead_to(server, monkeypatch)
        assert_no_reply_in_time(hasty, url)
    *to_proxy, to_dotdigital = server.heads
    assert "authorization: basic " in to_dotdigital.lower()
    assert "authorization" not in "".join(to_proxy).lower()


def test_a_call_ends_at_its_deadline_while_a_proxy_trickles(
    hasty: Transport, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def behave(peer: _Peer) -> None:
        peer.read_request()
        peer.trickle(b"HTTP/1.1 200 OK\r\n", b"X-Slow: x\r\n")

    with RawServer(behave, tls) as server:
        monkeypatch.setenv("HTTPS_PROXY", server.url)
        assert_no_reply_in_time(hasty, f"https://{DOTDIGITAL}")


def test_a_deadline_that_passes_while_connecting_holds_afterwards(
    hasty: Transport, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def behave(peer: _Peer) -> None:
        peer.stall(DEADLINE_SECONDS * 2)
        peer.start_tls()
        peer.read_request()
        peer.trickle(*ENDLESS["body"])

    with RawServer(behave, tls) as server:
        assert_no_reply_in_time(hasty, lead_to(server, monkeypatch))


def test_an_upload_that_nobody_reads_ends_at_the_deadline(hasty: Transport) -> None:
    with RawServer(_Peer.stall) as server:
        assert_no_reply_in_time(hasty, server.url, UPLOAD)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_an_upload_may_take_longer_than_connecting_may(
    secure: bool,  # noqa: FBT001 - a parameter of the test
    transport: Transport,
    tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport_module, "CONNECT_TIMEOUT_SECONDS", 0.3)

    def behave(peer: _Peer) -> None:
        if secure:
            peer.start_tls()
        for _ in range(2):  # on a new connection, and on one that is kept
            peer.read_request()
            peer.stall(0.7)
            if len(peer.rfile.read(len(UPLOAD))) == len(UPLOAD):
                peer.write(OK)

    with RawServer(behave, tls) as server:
        url = lead_to(server, monkeypatch) if secure else server.url
        for _ in range(2):
            assert transport.exchange("PUT", url, body=UPLOAD).status == 200
    assert len(server.heads) == 2


def test_a_deadline_that_strikes_late_does_not_break_the_next_call(
    transport: Transport, server: DotdigitalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    strikes: list[Callable[[], None]] = []

    class RecordingTimer(threading.Timer):
        def __init__(self, interval: float, function: Callable[[], None]) -> None:
            super().__init__(interval, function)
            strikes.append(function)

    monkeypatch.setattr(threading, "Timer", RecordingTimer)
    gate = server.hold_answer(DATA_FIELDS)
    with ThreadPoolExecutor(1) as pool:  # one thread, hence one connection
        pool.submit(transport.exchange, "GET", f"{server.url}/v2/account-info").result()
        call = pool.submit(transport.exchange, "GET", f"{server.url}/v2/data-fields")
        gate.wait()
        strikes[0]()
        gate.open()
        assert call.result().status == 200


# Giving up.


def test_abort_breaks_off_a_call_under_way_and_refuses_further_ones(
    transport: Transport, server: DotdigitalServer
) -> None:
    gate = server.hold_answer(DATA_FIELDS)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(transport.exchange, "GET", f"{server.url}/v2/data-fields")
        gate.wait()
        transport.abort()
        with pytest.raises(AbandonedError):
            call.result(IN_TIME_SECONDS)
    with pytest.raises(AbandonedError):
        transport.exchange("GET", f"{server.url}/v2/account-info")
    assert server.calls_of(ACCOUNT_INFO) == []


@pytest.mark.parametrize("what", ["one header", "body of no length"])
def test_an_abort_never_leaves_a_part_of_an_answer(what: str, transport: Transport) -> None:
    arrived = threading.Event()

    def behave(peer: _Peer) -> None:
        peer.read_request()
        peer.write(ENDLESS[what][0])
        arrived.set()
        peer.stall()

    with RawServer(behave) as server, ThreadPoolExecutor(1) as pool:
        call = pool.submit(transport.exchange, "GET", server.url)
        assert arrived.wait(IN_TIME_SECONDS)
        transport.abort()
        with pytest.raises(AbandonedError):
            call.result(IN_TIME_SECONDS)


def test_nothing_is_sent_after_an_abort_while_connecting(
    transport: Transport, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected, aborted = threading.Event(), threading.Event()

    def behave(peer: _Peer) -> None:
        peer.connection.recv(1, socket.MSG_PEEK)  # it has begun with TLS
        connected.set()
        aborted.wait(NO_END_SECONDS)
        peer.start_tls()
        if peer.read_request():
            peer.write(OK)

    with RawServer(behave, tls) as server, ThreadPoolExecutor(1) as pool:
        call = pool.submit(transport.exchange, "PUT", lead_to(server, monkeypatch), body=b"{}")
        assert connected.wait(IN_TIME_SECONDS)
        transport.abort()
        aborted.set()
        with pytest.raises(AbandonedError):
            call.result(IN_TIME_SECONDS)
    assert "".join(server.heads) == ""


# What is not an answer.

BROKEN = {
    "reset before the request is read": reset_unread(),
    "reset after it": reset(),
    "truncated body": Answer(200, b"{  }", fault="cut"),
}
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
    def behave(peer: _Peer) -> None:
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
    connections: list[_Peer] = []

    def behave(peer: _Peer) -> None:
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

    def behave(peer: _Peer) -> None:
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
