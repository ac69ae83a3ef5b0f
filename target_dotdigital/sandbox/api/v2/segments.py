"""The calls of v2 about segments."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.routing import Route

from target_dotdigital.sandbox import account
from target_dotdigital.sandbox.api.requests import change, query
from target_dotdigital.sandbox.api.v2.answers import v2_answer
from target_dotdigital.sandbox.api.v2.parameters import path_id, read_valid_page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

MAXIMUM_PAGE_SEGMENTS = 1_000

NOT_FINISHED, FINISHED = "NotFinished", "Finished"


async def list_segments(request: Request) -> Response:
    """Answer a page of the segments."""
    select, skip = read_valid_page(request.query_params, MAXIMUM_PAGE_SEGMENTS)
    return v2_answer(
        request,
        await query(request, lambda connection: account.segment_page(connection, select, skip)),
    )


async def refresh_segment(request: Request) -> Response:
    """Refresh a segment. It is over when this is answered, which only the next call tells."""
    segment_id = path_id(request)
    segment = await change(
        request, lambda connection: account.refresh_segment(connection, segment_id)
    )
    refresh = account.SegmentRefresh(segment.id, NOT_FINISHED)
    return v2_answer(request, refresh, HTTPStatus.ACCEPTED)


async def get_refresh(request: Request) -> Response:
    """Answer how far a segment's refresh is."""
    segment_id = path_id(request)
    segment = await query(request, lambda connection: account.get_segment(connection, segment_id))
    return v2_answer(request, account.SegmentRefresh(segment.id, FINISHED))


SEGMENT_ROUTES = (
    Route("/v2/segments", list_segments),
    Route("/v2/segments/refresh/{id}", refresh_segment, methods=["POST"]),
    Route("/v2/segments/refresh/{id}", get_refresh),
)
