"""What the calls have in common: reading parameters and bodies, answering."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

from target_dotdigital.sandbox.errors import v2_refusal
from target_dotdigital.sandbox.imports.import_body import MAXIMUM_BODY_BYTES

if TYPE_CHECKING:
    from starlette.requests import Request

    from target_dotdigital.sandbox.faults.switches import Switches

Body = TypeVar("Body")

LARGEST_PARAMETER = 2**31 - 1

DRAIN_BYTES = 4 * MAXIMUM_BODY_BYTES
"""How much of a body that is too large is read all the same. A client that is answered while it
still sends sees a broken connection in place of the answer."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def answer(body: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Answer with JSON."""
    return Response(_ENCODER.encode(body), status, media_type="application/json")


async def read_body(request: Request) -> bytes:
    """Read a body, of which no more is kept than may be sent.

    Raises:
        HTTPException: 413 or 400, it is too large.
    """
    body = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAXIMUM_BODY_BYTES:
            body += chunk
        elif size > DRAIN_BYTES:
            break
    if size > MAXIMUM_BODY_BYTES:
        switches: Switches = request.app.state.switches
        raise HTTPException(int(switches.large_body))
    return bytes(body)


def decode_v2(body: bytes, decoder: msgspec.json.Decoder[Body], code: str) -> Body:
    """Decode the body of a v2 call.

    Args:
        body: The body.
        decoder: The decoder of its shape, made before a thread needs it.
        code: The error for JSON that is something else.

    Raises:
        RefusalError: 400, it is no JSON or something else.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise v2_refusal(code, f"{error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise v2_refusal("ERROR_MALFORMED_REQUEST", "The request is no JSON.") from None


def whole_number(
    text: str | None, *, default: int, least: int, most: int = LARGEST_PARAMETER
) -> int:
    """Read a parameter that is a whole number.

    Raises:
        ValueError: It is none, or not between the two.
    """
    if text is None:
        return default
    # Not every digit is one of ours, and Python refuses to read numbers of thousands of digits.
    if text.isascii() and text.isdigit() and len(text) <= len(str(most)):
        number = int(text)
        if least <= number <= most:
            return number
    message = "not a number in its range"
    raise ValueError(message)
