"""Answers of v2, whose names are in camel case or in Pascal case: a switch."""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from target_dotdigital.sandbox.http import answer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from target_dotdigital.sandbox.faults import Switches

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def v2_answer(request: Request, body: object, status: int = HTTPStatus.OK) -> Response:
    """Answer a v2 call with JSON.

    Args:
        request: The call.
        body: What is answered, its names in camel case.
        status: The HTTP status.
    """
    switches: Switches = request.app.state.switches
    if switches.names == "pascal":
        body = _in_pascal_case(_DECODER.decode(_ENCODER.encode(body)))
    return answer(body, status)


def _in_pascal_case(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: _in_pascal_case(one) for name, one in value.items()}
    return [_in_pascal_case(one) for one in value] if isinstance(value, list) else value
