"""What the calls have in common: they read a body, ask the database or change it."""

from __future__ import annotations

import codecs
import zlib
from http import HTTPStatus
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


JSON_TYPE = "application/json"
"""The Content-Type of a body. Any other has an error of its own in the vendor's list; its status is
not public, and 415 is the one that means it."""

_GZIP = zlib.MAX_WBITS | 16


async def read_body(request: Request) -> bytes:
    """Read a body that has to be JSON. Without one there is nothing to have a type.

    Raises:
        HTTPException: 413 or 400, it is too large; 415, its headers say that it is something else.
    """
    switches: Switches = request.app.state.switches
    body = await read_upload(request)
    if not body:
        return body
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_missing = not media_type and switches.no_content_type == "taken"
    if not is_missing and media_type != JSON_TYPE:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if switches.byte_order_mark == "taken":
        body = body.removeprefix(codecs.BOM_UTF8)
    return body


async def read_upload(request: Request) -> bytes:
    """Read a body of any type, of which no more is kept than may be sent.

    Raises:
        HTTPException: 413 or 400, it is too large; 415, it is encoded.
    """
    switches: Switches = request.app.state.switches
    body = await _read(request)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if not body or encoding == "identity":
        return body
    if encoding != "gzip" or switches.gzip == "refused":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    unpacked = await run_in_threadpool(_unpacked, body)
    if len(unpacked) > MAXIMUM_BODY_BYTES:
        raise HTTPException(int(switches.large_body))
    return unpacked


def _unpacked(body: bytes) -> bytes:
    """Return what is packed, or the body as it is if it is damaged: that is no JSON either.

    Of a small body that would unpack to an immense one, only so much is that it is too large.
    """
    unpacking = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpacking.decompress(body, MAXIMUM_BODY_BYTES + 1)
    except zlib.error:
        return body
    return unpacked if unpacking.eof or len(unpacked) > MAXIMUM_BODY_BYTES else body


async def _read(request: Request) -> bytes:
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
