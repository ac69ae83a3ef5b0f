"""The calls that control the sandbox itself: `/sandbox/...`, which Dotdigital does not have."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from target_dotdigital.sandbox import account
from target_dotdigital.sandbox.api.requests import change, query, read_body, read_upload
from target_dotdigital.sandbox.faults import read_faults
from target_dotdigital.sandbox.http import answer, decode_v3, v3_refusal, whole_number

if TYPE_CHECKING:
    import sqlite3

    from starlette.requests import Request

    from target_dotdigital.sandbox.faults import ArmedFaults

BROWSER_HEADERS = frozenset({"content-type", "origin", "referer", "sec-fetch-site"})
"""Any of them comes with every POST that a page makes."""
_NEW_SEGMENT = msgspec.json.Decoder(account.NewSegment)


class Suppression(msgspec.Struct, frozen=True):
    """An address or a domain that is put on the suppression list."""

    value: str


class WantedSeeds(msgspec.Struct, frozen=True):
    """What another program on the same database wants to find.

    Attributes:
        instance: What the lock file says of the sandbox that it wants to talk to.
        address_books: IDs or names, created if they are missing.
        preferences: IDs or names of marketing preferences, likewise.
        custom_identifiers: Names, likewise.
        suppressed: Addresses and domains that are put on the suppression list.
    """

    instance: str
    address_books: list[str | int] = []
    preferences: list[str | int] = []
    custom_identifiers: list[str] = []
    suppressed: list[str] = []


_SUPPRESSION = msgspec.json.Decoder(Suppression)
_WANTED_SEEDS = msgspec.json.Decoder(WantedSeeds)


async def list_faults(request: Request) -> Response:
    """Answer what is armed."""
    faults: ArmedFaults = request.app.state.faults
    return answer(faults.listed())


async def arm_faults(request: Request) -> Response:
    """Arm a fault, or an array of them."""
    _insist_on_json(request)
    faults: ArmedFaults = request.app.state.faults
    try:
        armed = faults.arm(read_faults(await read_body(request)))
    except ValueError as error:
        raise v3_refusal("sandbox:badFault", str(error)) from None
    return answer(armed, HTTPStatus.CREATED)


async def disarm_faults(request: Request) -> Response:
    """Disarm all faults."""
    faults: ArmedFaults = request.app.state.faults
    faults.disarm()
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def disarm_fault(request: Request) -> Response:
    """Disarm one fault."""
    faults: ArmedFaults = request.app.state.faults
    try:
        is_known = faults.disarm(whole_number(request.path_params["id"]))
    except ValueError:
        is_known = False
    if not is_known:
        raise v3_refusal(
            "sandbox:noSuchFault", "No such fault is armed", status=HTTPStatus.NOT_FOUND
        )
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def reset_account(request: Request) -> Response:
    """Empty the account, and disarm all faults."""
    body = await read_upload(request)
    if body or not _is_of_a_program(request):
        _insist_on_json(request)
    if body.strip() not in {b"", b"{}"}:
        raise v3_refusal("sandbox:badRequest", "A reset takes no body, or {}")
    state = request.app.state
    state.faults.disarm()
    await run_in_threadpool(account.reset_account, state.store, state.seeds)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def share(request: Request) -> Response:
    """Create what another program wants, if it means this sandbox: it may know of an older one."""
    _insist_on_json(request)
    wanted = decode_v3(_WANTED_SEEDS, await read_body(request))
    if wanted.instance != request.app.state.store.lock_file.instance:
        raise v3_refusal(
            "sandbox:otherInstance", "This is another sandbox", status=HTTPStatus.CONFLICT
        )
    seeds = account.Seeds(
        address_books=wanted.address_books,
        preferences=wanted.preferences,
        custom_identifiers=wanted.custom_identifiers,
        suppressed=wanted.suppressed,
    )
    try:
        await change(request, lambda connection: account.ensure_seeds(connection, seeds))
    except ValueError as error:
        raise v3_refusal("sandbox:badSeeds", str(error)) from None
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def list_suppressed(request: Request) -> Response:
    """Answer the suppression list."""
    return answer(await query(request, account.list_suppressed))


async def suppress(request: Request) -> Response:
    """Add an address or a domain to the suppression list, and answer the list."""
    _insist_on_json(request)
    sent = decode_v3(_SUPPRESSION, await read_body(request))

    def add(connection: sqlite3.Connection) -> list[str]:
        account.suppress(connection, [sent.value])
        return account.list_suppressed(connection)

    try:
        listed = await change(request, add)
    except ValueError as error:
        raise v3_refusal("sandbox:badSuppression", str(error)) from None
    return answer(listed, HTTPStatus.CREATED)


async def stop_suppressing(request: Request) -> Response:
    """Take an address or a domain off the suppression list."""
    value = request.path_params["value"]
    was_on_it = await change(
        request, lambda connection: account.stop_suppressing(connection, value)
    )
    if not was_on_it:
        raise v3_refusal(
            "sandbox:noSuchSuppression",
            "It is not on the suppression list",
            status=HTTPStatus.NOT_FOUND,
        )
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _is_of_a_program(request: Request) -> bool:
    """Tell whether a call without a body is a program's: a browser says where a POST is from.

    Whatever a form sends has a Content-Type, too, even if the form is empty.
    """
    return BROWSER_HEADERS.isdisjoint(request.headers)


async def create_segment(request: Request) -> Response:
    """Create a segment, which Dotdigital's own API cannot."""
    _insist_on_json(request)
    try:
        new = _NEW_SEGMENT.decode(await read_body(request))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # The first of them names a place and a type, and no value.
        description = str(error) if isinstance(error, msgspec.ValidationError) else "No JSON"
        raise v3_refusal("sandbox:badSegment", description) from None
    created = await change(request, lambda connection: account.create_segment(connection, new))
    return answer(created, HTTPStatus.CREATED)


async def delete_segment(request: Request) -> Response:
    """Delete a segment. Its contacts stay in the account."""
    try:
        segment_id = whole_number(request.path_params["id"])
    except ValueError:
        segment_id = 0
    if not await change(request, lambda connection: account.delete_segment(connection, segment_id)):
        raise v3_refusal(
            "sandbox:noSuchSegment", "There is no such segment", status=HTTPStatus.NOT_FOUND
        )
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _insist_on_json(request: Request) -> None:
    # Another site's page can make a browser send anything but this without being asked first.
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise v3_refusal(
            "sandbox:unsupportedMediaType",
            "The Content-Type has to be application/json",
            status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )


CONTROL_ROUTES = (
    Route("/sandbox/faults", list_faults),
    Route("/sandbox/faults", arm_faults, methods=["POST"]),
    Route("/sandbox/faults", disarm_faults, methods=["DELETE"]),
    Route("/sandbox/faults/{id}", disarm_fault, methods=["DELETE"]),
    Route("/sandbox/segments", create_segment, methods=["POST"]),
    Route("/sandbox/segments/{id}", delete_segment, methods=["DELETE"]),
    Route("/sandbox/suppressions", list_suppressed),
    Route("/sandbox/suppressions", suppress, methods=["POST"]),
    Route("/sandbox/suppressions/{value:path}", stop_suppressing, methods=["DELETE"]),
    Route("/sandbox/reset", reset_account, methods=["POST"]),
    Route("/sandbox/share", share, methods=["POST"]),
)
