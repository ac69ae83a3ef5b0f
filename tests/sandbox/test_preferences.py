"""Marketing preferences: of the account, in categories, and as contacts choose them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from target_dotdigital.sandbox import EmbeddedSandbox, Options, SandboxServer
from target_dotdigital.sandbox.command import main
from target_dotdigital.sandbox.faults import read_switches
from tests.support.sandbox.client import SandboxClient, failure_codes, person
from tests.support.sandbox.versions import go_back

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests

PATH = "/v2/preferences"


@pytest.fixture
def client(database: Path) -> Iterator[SandboxClient]:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as running:
        yield running


def send(client: SandboxClient, name: str, **parts: Any) -> requests.Response:
    return client.call("POST", PATH, json={"publicName": name, "privateName": name, **parts})


def create(client: SandboxClient, name: str, **parts: Any) -> int:
    reply = send(client, name, **{"isPreference": True, **parts})
    assert reply.status_code == 200, reply.text
    number: int = reply.json()["id"]
    return number


def change(client: SandboxClient, number: int, **parts: Any) -> requests.Response:
    body = {"id": number, "publicName": "Changed", "privateName": "changed", **parts}
    return client.call("PUT", f"{PATH}/{number}", json=body)


def names(client: SandboxClient) -> list[Any]:
    """Return the names in their order: a category's with those of its preferences."""
    return [
        one["publicName"]
        if one["isPreference"]
        else (one["publicName"], *(each["publicName"] for each in one["preferences"]))
        for one in client.get(PATH).json()
    ]


def message(reply: requests.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["message"].rpartition(" ")[2]


def test_an_account_begins_without_preferences(client: SandboxClient) -> None:
    assert client.get(PATH).json() == []


def test_a_preference_is_answered_as_it_was_created(client: SandboxClient) -> None:
    reply = send(client, "News", isPreference=True, isPublic=False, privateName="news")
    created = reply.json()
    assert created.pop("created") == created.pop("lastModified")
    assert created == {
        "id": created["id"],
        "publicName": "News",
        "privateName": "news",
        "isPreference": True,
        "order": "0",
        "isPublic": False,
        "categoryId": 0,
        "preferenceCount": 0,
    }
    (listed,) = client.get(PATH).json()
    assert listed == reply.json()


def test_a_category_holds_its_preferences_in_their_order(client: SandboxClient) -> None:
    create(client, "Football", order="top")
    category = create(client, "Channels", isPreference=False, order=0)
    create(client, "Push", categoryID=category)
    create(client, "Mail", categoryId=category, order="top")
    create(client, "Letters", categoryId=category, order="bottom")
    create(client, "Calls", categoryId=category, order=1)
    assert names(client) == [("Channels", "Mail", "Calls", "Push", "Letters"), "Football"]
    found = client.get(PATH).json()[0]
    assert (found["preferenceCount"], found["order"]) == (4, "0")
    assert [each["order"] for each in found["preferences"]] == ["0", "1", "2", "3"]
    assert {each["categoryId"] for each in found["preferences"]} == {category}


def test_names_and_words_are_taken_in_any_case(client: SandboxClient) -> None:
    body = {"PublicName": "A", "PRIVATENAME": "a", "ispreference": True, "Order": "TOP"}
    assert client.call("POST", PATH, json=body).json()["publicName"] == "A"


@pytest.mark.parametrize(
    "fault",
    [
        {"privateName": ""},
        {"publicName": " "},
        {"publicName": None},
        {"publicName": "x" * 129},
        {"order": "middle"},
        {"order": -1},
        {"order": "9" * 5_000},
        {"isPublic": "yes"},
    ],
)
def test_a_preference_that_is_none_is_refused(client: SandboxClient, fault: dict[str, Any]) -> None:
    assert message(send(client, "News", **fault)) == (400, "ERROR_PREFERENCE_INVALID")
    assert names(client) == []


def test_only_preferences_are_in_categories_and_only_in_those(client: SandboxClient) -> None:
    category, preference = create(client, "C", isPreference=False), create(client, "P")
    for parts in ({"categoryId": category}, {"isPreference": True, "categoryId": preference}):
        assert message(send(client, "X", **parts)) == (400, "ERROR_PREFERENCE_INVALID")
    unknown = send(client, "X", isPreference=True, categoryId=preference + 1_000)
    assert message(unknown) == (404, "ERROR_PREFERENCE_NOT_FOUND")


def test_a_change_leaves_what_it_does_not_name(client: SandboxClient) -> None:
    create(client, "First")
    number = create(client, "Second", isPublic=False)
    reply = change(client, number)
    assert reply.status_code == 200
    assert (reply.json()["isPublic"], reply.json()["order"]) == (False, "1")
    assert names(client) == ["First", "Changed"]
    assert reply.json()["lastModified"] >= reply.json()["created"]


def test_a_preference_moves_into_a_category_and_out_of_it(client: SandboxClient) -> None:
    category, number = create(client, "C", isPreference=False), create(client, "P")
    assert change(client, number, categoryId=category).json()["categoryId"] == category
    assert names(client) == [("C", "Changed")]
    change(client, number, categoryId=None, order="top")
    assert names(client) == ["Changed", ("C",)]


def test_a_change_that_contradicts_itself_is_refused(client: SandboxClient) -> None:
    number = create(client, "P")
    for parts in ({"id": number + 1}, {"isPreference": False}, {"privateName": ""}):
        assert message(change(client, number, **parts)) == (400, "ERROR_PREFERENCE_INVALID")
    assert message(change(client, number + 1)) == (404, "ERROR_PREFERENCE_NOT_FOUND")
    assert names(client) == ["P"]


def test_a_category_goes_with_its_preferences_and_what_contacts_chose(
    client: SandboxClient,
) -> None:
    category = create(client, "C", isPreference=False)
    inside, kept = create(client, "In", categoryId=category), create(client, "Kept")
    chosen = [{"id": number, "isOptedIn": True} for number in (inside, kept)]
    client.load(person("a@example.com", preferences=chosen))
    reply = client.call("DELETE", f"{PATH}/{category}")
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert [one["id"] for one in client.contact("a@example.com")["preferences"]] == [kept]
    assert names(client) == ["Kept"]
    gone = client.call("DELETE", f"{PATH}/{inside}")
    assert message(gone) == (404, "ERROR_PREFERENCE_NOT_FOUND")
    assert create(client, "New") not in {category, inside, kept}


def choices(client: SandboxClient, contact: str | int, path: str = "contacts") -> requests.Response:
    return client.get(f"/v2/{path}/{quote(str(contact), safe='')}/preferences")


@pytest.mark.parametrize("path", ["contacts", "contact"])
def test_a_contact_opts_in_and_out(client: SandboxClient, path: str) -> None:
    category = create(client, "C", isPreference=False)
    inside, alone = create(client, "In", categoryId=category), create(client, "Alone")
    email = "a/b@example.com"
    number = client.load(person(email))["created"][0]["contactId"]
    nested = [
        {"id": category, "isPreference": False, "preferences": [{"id": inside, "IsOptedIn": True}]},
        {"id": alone, "isPreference": True, "isOptedIn": False},
    ]
    for contact in (number, email):
        target = f"/v2/{path}/{quote(str(contact), safe='')}/preferences"
        assert client.call("PUT", target, json=nested).status_code == 200
    for contact in (number, email):
        first, second = choices(client, contact, path).json()
        assert "isOptedIn" not in first
        assert [one["isOptedIn"] for one in first["preferences"]] == [True]
        assert second["isOptedIn"] is False
    client.call("PUT", f"/v2/{path}/{number}/preferences", json=[{"id": alone, "isOptedIn": True}])
    first, second = choices(client, number, path).json()
    assert (first["preferences"][0]["isOptedIn"], second["isOptedIn"]) == (True, True)
    names_of = {one["id"]: one["publicName"] for one in client.contact(email)["preferences"]}
    assert names_of == {inside: "In", alone: "Alone"}


def test_a_contact_cannot_choose_what_is_no_preference(client: SandboxClient) -> None:
    category, known = create(client, "C", isPreference=False), create(client, "P")
    number = client.load(person("a@example.com"))["created"][0]["contactId"]
    for unknown in (category, 4_711):
        body = [{"id": known, "isOptedIn": True}, {"id": unknown, "isOptedIn": True}]
        reply = client.call("PUT", f"/v2/contacts/{number}/preferences", json=body)
        assert message(reply) == (404, "ERROR_PREFERENCE_NOT_FOUND")
    assert choices(client, number).json()[1]["isOptedIn"] is False
    reply = client.call("PUT", f"/v2/contacts/{number}/preferences", json={"id": known})
    assert message(reply) == (400, "ERROR_PREFERENCE_INVALID")


def test_the_preferences_of_nobody_are_not_found(client: SandboxClient) -> None:
    for unknown in (1, "unknown@example.com"):
        assert message(choices(client, unknown)) == (404, "ERROR_CONTACT_NOT_FOUND")
    for wrong in ("nobody", "9" * 30):
        assert message(choices(client, wrong)) == (400, "ERROR_CONTACT_INVALID")


def test_an_import_reports_a_preference_that_the_account_lacks(client: SandboxClient) -> None:
    category, known = create(client, "C", isPreference=False), create(client, "P")
    report = client.load(
        person("known@example.com", preferences=[{"id": known, "isOptedIn": True}]),
        person("unknown@example.com", preferences=[{"id": 4_711, "isOptedIn": True}]),
        person("category@example.com", preferences=[{"id": category, "isOptedIn": True}]),
    )
    assert failure_codes(report) == ["preferencesNotApplied"] * 2
    assert report["summary"]["newContacts"] == 3
    (chosen,) = client.contact("known@example.com")["preferences"]
    assert (chosen["publicName"], chosen["privateName"]) == ("P", "P")
    assert "preferences" not in client.contact("unknown@example.com")


def test_a_preference_that_the_account_lacks_can_be_taken(database: Path) -> None:
    options = Options(database, switches=read_switches(["unknown-preference=taken"]))
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        chosen = [{"id": 4_711, "isOptedIn": True}]
        report = client.load(person("a@example.com", preferences=chosen))
        assert failure_codes(report) == []
        client.call("PUT", "/v2/contacts/a@example.com/preferences", json=[{**chosen[0], "id": 5}])
        found = client.contact("a@example.com")["preferences"]
        assert [one["id"] for one in found] == [5, 4_711]
        assert found[1]["publicName"] == "Preference 4711"


def test_a_sandbox_has_the_preferences_that_it_was_started_with(database: Path) -> None:
    options = Options(database, preferences=[4_711, "12", "News"])
    for _ in range(2):
        with SandboxServer(options) as server, SandboxClient(server.url) as client:
            assert names(client) == ["Preference 4711", "Preference 12", "News"]
            assert [one["id"] for one in client.get(PATH).json()][:2] == [4_711, 12]
            create(client, "Passing")
            client.call("POST", "/sandbox/reset", json={})
            assert names(client) == ["Preference 4711", "Preference 12", "News"]
    with EmbeddedSandbox(database, preferences=[5]) as embedded:
        credentials = (embedded.username, embedded.password)
        with SandboxClient(embedded.url, credentials) as client:
            assert names(client)[-1] == "Preference 5"


@pytest.mark.parametrize("wrong", ["0", "2147483648", " ", "x" * 129])
def test_a_preference_that_cannot_be_keeps_a_sandbox_from_starting(
    database: Path, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--database", str(database), "--port", "0", "--preference", wrong]) == 1
    assert "a preference's" in capsys.readouterr().err


def test_preferences_that_contacts_of_version_2_have_are_defined(database: Path) -> None:
    options = Options(database, switches=read_switches(["unknown-preference=taken"]))
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        chosen = [{"id": number, "isOptedIn": True} for number in (7, 3)]
        client.load(person("a@example.com", preferences=chosen))
    go_back(database, 2)
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        assert [(one["id"], one["order"]) for one in client.get(PATH).json()] == [
            (3, "0"),
            (7, "1"),
        ]
        report = client.load(person("a@example.com", preferences=[{"id": 7, "isOptedIn": False}]))
        assert failure_codes(report) == []
        found = client.contact("a@example.com")["preferences"]
        assert [(one["publicName"], one["isOptedIn"]) for one in found] == [
            ("Preference 3", True),
            ("Preference 7", False),
        ]
