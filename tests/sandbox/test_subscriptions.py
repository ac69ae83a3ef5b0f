"""v2's calls that unsubscribe, suppress and resubscribe, and those that answer who was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from tests.sandbox.conftest import LIST_ID
from tests.support.sandbox.client import SandboxClient, people, person
from tests.support.sandbox.versions import go_back

if TYPE_CHECKING:
    from pathlib import Path

    import requests

CONTACTS = "/v2/contacts"
MEMBERS = f"/v2/address-books/{LIST_ID}/contacts"
BEGINNING = "2020-01-01"
NOT_FOUND = (404, "Error: ERROR_CONTACT_NOT_FOUND")


def refusal(reply: requests.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["message"]


def code_of(reply: requests.Response) -> tuple[int, str]:
    status, message = refusal(reply)
    return status, message.rpartition(" ")[2]


def load(sandbox: SandboxClient, email: str, status: str = "subscribed", **parts: Any) -> int:
    channels = {"channelProperties": {"email": {"status": status}}}
    sandbox.load(person(email, **channels, **parts))
    contact_id: int = sandbox.contact(email)["contactId"]
    return contact_id


def unsubscribe(sandbox: SandboxClient, email: str, where: str = CONTACTS) -> dict[str, Any]:
    reply = sandbox.call("POST", f"{where}/unsubscribe", json={"email": email})
    assert reply.status_code == 200, reply.text
    answered: dict[str, Any] = reply.json()
    return answered


def resubscribe(
    sandbox: SandboxClient, email: str, where: str = CONTACTS, how: str = "", **parts: Any
) -> tuple[str, str]:
    """Return what became of a resubscription, and the status of the contact that is answered."""
    body = {"unsubscribedContact": {"email": email, **parts}, "preferredLocale": "de-DE"}
    reply = sandbox.call("POST", f"{where}/resubscribe{how}", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()["status"], reply.json()["contact"]["status"]


AT_ONCE = "-with-no-challenge"


def test_somebody_who_comes_back_from_the_bin_is_unsubscribed_still(sandbox: SandboxClient) -> None:
    email = "binned@example.com"
    load(sandbox, email, "unsubscribed")
    sandbox.call("DELETE", f"/contacts/v3/email/{email}")
    reply = sandbox.call("POST", CONTACTS, json={"email": email})
    assert reply.json()["message"] == "Contact is suppressed. ERROR_CONTACT_SUPPRESSED"
    assert sandbox.get(f"/contacts/v3/email/{email}").status_code == 404


def since(sandbox: SandboxClient, path: str, date: str = BEGINNING, **page: Any) -> list[Any]:
    reply = sandbox.get(f"{path}-since/{quote(date)}", **page)
    assert reply.status_code == 200, reply.text
    found: list[Any] = reply.json()
    return found


def removed(sandbox: SandboxClient, path: str, *emails: str) -> dict[str, tuple[str, str]]:
    """Return reason and time of those among the addresses that a call answers."""
    return {
        one["suppressedContact"]["email"]: (one["reason"], one["dateRemoved"])
        for one in since(sandbox, path)
        if one["suppressedContact"]["email"] in emails
    }


def lists_of(sandbox: SandboxClient, email: str) -> dict[int, str]:
    return {one["id"]: one["status"] for one in sandbox.contact(email)["lists"]}


def test_whoever_is_unsubscribed_is_so_in_v3_and_keeps_the_first_time(
    sandbox: SandboxClient,
) -> None:
    contact_id = load(sandbox, "leaves@example.com")
    first = unsubscribe(sandbox, "Leaves@example.com")
    assert first["suppressedContact"] == {
        "id": contact_id,
        "email": "leaves@example.com",
        "optInType": "Unknown",
        "emailType": "Html",
        "dataFields": None,
        "status": "Unsubscribed",
    }
    assert first["reason"] == "Unsubscribed"
    contact = sandbox.contact("leaves@example.com")
    assert first["dateRemoved"] == contact["updated"] > contact["created"]
    assert sandbox.contact("leaves@example.com")["status"] == "unsubscribed"
    assert unsubscribe(sandbox, "leaves@example.com") == first


def test_whoever_is_suppressed_is_not_unsubscribed_instead(sandbox: SandboxClient) -> None:
    load(sandbox, "barred@example.com", "suppressed")
    answered = unsubscribe(sandbox, "barred@example.com")
    assert (answered["reason"], answered["suppressedContact"]["status"]) == ("Suppressed",) * 2


@pytest.mark.parametrize("where", [CONTACTS, MEMBERS])
def test_somebody_unknown_is_not_found(sandbox: SandboxClient, where: str) -> None:
    path = f"{where}/unsubscribe"
    for body in ({"email": "unknown@example.com"}, {"id": 1}):
        assert refusal(sandbox.call("POST", path, json=body)) == NOT_FOUND
    for body in ({}, {"email": "none"}):
        assert code_of(sandbox.call("POST", path, json=body)) == (400, "ERROR_INVALID_EMAIL")
    assert sandbox.get("/contacts/v3/email/unknown%40example.com").status_code == 404


def test_the_database_notes_a_status_that_any_call_sets(sandbox: SandboxClient) -> None:
    load(sandbox, "imported@example.com", "unsubscribed")
    load(sandbox, "changed@example.com")
    load(sandbox, "changed@example.com", "suppressed")
    load(sandbox, "returned@example.com", "unsubscribed")
    load(sandbox, "returned@example.com", "subscribed")
    emails = ("imported@example.com", "changed@example.com", "returned@example.com")
    found = removed(sandbox, f"{CONTACTS}/suppressed", *emails)
    assert {email: reason for email, (reason, _) in found.items()} == {
        "imported@example.com": "Unsubscribed",
        "changed@example.com": "Suppressed",
    }
    assert found["changed@example.com"][1] == sandbox.contact("changed@example.com")["updated"]
    assert list(removed(sandbox, f"{CONTACTS}/unsubscribed", *emails)) == ["imported@example.com"]


def test_an_update_that_leaves_the_status_leaves_its_time(sandbox: SandboxClient) -> None:
    load(sandbox, "steady@example.com", "unsubscribed")
    before = removed(sandbox, f"{CONTACTS}/unsubscribed", "steady@example.com")
    sandbox.load(person("steady@example.com", dataFields={"FIRSTNAME": "Ada"}))
    assert sandbox.contact("steady@example.com")["updated"] > before["steady@example.com"][1]
    assert removed(sandbox, f"{CONTACTS}/unsubscribed", "steady@example.com") == before


def test_whoever_opts_out_again_does_so_then(sandbox: SandboxClient) -> None:
    load(sandbox, "wavers@example.com", "unsubscribed")
    first = unsubscribe(sandbox, "wavers@example.com")["dateRemoved"]
    load(sandbox, "wavers@example.com", "subscribed")
    assert unsubscribe(sandbox, "wavers@example.com")["dateRemoved"] > first


def test_a_deleted_contact_is_not_among_the_unsubscribed(sandbox: SandboxClient) -> None:
    load(sandbox, "deleted@example.com", "unsubscribed")
    sandbox.call("DELETE", f"{CONTACTS}/deleted%40example.com")
    assert removed(sandbox, f"{CONTACTS}/suppressed", "deleted@example.com") == {}


def test_several_contacts_are_suppressed_by_id_or_address(sandbox: SandboxClient) -> None:
    first = load(sandbox, "first@example.com")
    load(sandbox, "second@example.com")
    body: list[dict[str, Any]] = [
        {"id": first},
        {"email": "Second@example.com"},
        {"Email": "nobody@example.com"},
        {"id": 1},
        {"email": "none"},
        {},
        {"email": "first@example.com"},
    ]
    reply = sandbox.call("PUT", f"{CONTACTS}/suppress-contacts", json=body)
    assert reply.status_code == 200, reply.text
    assert reply.json() == {
        "suppressed": [
            {"id": first, "email": None},
            {"id": 0, "email": "Second@example.com"},
            {"id": 0, "email": "first@example.com"},
        ],
        "notFound": [
            {"id": 0, "email": "nobody@example.com"},
            {"id": 1, "email": None},
            {"id": 0, "email": "none"},
            {"id": 0, "email": None},
        ],
    }
    before = sandbox.contact(first, "contactId")
    assert before["status"] == "suppressed"
    assert sandbox.contact("second@example.com")["status"] == "suppressed"
    sandbox.call("PUT", f"{CONTACTS}/suppress-contacts", json=body)
    assert sandbox.contact(first, "contactId") == before


def test_a_suppression_without_contacts_is_refused(sandbox: SandboxClient) -> None:
    path = f"{CONTACTS}/suppress-contacts"
    large = sandbox.call("PUT", path, json=[{"id": 2**31}])
    assert code_of(large) == (400, "ERROR_PARAMETER_INVALID")
    assert code_of(sandbox.call("PUT", path, json=[])) == (400, "ERROR_CONTACTS_ARE_NOT_SPECIFIED")
    assert code_of(sandbox.call("PUT", path, json={})) == (400, "ERROR_PARAMETER_INVALID")


def test_a_resubscription_asks_first_and_changes_nothing(sandbox: SandboxClient) -> None:
    load(sandbox, "asked@example.com", "unsubscribed")
    field = [{"key": "FIRSTNAME", "value": "Ada"}]
    answered = resubscribe(sandbox, "asked@example.com", dataFields=field)
    assert answered == ("ContactChallenged", "Unsubscribed")
    assert sandbox.contact("asked@example.com")["status"] == "unsubscribed"
    assert sandbox.fields("asked@example.com") == {}


def test_a_resubscription_without_asking_is_done_at_once(sandbox: SandboxClient) -> None:
    load(sandbox, "back@example.com", "unsubscribed")
    field = [{"key": "FIRSTNAME", "value": "Ada"}]
    answered = resubscribe(sandbox, "back@example.com", how=AT_ONCE, dataFields=field)
    assert answered == ("ContactAdded", "Subscribed")
    assert sandbox.contact("back@example.com")["status"] == "subscribed"
    assert sandbox.fields("back@example.com") == {"FIRSTNAME": "Ada"}
    assert removed(sandbox, f"{CONTACTS}/unsubscribed", "back@example.com") == {}


def test_a_contact_that_is_answered_can_be_sent_back(sandbox: SandboxClient) -> None:
    load(sandbox, "round@example.com", "unsubscribed", dataFields={"FIRSTNAME": "Ada"})
    contact = sandbox.get(f"{CONTACTS}/round%40example.com").json()
    reply = sandbox.call(
        "POST", f"{CONTACTS}/resubscribe{AT_ONCE}", json={"UnsubscribedContact": contact}
    )
    assert reply.json()["status"] == "ContactAdded"


@pytest.mark.parametrize("how", ["", AT_ONCE])
@pytest.mark.parametrize("where", [CONTACTS, MEMBERS])
def test_whoever_is_suppressed_cannot_be_resubscribed(
    sandbox: SandboxClient, where: str, how: str
) -> None:
    load(sandbox, "stays@example.com", "suppressed")
    answered = resubscribe(sandbox, "stays@example.com", where, how)
    assert answered == ("ContactCannotBeUnsuppressed", "Suppressed")
    assert sandbox.contact("stays@example.com")["status"] == "suppressed"


def test_a_resubscription_creates_somebody_unknown(sandbox: SandboxClient) -> None:
    assert resubscribe(sandbox, "fresh@example.com") == ("ContactAdded", "Subscribed")
    verified = resubscribe(sandbox, "verified@example.com", how=AT_ONCE, optInType="VerifiedDouble")
    assert verified == ("ContactChallenged", "PendingOptIn")
    assert resubscribe(sandbox, "verified@example.com") == ("ContactChallenged", "PendingOptIn")
    at_once = resubscribe(sandbox, "verified@example.com", how=AT_ONCE)
    assert at_once == ("ContactAdded", "Subscribed")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "ERROR_CONTACT_RESUBSCRIPTION_INVALID")),
        ({"unsubscribedContact": {}}, (400, "ERROR_INVALID_EMAIL")),
        ({"unsubscribedContact": {"id": 1}}, (404, "ERROR_CONTACT_NOT_FOUND")),
        (
            {
                "unsubscribedContact": {
                    "email": "wrong@example.com",
                    "dataFields": [{"key": "NONE"}],
                }
            },
            (400, "ERROR_DATAFIELD_NOTFOUND"),
        ),
    ],
)
def test_a_resubscription_at_fault_is_refused(
    sandbox: SandboxClient, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert code_of(sandbox.call("POST", f"{CONTACTS}/resubscribe", json=body)) == expected


def test_whoever_is_unsubscribed_from_a_list_leaves_it_and_stays_subscribed(
    sandbox: SandboxClient,
) -> None:
    load(sandbox, "lister@example.com", lists=[LIST_ID])
    path = f"/v2/address-books/{LIST_ID}"
    count = sandbox.get(path).json()["contacts"]
    answered = unsubscribe(sandbox, "lister@example.com", MEMBERS)
    assert answered["reason"] == "Unsubscribed"
    assert answered["suppressedContact"]["status"] == "Subscribed"
    assert unsubscribe(sandbox, "lister@example.com", MEMBERS) == answered
    assert sandbox.get(path).json()["contacts"] == count - 1
    assert "lister@example.com" not in {one["email"] for one in sandbox.get(MEMBERS).json()}
    assert lists_of(sandbox, "lister@example.com") == {LIST_ID: "suppressed"}
    assert sandbox.contact("lister@example.com")["status"] == "subscribed"
    times = removed(sandbox, f"{MEMBERS}/unsubscribed", "lister@example.com")
    assert times == {"lister@example.com": ("Unsubscribed", answered["dateRemoved"])}
    assert removed(sandbox, f"{CONTACTS}/suppressed", "lister@example.com") == {}


def test_nothing_but_a_resubscription_lets_somebody_into_the_list_again(
    sandbox: SandboxClient,
) -> None:
    email = "outside@example.com"
    load(sandbox, email, lists=[LIST_ID])
    unsubscribe(sandbox, email, MEMBERS)
    reply = sandbox.call("POST", MEMBERS, json={"email": email})
    assert code_of(reply) == (400, "ERROR_CONTACT_SUPPRESSEDFORADDRESSBOOK")
    sandbox.load(person(email, lists=[LIST_ID]))
    assert len(sandbox.contact(email)["lists"]) == 1
    assert lists_of(sandbox, email) == {LIST_ID: "suppressed"}
    assert resubscribe(sandbox, email, MEMBERS) == ("ContactChallenged", "Subscribed")
    assert lists_of(sandbox, email) == {LIST_ID: "suppressed"}
    assert resubscribe(sandbox, email, MEMBERS, AT_ONCE) == ("ContactAdded", "Subscribed")
    assert lists_of(sandbox, email) == {LIST_ID: "subscribed"}
    assert removed(sandbox, f"{MEMBERS}/unsubscribed", email) == {}


def test_a_resubscription_to_a_list_is_one_to_the_account_too(sandbox: SandboxClient) -> None:
    load(sandbox, "both@example.com", "unsubscribed")
    assert resubscribe(sandbox, "both@example.com", MEMBERS) == (
        "ContactChallenged",
        "Unsubscribed",
    )
    answered = resubscribe(sandbox, "both@example.com", MEMBERS, AT_ONCE)
    assert answered == ("ContactAdded", "Subscribed")
    assert lists_of(sandbox, "both@example.com") == {LIST_ID: "subscribed"}


def test_an_address_book_that_is_deleted_forgets_who_left_it(database: Path) -> None:
    options = Options(database, address_books=[LIST_ID])
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        load(client, "forgotten@example.com", lists=[LIST_ID])
        unsubscribe(client, "forgotten@example.com", MEMBERS)
        client.call("DELETE", f"/v2/address-books/{LIST_ID}")
        assert lists_of(client, "forgotten@example.com") == {}
    # The next start makes it anew, under the ID that it asks for.
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        assert lists_of(client, "forgotten@example.com") == {}


@pytest.mark.parametrize("call", ["unsubscribe", "resubscribe", f"resubscribe{AT_ONCE}"])
def test_an_address_book_that_is_not_there_is_not_found(sandbox: SandboxClient, call: str) -> None:
    email = {"email": "any@example.com"}
    body = email | {"unsubscribedContact": email}
    unknown = sandbox.call("POST", f"/v2/address-books/7/contacts/{call}", json=body)
    assert code_of(unknown) == (404, "ERROR_ADDRESSBOOK_NOT_FOUND")
    (everybody,) = [
        one["id"]
        for one in sandbox.get("/v2/address-books").json()
        if one["name"] == "All Contacts"
    ]
    reply = sandbox.call("POST", f"/v2/address-books/{everybody}/contacts/{call}", json=body)
    assert code_of(reply) == (400, "ERROR_ADDRESSBOOK_NOTWRITABLE")


def test_changes_are_answered_from_a_time_on(sandbox: SandboxClient) -> None:
    load(sandbox, "early@example.com", dataFields={"FIRSTNAME": "Ada"}, lists=[LIST_ID])
    load(sandbox, "late@example.com", lists=[LIST_ID])
    created = sandbox.contact("late@example.com")["created"]

    def emails(path: str, date: str) -> list[str]:
        names = {"early@example.com", "late@example.com"}
        found = [one["email"] for one in since(sandbox, path, date)]
        return [one for one in found if one in names]

    everybody = "/v2/address-books/1000001/contacts"
    paths = (f"{CONTACTS}/created", f"{CONTACTS}/modified", f"{MEMBERS}/modified")
    for path in (*paths, f"{everybody}/modified"):
        assert emails(path, BEGINNING) == ["early@example.com", "late@example.com"]
        assert emails(path, created) == ["late@example.com"]
        assert emails(path, f"{created[:-1]}+00:00") == ["late@example.com"]
        assert emails(path, "2999-01-01T00:00:00Z") == []
    load(sandbox, "early@example.com")
    for path in (f"{CONTACTS}/modified", f"{MEMBERS}/modified"):
        assert emails(path, created) == ["early@example.com", "late@example.com"]
    assert emails(f"{CONTACTS}/created", created) == ["late@example.com"]


def test_an_offset_is_taken_off_a_time(sandbox: SandboxClient) -> None:
    load(sandbox, "zoned@example.com", "unsubscribed")
    time = removed(sandbox, f"{CONTACTS}/unsubscribed", "zoned@example.com")
    (_, at) = time["zoned@example.com"]
    for written, is_answered in (
        (at, True),
        (f"{at[:-1]}+01:00", True),
        (f"{at[:-1]}-01:00", False),
    ):
        found = since(sandbox, f"{CONTACTS}/unsubscribed", written)
        emails = {one["suppressedContact"]["email"] for one in found}
        assert ("zoned@example.com" in emails) is is_answered


def test_pages_of_changes_go_on_where_the_last_one_ended(sandbox: SandboxClient) -> None:
    unsubscribed = {"channelProperties": {"email": {"status": "unsubscribed"}}}
    sandbox.load(*people(3, "paged", **unsubscribed, lists=[LIST_ID]))
    for number in range(3):
        unsubscribe(sandbox, f"paged{number}@example.com", MEMBERS)
    for path in (
        f"{CONTACTS}/created",
        f"{CONTACTS}/modified",
        f"{CONTACTS}/unsubscribed",
        f"{CONTACTS}/suppressed",
        f"{MEMBERS}/modified",
        f"{MEMBERS}/unsubscribed",
    ):
        everybody = since(sandbox, path)
        paged = [
            one
            for skip in range(len(everybody))
            for one in since(sandbox, path, select=1, skip=skip)
        ]
        assert paged == everybody
        assert since(sandbox, path, skip=len(everybody)) == []
        wrong = sandbox.get(f"{path}-since/{BEGINNING}", select=0)
        assert code_of(wrong) == (400, "ERROR_PARAMETER_INVALID")
        assert code_of(sandbox.get(f"{path}-since/yesterday")) == (400, "ERROR_PARAMETER_INVALID")


def test_data_fields_of_changed_contacts_are_answered_if_asked_for(sandbox: SandboxClient) -> None:
    load(sandbox, "full@example.com", dataFields={"FIRSTNAME": "Ada"}, lists=[LIST_ID])
    at = sandbox.contact("full@example.com")["updated"]
    for path in (f"{CONTACTS}/created", f"{CONTACTS}/modified", f"{MEMBERS}/modified"):
        assert [one["dataFields"] for one in since(sandbox, path, at)] == [None]
        (full,) = since(sandbox, path, at, withFullData="true")
        assert full["dataFields"] == [{"key": "FIRSTNAME", "value": "Ada"}]


def test_changes_of_an_unknown_address_book_are_not_found(sandbox: SandboxClient) -> None:
    for call in ("modified", "unsubscribed"):
        reply = sandbox.get(f"/v2/address-books/7/contacts/{call}-since/{BEGINNING}")
        assert code_of(reply) == (404, "ERROR_ADDRESSBOOK_NOT_FOUND")


def test_a_file_of_an_older_version_knows_who_opted_out(database: Path) -> None:
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        load(client, "older@example.com", "unsubscribed")
        updated = client.contact("older@example.com")["updated"]
    go_back(database, 2)
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        found = removed(client, f"{CONTACTS}/unsubscribed", "older@example.com")
    assert found == {"older@example.com": ("Unsubscribed", updated)}
