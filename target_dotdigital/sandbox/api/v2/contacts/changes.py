"""The calls of v2 that answer who was created, changed or unsubscribed since a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from target_dotdigital.sandbox.account import get_address_book
from target_dotdigital.sandbox.api.requests import query
from target_dotdigital.sandbox.api.v2.answers import v2_answer
from target_dotdigital.sandbox.api.v2.contacts.member_replies import (
    COLUMNS,
    Member,
    members_of,
    v2_status,
)
from target_dotdigital.sandbox.api.v2.contacts.subscriptions import Suppression
from target_dotdigital.sandbox.api.v2.parameters import path_id, path_time, read_full_page
from target_dotdigital.sandbox.contacts import SUPPRESSED, UNSUBSCRIBED
from target_dotdigital.sandbox.storage import ALL_CONTACTS_ID, WHOLE_ACCOUNT

if TYPE_CHECKING:
    import sqlite3

    from starlette.requests import Request
    from starlette.responses import Response

MAXIMUM_PAGE = 1_000
MAXIMUM_PAGE_MODIFIED = 2_000
"""What v2-full has as the default of `modified-since`; the vendor's newer file says 1,000."""

_PAGE = "LIMIT :select OFFSET :skip"
_OF_ALL = f"email IS NOT NULL ORDER BY id {_PAGE}"
_CREATED = f"SELECT {COLUMNS} FROM contact WHERE created >= :since AND {_OF_ALL}"  # noqa: S608 - a constant
_MODIFIED = f"SELECT {COLUMNS} FROM contact WHERE updated >= :since AND {_OF_ALL}"  # noqa: S608 - a constant
_MODIFIED_IN_LIST = f"""
    SELECT {COLUMNS} FROM membership JOIN contact ON contact.id = contact_id
    WHERE address_book_id = :list AND updated >= :since AND email IS NOT NULL
    ORDER BY contact_id {_PAGE}
"""  # noqa: S608 - a constant
_REMOVED = f"""
    SELECT removed, {COLUMNS} FROM opt_out JOIN contact ON contact.id = contact_id
    WHERE address_book_id = :list AND removed >= :since AND email IS NOT NULL
    AND (:statuses IS NULL OR email_status IN (SELECT value FROM json_each(:statuses)))
    ORDER BY removed, contact_id {_PAGE}
"""  # noqa: S608 - a constant


async def created_since(request: Request) -> Response:
    """Answer contacts that were created since a time."""
    return await _answer_contacts(request, _CREATED, MAXIMUM_PAGE)


async def modified_since(request: Request) -> Response:
    """Answer contacts that were created or changed since a time."""
    return await _answer_contacts(request, _MODIFIED, MAXIMUM_PAGE_MODIFIED)


async def modified_in_list_since(request: Request) -> Response:
    """Answer contacts of an address book that were created or changed since a time."""
    list_id = path_id(request)
    statement = _MODIFIED if list_id == ALL_CONTACTS_ID else _MODIFIED_IN_LIST
    return await _answer_contacts(request, statement, MAXIMUM_PAGE_MODIFIED, list_id)


async def unsubscribed_since(request: Request) -> Response:
    """Answer contacts that were unsubscribed from the account since a time."""
    return await _answer_suppressions(request, f'["{UNSUBSCRIBED}"]')


async def suppressed_since(request: Request) -> Response:
    """Answer contacts that are not mailed since a time, for whichever reason."""
    return await _answer_suppressions(request, f'["{UNSUBSCRIBED}", "{SUPPRESSED}"]')


async def unsubscribed_from_list_since(request: Request) -> Response:
    """Answer contacts that were unsubscribed from an address book since a time.

    Those that were unsubscribed from the account are not among them.
    """
    return await _answer_suppressions(request, None, path_id(request))


async def _answer_contacts(
    request: Request, statement: str, most: int, list_id: int = ALL_CONTACTS_ID
) -> Response:
    since = path_time(request)
    select, skip, with_fields = read_full_page(request.query_params, most)
    parameters = {"since": since, "select": select, "skip": skip, "list": list_id}

    def read(connection: sqlite3.Connection) -> list[Member]:
        get_address_book(connection, list_id)
        return members_of(connection.execute(statement, parameters), with_fields=with_fields)

    return v2_answer(request, await query(request, read))


async def _answer_suppressions(
    request: Request, statuses: str | None, list_id: int = WHOLE_ACCOUNT
) -> Response:
    since = path_time(request)
    select, skip, _ = read_full_page(request.query_params, MAXIMUM_PAGE)
    parameters = {
        "since": since,
        "select": select,
        "skip": skip,
        "list": list_id,
        "statuses": statuses,
    }

    def read(connection: sqlite3.Connection) -> list[Suppression]:
        if list_id != WHOLE_ACCOUNT:
            get_address_book(connection, list_id)
        rows = connection.execute(_REMOVED, parameters).fetchall()
        members = members_of([row[1:] for row in rows], with_fields=False)
        reason = None if list_id == WHOLE_ACCOUNT else v2_status(UNSUBSCRIBED)
        return [
            Suppression(member, row["removed"], reason or member.status)
            for row, member in zip(rows, members, strict=True)
        ]

    return v2_answer(request, await query(request, read))


_CONTACTS = "/v2/contacts"
_OF_LIST = "/v2/address-books/{id}/contacts"

CHANGE_ROUTES = (
    Route(f"{_CONTACTS}/created-since/{{date}}", created_since),
    Route(f"{_CONTACTS}/modified-since/{{date}}", modified_since),
    Route(f"{_CONTACTS}/unsubscribed-since/{{date}}", unsubscribed_since),
    Route(f"{_CONTACTS}/suppressed-since/{{date}}", suppressed_since),
    Route(f"{_OF_LIST}/modified-since/{{date}}", modified_in_list_since),
    Route(f"{_OF_LIST}/unsubscribed-since/{{date}}", unsubscribed_from_list_since),
)
