"""npm's `@segment/action-destinations`: Segment's destinations, which Dotdigital keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import Switches
from tests.sandbox.conftest import LIST_ID
from tests.support.sandbox.client import SandboxClient, person

if TYPE_CHECKING:
    from pathlib import Path

    from target_dotdigital.sandbox import EmbeddedSandbox
    from tests.support.sandbox.segment import Segment

ACTIONS, AUDIENCES = "dotdigital", "dotdigital-audiences"


@pytest.fixture(scope="module")
def settings(embedded: EmbeddedSandbox) -> dict[str, str]:
    return {
        "api_host": embedded.url,
        "username": embedded.username,
        "password": embedded.password,
    }


def action(name: str, **payload: Any) -> dict[str, Any]:
    return {"destination": ACTIONS, "call": "action", "action": name, "payload": payload}


def choices(name: str, field: str, destination: str = ACTIONS) -> dict[str, Any]:
    return {"destination": destination, "call": "choices", "action": name, "field": field}


def membership(list_id: str, email: str, *, is_member: bool) -> dict[str, Any]:
    payload = {
        "segment_computation_action": "audience",
        "computation_key": "vip",
        "external_audience_id": list_id,
        "emailIdentifier": email,
        "traits_or_props": {"vip": is_member},
        "dataFields": {"FIRSTNAME": " Ada "},
    }
    step = {"call": "action", "action": "syncAudience", "payload": payload}
    return {"destination": AUDIENCES, **step}


def is_done(result: Any) -> bool:  # noqa: ANN401 - as JSON has it
    return isinstance(result, list) and result[-1]["output"] == "Action Executed"


def test_its_credentials_are_checked(segment: Segment, settings: dict[str, str]) -> None:
    steps = [{"destination": name, "call": "testAuthentication"} for name in (ACTIONS, AUDIENCES)]
    assert segment.run(settings, *steps) == [None, None]
    refused = segment.run({**settings, "password": "wrong"}, *steps)
    assert [one["error"] for one in refused] == ["Credentials are invalid: 401 Unauthorized"] * 2


def test_it_offers_the_lists_and_the_data_fields(
    segment: Segment, settings: dict[str, str]
) -> None:
    lists, fields, labelled = segment.run(
        settings,
        choices("addContactToList", "listId"),
        choices("addContactToList", "dataFields.__keys__"),
        choices("syncAudience", "dataFields.__keys__", AUDIENCES),
    )
    assert str(LIST_ID) in {one["value"] for one in lists["choices"]}
    assert {"value": "LASTSUBSCRIBED", "label": "LASTSUBSCRIBED", "type": "datetime"} in fields[
        "choices"
    ]
    assert {"value": "FIRSTNAME", "label": "FIRSTNAME - String"} in labelled["choices"]


def test_a_contact_is_added_to_a_list_and_removed_from_it(
    segment: Segment, settings: dict[str, str], sandbox: SandboxClient
) -> None:
    email = "added@segment.example.com"
    who = {"channelIdentifier": "email", "emailIdentifier": email, "listId": LIST_ID}
    (added,) = segment.run(
        settings,
        action(
            "addContactToList",
            **who,
            emailType="plainText",
            optInType="verifiedDouble",
            dataFields={"FIRSTNAME": "Ada", "LASTSUBSCRIBED": "2026-01-01"},
        ),
    )
    assert is_done(added), added
    assert added[-1]["data"]["contactId"] == sandbox.contact(email)["contactId"]
    assert sandbox.fields(email)["FIRSTNAME"] == "Ada"
    assert [one["id"] for one in sandbox.contact(email)["lists"]] == [LIST_ID]
    (removed,) = segment.run(settings, action("removeContactFromList", **who))
    assert is_done(removed), removed
    assert sandbox.contact(email)["lists"] == []


def test_a_contact_is_known_by_a_mobile_number(
    segment: Segment, settings: dict[str, str], sandbox: SandboxClient
) -> None:
    who = {"channelIdentifier": "mobileNumber", "mobileNumberIdentifier": "447700900123"}
    (added,) = segment.run(settings, action("addContactToList", **who, listId=LIST_ID))
    assert is_done(added), added
    contact = sandbox.contact("447700900123", "mobileNumber")
    assert contact["channelProperties"]["sms"]["status"] == "subscribed"


def test_whoever_unsubscribed_is_subscribed_again(
    segment: Segment, settings: dict[str, str], sandbox: SandboxClient
) -> None:
    email = "again@segment.example.com"
    who = {"channelIdentifier": "email", "emailIdentifier": email}

    def status() -> str:
        found: str = sandbox.contact(email)["channelProperties"]["email"]["status"]
        return found

    (left,) = segment.run(
        settings, action("addContactToList", **who, emailSubscriptionStatus="unsubscribed")
    )
    assert is_done(left), left
    assert status() == "unsubscribed"
    (again,) = segment.run(
        settings,
        action(
            "addContactToList",
            **who,
            emailResubscribe=True,
            resubscribeWithoutChallengeEmail=True,
        ),
    )
    assert is_done(again), again
    assert status() == "subscribed"


def test_nobody_is_removed_who_is_unknown(segment: Segment, settings: dict[str, str]) -> None:
    who = {"channelIdentifier": "email", "emailIdentifier": "unknown@segment.example.com"}
    (result,) = segment.run(settings, action("removeContactFromList", **who, listId=LIST_ID))
    assert result["status"] == 404


def test_an_audience_is_a_list_which_is_created_once(
    segment: Segment, settings: dict[str, str], sandbox: SandboxClient
) -> None:
    create = {"call": "createAudience", "name": "Audience", "visibility": "Private"}
    first, second = segment.run(settings, *[{"destination": AUDIENCES, **create}] * 2)
    assert first == second
    list_id = first["externalId"]
    steps: list[dict[str, Any]] = [
        {"destination": AUDIENCES, "call": "getAudience", "id": list_id},
        membership(list_id, "vip@segment.example.com", is_member=True),
    ]
    found, joined = segment.run(settings, *steps)
    assert found == first
    assert is_done(joined), joined
    (member,) = sandbox.members(int(list_id))
    assert member["identifiers"]["email"] == "vip@segment.example.com"
    assert sandbox.fields("vip@segment.example.com")["FIRSTNAME"] == "Ada"


@pytest.mark.parametrize("position", ["200", "204"])
def test_whoever_leaves_an_audience_is_deleted(
    segment: Segment, database: Path, position: str
) -> None:
    options = Options(
        database,
        address_books=[LIST_ID],
        switches=Switches(deleted_contact=position),  # type: ignore[arg-type]
    )
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        client.load(person("leaver@example.com", lists=[LIST_ID]))
        account = {"api_host": server.url, "username": "any", "password": "one"}
        step = membership(str(LIST_ID), "leaver@example.com", is_member=False)
        (left,) = segment.run(account, step)
        assert is_done(left), left
        assert client.members(LIST_ID) == []
