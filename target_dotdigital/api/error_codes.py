"""Dotdigital's error codes and HTTP statuses: what they mean, and how an answer is read for them.

Sources: https://developer.dotdigital.com/docs and the vendor's OpenAPI files.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

import msgspec

from target_dotdigital.errors import (
    AuthenticationError,
    DotdigitalError,
    ForbiddenError,
    NotFoundError,
    NotOfferedError,
    RequestRefusedError,
    RequestTooLargeError,
    TargetDotdigitalError,
)

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
_DENIALS: dict[int, tuple[type[TargetDotdigitalError], str]] = {
    HTTPStatus.UNAUTHORIZED: (
        AuthenticationError,
        "Dotdigital does not accept the API user. Check username and password",
    ),
    HTTPStatus.FORBIDDEN: (
        ForbiddenError,
        (
            "The account is in another region, or the API user may not do this. Check region, and "
            "the API user in Dotdigital"
        ),
    ),
}
"""Statuses of calls that the API user may not make, and what to do about them."""

_PLAIN_ERRORS: dict[int, type[TargetDotdigitalError]] = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: RequestTooLargeError,
    HTTPStatus.METHOD_NOT_ALLOWED: NotOfferedError,
}
"""What these statuses mean, whatever the code."""

_USAGE_EXCEEDED = "ERROR_APIUSAGE_EXCEEDED"
_ERROR = msgspec.json.Decoder(dict[str, Any])
_SAFE_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,63}")
_SAFE_LAST_WORD = re.compile(r"ERROR_[A-Z_]{1,60}")


class Refusal(Enum):
    """What is to be done about a call that is refused."""

    USAGE_EXCEEDED = auto()
    """No call at all is taken for a while: the flat scheme's calls of an hour are used up."""
    RATE_LIMITED = auto()
    """The tier's calls are used up. The answer's headers may say until when."""
    TOO_MANY_JOBS = auto()
    """A job has to end before another one is taken."""
    PASSING = auto()
    """The same call may succeed soon."""
    FINAL = auto()
    """The same call would be refused again."""


def error_code(body: bytes) -> str | None:
    """Return the code of an error in either of the vendor's shapes, or None.

    v2 puts it last in its sentence (`... ERROR_CODE`), v3 behind the service (`contacts:code`).
    Anything that does not look like a code could quote the request, and is dropped.

    Args:
        body: The answer's body.
    """
    try:
        reply = _ERROR.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    # The case of names differs from call to call: docs/data-handling.
    texts = {name.lower(): text for name, text in reply.items() if isinstance(text, str)}
    if "errorcode" in texts:
        code = texts["errorcode"].rpartition(":")[2]
        return code if _SAFE_CODE.fullmatch(code) else None
    last_word = texts.get("message", "").rstrip(" .").rpartition(" ")[2]
    return last_word if _SAFE_LAST_WORD.fullmatch(last_word) else None


def refusal(status: int, code: str | None) -> Refusal:
    """Return what is to be done about an answer outside 2xx.

    Args:
        status: Its HTTP status.
        code: Its error code, if it has one.
    """
    if code == _USAGE_EXCEEDED:
        return Refusal.USAGE_EXCEEDED
    if code in _TOO_MANY_JOBS:
        return Refusal.TOO_MANY_JOBS
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Refusal.RATE_LIMITED
    is_passing = status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if is_passing or code in _PASSING_CODES:
        return Refusal.PASSING
    return Refusal.FINAL


def final_error(answer: str, status: int, code: str | None) -> TargetDotdigitalError:
    """Return the error that an answer stands for if the call would be refused again.

    Args:
        answer: Who answers what to which call, for messages.
        status: Its HTTP status.
        code: Its error code, if it has one.
    """
    if status in _PLAIN_ERRORS:
        return _PLAIN_ERRORS[status](answer)
    if code in _CREATION_CODES:
        return RequestRefusedError(answer, code)
    denied = HTTPStatus.UNAUTHORIZED if code in _FOREIGN_LOGINS else status
    if denied in _DENIALS:
        kind, hint = _DENIALS[denied]
        return kind(f"{answer}. {hint}")
    if status == HTTPStatus.NOT_FOUND:
        return NotFoundError(f"{answer}: not found", code)
    if status in _REFUSALS:
        return RequestRefusedError(answer, code or f"http{status}")
    return DotdigitalError(answer)
