"""The calls about imports of insight data, and about the removal of many records."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from target_dotdigital.sandbox.api.requests import query, read_body
from target_dotdigital.sandbox.http import answer
from target_dotdigital.sandbox.insight_data import import_report, removal_report

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.insight_data import InsightJobs


class AcceptedInsightImport(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to an import."""

    import_id: str


async def import_insight_data(request: Request) -> Response:
    """Accept an import: it is on disk when this answers, and worked off later."""
    body = await read_body(request)
    jobs: InsightJobs = request.app.state.insight_jobs
    import_id = await run_in_threadpool(jobs.accept_import, body)
    return answer(AcceptedInsightImport(import_id), HTTPStatus.ACCEPTED)


async def get_import_status(request: Request) -> Response:
    """Answer the status of an import and its report."""
    import_id = request.path_params["id"]
    switches: Switches = request.app.state.switches
    return answer(
        await query(request, lambda connection: import_report(connection, import_id, switches))
    )


async def get_removal_status(request: Request) -> Response:
    """Answer the status of the removal of many records."""
    job_id = request.path_params["id"]
    return answer(await query(request, lambda connection: removal_report(connection, job_id)))


INSIGHT_IMPORT_ROUTES = (
    Route("/insightData/v3/import", import_insight_data, methods=["PUT"]),
    Route("/insightData/v3/import/{id}", get_import_status),
    Route("/insightData/v3/async/{id}", get_removal_status),
)
