"""Calls until they are answered for good: retries, call limits, errors that say who acts."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar
from urllib.parse import quote, urlsplit

import backoff
import msgspec

from target_dotdigital.api.error_codes import Refusal, error_code, final_error, refusal
from target_dotdigital.api.rate_limits import is_read
from target_dotdigital.api.transport import NoReplyError
from target_dotdigital.errors import DotdigitalError, NetworkError, TooManyActiveJobsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from target_dotdigital.api.any_case import AnyCaseDecoder
    from target_dotdigital.api.rate_limits import RateLimits
    from target_dotdigital.api.transport import Reply, Transport
    from target_dotdigital.clock import Clock

MAX_TRIES = 8
"""Tries of one call that fails for a passing reason: two minutes of waits at most."""

MAX_RETRY_WAIT_SECONDS = 60.0

WaitReason = Literal["call_limit", "retry"]

_logger = logging.getLogger("target-dotdigital.client")

_T = TypeVar("_T")


class _PassingError(Exception):
    """A call failed for a reason that may pass. Its text is fit to be shown."""

    def __init__(self, reason: str, final: type[DotdigitalError | NetworkError]) -> None:
        super().__init__(reason)
        self.final = final


class _RateLimitedError(Exception):
    """A call was refused because of the account's call limits."""


class _Call(NamedTuple):
    """A call, as it is sent at each try."""

    route: str
    url: str
    params: Mapping[str, str | int] | None
    body: bytes | memoryview | None


class Caller:
    """Makes calls to one data region. Safe to use from several threads.

    Attributes:
        host: The name of the host that is called.
        max_tries: Tries of one call that fails for a passing reason.
        reads_only: Whether nothing but GET leaves, whatever is asked for: in a dry run.
        waiting: Returns what notes how long a route is held back, and why.
    """

    max_tries = MAX_TRIES
    reads_only = False

    def __init__(
        self,
        base_url: str,
        transport: Transport,
        rate_limits: RateLimits,
        clock: Clock,
        rate_limit_timeout_seconds: float,
    ) -> None:
        """Point at an account's data region.

        Args:
            base_url: Such as `https://r1-api.dotdigital.com`, without a slash at its end.
            transport: Sends the requests.
            rate_limits: Knows when the account takes calls.
            clock: Waits between tries.
            rate_limit_timeout_seconds: How long one call may be kept waiting by call limits.
        """
        self._base_url = base_url
        self._transport = transport
        self._rate_limits = rate_limits
        self._clock = clock
        self._rate_limit_timeout = rate_limit_timeout_seconds
        self._lock = threading.Lock()
        self._made: Counter[str] = Counter()
        self.waiting: Callable[[WaitReason, str], AbstractContextManager[None]] = _unnoted
        self.host = urlsplit(base_url).hostname or base_url

    def made(self) -> Counter[str]:
        """Return how many calls of each route (`GET /v2/address-books/{id}`) were answered."""
        with self._lock:
            return self._made.copy()

    def hurry(self, seconds: float) -> None:
        """Wait no longer for an answer that the run can do without: one try from now on.

        Args:
            seconds: How long a call may be kept waiting by call limits.
        """
        self.max_tries = 1
        self._rate_limit_timeout = seconds

    def is_open(self, route: str) -> bool:
        """Return whether the call limits are known to let a route's next call through.

        Args:
            route: Such as `PUT /contacts/v3/import`.
        """
        return self._rate_limits.is_open(route)

    def limit_of(self, route: str) -> int | None:
        """Return the calls a minute of a route's tier; None if no answer has told.

        Args:
            route: Such as `PUT /contacts/v3/import`.
        """
        return self._rate_limits.limit_of(route)

    def make(
        self,
        decoder: AnyCaseDecoder[_T],
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
        return self._make(decoder, _Call(route, url, params, body), lambda: None)

    def create(
        self,
        decoder: AnyCaseDecoder[_T],
        path: str,
        new: Mapping[str, str],
        find: Callable[[], _T | None],
        created: _T | None = None,
    ) -> _T:
        """Make a POST until it is answered for good, or until `find` returns what it is to make.

        Args:
            decoder: Decodes the answer. No type is taken: see `replies`.
            path: The path.
            new: The request's JSON.
            find: Looks for what an earlier POST, whose answer was lost, may have made.
            created: What a 201 without a body stands for; None if the answer needs one.

        Raises:
            TargetDotdigitalError: The call is refused, or has failed for too long.
        """
        body = msgspec.json.encode(new)
        call = _Call(f"POST {path}", self._base_url + path, None, body)
        return self._make(decoder, call, find, created)

    def _make(
        self,
        decoder: AnyCaseDecoder[_T],
        call: _Call,
        find: Callable[[], _T | None],
        created: _T | None = None,
    ) -> _T:
        def attempt() -> _T:
            with self.waiting("call_limit", call.route):
                self._rate_limits.wait(call.route)
            reply = self._attempt(call)
            if created is not None and reply.status == HTTPStatus.CREATED and not reply.body:
                return created
            return self._decode(decoder, reply)

        return self._with_rate_limits(
            call.route, lambda: self._with_retries(call.route, attempt, find)
        )

    def _with_rate_limits(self, route: str, attempt: Callable[[], _T]) -> _T:
        give_up_at = None
        while True:
            try:
                return attempt()
            except _RateLimitedError:
                now = self._clock.now()
                give_up_at = give_up_at or now + self._rate_limit_timeout
                if now >= give_up_at:
                    raise DotdigitalError(
                        f"{route}: the account's call limit has blocked this call for "
                        f"{self._rate_limit_timeout / 60:.0f} minutes. Pause the account's other "
                        "integrations, or run it again later"
                    ) from None
                _logger.info("%s: waiting for the account's call limit", route)

    def _with_retries(
        self, route: str, attempt: Callable[[], _T], find: Callable[[], _T | None]
    ) -> _T:
        sleep = self._clock.sleep if is_read(route) else self._clock.sleep_before_sending
        waits = backoff.expo(max_value=MAX_RETRY_WAIT_SECONDS)
        next(waits)  # the library's generators begin with a 0 that is not meant as a wait
        for tries in range(1, self.max_tries + 1):
            try:
                return attempt()
            except _PassingError as error:
                if tries == self.max_tries:
                    raise error.final(
                        f"{route}: {error}, {tries} times. Run it again later"
                    ) from None
                _logger.info("%s: %s. Trying again", route, error)
                with self.waiting("retry", route):
                    sleep(backoff.full_jitter(next(waits)))
            if (found := find()) is not None:
                return found
        raise AssertionError(route)  # the last try returns or raises

    def _attempt(self, call: _Call) -> Reply:
        route = call.route
        method = route.partition(" ")[0]
        if not is_read(route):
            if self.reads_only:
                raise AssertionError(route)
            self._clock.check_sending()
        try:
            reply = self._transport.exchange(method, call.url, params=call.params, body=call.body)
        except NoReplyError as error:
            raise _PassingError(str(error), NetworkError) from None
        _logger.debug("%s: %d", route, reply.status)
        with self._lock:
            self._made[route] += 1
        if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            raise self._refused(route, reply)
        self._rate_limits.succeeded(route, reply.headers)
        return reply

    def _decode(self, decoder: AnyCaseDecoder[_T], reply: Reply) -> _T:
        try:
            return decoder.decode(reply.body)
        except msgspec.ValidationError:
            # JSON comes from Dotdigital; what a proxy or a captive portal says is HTML.
            reason = f"{self.host} answers {reply.status} with JSON that is not as documented"
            raise _PassingError(reason, DotdigitalError) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            reason = f"{self.host} answers {reply.status} with no JSON, as a proxy does"
            raise _PassingError(reason, NetworkError) from None

    def _refused(self, route: str, reply: Reply) -> Exception:
        """Return the error that an answer outside 2xx stands for; learn the call limits from it."""
        code = error_code(reply.body)
        answer = f"{self.host} answers {reply.status}" + (f" {code}" if code else "")
        kind = refusal(reply.status, code)
        if kind is Refusal.USAGE_EXCEEDED:
            self._rate_limits.usage_exceeded()
            return _RateLimitedError()
        if kind is Refusal.RATE_LIMITED:
            self._rate_limits.limited(route, reply.headers)
            return _RateLimitedError()
        if kind is Refusal.PASSING:
            return _PassingError(answer, DotdigitalError)
        if kind is Refusal.TOO_MANY_JOBS:
            return TooManyActiveJobsError(f"{route}: {answer}")
        self._rate_limits.succeeded(route, reply.headers)
        return final_error(f"{route}: {answer}", reply.status, code)


def _unnoted(_reason: WaitReason, _route: str) -> AbstractContextManager[None]:
    return nullcontext()
