"""The calls of v2 about marketing preferences, and about those that a contact has chosen."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

import msgspec
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from target_dotdigital.sandbox import account
from target_dotdigital.sandbox.api.requests import change, change_contacts, query, read_body
from target_dotdigital.sandbox.api.v2.answers import v2_answer
from target_dotdigital.sandbox.api.v2.contacts import contact_not_found
from target_dotdigital.sandbox.api.v2.parameters import path_id
from target_dotdigital.sandbox.contacts import (
    CONTACT_ID,
    EMAIL,
    LARGEST_CONTACT_ID,
    Preference,
    find_contacts,
    normalise_identifiers,
    preferences_of,
    set_preferences,
)
from target_dotdigital.sandbox.http import AnyCaseDecoder, decode_v2, v2_refusal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from starlette.requests import Request

    from target_dotdigital.sandbox.faults import Switches

INVALID = "ERROR_PREFERENCE_INVALID"

DELETED = "Preference or category (and preferences) were deleted successfully"


class Choice(msgspec.Struct, frozen=True, rename="camel"):
    """A preference that a contact chooses or declines, or a category with some of them."""

    id: Annotated[int, msgspec.Meta(gt=0, le=account.LARGEST_PREFERENCE_ID)]
    is_opted_in: bool | None = None
    preferences: list[Choice] | None = None


_NEW = AnyCaseDecoder(account.NewPreference)
_CHANGED = AnyCaseDecoder(account.ChangedPreference)
_CHOICES = AnyCaseDecoder(list[Choice])


async def list_preferences(request: Request) -> Response:
    """Answer all preferences, those of a category inside it."""
    return v2_answer(request, await query(request, account.preference_tree))


async def create_preference(request: Request) -> Response:
    """Create a preference or a category."""
    new = decode_v2(_NEW, await read_body(request), INVALID)
    return v2_answer(
        request,
        await change(request, lambda connection: account.create_preference(connection, new)),
    )


async def update_preference(request: Request) -> Response:
    """Change a preference or a category."""
    preference_id = path_id(request)
    changed = decode_v2(_CHANGED, await read_body(request), INVALID)
    return v2_answer(
        request,
        await change(
            request,
            lambda connection: account.update_preference(connection, preference_id, changed),
        ),
    )


async def delete_preference(request: Request) -> Response:
    """Delete a preference, or a category with its preferences."""
    preference_id = path_id(request)
    await change_contacts(
        request, lambda connection: account.delete_preference(connection, preference_id)
    )
    return PlainTextResponse(DELETED)


async def get_choices(request: Request) -> Response:
    """Answer all preferences, and which of them a contact has opted in to."""

    def read(connection: sqlite3.Connection) -> list[account.MarketingPreference]:
        contact_id = _contact_id(connection, request.path_params["contact"])
        chosen = preferences_of(connection, json.dumps([contact_id])).get(contact_id, ())
        opted_in = {one.id for one in chosen if one.is_opted_in}
        return account.preference_tree(connection, opted_in)

    return v2_answer(request, await query(request, read))


async def set_choices(request: Request) -> Response:
    """Opt a contact in to preferences, and out of others. Those that are not sent stay."""
    choices = decode_v2(_CHOICES, await read_body(request), INVALID)
    switches: Switches = request.app.state.switches

    def write(connection: sqlite3.Connection) -> None:
        contact_id = _contact_id(connection, request.path_params["contact"])
        known = account.load_definitions(connection).preferences
        chosen = list(_chosen(choices))
        if switches.unknown_preference == "reported":
            _insist_on_known(chosen, known)
        set_preferences(connection, {contact_id: chosen})

    await change_contacts(request, write)
    # The vendor's file has an empty text as the answer's value.
    return Response(status_code=HTTPStatus.OK)


def _chosen(choices: Iterable[Choice]) -> Iterator[Preference]:
    for choice in choices:
        if choice.preferences is not None:
            yield from _chosen(choice.preferences)
        elif choice.is_opted_in is not None:
            yield Preference(choice.id, choice.is_opted_in)


def _insist_on_known(chosen: Iterable[Preference], known: frozenset[int]) -> None:
    if not known.issuperset(one.id for one in chosen):
        raise account.preference_not_found()


def _contact_id(connection: sqlite3.Connection, text: str) -> int:
    """Return the ID of the contact that a path names, by its ID or its e-mail address.

    Raises:
        RefusalError: 400, it is neither; 404, there is no such contact.
    """
    is_id = text.isascii() and text.isdigit() and len(text) < len(str(LARGEST_CONTACT_ID))
    name, value = (CONTACT_ID, int(text)) if is_id else (EMAIL, text)
    identifiers, failures = normalise_identifiers({name: value})
    if failures:
        raise v2_refusal("ERROR_CONTACT_INVALID", "This is no ID and no e-mail address.")
    found = find_contacts(connection, [identifiers]).find(name, identifiers.get(name) or 0)
    if found is None:
        raise contact_not_found()
    return found.id


# An e-mail address may have a slash, which arrives decoded. The vendor has either spelling.
_OF_CONTACT = "/v2/contacts/{contact:path}/preferences"
_OF_CONTACT_TOO = "/v2/contact/{contact:path}/preferences"

PREFERENCE_ROUTES = (
    Route("/v2/preferences", list_preferences),
    Route("/v2/preferences", create_preference, methods=["POST"]),
    Route("/v2/preferences/{id}", update_preference, methods=["PUT"]),
    Route("/v2/preferences/{id}", delete_preference, methods=["DELETE"]),
    Route(_OF_CONTACT, get_choices),
    Route(_OF_CONTACT, set_choices, methods=["PUT"]),
    Route(_OF_CONTACT_TOO, get_choices),
    Route(_OF_CONTACT_TOO, set_choices, methods=["PUT"]),
)
