"""Origins: programs and the page may call; other sites in somebody's browser may not.

A browser that visits a hostile site can be made to call a server on loopback. Such a call either
names a foreign host (the site's own name, made to resolve to loopback: DNS rebinding) or carries
headers that tell where it comes from; programs send neither.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Receive, Scope, Send

OWN_SITES = frozenset({"same-origin", "none"})
"""`none` is an address that was typed or bookmarked. `same-site` is not among them: whatever else
is served on this machine, on another port, is the same site."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::[0-9]{1,5})?")


class OriginMiddleware:
    """Refuses calls for a foreign host, and those that another site makes in a browser."""

    def __init__(self, app: ASGIApp, host: str, names: Collection[str] = ()) -> None:
        """Wrap the application.

        Args:
            app: What is behind it.
            host: The name or address that is listened on.
            names: Further names by which this server may be called.
        """
        self._app = app
        self._names = {name.lower() for name in (host, *names)}
        # Elsewhere than on loopback, an address is as good as a name: no site can have it.
        self._any_address = not is_loopback(host)
        if self._any_address:
            self._names.add(socket.gethostname().lower())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or say why not."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_own_host(host):
            refusal = PlainTextResponse(
                "This server does not go by that name. Call it by its address or as localhost, "
                "or start it with --allow-host NAME.",
                HTTPStatus.MISDIRECTED_REQUEST,
            )
        elif not _is_own_site(headers, host):
            refusal = PlainTextResponse(
                "Another site in your browser called this server, and is refused. "
                "To open the page, type its address.",
                HTTPStatus.FORBIDDEN,
            )
        else:
            await self._app(scope, receive, send)
            return
        await refusal(scope, receive, send)

    def _is_own_host(self, header: str) -> bool:
        # Whatever the port: a forwarded one is another than is listened on.
        match = _HOST.fullmatch(header)
        if match is None:
            return False
        name = match[1].lower().removesuffix(".")
        if name in self._names or is_loopback(name):
            return True
        return self._any_address and _address(name) is not None


def is_loopback(name: str) -> bool:
    """Tell whether a name or an address is this machine's own and nobody else's."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    return address is not None and address.is_loopback


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def _is_own_site(headers: Headers, host: str) -> bool:
    # Without the scheme, which a proxy in front may have changed.
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2].lower() != host.lower():
        return False
    return headers.get("sec-fetch-site", "none").lower() in OWN_SITES
