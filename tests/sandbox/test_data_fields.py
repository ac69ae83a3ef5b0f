from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.sandbox.client import person

if TYPE_CHECKING:
    from tests.support.sandbox.client import SandboxClient

PATH = "/v2/data-fields"

BUILT_IN = {
    "FIRSTNAME": "String",
    "LASTNAME": "String",
    "FULLNAME": "String",
    "GENDER": "String",
    "POSTCODE": "String",
    "LASTSUBSCRIBED": "Date",
}


def test_every_account_has_the_built_in_fields(sandbox: SandboxClient) -> None:
    kinds = {field["name"]: field["type"] for field in sandbox.get(PATH).json()}
    assert kinds.items() >= BUILT_IN.items()


@pytest.mark.parametrize("kind", ["String", "Numeric", "Date", "Boolean"])
def test_a_new_field_is_stored_in_upper_case(sandbox: SandboxClient, kind: str) -> None:
    reply = sandbox.call("POST", PATH, json={"name": f"my_{kind}", "type": kind})
    field = {
        "name": f"MY_{kind.upper()}",
        "type": kind,
        "visibility": "Private",
        "defaultValue": None,
    }
    assert (reply.status_code, reply.json()) == (201, field)
    assert field in sandbox.get(PATH).json()


@pytest.mark.parametrize("name", ["FIRSTNAME", "firstName"])
def test_a_name_that_is_taken_is_refused_in_any_case(sandbox: SandboxClient, name: str) -> None:
    reply = sandbox.call("POST", PATH, json={"name": name, "type": "String"})
    assert reply.status_code == 400
    assert reply.json()["message"].endswith(" ERROR_NON_UNIQUE_DATAFIELD")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "AGE"},
        {"name": "AGE", "type": "Integer"},
        {"name": "", "type": "String"},
        {"name": "A" * 21, "type": "String"},
        {"name": "A B", "type": "String"},
        {"name": "ÄGE", "type": "String"},
        {"name": "A\n", "type": "String"},
        {"name": "unsubscribed", "type": "String"},
        {"name": "AGE", "type": "Numeric", "visibility": "Secret"},
        {"name": "AGE", "type": "Numeric", "defaultValue": True},
    ],
)
def test_a_field_that_is_none_is_refused(sandbox: SandboxClient, body: object) -> None:
    reply = sandbox.call("POST", PATH, json=body)
    assert reply.status_code == 400
    assert reply.json()["message"].endswith(" ERROR_DATAFIELD_INVALID")


def test_names_and_words_may_be_in_any_case(sandbox: SandboxClient) -> None:
    body = {"Name": "AGE", "TYPE": "numeric", "Visibility": "public", "DefaultValue": "1"}
    reply = sandbox.call("POST", PATH, json=body)
    assert reply.status_code == 201
    created = {"name": "AGE", "type": "Numeric", "visibility": "Public", "defaultValue": "1"}
    assert reply.json() == created
    assert created in sandbox.get(PATH).json()


def test_a_default_value_is_kept(sandbox: SandboxClient) -> None:
    body = {"name": "IS_HAPPY", "type": "Boolean", "visibility": "Public", "defaultValue": True}
    assert sandbox.call("POST", PATH, json=body).json() == body
    assert body in sandbox.get(PATH).json()


def test_a_deleted_field_is_gone_from_every_contact(sandbox: SandboxClient) -> None:
    fields = {"ODD-NAME": 12345678901234567, "OTHER": "x"}
    sandbox.create_field("ODD-NAME", "Numeric")
    sandbox.create_field("OTHER", "String")
    sandbox.load(person("fields@example.com", dataFields=fields))
    reply = sandbox.call("DELETE", f"{PATH}/odd-Name")
    assert (reply.status_code, reply.json()) == (200, {"result": True, "dependencies": []})
    assert "ODD-NAME" not in [field["name"] for field in sandbox.get(PATH).json()]
    assert sandbox.fields("fields@example.com") == {"OTHER": "x"}
    sandbox.create_field("ODD-NAME", "String")
    assert sandbox.fields("fields@example.com") == {"OTHER": "x"}


@pytest.mark.parametrize("name", [*BUILT_IN, "firstName"])
def test_a_built_in_field_is_not_deleted(sandbox: SandboxClient, name: str) -> None:
    reply = sandbox.call("DELETE", f"{PATH}/{name}")
    assert reply.status_code == 400
    assert reply.json()["message"].endswith(" ERROR_DATAFIELD_INVALID")
    assert name.upper() in [field["name"] for field in sandbox.get(PATH).json()]


@pytest.mark.parametrize("name", ["NONE", "%22", "a%20b"])
def test_a_field_that_does_not_exist_is_answered_404(sandbox: SandboxClient, name: str) -> None:
    reply = sandbox.call("DELETE", f"{PATH}/{name}")
    assert reply.status_code == 404
    assert reply.json()["message"].endswith(" ERROR_DATAFIELD_NOTFOUND")
