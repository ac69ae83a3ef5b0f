"""JSON in requests and answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import msgspec
from starlette.responses import Response

from target_dotdigital.sandbox.http.errors import CONTACTS, bad_json, schema_refusal, v2_refusal

if TYPE_CHECKING:
    from starlette.types import Receive

    from target_dotdigital.sandbox.http.any_case import AnyCaseDecoder

Body = TypeVar("Body")

JSON = "application/json; charset=utf-8"

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def answer(body: object, status: int = HTTPStatus.OK) -> Response:
    """Answer with JSON."""
    return Response(_ENCODER.encode(body), status, media_type=JSON)


def decode_v2(decoder: AnyCaseDecoder[Body], body: bytes, code: str) -> Body:
    """Decode the body of a v2 call.

    Args:
        decoder: Of what it should be.
        body: The body.
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


def decode_v3(
    decoder: msgspec.json.Decoder[Body],
    body: bytes | msgspec.Raw,
    place: str = "$",
    service: str = CONTACTS,
) -> Body:
    """Decode the body of a v3 call, or a part of it.

    Args:
        decoder: Of what it should be.
        body: The body, or the part.
        place: Where in the body the part is.
        service: Whose codes an error has.

    Raises:
        RefusalError: 400, it is no JSON or something else.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise schema_refusal(str(error), place, service) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad_json(service) from None


async def drain(receive: Receive) -> None:
    """Read the body of a call that is refused before it is looked at.

    A client that is answered while it still sends sees a broken connection.
    """
    while (await receive()).get("more_body", False):
        pass
