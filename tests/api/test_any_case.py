"""Answers are read with names in any case, and the documented spelling is read in one go."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from target_dotdigital.api import replies
from target_dotdigital.api.any_case import AnyCaseDecoder, Documented


class Part(Documented, frozen=True, rename="camel"):
    part_id: int
    left_out: str | None = None


class Whole(Documented, frozen=True, rename="camel"):
    parts: list[Part] | None = None
    by_name: dict[str, int] = msgspec.field(default_factory=dict)
    unread: msgspec.Raw = msgspec.Raw()


WHOLE = AnyCaseDecoder(Whole)


def test_names_are_read_in_any_case_at_every_depth() -> None:
    body = b'{"PARTS": [{"partid": 1, "LeftOut": "x"}, {"partId": 2}], "Unread": {"partId": 3}}'
    assert WHOLE.decode(body).parts == [Part(1, "x"), Part(2)]


def test_the_documented_spelling_wins_whichever_comes_first() -> None:
    for body in (
        b'{"parts": [{"partId": 1, "PartId": 2}]}',
        b'{"parts": [{"PartId": 2, "partId": 1}]}',
    ):
        assert WHOLE.decode(body).parts == [Part(1)]


def test_names_that_are_new_are_left_out_and_keys_of_data_stay_as_they_are() -> None:
    read = WHOLE.decode(b'{"new": 1, "byName": {"Email": 1, "email": 2}, "parts": null}')
    assert read.by_name == {"Email": 1, "email": 2}
    assert read.parts is None


@pytest.mark.parametrize("body", [b'{"PARTS": [{"id": 1}]}', b'{"parts": 1}', b"[]", b"null"])
def test_json_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        WHOLE.decode(body)


def test_the_documented_spelling_of_a_report_needs_no_second_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A million contacts are read at the speed of one decoding."""

    def unexpected(*_arguments: object) -> object:
        message = "the report was decoded a second time"
        raise AssertionError(message)

    monkeypatch.setattr("target_dotdigital.api.any_case._as_documented", unexpected)
    failure = {"failureCode": "invalidEmail", "description": "Invalid value for 'email'"}
    failed = {"contactId": 2, "matchIdentifier": "email", "identifiers": {}, "failures": [failure]}
    summary = dict.fromkeys(
        (
            "newContacts",
            "updatedContacts",
            "globallySuppressed",
            "invalidEntries",
            "duplicateIdentifiers",
        ),
        1,
    )
    report = {
        "importId": "1",
        "status": "Finished",
        "summary": summary,
        "created": [{"contactId": 1, "identifiers": {"email": "a@example.com"}}],
        "updated": [],
        "failures": [failed],
    }
    assert replies.IMPORT_STATUS.decode(json.dumps(report).encode()).status == "Finished"
    link = {"marker": "m", "link": "l"}
    contact = {
        "contactId": 1,
        "status": "subscribed",
        "created": "2023-01-26T21:29:00Z",
        "updated": "2023-01-26T21:29:00Z",
        "identifiers": {"email": "a@example.com"},
        "dataFields": {},
        "channelProperties": {},
        "lists": [{"id": 1, "name": "Customers", "status": "subscribed"}],
        "preferences": [],
        "consentRecords": [],
    }
    names = ("self", "first", "prev", "next", "last")
    page = {"_items": [contact], "_links": dict.fromkeys(names, link)}
    assert replies.CONTACT_PAGE.decode(json.dumps(page).encode()).links.next is not None


@pytest.mark.parametrize(
    "contact",
    [
        {"contactId": 1, "identifiers": {"email": "a@example.com"}, "new": {"contactID": 2}},
        {"contactId": 1, "Identifiers": {"email": "a@example.com"}, "Status": "subscribed"},
        {"ContactID": 1, "identifiers": {"email": "a@example.com"}},
    ],
)
def test_members_of_a_page_are_read_in_any_spelling(contact: dict[str, Any]) -> None:
    page = {"_items": [contact, {"contactId": 2}], "_links": {"Next": {"Marker": "m"}}}
    found = replies.CONTACT_PAGE.decode(json.dumps(page).encode())
    assert [(each.contact_id, each.identifiers) for each in found.items] == [
        (1, {"email": "a@example.com"}),
        (2, None),
    ]
    page["_items"] = [contact]
    found = replies.CONTACT_PAGE.decode(json.dumps(page | {"_links": {}}).encode())
    assert found.items[0].identifiers == {"email": "a@example.com"}
