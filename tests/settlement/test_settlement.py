"""From an import's report to what became of each contact: never a success that is not told."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_dotdigital.api.replies import ImportStatus
from target_dotdigital.errors import DotdigitalError, SettingsError, TargetDotdigitalError
from target_dotdigital.loading.settlement.import_reports import settle_import
from target_dotdigital.loading.settlement.reject_codes import reject_code
from target_dotdigital.loading.settlement.settlement import Settlement
from target_dotdigital.mapping.contacts.contact import Contact, OwnSource
from tests.support.builders import contact

ANN, BOB, CAT = (contact(f"{name}@example.com") for name in ("ann", "bob", "cat"))


def report(**parts: Any) -> ImportStatus:
    return msgspec.convert({"status": "Finished", **parts}, ImportStatus)


def written(*emails: str) -> list[dict[str, Any]]:
    return [{"contactId": 7, "identifiers": {"email": email}} for email in emails]


def failure(email: str, *codes: str | None, **parts: object) -> dict[str, Any]:
    return {
        "matchIdentifier": "email",
        "identifiers": {"email": email},
        "failures": [{"failureCode": code} for code in codes],
        **parts,
    }


def result(*contacts: Contact, **parts: Any) -> Settlement:
    return settle_import("import-1", report(**parts), contacts)


def names(contacts: list[Contact]) -> list[str]:
    return [one.key.partition(":")[2].partition("@")[0] for one in contacts]


def test_what_was_created_or_updated_is_imported() -> None:
    found = result(ANN, BOB, created=written("ann@example.com"), updated=written("bob@example.com"))
    assert names(found.imported) == ["ann", "bob"]
    assert found == Settlement(imported=[ANN, BOB], new=[ANN], updated=[BOB])


def test_failures_are_rejected_with_dotdigitals_code_and_the_others_are_imported() -> None:
    found = result(
        *(ANN, BOB),
        created=written("ann@example.com"),
        failures=[failure("bob@example.com", "InvalidEmail")],
    )
    assert names(found.imported) == ["ann"]
    assert found.rejected == [(BOB, "dotdigital.invalidEmail")]


@pytest.mark.parametrize(
    "entry",
    [
        failure("BOB@Example.COM", "Blocker"),
        failure(" bob@example.com\r\n", "Blocker"),
        failure("bob@example.com", "Blocker", contactId=99),
        failure("bob@example.com", "Blocker", matchIdentifier=None),
        failure("bob@example.com", "Blocker", identifiers={"email": "BOB@example.com", "x": None}),
    ],
    ids=["case", "spaces", "contact ID", "no match identifier", "more identifiers"],
)
@pytest.mark.parametrize("times", [1, 2])
def test_a_failure_is_matched_however_it_is_spelled_and_counted_once(
    entry: dict[str, Any], times: int
) -> None:
    found = result(ANN, BOB, created=written("ann@example.com"), failures=[entry] * times)
    assert names(found.imported) == ["ann"]
    assert found.rejected == [(BOB, "dotdigital.blocker")]
    assert not found.unmatched


def test_a_written_contact_is_matched_however_it_is_spelled() -> None:
    found = result(
        ANN, BOB, created=written(" Ann@EXAMPLE.com"), updated=written("BOB@example.com ")
    )
    assert names(found.imported) == ["ann", "bob"]


@pytest.mark.parametrize("identifier", ["mobileNumber", "contactId", "customerNumber"])
def test_contacts_are_matched_by_whatever_identifier_they_were_sent_under(identifier: str) -> None:
    one, two = (Contact(f"{identifier}:44770090012{n}", (), OwnSource(b"{}")) for n in (1, 2))
    entry = {"matchIdentifier": identifier, "identifiers": {identifier: "447700900122"}}
    found = result(
        *(one, two),
        updated=[{"identifiers": {identifier: "447700900121"}}],
        failures=[{**entry, "failures": [{"failureCode": "Duplicate"}]}],
    )
    assert found.imported == [one]
    assert found.rejected == [(two, "dotdigital.duplicate")]


def test_a_failure_for_another_contact_is_counted_and_never_ignored() -> None:
    found = result(
        ANN,
        created=written("ann@example.com"),
        failures=[
            failure("someone@example.com", "Blocker"),
            failure("else@example.com", "Blocker"),
            {"failures": [{"failureCode": "InvalidContact"}]},
        ],
    )
    assert names(found.imported) == ["ann"]
    assert found.unmatched == {"dotdigital.blocker": 2, "dotdigital.invalidContact": 1}


def test_a_contact_both_written_and_refused_in_part_is_imported_with_a_warning() -> None:
    found = result(
        ANN,
        updated=written("ann@example.com"),
        failures=[failure("ann@example.com", "consentRecordsNotApplied")],
    )
    assert names(found.imported) == ["ann"]
    assert found.rejected == []
    assert found.warnings == [(ANN, "dotdigital.consentRecordsNotApplied")]


def test_the_failure_of_one_contact_is_not_that_of_another_with_the_same_number() -> None:
    one = contact("ann@example.com", others={"mobileNumber": "447700900123"})
    two = contact("bob@example.com", others={"mobileNumber": "447700900123"})
    identifiers = {"email": "bob@example.com", "mobileNumber": "447700900123"}
    found = result(
        *(one, two),
        created=[{"identifiers": {**identifiers, "email": "ann@example.com"}}],
        failures=[failure("", "Duplicate", identifiers=identifiers)],
    )
    assert found.imported == [one]
    assert found.rejected == [(two, "dotdigital.duplicate")]
    assert found.warnings == []


@pytest.mark.parametrize(
    ("code", "reported"),
    [
        ("InvalidEmail", "dotdigital.invalidEmail"),
        ("invalidEmail", "dotdigital.invalidEmail"),
        ("SomethingNobodyKnows", "dotdigital.somethingNobodyKnows"),
        ("A", "dotdigital.a"),
        (None, "dotdigital.unknown"),
        ("", "dotdigital.unknown"),
        ("bob@example.com", "dotdigital.unknown"),
        ("two words", "dotdigital.unknown"),
        ("InvalidEmail\n", "dotdigital.unknown"),
        ("é", "dotdigital.unknown"),
        ("7even", "dotdigital.unknown"),
        ("x" * 65, "dotdigital.unknown"),
    ],
)
def test_a_code_is_spelled_as_dotdigital_spells_it_unless_it_could_be_a_value(
    code: str | None, reported: str
) -> None:
    assert reject_code(code) == reported
    assert result(BOB, failures=[failure("bob@example.com", code)]).rejected == [(BOB, reported)]


def test_a_failure_without_any_code_is_still_a_failure() -> None:
    for entry in (failure("bob@example.com"), failure("bob@example.com", failures=None)):
        assert result(BOB, failures=[entry]).rejected == [(BOB, "dotdigital.unknown")]


WRONG_BOOK = ["InvalidAddressBookIds", "invalidAddressBookIds", "INVALIDADDRESSBOOKIDS"]


@pytest.mark.parametrize("code", WRONG_BOOK)
@pytest.mark.parametrize(
    "entry",
    [
        failure("ann@example.com", "CODE"),
        failure("ann@example.com", "InvalidEmail", "CODE"),
        failure("someone@example.com", "CODE"),
        {"failures": [{"failureCode": "CODE"}]},
    ],
    ids=["first", "second", "another contact", "no identifiers"],
)
def test_a_wrong_address_book_stops_the_run_wherever_it_is_told(
    code: str, entry: dict[str, Any]
) -> None:
    failures = [
        {"failureCode": code if one["failureCode"] == "CODE" else one["failureCode"]}
        for one in entry["failures"]
    ]
    with pytest.raises(SettingsError, match="import-1"):
        result(ANN, created=written("ann@example.com"), failures=[{**entry, "failures": failures}])


def test_a_wrong_address_book_in_a_second_entry_for_a_contact_stops_the_run() -> None:
    entries = [
        failure("ann@example.com", "InvalidEmail"),
        failure("ann@example.com", "InvalidAddressBookIds"),
    ]
    with pytest.raises(SettingsError):
        result(ANN, failures=entries)


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"summary": {}},
        {"summary": None, "created": None, "updated": None, "failures": None},
        {"created": [], "updated": [], "failures": []},
        {"created": [{}, {"identifiers": None}, {"identifiers": {}}]},
        {"created": written("someone@example.com", "else@example.com")},
        {"failures": [failure("someone@example.com", "Blocker")] * 2},
        {"created": [{"contactId": 1}, {"contactId": 2}]},
    ],
    ids=["nothing", "no sums", "nulls", "empty", "nameless", "others", "others fail", "IDs"],
)
def test_a_report_that_says_nothing_of_the_contacts_is_no_success(parts: dict[str, Any]) -> None:
    with pytest.raises(DotdigitalError, match=r"import-1.* 0 of 2"):
        result(ANN, BOB, **parts)


# By sums.


def test_without_lists_the_sums_are_taken() -> None:
    found = result(ANN, BOB, CAT, summary={"newContacts": 1, "updatedContacts": 2})
    assert names(found.imported) == ["ann", "bob", "cat"]


def test_sums_of_refused_contacts_are_counted_without_names() -> None:
    sums = {"newContacts": 1, "globallySuppressed": 1, "invalidEntries": 1}
    found = result(ANN, BOB, CAT, summary=sums)
    assert (found.imported, found.rejected) == ([], [])
    assert names(found.unnamed) == ["ann", "bob", "cat"]
    assert found.unnamed_codes == {
        "dotdigital.globallySuppressed": 1,
        "dotdigital.invalidEntries": 1,
    }


def test_lists_and_sums_complete_each_other() -> None:
    found = result(
        *(ANN, BOB, CAT),
        updated=written("ann@example.com"),
        failures=[failure("bob@example.com", "Blocker")],
        summary={"updatedContacts": 2, "invalidEntries": 1},
    )
    assert names(found.imported) == ["ann", "cat"]
    assert found.rejected == [(BOB, "dotdigital.blocker")]


@pytest.mark.parametrize(
    "parts",
    [
        {"summary": {"newContacts": 2}},
        {"summary": {"newContacts": 4}},
        {"summary": {"newContacts": 2, "invalidEntries": 2}},
        {"summary": {"invalidEntries": 2}},
        {
            "created": written("ann@example.com", "bob@example.com"),
            "summary": {"newContacts": 1, "invalidEntries": 2},
        },
        {"created": written("ann@example.com"), "summary": {"newContacts": 1}},
        {
            "failures": [failure("ann@example.com", "Blocker")],
            "summary": {"newContacts": 1, "invalidEntries": 1},
        },
        {"summary": {"newContacts": 5, "duplicateIdentifiers": -2}},
    ],
    ids=["few", "many", "four", "two refused", "below zero", "listed", "failed", "negative"],
)
def test_sums_that_do_not_add_up_settle_nothing(parts: dict[str, Any]) -> None:
    with pytest.raises(DotdigitalError, match="import-1"):
        result(ANN, BOB, CAT, **parts)


PEOPLE = [contact(f"p{number}@example.com") for number in range(4)]
EMAILS = st.lists(st.sampled_from([*(f"P{n}@example.com" for n in range(4)), "x@example.com"]))
CODES = st.sampled_from(["InvalidEmail", "Blocker", "Unheard", None])
SUMS = st.none() | st.dictionaries(
    st.sampled_from(
        [
            *("newContacts", "updatedContacts", "globallySuppressed", "invalidEntries"),
            "duplicateIdentifiers",
        ]
    ),
    st.integers(0, 5),
)


@settings(max_examples=200, deadline=None)
@given(EMAILS, EMAILS, st.lists(st.tuples(EMAILS, CODES), max_size=3), SUMS, st.integers(1, 4))
def test_every_contact_ends_in_exactly_one_place(
    created: list[str],
    updated: list[str],
    failed: list[tuple[list[str], str | None]],
    sums: dict[str, int] | None,
    size: int,
) -> None:
    contacts = PEOPLE[:size]
    failures = [failure(email, code) for emails, code in failed for email in emails]
    try:
        found = result(
            *contacts,
            created=written(*created),
            updated=written(*updated),
            failures=failures,
            summary=sums,
        )
    except TargetDotdigitalError:
        return
    places = [*found.imported, *(one for one, _ in found.rejected), *found.unnamed]
    assert Counter(one.key for one in places) == Counter(one.key for one in contacts)
    assert 0 <= found.unnamed_codes.total() <= len(found.unnamed)
    told = {email.lower() for email in (*created, *updated)}
    in_failures = {entry["identifiers"]["email"].lower() for entry in failures}
    for one in found.imported:
        email = one.key.removeprefix("email:")
        # Not a success unless the report says so, by name or by sums.
        assert email in told or (sums and email not in in_failures)
    for one, code in found.rejected:
        assert one.key.removeprefix("email:") in in_failures - told
        assert code.startswith("dotdigital.")
    assert {one.key for one, _ in found.warnings} <= {one.key for one in found.imported}
