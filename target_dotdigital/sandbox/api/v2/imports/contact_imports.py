"""The calls of v2 that import contacts, and those about an import.

Source: https://developer.dotdigital.com/reference/bulk-import-contacts.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from target_dotdigital.sandbox import account
from target_dotdigital.sandbox.api.requests import query, read_body
from target_dotdigital.sandbox.api.v2.answers import v2_answer
from target_dotdigital.sandbox.api.v2.imports.collections import read_collection
from target_dotdigital.sandbox.api.v2.imports.files import read_file
from target_dotdigital.sandbox.api.v2.parameters import path_id
from target_dotdigital.sandbox.http import v2_refusal
from target_dotdigital.sandbox.imports import (
    MergeOptionError,
    NoEmailColumnError,
    UploadError,
    V2ImportStatus,
    read_csv,
    read_merge_option,
    unreadable,
    upload_of,
    v2_import_faults,
    v2_import_status,
    v2_import_summary,
)
from target_dotdigital.sandbox.storage import ALL_CONTACTS_ID

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from starlette.requests import Request

    from target_dotdigital.sandbox.api.v2.imports.files import SentFile
    from target_dotdigital.sandbox.contacts import MergeOption
    from target_dotdigital.sandbox.http import RefusalError
    from target_dotdigital.sandbox.imports import Intake, Upload


async def import_file(request: Request) -> Response:
    """Accept a file of contacts, with or without an address book and a merge option."""
    try:
        option = read_merge_option(request.path_params.get("merge_option", 0))
    except MergeOptionError:
        raise _no_merge_option() from None
    lists = [path_id(request)] if "id" in request.path_params else []
    file = await read_file(request)
    return await _accept(request, lambda: _read(file, option, lists))


async def import_collection(request: Request) -> Response:
    """Accept a collection of contacts."""
    body = await read_body(request)

    def read() -> Upload:
        try:
            return read_collection(body)
        except MergeOptionError:
            raise _no_merge_option() from None

    return await _accept(request, read)


async def get_import_status(request: Request) -> Response:
    """Answer how far an import is."""
    import_id = request.path_params["import_id"]
    return v2_answer(
        request, await query(request, lambda connection: v2_import_status(connection, import_id))
    )


async def get_import_report(request: Request) -> Response:
    """Answer the sums of an import that is finished."""
    import_id = request.path_params["import_id"]
    return v2_answer(
        request, await query(request, lambda connection: v2_import_summary(connection, import_id))
    )


async def get_import_faults(request: Request) -> Response:
    """Answer the contacts of an import that failed, as CSV."""
    import_id = request.path_params["import_id"]
    faults = await query(request, lambda connection: v2_import_faults(connection, import_id))
    # The vendor's file has the other type only; a client that asks for CSV is given it.
    asks = "text/csv" in request.headers.get("accept", "").lower()
    return Response(faults, media_type="text/csv" if asks else "application/octet-stream")


async def _accept(request: Request, read: Callable[[], Upload]) -> Response:
    imports: Intake = request.app.state.imports
    store = request.app.state.store

    def accept() -> str:
        upload = read()
        with store.reading() as connection:
            _check_lists(connection, upload.lists)
        return imports.accept_v2(upload)

    import_id = await run_in_threadpool(accept)
    return v2_answer(request, V2ImportStatus(import_id, "NotFinished"), HTTPStatus.ACCEPTED)


def _read(file: SentFile, option: MergeOption, lists: list[int]) -> Upload:
    try:
        if not file.is_csv:
            return unreadable(option, lists)
        columns, contacts = read_csv(file.content)
    except UploadError:
        return unreadable(option, lists)
    except NoEmailColumnError:
        raise v2_refusal(
            "ERROR_NO_EMAIL_COLUMN", "The file has no column for the e-mail address."
        ) from None
    return upload_of(contacts, columns, merge_option=option, lists=lists, is_file=True)


def _check_lists(connection: sqlite3.Connection, lists: Sequence[int]) -> None:
    for list_id in lists:
        # Everyone joins this one anyway.
        if list_id != ALL_CONTACTS_ID:
            account.writable_address_book(connection, list_id)


def _no_merge_option() -> RefusalError:
    return v2_refusal("ERROR_PARAMETER_INVALID", "There is no such merge option.")


_ACCOUNT = "/v2/contacts/import"
_LIST = "/v2/address-books/{id}/contacts/import"
_OPTION = "/with-merge-option/{merge_option}"

IMPORT_ROUTES = (
    Route(_ACCOUNT, import_file, methods=["POST"]),
    Route(f"{_ACCOUNT}{_OPTION}", import_file, methods=["POST"]),
    Route(f"{_ACCOUNT}-collection", import_collection, methods=["POST"]),
    Route(_LIST, import_file, methods=["POST"]),
    Route(f"{_LIST}{_OPTION}", import_file, methods=["POST"]),
    Route(f"{_ACCOUNT}/{{import_id}}", get_import_status),
    Route(f"{_ACCOUNT}/{{import_id}}/report", get_import_report),
    Route(f"{_ACCOUNT}/{{import_id}}/report-faults", get_import_faults),
)
