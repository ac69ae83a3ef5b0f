"""The calls of v3 about the account's custom identifiers."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from target_dotdigital.sandbox import account
from target_dotdigital.sandbox.api.requests import change, change_contacts, query, read_body
from target_dotdigital.sandbox.http import answer, v3_refusal

if TYPE_CHECKING:
    from starlette.requests import Request

    from target_dotdigital.sandbox.faults import Switches

_NEW = msgspec.json.Decoder(account.NewCustomIdentifier)


async def list_custom_identifiers(request: Request) -> Response:
    """Answer all custom identifiers."""
    return answer(await query(request, account.list_custom_identifiers))


async def create_custom_identifier(request: Request) -> Response:
    """Create a custom identifier."""
    body = await read_body(request)
    try:
        new = _NEW.decode(body)
    except msgspec.ValidationError as error:
        raise v3_refusal("customIdentifiers:badRequest", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        problem = "The request JSON is badly formed"
        raise v3_refusal("customIdentifiers:badJson", problem) from None
    created = await change(
        request, lambda connection: account.create_custom_identifier(connection, new)
    )
    return answer(created, HTTPStatus.CREATED)


async def delete_custom_identifier(request: Request) -> Response:
    """Delete a custom identifier."""
    name = request.path_params["name"]
    switches: Switches = request.app.state.switches
    with_values = switches.used_identifier == "deleted"
    await change_contacts(
        request,
        lambda connection: account.delete_custom_identifier(
            connection, name, with_values=with_values
        ),
    )
    return Response(status_code=HTTPStatus.NO_CONTENT)


CUSTOM_IDENTIFIER_ROUTES = (
    Route("/configuration/v3/customIdentifiers", list_custom_identifiers),
    Route("/configuration/v3/customIdentifiers", create_custom_identifier, methods=["POST"]),
    Route(
        "/configuration/v3/customIdentifiers/{name}",
        delete_custom_identifier,
        methods=["DELETE"],
    ),
)
