"""Preferences and records of consent, which imports bring along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sandbox.client import CONSENT, SandboxClient, failure_codes, person

if TYPE_CHECKING:
    from collections.abc import Sequence


def preferences(*opted_in: int, out: Sequence[int] = ()) -> list[dict[str, Any]]:
    return [
        *({"id": number, "isOptedIn": True} for number in opted_in),
        *({"id": number, "isOptedIn": False} for number in out),
    ]


def test_consents_are_kept_one_after_the_other(sandbox: SandboxClient) -> None:
    texts = ["first", "second", "third"]
    email = "consents@example.com"
    sandbox.load(person(email, consentRecords=[CONSENT | {"text": text} for text in texts[:2]]))
    report = sandbox.load(person(email, consentRecords=[CONSENT | {"text": texts[2]}]))
    assert failure_codes(report) == []
    records = sandbox.contact(email)["consentRecords"]
    assert [one["text"] for one in records] == texts
    for record in records:
        created = record.pop("dateTimeCreated")
        assert record | {"text": "Yes"} == CONSENT
        assert created > record["dateTimeConsented"]


@pytest.mark.parametrize(
    ("written", "answered"),
    [
        ("0933-02-04T20:27:30Z", "0933-02-04T20:27:30Z"),
        ("2023-01-26T21:29:00", "2023-01-26T21:29:00Z"),
        ("2023-01-26T21:29:00.123+01:30", "2023-01-26T19:59:00Z"),
        ("2023-01-26T21:29-0200", "2023-01-26T23:29:00Z"),
    ],
)
def test_the_time_of_a_consent_is_answered_in_utc(
    sandbox: SandboxClient, written: str, answered: str
) -> None:
    email = f"time{answered[11:13]}@example.com"
    sandbox.load(person(email, consentRecords=[CONSENT | {"dateTimeConsented": written}]))
    assert sandbox.contact(email)["consentRecords"][0]["dateTimeConsented"] == answered


@pytest.mark.parametrize(
    "fault",
    [
        {"text": ""},
        {"userAgent": ""},
        {"dateTimeConsented": "yesterday"},
        {"dateTimeConsented": "2023-01-26"},
        {"dateTimeConsented": "2023-02-30T00:00:00Z"},
        {"dateTimeConsented": "0001-01-01T00:00:00+23:59"},
        {"url": "example"},
        {"url": "http://[example"},
        {"ipAddress": "129.168.0.256"},
    ],
)
def test_a_contact_is_written_without_a_consent_whose_values_are_wrong(
    sandbox: SandboxClient, fault: dict[str, str]
) -> None:
    email = f"faulty{abs(hash(str(fault)))}@example.com"
    records = [CONSENT, CONSENT | fault]
    report = sandbox.load(person(email, consentRecords=records, dataFields={"GENDER": "f"}))
    assert failure_codes(report) == ["consentRecordsNotApplied"]
    assert (report["summary"]["newContacts"], report["summary"]["invalidEntries"]) == (1, 0)
    contact = sandbox.contact(email)
    assert (contact["consentRecords"], contact["dataFields"]) == ([], {"GENDER": "f"})


@pytest.mark.parametrize("missing", sorted(CONSENT))
def test_a_consent_without_one_of_its_parts_is_refused(
    sandbox: SandboxClient, missing: str
) -> None:
    half = {name: value for name, value in CONSENT.items() if name != missing}
    reply = sandbox.send_import([person("half@example.com", consentRecords=[half])])
    assert (reply.status_code, reply.json()["errorCode"]) == (400, "contacts:badRequest")


def test_preferences_that_are_not_sent_stay(sandbox: SandboxClient) -> None:
    email = "preferences@example.com"
    sandbox.load(person(email, preferences=preferences(1, 2)))
    sandbox.load(person(email))
    sandbox.load(person(email, preferences=preferences(3, out=[2])))
    found = sandbox.contact(email)["preferences"]
    assert [(one["id"], one["isOptedIn"]) for one in found] == [(1, True), (2, False), (3, True)]


def test_a_contact_is_written_without_preferences_that_cannot_exist(
    sandbox: SandboxClient,
) -> None:
    report = sandbox.load(person("zero@example.com", preferences=preferences(0, 1)))
    assert failure_codes(report) == ["preferencesNotApplied"]
    assert "preferences" not in sandbox.contact("zero@example.com")


def test_pages_hold_them_if_they_are_asked_for(sandbox: SandboxClient) -> None:
    list_id = sandbox.create_list("Attached")
    sandbox.load(
        person("both@example.com", lists=[list_id], consentRecords=[CONSENT]),
        person("one@example.com", lists=[list_id], preferences=preferences(4)),
        person("none@example.com", lists=[list_id]),
    )
    parameters: dict[str, str | int] = {"~listId": list_id}
    plain = sandbox.get("/contacts/v3", **parameters).json()["_items"]
    assert not any({"preferences", "consentRecords"} & set(one) for one in plain)
    found = sandbox.get("/contacts/v3", include="preferences|consentRecords", **parameters)
    both, one, none = found.json()["_items"]
    assert [len(each["consentRecords"]) for each in (both, one, none)] == [1, 0, 0]
    assert [each["id"] for each in one["preferences"]] == [4]
    assert "preferences" not in both
    assert "preferences" not in none


def test_a_mobile_channel_has_a_status_only_with_a_number(sandbox: SandboxClient) -> None:
    channels = {"sms": {"status": "subscribed"}, "whatsApp": {"status": "unsubscribed"}}
    email, number = "mobile@example.com", "447555000444"
    sandbox.load(person(email, channelProperties=channels))
    assert set(sandbox.contact(email)["channelProperties"]) == {"email"}
    both = {"email": email, "mobileNumber": number}
    sandbox.load({"matchIdentifier": "email", "identifiers": both})
    found = sandbox.contact(email)["channelProperties"]
    assert (found["sms"]["status"], found["whatsApp"]["status"]) == ("noSubscription",) * 2
    sandbox.load(person(email, channelProperties=channels))
    found = sandbox.contact(email)["channelProperties"]
    assert found["sms"] == {"countryCode": "GB", "status": "subscribed"}
    assert found["whatsApp"] == {"status": "unsubscribed"}
