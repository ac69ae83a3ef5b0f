"""The deadline of a whole call, and giving up."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from target_dotdigital.api import transport as transport_module
from target_dotdigital.errors import AbandonedError
from tests.support.dotdigital.routes import ACCOUNT_INFO, DATA_FIELDS
from tests.support.raw_server import (
    DEADLINE_SECONDS,
    DOTDIGITAL,
    IN_TIME_SECONDS,
    NO_END_SECONDS,
    OK,
    UPLOAD,
    Peer,
    RawServer,
    assert_no_reply_in_time,
    lead_to,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from target_dotdigital.api.transport import Transport
    from tests.support.dotdigital.server import DotdigitalServer

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
    def behave(peer: Peer) -> None:
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
    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.trickle(b"HTTP/1.1 200 OK\r\n", b"X-Slow: x\r\n")

    with RawServer(behave, tls) as server:
        monkeypatch.setenv("HTTPS_PROXY", server.url)
        assert_no_reply_in_time(hasty, f"https://{DOTDIGITAL}")


def test_a_deadline_that_passes_while_connecting_holds_afterwards(
    hasty: Transport, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def behave(peer: Peer) -> None:
        peer.stall(DEADLINE_SECONDS * 2)
        peer.start_tls()
        peer.read_request()
        peer.trickle(*ENDLESS["body"])

    with RawServer(behave, tls) as server:
        assert_no_reply_in_time(hasty, lead_to(server, monkeypatch))


def test_an_upload_that_nobody_reads_ends_at_the_deadline(hasty: Transport) -> None:
    with RawServer(Peer.stall) as server:
        assert_no_reply_in_time(hasty, server.url, UPLOAD)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_an_upload_may_take_longer_than_connecting_may(
    secure: bool,  # noqa: FBT001 - a parameter of the test
    transport: Transport,
    tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport_module, "CONNECT_TIMEOUT_SECONDS", 0.3)

    def behave(peer: Peer) -> None:
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

    def behave(peer: Peer) -> None:
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

    def behave(peer: Peer) -> None:
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
