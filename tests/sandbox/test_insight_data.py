"""Insight data record by record, and its collections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import read_switches
from tests.support.sandbox.client import SandboxClient, people, person
from tests.support.sandbox.insight_data import (
    COLLECTIONS,
    DELETED,
    PATH,
    RECORD,
    SCHEMA,
    answer_of,
    error_of,
    keys,
    load,
    load_orders,
    one,
    records,
    remove,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests

ADA = "ada@example.com"
OF_ACCOUNT = "/account/Integrations"
OF_CONTACT = f"/contacts/email/{quote(ADA)}/CartInsight"
EITHER = pytest.mark.parametrize("path", [OF_ACCOUNT, OF_CONTACT])


@pytest.fixture
def client(database: Path) -> Iterator[SandboxClient]:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as running:
        running.load(person(ADA), person("ben@example.com"))
        yield running


def put(client: SandboxClient, path: str, key: str, content: object) -> requests.Response:
    return client.call("PUT", f"{PATH}{path}/{quote(key, safe='')}", json=content)


def listed(client: SandboxClient, path: str = "/collections") -> dict[str, int]:
    found = answer_of(client.get(PATH + path), 200, COLLECTIONS)
    return {each["collectionName"]: each["recordCount"] for each in found}


@EITHER
def test_a_record_is_created_replaced_read_and_deleted(client: SandboxClient, path: str) -> None:
    created = put(client, path, "php-app.dev", {"a": 1, "rows": [{"b": "x"}], "empty": []})
    assert (created.status_code, created.content) == (201, b"")
    replaced = put(client, path, "php-app.dev", {"a": 2})
    assert (replaced.status_code, replaced.content) == (204, b"")
    url = f"{PATH}{path}/php-app.dev"
    record = answer_of(client.get(url), 200, RECORD)
    assert (record["key"], record["json"]) == ("php-app.dev", {"a": 2})
    assert ("ownerContactId" in record) == (path == OF_CONTACT)
    assert client.call("DELETE", url).status_code == 204
    for method in ("GET", "DELETE"):
        reply = client.call(method, url)
        assert error_of(reply) == (404, "insightData:recordNotFound")


@pytest.mark.parametrize("owner", ["", "email/a%2Fb%40example.com", "shop/7%2F11%2F"])
def test_keys_and_identifiers_may_have_an_encoded_slash(database: Path, owner: str) -> None:
    options = Options(database, custom_identifiers=["shop"])
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        slashed = {"email": "a/b@example.com", "shop": "7/11/"}
        client.load({"matchIdentifier": "email", "identifiers": slashed})
        path = f"/contacts/{owner}/Orders" if owner else OF_ACCOUNT
        for key in ("1/2", "1/", "%2F"):
            assert put(client, path, key, {"a": 1}).status_code == 201
            url = f"{PATH}{path}/{quote(key, safe='')}"
            assert client.get(url).json()["key"] == key
            assert client.get(f"{url}/?a=b").json()["key"] == key
        assert keys(client, path) == ["1/2", "1/", "%2F"]
        if owner:
            assert listed(client, f"/contacts/{owner}") == {"Orders": 3}
            remove(client, f"{path}/empty")
            assert keys(client, path) == []


@EITHER
def test_one_record_creates_its_collection_of_the_type_that_its_name_says(
    client: SandboxClient, path: str
) -> None:
    put(client, path, "1", {})
    (found,) = client.get(f"{PATH}/collections").json()
    scope, kind = ("account", "custom") if path == OF_ACCOUNT else ("contact", "cartInsight")
    assert (found["collectionScope"], found["collectionType"]) == (scope, kind)


@EITHER
def test_one_record_can_ask_for_a_collection_that_is_there(database: Path, path: str) -> None:
    options = Options(database, switches=read_switches(["insight-collection=notFound"]))
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        client.load(person(ADA))
        reply = put(client, path, "1", {})
        assert error_of(reply) == (404, "insightData:collectionNotFound")
        name, scope = path.rpartition("/")[2], "account" if path == OF_ACCOUNT else "contact"
        query = f"?collectionScope={scope}&collectionType=custom"
        assert client.call("POST", f"{PATH}/collections/{name}{query}").status_code == 201
        assert put(client, path, "1", {}).status_code == 201


@EITHER
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "InvalidJson"),
        ("text", "InvalidJson"),
        ({"a": [[]]}, "JsonContainsNestedArray"),
        ({"a": "text"}, "JsonValueIncompatibleWithSchema"),
    ],
)
def test_a_record_that_cannot_be_is_refused(
    client: SandboxClient, path: str, content: object, reason: str
) -> None:
    put(client, path, "1", {"a": 1})
    reply = put(client, path, "2", content)
    assert error_of(reply) == (400, "insightData:badRequest")
    assert reply.json()["details"][0]["description"] == reason
    assert keys(client, path) == ["1"]


def test_a_record_can_be_sent_as_a_text(client: SandboxClient) -> None:
    assert put(client, OF_ACCOUNT, "1", '{"a": 1}').status_code == 201
    assert records(client, OF_ACCOUNT)[0]["json"] == {"a": 1}
    reply = client.call("PUT", f"{PATH}{OF_ACCOUNT}/1", data=b"{")
    assert error_of(reply) == (400, "insightData:badJson")


def test_names_that_are_none_are_refused(client: SandboxClient) -> None:
    for path in ("/account/my collection/1", "/account/x/1", f"{OF_ACCOUNT}/{'x' * 256}"):
        reply = client.call("PUT", PATH + path, json={})
        assert error_of(reply) == (400, "insightData:invalidId")
    reply = client.get(f"{PATH}/account/my collection")
    assert error_of(reply) == (400, "insightData:invalidId")


def test_records_of_nobody_are_not_found(client: SandboxClient) -> None:
    for method in ("GET", "PUT", "DELETE"):
        for value, code in (("unknown@example.com", "contactNotFound"), ("none", "invalidId")):
            reply = client.call(method, f"{PATH}/contacts/email/{value}/Orders/1", json={})
            status = 400 if code == "invalidId" else 404
            assert error_of(reply) == (status, f"insightData:{code}")


def test_a_collection_of_the_other_scope_is_not_found(client: SandboxClient) -> None:
    load(client, one("1"))
    for path in ("/contacts/Products", f"/contacts/email/{ADA}/Products", "/account/Orders"):
        assert error_of(client.get(PATH + path)) == (404, "insightData:collectionNotFound")


def test_records_are_answered_page_by_page(client: SandboxClient) -> None:
    everything = [str(number) for number in range(2_500)]
    load(client, *[one(key) for key in everything])
    for limit in (1_000, 999, 5_000):
        assert keys(client, "/account/Products", limit=limit) == everything
    page = client.get(f"{PATH}/account/Products", limit=5_000).json()
    # The vendor's schema has no more on a page.
    assert len(page["_items"]) == 1_000
    first = client.call("GET", page["_links"]["first"]["link"].removeprefix(client.url)).json()
    assert first["_items"] == page["_items"]


def test_records_are_filtered_by_their_last_change(client: SandboxClient) -> None:
    load(client, one("old"))
    changed = records(client, "/account/Products")[0]["updated"]
    since = f"gte::{changed}"
    assert keys(client, "/account/Products", **{"~modified": since}) == ["old"]
    offset = f"gte::{changed[:-1]}+00:00"
    assert keys(client, "/account/Products", **{"~modified": offset}) == ["old"]
    # As the vendor's Magento extension sends it to contacts: the plus sign arrives as a space.
    path = f"{PATH}/account/Products?~modified={offset}"
    assert [each["key"] for each in client.get(path).json()["_items"]] == ["old"]
    later = "gte::2999-01-01T00:00:00Z"
    assert keys(client, "/account/Products", **{"~modified": later}) == []


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "5001"},
        {"marker": "none"},
        {"marker": "LTE="},
        {"~modified": "yesterday"},
        {"~modified": "gte::2026-02-30T00:00:00Z"},
        {"~modified": "gte::0001-01-01T00:00:00+23:59"},
    ],
)
def test_a_page_that_cannot_be_is_refused(client: SandboxClient, query: dict[str, str]) -> None:
    load(client, one("1"))
    status, code = error_of(client.get(f"{PATH}/account/Products", **query))
    assert (status, code.partition(":")[0]) == (400, "insightData")


def test_records_of_one_contact_are_apart(client: SandboxClient) -> None:
    ben = "ben@example.com"
    load_orders(client, one("1", ADA), one("2", ben), one("3", ADA))
    assert keys(client, f"/contacts/email/{ADA}/Orders") == ["1", "3"]
    assert keys(client, "/contacts/Orders") == ["1", "2", "3"]
    put(client, OF_ACCOUNT, "1", {})
    assert listed(client, f"/contacts/email/{ben}") == {"Orders": 1}
    assert listed(client, "/account") == {"Integrations": 1}
    assert listed(client) == {"Orders": 3, "Integrations": 1}


@pytest.mark.parametrize("way", ["one", "bulk"])
def test_what_a_contact_has_goes_with_it(client: SandboxClient, way: str) -> None:
    load_orders(client, one("1", ADA), one("2", "ben@example.com"))
    put(client, OF_ACCOUNT, "1", {})
    if way == "one":
        client.call("DELETE", f"/contacts/v3/email/{ADA}")
    else:
        reply = client.call("POST", "/contacts/v3/delete", json=[{"email": ADA}])
        client.poll(f"/contacts/v3/delete/{reply.json()['deleteId']}", "NotStarted", "NotFinished")
    assert keys(client, "/contacts/Orders") == ["2"]
    assert keys(client, OF_ACCOUNT) == ["1"]


def test_some_records_are_deleted(client: SandboxClient) -> None:
    load(client, *[one(number) for number in range(5)])
    load_orders(client, one("1", ADA), one("1", "ben@example.com"))
    body: dict[str, Any] = {"keys": ["1", "3", "unknown", "1"]}
    reply = client.call("DELETE", f"{PATH}/accounts/Products/deleteRecords", json=body)
    answer = answer_of(reply, 200, DELETED)
    assert answer["summary"] == {"totalRecords": 3, "totalDeleted": 2, "totalNotFound": 1}
    assert answer["notFound"] == ["unknown"]
    assert keys(client, "/account/Products") == ["0", "2", "4"]
    path = f"{PATH}/contacts/email/{ADA}/Orders/deleteRecords"
    assert client.call("DELETE", path, json=body).json()["summary"]["totalDeleted"] == 1
    assert len(keys(client, "/contacts/Orders")) == 1
    none = client.call("DELETE", path, json={"keys": []})
    assert error_of(none) == (400, "insightData:noRecordsSpecified")
    for wrong in ({"keys": ["x"] * 5_001}, {}):
        assert error_of(client.call("DELETE", path, json=wrong)) == (400, "insightData:badRequest")


def test_a_collection_is_created_once(client: SandboxClient) -> None:
    path = f"{PATH}/collections/Orders"
    query = {"collectionScope": "contact", "collectionType": "orders"}
    statuses = [client.call("POST", path, params=query).status_code for _ in range(2)]
    assert statuses == [201, 200]
    assert listed(client) == {"Orders": 0}
    for wrong in ({}, {"collectionScope": "contact"}, {**query, "collectionType": "hats"}):
        reply = client.call("POST", path, params=wrong)
        assert error_of(reply) == (400, "insightData:badRequest")


def test_an_account_has_a_thousand_collections_at_most(client: SandboxClient) -> None:
    query = {"collectionScope": "account", "collectionType": "custom"}
    for number in range(1_000):
        client.call("POST", f"{PATH}/collections/c{number}", params=query)
    reply = client.call("POST", f"{PATH}/collections/other", params=query)
    assert reply.status_code == 412
    assert client.call("POST", f"{PATH}/collections/c1", params=query).status_code == 200
    assert put(client, OF_ACCOUNT, "1", {}).status_code == 412


def test_a_collection_is_emptied_and_stays(client: SandboxClient) -> None:
    load(client, *[one(number, a=1) for number in range(2_100)])
    report = remove(client, "/collections/products/empty")
    assert report["status"] == "Finished"
    assert report["summary"]["totalProcessed"] == 2_100
    assert listed(client) == {"Products": 0}


def test_a_collection_is_deleted(client: SandboxClient) -> None:
    client.load(*people(3, "p"))
    load_orders(client, *[one(1, f"p{number}@example.com") for number in range(3)])
    assert remove(client, "/collections/Orders")["summary"]["totalRecords"] == 3
    assert listed(client) == {}
    reply = client.call("DELETE", f"{PATH}/collections/Orders")
    assert error_of(reply) == (404, "insightData:collectionNotFound")
    assert load(client, one("1"), collectionName="Orders")["summary"]["totalImported"] == 1


def test_a_collection_is_emptied_for_one_contact(client: SandboxClient) -> None:
    load_orders(client, one("1", ADA), one("2", "ben@example.com"), one("3", ADA))
    path = f"/contacts/email/{ADA}/Orders/empty"
    assert remove(client, path)["summary"]["totalProcessed"] == 2
    assert keys(client, "/contacts/Orders") == ["2"]


def test_removals_wait_for_a_restart_if_need_be(database: Path) -> None:
    with SandboxServer(Options(database, slots=0)) as server, SandboxClient(server.url) as client:
        put(client, OF_ACCOUNT, "1", {})
        reply = client.call("DELETE", f"{PATH}/collections/Integrations")
        job = f"{PATH}/async/{reply.json()['jobId']}"
        assert client.get(job).json()["status"] == "NotStarted"
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        assert client.poll(job, "NotStarted", "NotFinished")["status"] == "Finished"
        assert listed(client) == {}


def test_a_job_that_is_not_there(client: SandboxClient) -> None:
    assert error_of(client.get(f"{PATH}/async/1")) == (400, "insightData:invalidId")
    reply = client.get(f"{PATH}/async/d7de900d-d337-43f6-b1e1-c8ec73e1a434")
    assert error_of(reply) == (404, "insightData:asyncJobNotFound")


def test_the_schema_of_a_collection_grows_with_its_records(client: SandboxClient) -> None:
    put(client, OF_ACCOUNT, "1", {"name": "x", "rows": [{"on": True}]})
    put(client, OF_ACCOUNT, "2", {"price": 1, "rows": [{"size": 2.5}]})
    reply = client.get(f"{PATH}/collections/Integrations/schema")
    fields = answer_of(reply, 200, SCHEMA)["schema"]["fields"]
    found = {each["name"]: (each["mode"], each["type"]) for each in fields}
    assert found == {
        "name": ("NULLABLE", "STRING"),
        "rows": ("REPEATED", "RECORD"),
        "price": ("NULLABLE", "FLOAT"),
    }
    inner = {each["name"]: each["type"] for each in fields[1]["fields"]}
    assert inner == {"on": "BOOLEAN", "size": "FLOAT"}
