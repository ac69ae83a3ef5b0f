"""The calls of v2 about one contact, and about a page of all."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.responses import Response
from starlette.routing import Route

from target_dotdigital.sandbox.api.requests import query, read_body
from target_dotdigital.sandbox.api.v2.answers import v2_answer
from target_dotdigital.sandbox.api.v2.contacts.contact_bodies import (
    read_contact,
    read_contact_with_consent,
)
from target_dotdigital.sandbox.api.v2.contacts.member_replies import (
    FieldValue,
    Member,
    member_of,
    member_page,
)
from target_dotdigital.sandbox.api.v2.contacts.single_contacts import (
    ContactWrites,
    delete_contact,
    get_contact,
)
from target_dotdigital.sandbox.api.v2.parameters import path_id, read_full_page
from target_dotdigital.sandbox.contacts import consent_records_of, preferences_of
from target_dotdigital.sandbox.storage import ALL_CONTACTS_ID

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from starlette.requests import Request

    from target_dotdigital.sandbox.contacts import ConsentRecordReply, Contact, PreferenceReply
    from target_dotdigital.sandbox.storage import Store

MAXIMUM_PAGE_CONTACTS = 1_000


class ConsentReply(msgspec.Struct, frozen=True):
    """A consent that a contact gave. It has no ID of its own here."""

    id: None
    fields: list[FieldValue]


class PreferenceOfContact(msgspec.Struct, frozen=True, rename="camel"):
    """A preference that a contact has set."""

    id: int
    public_name: str
    private_name: str
    is_preference: bool
    is_opted_in: bool


class ContactWithConsentReply(msgspec.Struct, frozen=True, rename="camel"):
    """A contact with its consents."""

    contact: Member
    consent_fields: list[ConsentReply]


class ContactWithAllReply(ContactWithConsentReply, frozen=True, rename="camel"):
    """A contact with its consents and preferences."""

    preferences: list[PreferenceOfContact]


async def list_contacts(request: Request) -> Response:
    """Answer a page of the contacts."""
    select, skip, with_fields = read_full_page(request.query_params, MAXIMUM_PAGE_CONTACTS)
    return v2_answer(
        request,
        await query(
            request,
            lambda connection: member_page(
                connection, ALL_CONTACTS_ID, select, skip, with_fields=with_fields
            ),
        ),
    )


async def create_contact(request: Request) -> Response:
    """Create a contact, or update the one that has its address."""
    body = await read_body(request)
    return await _write(
        request, lambda writes: writes.create(read_contact(body)), HTTPStatus.CREATED
    )


async def create_contact_with_consent(request: Request) -> Response:
    """Create or update a contact with consents."""
    return await _create_with(request, with_preferences=False)


async def create_contact_with_all(request: Request) -> Response:
    """Create or update a contact with consents and preferences."""
    return await _create_with(request, with_preferences=True)


async def read_one(request: Request) -> Response:
    """Answer a contact."""
    name = _name(request)
    return v2_answer(
        request,
        await query(request, lambda connection: member_of(get_contact(connection, name))),
    )


async def read_one_with_consent(request: Request) -> Response:
    """Answer a contact with its consents."""
    name = _name(request)

    def read(connection: sqlite3.Connection) -> ContactWithConsentReply:
        return _with_consent(connection, get_contact(connection, name))

    return v2_answer(request, await query(request, read))


async def update_contact(request: Request) -> Response:
    """Update a contact."""
    name, body = _name(request), await read_body(request)
    return await _write(request, lambda writes: writes.update(name, read_contact(body)))


async def update_contact_with_consent(request: Request) -> Response:
    """Update a contact, and add consents."""
    return await _update_with(request, with_preferences=False)


async def update_contact_with_all(request: Request) -> Response:
    """Update a contact, add consents and set preferences."""
    return await _update_with(request, with_preferences=True)


async def delete_one(request: Request) -> Response:
    """Delete a contact from the account."""
    await run_in_threadpool(delete_contact, request.app.state.store, _name(request))
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def add_contact_to_list(request: Request) -> Response:
    """Add a contact to an address book."""
    list_id, body = path_id(request), await read_body(request)
    return await _write(request, lambda writes: writes.add_to_list(list_id, read_contact(body)))


async def _create_with(request: Request, *, with_preferences: bool) -> Response:
    body = await read_body(request)

    def write(writes: ContactWrites) -> Contact:
        return writes.create(*read_contact_with_consent(body, with_preferences=with_preferences))

    return await _write(
        request, write, HTTPStatus.CREATED, reply=_with_all if with_preferences else _with_consent
    )


async def _update_with(request: Request, *, with_preferences: bool) -> Response:
    name, body = _name(request), await read_body(request)

    def write(writes: ContactWrites) -> Contact:
        contact, along = read_contact_with_consent(body, with_preferences=with_preferences)
        return writes.update(name, contact, along)

    return await _write(request, write, reply=_with_all if with_preferences else _with_consent)


async def _write(
    request: Request,
    write: Callable[[ContactWrites], Contact],
    status: HTTPStatus = HTTPStatus.OK,
    *,
    reply: Callable[[sqlite3.Connection, Contact], object] | None = None,
) -> Response:
    """Write a contact, in a thread, and answer it; `reply` adds what is read for the answer."""

    def run(store: Store) -> object:
        contact = write(ContactWrites(store, request.app.state.switches))
        if reply is None:
            return member_of(contact)
        with store.reading() as connection:
            return reply(connection, contact)

    return v2_answer(request, await run_in_threadpool(run, request.app.state.store), status)


def _with_consent(connection: sqlite3.Connection, contact: Contact) -> ContactWithConsentReply:
    return ContactWithConsentReply(member_of(contact), _consents(connection, contact))


def _with_all(connection: sqlite3.Connection, contact: Contact) -> ContactWithAllReply:
    preferences = preferences_of(connection, json.dumps([contact.id])).get(contact.id, [])
    return ContactWithAllReply(
        member_of(contact),
        _consents(connection, contact),
        [_preference(one) for one in preferences],
    )


def _consents(connection: sqlite3.Connection, contact: Contact) -> list[ConsentReply]:
    records = consent_records_of(connection, json.dumps([contact.id])).get(contact.id, [])
    return [ConsentReply(None, _parts(one)) for one in records]


def _parts(record: ConsentRecordReply) -> list[FieldValue]:
    return [
        FieldValue("TEXT", record.text),
        FieldValue("DATETIMECONSENTED", record.date_time_consented),
        FieldValue("URL", record.url),
        FieldValue("IPADDRESS", record.ip_address),
        FieldValue("USERAGENT", record.user_agent),
        FieldValue("DATETIMECREATED", record.date_time_created),
    ]


def _preference(one: PreferenceReply) -> PreferenceOfContact:
    return PreferenceOfContact(
        one.id,
        one.public_name,
        one.private_name,
        is_preference=True,
        is_opted_in=one.is_opted_in,
    )


def _name(request: Request) -> str:
    name: str = request.path_params["contact"]
    return name


class _NameConvertor(StringConvertor):
    """An ID, or an address: its local part may have a slash, which arrives decoded."""

    regex = r"[^/]+|[^@]+@[^/@]+"


register_url_convertor("v2_contact", _NameConvertor())
_CONTACTS = "/v2/contacts"
_ONE = f"{_CONTACTS}/{{contact:v2_contact}}"
_WITH_CONSENT = "with-consent"
_WITH_ALL = "with-consent-and-preferences"

CONTACT_ROUTES = (
    Route(_CONTACTS, list_contacts),
    Route(_CONTACTS, create_contact, methods=["POST"]),
    Route(f"{_CONTACTS}/{_WITH_CONSENT}", create_contact_with_consent, methods=["POST"]),
    Route(f"{_CONTACTS}/{_WITH_ALL}", create_contact_with_all, methods=["POST"]),
    Route("/v2/address-books/{id}/contacts", add_contact_to_list, methods=["POST"]),
    Route(f"{_ONE}/{_WITH_CONSENT}", read_one_with_consent),
    Route(f"{_ONE}/{_WITH_CONSENT}", update_contact_with_consent, methods=["PUT"]),
    Route(f"{_ONE}/{_WITH_ALL}", update_contact_with_all, methods=["PUT"]),
    Route(_ONE, read_one),
    Route(_ONE, update_contact, methods=["PUT"]),
    Route(_ONE, delete_one, methods=["DELETE"]),
)
