"""Faults on demand: what can be done to a call."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from target_dotdigital.sandbox.http import JSON

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LONGEST_SECONDS = 3_600.0

FRAMING = frozenset({"content-length", "transfer-encoding"})
"""Headers that are the server's own: an answer that is cut short is another fault."""

BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})

HTML_PAGE = "<!DOCTYPE html><html><body><h1>Bad Gateway</h1></body></html>"

Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Seconds = Annotated[float, Meta(ge=0, le=LONGEST_SECONDS)]
HeaderName = Annotated[str, Meta(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
HeaderValue = Annotated[str, Meta(pattern=r"^[\t\x20-\x7e]*$")]


class _Fault(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True
):
    """What every fault has.

    Attributes:
        route: Such as `PUT /contacts/v3/import` or `GET /contacts/v3/import/{id}`; `*` for all.
        times: How many calls of the route get it. Without it, all until it is disarmed.
        skip: How many calls of the route come first and are answered as ever.
    """

    route: str
    times: Annotated[int, Meta(ge=1, le=1_000_000)] | None = 1
    skip: Count = 0


class Answer(_Fault, frozen=True, kw_only=True, tag="answer"):
    """Another answer.

    Attributes:
        status: The HTTP status.
        headers: Besides the length and, unless it is among them, the type of the body. A length
            or an encoding of the transfer among them is left out.
        body: Text is answered as it is, anything else as JSON. Without it, there is no body.
        carried_out: The call is carried out, and answered otherwise all the same.
    """

    status: Annotated[int, Meta(ge=200, le=599)]
    headers: dict[HeaderName, HeaderValue] = {}
    body: Any = None
    carried_out: bool = False


class Html(_Fault, frozen=True, kw_only=True, tag="html"):
    """A page of HTML, as proxies answer it.

    Attributes:
        status: The HTTP status.
        carried_out: The call is carried out all the same.
    """

    status: Annotated[int, Meta(ge=200, le=599)] = 502
    carried_out: bool = False


class Reset(_Fault, frozen=True, kw_only=True, tag="reset"):
    """The connection is reset.

    Attributes:
        carried_out: After the call was carried out: its answer is lost. Otherwise before its
            body is read.
    """

    carried_out: bool = False


class Slow(_Fault, frozen=True, kw_only=True, tag="slow"):
    """Nothing for a while, then the call is carried out and answered.

    Attributes:
        seconds: How long.
    """

    seconds: Seconds


class Trickle(_Fault, frozen=True, kw_only=True, tag="trickle"):
    """The call is carried out, and the body of its answer comes bit by bit.

    Attributes:
        seconds: Between two bits.
        bytes: In one bit.
    """

    seconds: Seconds
    bytes: Annotated[int, Meta(ge=1)] = 1


class Truncate(_Fault, frozen=True, kw_only=True, tag="truncate"):
    """The call is carried out, and its answer ends before its body does.

    Attributes:
        bytes: How many come; without it, half of them.
    """

    bytes: Count | None = None


Fault: TypeAlias = Answer | Html | Reset | Slow | Trickle | Truncate


_ONE_OR_MORE = msgspec.json.Decoder(Fault | list[Fault])


def read_faults(text: bytes) -> list[Fault]:
    """Read a fault, or an array of them, as JSON.

    Raises:
        ValueError: It is none; the text says what is wrong with it.
    """
    try:
        read = _ONE_OR_MORE.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"no fault, nor an array of faults: {error}"
        raise ValueError(message) from None
    return read if isinstance(read, list) else [read]


def read_fault_file(path: Path) -> list[Fault]:
    """Read the faults of a file.

    Raises:
        OSError: It cannot be read.
        ValueError: It holds something else.
    """
    try:
        return read_faults(path.read_bytes())
    except ValueError as error:
        message = f"{path}: {error}"
        raise ValueError(message) from None


def answer_of(fault: Answer | Html) -> tuple[Mapping[str, str], bytes]:
    """Return the headers and the body of an answer."""
    if isinstance(fault, Html):
        return {"Content-Type": "text/html; charset=utf-8"}, HTML_PAGE.encode()
    headers = {name: value for name, value in fault.headers.items() if name.lower() not in FRAMING}
    if fault.body is None or fault.status in BODILESS:
        return headers, b""
    is_text = isinstance(fault.body, str)
    body = fault.body.encode() if is_text else msgspec.json.encode(fault.body)
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "text/plain; charset=utf-8" if is_text else JSON
    return headers, body
