"""Connections that another thread can break off, in sessions that follow no redirects.

requests has one time limit for connecting and one for each read, and none for a whole exchange;
and nothing that ends an exchange from outside. So each connection tells its socket here.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR, socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import ProxyManager

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3.poolmanager import PoolManager


class _BrokenOffError(OSError):
    """The exchange was broken off before anything was sent."""


class Exchange:
    """A request and its answer under way, which another thread can break off.

    Attributes:
        deadline: How long it may take, in seconds.
        broken_off: Whether it was broken off before it had ended.
    """

    def __init__(self, deadline: float) -> None:
        """Start it, without a connection.

        Args:
            deadline: How long it may take, in seconds.
        """
        self.deadline = deadline
        self.broken_off = False
        self._ended = False
        self._lock = threading.Lock()
        self._socket: object = None

    def use(self, sock: object) -> None:
        """Take note of the connection's socket: http.client forgets it before the last byte.

        Args:
            sock: The socket.

        Raises:
            OSError: It was broken off already.
        """
        with self._lock:
            self._socket = sock
            if self.broken_off:
                raise _BrokenOffError

    def break_off(self) -> None:
        """End it at once, unless it has ended. Safe in any thread."""
        with self._lock:
            if self._ended:  # its connection may serve another exchange by now
                return
            self.broken_off = True
            sock = getattr(self._socket, "socket", self._socket)  # inside TLS to a proxy
            if isinstance(sock, socket):
                with suppress(OSError):  # it may just have ended by itself
                    # The plain socket's method: a TLS socket's own is not safe while it is read.
                    socket.shutdown(sock, SHUT_RDWR)

    def end(self) -> None:
        """Note that it has ended, so that nothing breaks its connection off any more."""
        with self._lock:
            self._ended = True


class _Current(threading.local):
    exchange: Exchange | None = None


_current = _Current()


@contextmanager
def under_way(exchange: Exchange) -> Iterator[None]:
    """Tie the connections that this thread uses to an exchange.

    Args:
        exchange: The exchange.
    """
    _current.exchange = exchange
    try:
        yield
    finally:
        exchange.end()
        _current.exchange = None


class _Watched(HTTPConnection):
    """A connection that tells the exchange it serves which socket to break off."""

    @override
    def _new_conn(self) -> socket:
        sock = super()._new_conn()
        if _current.exchange is not None:
            try:
                _current.exchange.use(sock)
            except OSError:
                sock.close()
                raise
        return sock

    @override
    def connect(self) -> None:
        super().connect()
        self._watch()

    @override
    def request(self, *args: Any, **kwargs: Any) -> None:
        self._watch()
        super().request(*args, **kwargs)

    def _watch(self) -> None:
        if (exchange := _current.exchange) is None:
            return
        exchange.use(self.sock)
        if self.sock is not None:
            # Still that of connecting, which is too short for a large body.
            self.timeout = exchange.deadline
            self.sock.settimeout(exchange.deadline)


class _HTTPConnection(_Watched):
    pass


class _HTTPSConnection(_Watched, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class _Adapter(HTTPAdapter):
    """requests' adapter with connections that tell which exchange they serve."""

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _watch(self.poolmanager)

    @override
    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        if isinstance(manager, ProxyManager):  # and not one for SOCKS, which has pools of its own
            _watch(manager)
        return manager


def _watch(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


class Session(requests.Session):
    """Knows no redirects: requests reads and parses even those that it does not follow."""

    def __init__(self) -> None:
        """Start without a connection."""
        super().__init__()
        self._environment: dict[str, Any] = {}
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(pool_maxsize=1))

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return none, whatever the answer says."""
        return

    @override
    def merge_environment_settings(self, url: Any, *settings: Any) -> Any:
        """Look at the environment once for each host: each look costs as much as a call."""
        host = "//".join(urlsplit(url)[:2])
        if host not in self._environment:
            self._environment[host] = super().merge_environment_settings(url, *settings)
        return self._environment[host]
