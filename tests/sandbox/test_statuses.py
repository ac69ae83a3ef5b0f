from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.conftest import LIST_ID
from tests.support.sandbox.client import person

if TYPE_CHECKING:
    from tests.support.sandbox.client import SandboxClient


def email_channel(**properties: object) -> dict[str, Any]:
    return {"channelProperties": {"email": properties}}


def status(sandbox: SandboxClient, email: str) -> str:
    contact = sandbox.contact(email)
    channel: str = contact["channelProperties"]["email"]["status"]
    assert contact["status"] == channel
    return channel


def test_a_new_contact_is_subscribed(sandbox: SandboxClient) -> None:
    sandbox.load(person("new@example.com", dataFields={"FIRSTNAME": "Ada"}))
    contact = sandbox.contact("new@example.com")
    assert contact["status"] == "subscribed"
    assert contact["channelProperties"] == {
        "email": {"emailType": "Html", "optInType": "Unknown", "status": "subscribed"}
    }


def test_a_new_contact_gets_the_status_that_is_sent(sandbox: SandboxClient) -> None:
    sandbox.load(person("out@example.com", **email_channel(status="unsubscribed")))
    assert status(sandbox, "out@example.com") == "unsubscribed"


def test_whoever_opted_out_stays_so_and_is_updated(sandbox: SandboxClient) -> None:
    sandbox.load(person("gone@example.com", **email_channel(status="unsubscribed")))
    report = sandbox.load(
        person(
            "gone@example.com",
            dataFields={"FIRSTNAME": "Ada"},
            lists=[LIST_ID],
            **email_channel(emailType="plainText"),
        )
    )
    assert report["summary"]["updatedContacts"] == 1
    assert status(sandbox, "gone@example.com") == "unsubscribed"
    contact = sandbox.contact("gone@example.com")
    assert contact["dataFields"] == {"FIRSTNAME": "Ada"}
    assert [one["status"] for one in contact["lists"]] == ["suppressed"]


def test_whoever_is_suppressed_stays_so_and_is_updated(sandbox: SandboxClient) -> None:
    sandbox.load(person("barred@example.com", **email_channel(status="suppressed")))
    report = sandbox.load(person("barred@example.com", dataFields={"FIRSTNAME": "Ada"}))
    assert report["summary"]["updatedContacts"] == 1
    assert report["summary"]["globallySuppressed"] == 0
    assert status(sandbox, "barred@example.com") == "suppressed"
    assert sandbox.fields("barred@example.com") == {"FIRSTNAME": "Ada"}
    sandbox.load(person("barred@example.com", **email_channel(status="subscribed")))
    assert status(sandbox, "barred@example.com") == "subscribed"


def test_a_status_that_is_sent_changes_an_existing_contact(sandbox: SandboxClient) -> None:
    sandbox.load(person("back@example.com", **email_channel(status="unsubscribed")))
    sandbox.load(person("back@example.com", **email_channel(status="subscribed")))
    assert status(sandbox, "back@example.com") == "subscribed"


def test_a_resubscription_with_a_challenge_waits_for_the_person(sandbox: SandboxClient) -> None:
    sandbox.load(person("asked@example.com", **email_channel(status="unsubscribed")))
    ask = {"resubscribeWithNoChallenge": False}
    sandbox.load(
        person(
            "asked@example.com",
            **email_channel(status="subscribed", resubscribeOptions=ask),
        )
    )
    assert status(sandbox, "asked@example.com") == "unsubscribed"


def test_verified_double_leaves_a_new_contact_pending(sandbox: SandboxClient) -> None:
    sandbox.load(
        person("pending@example.com", lists=[LIST_ID], **email_channel(optInType="verifiedDouble"))
    )
    assert status(sandbox, "pending@example.com") == "pendingOptIn"
    assert sandbox.contact("pending@example.com")["lists"][0]["status"] == "pending"


def test_verified_double_leaves_an_existing_contact_as_it_was(sandbox: SandboxClient) -> None:
    sandbox.load(person("known@example.com"))
    sandbox.load(person("known@example.com", **email_channel(optInType="verifiedDouble")))
    assert status(sandbox, "known@example.com") == "subscribed"


@pytest.mark.parametrize("email_type", ["html", "Html", "plainText", "PlainText"])
def test_an_email_type_is_read_in_either_case_and_answered_in_pascal_case(
    sandbox: SandboxClient, email_type: str
) -> None:
    sandbox.load(person("typed@example.com", **email_channel(emailType=email_type)))
    channel = sandbox.contact("typed@example.com")["channelProperties"]["email"]
    assert channel["emailType"] == email_type[0].upper() + email_type[1:]


def test_statuses_of_the_mobile_channels_are_kept(sandbox: SandboxClient) -> None:
    sandbox.load(
        {
            "matchIdentifier": "email",
            "identifiers": {"email": "phone@example.com", "mobileNumber": "4915112345678"},
            "channelProperties": {
                "sms": {"status": "subscribed"},
                "whatsApp": {"status": "suppressed"},
            },
        }
    )
    channels = sandbox.contact("phone@example.com")["channelProperties"]
    assert channels["sms"] == {"countryCode": "DE", "status": "subscribed"}
    assert channels["whatsApp"] == {"status": "suppressed"}
