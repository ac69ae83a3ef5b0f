"""The calls of v2 about data fields."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from target_dotdigital.sandbox import account
from target_dotdigital.sandbox.api.requests import change, change_contacts, query, read_body
from target_dotdigital.sandbox.api.v2.answers import v2_answer
from target_dotdigital.sandbox.http import AnyCaseDecoder, decode_v2

if TYPE_CHECKING:
    from starlette.requests import Request

    from target_dotdigital.sandbox.faults import Switches

_NEW = AnyCaseDecoder(account.NewDataField)


async def list_data_fields(request: Request) -> Response:
    """Answer all data fields."""
    return v2_answer(request, await query(request, account.list_data_fields))


async def create_data_field(request: Request) -> Response:
    """Create a data field."""
    body = await read_body(request)
    new = decode_v2(_NEW, body, "ERROR_DATAFIELD_INVALID")
    created = await change(request, lambda connection: account.create_data_field(connection, new))
    switches: Switches = request.app.state.switches
    if switches.created_field == "empty":
        return Response(status_code=HTTPStatus.CREATED)
    return v2_answer(request, created, HTTPStatus.CREATED)


async def delete_data_field(request: Request) -> Response:
    """Delete a data field, and its values."""
    name = request.path_params["name"]
    return v2_answer(
        request,
        await change_contacts(
            request, lambda connection: account.delete_data_field(connection, name)
        ),
    )


DATA_FIELD_ROUTES = (
    Route("/v2/data-fields", list_data_fields),
    Route("/v2/data-fields", create_data_field, methods=["POST"]),
    Route("/v2/data-fields/{name}", delete_data_field, methods=["DELETE"]),
)
