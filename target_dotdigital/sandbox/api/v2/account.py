"""The calls of v2 about the account itself."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from target_dotdigital.sandbox.api.v2.answers import v2_answer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

ACCOUNT_ID = 1


class Property(msgspec.Struct, frozen=True):
    """A property of the account. Values are strings, whatever their type is called."""

    name: str
    type: str
    value: str


class AccountInfo(msgspec.Struct, frozen=True):
    """The account as v2 answers it."""

    id: int
    properties: tuple[Property, ...]


async def account_info(request: Request) -> Response:
    """Tell what account this is, and at which address it is served."""
    properties = (
        Property("Name", "String", "Dotdigital sandbox"),
        Property("MainEmail", "String", "sandbox@apiconnector.com"),
        Property("APILocale", "String", "en-GB"),
        # As the client sees it: behind a forwarded port it is another one than is listened on.
        Property("ApiEndpoint", "String", str(request.base_url)),
        Property("CurrencyCode", "String", "GBP"),
        Property("TimeZoneIana", "String", "UTC"),
    )
    return v2_answer(request, AccountInfo(ACCOUNT_ID, properties))


async def server_time(_request: Request) -> Response:
    """Tell the time in UTC."""
    return PlainTextResponse(str(datetime.now(timezone.utc)))


ACCOUNT_ROUTES = (
    Route("/v2/account-info", account_info),
    Route("/v2/server-time", server_time),
)
