"""The bulk import of v2: files and collections, their status, their sums and their faults."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import read_switches
from tests.sandbox.conftest import LIST_ID
from tests.support.sandbox.client import CONSENT, SandboxClient, people, person
from tests.support.sandbox.v2_imports import (
    ROUTE,
    csv_of,
    faults,
    finish,
    load,
    send_json,
    sums,
    upload,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import requests

LIST_ROUTE = f"/v2/address-books/{LIST_ID}/contacts/import"
COLLECTION = f"{ROUTE}-collection"
NO_REPORT = "Import is not processed yet or completed with error. ERROR_IMPORT_REPORT_NOT_FOUND"


@pytest.fixture(scope="module", autouse=True)
def fields(sandbox: SandboxClient) -> None:
    sandbox.create_field("SCORE", "Numeric")
    sandbox.create_field("VIP", "Boolean")


@pytest.fixture
def waiting(database: Path) -> Iterator[SandboxClient]:
    """A sandbox in which imports wait."""
    options = Options(database, address_books=[LIST_ID], slots=0)
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        yield client


def member_addresses(client: SandboxClient) -> set[str]:
    return {one["identifiers"]["email"] for one in client.members(LIST_ID)}


@pytest.mark.parametrize("send", [upload, send_json])
def test_a_file_creates_and_updates_contacts(
    sandbox: SandboxClient, send: Callable[..., requests.Response]
) -> None:
    email = f"{send.__name__}@example.com"
    sandbox.load(person(f"old.{email}", dataFields={"FIRSTNAME": "Old", "GENDER": "f"}))
    content = csv_of(
        ("Email", "FirstName", "Score", "OptInType", "EmailType"),
        (f"new.{email}", "Ada", "5.50", "Double", "PlainText"),
        (f"Old.{email}", "Eve", "", "single", "html"),
    )
    import_id = finish(sandbox, send(sandbox, content))
    assert sums(sandbox, import_id) == {"newContacts": 1, "updatedContacts": 1}
    assert faults(sandbox, import_id) == [
        ["Reason", "email", "firstname", "score", "optintype", "emailtype"]
    ]
    created = sandbox.contact(f"new.{email}")
    assert created["dataFields"] == {"FIRSTNAME": "Ada", "SCORE": Decimal("5.50")}
    channel = created["channelProperties"]["email"]
    assert channel["status"] == "subscribed"
    assert (channel["optInType"], channel["emailType"]) == ("Double", "PlainText")
    assert sandbox.fields(f"old.{email}") == {"FIRSTNAME": "Eve", "GENDER": "f"}


def test_a_file_for_an_address_book_adds_its_contacts_to_it(sandbox: SandboxClient) -> None:
    load(sandbox, ("EMAIL",), ("member@example.com",), route=LIST_ROUTE)
    load(sandbox, ("EMAIL",), ("no.member@example.com",))
    assert "member@example.com" in member_addresses(sandbox)
    assert "no.member@example.com" not in member_addresses(sandbox)


@pytest.mark.parametrize(
    ("option", "kept"),
    [
        ("", {"LASTNAME": "New", "GENDER": "x"}),
        ("/with-merge-option/Overwrite", {"LASTNAME": "New", "GENDER": "x"}),
        (
            "/with-merge-option/OnlyOverwriteIfNotEmpty",
            {"FIRSTNAME": "Old", "LASTNAME": "New", "GENDER": "x"},
        ),
        (
            "/with-merge-option/onlyoverwriteifcontactdatanotpopulated",
            {"FIRSTNAME": "Old", "LASTNAME": "Old", "GENDER": "x"},
        ),
        ("/with-merge-option/2", {"FIRSTNAME": "Old", "LASTNAME": "Old", "GENDER": "x"}),
    ],
)
@pytest.mark.parametrize("route", [ROUTE, LIST_ROUTE])
def test_a_merge_option_decides_which_values_stay(
    sandbox: SandboxClient, route: str, option: str, kept: dict[str, str]
) -> None:
    sandbox.load(person("merged@example.com", dataFields={"GENDER": None, "POSTCODE": None}))
    sandbox.load(person("merged@example.com", dataFields={"FIRSTNAME": "Old", "LASTNAME": "Old"}))
    rows = (("Email", "FirstName", "LastName", "Gender"), ("merged@example.com", "", "New", "x"))
    load(sandbox, *rows, route=f"{route}{option}")
    assert sandbox.fields("merged@example.com") == kept


def test_an_unknown_merge_option_is_refused(sandbox: SandboxClient) -> None:
    for word in ("Replace", "NotAvailableInThisVersion", "3"):
        reply = upload(sandbox, b"Email\n", f"{ROUTE}/with-merge-option/{word}")
        assert reply.status_code == 400
        assert reply.json()["message"].endswith("ERROR_PARAMETER_INVALID")


def test_cells_are_values_of_their_fields_types(sandbox: SandboxClient) -> None:
    rows = (
        ("Email", "Score", "VIP", "LastSubscribed"),
        ("typed1@example.com", "-3", "True", "2026-01-31"),
        ("typed2@example.com", " 0.5 ", "no", "1/2/2026"),
        ("typed3@example.com", "", "", "31/12/2026 10:20"),
    )
    assert load(sandbox, *rows) == {"newContacts": 3}
    assert [sandbox.fields(f"typed{number}@example.com") for number in (1, 2, 3)] == [
        {"SCORE": -3, "VIP": True, "LASTSUBSCRIBED": "2026-01-31T00:00:00"},
        {"SCORE": Decimal("0.5"), "VIP": False, "LASTSUBSCRIBED": "2026-02-01T00:00:00"},
        {"LASTSUBSCRIBED": "2026-12-31T10:20"},
    ]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("Score", "1,5"),
        ("Score", "NaN"),
        ("VIP", "maybe"),
        ("LastSubscribed", "30/02/2026"),
        ("LastSubscribed", "1/2/26"),
        ("OptInType", "Triple"),
        ("EmailType", "Fax"),
        ("FirstName", "x" * 1_001),
    ],
)
def test_a_cell_that_its_field_does_not_take_fails_the_contact(
    sandbox: SandboxClient, column: str, cell: str
) -> None:
    content = csv_of(("Email", column), ("wrong@example.com", cell), ("right@example.com", ""))
    import_id = finish(sandbox, upload(sandbox, content))
    assert sums(sandbox, import_id)["failures"] == 1
    assert faults(sandbox, import_id)[1:] == [["Failures", "wrong@example.com", cell]]


def test_columns_that_are_no_data_fields_are_passed_over(sandbox: SandboxClient) -> None:
    rows = (("id", "Email", "Shoe size", "", "FIRSTNAME"), ("7", "shoe@example.com", "9", "", "A"))
    assert load(sandbox, *rows) == {"newContacts": 1}
    assert sandbox.fields("shoe@example.com") == {"FIRSTNAME": "A"}


def test_contacts_that_opted_out_are_passed_over_and_counted(sandbox: SandboxClient) -> None:
    statuses = ("unsubscribed", "suppressed")
    for status in statuses:
        channel = {"email": {"status": status}}
        sandbox.load(person(f"{status}@example.com", channelProperties=channel))
    channel = {"email": {"optInType": "verifiedDouble"}}
    sandbox.load(person("pending@example.com", channelProperties=channel))
    content = csv_of(
        ("FirstName", "Email"),
        ("A", "Unsubscribed@example.com"),
        ("B", "suppressed@example.com"),
        ("C", "pending@example.com"),
        ("D", "counted@example.com"),
        ("E", "counted@EXAMPLE.com"),
        ("F", "no address"),
        ("G", ""),
    )
    import_id = finish(sandbox, upload(sandbox, content, LIST_ROUTE))
    assert sums(sandbox, import_id) == {
        "newContacts": 1,
        "unsubscribed": 1,
        "suppressedContacts": 1,
        "pendingDoubleOptin": 1,
        "duplicateEmails": 1,
        "invalidEntries": 2,
    }
    assert faults(sandbox, import_id) == [
        ["Reason", "email", "firstname"],
        ["Unsubscribed", "Unsubscribed@example.com", "A"],
        ["Suppressed", "suppressed@example.com", "B"],
        ["Pending optin", "pending@example.com", "C"],
        ["Duplicate", "counted@EXAMPLE.com", "E"],
        ["Invalid Email", "no address", "F"],
        ["Invalid Email", "", "G"],
    ]
    assert sandbox.fields("unsubscribed@example.com") == {}
    assert sandbox.fields("counted@example.com") == {"FIRSTNAME": "D"}
    assert not {f"{status}@example.com" for status in statuses} & member_addresses(sandbox)


def test_whoever_opted_out_before_being_deleted_is_passed_over(sandbox: SandboxClient) -> None:
    email = "opted.out.and.deleted@example.com"
    sandbox.load(person(email, channelProperties={"email": {"status": "unsubscribed"}}))
    assert sandbox.call("DELETE", f"/contacts/v3/email/{email}").status_code == 200
    assert load(sandbox, ("Email",), (email,)) == {"unsubscribed": 1}
    assert sandbox.get(f"/v2/contacts/{email}").status_code == 404
    # As the call for one contact has it, and unlike v3.
    assert sandbox.call("POST", "/v2/contacts", json={"email": email}).status_code == 400
    assert sandbox.load(person(email))["summary"]["updatedContacts"] == 1


def test_a_person_who_must_confirm_and_comes_twice_is_a_duplicate(sandbox: SandboxClient) -> None:
    row = ("twice@example.com", "VerifiedDouble")
    assert load(sandbox, ("Email", "OptInType"), row, row) == {
        "newContacts": 1,
        "duplicateEmails": 1,
    }


def test_a_consent_comes_in_columns_of_its_own(sandbox: SandboxClient) -> None:
    columns = ("CONSENTTEXT", "ConsentDateTime", "ConsentURL", "ConsentIP", "ConsentUserAgent")
    cells = tuple(
        CONSENT[part] for part in ("text", "dateTimeConsented", "url", "ipAddress", "userAgent")
    )
    rows = (
        ("Email", *columns),
        ("consent@example.com", *cells),
        ("no.consent@example.com", "", "", "", "", ""),
        ("half.consent@example.com", "Yes", "", "", "", ""),
    )
    assert load(sandbox, *rows) == {"newContacts": 3}
    page = sandbox.get("/contacts/v3", include="consentRecords", limit=5_000).json()["_items"]
    records = {one["identifiers"].get("email"): one.get("consentRecords") for one in page}
    assert [record["text"] for record in records["consent@example.com"]] == [CONSENT["text"]]
    assert not records["no.consent@example.com"]
    assert not records["half.consent@example.com"]


def test_a_collection_is_imported_into_its_address_books(sandbox: SandboxClient) -> None:
    second = sandbox.create_list("Second")
    body = {
        "AddressBookIds": [LIST_ID, second],
        "MergeOption": 0,
        "Contacts": [
            {
                "Email": "collected@example.com",
                "OptInType": "single",
                "EmailType": "PlainText",
                "DataFields": [
                    {"Key": "FirstName", "Value": "Ada"},
                    {"Key": "SCORE", "Value": 1.50},
                    {"Key": "VIP", "Value": "true"},
                ],
                "ConsentFields": [
                    {"key": "TEXT", "value": "Yes"},
                    {"key": "DATETIMECONSENTED", "value": "2026-01-31T00:00:00"},
                    {"key": "URL", "value": "https://example.com/"},
                    {"key": "IPADDRESS", "value": "127.0.0.1"},
                    {"key": "USERAGENT", "value": "Mozilla/5.0"},
                ],
            },
            {"email": "uncollected", "dataFields": [{"key": "SCORE", "value": 2}]},
            {"email": "unknown.field@example.com", "dataFields": [{"key": "SHOE", "value": 9}]},
        ],
    }
    import_id = finish(sandbox, sandbox.call("POST", COLLECTION, json=body))
    assert sums(sandbox, import_id) == {"newContacts": 1, "invalidEntries": 1, "failures": 1}
    lines = faults(sandbox, import_id)
    assert lines[0][:5] == ["Reason", "email", "optintype", "emailtype", "firstname"]
    at = lines[0].index("score")
    assert [(line[0], line[1], line[at]) for line in lines[1:]] == [
        ("Invalid Email", "uncollected", "2"),
        ("Failures", "unknown.field@example.com", ""),
    ]
    collected = sandbox.contact("collected@example.com")
    assert collected["dataFields"] == {"FIRSTNAME": "Ada", "SCORE": Decimal("1.5"), "VIP": True}
    assert {one["id"] for one in collected["lists"]} >= {LIST_ID, second}


def test_a_consent_of_a_collection_has_the_keys_of_either_example(sandbox: SandboxClient) -> None:
    values = dict(
        zip(("TEXT", "DATETIME", "URL", "IP", "USERAGENT"), CONSENT.values(), strict=True)
    )
    fields = [{"key": f"CONSENT{key}", "value": value} for key, value in values.items()]
    email = "collected.consent@example.com"
    body = {"contacts": [{"email": email, "consentFields": fields}]}
    finish(sandbox, sandbox.call("POST", COLLECTION, json=body))
    (record,) = sandbox.contact(email)["consentRecords"]
    assert {name: record[name] for name in CONSENT} == CONSENT


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "ERROR_CONTACTS_ARE_NOT_SPECIFIED"),
        ({"contacts": []}, "ERROR_CONTACTS_ARE_NOT_SPECIFIED"),
        ({"contacts": [{"email": 5}]}, "ERROR_PARAMETER_INVALID"),
        ({"contacts": [{"email": "a@example.com"}], "mergeOption": 9}, "ERROR_PARAMETER_INVALID"),
        (
            {"contacts": [{"email": "a@example.com"}], "addressBookIds": [10**30]},
            "ERROR_ADDRESSBOOK_NOT_FOUND",
        ),
    ],
)
def test_a_collection_that_is_none_is_refused(
    sandbox: SandboxClient, body: dict[str, Any], code: str
) -> None:
    reply = sandbox.call("POST", COLLECTION, json=body)
    assert reply.status_code in {400, 404}
    assert reply.json()["message"].endswith(code)


@pytest.mark.parametrize(
    ("list_id", "status", "code"),
    [
        (987_654, 404, "ERROR_ADDRESSBOOK_NOT_FOUND"),
        (1_000_002, 400, "ERROR_ADDRESSBOOK_NOTWRITABLE"),
        ("x", 400, "ERROR_PARAMETER_INVALID"),
    ],
)
def test_an_address_book_that_cannot_be_filled_is_refused(
    sandbox: SandboxClient, list_id: int | str, status: int, code: str
) -> None:
    reply = upload(sandbox, b"Email\n", f"/v2/address-books/{list_id}/contacts/import")
    assert reply.status_code == status
    assert reply.json()["message"].endswith(code)


def test_the_address_book_of_all_contacts_takes_a_file(sandbox: SandboxClient) -> None:
    route = "/v2/address-books/1000001/contacts/import"
    assert load(sandbox, ("Email",), ("everyone@example.com",), route=route) == {"newContacts": 1}


def test_there_is_no_report_before_the_end(waiting: SandboxClient) -> None:
    import_id = upload(waiting, csv_of(("Email",), ("a@example.com",))).json()["id"]
    assert waiting.get(f"{ROUTE}/{import_id}").json() == {"id": import_id, "status": "NotFinished"}
    for report in ("report", "report-faults"):
        reply = waiting.get(f"{ROUTE}/{import_id}/{report}")
        assert (reply.status_code, reply.json()) == (404, {"message": NO_REPORT})


def test_an_import_that_is_not_there_is_not_found(sandbox: SandboxClient) -> None:
    of_v3 = sandbox.start_import(people(1, "of-v3-"))
    for report in ("", "/report", "/report-faults"):
        for unknown in ("d7de900d-d337-43f6-b1e1-c8ec73e1a434", of_v3):
            reply = sandbox.get(f"{ROUTE}/{unknown}{report}")
            assert reply.status_code == 404
            assert reply.json() == {"message": "Error: ERROR_IMPORT_NOT_FOUND"}
        assert sandbox.get(f"{ROUTE}/1{report}").status_code == 400
    of_v2 = finish(sandbox, upload(sandbox, b"Email\n"))
    assert sandbox.get(f"/contacts/v3/import/{of_v2}").status_code == 404
    assert sandbox.get(f"{ROUTE}/{of_v2.upper()}").json()["id"] == of_v2


def test_the_list_of_faults_is_csv_for_a_client_that_asks_for_it(sandbox: SandboxClient) -> None:
    import_id = finish(sandbox, upload(sandbox, b"Email\n"))
    path = f"{ROUTE}/{import_id}/report-faults"
    reply = sandbox.call("GET", path, headers={"Accept": "text/csv"})
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert sandbox.get(path).headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("assignments", "refused"),
    [
        ((), {"v2", "v3"}),
        (("import-slots=separate",), set()),
        (("import-slots=shared",), {"v2", "v3"}),
    ],
)
def test_imports_of_v2_and_v3_share_the_slots_or_not(
    database: Path, assignments: tuple[str, ...], refused: set[str]
) -> None:
    options = Options(database, slots=0, switches=read_switches(assignments))
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        for number in range(25):
            if number % 2:
                client.start_import(people(1, f"shared{number}-"))
            else:
                assert upload(client, b"Email\n").status_code == 202
        reply_v2, reply_v3 = upload(client, b"Email\n"), client.send_import(people(1, "last"))
        answered = {
            name for name, reply in (("v2", reply_v2), ("v3", reply_v3)) if reply.status_code >= 400
        }
        assert answered == refused
        if refused:
            assert reply_v2.status_code == 400
            assert reply_v2.json()["message"].endswith(" ERROR_IMPORT_TOOMANYACTIVEIMPORTS")
            assert reply_v3.json()["errorCode"] == "contacts:tooManyActiveImports"


def test_the_26th_import_of_v2_is_refused_however_the_slots_are_shared(database: Path) -> None:
    options = Options(database, slots=0, switches=read_switches(["import-slots=separate"]))
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        assert {upload(client, b"Email\n").status_code for _ in range(25)} == {202}
        assert upload(client, b"Email\n").status_code == 400
        client.start_import(people(1, "free"))


def test_of_two_rows_for_one_address_the_later_can_be_taken(database: Path) -> None:
    options = Options(database, switches=read_switches(["duplicates=last"]))
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        content = csv_of(
            ("Email", "FirstName"),
            ("a@example.com", "1"),
            ("x", "2"),
            ("A@example.com", "3"),
            ("x", "4"),
        )
        import_id = finish(client, upload(client, content))
        assert sums(client, import_id) == {
            "newContacts": 1,
            "duplicateEmails": 1,
            "invalidEntries": 2,
        }
        assert faults(client, import_id)[1] == ["Duplicate", "a@example.com", "1"]
        assert client.fields("a@example.com") == {"FIRSTNAME": "3"}


def test_switches_for_v3_do_not_change_what_v2_takes(database: Path) -> None:
    switches = ["word-case=exact", "field-case=exact", "date-only=refused"]
    switches += ["null-if-not-empty=clears", "unknown-field=apiSchemaViolation"]
    options = Options(database, switches=read_switches(switches))
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        rows = ("Email", "firstName", "LastSubscribed", "EmailType", "Shoe")
        load(client, rows, ("a@example.com", "Ada", "2026-01-31", "HTML", "9"))
        route = f"{ROUTE}/with-merge-option/OnlyOverwriteIfNotEmpty"
        assert load(client, rows, ("a@example.com", "", "", "", ""), route=route) == {
            "updatedContacts": 1
        }
        assert client.fields("a@example.com") == {
            "FIRSTNAME": "Ada",
            "LASTSUBSCRIBED": "2026-01-31T00:00:00",
        }


def test_names_can_be_in_pascal_case(database: Path) -> None:
    options = Options(database, slots=0, switches=read_switches(["names=pascal"]))
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        accepted = upload(client, b"Email\n").json()
        assert accepted["Status"] == "NotFinished"
        assert client.get(f"{ROUTE}/{accepted['Id']}").json() == accepted


def test_an_import_that_waits_is_worked_off_after_a_restart(database: Path) -> None:
    count = 2_300
    rows = [(f"restart{number}@example.com", f"F{number}") for number in range(count)]
    content = csv_of(("Email", "FirstName"), ("none", "F"), *rows, rows[0])
    options = Options(database, address_books=[LIST_ID], slots=0)
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        waiting = upload(client, content, LIST_ROUTE)
        bad = upload(client, b"\xff", LIST_ROUTE)
    with SandboxServer(Options(database)) as server, SandboxClient(server.url) as client:
        import_id = finish(client, waiting)
        assert sums(client, import_id) == {
            "newContacts": count,
            "invalidEntries": 1,
            "duplicateEmails": 1,
        }
        assert [line[0] for line in faults(client, import_id)] == [
            "Reason",
            "Invalid Email",
            "Duplicate",
        ]
        assert len(client.members(LIST_ID)) == count
        finish(client, bad, "InvalidFileFormat")


def test_the_page_shows_an_import_of_v2_with_its_failures(sandbox: SandboxClient) -> None:
    content = csv_of(("Email",), ("paged@example.com",), ("none",))
    import_id = finish(sandbox, upload(sandbox, content))
    shown = sandbox.get(f"/sandbox/page/imports/{import_id}").json()
    assert (shown["summary"]["created"], shown["summary"]["failed"]) == (1, 1)
    assert shown["summary"]["codes"] == [["invalidEmail", 1]]
