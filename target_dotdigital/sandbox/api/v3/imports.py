"""The calls of v3 about imports."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from target_dotdigital.sandbox.api.requests import read_body
from target_dotdigital.sandbox.http import answer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from target_dotdigital.sandbox.imports import Intake


class AcceptedImport(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to an import."""

    import_id: str


async def import_contacts(request: Request) -> Response:
    """Accept an import: it is on disk when this answers, and worked off later."""
    body = await read_body(request)
    imports: Intake = request.app.state.imports
    import_id = await run_in_threadpool(imports.accept, body)
    return answer(AcceptedImport(import_id), HTTPStatus.ACCEPTED)


async def get_import_status(request: Request) -> Response:
    """Answer the status of an import and its report."""
    imports: Intake = request.app.state.imports
    return answer(await run_in_threadpool(imports.report, request.path_params["id"]))


IMPORT_ROUTES = (
    Route("/contacts/v3/import", import_contacts, methods=["PUT"]),
    Route("/contacts/v3/import/{id}", get_import_status),
)
