from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.sandbox.conftest import LIST_ID
from tests.support.sandbox.client import people, person

if TYPE_CHECKING:
    from tests.support.sandbox.client import SandboxClient


@pytest.fixture(scope="module")
def members(sandbox: SandboxClient) -> list[dict[str, Any]]:
    """Seven members of a list, in the order of their IDs; others are in the account."""
    fields = {"FIRSTNAME": "Ada", "LASTNAME": "Lovelace"}
    sandbox.load(*people(3, "outsider"))
    created: list[dict[str, Any]] = sandbox.load(
        *people(7, "member", lists=[LIST_ID], dataFields=fields)
    )["created"]
    return created


@pytest.mark.parametrize("page_contacts", [1, 3, 7, 5_000])
def test_pages_hold_every_member_once_in_the_order_of_ids(
    sandbox: SandboxClient, members: list[dict[str, Any]], page_contacts: int
) -> None:
    found = sandbox.members(LIST_ID, page_contacts)
    assert [one["contactId"] for one in found] == sorted(one["contactId"] for one in members)


def test_the_last_page_has_no_next_even_if_it_is_full(
    sandbox: SandboxClient, members: list[dict[str, Any]]
) -> None:
    page = sandbox.get("/contacts/v3", **{"~listId": LIST_ID, "limit": len(members)}).json()
    assert len(page["_items"]) == len(members)
    assert set(page["_links"]) == {"self", "first", "last"}


@pytest.mark.usefixtures("members")
def test_links_lead_to_their_pages(sandbox: SandboxClient) -> None:
    parameters: dict[str, str | int] = {
        "~listId": LIST_ID,
        "limit": 2,
        "data-fields": "[[ALL]]",
        "include": "lists",
    }
    first = sandbox.get("/contacts/v3", **parameters).json()
    second = sandbox.call("GET", _path(sandbox, first, "next")).json()
    assert sandbox.call("GET", _path(sandbox, second, "self")).json() == second
    assert sandbox.call("GET", _path(sandbox, second, "first")).json() == first
    assert not {str(one) for one in first["_items"]} & {str(one) for one in second["_items"]}


def _path(sandbox: SandboxClient, page: dict[str, Any], name: str) -> str:
    link: str = page["_links"][name]["link"]
    return link.removeprefix(sandbox.url)


@pytest.mark.usefixtures("members")
def test_a_member_who_joins_between_two_pages_shifts_nothing(sandbox: SandboxClient) -> None:
    list_id = sandbox.create_list("Shifting")
    sandbox.load(*people(4, "shift", lists=[list_id]))
    page = sandbox.get("/contacts/v3", **{"~listId": list_id, "limit": 2}).json()
    sandbox.load(person("member0@example.com", lists=[list_id]))
    marker = page["_links"]["next"]["marker"]
    following = sandbox.get("/contacts/v3", **{"~listId": list_id, "marker": marker}).json()
    emails = [one["identifiers"]["email"] for one in page["_items"] + following["_items"]]
    assert emails == [f"shift{number}@example.com" for number in range(4)]


@pytest.mark.usefixtures("members")
def test_only_what_is_asked_for_is_answered(sandbox: SandboxClient) -> None:
    def keys(**parameters: str) -> tuple[set[str], dict[str, str]]:
        page = sandbox.get("/contacts/v3", **{"~listId": str(LIST_ID), **parameters}).json()
        one = page["_items"][0]
        extra = set(one) - {"contactId", "status", "created", "updated", "identifiers"}
        return extra, one.get("dataFields", {})

    everything = {"FIRSTNAME": "Ada", "LASTNAME": "Lovelace"}
    assert keys() == (set(), {})
    assert keys(**{"data-fields": "[[ALL]]"}) == ({"dataFields"}, everything)
    assert keys(**{"data-fields": "lastName|POSTCODE"}) == (
        {"dataFields"},
        {"LASTNAME": "Lovelace"},
    )
    assert keys(include="channelProperties|lists") == ({"channelProperties", "lists"}, {})


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ("~listId=x", "contacts:invalidFilter"),
        ("~listId=987654", "contacts:invalidFilter"),
        ("~segmentId=1", "contacts:invalidFilter"),
        ("~status=subscribed", "contacts:invalidFilter"),
        ("~listId=1&~segmentId=1", "contacts:invalidFilter"),
        ("~created=2021-12-17T00:00:00Z", "contacts:invalidFilter"),
        ("~created=lte::2021-12-17T00:00:00Z", "contacts:invalidFilter"),
        ("~modified=gte::2021-12-17", "contacts:invalidFilter"),
        ("~modified=gte::2021-02-30T00:00:00Z", "contacts:invalidFilter"),
        ("~modified=gte::2021-12-17T00:00:00%2B01:60", "contacts:invalidFilter"),
        ("~modified=gte::0001-01-01T00:00:00%2B01:00", "contacts:invalidFilter"),
        ("~modified=gte::2021-12-17T00:00:00", "contacts:invalidFilter"),
        (
            "~created=gte::2021-12-17T00:00:00Z&~modified=gte::2021-12-17T00:00:00Z",
            "contacts:invalidFilter",
        ),
        ("limit=0", "contacts:badRequest"),
        ("limit=5001", "contacts:badRequest"),
        ("limit=-1", "contacts:badRequest"),
        ("include=orders", "contacts:badRequest"),
        ("marker=%21", "contacts:invalidMarker"),
        ("marker=LTE=", "contacts:invalidMarker"),
    ],
)
def test_a_parameter_that_is_none_is_refused(
    sandbox: SandboxClient, parameters: str, code: str
) -> None:
    reply = sandbox.get(f"/contacts/v3?{parameters}")
    assert (reply.status_code, reply.json()["errorCode"]) == (400, code)


@pytest.mark.parametrize(
    "email",
    [
        "a+b@example.com",
        "50%25@example.com",
        "a/b@example.com",
        "a?b#c@example.com",
        "é@example.de",
    ],
)
def test_a_contact_is_found_by_any_address_that_is_encoded(
    sandbox: SandboxClient, email: str
) -> None:
    sandbox.load(person(email))
    assert sandbox.contact(email)["identifiers"] == {"email": email}
    assert sandbox.contact(email.upper())["identifiers"] == {"email": email}


def test_a_contact_is_found_by_its_id(
    sandbox: SandboxClient, members: list[dict[str, Any]]
) -> None:
    contact = sandbox.contact(members[0]["contactId"], "contactId")
    assert contact["identifiers"] == members[0]["identifiers"]


def test_an_update_changes_when_a_contact_was_updated_only(sandbox: SandboxClient) -> None:
    sandbox.load(person("dated@example.com"))
    before = sandbox.contact("dated@example.com")
    assert before["created"] == before["updated"]
    sandbox.load(person("dated@example.com"))
    after = sandbox.contact("dated@example.com")
    assert after["created"] == before["created"] < after["updated"]


@pytest.mark.parametrize(
    ("identifier", "value"),
    [
        ("email", "unknown@example.com"),
        ("mobileNumber", "447999999999"),
        ("contactId", "1"),
        ("customerKey", "nobody's"),
    ],
)
def test_an_unknown_contact_is_answered_404(
    sandbox: SandboxClient, identifier: str, value: str
) -> None:
    quoted = quote(value, safe="")
    reply = sandbox.get(f"/contacts/v3/{identifier}/{quoted}")
    error = reply.json()
    assert (reply.status_code, error["errorCode"]) == (404, "contacts:contactNotFound")
    assert error["details"] == [
        {"item": value, "description": f"Not found using the identifier '{identifier}'"}
    ]


@pytest.mark.parametrize(
    ("identifier", "value"),
    [
        ("email", "123646"),
        ("mobileNumber", "abc"),
        ("contactId", "abc"),
        ("contactId", "9" * 5_000),
        ("a name", "x"),
        ("customerKey", "x" * 257),
    ],
)
def test_a_value_that_no_contact_can_have_is_refused(
    sandbox: SandboxClient, identifier: str, value: str
) -> None:
    reply = sandbox.get(f"/contacts/v3/{identifier}/{value}")
    assert (reply.status_code, reply.json()["errorCode"]) == (400, "contacts:invalidId")
