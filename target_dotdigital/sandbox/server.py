"""The running sandbox: database, slots and HTTP server together."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
from typing import TYPE_CHECKING

import uvicorn
from typing_extensions import Self, override

from target_dotdigital.sandbox.account import ensure_seeds
from target_dotdigital.sandbox.app import create_app
from target_dotdigital.sandbox.faults import ConnectionProtocol
from target_dotdigital.sandbox.http import Credentials
from target_dotdigital.sandbox.imports import Slots
from target_dotdigital.sandbox.insight_data import InsightJobs
from target_dotdigital.sandbox.options import Options
from target_dotdigital.sandbox.removals import RemovalQueue
from target_dotdigital.sandbox.storage import Store

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from target_dotdigital.sandbox.storage import LockFile

__all__ = ["Options", "SandboxServer"]

SHUTDOWN_SECONDS = 5
"""How long calls that are being answered may take once the server stops."""

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection is kept: longer than clients wait between polls, as one that is
closed just when it is used again looks like a lost reply."""

ANYONE = Credentials("sandbox", "sandbox")
"""What programs send to a sandbox that insists on no credentials."""

BACKLOG = 128
"""Connections that may wait to be taken; a client opens one a thread."""


class SandboxServer:
    """A local Dotdigital that serves from a thread of this process.

    Attributes:
        url: The base URL, without a trailing slash.
    """

    def __init__(self, options: Options) -> None:
        """Start, and return once calls are answered.

        Raises:
            OSError: The database or the port cannot be used; the text says why.
            ValueError: Something that is to be created cannot have its ID or name, or a fault is
                for no route.
        """
        with contextlib.ExitStack() as undo:
            listener = undo.enter_context(_listen(options.host, options.port))
            store = Store(options.database)
            undo.callback(store.close)
            with store.writing() as connection:
                ensure_seeds(connection, options.seeds)
            slots = Slots(store, options.switches, options.slots, options.pace)
            undo.callback(slots.stop)
            removals = RemovalQueue(store, working=options.slots > 0)
            undo.callback(removals.stop)
            self.url = _url(listener)
            insight_jobs = InsightJobs(store, working=options.slots > 0)
            undo.callback(insight_jobs.stop)
            app = create_app(store, slots, removals, insight_jobs, options)
            self._http = _HttpThread(app, listener)
            undo.callback(self._http.stop)
            undo.callback(app.state.faults.released.set)
            _publish(store.lock_file, listener, options)
            # Stopping is undoing: no more calls, then no more imports, then the database.
            self._stop = undo.pop_all()

    def __enter__(self) -> Self:
        """Return the server, which has started already."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop."""
        self.stop()

    def stop(self) -> None:
        """Answer what is being answered, finish the parts being written, close everything.

        Imports that are not finished wait on disk for the next start.
        """
        self._stop.close()


class _HttpThread:
    """uvicorn in a thread."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            http=ConnectionProtocol,
            ws="none",
            lifespan="off",
            # The logging of the process is somebody else's: no handlers, and nothing of a
            # request, whose path holds addresses.
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [listener]},
            name="sandbox-http",
            daemon=True,
        )
        self._thread.start()
        self._server.ready.wait()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()


class _Server(uvicorn.Server):
    """uvicorn, which tells when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.ready.set()


def _listen(host: str, port: int) -> socket.socket:
    # The protocol is named because asyncio turns Nagle's algorithm off for sockets that name it
    # only, and that costs 40 ms a call: `socket.create_server` leaves it out.
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # A restart finds the port free although old connections still linger on it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        message = f"cannot listen on {host}, port {port}: {error.strerror}"
        if error.errno == errno.EADDRINUSE:
            message = (
                f"port {port} of {host} is in use, perhaps by another sandbox. Use that one, stop "
                "it, or choose another port with --port"
            )
        raise OSError(message) from None
    except BaseException:
        listener.close()
        raise
    return listener


def _publish(lock_file: LockFile, listener: socket.socket, options: Options) -> None:
    """Say which sandbox has the database and, if others may use it, how they reach it."""
    if not options.is_shared:
        lock_file.publish()
        return
    # A server that listens on every interface is reached on loopback.
    url = _url(listener).replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    user = options.credentials or ANYONE
    lock_file.publish(url, user.username, user.password)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if listener.family == socket.AF_INET6:
        host = f"[{host}]"
    return f"http://{host}:{port}"
