"""The vendor's own words, where its clients compare them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.conftest import LIST_ID
from tests.support.sandbox.client import person

if TYPE_CHECKING:
    from tests.support.sandbox.client import SandboxClient

UNKNOWN_LIST_ID = 987_654
ALL_CONTACTS_ID = 1_000_001
BOOKS = "/v2/address-books"


NO_SUCH_BOOK = (404, "Error: ERROR_ADDRESSBOOK_NOT_FOUND")
NO_SUCH_CONTACT = (404, "Error: ERROR_CONTACT_NOT_FOUND")
TAKEN = (400, "That name is in use already, please choose another. ERROR_ADDRESSBOOK_DUPLICATE")
FIXED = (400, "Address book cannot be written to via the API. ERROR_ADDRESSBOOK_NOTWRITABLE")
FIELD_EXISTS = (400, "Field already exists. ERROR_NON_UNIQUE_DATAFIELD")


@pytest.mark.parametrize(
    ("call", "body", "refusal"),
    [
        (f"GET {BOOKS}/{UNKNOWN_LIST_ID}", None, NO_SUCH_BOOK),
        (f"GET {BOOKS}/{UNKNOWN_LIST_ID}/contacts", None, NO_SUCH_BOOK),
        (f"DELETE {BOOKS}/{UNKNOWN_LIST_ID}", None, NO_SUCH_BOOK),
        (f"POST {BOOKS}/{UNKNOWN_LIST_ID}/contacts/delete", [1], NO_SUCH_BOOK),
        (f"DELETE {BOOKS}/{LIST_ID}/contacts/1", None, NO_SUCH_CONTACT),
        (f"POST {BOOKS}", {"Name": "all contacts"}, TAKEN),
        (f"DELETE {BOOKS}/{ALL_CONTACTS_ID}", None, FIXED),
        ("POST /v2/data-fields", {"Name": "FirstName", "Type": "String"}, FIELD_EXISTS),
    ],
)
def test_messages_of_v2(
    sandbox: SandboxClient, call: str, body: object, refusal: tuple[int, str]
) -> None:
    method, _, path = call.partition(" ")
    reply = sandbox.call(method, path, json=body)
    assert (reply.status_code, reply.json()["message"]) == refusal


@pytest.mark.parametrize(
    ("method", "path", "body", "name"),
    [
        ("POST", "/contacts/v3", {}, "Identifiers"),
        ("PUT", "/contacts/v3/email/none%40example.com", {"lists": [LIST_ID]}, "Identifiers"),
        ("PUT", "/contacts/v3/import", {"contacts": [{"matchIdentifier": "email"}]}, "Identifiers"),
        ("PUT", "/contacts/v3/import", {"contacts": [{"identifiers": {}}]}, "MatchIdentifier"),
        ("PUT", "/contacts/v3/import", {"mergeOption": "overwrite"}, "Contacts"),
        (
            "PUT",
            "/contacts/v3/import",
            {"contacts": [person("a@example.com", consentRecords=[{"text": "yes"}])]},
            "DateTimeConsented",
        ),
    ],
)
def test_v3_names_the_field_that_is_missing(
    sandbox: SandboxClient, method: str, path: str, body: dict[str, Any], name: str
) -> None:
    reply = sandbox.call(method, path, json=body)
    error = reply.json()
    assert reply.status_code == 400
    # As the vendor's PHP SDK writes it.
    text = f"{error['errorCode']} - {error['description']}"
    assert text == f"contacts:badRequest - The {name} field is required"
