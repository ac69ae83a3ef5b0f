"""Every switch in the positions that are not its default; the other tests hold the defaults."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.command import main
from target_dotdigital.sandbox.faults import Switches, explain, read_switches
from tests.support.sandbox.client import SandboxClient, failure_codes, people, person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIST_ID = 42
UNKNOWN_LIST_ID = 987_654


@contextlib.contextmanager
def switched(database: Path, *assignments: str) -> Iterator[SandboxClient]:
    options = Options(database, address_books=[LIST_ID], switches=read_switches(assignments))
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        yield client


def test_an_unknown_field_can_be_left_out(database: Path) -> None:
    with switched(database, "unknown-field=dropped") as client:
        fields = {"NO_SUCH_FIELD": 1, "FIRSTNAME": "Ann"}
        report = client.load(person("a@example.com", dataFields=fields))
        assert failure_codes(report) == []
        assert client.fields("a@example.com") == {"FIRSTNAME": "Ann"}


def test_data_fields_can_be_known_in_upper_case_only(database: Path) -> None:
    with switched(database, "field-case=exact") as client:
        report = client.load(
            person("a@example.com", dataFields={"firstName": "Ann"}),
            person("b@example.com", dataFields={"FIRSTNAME": "Bob"}),
        )
        assert failure_codes(report) == ["apiSchemaViolation"]
        assert client.fields("b@example.com") == {"FIRSTNAME": "Bob"}


def test_a_name_in_the_wrong_case_can_be_left_out(database: Path) -> None:
    with switched(database, "field-case=exact", "unknown-field=dropped") as client:
        client.load(person("a@example.com", dataFields={"firstName": "Ann", "LASTNAME": "Lee"}))
        assert client.fields("a@example.com") == {"LASTNAME": "Lee"}


def test_a_value_of_the_wrong_type_can_be_left_out(database: Path) -> None:
    with switched(database, "wrong-type=dropped") as client:
        fields = {"LASTSUBSCRIBED": "soon", "LASTNAME": 5, "FIRSTNAME": "Ann", "GENDER": None}
        report = client.load(person("a@example.com", dataFields=fields))
        assert failure_codes(report) == []
        assert client.fields("a@example.com") == {"FIRSTNAME": "Ann"}
        # A text that is too long is no value of the wrong type.
        report = client.load(person("a@example.com", dataFields={"FIRSTNAME": "x" * 1_001}))
        assert failure_codes(report) == ["apiSchemaViolation"]


def test_a_text_that_is_too_long_can_be_cut(database: Path) -> None:
    with switched(database, "long-text=cut") as client:
        report = client.load(person("a@example.com", dataFields={"FIRSTNAME": "x" * 1_001}))
        assert failure_codes(report) == []
        assert client.fields("a@example.com") == {"FIRSTNAME": "x" * 1_000}


def test_a_date_without_a_time_can_be_refused(database: Path) -> None:
    with switched(database, "date-only=refused") as client:
        report = client.load(
            person("a@example.com", dataFields={"LASTSUBSCRIBED": "2026-01-31"}),
            person("b@example.com", dataFields={"LASTSUBSCRIBED": "2026-01-31T00:00:00Z"}),
        )
        assert failure_codes(report) == ["apiSchemaViolation"]
        assert report["summary"]["newContacts"] == 1


def test_names_of_v2_can_be_in_pascal_case(database: Path) -> None:
    with switched(database, "names=pascal") as client:
        created = client.call("POST", "/v2/address-books", json={"name": "New"}).json()
        assert set(created) == {"Id", "Name", "Visibility", "Contacts"}
        fields = client.get("/v2/data-fields").json()
        assert {"Name", "Type", "Visibility", "DefaultValue"} == set(fields[0])
        contact_id = client.load(person("a@example.com", lists=[LIST_ID]))["created"][0][
            "contactId"
        ]
        path = f"/v2/address-books/{LIST_ID}/contacts/delete"
        removal = client.call("POST", path, json=[contact_id]).json()
        assert set(removal) == {"Id", "Status"}
        assert set(client.get(f"/v2/contacts/deletion/{removal['Id']}").json()) == {"Id", "Status"}


def test_a_data_field_can_be_created_with_no_body_in_the_answer(database: Path) -> None:
    with switched(database, "created-field=empty") as client:
        new = {"name": "NEW", "type": "String"}
        created = client.call("POST", "/v2/data-fields", json=new)
        assert (created.status_code, created.content) == (201, b"")
        assert "NEW" in {each["name"] for each in client.get("/v2/data-fields").json()}
        assert client.call("POST", "/v2/data-fields", json=new).status_code == 400


@pytest.mark.parametrize(("position", "kept"), [("keeps", {"FIRSTNAME": "Ann"}), ("clears", {})])
def test_null_with_overwrite_if_not_empty(
    database: Path, position: str, kept: dict[str, str]
) -> None:
    with switched(database, f"null-if-not-empty={position}") as client:
        client.load(person("a@example.com", dataFields={"FIRSTNAME": "Ann", "LASTNAME": "Lee"}))
        sent = person("a@example.com", dataFields={"FIRSTNAME": None, "LASTNAME": ""})
        client.load(sent, merge_option="overwriteIfNotEmpty")
        assert client.fields("a@example.com") == {"LASTNAME": "Lee", **kept}


@pytest.mark.parametrize(
    "bad",
    [
        {"matchIdentifier": "email", "identifiers": {"email": 5}},
        {"matchIdentifier": "email", "identifiers": "bad@example.com"},
        {"identifiers": {"email": "bad@example.com"}},
        {"matchIdentifier": "a name", "identifiers": {"a name": "x"}},
        person("bad@example.com", lists=[str(LIST_ID)]),
        "bad@example.com",
        7,
    ],
)
def test_a_contact_of_the_wrong_structure_can_fail_alone(database: Path, bad: object) -> None:
    with switched(database, "bad-contact=contact") as client:
        contacts = [
            person("good@example.com"),
            cast("dict[str, Any]", bad),
            person("c@example.com"),
        ]
        report = client.load(*contacts)
        assert failure_codes(report) == ["apiSchemaViolation"]
        assert report["summary"]["invalidEntries"] == 1
        assert report["summary"]["newContacts"] == 2
        assert client.send_import([]).status_code == 400


def test_a_contact_of_the_wrong_structure_is_named_as_far_as_it_can_be(database: Path) -> None:
    with switched(database, "bad-contact=contact") as client:
        known = client.load(person("known@example.com"))["created"][0]["contactId"]
        report = client.load(person("Known@example.com", lists="none"))
        assert report["failures"][0]["contactId"] == known
        assert report["failures"][0]["identifiers"] == {"email": "Known@example.com"}


def test_what_is_no_json_is_refused_as_a_whole_all_the_same(database: Path) -> None:
    with switched(database, "bad-contact=contact") as client:
        body = b'{"contacts": [{"identifiers": {"email": "\xff"}}]}'
        assert client.call("PUT", "/contacts/v3/import", data=body).status_code == 400


def test_a_contact_can_be_written_without_a_list_that_is_unknown(database: Path) -> None:
    with switched(database, "unknown-list=written") as client:
        report = client.load(
            person("a@example.com", lists=[LIST_ID, UNKNOWN_LIST_ID]),
            person("b@example.com", lists=[UNKNOWN_LIST_ID]),
        )
        assert failure_codes(report) == ["invalidAddressBookIds", "invalidAddressBookIds"]
        assert report["summary"]["newContacts"] == 2
        assert len(client.members(LIST_ID)) == 1
        assert client.contact("b@example.com")["identifiers"] == {"email": "b@example.com"}


def test_an_unknown_list_can_refuse_the_request(database: Path) -> None:
    with switched(database, "unknown-list=refused") as client:
        good = person("good@example.com", lists=[LIST_ID])
        reply = client.send_import([good, person("bad@example.com", lists=[UNKNOWN_LIST_ID])])
        assert reply.status_code == 400
        assert reply.json()["details"][0]["item"] == "$.contacts[1].lists"
        assert client.send_import([good]).status_code == 202


def test_the_last_of_several_entries_can_be_taken(database: Path) -> None:
    with switched(database, "duplicates=last") as client:
        first = person("Twice@example.com", dataFields={"FIRSTNAME": "first"})
        last = person("twice@example.com", dataFields={"FIRSTNAME": "last"})
        report = client.load(first, *people(2_500, "other"), last)
        assert failure_codes(report) == ["duplicateIdentifier"]
        assert report["failures"][0]["identifiers"] == {"email": "Twice@example.com"}
        assert report["summary"]["duplicateIdentifiers"] == 1
        assert report["summary"]["invalidEntries"] == 0
        assert client.fields("twice@example.com") == {"FIRSTNAME": "last"}


def test_the_first_poll_of_an_import_can_be_answered_404(database: Path) -> None:
    with switched(database, "fresh-import=notFound") as client:
        import_id = client.start_import(people(1, "a"))
        early = client.get(f"/contacts/v3/import/{import_id}")
        assert early.status_code == 404
        assert early.json()["errorCode"] == "contacts:importNotFound"
        assert client.finish(import_id)["summary"]["newContacts"] == 1


def test_failure_codes_can_be_in_pascal_case(database: Path) -> None:
    with switched(database, "failure-codes=PascalCase") as client:
        assert failure_codes(client.load(person("a@b@c"))) == ["InvalidEmail"]


def test_failures_can_name_addresses_in_lower_case(database: Path) -> None:
    with switched(database, "report-identifiers=lowerCase") as client:
        report = client.load(person(" Bad@Address"))
        assert report["failures"][0]["identifiers"] == {"email": "bad@address"}


def test_a_report_can_have_its_summary_only(database: Path) -> None:
    with switched(database, "report-lists=summaryOnly") as client:
        report = client.load(person("a@example.com"), person("a@b@c"))
        assert set(report) == {"importId", "status", "summary"}
        assert report["summary"]["newContacts"] == report["summary"]["invalidEntries"] == 1


def test_a_body_over_50_mb_can_be_answered_400(database: Path) -> None:
    with switched(database, "large-body=400") as client:
        reply = client.call("PUT", "/contacts/v3/import", data=b" " * 50_000_001)
        assert reply.status_code == 400
        assert "errorCode" in reply.json()


@pytest.mark.parametrize("wrong", ["unknown-field", "nothing=here", "unknown-field=perhaps", "="])
def test_a_switch_that_is_none_is_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        main(["--switch", wrong])
    assert refusal.value.code == 2
    assert "unknown-field" in capsys.readouterr().err


def test_the_last_word_on_a_switch_counts() -> None:
    chosen = read_switches(["duplicates=last", "duplicates=first", "long-text=cut"])
    assert chosen == Switches(long_text="cut")


def test_help_explains_each_switch_and_where_it_comes_from(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert explain() in capsys.readouterr().out
    assert "failure-codes=camelCase|PascalCase" in explain()
