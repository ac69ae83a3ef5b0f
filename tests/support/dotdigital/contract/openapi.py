"""Checks of requests and answers against the vendor's OpenAPI files.

The files are not part of this repository: the environment variable `DOTDIGITAL_OPENAPI` names the
folder that holds them. Stricter rules than the files have are in
`tests.support.dotdigital.contract.rules`.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from openapi_core.validation.request.exceptions import ParameterValidationError

from tests.support.dotdigital.contract.configuration import CONFIGURATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.support.dotdigital.contract.recording import Exchange

FOLDER_VARIABLE = "DOTDIGITAL_OPENAPI"
HOST = "https://r1-api.dotdigital.com"
SHOWN_CHARACTERS = 200

CONFIGURATION_FILE = "configuration-v3"
"""It is described in `configuration`, and not by a file."""

# The first pattern that fits decides; the last file is the old and complete one of v2, which has
# an array where the one of lists has an object for whoever was unsubscribed.
FILES = (
    (r"/v2/address-books/[^/]+/contacts/import", "v2-full.json"),
    (r"/v2/address-books/[^/]+/contacts/unsubscribed-since/", "v2-full.json"),
    ("/contacts/v3", "contacts-v3.json"),
    ("/configuration/v3", CONFIGURATION_FILE),
    ("/v2/account-info", "accounts-v2.yaml"),
    ("/v2/server-time", "accounts-v2.yaml"),
    ("/v2/address-books", "lists-v2.yaml"),
    ("/v2/data-fields", "data-fields-v2.yaml"),
    ("/v2/", "v2-full.json"),
)

# Answers that the API has and its OpenAPI files do not tell of, or not of their bodies.
# 401 and 403: credentials and region; 413: over 50 MB; 429: rate limits; 5xx: faults.
WITHOUT_DOCUMENTED_BODY = frozenset({401, 403, 413, 429, 500, 502, 503, 504})
# The list file says 200 for a new list, the complete file of v2 says 201.
SAME_AS = {("POST", "/v2/address-books", 201): 200}

needs_vendor_files = pytest.mark.skipif(
    not os.environ.get(FOLDER_VARIABLE),
    reason=f"{FOLDER_VARIABLE} does not name the folder with the vendor's OpenAPI files",
)


def violations_of(exchanges: Iterable[Exchange]) -> list[str]:
    """Return what is wrong with recorded exchanges, each violation after its method and path."""
    return [
        f"{each.method} {each.path}: {violation}"
        for each in exchanges
        for violation in check_exchange(
            each.method,
            each.path,
            query=each.query,
            request_headers=each.request_headers,
            request_body=each.request_body,
            status=each.status,
            response_headers=each.response_headers,
            response_body=each.response_body,
        )
    ]


def check_exchange(
    method: str,
    path: str,
    *,
    query: Mapping[str, str],
    request_headers: Mapping[str, str],
    request_body: bytes,
    status: int,
    response_headers: Mapping[str, str],
    response_body: bytes,
) -> list[str]:
    """Return the violations of the vendor's OpenAPI file; none if the exchange is valid."""
    return [
        *check_request(method, path, query, request_headers, request_body),
        *check_response(method, path, status, response_headers, response_body),
    ]


def check_request(
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
) -> list[str]:
    document = _document_for(path)
    if document is None:
        return ["request: no vendor file knows this path"]
    request = MockRequest(
        HOST,
        method,
        path,
        args=dict(query),
        headers=dict(headers),
        data=body,
        content_type=_content_type(headers),
    )
    return [f"request: {each}" for each in _told(document.iter_request_errors(request))]


def check_response(
    method: str, path: str, status: int, headers: Mapping[str, str], body: bytes
) -> list[str]:
    document = _document_for(path)
    if document is None:
        return ["response: no vendor file knows this path"]
    if status in WITHOUT_DOCUMENTED_BODY and not _is_json(headers):
        return []
    if status >= HTTPStatus.BAD_REQUEST and path.startswith("/v2/"):
        return _check_v2_error(body)
    if status in WITHOUT_DOCUMENTED_BODY and status != HTTPStatus.TOO_MANY_REQUESTS:
        return []
    if status == HTTPStatus.NO_CONTENT:
        # The files give these answers a body, which HTTP does not.
        return ["response: 204 has a body"] if body else []
    request = MockRequest(HOST, method, path)
    response = MockResponse(
        body,
        SAME_AS.get((method, path, status), status),
        dict(headers),
        content_type=_content_type(headers),
    )
    return [f"response: {each}" for each in _told(document.iter_response_errors(request, response))]


def _check_v2_error(body: bytes) -> list[str]:
    """The v2 files tell of no error at all; the vendor's documentation has this shape."""
    try:
        message = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError):
        return ["response: a v2 error is an object with a message"]
    if not isinstance(message, str) or not message:
        return ["response: the message of a v2 error is a text"]
    return []


def _content_type(headers: Mapping[str, str]) -> str:
    found = (value for name, value in headers.items() if name.lower() == "content-type")
    return next(found, "").lower()


def _is_json(headers: Mapping[str, str]) -> bool:
    return _content_type(headers).startswith("application/json")


def _told(errors: Iterable[Exception]) -> Iterator[str]:
    """Yield each error's place and message; the library's own texts repeat the whole body."""
    for error in errors:
        cause = error.__cause__
        details = list(getattr(cause, "schema_errors", ()))
        if not details:
            reason = type(error).__name__ if cause is None else f"{type(error).__name__}: {cause}"
            yield f"{reason} ({error})"[:SHOWN_CHARACTERS]
        for detail in details:
            yield f"{_place(error, detail.json_path)}: {detail.message}"[:SHOWN_CHARACTERS]


def _place(error: Exception, json_path: str) -> str:
    if isinstance(error, ParameterValidationError):
        return f"{error.location} {error.name}"
    return json_path


def _document_for(path: str) -> OpenAPI | None:
    name = next((name for pattern, name in FILES if re.match(pattern, path)), None)
    return None if name is None else _document(name)


@cache
def _document(name: str) -> OpenAPI:
    return OpenAPI.from_dict(mended(name))


def mended(name: str) -> dict[str, Any]:
    """Return one of the vendor's files without its faults."""
    if name == CONFIGURATION_FILE:
        return CONFIGURATION
    # All of them are JSON, those called .yaml too.
    path = Path(os.environ[FOLDER_VARIABLE]) / name
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    _mend_patterns(content)
    if name == "contacts-v3.json":
        _mend_contacts(content["components"]["schemas"])
    if name == "lists-v2.yaml":
        _mend_lists(content["paths"])
    if name == "v2-full.json":
        _mend_full(content["paths"])
        _mend_combinations(content["components"]["schemas"])
    return content


def _mend_combinations(schemas: dict[str, Any]) -> None:
    """Make one schema of those that are combined: each forbids the properties of the other."""
    for name, schema in schemas.items():
        if "allOf" in schema:
            parts = [
                schemas[part["$ref"].rpartition("/")[2]] if "$ref" in part else part
                for part in schema["allOf"]
            ]
            combined = {key: value for part in parts for key, value in part["properties"].items()}
            schemas[name] = {**parts[0], "properties": combined}


def _mend_lists(paths: dict[str, Any]) -> None:
    """Take a body for what it is: `RAW_BODY` says that it is an array, and not in an object."""
    for path in paths.values():
        body = path.get("post", {}).get("requestBody")
        if body is None:
            continue
        media = body["content"]["application/json"]
        media["schema"] = media["schema"].get("properties", {}).get("RAW_BODY", media["schema"])


def _mend_full(paths: dict[str, Any]) -> None:
    """Leave out bodies of which the file knows nothing, but for those that a newer file tells.

    Where its generator knew no type, it wrote that the body is a file.
    """
    for path in paths.values():
        for operation in path.values():
            for response in operation["responses"].values():
                if "application/octet-stream" in response.get("content", {}):
                    del response["content"]
    one = {"$ref": "#/components/schemas/ApiPreference"}
    many = {"type": "array", "items": one}
    for path, method, schema in (
        ("/v2/preferences", "get", many),
        ("/v2/preferences", "post", one),
        ("/v2/contacts/{contactEmail}/preferences", "get", many),
        ("/v2/contact/{contactEmail}/preferences", "get", many),
    ):
        answer = paths[path][method]["responses"]["200"]
        answer["content"] = {"application/json": {"schema": schema}}


def _mend_patterns(node: Any) -> None:  # noqa: ANN401 - walks any JSON
    """Take the slashes off patterns that are written as JavaScript's /…/: none would ever match."""
    if isinstance(node, list):
        for each in node:
            _mend_patterns(each)
    if isinstance(node, dict):
        pattern = node.get("pattern")
        if isinstance(pattern, str) and pattern.startswith("/") and pattern.endswith("/"):
            node["pattern"] = pattern[1:-1]
        for each in node.values():
            _mend_patterns(each)


def _mend_contacts(schemas: dict[str, Any]) -> None:
    """Resolve the contacts file's contradictions: each forbids what the file also asks for."""
    # `contactIdObject` makes contactId an integer, and the `identifiers` that it is combined with
    # let every name that they do not know be a string only.
    contact_id = schemas["contactIdObject"]["properties"]["contactId"]
    schemas["identifiers"]["properties"]["contactId"] = contact_id
    # An e-mail channel may have `resubscribeOptions` by one schema and, by the one that it is
    # combined with, no property beside its own three.
    options = schemas["channelPropertiesWithResubscribe_channelProperties_email"]["properties"]
    schemas["channelProperties_channelProperties_email"]["properties"].update(options)
    # One identifier is by the fourth alternative any name with its value, the first three included.
    schemas["contactIdentifier"]["anyOf"] = schemas["contactIdentifier"].pop("oneOf")
    # A record of consent must have a `dateTimeCreated` and may have nothing but its other parts.
    record = {**schemas["consentRecord"]}
    del record["additionalProperties"]
    schemas["consentRecords"]["items"]["allOf"][0] = record
    # A preference must have a `name`, but has a `publicName` and a `privateName`.
    schemas["preferenceFull"]["required"].remove("name")
