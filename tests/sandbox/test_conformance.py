"""Generated requests: whatever is sent, the answer is one that the vendor's files describe."""

from __future__ import annotations

import base64
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.api import API_ROUTES
from tests.sandbox.conftest import LIST_ID
from tests.support.dotdigital.contract.openapi import (
    CONFIGURATION_FILE,
    FOLDER_VARIABLE,
    check_response,
    mended,
    needs_vendor_files,
)
from tests.support.sandbox.client import DEADLINE_SECONDS, SandboxClient, people
from tests.support.sandbox.v2_imports import csv_of, send_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import APIOperation, Case, GenerationMode

schemathesis = pytest.importorskip(
    "schemathesis", reason="schemathesis needs Python 3.11 beside this jsonschema-rs"
)
pytestmark = needs_vendor_files

FILES = (
    "contacts-v3.json",
    CONFIGURATION_FILE,
    "accounts-v2.yaml",
    "lists-v2.yaml",
    "data-fields-v2.yaml",
    "v2-full.json",
)
"""An operation that two of them have is the first one's: the last is the oldest."""

NEVER_INVALID = frozenset(
    {
        "GET /configuration/v3/customIdentifiers",
        "DELETE /configuration/v3/customIdentifiers/{name}",
        "GET /v2/contact/{contactEmail}/preferences",
        "GET /v2/contacts/count",
        "GET /v2/contacts/deletion/{deletionRequestId}",
        "GET /v2/contacts/import/{importId}",
        "GET /v2/contacts/import/{importId}/report",
        "GET /v2/contacts/import/{importId}/report-faults",
        "GET /v2/contacts/{contactEmail}/preferences",
        "GET /v2/preferences",
    }
)
"""Operations to which nothing can be sent that the vendor's file does not allow.

They have no parameter, or one in their path that may be any text.
"""

EXAMPLES = {"v2-full.json": 12}
"""Requests of each kind to each operation of a file; all of it takes about a minute."""

OTHER_EXAMPLES = 20

PATHS = (
    (r"/v2/address-books/", "id", "list"),
    (r"/v2/.*preferences/", "id", "preference"),
    (r"/v2/segments/", "id", "segment"),
    (r"/v2/contacts/", "id", "contact"),
    (r"/v2/.*import/", "importId", "v2 import"),
    (r"/contacts/v3/import/", "importId", "import"),
    (r"", "addressBookId", "list"),
    (r"", "contactId", "contact"),
    (r"", "contactEmail", "email"),
    (r"", "deletionRequestId", "v2 deletion"),
    (r"", "deleteId", "deletion"),
    (r"", "date", "date"),
    (r"", "identifier", "identifier"),
    (r"", "value", "email"),
    (r"", "name", "field"),
    (r"", "mergeOption", "merge option"),
)
"""Which parameter of which paths is what; generated values are hardly ever of what is there."""


EMAIL = "known1@example.com"
FILE = csv_of(("Email", "FIRSTNAME"), (EMAIL, "Ada"))
SEGMENT = {"name": "Known", "rule": {"inAny": [LIST_ID]}}
PREFERENCE = {"publicName": "News", "privateName": "News", "isPreference": True, "isPublic": True}


def template(path: str) -> str:
    """Return a path with its parameters' names, which differ, left out."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def implemented() -> list[tuple[APIOperation[Any, Any, Any, Any], int]]:
    """Return the operations that the sandbox has routes for, and how many requests each gets."""
    if not os.environ.get(FOLDER_VARIABLE):
        return []
    routes = {
        (method, template(route.path)) for route in API_ROUTES for method in route.methods or ()
    }
    found: dict[tuple[str, str], tuple[APIOperation[Any, Any, Any, Any], int]] = {}
    for name in FILES:
        for result in schemathesis.openapi.from_dict(mended(name)).get_all_operations():
            assert isinstance(result, schemathesis.core.result.Ok), (
                f"{name} has an operation that cannot be read"
            )
            operation = result.ok()
            route = (operation.method.upper(), template(operation.path))
            if route in routes:
                found.setdefault(route, (operation, EXAMPLES.get(name, OTHER_EXAMPLES)))
    return list(found.values())


OPERATIONS = implemented()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxClient]:
    """A sandbox that fills with what is sent: later answers hold what earlier requests brought."""
    database = tmp_path_factory.mktemp("conformance") / "dotdigital.db"
    with (
        SandboxServer(Options(database, address_books=[LIST_ID])) as server,
        SandboxClient(server.url) as running,
    ):
        yield running


class Account:
    """What there is in the account of a sandbox that fills with what is sent."""

    def __init__(self, client: SandboxClient) -> None:
        self.client = client
        answered = {
            "preference": client.call("POST", "/v2/preferences", json=PREFERENCE),
            "segment": client.call("POST", "/sandbox/segments", json=SEGMENT),
            "v2 import": send_json(client, FILE),
            "v2 deletion": client.call("POST", f"/v2/address-books/{LIST_ID}/contacts/delete-all"),
        }
        self._known = {
            "email": EMAIL,
            "identifier": "email",
            "field": "FIRSTNAME",
            "date": "2020-01-01",
            "merge option": "OverwriteExisting",
            "import": client.start_import(people(1, "other")),
            "deletion": client.call(
                "POST", "/contacts/v3/delete", json=[{"email": "a@b.com"}]
            ).json()["deleteId"],
            **{name: str(reply.json()["id"]) for name, reply in answered.items()},
        }
        self._lists = 0

    def known(self, path: str) -> dict[str, str]:
        """Return values for a path's parameters: of a new list with contacts, and of the rest."""
        self._lists += 1
        list_id = self.client.create_list(f"List {self._lists}")
        self.client.load(*people(3, "known", lists=[list_id]))
        contact_id = self.client.contact(EMAIL)["contactId"]
        known = {**self._known, "list": str(list_id), "contact": str(contact_id)}
        found: dict[str, str] = {}
        for pattern, name, what in PATHS:
            if f"{{{name}}}" in path and re.match(pattern, path):
                found.setdefault(name, known[what])
        return found


@pytest.fixture(scope="module")
def account(client: SandboxClient) -> Account:
    return Account(client)


def point_at_known(body: object) -> None:
    """Make contacts those that there are, and a file one with a contact.

    Generated addresses and names of fields are refused before anything else is looked at.
    """
    if isinstance(body, list):
        for each in body:
            point_at_known(each)
    if not isinstance(body, dict):
        return
    for each in body.values():
        point_at_known(each)
    if isinstance(body.get("email"), str):
        body["email"] = EMAIL
    if isinstance(body.get("fileName"), str):
        body["fileName"], body["data"] = "contacts.csv", base64.b64encode(FILE).decode()
    if isinstance(body.get("dataFields"), list):
        body["dataFields"] = [{"key": "FIRSTNAME", "value": "Ada"}]
    if isinstance(body.get("identifiers"), dict):
        body["identifiers"] = {"email": EMAIL}
        body["dataFields"] = {"FIRSTNAME": "Ada"}
        body.pop("lists", None)
        if "matchIdentifier" in body:
            body["matchIdentifier"] = "email"


def violations(client: SandboxClient, case: Case[Any]) -> list[str]:
    """Send a request and return what is wrong with the answer."""
    reply = case.call(
        base_url=client.url, auth=("any", "one"), timeout=DEADLINE_SECONDS, allow_redirects=False
    )
    if reply.content == b"Invalid HTTP request received.":
        return []  # the server's own answer to what is no HTTP
    found = [f"status {reply.status_code}"] if reply.status_code >= 500 else []
    path = case.operation.path
    headers = {name: values[0] for name, values in reply.headers.items()}
    concrete = re.sub(r"\{[^}]*\}", "1", path)
    found += check_response(case.method, concrete, reply.status_code, headers, reply.content)
    return [f"{case.method} {path}: {reply.status_code}: {each}" for each in found]


CASES = [
    pytest.param(operation, mode, examples, id=f"{operation.label}-{mode.value}")
    for operation, examples in OPERATIONS
    for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
    if operation.label not in NEVER_INVALID or mode is schemathesis.GenerationMode.POSITIVE
]


@pytest.mark.parametrize(("operation", "mode", "examples"), CASES)
def test_every_answer_is_within_the_vendors_schema(
    account: Account,
    operation: APIOperation[Any, Any, Any, Any],
    mode: GenerationMode,
    examples: int,
) -> None:
    known = account.known(operation.path)

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_known=st.booleans())
    def send(case: Case[Any], *, is_known: bool) -> None:
        if is_known:
            case.path_parameters = {**case.path_parameters, **known}
            point_at_known(case.body)
        assert violations(account.client, case) == []

    send()


def test_the_operations_that_the_target_uses_are_among_them() -> None:
    labels = {operation.label for operation, _examples in OPERATIONS}
    assert labels >= NEVER_INVALID
    assert labels >= {
        "GET /v2/account-info",
        "GET /v2/address-books",
        "POST /v2/address-books",
        "GET /v2/data-fields",
        "PUT /contacts/v3/import",
        "GET /contacts/v3/import/{importId}",
        "GET /contacts/v3",
        "GET /contacts/v3/{identifier}/{value}",
    }
