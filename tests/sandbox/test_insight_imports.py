"""Imports of insight data: taken in at once, worked off later, reported record by record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import read_switches
from tests.support.sandbox.client import SandboxClient, person
from tests.support.sandbox.insight_data import (
    ACCEPTED_IMPORT,
    COLLECTIONS,
    IMPORT,
    PATH,
    answer_of,
    error_of,
    finish,
    keys,
    load,
    load_orders,
    one,
    records,
    send_import,
    start_import,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNKNOWN_ID = "d7de900d-d337-43f6-b1e1-c8ec73e1a434"


@pytest.fixture
def client(database: Path) -> Iterator[SandboxClient]:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as running:
        yield running


def reasons(report: dict[str, Any]) -> list[str]:
    return [each["failureReason"] for each in report.get("failures", ())]


def test_records_of_the_account_are_imported(client: SandboxClient) -> None:
    import_id = start_import(client, one("hat", price=56, tags=["warm"]), one(24_938, price=7.5))
    assert finish(client, import_id) == {
        "importId": import_id,
        "status": "Finished",
        "collectionName": "Products",
        "summary": {"totalRecords": 2, "totalImported": 2, "totalRejected": 0},
    }
    found = records(client, "/account/Products")
    assert [each["key"] for each in found] == ["hat", "24938"]
    assert found[0]["json"] == {"price": 56, "tags": ["warm"]}
    assert found[0]["created"] == found[0]["updated"]
    listed = answer_of(client.get(f"{PATH}/collections"), 200, COLLECTIONS)
    assert listed == [
        {
            "collectionName": "Products",
            "collectionType": "catalog",
            "collectionScope": "account",
            "recordCount": 2,
        }
    ]


def test_records_of_contacts_are_imported(client: SandboxClient) -> None:
    number = client.load(person("ada@example.com"))["created"][0]["contactId"]
    by_id = {"key": "2", "json": {}, "contactIdentity": {"identifier": "contactId"}}
    by_id["contactIdentity"]["value"] = str(number)  # type: ignore[index]
    report = load_orders(client, one("1", " ADA@example.com", total=5), by_id)
    assert report["summary"]["totalImported"] == 2
    found = records(client, f"/contacts/contactId/{number}/Orders")
    assert [(each["key"], each["ownerContactId"]) for each in found] == [
        ("1", number),
        ("2", number),
    ]


def test_a_record_of_a_key_that_is_there_takes_its_place(client: SandboxClient) -> None:
    load(client, one("hat", price=1), one("scarf", price=2))
    (before, _) = records(client, "/account/products")
    load(client, one("hat", colour="red"))
    (after, other) = records(client, "/account/PRODUCTS")
    assert (after["json"], other["json"]) == ({"colour": "red"}, {"price": 2})
    assert (after["created"], after["updated"] >= before["updated"]) == (before["created"], True)


def test_contacts_have_keys_of_their_own(client: SandboxClient) -> None:
    client.load(person("a@example.com"), person("b@example.com"))
    report = load_orders(client, one("1", "a@example.com", n=1), one("1", "b@example.com", n=2))
    assert report["summary"]["totalImported"] == 2
    assert [each["json"] for each in records(client, "/contacts/Orders")] == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    ("identity", "reason"),
    [
        (None, "InvalidContactIdentifier"),
        (("email", "none"), "InvalidContactIdentifier"),
        (("email", None), "InvalidContactIdentifier"),
        (("contactId", "x"), "InvalidContactIdentifier"),
        (("no name", "x"), "InvalidContactIdentifier"),
        (("mobileNumber", "447123123123"), "InvalidContactIdentifier"),
        (("email", "unknown@example.com"), "ContactEmailDoesNotExist"),
        (("contactId", "1"), "ContactIdDoesNotExist"),
        (("contactId", "9" * 5_000), "InvalidContactIdentifier"),
    ],
)
def test_a_record_of_nobody_is_rejected(
    client: SandboxClient, identity: tuple[str, str | None] | None, reason: str
) -> None:
    client.load(person("ada@example.com"))
    record = one("1")
    if identity is not None:
        record["contactIdentity"] = {"identifier": identity[0], "value": identity[1]}
    body = {"collectionName": "Orders", "collectionScope": "contact", "collectionType": "orders"}
    sent = [record, one("2", "ada@example.com")]
    import_id = send_import(client, *sent, **body).json()["importId"]
    report = client.poll(f"{PATH}/import/{import_id}", "NotStarted", "Processing")
    assert report["summary"] == {"totalRecords": 2, "totalImported": 1, "totalRejected": 1}
    assert reasons(report) == [reason]
    owner = report["failures"][0]["collectionOwner"]
    assert owner["ownerType"] == "contact"
    assert owner.get("contactIdentity") == record.get("contactIdentity")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([1], "InvalidJson"),
        ("{", "InvalidJson"),
        (None, "InvalidJson"),
        ({"a": [[1]]}, "JsonContainsNestedArray"),
        ({"a": {"b": [{"c": [[]]}]}}, "JsonContainsNestedArray"),
        ({"a" * 256: 1}, "JsonKeyTooLong"),
        ({"a": [{"a b": 1}]}, "JsonKeyInvalidCharacters"),
        ({"": 1}, "JsonKeyInvalidCharacters"),
        ({"a": "x" * 65_537}, "JsonValueTooLong"),
        ({"a": 10**309}, "JsonNumberValueTooLarge"),
        ({"a": "text"}, "JsonValueIncompatibleWithSchema"),
        ({"a": [1]}, "JsonValueIncompatibleWithSchema"),
        ({"b": {"c": 1}}, "JsonValueIncompatibleWithSchema"),
        ({"list": []}, None),
        ({"b": {"c": None, "d": "new"}}, None),
        ('{"a": 2}', None),
    ],
)
def test_what_a_record_may_hold(client: SandboxClient, content: object, reason: str | None) -> None:
    load(client, one("first", a=1.5, b={"c": "text"}, list=[True]))
    report = load(client, {"key": "1", "json": content}, one("2", a=3))
    assert reasons(report) == ([] if reason is None else [reason])
    expected = ["first", "2"] if reason else ["first", "1", "2"]
    assert keys(client, "/account/Products") == expected
    if reason:
        failed = report["failures"][0]
        assert failed["collectionOwner"] == {"ownerType": "account"}
        assert failed["json"] == (content if isinstance(content, dict) else {})
        assert failed["details"][0].startswith(reason)


def test_a_number_that_no_double_can_be_is_rejected(client: SandboxClient) -> None:
    body = (
        b'{"collectionName": "Products", "collectionScope": "account", "collectionType": "custom",'
        b'"records": [{"key": "1", "json": {"a": 1e99999999999}},'
        b'{"key": "2", "json": {"a": 1.10}}]}'
    )
    reply = client.call("PUT", f"{PATH}/import", data=body)
    report = client.poll(f"{PATH}/import/{reply.json()['importId']}", "NotStarted", "Processing")
    assert report["summary"]["totalRejected"] == 1
    # A number is answered as it was sent, to the last digit.
    assert '"a":1.10' in client.get(f"{PATH}/account/Products/2").text


@pytest.mark.parametrize("depth", [49, 50, 400])
def test_how_deep_a_record_may_be_nested(client: SandboxClient, depth: int) -> None:
    nested: dict[str, Any] = {}
    for _ in range(depth):
        nested = {"a": nested}
    report = load(client, {"key": "1", "json": nested})
    assert reasons(report) == ([] if depth <= 50 else ["InvalidJson"])


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "a\nb"])
def test_a_key_that_is_none_rejects_its_record(client: SandboxClient, key: str) -> None:
    report = load(client, one(key), one("good"))
    assert reasons(report) == ["InvalidClientKey"]
    assert keys(client, "/account/Products") == ["good"]


def test_of_two_records_of_one_key_the_first_is_imported(client: SandboxClient) -> None:
    many = [one(number) for number in range(1_500)]
    report = load(client, one("hat", price=1), *many, one("hat", price=2))
    assert reasons(report) == ["DuplicateKey"]
    assert client.get(f"{PATH}/account/Products/hat").json()["json"] == {"price": 1}
    assert len(keys(client, "/account/Products", limit=5_000)) == 1_501


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"records": []}, "badRequest"),
        ({"records": None}, "badRequest"),
        ({"records": [{"key": "1"}]}, "badRequest"),
        ({"records": [{"json": {}}]}, "badRequest"),
        ({"records": [{"key": "1", "json": {}, "contactIdentity": {}}]}, "badRequest"),
        ({"collectionName": "my collection"}, "invalidId"),
        ({"collectionName": "1abc"}, "invalidId"),
        ({"collectionName": "x" * 256}, "invalidId"),
        ({"collectionName": "x\n"}, "invalidId"),
        ({"collectionScope": "campaign"}, "badRequest"),
        ({"collectionType": "hats"}, "badRequest"),
    ],
)
def test_a_request_of_the_wrong_structure_is_refused(
    client: SandboxClient, fault: dict[str, Any], code: str
) -> None:
    status, found = error_of(send_import(client, one("1"), **fault))
    assert status == 400
    assert found in {f"insightData:{code}", "server:badRequest"}
    assert client.get(f"{PATH}/collections").json() == []


def test_what_is_no_json_is_refused(client: SandboxClient) -> None:
    for body in (b"{", b'{"records": [\xff]}', b'{"records": ' + b"[" * 5_000):
        reply = client.call("PUT", f"{PATH}/import", data=body)
        assert error_of(reply) == (400, "insightData:badJson")


def test_scopes_and_types_are_taken_in_any_case(client: SandboxClient) -> None:
    client.load(person("ada@example.com"))
    body = {
        "collectionName": "ConsentInsight",
        "collectionScope": "Contact",
        "collectionType": "ConsentInsight",
    }
    assert load(client, one("1", "ada@example.com"), **body)["summary"]["totalImported"] == 1
    (listed,) = client.get(f"{PATH}/collections").json()
    assert (listed["collectionScope"], listed["collectionType"]) == ("contact", "consentInsight")


def test_a_collection_keeps_its_scope(client: SandboxClient) -> None:
    load(client, one("1"))
    reply = send_import(client, one("1"), collectionScope="contact")
    assert error_of(reply) == (400, "insightData:badRequest")


def test_a_sixth_import_has_to_wait(database: Path) -> None:
    with (
        SandboxServer(Options(database, slots=0)) as server,
        SandboxClient(server.url) as client,
    ):
        import_ids = [start_import(client, one(number)) for number in range(5)]
        refused = send_import(client, one("sixth"))
        assert error_of(refused) == (429, "insightData:tooManyActiveImports")
        report = answer_of(client.get(f"{PATH}/import/{import_ids[0]}"), 200, IMPORT)
        assert report["status"] == "NotStarted"
        assert "summary" not in report
        # Those of contacts have slots of their own.
        client.start_import([person("ada@example.com")])
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        for import_id in import_ids:
            assert finish(client, import_id)["summary"]["totalImported"] == 1
        assert keys(client, "/account/Products") == ["0", "1", "2", "3", "4"]
        load(client, one("sixth"))


def test_an_import_that_is_not_there(client: SandboxClient) -> None:
    assert error_of(client.get(f"{PATH}/import/1")) == (400, "insightData:invalidId")
    reply = client.get(f"{PATH}/import/{UNKNOWN_ID}")
    assert error_of(reply) == (404, "insightData:importNotFound")
    contacts = client.start_import([person("ada@example.com")])
    assert client.get(f"{PATH}/import/{contacts}").status_code == 404


def test_a_body_over_50_mb_is_refused(client: SandboxClient) -> None:
    reply = client.call("PUT", f"{PATH}/import", data=b" " * 50_000_001)
    assert reply.status_code == 413


def test_the_word_for_an_import_that_is_over(database: Path) -> None:
    options = Options(database, switches=read_switches(["insight-status=Complete"]))
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        reply = send_import(client, one("1"))
        import_id = answer_of(reply, 202, ACCEPTED_IMPORT)["importId"]
        assert finish(client, import_id, "Complete")["summary"]["totalImported"] == 1


def test_a_reset_leaves_no_insight_data(client: SandboxClient) -> None:
    import_id = start_import(client, one("1"))
    finish(client, import_id)
    client.call("POST", "/sandbox/reset", json={})
    assert client.get(f"{PATH}/collections").json() == []
    assert client.get(f"{PATH}/import/{import_id}").status_code == 404
    load(client, one("2"))
    assert keys(client, "/account/Products") == ["2"]
