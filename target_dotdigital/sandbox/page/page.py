"""The page at `/`: what is in the account and what goes on, to look at in a browser.

A document, its script and its style are files beside this one; what they show is JSON under
`/sandbox/page/`. The script writes texts only, never markup, and the page's own policy lets a
browser run nothing else.
"""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from importlib import resources
from typing import TYPE_CHECKING, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from target_dotdigital.sandbox.account.identifiers import LARGEST_CONTACT_ID
from target_dotdigital.sandbox.api.calls import answer, whole_number
from target_dotdigital.sandbox.imports.import_log import unfinished
from target_dotdigital.sandbox.page import page_data
from target_dotdigital.sandbox.page.request_log import Call, Tier, phrase

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from starlette.requests import Request

    from target_dotdigital.sandbox.page.request_log import RequestLog

Shown = TypeVar("Shown")

SUMMARY_SECONDS = 5 * 60.0
SHOWN_CALLS = 200
MAXIMUM_SEARCH_CHARACTERS = 256

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
FILES = {
    "page.html": "text/html",
    "page.css": "text/css",
    "page.js": "text/javascript",
    "details.js": "text/javascript",
    "dom.js": "text/javascript",
    "people.js": "text/javascript",
    "traffic.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


class Activity(msgspec.Struct, frozen=True):
    """Whether there is something to watch.

    Attributes:
        active: Imports that are waiting or under way.
    """

    active: int


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


async def show_page(_request: Request) -> Response:
    """Answer the document."""
    return _file("page.html")


async def show_file(request: Request) -> Response:
    """Answer a file that belongs to it."""
    name = request.path_params["name"]
    if name not in FILES:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _file(name)


async def show_activity(request: Request) -> Response:
    """Answer how many imports are active."""
    return await _read(request, lambda connection: Activity(len(unfinished(connection))))


async def show_address_books(request: Request) -> Response:
    """Answer the address books and how they grew."""
    return await _read(request, page_data.address_books)


async def show_contacts(request: Request) -> Response:
    """Answer contacts, the newest first, or those whose address begins as `search` does."""
    parameters = request.query_params
    search = parameters.get("search", "").strip().lower()[:MAXIMUM_SEARCH_CHARACTERS]
    position = parameters.get("position", "")
    try:
        chosen = whole_number(parameters.get("list"), default=0, least=0) or None
        before = whole_number(
            None if search else position or None,
            default=LARGEST_CONTACT_ID,
            least=0,
            most=LARGEST_CONTACT_ID,
        )
    except ValueError:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None

    def read(connection: sqlite3.Connection) -> page_data.ContactsPage:
        if search:
            return page_data.search_contacts(connection, search, chosen, position)
        return page_data.newest_contacts(connection, chosen, before)

    return await _read(request, read)


async def show_contact(request: Request) -> Response:
    """Answer everything about a contact."""
    contact_id = request.path_params["id"]
    return await _read(request, lambda connection: page_data.contact(connection, contact_id))


async def show_imports(request: Request) -> Response:
    """Answer the last imports and how far they are."""
    return await _read(request, request.app.state.imports.latest)


async def show_import(request: Request) -> Response:
    """Answer an import and its first failures."""
    imports: page_data.Imports = request.app.state.imports
    import_id = request.path_params["id"]

    def read(connection: sqlite3.Connection) -> page_data.ImportDetails:
        found = imports.find(connection, import_id)
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return found

    return await _read(request, read)


async def show_calls(request: Request) -> Response:
    """Answer the request log."""
    log: RequestLog = request.app.state.request_log
    calls = log.latest(SUMMARY_SECONDS)
    statuses = Counter(call.status for call in calls)
    return _answer(
        ShownCalls(
            calls[:SHOWN_CALLS],
            _by_route(calls),
            [(status, phrase(status), count) for status, count in sorted(statuses.items())],
            log.tiers(),
        )
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


async def _read(request: Request, query: Callable[[sqlite3.Connection], Shown]) -> Response:
    def read() -> Shown:
        with request.app.state.store.reading() as connection:
            return query(connection)

    return _answer(await run_in_threadpool(read))


def _answer(body: object) -> Response:
    response = answer(body)
    response.headers.update(HEADERS)
    return response


def _file(name: str) -> Response:
    content = resources.files(__package__).joinpath("static", name).read_bytes()
    return Response(content, media_type=FILES[name], headers=HEADERS)


PAGE_ROUTES = (
    Route("/", show_page),
    Route("/sandbox/page/activity", show_activity),
    Route("/sandbox/page/address-books", show_address_books),
    Route("/sandbox/page/contacts", show_contacts),
    Route("/sandbox/page/contacts/{id}", show_contact),
    Route("/sandbox/page/imports", show_imports),
    Route("/sandbox/page/imports/{id}", show_import),
    Route("/sandbox/page/requests", show_calls),
    Route("/sandbox/page/{name}", show_file),
)
"""Those that are read by the page alone, and that the request log leaves out."""
