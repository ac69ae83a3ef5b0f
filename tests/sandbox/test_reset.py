from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from tests.support.sandbox.client import SandboxClient, people, person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIST_ID = 42


def reset(client: SandboxClient) -> None:
    assert client.call("POST", "/sandbox/reset", json={}).status_code == 204


def test_a_reset_empties_the_account_but_for_what_was_named(database: Path) -> None:
    options = Options(database, address_books=[LIST_ID, "Customers"])
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        before = [client.get(f"/v2/{part}").json() for part in ("address-books", "data-fields")]
        client.create_list("Passing")
        client.create_field("SCORE", "Numeric")
        import_id = client.start_import(people(10, "a", lists=[LIST_ID]))
        client.finish(import_id)
        reset(client)
        after = [client.get(f"/v2/{part}").json() for part in ("address-books", "data-fields")]
        assert after == before
        assert client.members(LIST_ID) == []
        assert client.get("/contacts/v3").json()["_items"] == []
        assert client.get(f"/contacts/v3/import/{import_id}").status_code == 404


def test_after_a_reset_no_id_is_given_again(database: Path) -> None:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        old = client.load(person("a@example.com"))["created"][0]["contactId"]
        old_list = client.create_list("One")
        reset(client)
        assert client.load(person("a@example.com"))["created"][0]["contactId"] > old
        assert client.create_list("One") > old_list


def test_a_named_address_book_that_was_renamed_is_there_after_a_reset(database: Path) -> None:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        list_id = client.create_list("Customers")
    options = Options(database, address_books=["customers"])
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        renamed = {"id": list_id, "name": "Others", "visibility": "Private"}
        client.call("PUT", f"/v2/address-books/{list_id}", json=renamed)
        reset(client)
        names = {book["name"] for book in client.get("/v2/address-books").json()}
        assert {name.lower() for name in names} == {"all contacts", "test", "customers"}


def test_imports_under_way_come_to_nothing_and_those_after_the_reset_are_whole(
    database: Path,
) -> None:
    options = Options(database, slots=2, pace=2_000)
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        before = [client.start_import(people(1_500, f"old{number}-")) for number in range(4)]
        reset(client)
        report = client.load(*people(10, "new"))
        assert report["summary"]["newContacts"] == 10
        for import_id in before:
            assert client.get(f"/contacts/v3/import/{import_id}").status_code == 404
        emails = [
            one["identifiers"]["email"] for one in client.get("/contacts/v3").json()["_items"]
        ]
        assert len(emails) == 10
        assert all(email.startswith("new") for email in emails)


def test_a_reset_disarms_faults(database: Path) -> None:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        fault = {"route": "GET /v2/account-info", "kind": "html", "times": None}
        client.call("POST", "/sandbox/faults", json=fault)
        reset(client)
        assert client.get("/v2/account-info").status_code == 200


def test_a_reset_with_a_body_of_something_is_refused(database: Path) -> None:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        client.load(person("kept@example.com"))
        assert client.call("POST", "/sandbox/reset", json={"only": "lists"}).status_code == 400
        assert client.contact("kept@example.com")


def test_what_a_reset_removed_stays_away_after_a_restart(database: Path) -> None:
    with SandboxServer(Options(database, slots=0)) as server, SandboxClient(server.url) as client:
        client.start_import(people(10, "a"))
        reset(client)
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        client.load(person("b@example.com"))
        assert len(client.get("/contacts/v3").json()["_items"]) == 1


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxClient]:
    database = tmp_path_factory.mktemp("reset") / "dotdigital.db"
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        client.load(person("a@example.com"))
        yield client


def is_empty(client: SandboxClient) -> bool:
    return len(client.get("/contacts/v3").json()["_items"]) == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        # Each comes with what a page makes a browser send: a form, or a call without a body.
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
        ({"Referer": "http://evil.example/"}, 415),
        ({"Sec-Fetch-Site": "none"}, 415),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "evil.example"}, 421),
    ],
)
def test_a_browser_cannot_be_made_to_reset(
    full: SandboxClient, headers: dict[str, str], status: int
) -> None:
    assert full.call("POST", "/sandbox/reset", headers=headers).status_code == status
    own = {"Origin": full.url}
    assert full.call("POST", "/sandbox/reset", headers=own).status_code == 415
    assert full.get("/sandbox/reset").status_code == 405
    assert not is_empty(full)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b""),
        ({"Content-Type": "application/json"}, b""),
        ({"Content-Type": "application/json"}, b"{}"),
    ],
)
def test_a_program_resets_with_a_body_and_without(
    database: Path, headers: dict[str, str], body: bytes
) -> None:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        client.load(person("a@example.com"))
        reply = client.call("POST", "/sandbox/reset", headers=headers, data=body)
        assert reply.status_code == 204
        assert is_empty(client)
