"""HTTP exchanges: a session a thread, a deadline for the whole call, and no redirects."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socket import SHUT_RDWR, socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.poolmanager import ProxyManager

from target_dotdigital.errors import AbandonedError, NetworkError
from target_dotdigital.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from urllib3.poolmanager import PoolManager

CALL_DEADLINE_SECONDS = 121.0
"""Dotdigital may take 120 seconds to answer. Giving up sooner resends what it has accepted."""

CONNECT_TIMEOUT_SECONDS = 10.0
"""A host that does not take a connection by then is tried again."""

MAX_REPLY_BYTES = 256 * 1024 * 1024
"""An import's report comes in one piece, some 200 bytes a contact. More than this is no report."""

_READ_BYTES = 1024 * 1024
_HTTP_1_0 = 10
_NO_PROXIES: Any = dict.fromkeys(("http", "https", "all"))  # None overrides the environment


class NoReplyError(Exception):
    """An exchange broke off. Whether the request was carried out is not known."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer that was read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class _BrokenOffError(OSError):
    """The exchange was broken off before anything was sent."""


class _Call:
    """One exchange under way, which another thread can break off."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.broken_off = False
        self._ended = False
        self._lock = threading.Lock()
        self._socket: object = None

    def use(self, sock: object) -> None:
        """Take note of the connection's socket: http.client forgets it before the last byte."""
        with self._lock:
            self._socket = sock
            if self.broken_off:
                raise _BrokenOffError

    def break_off(self) -> None:
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
        with self._lock:
            self._ended = True


class _Current(threading.local):
    call: _Call | None = None


_current = _Current()


class _Watched(HTTPConnection):
    """A connection that tells the exchange it serves which socket to break off."""

    @override
    def _new_conn(self) -> socket:
        sock = super()._new_conn()
        if _current.call is not None:
            try:
                _current.call.use(sock)
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
        if (call := _current.call) is None:
            return
        call.use(self.sock)
        if self.sock is not None:
            # Still that of connecting, which is too short for a large body.
            self.timeout = call.deadline
            self.sock.settimeout(call.deadline)


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


class _Session(requests.Session):
    """Knows no redirects: requests reads and parses even those that it does not follow."""

    def __init__(self) -> None:
        super().__init__()
        self._environment: dict[str, Any] = {}

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        return None

    @override
    def merge_environment_settings(self, url: Any, *settings: Any) -> Any:
        """Look at the environment once for each host: each look costs as much as a call."""
        host = "//".join(urlsplit(url)[:2])
        if host not in self._environment:
            self._environment[host] = super().merge_environment_settings(url, *settings)
        return self._environment[host]


def _is_cut(response: requests.Response) -> bool:
    """Return whether the headers broke off: http.client takes that for their end.

    Without a length, HTTP/1.1 cannot tell a whole answer. What becomes of rows does not hang on the
    two statuses that are believed all the same.
    """
    framed = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
    return (
        not framed and response.raw.version > _HTTP_1_0 and response.status_code not in {401, 403}
    )


def _host(reply: Reply) -> str | None:
    """Return where a redirect leads, if that can be told."""
    try:
        return urlsplit(reply.headers.get("Location", "")).hostname
    except ValueError:
        return None


class Transport:
    """Sends requests with the account's credentials. Safe to use from several threads."""

    def __init__(
        self,
        username: str,
        password: str,
        user_agent: str,
        deadline_seconds: float = CALL_DEADLINE_SECONDS,
    ) -> None:
        """Prepare the sessions.

        Args:
            username: API user name.
            password: API user password.
            user_agent: The `User-Agent` header.
            deadline_seconds: How long one exchange may take, from connecting to the last byte.
        """
        self._auth = (username.encode(), password.encode())
        self._user_agent = user_agent
        self._deadline = deadline_seconds
        self._local = threading.local()
        self._lock = threading.Lock()
        self._sessions: list[requests.Session] = []
        self._calls: set[_Call] = set()
        self._aborted = False
        # It tells whole URLs, at DEBUG and in a warning: that of a contact holds the address. Here,
        # and not when it is imported, because logging is configured in between.
        logging.getLogger("urllib3").setLevel(logging.ERROR)

    def exchange(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: bytes | memoryview | None = None,
    ) -> Reply:
        """Send a request and read its answer.

        Args:
            method: The HTTP method.
            url: The whole URL.
            params: The query.
            body: JSON to send.

        Returns:
            The answer, whatever its status; but never that of a redirect.

        Raises:
            NoReplyError: There is no whole answer; sending again may help.
            NetworkError: It cannot help: a bad certificate, or a redirect.
            AbandonedError: `abort` was called.
        """
        host = urlsplit(url).hostname
        with self._watched() as call:
            try:
                reply = self._send(method, url, params, body)
            except requests.exceptions.SSLError as error:
                self._raise_if_broken_off(call, host)
                if "CERTIFICATE_VERIFY_FAILED" in str(error):
                    raise NetworkError(f"The certificate of {host} is not valid") from None
                raise NoReplyError(f"the secure connection to {host} broke") from None
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                # Their texts may quote the request: only the kind is told.
                self._raise_if_broken_off(call, host)
                raise NoReplyError(f"no answer from {host} ({type(error).__name__})") from None
            # The end of the stream that breaking off makes can look like that of the answer.
            self._raise_if_broken_off(call, host)
        if reply.status // 100 == 3:  # noqa: PLR2004 - the class of redirects
            raise NetworkError(f"{host} redirects to {_host(reply) or host}: refused")
        return reply

    def _raise_if_broken_off(self, call: _Call, host: str | None) -> None:
        if self._aborted:
            raise AbandonedError("The run was given up during a call") from None
        if call.broken_off:
            what = f"{host} did not answer within {self._deadline:.0f} seconds"
            raise NoReplyError(what) from None

    def _send(
        self,
        method: str,
        url: str,
        params: Mapping[str, str | int] | None,
        body: bytes | memoryview | None,
    ) -> Reply:
        with self._session().request(
            method,
            url,
            params=params,
            data=body,  # type: ignore[arg-type]  # requests takes it, its stubs do not know
            headers={"Content-Type": "application/json"} if body is not None else {},
            timeout=(CONNECT_TIMEOUT_SECONDS, self._deadline),
            allow_redirects=False,
            # A proxy of the environment cannot reach this machine's own loopback.
            proxies=_NO_PROXIES if is_loopback(urlsplit(url).hostname) else None,
            stream=True,
        ) as response:
            if _is_cut(response):
                raise ValueError
            chunks, size = [], 0
            for chunk in response.iter_content(_READ_BYTES):
                chunks.append(chunk)
                size += len(chunk)
                if size > MAX_REPLY_BYTES:
                    raise ValueError
            return Reply(response.status_code, response.headers, b"".join(chunks))

    @contextmanager
    def _watched(self) -> Iterator[_Call]:
        """Break the exchange off when its time is up, or when the run is given up."""
        call = _Call(self._deadline)
        timer = threading.Timer(self._deadline, call.break_off)
        timer.daemon = True
        with self._lock:
            if self._aborted:
                raise AbandonedError("The run was given up before a call")
            self._calls.add(call)
        _current.call = call
        timer.start()
        try:
            yield call
        finally:
            timer.cancel()
            call.end()
            _current.call = None
            with self._lock:
                self._calls.discard(call)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = _Session()
            session.auth = HTTPBasicAuth(*self._auth)
            session.headers.update({"User-Agent": self._user_agent, "Accept": "application/json"})
            for scheme in ("http://", "https://"):
                session.mount(scheme, _Adapter(pool_maxsize=1))
            self._local.session = session
            with self._lock:
                self._sessions.append(session)
        return session

    def abort(self) -> None:
        """Break every exchange off, and refuse further ones."""
        with self._lock:
            self._aborted = True
            calls = list(self._calls)
        for call in calls:
            call.break_off()

    def close(self) -> None:
        """Close the connections, once no thread calls any more."""
        with self._lock:
            sessions, self._sessions = self._sessions, []
        for session in sessions:
            session.close()
