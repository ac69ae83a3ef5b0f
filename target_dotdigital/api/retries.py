"""Calls until they are answered for good: retries, throttles, errors that say who acts.

Sources: https://developer.dotdigital.com/docs and the vendor's OpenAPI files.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlsplit

import backoff
import msgspec

from target_dotdigital.api.rate_limits import is_read
from target_dotdigital.api.replies import ERROR
from target_dotdigital.api.transport import NoReplyError
from target_dotdigital.errors import (
    AuthenticationError,
    DotdigitalError,
    ForbiddenError,
    NetworkError,
    NotFoundError,
    RequestRefusedError,
    RequestTooLargeError,
    TargetDotdigitalError,
    TooManyActiveJobsError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from msgspec.json import Decoder

    from target_dotdigital.api.rate_limits import Throttle
    from target_dotdigital.api.transport import Reply, Transport
    from target_dotdigital.clock import Clock
    from target_dotdigital.events import Timeline, WaitReason

MAX_TRIES = 8
"""Tries of one call that fails for a passing reason: two minutes of waits at most."""

MAX_RETRY_WAIT_SECONDS = 60.0

_REFUSALS = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.CONFLICT,
        HTTPStatus.PRECONDITION_FAILED,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""Statuses that speak of what was sent, so that a part of it may be accepted."""

_FOREIGN_LOGINS = frozenset(
    {"ERROR_INVALID_LOGIN", "ERROR_APIUSER_INVALID", "ERROR_ACCOUNT_INVALID"}
)
_PASSING_CODES = frozenset(
    {
        "ERROR_ADDRESSBOOK_IN_USE",
        "ERROR_SYSTEM_SERVICETEMPORARILYUNAVAILABLE",
        "ERROR_UNKNOWN",
    }
)
_CREATION_CODES = frozenset(
    {
        "ERROR_ADDRESSBOOK_DUPLICATE",
        "ERROR_ADDRESSBOOK_INVALID",
        "ERROR_ADDRESSBOOK_LIMITEXCEEDED",
        "ERROR_DATAFIELD_INVALID",
        "ERROR_DATAFIELD_LIMITEXCEEDED",
        "ERROR_NON_UNIQUE_DATAFIELD",
    }
)
"""Refusals to create something. Which status they come with is documented nowhere."""

_TOO_MANY_JOBS = frozenset(
    {"tooManyActiveImports", "ERROR_IMPORT_TOOMANYACTIVEIMPORTS", "tooManyBulkDeleteJobs"}
)
_USAGE_EXCEEDED = "ERROR_APIUSAGE_EXCEEDED"
_SAFE_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,63}")

_logger = logging.getLogger("target-dotdigital.client")

_T = TypeVar("_T")


class _PassingError(Exception):
    """A call failed for a reason that may pass. Its text is fit to be shown."""

    def __init__(self, reason: str, final: type[DotdigitalError | NetworkError]) -> None:
        super().__init__(reason)
        self.final = final


class _ThrottledError(Exception):
    """A call was refused because of the account's call limits."""


class Caller:
    """Makes calls to one data region. Safe to use from several threads.

    Attributes:
        host: The name of the host that is called.
        max_tries: Tries of one call that fails for a passing reason.
        reads_only: Whether nothing but GET leaves, whatever is asked for: in a dry run.
        timeline: Where waits are noted, if they are.
    """

    max_tries = MAX_TRIES
    reads_only = False
    timeline: Timeline | None = None

    def __init__(
        self,
        base_url: str,
        transport: Transport,
        throttle: Throttle,
        clock: Clock,
        throttled_limit_seconds: float,
    ) -> None:
        """Point at an account's data region.

        Args:
            base_url: Such as `https://r1-api.dotdigital.com`, without a slash at its end.
            transport: Sends the requests.
            throttle: Knows when the account takes calls.
            clock: Waits between tries.
            throttled_limit_seconds: How long one call may be kept waiting by call limits.
        """
        self._base_url = base_url
        self._transport = transport
        self._throttle = throttle
        self._clock = clock
        self._throttled_limit = throttled_limit_seconds
        self._lock = threading.Lock()
        self._made: Counter[str] = Counter()
        self.host = urlsplit(base_url).hostname or base_url

    def made(self) -> Counter[str]:
        """Return how many calls of each route (`GET /v2/address-books/{id}`) were answered."""
        with self._lock:
            return self._made.copy()

    def is_open(self, route: str) -> bool:
        """Return whether the call limits are known to let a route's next call through.

        Args:
            route: Such as `PUT /contacts/v3/import`.
        """
        return self._throttle.is_open(route)

    def make(
        self,
        decoder: Decoder[_T],
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: bytes | memoryview | None = None,
        **parts: str | int,
    ) -> _T:
        """Make a call until it is answered for good.

        Args:
            decoder: Decodes the answer. No type is taken: see `replies`.
            method: Such as `GET`.
            path: The path's template, such as `/v2/address-books/{id}`.
            params: The query.
            body: The request's JSON.
            **parts: What the template is filled with.

        Raises:
            TargetDotdigitalError: The call is refused, or has failed for too long.
        """
        route = f"{method} {path}"
        quoted = {name: quote(str(part), safe="") for name, part in parts.items()}
        url = self._base_url + path.format(**quoted)

        def attempt() -> _T:
            with self._noted("call_limit", route):
                self._throttle.wait(route)
            return self._attempt(decoder, route, url, params, body)

        return self._with_throttles(route, lambda: self._with_retries(route, attempt))

    def create(
        self,
        decoder: Decoder[_T],
        path: str,
        new: Mapping[str, str],
        find: Callable[[], _T | None],
    ) -> _T:
        """Make a POST until it is answered for good, or until `find` returns what it is to make.

        Args:
            decoder: Decodes the answer. No type is taken: see `replies`.
            path: The path.
            new: The request's JSON.
            find: Looks for what an earlier POST, whose answer was lost, may have made.

        Raises:
            TargetDotdigitalError: The call is refused, or has failed for too long.
        """
        route, body = f"POST {path}", msgspec.json.encode(new)

        def attempt() -> _T:
            with self._noted("call_limit", route):
                self._throttle.wait(route)
            return self._attempt(decoder, route, self._base_url + path, None, body)

        return self._with_throttles(route, lambda: self._with_retries(route, attempt, find))

    def _with_throttles(self, route: str, attempt: Callable[[], _T]) -> _T:
        give_up_at = None
        while True:
            try:
                return attempt()
            except _ThrottledError:
                now = self._clock.now()
                give_up_at = give_up_at or now + self._throttled_limit
                if now >= give_up_at:
                    raise DotdigitalError(
                        f"{route}: the account's call limit has not let this call through for "
                        f"{self._throttled_limit / 60:.0f} minutes"
                    ) from None
                _logger.info("%s: waiting for the account's call limit", route)

    def _with_retries(
        self,
        route: str,
        attempt: Callable[[], _T],
        find: Callable[[], _T | None] = lambda: None,
    ) -> _T:
        sleep = self._clock.sleep if is_read(route) else self._clock.sleep_before_sending
        waits = backoff.expo(max_value=MAX_RETRY_WAIT_SECONDS)
        next(waits)  # the library's generators begin with a 0 that is not meant as a wait
        for tries in range(1, self.max_tries + 1):
            try:
                return attempt()
            except _PassingError as error:
                if tries == self.max_tries:
                    raise error.final(f"{route}: {error}, {tries} times") from None
                _logger.info("%s: %s; trying again", route, error)
                with self._noted("retry", route):
                    sleep(backoff.full_jitter(next(waits)))
            if (found := find()) is not None:
                return found
        raise AssertionError(route)  # the last try returns or raises

    def _noted(self, reason: WaitReason, route: str) -> AbstractContextManager[None]:
        """Return what notes how long a call is held back."""
        return nullcontext() if self.timeline is None else self.timeline.waiting(reason, route)

    def _attempt(
        self,
        decoder: Decoder[_T],
        route: str,
        url: str,
        params: Mapping[str, str | int] | None,
        body: bytes | memoryview | None,
    ) -> _T:
        method = route.partition(" ")[0]
        if not is_read(route):
            if self.reads_only:
                raise AssertionError(route)
            self._clock.check_sending()
        try:
            reply = self._transport.exchange(method, url, params=params, body=body)
        except NoReplyError as error:
            raise _PassingError(str(error), NetworkError) from None
        _logger.debug("%s: %d", route, reply.status)
        with self._lock:
            self._made[route] += 1
        if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            self._refused(route, reply)
        self._throttle.succeeded(route, reply.headers)
        try:
            return decoder.decode(reply.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            reason = f"{self.host} answers {reply.status} with something else than Dotdigital does"
            raise _PassingError(reason, NetworkError) from None

    def _refused(self, route: str, reply: Reply) -> None:
        """Raise what an answer outside 2xx means."""
        status, code = reply.status, _error_code(reply.body)
        answer = f"{self.host} answers {status}" + (f" {code}" if code else "")
        if code == _USAGE_EXCEEDED:
            self._throttle.usage_exceeded()
            raise _ThrottledError
        if code in _TOO_MANY_JOBS:
            raise TooManyActiveJobsError(f"{route}: {answer}")
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            self._throttle.limited(route, reply.headers)
            raise _ThrottledError
        is_passing = (
            status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )
        if is_passing or code in _PASSING_CODES:
            raise _PassingError(answer, DotdigitalError)
        self._throttle.succeeded(route, reply.headers)
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise RequestTooLargeError(f"{route}: {answer}")
        if code in _CREATION_CODES:
            raise RequestRefusedError(f"{route}: {answer}", code)
        if status == HTTPStatus.NOT_FOUND and code not in _FOREIGN_LOGINS:
            raise NotFoundError(f"{route}: {answer}: not found", code)
        kind, hint = (
            _ERRORS[HTTPStatus.UNAUTHORIZED]
            if code in _FOREIGN_LOGINS
            else _ERRORS.get(status, (None, ""))
        )
        if kind is not None:
            raise kind(f"{route}: {answer}: {hint}")
        if status in _REFUSALS:
            raise RequestRefusedError(f"{route}: {answer}", code or f"http{status}")
        raise DotdigitalError(f"{route}: {answer}")


_ERRORS: dict[int, tuple[type[TargetDotdigitalError], str]] = {
    HTTPStatus.UNAUTHORIZED: (
        AuthenticationError,
        "the API user is not accepted; look at username and password",
    ),
    HTTPStatus.FORBIDDEN: (
        ForbiddenError,
        "the account is not in this region, or the API user may not do this",
    ),
}


def _error_code(body: bytes) -> str | None:
    """Return the code of an error in either of the vendor's shapes, or None.

    v2 puts it last in its sentence (`... ERROR_CODE`), v3 behind the service (`contacts:code`).
    Anything that does not look like a code could quote the request, and is dropped.
    """
    try:
        reply = ERROR.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    # The case of names differs from call to call: docs/data-handling.
    texts = {name.lower(): text for name, text in reply.items() if isinstance(text, str)}
    if "errorcode" in texts:
        code = texts["errorcode"].rpartition(":")[2]
        return code if _SAFE_CODE.fullmatch(code) else None
    last_word = texts.get("message", "").rstrip(" .").rpartition(" ")[2]
    return last_word if re.fullmatch(r"ERROR_[A-Z_]{1,60}", last_word) else None
