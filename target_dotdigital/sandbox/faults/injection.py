"""Fault injection: the layer in which calls meet the faults that are armed."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from typing import TYPE_CHECKING, Any, cast

import h11
from starlette.responses import Response
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from target_dotdigital.sandbox.faults.faults import (
    Answer,
    Html,
    Reset,
    Slow,
    Trickle,
    Truncate,
    answer_of,
)
from target_dotdigital.sandbox.http import SpellingConnection, drain

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from target_dotdigital.sandbox.faults.armed_faults import ArmedFaults
    from target_dotdigital.sandbox.faults.faults import Fault
    from target_dotdigital.sandbox.http import RouteTable

TRANSPORT = "sandbox.transport"
"""The extension of a call's scope that holds its connection."""

_NO_LINGERING = struct.pack("ii", 1, 0)
"""A connection that is closed with this is reset; otherwise it would end in an orderly way."""

MAXIMUM_HEAD_BYTES = 64 * 1024
"""Of a call's first line and its headers, as uvicorn has it."""

_SLICE_SECONDS = 0.05
"""How long a slow answer sleeps before it looks whether the server stops."""


class ConnectionProtocol(H11Protocol):
    """uvicorn's HTTP, which lets the application at the connection of a call.

    It spells the names of headers as well.
    """

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give every call of the connection the connection itself."""
        super().connection_made(transport)
        self.conn = SpellingConnection(h11.SERVER, MAXIMUM_HEAD_BYTES)
        inner = self.app

        async def connected(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - the server's own types
            scope["extensions"] = {TRANSPORT: transport}
            await inner(scope, receive, send)

        self.app = connected


class FaultMiddleware:
    """Lets a call through, or does to it what the first fault that is armed for it says."""

    def __init__(self, app: ASGIApp, faults: ArmedFaults, routes: RouteTable) -> None:
        """Wrap the application.

        Args:
            app: What is behind it.
            faults: What is armed.
            routes: Those that faults are armed for.
        """
        self._app = app
        self._faults = faults
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or what the first fault makes of it."""
        route = self._routes.name_of(scope)
        fault = None if route is None else self._faults.take(route)
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await self._fail(fault, scope, receive, send)

    async def _fail(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        connection = _Connection(scope, receive)
        if isinstance(fault, Slow):
            await _sleep(fault.seconds, self._faults, connection)
            await self._app(scope, receive, send)
        elif isinstance(fault, Trickle):
            trickling = _trickling(fault, self._faults, connection, send)
            await self._app(scope, receive, trickling)
        elif isinstance(fault, Truncate):
            await self._app(scope, receive, _truncating(fault, send))
            await connection.close()
        elif isinstance(fault, Reset):
            if fault.carried_out:
                await self._app(scope, receive, _nothing)
            await connection.reset()
        else:
            await self._answer(fault, scope, receive, send)

    async def _answer(
        self, fault: Answer | Html, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if fault.carried_out:
            await self._app(scope, receive, _nothing)
        else:
            await drain(receive)
        headers, body = answer_of(fault)
        await Response(body, fault.status, dict(headers))(scope, receive, send)


class _Connection:
    """The connection of a call."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._transport = cast("asyncio.Transport", scope["extensions"][TRANSPORT])
        self._receive = receive

    @property
    def is_gone(self) -> bool:
        return self._transport.is_closing()

    async def reset(self) -> None:
        own = self._transport.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
        self._transport.abort()
        await self._is_gone()

    async def close(self) -> None:
        self._transport.close()
        await self._is_gone()

    async def _is_gone(self) -> None:
        # Returning any sooner would be an application that did not answer.
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def _nothing(_message: Message) -> None:
    """Lose an answer."""


async def _sleep(seconds: float, faults: ArmedFaults, connection: _Connection) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and not faults.released.is_set():
        if connection.is_gone:
            return
        await asyncio.sleep(min(left, _SLICE_SECONDS))


def _trickling(fault: Trickle, faults: ArmedFaults, connection: _Connection, send: Send) -> Send:
    async def trickle(message: Message) -> None:
        body = message.get("body", b"")
        while len(body) > fault.bytes and not connection.is_gone:
            await send({**message, "body": body[: fault.bytes], "more_body": True})
            body = body[fault.bytes :]
            await _sleep(fault.seconds, faults, connection)
            if faults.released.is_set():
                break
        await send({**message, "body": body} if "body" in message else message)

    return trickle


def _truncating(fault: Truncate, send: Send) -> Send:
    sent = 0

    async def truncate(message: Message) -> None:
        nonlocal sent
        if message["type"] != "http.response.body":
            await send(message)
            return
        body = message.get("body", b"")
        kept = len(body) // 2 if fault.bytes is None else max(0, fault.bytes - sent)
        sent += len(body)
        await send({**message, "body": body[:kept], "more_body": True})

    return truncate
