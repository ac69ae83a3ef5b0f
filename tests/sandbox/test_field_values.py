from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sandbox.client import failure_codes, person

if TYPE_CHECKING:
    from tests.support.sandbox.client import SandboxClient

FIELDS = {"A_TEXT": "String", "A_NUMBER": "Numeric", "A_DATE": "Date", "A_BOOLEAN": "Boolean"}


@pytest.fixture(scope="module", autouse=True)
def _fields(sandbox: SandboxClient) -> None:
    for name, kind in FIELDS.items():
        sandbox.create_field(name, kind)


def stored(sandbox: SandboxClient, name: str, literal: str) -> Any:  # noqa: ANN401 - any JSON
    """Import a value, written as JSON, and read it back."""
    contact = json.dumps(person("value@example.com", dataFields={name: "LITERAL"}))
    body = f'{{"contacts": [{contact}]}}'.replace('"LITERAL"', literal).encode()
    reply = sandbox.call("PUT", "/contacts/v3/import", data=body)
    assert reply.status_code == 202, reply.text
    report = sandbox.finish(reply.json()["importId"])
    if report["failures"]:
        return failure_codes(report)[0]
    return sandbox.fields("value@example.com")[name]


@pytest.mark.parametrize(
    "literal",
    [
        "123456789012345678.123456789",
        "-999999999999999999.999999999",
        "999999999999999999",
        "0.1",
        "1e5",
        "12.50",
        "-0.000000001",
        "0",
    ],
)
def test_a_number_comes_back_to_the_last_digit(sandbox: SandboxClient, literal: str) -> None:
    assert Decimal(stored(sandbox, "A_NUMBER", literal)) == Decimal(literal)


def test_a_number_survives_updates_of_other_fields(sandbox: SandboxClient) -> None:
    number = "123456789012345678.123456789"
    stored(sandbox, "A_NUMBER", number)
    stored(sandbox, "A_TEXT", '"later"')
    assert sandbox.fields("value@example.com")["A_NUMBER"] == Decimal(number)


@pytest.mark.parametrize(
    "text",
    [
        "Zoë 😀 👩‍👩‍👧 محمد 张伟 e\u0301",
        "one\r\ntwo\tthree\n",
        "a\0b",
        "  spaces  ",
        "",
        "'; DROP TABLE contact; --",
        '<script>alert("1")</script>',
        "x" * 1_000,
        "\u2028\ufeff\x7f",
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_text_comes_back_exactly_as_sent(
    sandbox: SandboxClient, text: str, *, ascii_only: bool
) -> None:
    assert stored(sandbox, "A_TEXT", json.dumps(text, ensure_ascii=ascii_only)) == text


@pytest.mark.parametrize(
    "text",
    [
        "2021-12-17T00:00:00Z",
        "2021-12-17T00:00:00.123456Z",
        "2021-12-17T00:00:00+01:00",
        "2021-12-17T00:00:00",
        "2021-12-17",
        "2024-02-29",
    ],
)
def test_a_date_comes_back_as_sent(sandbox: SandboxClient, text: str) -> None:
    assert stored(sandbox, "A_DATE", f'"{text}"') == text


@pytest.mark.parametrize("literal", ["true", "false"])
def test_a_boolean_comes_back_as_one(sandbox: SandboxClient, literal: str) -> None:
    assert stored(sandbox, "A_BOOLEAN", literal) is (literal == "true")


@pytest.mark.parametrize(
    ("name", "literal"),
    [
        ("A_TEXT", "5"),
        ("A_TEXT", "true"),
        ("A_TEXT", "{}"),
        ("A_TEXT", '["a"]'),
        ("A_TEXT", '"' + "x" * 1_001 + '"'),
        ("A_NUMBER", '"5"'),
        ("A_NUMBER", '""'),
        ("A_NUMBER", "true"),
        ("A_NUMBER", "1000000000000000000"),
        ("A_NUMBER", "1000000000000000000.5"),
        ("A_NUMBER", "1e400"),
        ("A_DATE", '"17/12/2021"'),
        ("A_DATE", '"2021-02-30"'),
        ("A_DATE", '"2021-12-17T25:00:00Z"'),
        ("A_DATE", '"2021-12-17\\n"'),
        ("A_DATE", '"\\u0662\\u0660\\u0662\\u0661-12-17"'),
        ("A_DATE", "1639699200"),
        ("A_BOOLEAN", "1"),
        ("A_BOOLEAN", '"true"'),
    ],
)
def test_a_value_of_another_type_is_a_failure(
    sandbox: SandboxClient, name: str, literal: str
) -> None:
    assert stored(sandbox, name, literal) == "apiSchemaViolation"


def test_half_a_surrogate_pair_is_no_json(sandbox: SandboxClient) -> None:
    contact = json.dumps(person("value@example.com", dataFields={"A_TEXT": "\ud83d"}))
    body = f'{{"contacts": [{contact}]}}'.encode()
    reply = sandbox.call("PUT", "/contacts/v3/import", data=body)
    assert (reply.status_code, reply.json()["errorCode"]) == (400, "contacts:badJson")
