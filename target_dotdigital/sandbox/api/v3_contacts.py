"""The calls of v3 about one contact."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from target_dotdigital.sandbox.account import contacts
from target_dotdigital.sandbox.account.contact_body import (
    CONTACT_DATA,
    NAMED_CONTACT,
    decode,
    read_merge_option,
)
from target_dotdigital.sandbox.api.calls import answer, read_body

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from target_dotdigital.sandbox.account.single_contacts import SingleContacts
    from target_dotdigital.sandbox.storage.store import Store


async def create_contact(request: Request) -> Response:
    """Create a contact."""
    body = await read_body(request)

    def write(single: SingleContacts) -> contacts.ContactAnswer:
        return single.create(decode(body, NAMED_CONTACT))

    return answer(
        await run_in_threadpool(write, request.app.state.single_contacts), HTTPStatus.CREATED
    )


async def get_contact(request: Request) -> Response:
    """Answer one contact."""
    name, value = _identifier(request)

    def read(store: Store) -> contacts.ContactAnswer:
        with store.reading() as connection:
            return contacts.get(connection, name, value)

    return answer(await run_in_threadpool(read, request.app.state.store))


async def merge_contact(request: Request) -> Response:
    """Update a contact, or create it."""
    name, value = _identifier(request)
    option = read_merge_option(request.query_params.get("merge-option"))
    body = await read_body(request)

    def write(single: SingleContacts) -> tuple[contacts.ContactAnswer, bool]:
        return single.merge(name, value, decode(body, CONTACT_DATA), option)

    contact, is_new = await run_in_threadpool(write, request.app.state.single_contacts)
    return answer(contact, HTTPStatus.CREATED if is_new else HTTPStatus.OK)


async def replace_contact(request: Request) -> Response:
    """Replace a contact."""
    name, value = _identifier(request)
    body = await read_body(request)

    def write(single: SingleContacts) -> contacts.ContactAnswer:
        return single.replace(name, value, decode(body, NAMED_CONTACT))

    return answer(await run_in_threadpool(write, request.app.state.single_contacts))


async def delete_contact(request: Request) -> Response:
    """Delete a contact from the account."""
    name, value = _identifier(request)
    deleted = await run_in_threadpool(request.app.state.single_contacts.delete, name, value)
    return answer(deleted)


def _identifier(request: Request) -> tuple[str, str]:
    return request.path_params["identifier"], request.path_params["value"]


# An encoded slash in the value arrives decoded, so the value is the rest of the path.
_ONE = "/contacts/v3/{identifier}/{value:path}"

V3_CONTACT_ROUTES = (
    Route("/contacts/v3", create_contact, methods=["POST"]),
    Route(_ONE, get_contact),
    Route(_ONE, merge_contact, methods=["PATCH"]),
    Route(_ONE, replace_contact, methods=["PUT"]),
    Route(_ONE, delete_contact, methods=["DELETE"]),
)
