"""PyPI's `dotmailer` (2017), through its own calls."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from tests.sandbox.conftest import LIST_ID
from tests.support.sandbox.client import DEADLINE_SECONDS, PAUSE_SECONDS
from tests.support.sandbox.v2_imports import csv_of

if TYPE_CHECKING:
    from pathlib import Path

    from target_dotdigital.sandbox import EmbeddedSandbox
    from tests.support.sandbox.client import SandboxClient

Dotmailer: TypeAlias = Any
"""The package has no types: its modules, by name."""

LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)


def book(dotmailer: Dotmailer, name: str, visibility: str = "Private") -> Any:  # noqa: ANN401
    created = dotmailer.address_books.AddressBook(name=name, visibility=visibility)
    created.create()
    return created


def contact(dotmailer: Dotmailer, email: str, **parts: Any) -> Any:  # noqa: ANN401
    created = dotmailer.contacts.Contact(email=email, **parts)
    created.create()
    return created


def wait_for_members(dotmailer: Dotmailer, address_book: Any, expected: list[int]) -> None:  # noqa: ANN401
    """Wait for a removal, of which the client does not read when it is over."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        members = dotmailer.contacts.Contact.get_all_contacts_from_address_book(address_book)
        if [one.id for one in members] == expected:
            return
        assert time.monotonic() < deadline, "the members are not removed"
        time.sleep(PAUSE_SECONDS)


def test_it_finds_its_endpoint_in_the_account(
    dotmailer: Dotmailer, embedded: EmbeddedSandbox
) -> None:
    properties = dotmailer.account.Account.get_account_information()["properties"]
    named = {one["name"]: one["value"] for one in properties}
    assert named["ApiEndpoint"].rstrip("/") == embedded.url
    assert dotmailer.root.get_server_time().tzinfo is not None


def test_a_wrong_password_is_what_it_knows_as_an_invalid_account(
    dotmailer: Dotmailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dotmailer.connection.connection, "password", "wrong")
    with pytest.raises(dotmailer.exceptions.ErrorAccountInvalid):
        dotmailer.account.Account.get_account_information()


def test_address_books_are_created_renamed_listed_and_deleted(dotmailer: Dotmailer) -> None:
    address_book = dotmailer.address_books.AddressBook
    shown, hidden = book(dotmailer, "Shown", "Public"), book(dotmailer, "Hidden")
    assert {one.id for one in address_book.get_all("Public")} == {shown.id}
    assert {hidden.id, LIST_ID} <= {one.id for one in address_book.get_all("Private")}
    assert [one.id for one in address_book.get_multiple(1, 1)] == [address_book.get_all()[1].id]
    shown.name = "Renamed"
    shown.update()
    assert address_book.get_by_id(shown.id).name == "Renamed"
    with pytest.raises(dotmailer.exceptions.ErrorAddressbookDuplicate):
        book(dotmailer, "Renamed")
    shown_id = shown.id
    shown.delete()
    with pytest.raises(dotmailer.exceptions.ErrorAddressbookNotFound):
        address_book.get_by_id(shown_id)


def test_data_fields_are_created_once_listed_and_deleted(dotmailer: Dotmailer) -> None:
    field = dotmailer.contact_data_fields.ContactDataField
    created = field(name="SHOE_SIZE", type="Numeric", default_value=40)
    created.create()
    listed = {one.name: one for one in field.get_contact_fields()}
    assert listed["SHOE_SIZE"].type == "Numeric"
    with pytest.raises(dotmailer.exceptions.ErrorNonUniqueDatafield):
        created.create()
    created.delete()
    assert "SHOE_SIZE" not in {one.name for one in field.get_contact_fields()}


def test_contacts_are_created_updated_found_and_deleted(dotmailer: Dotmailer) -> None:
    ada = contact(
        dotmailer,
        "ada@dotmailer.example.com",
        opt_in_type="Double",
        email_type="PlainText",
        data_fields={"FIRSTNAME": "Ada"},
    )
    found = dotmailer.contacts.Contact.get_by_email(ada.email)
    assert (found.id, found.opt_in_type, found.email_type) == (ada.id, "Double", "PlainText")
    assert found.data_fields["FIRSTNAME"] == "Ada"
    ada.data_fields = {"FIRSTNAME": "Augusta"}
    ada.update()
    assert dotmailer.contacts.Contact.get_by_id(ada.id).data_fields["FIRSTNAME"] == "Augusta"
    listed = [*dotmailer.contacts.Contact.get_all()]
    listed += dotmailer.contacts.Contact.get_all_modified_contacts_since(LONG_AGO)
    assert [one.email for one in listed].count(ada.email) == 2
    ada.delete()
    with pytest.raises(dotmailer.exceptions.ErrorContactNotFound):
        dotmailer.contacts.Contact.get_by_email("ada@dotmailer.example.com")


def test_members_are_added_listed_and_removed(dotmailer: Dotmailer) -> None:
    calls = dotmailer.contacts.Contact
    books = [book(dotmailer, f"Members {number}") for number in range(2)]
    people = [contact(dotmailer, f"member{number}@example.com") for number in range(4)]
    for one in people:
        for each in books:
            one.add_to_address_book(each)
    assert {one.id for one in people[0].get_all_address_books()} >= {each.id for each in books}
    members = calls.get_all_contacts_from_address_book(books[0])
    assert [one.id for one in members] == [one.id for one in people]
    since = calls.get_all_modified_contacts_from_address_book_since(books[0], LONG_AGO)
    assert [one.id for one in since] == [one.id for one in people]
    people[0].delete_from_address_book(books[0])
    calls.delete_multiple_from_address_book([people[1].id, people[2].id], books[0])
    wait_for_members(dotmailer, books[0], [people[3].id])
    calls.delete_all_from_address_book(books[1])
    wait_for_members(dotmailer, books[1], [])


def test_whoever_unsubscribed_is_subscribed_again(dotmailer: Dotmailer) -> None:
    calls = dotmailer.contacts.Contact
    leaving = contact(dotmailer, "leaving@example.com")
    left = calls.unsubscribe(leaving.email)
    assert left["suppressed_contact"]["email"] == leaving.email
    assert left["reason"] == "Unsubscribed"
    again, status = calls.resubscribe(leaving.email)
    assert (again.email, status) == (leaving.email, "ContactChallenged")


def test_a_file_is_imported_into_an_address_book(
    dotmailer: Dotmailer, sandbox: SandboxClient, tmp_path: Path
) -> None:
    calls = dotmailer.contacts.Contact
    imported = book(dotmailer, "Imported")
    path = tmp_path / "contacts.csv"
    path.write_bytes(
        csv_of(("Email", "FIRSTNAME"), ("filed@example.com", "Grace"), ("no address", "Nobody"))
    )
    with path.open("rb") as file:
        started = calls.bulk_create_in_address_book(imported, file)
    sandbox.poll(f"/v2/contacts/import/{started['id']}", "NotFinished")
    report = calls.get_contact_import_report(started["id"])
    assert (report["new_contacts"], report["invalid_entries"]) == (1, 1)
    assert "no address" in calls.get_contact_import_report_faults(started["id"])
    (found,) = calls.get_all_contacts_from_address_book(imported)
    assert (found.email, found.data_fields["FIRSTNAME"]) == ("filed@example.com", "Grace")


def test_segments_are_listed(dotmailer: Dotmailer, sandbox: SandboxClient) -> None:
    rule = {"name": "Everybody", "rule": {"inAny": [LIST_ID]}}
    segment_id = sandbox.call("POST", "/sandbox/segments", json=rule).json()["id"]
    assert segment_id in {one.id for one in dotmailer.segments.Segment.get()}
