"""Answers to calls that fail: refused, for no route, or by a fault inside."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from target_dotdigital.sandbox.http.bodies import answer
from target_dotdigital.sandbox.http.errors import RefusalError, V2Error, V3Error, is_v2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

V3_CODES = {
    HTTPStatus.NOT_FOUND: "server:notFound",
    HTTPStatus.METHOD_NOT_ALLOWED: "server:methodNotAllowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "server:requestTooLarge",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "server:unsupportedMediaType",
    HTTPStatus.INTERNAL_SERVER_ERROR: "server:unknown",
}
V2_CODES = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "ERROR_MALFORMED_REQUEST",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "ERROR_CONTENT_TYPE_IS_NOT_SUPPORTED",
    HTTPStatus.INTERNAL_SERVER_ERROR: "ERROR_UNKNOWN",
}

_logger = logging.getLogger(__name__)


class ServerErrorMiddleware:
    """The outermost layer: whatever goes wrong inside is answered, and the server lives on."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, and answer 500 in the vendor's shape if it fails."""
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, note_start)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - the last place that can answer
            # Neither text nor traceback nor path: they may hold what the request holds.
            _logger.error("A call failed: %s", type(error).__name__)  # noqa: TRY400 - a traceback may show values
            if not started:
                response = _error(scope["path"], HTTPStatus.INTERNAL_SERVER_ERROR)
                await response(scope, receive, send)


async def _answer_refusal(_request: Request, error: Exception) -> Response:
    refusal = cast("RefusalError", error)
    return answer(refusal.body, refusal.status)


async def _answer_http_error(request: Request, error: Exception) -> Response:
    status = HTTPStatus(cast("HTTPException", error).status_code)
    return _error(request.url.path, status)


def _error(path: str, status: HTTPStatus) -> Response:
    body: V2Error | V3Error
    if is_v2(path):
        body = V2Error(f"{status.phrase}. {V2_CODES.get(status, '')}".strip())
    else:
        body = V3Error(V3_CODES.get(status, "server:badRequest"), status.phrase)
    return answer(body, status)


EXCEPTION_HANDLERS: Mapping[Any, Any] = {
    RefusalError: _answer_refusal,
    HTTPException: _answer_http_error,
}
"""What Starlette calls for an exception, by the exception's class."""
