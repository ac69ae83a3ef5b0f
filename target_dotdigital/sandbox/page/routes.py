"""The page at `/`: what is in the account and what goes on, to look at in a browser.

A document, its script and its style are files beside this one; what they show is JSON under
`/sandbox/page/`. The script writes texts only, never markup, and the page's own policy lets a
browser run nothing else.
"""

from __future__ import annotations

from http import HTTPStatus
from importlib import resources
from typing import TYPE_CHECKING, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from target_dotdigital.sandbox.api import query
from target_dotdigital.sandbox.contacts import LARGEST_CONTACT_ID
from target_dotdigital.sandbox.http import answer, whole_number
from target_dotdigital.sandbox.imports import unfinished_imports
from target_dotdigital.sandbox.page.address_books import address_books
from target_dotdigital.sandbox.page.calls import shown_calls
from target_dotdigital.sandbox.page.contact_details import contact_details
from target_dotdigital.sandbox.page.contacts import STATUSES, Filters, contacts_page

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from starlette.requests import Request

    from target_dotdigital.sandbox.page.imports import ImportViews

Shown = TypeVar("Shown")

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
    "address-books.js": "text/javascript",
    "contacts.js": "text/javascript",
    "details.js": "text/javascript",
    "dom.js": "text/javascript",
    "traffic.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


class Activity(msgspec.Struct, frozen=True):
    """Whether there is something to watch.

    Attributes:
        active: Imports that are waiting or under way.
    """

    active: int


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
    return await _show(request, lambda connection: Activity(len(unfinished_imports(connection))))


async def show_address_books(request: Request) -> Response:
    """Answer the address books and how they grew."""
    return await _show(request, address_books)


async def show_contacts(request: Request) -> Response:
    """Answer contacts, the newest first, or those whose address begins as `search` does.

    `list` and `status` leave all others out.
    """
    parameters = request.query_params
    search = parameters.get("search", "").strip().lower()[:MAXIMUM_SEARCH_CHARACTERS]
    position = parameters.get("position", "")
    try:
        chosen = whole_number(parameters.get("list")) or None
        before = whole_number(
            None if search else position or None,
            default=LARGEST_CONTACT_ID,
            most=LARGEST_CONTACT_ID,
        )
    except ValueError:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None
    status = parameters.get("status") or None
    if status not in {None, *STATUSES}:
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    filters = Filters(search, chosen, status)
    return await _show(
        request, lambda connection: contacts_page(connection, filters, position, before)
    )


async def show_contact(request: Request) -> Response:
    """Answer everything about a contact, and null if there is none.

    A browser would note any other answer in its console.
    """
    contact_id = request.path_params["id"]
    return await _show(request, lambda connection: contact_details(connection, contact_id))


async def show_imports(request: Request) -> Response:
    """Answer the last imports and how far they are."""
    return await _show(request, request.app.state.import_views.latest)


async def show_import(request: Request) -> Response:
    """Answer an import and its first failures, and null if there is none."""
    views: ImportViews = request.app.state.import_views
    import_id = request.path_params["id"]
    return await _show(request, lambda connection: views.find(connection, import_id))


async def show_calls(request: Request) -> Response:
    """Answer the access log."""
    return _answer(shown_calls(request.app.state.access_log))


async def _show(request: Request, read: Callable[[sqlite3.Connection], Shown]) -> Response:
    return _answer(await query(request, read))


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
"""Those that are read by the page alone, and that the access log leaves out."""
