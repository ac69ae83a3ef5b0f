"""HTTP exchanges: a session a thread, a deadline for the whole call, and no redirects."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import HTTPError

from target_dotdigital.api.connections import Exchange, Session, under_way
from target_dotdigital.errors import AbandonedError, NetworkError
from target_dotdigital.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CALL_DEADLINE_SECONDS = 121.0
"""Dotdigital may take 120 seconds to answer. Giving up sooner resends what it has accepted."""

CONNECT_TIMEOUT_SECONDS = 10.0
"""A host that does not take a connection by then is tried again."""

MAX_REPLY_BYTES = 256 * 1024 * 1024
"""An import's report comes in one piece, some 200 bytes a contact. More than this is no report."""

_READ_BYTES = 128 * 1024
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
        self._exchanges: set[Exchange] = set()
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
        with self._watched() as exchange:
            try:
                reply = self._send(method, url, params, body)
            except requests.exceptions.SSLError as error:
                self._raise_if_broken_off(exchange, host)
                if "CERTIFICATE_VERIFY_FAILED" in str(error):
                    raise NetworkError(
                        f"The certificate of {host} is not valid. Check the proxy, and the "
                        "certificates that this machine trusts"
                    ) from None
                raise NoReplyError(f"the secure connection to {host} broke") from None
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                # Their texts may quote the request: only the kind is told.
                self._raise_if_broken_off(exchange, host)
                raise NoReplyError(f"no answer from {host} ({type(error).__name__})") from None
            # The end of the stream that breaking off makes can look like that of the answer.
            self._raise_if_broken_off(exchange, host)
        if reply.status // 100 == 3:  # noqa: PLR2004 - the class of redirects
            raise NetworkError(
                f"{host} redirects to {_host(reply) or host}, which gets no credentials. Check "
                "api_url and the proxy"
            )
        return reply

    def _raise_if_broken_off(self, exchange: Exchange, host: str | None) -> None:
        if self._aborted:
            raise AbandonedError("The run was given up during a call") from None
        if exchange.broken_off:
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
    def _watched(self) -> Iterator[Exchange]:
        """Break the exchange off when its time is up, or when the run is given up."""
        exchange = Exchange(self._deadline)
        timer = threading.Timer(self._deadline, exchange.break_off)
        timer.daemon = True
        with self._lock:
            if self._aborted:
                raise AbandonedError("The run was given up before a call")
            self._exchanges.add(exchange)
        timer.start()
        try:
            with under_way(exchange):
                yield exchange
        finally:
            timer.cancel()
            with self._lock:
                self._exchanges.discard(exchange)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = Session()
            session.auth = HTTPBasicAuth(*self._auth)
            session.headers.update({"User-Agent": self._user_agent, "Accept": "application/json"})
            self._local.session = session
            with self._lock:
                self._sessions.append(session)
        return session

    def abort(self) -> None:
        """Break every exchange off, and refuse further ones."""
        with self._lock:
            self._aborted = True
            exchanges = list(self._exchanges)
        for exchange in exchanges:
            exchange.break_off()

    def close(self) -> None:
        """Close the connections, once no thread calls any more."""
        with self._lock:
            sessions, self._sessions = self._sessions, []
        for session in sessions:
            session.close()
