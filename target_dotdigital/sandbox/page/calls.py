"""The calls on the page: the latest ones, and all of the last minutes by route and status."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from target_dotdigital.sandbox.page.access_log import AccessLog, Call, Tier

SUMMARY_SECONDS = 5 * 60.0
SHOWN_CALLS = 200


class CallSummary(msgspec.Struct, frozen=True):
    """The calls of a route in the last minutes.

    Attributes:
        method: The HTTP method.
        route: The template of its path.
        calls: How many there were.
        errors: How many of them were answered with 400 or more, or not at all.
        median: Of the times that they took, in milliseconds.
        slowest: The longest of them.
    """

    method: str
    route: str
    calls: int
    errors: int
    median: float
    slowest: float


class ShownCalls(msgspec.Struct, frozen=True):
    """The request log.

    Attributes:
        calls: The latest, the newest first.
        routes: All of the last minutes by route, the busiest first.
        statuses: All of the last minutes by status: the status, its words, how many.
        tiers: What the rate limits leave.
    """

    calls: list[Call]
    routes: list[CallSummary]
    statuses: list[tuple[int, str, int]]
    tiers: list[Tier]


def shown_calls(log: AccessLog) -> ShownCalls:
    """Sum up the log."""
    calls = log.latest(SUMMARY_SECONDS)
    statuses = Counter(call.status for call in calls)
    return ShownCalls(
        calls[:SHOWN_CALLS],
        _by_route(calls),
        [(status, _phrase(status), count) for status, count in sorted(statuses.items())],
        log.tiers(),
    )


def _by_route(calls: list[Call]) -> list[CallSummary]:
    grouped: dict[tuple[str, str], list[Call]] = {}
    for call in calls:
        grouped.setdefault((call.method, call.route), []).append(call)
    summaries = []
    for (method, route), group in grouped.items():
        times = sorted(call.milliseconds for call in group)
        errors = sum(not 0 < call.status < HTTPStatus.BAD_REQUEST for call in group)
        middle = times[len(times) // 2]
        summaries.append(CallSummary(method, route, len(group), errors, middle, times[-1]))
    return sorted(summaries, key=lambda summary: -summary.calls)


def _phrase(status: int) -> str:
    """Return the words for a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "No answer" if status == 0 else ""
