"""The calls of v3 about contacts: a page of them, or one."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.responses import Response
from starlette.routing import Route

from target_dotdigital.sandbox.api.requests import query, read_body
from target_dotdigital.sandbox.api.v3.contacts.markers import FIRST, Marker, written_marker
from target_dotdigital.sandbox.api.v3.contacts.query import read_query
from target_dotdigital.sandbox.api.v3.contacts.replies import (
    ContactReply,
    contact_page,
    find_contact,
    spelled,
)
from target_dotdigital.sandbox.api.v3.contacts.requests import (
    read_contact,
    read_merge_option,
    read_named_contact,
)
from target_dotdigital.sandbox.http import answer

if TYPE_CHECKING:
    from starlette.requests import Request

    from target_dotdigital.sandbox.api.v3.contacts.single_contacts import SingleContacts
    from target_dotdigital.sandbox.faults import Switches


class Link(msgspec.Struct, frozen=True):
    """A page that can be asked for."""

    marker: str
    link: str


class Links(msgspec.Struct, frozen=True, omit_defaults=True):
    """The pages around the one that is answered."""

    self: Link
    first: Link
    prev: Link | None = None
    next: Link | None = None
    last: Link | None = None


class ContactPage(msgspec.Struct, frozen=True, rename={"items": "_items", "links": "_links"}):
    """A page of contacts."""

    items: list[ContactReply]
    links: Links


async def list_contacts(request: Request) -> Response:
    """Answer a page of contacts."""
    switches: Switches = request.app.state.switches
    wanted = read_query(request.query_params, switches)
    page = await query(request, lambda connection: contact_page(connection, wanted, switches))

    def link(marker: Marker) -> Link:
        text = written_marker(marker)
        return Link(text, str(request.url.include_query_params(marker=text)))

    this = link(Marker(page.after))
    is_last = page.following is None
    links = Links(
        self=this,
        first=link(FIRST),
        prev=link(Marker(page.after, "before")) if page.has_earlier else None,
        next=None if page.following is None else link(Marker(page.following)),
        last=this if is_last else link(Marker(page.after, "last")),
    )
    return answer(ContactPage([spelled(one, switches) for one in page.contacts], links))


async def create_contact(request: Request) -> Response:
    """Create a contact."""
    body = await read_body(request)

    def write(single: SingleContacts) -> ContactReply:
        return single.create(read_named_contact(body))

    created = await run_in_threadpool(write, request.app.state.single_contacts)
    return _answer(request, created, HTTPStatus.CREATED)


async def get_contact(request: Request) -> Response:
    """Answer one contact."""
    name, value = _identifier(request)
    found = await query(request, lambda connection: find_contact(connection, name, value))
    return _answer(request, found)


async def merge_contact(request: Request) -> Response:
    """Update a contact, or create it."""
    name, value = _identifier(request)
    option = read_merge_option(request.query_params.get("merge-option"))
    body = await read_body(request)

    def write(single: SingleContacts) -> tuple[ContactReply, bool]:
        return single.merge(name, value, read_contact(body), option)

    contact, is_new = await run_in_threadpool(write, request.app.state.single_contacts)
    return _answer(request, contact, HTTPStatus.CREATED if is_new else HTTPStatus.OK)


async def replace_contact(request: Request) -> Response:
    """Replace a contact."""
    name, value = _identifier(request)
    body = await read_body(request)

    def write(single: SingleContacts) -> ContactReply:
        return single.replace(name, value, read_named_contact(body))

    return _answer(request, await run_in_threadpool(write, request.app.state.single_contacts))


async def delete_contact(request: Request) -> Response:
    """Delete a contact from the account."""
    name, value = _identifier(request)
    deleted = await run_in_threadpool(request.app.state.single_contacts.delete, name, value)
    switches: Switches = request.app.state.switches
    if switches.deleted_contact == "204":
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return answer(deleted)


def _answer(request: Request, contact: ContactReply, status: int = HTTPStatus.OK) -> Response:
    return answer(spelled(contact, request.app.state.switches), status)


def _identifier(request: Request) -> tuple[str, str]:
    return request.path_params["identifier"], request.path_params["value"]


class _AnyText(PathConvertor):
    """The rest of the path, line ends included: an encoded slash arrives decoded."""

    regex = "(?s:.*)"


register_url_convertor("text", _AnyText())
_ONE = "/contacts/v3/{identifier}/{value:text}"

CONTACT_ROUTES = (
    Route("/contacts/v3", list_contacts),
    Route("/contacts/v3", create_contact, methods=["POST"]),
    Route(_ONE, get_contact),
    Route(_ONE, merge_contact, methods=["PATCH"]),
    Route(_ONE, replace_contact, methods=["PUT"]),
    Route(_ONE, delete_contact, methods=["DELETE"]),
)
