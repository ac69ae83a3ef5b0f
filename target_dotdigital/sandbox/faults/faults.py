"""Faults on demand: what is armed, and which call gets it."""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from target_dotdigital.sandbox.faults.routing import normal_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from target_dotdigital.sandbox.faults.routing import RouteTable

EVERY_ROUTE = "*"

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


class Armed(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that is armed.

    Attributes:
        id: By which it can be disarmed.
        fault: As it was armed.
        skip: How many calls of its route come first, from now on.
        times: How many calls get it, from now on. Without it, all.
    """

    id: int
    fault: Fault
    skip: int
    times: int | None


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


class Faults:
    """The faults that are armed. Of those for a call's route, the first one is used up first."""

    def __init__(self, routes: RouteTable, armed: Iterable[Fault] = ()) -> None:
        """Arm what is armed from the start.

        Raises:
            ValueError: A fault's route is none.
        """
        self._routes = routes
        self.released = threading.Event()
        """Set when the server stops: whoever is kept waiting is answered now."""
        self._lock = threading.Lock()
        self._armed: dict[int, Armed] = {}
        self._next_id = 1
        self.arm(list(armed))

    def arm(self, faults: Sequence[Fault]) -> list[Armed]:
        """Arm faults: all of them, or none.

        Raises:
            ValueError: A fault's route is none.
        """
        for fault in faults:
            known = normal_name(fault.route) in self._routes.names
            if fault.route != EVERY_ROUTE and not known:
                listed = ", ".join(sorted(self._routes.names))
                message = f"there is no route '{fault.route}'; there are * and {listed}"
                raise ValueError(message)
        with self._lock:
            new = [
                Armed(id=number, fault=fault, skip=fault.skip, times=fault.times)
                for number, fault in enumerate(faults, self._next_id)
            ]
            self._next_id += len(new)
            self._armed.update({one.id: one for one in new})
        return new

    def listed(self) -> list[Armed]:
        """Return what is armed, the oldest first."""
        with self._lock:
            return list(self._armed.values())

    def disarm(self, fault_id: int | None = None) -> bool:
        """Disarm one fault, or all of them.

        Returns:
            Whether there was one of that ID.
        """
        with self._lock:
            if fault_id is not None:
                return self._armed.pop(fault_id, None) is not None
            self._armed.clear()
            return True

    def take(self, route: str) -> Fault | None:
        """Return the fault that a call gets, and count the call.

        Args:
            route: The name of the call's route.
        """
        with self._lock:
            for one in self._armed.values():
                if one.fault.route != EVERY_ROUTE and normal_name(one.fault.route) != route:
                    continue
                if one.skip:
                    self._armed[one.id] = msgspec.structs.replace(one, skip=one.skip - 1)
                    continue
                if one.times == 1:
                    del self._armed[one.id]
                elif one.times is not None:
                    self._armed[one.id] = msgspec.structs.replace(one, times=one.times - 1)
                return one.fault
        return None


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
        headers["Content-Type"] = "text/plain; charset=utf-8" if is_text else "application/json"
    return headers, body
