"""The application: routes, credentials and the shapes of errors."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from typing_extensions import override

from target_dotdigital.sandbox.account.single_contacts import SingleContacts
from target_dotdigital.sandbox.api.calls import answer
from target_dotdigital.sandbox.api.steering import STEERING_ROUTES
from target_dotdigital.sandbox.api.v2_account import V2_ROUTES
from target_dotdigital.sandbox.api.v2_lists import V2_LIST_ROUTES
from target_dotdigital.sandbox.api.v3_contacts import V3_CONTACT_ROUTES
from target_dotdigital.sandbox.api.v3_imports import V3_ROUTES
from target_dotdigital.sandbox.api.visitors import OwnVisitors
from target_dotdigital.sandbox.errors import RefusalError, V2Error, V3Error
from target_dotdigital.sandbox.faults.faults import Faults
from target_dotdigital.sandbox.faults.faulty import Faulty
from target_dotdigital.sandbox.faults.rate_limits import Limited
from target_dotdigital.sandbox.faults.routing import RouteTable
from target_dotdigital.sandbox.imports.accepting import Importing
from target_dotdigital.sandbox.page.page import PAGE_ROUTES
from target_dotdigital.sandbox.page.page_data import Imports
from target_dotdigital.sandbox.page.request_log import Logged, RequestLog

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from target_dotdigital.sandbox.imports.slots import Slots
    from target_dotdigital.sandbox.removals.removals import Removals
    from target_dotdigital.sandbox.server import Options
    from target_dotdigital.sandbox.storage.store import Store

API_ROUTES = (*V2_ROUTES, *V2_LIST_ROUTES, *V3_ROUTES, *V3_CONTACT_ROUTES)
"""Dotdigital's own."""

V3_CODES = {
    HTTPStatus.NOT_FOUND: "server:notFound",
    HTTPStatus.METHOD_NOT_ALLOWED: "server:methodNotAllowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "server:requestTooLarge",
    HTTPStatus.INTERNAL_SERVER_ERROR: "server:unknown",
}
V2_CODES = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "ERROR_MALFORMED_REQUEST",
    HTTPStatus.INTERNAL_SERVER_ERROR: "ERROR_UNKNOWN",
}

_logger = logging.getLogger(__name__)


class Credentials(msgspec.Struct, frozen=True):
    """What a client must send. Their text never shows them, wherever they end up."""

    username: str
    password: str

    @override
    def __repr__(self) -> str:
        """Leave both out."""
        return "Credentials(...)"

    def accept(self, sent: bytes) -> bool:
        """Tell whether `name:password` is right, in a time that does not depend on it."""
        return hmac.compare_digest(sent, f"{self.username}:{self.password}".encode())


class Guard:
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
            _logger.error("A call failed: %s", type(error).__name__)  # noqa: TRY400
            if not started:
                response = _error(scope["path"], HTTPStatus.INTERNAL_SERVER_ERROR)
                await response(scope, receive, send)


def is_of_page(path: str) -> bool:
    """Tell whether a path is the page's or the sandbox's own, not one of Dotdigital's API."""
    return path == "/" or path.startswith("/sandbox/")


class Authentication:
    """HTTP Basic, asked of every call."""

    def __init__(self, app: ASGIApp, credentials: Credentials | None) -> None:
        """Wrap the application.

        Args:
            app: What is behind it.
            credentials: The ones that are right. Without them, any are.
        """
        self._app = app
        self._credentials = credentials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or answer 401 with nothing else."""
        # Without credentials to insist on, the page does not ask for any.
        is_open = self._credentials is None and is_of_page(scope["path"])
        if is_open or self._is_allowed(Headers(scope=scope).get("authorization", "")):
            await self._app(scope, receive, send)
            return
        response = Response(
            status_code=HTTPStatus.UNAUTHORIZED,
            headers={"WWW-Authenticate": 'Basic realm="Dotdigital sandbox"'},
        )
        await response(scope, receive, send)

    def _is_allowed(self, header: str) -> bool:
        scheme, _, encoded = header.partition(" ")
        try:
            sent = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        if scheme.lower() != "basic" or b":" not in sent:
            return False
        return self._credentials is None or self._credentials.accept(sent)


def create_app(store: Store, slots: Slots, removals: Removals, options: Options) -> Starlette:
    """Build the application.

    Args:
        store: The database.
        slots: Where accepted imports go.
        removals: Where accepted removals go.
        options: What the sandbox is started with.
    """
    routes = [*STEERING_ROUTES, *API_ROUTES, *PAGE_ROUTES]
    api = RouteTable(API_ROUTES)
    faults = Faults(api, options.faults)
    log = RequestLog()
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(Logged, log=log, routes=routes, unlogged=PAGE_ROUTES),
            Middleware(Guard),
            Middleware(OwnVisitors, host=options.host, names=options.allowed_hosts),
            Middleware(Authentication, credentials=options.credentials),
            Middleware(
                Limited,
                limits=options.rate_limits,
                routes=api,
                switches=options.switches,
                clock=options.clock,
            ),
            Middleware(Faulty, faults=faults, routes=api),
        ],
        exception_handlers={RefusalError: _answer_refusal, HTTPException: _answer_http_error},
    )
    app.router.redirect_slashes = False
    app.state.store = store
    app.state.switches = options.switches
    app.state.faults = faults
    app.state.address_books = options.address_books
    app.state.importing = Importing(store, slots, options.switches)
    app.state.removals = removals
    app.state.single_contacts = SingleContacts(store, options.switches)
    app.state.request_log = log
    app.state.imports = Imports()
    return app


async def _answer_refusal(_request: Request, error: Exception) -> Response:
    refusal = cast("RefusalError", error)
    return answer(refusal.body, refusal.status)


async def _answer_http_error(request: Request, error: Exception) -> Response:
    status = HTTPStatus(cast("HTTPException", error).status_code)
    return _error(request.url.path, status)


def _error(path: str, status: HTTPStatus) -> Response:
    body: V2Error | V3Error
    if path.startswith("/v2"):
        body = V2Error(f"{status.phrase}. {V2_CODES.get(status, '')}".strip())
    else:
        body = V3Error(V3_CODES.get(status, "server:badRequest"), status.phrase)
    return answer(body, status)
