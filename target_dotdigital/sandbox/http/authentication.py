"""Authentication: HTTP Basic, with the credentials of an API user."""

from __future__ import annotations

import base64
import binascii
import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.datastructures import Headers
from typing_extensions import override

from target_dotdigital.sandbox.http.bodies import answer
from target_dotdigital.sandbox.http.errors import V2Error

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


DENIED = V2Error("Authorization has been denied for this request.")
"""The vendor's answer to wrong credentials, of v2 and v3 alike: its clients compare the text."""


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


class AuthenticationMiddleware:
    """Asks every call for credentials."""

    def __init__(self, app: ASGIApp, credentials: Credentials | None) -> None:
        """Wrap the application.

        Args:
            app: What is behind it.
            credentials: The ones that are right. Without them, any are.
        """
        self._app = app
        self._credentials = credentials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or answer 401."""
        # Without credentials to insist on, the page does not ask for any.
        is_open = self._credentials is None and not _is_of_dotdigital(scope["path"])
        if is_open or self._is_allowed(Headers(scope=scope).get("authorization", "")):
            await self._app(scope, receive, send)
            return
        response = answer(DENIED, HTTPStatus.UNAUTHORIZED)
        response.headers["WWW-Authenticate"] = 'Basic realm="Dotdigital sandbox"'
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


def _is_of_dotdigital(path: str) -> bool:
    """Tell whether a path is one of Dotdigital's API, not the page's or the sandbox's own."""
    return path != "/" and not path.startswith("/sandbox/")
