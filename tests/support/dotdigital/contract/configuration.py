"""The vendor's configuration service, as its file (3.0.2) describes custom identifiers.

That file is not among those of `DOTDIGITAL_OPENAPI`: here are its paths, statuses and shapes.
"""

from __future__ import annotations

from typing import Any, Final

NAME: Final = {
    "type": "string",
    "minLength": 1,
    "maxLength": 50,
    "pattern": "^[-A-Za-z0-9_]{1,50}$",
}
MOMENT: Final = {"type": "string", "format": "date-time"}
IDENTIFIER: Final = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "created": MOMENT, "updated": MOMENT},
}
ERROR: Final = {
    "type": "object",
    "required": ["errorCode", "description"],
    "properties": {
        "errorCode": {"type": "string"},
        "description": {"type": "string"},
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["item", "description"],
                "properties": {"item": {"type": "string"}, "description": {"type": "string"}},
            },
        },
    },
}


def _answers(*refusals: int, **bodies: Any) -> dict[str, Any]:
    """Return responses: refusals, and others by `status_200`, without a body if it is None."""
    found: dict[str, Any] = {str(status): _answer(ERROR) for status in refusals}
    found.update((name.removeprefix("status_"), _answer(body)) for name, body in bodies.items())
    return found


def _answer(body: dict[str, Any] | None) -> dict[str, Any]:
    content = {} if body is None else {"content": {"application/json": {"schema": body}}}
    return {"description": "-", **content}


CONFIGURATION: Final[dict[str, Any]] = {
    "openapi": "3.0.3",
    "info": {"title": "Configuration", "version": "3.0.2"},
    "servers": [{"url": "https://r1-api.dotdigital.com"}],
    "paths": {
        "/configuration/v3/customIdentifiers": {
            "get": {
                "responses": _answers(
                    status_200={"type": "array", "items": IDENTIFIER}, status_401=None
                )
            },
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {"name": NAME},
                            }
                        }
                    },
                },
                "responses": _answers(
                    400, 409, status_201=IDENTIFIER, status_401=None, status_412=None
                ),
            },
        },
        "/configuration/v3/customIdentifiers/{name}": {
            "delete": {
                "parameters": [
                    {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "responses": _answers(400, 404, status_204=None, status_401=None),
            }
        },
    },
}
