"""What the calls have in common: they read a body, ask the database or change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from target_dotdigital.sandbox.http import LARGEST_PARAMETER

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from starlette.requests import Request

    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.storage import Store

Result = TypeVar("Result")

Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=LARGEST_PARAMETER)]

MAXIMUM_BODY_BYTES = 50_000_000

DRAIN_BYTES = 4 * MAXIMUM_BODY_BYTES
"""How much of a body that is too large is read all the same. A client that is answered while it
still sends sees a broken connection in place of the answer."""


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


async def query(request: Request, read: Callable[[sqlite3.Connection], Result]) -> Result:
    """Read from the database, in a thread.

    Args:
        request: The call.
        read: Gets a connection in a read transaction.
    """

    def run(store: Store) -> Result:
        with store.reading() as connection:
            return read(connection)

    return await run_in_threadpool(run, request.app.state.store)


async def change(request: Request, write: Callable[[sqlite3.Connection], Result]) -> Result:
    """Change the database, in a thread.

    Args:
        request: The call.
        write: Gets the writer in a transaction, which an exception undoes.
    """

    def run(store: Store) -> Result:
        with store.writing() as connection:
            return write(connection)

    return await run_in_threadpool(run, request.app.state.store)


async def change_contacts(
    request: Request, write: Callable[[sqlite3.Connection], Result]
) -> Result:
    """Change the database while the contacts are held, in a thread.

    Otherwise an import may just be about to write what is taken away here.

    Args:
        request: The call.
        write: Gets the writer in a transaction, which an exception undoes.
    """

    def run(store: Store) -> Result:
        with store.contacts, store.writing() as connection:
            return write(connection)

    return await run_in_threadpool(run, request.app.state.store)
