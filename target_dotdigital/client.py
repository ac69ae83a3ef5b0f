"""Dotdigital's API: one method an endpoint, typed answers, retries, and errors that say who acts.

Sources: https://developer.dotdigital.com/reference and the vendor's OpenAPI files.
"""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

import backoff
import msgspec

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
from target_dotdigital.replies import (
    AccountInfo,
    AddressBook,
    ContactPage,
    DataField,
    DeletionAccepted,
    DeletionStatus,
    FoundContact,
    ImportAccepted,
    ImportStatus,
    Removal,
)
from target_dotdigital.transport import NoReplyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from target_dotdigital.clock import Clock
    from target_dotdigital.throttle import Throttle
    from target_dotdigital.transport import Reply, Transport

MAX_TRIES = 8
"""Tries of one call that fails for a passing reason: two minutes of waits at most."""

MAX_RETRY_WAIT_SECONDS = 60.0

ADDRESS_BOOK_PAGE = 1000
"""The most address books that one call returns."""

CONTACT_PAGE = 5000
"""The most contacts that one call returns, and the most that one deletion takes."""

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


class Client:
    """The calls that the target makes. Safe to use from several threads.

    Attributes:
        host: The name of the host that is called.
        max_tries: Tries of one call that fails for a passing reason.
    """

    max_tries = MAX_TRIES

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
        self.host = urlsplit(base_url).hostname or base_url

    def account_info(self) -> AccountInfo:
        """Return the account's properties (`GET /v2/account-info`)."""
        return self._call(AccountInfo, "GET", "/v2/account-info")

    def address_book(self, address_book_id: int) -> AddressBook:
        """Return an address book (`GET /v2/address-books/{id}`).

        Args:
            address_book_id: Its ID.

        Raises:
            NotFoundError: There is none with this ID.
        """
        return self._call(AddressBook, "GET", "/v2/address-books/{id}", id=address_book_id)

    def address_books(self) -> Iterator[AddressBook]:
        """Yield all address books, page by page (`GET /v2/address-books`)."""
        seen: set[int] = set()
        while True:
            page = self._call(
                list[AddressBook],
                "GET",
                "/v2/address-books",
                params={"select": ADDRESS_BOOK_PAGE, "skip": len(seen)},
            )
            new = [book for book in page if book.id not in seen]
            if not new:  # an empty page, or a server that does not know `skip`
                return
            yield from new
            seen.update(book.id for book in new)

    def create_address_book(self, name: str, find: Callable[[], AddressBook | None]) -> AddressBook:
        """Create a private address book (`POST /v2/address-books`).

        Args:
            name: Its name.
            find: Looks for it. A POST whose answer was lost may have been carried out, so it is
                looked for before it is sent again.

        Raises:
            RequestRefusedError: It cannot be created; the code says why.
        """
        new = {"name": name, "visibility": "Private"}
        return self._create(AddressBook, "/v2/address-books", new, find)

    def data_fields(self) -> list[DataField]:
        """Return the account's data fields (`GET /v2/data-fields`)."""
        return self._call(list[DataField], "GET", "/v2/data-fields")

    def create_data_field(
        self, name: str, field_type: str, find: Callable[[], DataField | None]
    ) -> DataField:
        """Create a private data field (`POST /v2/data-fields`).

        Args:
            name: Its name.
            field_type: `String`, `Numeric`, `Date` or `Boolean`.
            find: Looks for it, as for an address book.

        Raises:
            RequestRefusedError: It cannot be created; the code says why.
        """
        new = {"name": name, "type": field_type, "visibility": "Private"}
        return self._create(DataField, "/v2/data-fields", new, find)

    def import_contacts(self, body: bytes) -> str:
        """Queue an import (`PUT /contacts/v3/import`), again if its answer was lost.

        Args:
            body: The request's JSON.

        Returns:
            The import's ID.

        Raises:
            TooManyActiveJobsError: An import has to end first.
            RequestTooLargeError: The body is too large.
            RequestRefusedError: The request as a whole is refused.
        """
        return self._call(ImportAccepted, "PUT", "/contacts/v3/import", body=body).import_id

    def import_status(self, import_id: str) -> ImportStatus:
        """Return an import's status and report (`GET /contacts/v3/import/{importId}`).

        Args:
            import_id: The import's ID.

        Raises:
            NotFoundError: The import is not known, or not yet.
        """
        return self._call(ImportStatus, "GET", "/contacts/v3/import/{id}", id=import_id)

    def contact(self, identifier: str, value: str | int) -> FoundContact | None:
        """Return a contact (`GET /contacts/v3/{identifier}/{value}`), or None if there is none.

        Args:
            identifier: `email`, `mobileNumber`, `contactId` or a custom identifier's name.
            value: Its value.

        Raises:
            RequestRefusedError: The value can be nobody's.
        """
        path = "/contacts/v3/{identifier}/{value}"
        try:
            return self._call(FoundContact, "GET", path, identifier=identifier, value=value)
        except NotFoundError as error:
            if error.code is None:  # a proxy, say: nothing is known of the contact
                raise
            return None

    def members(self, address_book_id: int, marker: str | None) -> ContactPage:
        """Return a page of an address book's contacts (`GET /contacts/v3`).

        Args:
            address_book_id: Its ID.
            marker: That of the page; None for the first one.
        """
        params: dict[str, str | int] = {"~listId": address_book_id, "limit": CONTACT_PAGE}
        if marker is not None:
            params["marker"] = marker
        return self._call(ContactPage, "GET", "/contacts/v3", params=params)

    def remove_members(self, address_book_id: int, contact_ids: Sequence[int]) -> str:
        """Queue a removal from an address book (`POST /v2/address-books/{id}/contacts/delete`).

        The contacts stay in the account. It is sent again if its answer was lost: whoever has left
        cannot leave twice.

        Args:
            address_book_id: The address book's ID.
            contact_ids: At least one.

        Returns:
            The removal's ID.

        Raises:
            NotFoundError: There is no such address book.
        """
        path = "/v2/address-books/{id}/contacts/delete"
        body = msgspec.json.encode(contact_ids)
        return self._call(Removal, "POST", path, body=body, id=address_book_id).id

    def removal_status(self, removal_id: str) -> Removal:
        """Return a removal's status (`GET /v2/contacts/deletion/{id}`).

        Args:
            removal_id: The removal's ID.

        Raises:
            NotFoundError: The removal is not known, or not yet.
        """
        return self._call(Removal, "GET", "/v2/contacts/deletion/{id}", id=removal_id)

    def delete_contacts(self, body: bytes) -> str:
        """Queue a deletion from the account (`POST /contacts/v3/delete`).

        It is sent again if its answer was lost, as removals are.

        Args:
            body: A JSON array of 1 to 5,000 objects, an identifier each.

        Returns:
            The deletion's ID.

        Raises:
            TooManyActiveJobsError: A deletion has to end first.
            RequestRefusedError: The request as a whole is refused.
        """
        return self._call(DeletionAccepted, "POST", "/contacts/v3/delete", body=body).delete_id

    def deletion_status(self, delete_id: str) -> DeletionStatus:
        """Return a deletion's status and report (`GET /contacts/v3/delete/{deleteId}`).

        Args:
            delete_id: The deletion's ID.

        Raises:
            NotFoundError: The deletion is not known, or not yet.
        """
        return self._call(DeletionStatus, "GET", "/contacts/v3/delete/{id}", id=delete_id)

    def _call(
        self,
        returns: type[_T],
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: bytes | None = None,
        **parts: str | int,
    ) -> _T:
        """Make a call until it is answered for good.

        Raises:
            TargetDotdigitalError: The call is refused, or has failed for too long.
        """
        route = f"{method} {path}"
        quoted = {name: quote(str(part), safe="") for name, part in parts.items()}
        url = self._base_url + path.format(**quoted)

        def attempt() -> _T:
            self._throttle.wait(route)
            return self._attempt(returns, route, url, params, body)

        return self._with_throttles(route, lambda: self._with_retries(route, attempt))

    def _create(
        self,
        returns: type[_T],
        path: str,
        new: Mapping[str, str],
        find: Callable[[], _T | None],
    ) -> _T:
        """Make a POST until it is answered for good, or until `find` returns what it is to make.

        Raises:
            TargetDotdigitalError: The call is refused, or has failed for too long.
        """
        route, body = f"POST {path}", msgspec.json.encode(new)

        def attempt() -> _T:
            self._throttle.wait(route)
            return self._attempt(returns, route, self._base_url + path, None, body)

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
        waits = backoff.expo(max_value=MAX_RETRY_WAIT_SECONDS)
        next(waits)  # the library's generators begin with a 0 that is not meant as a wait
        for tries in range(1, self.max_tries + 1):
            try:
                return attempt()
            except _PassingError as error:
                if tries == self.max_tries:
                    raise error.final(f"{route}: {error}, {tries} times") from None
                _logger.info("%s: %s; trying again", route, error)
                self._clock.sleep(backoff.full_jitter(next(waits)))
            if (found := find()) is not None:
                return found
        raise AssertionError(route)  # the last try returns or raises

    def _attempt(
        self,
        returns: type[_T],
        route: str,
        url: str,
        params: Mapping[str, str | int] | None,
        body: bytes | None,
    ) -> _T:
        method = route.partition(" ")[0]
        try:
            reply = self._transport.exchange(method, url, params=params, body=body)
        except NoReplyError as error:
            raise _PassingError(str(error), NetworkError) from None
        _logger.debug("%s: %d", route, reply.status)
        if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            self._refused(route, reply)
        self._throttle.succeeded(route, reply.headers)
        try:
            return msgspec.json.decode(reply.body, type=returns)
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
        reply = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    # The case of names differs from call to call: docs/data-handling.
    texts = {name.lower(): text for name, text in reply.items() if isinstance(text, str)}
    if "errorcode" in texts:
        code = texts["errorcode"].rpartition(":")[2]
        return code if _SAFE_CODE.fullmatch(code) else None
    last_word = texts.get("message", "").rstrip(" .").rpartition(" ")[2]
    return last_word if re.fullmatch(r"ERROR_[A-Z_]{1,60}", last_word) else None
