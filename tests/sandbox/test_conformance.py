"""Generated requests: whatever is sent, the answer is one that the vendor's files describe."""

from __future__ import annotations

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
)
NEVER_INVALID = frozenset(
    {
        "GET /configuration/v3/customIdentifiers",
        "DELETE /configuration/v3/customIdentifiers/{name}",
    }
)
"""Operations to which nothing can be sent that the vendor's file does not allow."""

EXAMPLES = 20
"""Requests of each kind to each operation: all of it takes about 40 s."""

KNOWN = {
    "id": str(LIST_ID),
    "addressBookId": str(LIST_ID),
    "identifier": "email",
    "value": "known1@example.com",
    "name": "FIRSTNAME",
}
"""Path parameters of what is there; generated ones hardly ever are."""


def template(path: str) -> str:
    """Return a path with its parameters' names, which differ, left out."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def implemented() -> list[APIOperation[Any, Any, Any, Any]]:
    """Return the operations of the vendor's files that the sandbox has routes for."""
    if not os.environ.get(FOLDER_VARIABLE):
        return []
    routes = {
        (method, template(route.path)) for route in API_ROUTES for method in route.methods or ()
    }
    found = []
    for name in FILES:
        for result in schemathesis.openapi.from_dict(mended(name)).get_all_operations():
            assert isinstance(result, schemathesis.core.result.Ok), (
                f"{name} has an operation that cannot be read"
            )
            operation = result.ok()
            if (operation.method.upper(), template(operation.path)) in routes:
                found.append(operation)
    return found


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


def point_at_known(body: object) -> None:
    """Make a contact, or an import, one of a contact and a list that there are.

    Generated names and addresses are refused before anything else is looked at.
    """
    if isinstance(body, dict):
        for contact in body.get("contacts") or [body]:
            if isinstance(contact, dict) and isinstance(contact.get("identifiers"), dict):
                contact["identifiers"] = {"email": KNOWN["value"]}
                contact["dataFields"] = {"FIRSTNAME": "Ada"}
                contact.pop("lists", None)
                if "matchIdentifier" in contact:
                    contact["matchIdentifier"] = "email"


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
    pytest.param(operation, mode, id=f"{operation.label}-{mode.value}")
    for operation in OPERATIONS
    for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
    if operation.label not in NEVER_INVALID or mode is schemathesis.GenerationMode.POSITIVE
]


@pytest.mark.parametrize(("operation", "mode"), CASES)
def test_every_answer_is_within_the_vendors_schema(
    client: SandboxClient, operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode
) -> None:
    client.load(*people(3, "known", lists=[LIST_ID]))

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_known=st.booleans())
    def send(case: Case[Any], *, is_known: bool) -> None:
        if is_known:
            known = {name: KNOWN.get(name, value) for name, value in case.path_parameters.items()}
            case.path_parameters = known
            point_at_known(case.body)
        assert violations(client, case) == []

    send()


def test_the_operations_that_the_target_uses_are_among_them() -> None:
    labels = {operation.label for operation in OPERATIONS}
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
