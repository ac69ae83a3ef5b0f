"""The two shapes in which Dotdigital says no.

v2 answers `{"message": "Sentence. ERROR_CODE"}`, v3 answers
`{"errorCode": "service:code", "description": "...", "details": [...]}`.
"""

from __future__ import annotations

import re
from http import HTTPStatus

import msgspec

CONTACTS = "contacts"
"""The service whose codes are answered unless another one is named."""

BAD_JSON = f"{CONTACTS}:badJson"

_MISSING = re.compile(r"Object missing required field `(\w)(\w*)`")


class Detail(msgspec.Struct, frozen=True):
    """What in a request is at fault.

    Attributes:
        item: The place in the request's JSON, or the value that was looked up.
        description: What is wrong with it.
    """

    item: str
    description: str


class V2Error(msgspec.Struct, frozen=True):
    """The body of a v2 refusal."""

    message: str


class V3Error(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The body of a v3 refusal."""

    error_code: str
    description: str
    details: tuple[Detail, ...] = ()


class RefusalError(Exception):
    """A call that is answered with an error.

    The text of the exception is the code alone: the body may quote what was sent, and
    an exception's text ends up in logs.

    Attributes:
        status: The HTTP status.
        code: The vendor's code.
        body: What is answered.
    """

    def __init__(self, status: HTTPStatus, code: str, body: V2Error | V3Error) -> None:
        """Keep what is answered."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.body = body


def v2_refusal(
    code: str, sentence: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST
) -> RefusalError:
    """Refuse a v2 call; the code, if there is one, is the message's last word.

    The vendor has a sentence for some codes, and `Error:` for those without one.
    """
    return RefusalError(status, code, V2Error(message=f"{sentence} {code}".strip()))


def v3_refusal(
    code: str,
    description: str,
    *details: Detail,
    status: HTTPStatus = HTTPStatus.BAD_REQUEST,
) -> RefusalError:
    """Refuse a v3 call."""
    return RefusalError(
        status, code, V3Error(error_code=code, description=description, details=details)
    )


def bad_json(service: str = CONTACTS) -> RefusalError:
    """Refuse a v3 body that is no JSON."""
    return v3_refusal(f"{service}:badJson", "The request JSON is badly formed")


def schema_refusal(problem: str, place: str = "$", service: str = CONTACTS) -> RefusalError:
    """Refuse a v3 body that is JSON of another shape.

    Args:
        problem: What msgspec says of it.
        place: Where in the body that is which was decoded.
        service: Whose code it is.
    """
    # msgspec writes "problem - at `$.path`", the path counted from what was decoded.
    description, _, path = problem.partition(" - at `$")
    item = place + path.rstrip("`")
    # The vendor's words, which the tests of its PHP SDK compare.
    if missing := _MISSING.fullmatch(description):
        description = f"The {missing[1].upper()}{missing[2]} field is required"
    # A wrong JSON type is refused by the vendor's server, before its contacts service sees it.
    code = "server:badRequest" if ", got `" in description else f"{service}:badRequest"
    return v3_refusal(code, description, Detail(item=item, description=description))


def is_v2(path: str) -> bool:
    """Tell whether a path is one of v2, whose errors have another shape than those of v3."""
    return path.startswith("/v2")
