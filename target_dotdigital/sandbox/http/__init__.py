"""HTTP: what all calls have in common, whatever they are about.

JSON, parameters, routes and errors, who may call, and an answer when something goes wrong inside.
"""

from target_dotdigital.sandbox.http.any_case import AnyCaseDecoder
from target_dotdigital.sandbox.http.authentication import AuthenticationMiddleware, Credentials
from target_dotdigital.sandbox.http.bodies import JSON, answer, decode_v2, decode_v3, drain
from target_dotdigital.sandbox.http.error_handlers import (
    EXCEPTION_HANDLERS,
    ServerErrorMiddleware,
)
from target_dotdigital.sandbox.http.errors import (
    BAD_JSON,
    Detail,
    RefusalError,
    is_v2,
    schema_refusal,
    v2_refusal,
    v3_refusal,
)
from target_dotdigital.sandbox.http.header_names import SpellingConnection
from target_dotdigital.sandbox.http.origins import OriginMiddleware
from target_dotdigital.sandbox.http.parameters import LARGEST_PARAMETER, whole_number
from target_dotdigital.sandbox.http.routes import (
    EncodedRoute,
    RouteTable,
    TrailingSlashMiddleware,
    find_route,
    route_name,
)

__all__ = [
    "BAD_JSON",
    "EXCEPTION_HANDLERS",
    "JSON",
    "LARGEST_PARAMETER",
    "AnyCaseDecoder",
    "AuthenticationMiddleware",
    "Credentials",
    "Detail",
    "EncodedRoute",
    "OriginMiddleware",
    "RefusalError",
    "RouteTable",
    "ServerErrorMiddleware",
    "SpellingConnection",
    "TrailingSlashMiddleware",
    "answer",
    "decode_v2",
    "decode_v3",
    "drain",
    "find_route",
    "is_v2",
    "route_name",
    "schema_refusal",
    "v2_refusal",
    "v3_refusal",
    "whole_number",
]
