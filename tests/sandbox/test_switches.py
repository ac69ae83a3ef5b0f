"""Every switch in the positions that are not its default; the other tests hold the defaults."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.command import main
from target_dotdigital.sandbox.faults import Switches, explain, read_switches
from tests.support.sandbox.client import CONSENT, SandboxClient, failure_codes, people, person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests

LIST_ID = 42
UNKNOWN_LIST_ID = 987_654


@contextlib.contextmanager
def switched(database: Path, *assignments: str) -> Iterator[SandboxClient]:
    options = Options(
        database,
        address_books=[LIST_ID],
        custom_identifiers=["key"],
        switches=read_switches(assignments),
    )
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        yield client


def error_of(reply: requests.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["errorCode"]


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


@pytest.mark.parametrize("position", ["201", "200"])
def test_the_answer_to_a_new_address_book_has_either_status(database: Path, position: str) -> None:
    with switched(database, f"created-list={position}") as client:
        created = client.call("POST", "/v2/address-books", json={"name": "New"})
        assert str(created.status_code) == position
        assert created.json()["name"] == "New"


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
        account = client.get("/v2/account-info").json()
        assert set(account) == {"Id", "Properties"}
        assert {"Name", "Type", "Value"} == set(account["Properties"][0])


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


def by(name: str, **identifiers: object) -> dict[str, Any]:
    return {"matchIdentifier": name, "identifiers": identifiers}


def email_words(**words: object) -> dict[str, Any]:
    return {"channelProperties": {"email": words}}


SUPPRESSED = email_words(status="suppressed")


def test_a_suppressed_contact_can_be_refused(database: Path) -> None:
    with switched(database, "suppressed=refused") as client:
        client.load(person("a@example.com", **SUPPRESSED))
        for sent in (
            person("a@example.com", dataFields={"FIRSTNAME": "Ann"}),
            person("a@example.com", **email_words(status="subscribed")),
            by("key", key="new", email="a@example.com"),
        ):
            report = client.load(sent)
            assert failure_codes(report) == ["globallySuppressed"]
            assert report["summary"]["globallySuppressed"] == 1
        body = {"identifiers": {"email": "a@example.com"}, "dataFields": {"FIRSTNAME": "Ann"}}
        for method in ("PATCH", "PUT"):
            reply = client.call(method, "/contacts/v3/email/a@example.com", json=body)
            assert error_of(reply) == (400, "contacts:globallySuppressed")
        contact = client.contact("a@example.com")
        assert (contact["status"], contact["dataFields"]) == ("suppressed", {})


def test_a_suppressed_contact_that_is_refused_does_not_come_back_either(database: Path) -> None:
    with switched(database, "suppressed=refused") as client:
        client.load(person("a@example.com", **SUPPRESSED))
        client.call("DELETE", "/contacts/v3/email/a@example.com")
        assert failure_codes(client.load(person("a@example.com"))) == ["globallySuppressed"]


@pytest.mark.parametrize("code", ["identifierConflict", "idAlreadyExists"])
def test_the_code_of_a_conflict_of_one_contact(database: Path, code: str) -> None:
    with switched(database, f"create-conflict={code}") as client:
        client.load(person("a@example.com"), person("b@example.com"))
        body = {"identifiers": {"email": "a@example.com"}}
        path = "/contacts/v3"
        created = client.call("POST", path, json=body)
        changed = client.call("PATCH", f"{path}/email/b@example.com", json=body)
        replaced = client.call("PUT", f"{path}/email/b@example.com", json=body)
        assert error_of(created) == error_of(changed) == (409, f"contacts:{code}")
        assert error_of(replaced) == (400, f"contacts:{code}")


@pytest.mark.parametrize("total", ["duplicateIdentifiers", "invalidEntries"])
@pytest.mark.parametrize("code", ["identifierConflict", "duplicate"])
def test_a_contact_whose_identifiers_belong_to_two(database: Path, code: str, total: str) -> None:
    with switched(database, f"two-owners={code}", f"conflict-sum={total}") as client:
        client.load(person("a@example.com"), by("email", email="b@example.com", key="B"))
        report = client.load(
            by("email", email="a@example.com", key="B"), *people(2, "c"), person("c0@example.com")
        )
        assert failure_codes(report) == [code, "duplicateIdentifier"]
        sums = {"duplicateIdentifiers": 1, "invalidEntries": 0}
        sums[total] += 1
        assert report["summary"] == {
            "newContacts": 2,
            "updatedContacts": 0,
            "globallySuppressed": 0,
            **sums,
        }


def test_an_unknown_contact_id_can_create_a_contact(database: Path) -> None:
    with switched(database, "unknown-contact-id=created") as client:
        first = client.load(person("a@example.com"))["created"][0]["contactId"]
        report = client.load(by("contactId", contactId=987_654, email="b@example.com"))
        assert report["created"] == [
            {"contactId": first + 1, "identifiers": {"email": "b@example.com"}}
        ]
        taken = by("contactId", contactId=987_654, email="a@example.com")
        assert failure_codes(client.load(taken)) == ["identifierConflict"]
        alone = by("contactId", contactId=987_654)
        assert failure_codes(client.load(alone)) == ["noValidIdentifiers"]
        reply = client.call(
            "PATCH", "/contacts/v3/contactId/987654", json={"identifiers": {"email": "c@c.org"}}
        )
        assert (reply.status_code, reply.json()["contactId"]) == (201, first + 2)


def test_an_unknown_contact_id_fails_in_a_call_for_one_contact(database: Path) -> None:
    with switched(database) as client:
        body = {"identifiers": {"email": "c@example.com"}}
        reply = client.call("PATCH", "/contacts/v3/contactId/987654", json=body)
        assert error_of(reply) == (400, "contacts:invalidId")
        assert client.get("/contacts/v3").json()["_items"] == []


BAD_CONSENT = {**CONSENT, "ipAddress": "none"}


def test_an_invalid_consent_can_refuse_the_request(database: Path) -> None:
    good = person("good@example.com", consentRecords=[CONSENT])
    bad = person("bad@example.com", consentRecords=[CONSENT, BAD_CONSENT])
    with switched(database) as client:
        report = client.load(good, bad)
        assert failure_codes(report) == ["consentRecordsNotApplied"]
        assert report["summary"]["newContacts"] == 2
    with switched(database, "invalid-consent=refused", "bad-contact=contact") as client:
        reply = client.send_import([good, bad])
        assert reply.status_code == 400
        assert reply.json()["details"][0]["item"] == "$.contacts[1].consentRecords"
        assert client.send_import([good]).status_code == 202


WRONG_WORDS: list[tuple[dict[str, Any], str]] = [
    ({"email": {"status": "maybe"}}, "invalidContactStatus"),
    ({"sms": {"status": "maybe"}}, "invalidContactStatus"),
    ({"whatsApp": {"status": "maybe"}}, "invalidContactStatus"),
    ({"email": {"emailType": "text"}}, "apiSchemaViolation"),
    ({"email": {"optInType": "triple"}}, "apiSchemaViolation"),
]


@pytest.mark.parametrize(("channels", "code"), WRONG_WORDS)
def test_a_wrong_word_can_refuse_the_request(
    database: Path, channels: dict[str, Any], code: str
) -> None:
    good, bad = person("good@example.com"), person("a@example.com", channelProperties=channels)
    with switched(database) as client:
        report = client.load(good, bad)
        assert failure_codes(report) == [code]
        assert report["summary"]["newContacts"] == 1
    with switched(database, "wrong-word=request", "bad-contact=contact") as client:
        reply = client.send_import([good, bad])
        assert reply.status_code == 400
        assert reply.json()["details"][0]["item"] == "$.contacts[1].channelProperties"
        assert client.send_import([good]).status_code == 202
        assert client.get("/contacts/v3/email/a@example.com").status_code == 404


CAMEL_CASE: list[dict[str, Any]] = [
    {"email": {"status": "unsubscribed", "emailType": "plainText", "optInType": "double"}},
    {"email": {"emailType": "html", "optInType": "verifiedDouble"}},
    {"sms": {"status": "noSubscription"}, "whatsApp": {"status": "suppressed"}},
]
OTHER_CASES: list[dict[str, Any]] = [
    {"email": {"status": "Unsubscribed"}},
    {"email": {"emailType": "Html"}},
    {"email": {"emailType": "plaintext"}},
    {"email": {"optInType": "VerifiedDouble"}},
    {"sms": {"status": "NoSubscription"}},
]


@pytest.mark.parametrize("channels", OTHER_CASES)
def test_words_can_be_known_in_camel_case_only(database: Path, channels: dict[str, Any]) -> None:
    mobile = {"email": "a@example.com", "mobileNumber": "447123123123"}
    sent = {**by("email", **mobile), "channelProperties": channels}
    with switched(database) as client:
        assert failure_codes(client.load(sent)) == []
    with switched(database, "word-case=exact") as client:
        assert client.load(sent)["summary"]["invalidEntries"] == 1
        reply = client.call("PATCH", "/contacts/v3/email/a@example.com", json=sent)
        assert reply.status_code == 400
    with switched(database, "word-case=exact", "wrong-word=request") as client:
        assert client.send_import([sent]).status_code == 400


@pytest.mark.parametrize("channels", CAMEL_CASE)
def test_words_in_camel_case_are_always_known(database: Path, channels: dict[str, Any]) -> None:
    mobile = {"email": "a@example.com", "mobileNumber": "447123123123"}
    with switched(database, "word-case=exact", "wrong-word=request") as client:
        sent = {**by("email", **mobile), "channelProperties": channels}
        assert client.load(sent)["summary"]["newContacts"] == 1


def test_a_contact_without_identifiers_can_refuse_the_request(database: Path) -> None:
    good, bad = person("good@example.com"), by("email")
    with switched(database) as client:
        report = client.load(good, bad)
        assert failure_codes(report) == ["noValidIdentifiers"]
        assert report["summary"]["newContacts"] == 1
    with switched(database, "empty-identifiers=request", "bad-contact=contact") as client:
        reply = client.send_import([good, bad])
        assert error_of(reply) == (400, "contacts:badRequest")
        assert reply.json()["description"] == "The Identifiers field is required"
        assert reply.json()["details"][0]["item"] == "$.contacts[1].identifiers"
        assert client.send_import([good]).status_code == 202


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


@pytest.mark.parametrize("position", ["ignored", "exact"])
def test_v2_knows_its_own_words_whatever_v3_knows(database: Path, position: str) -> None:
    with switched(database, f"word-case={position}") as client:
        body = {"email": "a@example.com", "emailType": "PlainText", "optInType": "VerifiedDouble"}
        created = client.call("POST", "/v2/contacts", json=body)
        assert (created.status_code, created.json()["emailType"]) == (201, "PlainText")
        updated = client.call("PUT", "/v2/contacts/a@example.com", json={"optInType": "single"})
        assert (updated.status_code, updated.json()["optInType"]) == (200, "Single")
