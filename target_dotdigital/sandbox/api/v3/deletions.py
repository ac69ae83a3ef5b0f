"""The calls of v3 that delete many contacts."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from target_dotdigital.sandbox.api.requests import query, read_body
from target_dotdigital.sandbox.http import answer
from target_dotdigital.sandbox.removals import check_deletion, deletion_status

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from target_dotdigital.sandbox.removals import RemovalQueue


class AcceptedDeletion(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to a deletion."""

    delete_id: str


async def delete_contacts(request: Request) -> Response:
    """Accept the deletion of contacts from the account."""
    body = await read_body(request)

    def accept(removals: RemovalQueue) -> str:
        check_deletion(body)
        return removals.accept("contacts", 0, body)

    delete_id = await run_in_threadpool(accept, request.app.state.removals)
    return answer(AcceptedDeletion(delete_id), HTTPStatus.ACCEPTED)


async def get_deletion_status(request: Request) -> Response:
    """Answer the status of a deletion and its report."""
    delete_id = request.path_params["id"]
    return answer(await query(request, lambda connection: deletion_status(connection, delete_id)))


DELETION_ROUTES = (
    Route("/contacts/v3/delete", delete_contacts, methods=["POST"]),
    Route("/contacts/v3/delete/{id}", get_deletion_status),
)
