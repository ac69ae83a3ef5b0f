"""`--verify`: what the stream holds is compared with the account, and nothing is written."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.api import HeldContact
from target_dotdigital.mapping import Contact, OwnSource
from target_dotdigital.verification.expected_contacts import ExpectedContacts
from tests.support.dotdigital.answers import reply
from tests.support.dotdigital.departure_routes import CONTACT, MEMBERS
from tests.support.messages import PEOPLE, activate, gone, record, rows, schema, state, versioned
from tests.support.target.command import load, settings_for
from tests.support.target.commands import command, differing, found, verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

TYPED = {
    "email": {"type": "string"},
    "first_name": {"type": ["string", "null"]},
    "since": {"type": ["string", "null"], "format": "date-time"},
    "score": {"type": ["number", "null"]},
    "vip": {"type": ["boolean", "null"]},
}
FIELDS = {"FIRSTNAME": "first_name", "SINCE": "since", "SCORE": "score", "VIP": "vip"}
ANN: dict[str, Any] = {
    "email": "Ann@Example.com",
    "first_name": "Ann",
    "since": "2026-01-31T10:00:00+02:00",
    "score": 12.50,
    "vip": True,
}


def typed(server: DotdigitalServer, **stream: Any) -> dict[str, Any]:
    """Return settings of a stream with a data field of each type."""
    server.data_fields.update({"SINCE": "Date", "SCORE": "Numeric", "VIP": "Boolean"})
    return settings_for(server, streams={"people": {"fields": FIELDS, **stream}})


def listed(path: Path) -> list[tuple[str, str]]:
    """Return the codes and addresses of a list for a spreadsheet."""
    lines = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
    return sorted((each["code"], each["email"]) for each in lines)


def reasons(path: Path) -> set[str]:
    """Return the reasons of a list for a spreadsheet."""
    lines = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
    return {each["reason"] for each in lines if each["code"].startswith("verify.")}


# Everything is as it should be.


@pytest.mark.parametrize("spell", [None, str.upper, str.lower], ids=["as documented", "up", "low"])
def test_after_a_load_everything_is_as_it_should_be(
    server: DotdigitalServer, tmp_path: Path, spell: Callable[[str], str] | None
) -> None:
    files = {name: tmp_path / name for name in ("rejects.singer", "report.json")}
    config = {
        **typed(server),
        "rejects_path": str(files["rejects.singer"]),
        "report_path": str(files["report.json"]),
        "max_reject_percent": 100,
    }
    messages = (schema(properties=TYPED), record(**ANN), *rows(["bob", "cid"]), state({"at": 1}))
    loaded = load(config, tmp_path, *messages, record(email="none"))
    assert loaded.status == 0, loaded.stderr
    kept = {path: path.read_bytes() for path in files.values()}
    server.spell = spell
    server.departures.max_page = 2
    calls = len(server.calls)
    ended = verify(config, tmp_path, *messages)
    assert (ended.status, ended.stdout) == (0, ""), ended.stderr
    assert found(ended) == {"expected": 3, "as it should be": 3}
    assert found(ended, "address book 102 (Customers)") == found(ended)
    assert {call.method for call in server.calls[calls:]} == {"GET"}
    assert "All 3 contacts are in Dotdigital as the stream has them." in ended.stderr
    assert {path: path.read_bytes() for path in files.values()} == kept
    assert not any(name in ended.stderr for name in ("ann@", "Ann", "2026-01-31", "12.5"))


def spelled(kind: str, value: Any) -> Any:  # noqa: ANN401 - a data field's value
    """Spell values as another server might."""
    if kind == "Date":
        return f"{value.removesuffix('Z')}.000"
    if kind == "Numeric":
        return f"{value}0"
    return "True" if value is True else value


def respelled(kind: str, value: Any) -> Any:  # noqa: ANN401 - a data field's value
    if kind == "Date":
        return value.removesuffix("Z") + "+00:00"
    return 1 if value is True else value


@pytest.mark.parametrize("tell", [spelled, respelled])
def test_values_are_the_same_however_the_account_spells_them(
    server: DotdigitalServer, tmp_path: Path, tell: Callable[[str, Any], Any]
) -> None:
    config, messages = typed(server), (schema(properties=TYPED), record(**ANN))
    load(config, tmp_path, *messages)
    server.tell_value = tell
    ended = verify(config, tmp_path, *messages)
    assert ended.status == 0, ended.stderr


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("FIRSTNAME", "ann"),
        ("SINCE", "2026-01-31T08:00:01Z"),
        ("SCORE", 12.500000001),
        ("VIP", False),
        ("VIP", None),
        ("SINCE", "soon"),
    ],
)
def test_a_value_that_differs_is_told_by_its_field(
    server: DotdigitalServer, tmp_path: Path, field: str, value: object
) -> None:
    config, messages = typed(server), (schema(properties=TYPED), record(**ANN), *rows(["bob"]))
    load(config, tmp_path, *messages)
    with server.edited("ann@example.com") as ann:
        ann.data_fields[field] = value
    ended = verify(config, tmp_path, *messages)
    assert (ended.status, ended.stdout) == (1, "")
    assert found(ended) == {"expected": 2, "as it should be": 1, "differing": 1}
    assert differing(ended) == {field: 1}
    assert "Not everything is as the stream has it: 1 contact with other values." in ended.stderr


def test_empty_is_empty_and_what_the_row_does_not_have_is_not_compared(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.add_contact("ann@example.com", {"FIRSTNAME": "Old", "LASTNAME": "L"}, lists=(102,))
    config, people = settings_for(server), schema()
    messages = (people, record(email="ann@example.com", first_name=None))
    assert differing(verify(config, tmp_path, *messages)) == {"FIRSTNAME": 1}
    load(config, tmp_path, *messages)
    assert verify(config, tmp_path, *messages).status == 0
    assert verify(config, tmp_path, people, record(email="ann@example.com")).status == 0


# Which value is expected.


def test_the_last_row_of_a_contact_counts_in_whatever_import_it_goes(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    properties = {**PEOPLE, "last_name": {"type": "string"}}
    messages = (
        schema(properties=properties),
        record(email="ann@example.com", first_name="A", last_name="L"),
        *rows(["bob", "cid"]),
        record(email="ANN@example.com", first_name="B"),
    )
    config = settings_for(server, batch_size_rows=1)
    load(config, tmp_path, *messages)
    assert verify(config, tmp_path, *messages).status == 0
    with server.edited("ann@example.com") as ann:
        ann.data_fields.update(FIRSTNAME="A", LASTNAME="")
    ended = verify(config, tmp_path, *messages)
    assert differing(ended) == {"FIRSTNAME": 1, "LASTNAME": 1}
    assert found(ended) == {"expected": 3, "as it should be": 2, "differing": 1}


@pytest.mark.parametrize("before", ["Old", None])
@pytest.mark.parametrize("option", ["overwrite", "overwriteIfNotEmpty", "overwriteIfEmpty"])
def test_what_a_merge_option_leaves_is_as_it_should_be(
    server: DotdigitalServer, tmp_path: Path, option: str, before: str | None
) -> None:
    for name in ("ann", "bob"):
        fields = {} if before is None else {"FIRSTNAME": before}
        server.add_contact(f"{name}@example.com", fields, lists=(102,))
    config = settings_for(server, merge_option=option)
    messages = (
        schema(),
        record(email="ann@example.com", first_name="New"),
        record(email="bob@example.com", first_name=None),
    )
    load(config, tmp_path, *messages)
    assert verify(config, tmp_path, *messages).status == 0
    with server.edited("ann@example.com") as ann:
        ann.data_fields["FIRSTNAME"] = ""
    with server.edited("bob@example.com") as bob:
        bob.data_fields["FIRSTNAME"] = "Later"
    expected = 2 if option == "overwrite" else 1
    assert differing(verify(config, tmp_path, *messages)) == {"FIRSTNAME": expected}


def test_identifiers_are_compared_and_a_person_may_come_by_several(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.custom_identifiers.add("customerId")
    identifiers = {"customerId": "id", "email": "email", "mobileNumber": "phone"}
    properties = {"id": {"type": "string"}, "email": {}, "phone": {}, "first_name": {}}
    config = settings_for(
        server,
        streams={
            "shop": {"match_identifier": "customerId", "identifiers": identifiers},
            "people": {"address_book": 101},
        },
    )
    messages = (
        schema("shop", properties),
        schema(),
        record("shop", id="7", email="Ann@example.com", phone="+44 7400 123123", first_name="A"),
        record(email="ann@example.com", first_name="B"),
    )
    load(config, tmp_path, *messages)
    assert len(server.contacts) == 1
    ended = verify(config, tmp_path, *messages)
    assert ended.status == 0, ended.stderr
    assert found(ended) == {"expected": 1, "as it should be": 1}
    with server.edited("7", "customerId") as ann:
        ann.identifiers["mobileNumber"] = "447400999999"
        ann.data_fields["FIRSTNAME"] = "A"
    ended = verify(config, tmp_path, *messages)
    assert differing(ended) == {"FIRSTNAME": 1, "identifier mobileNumber": 1}


def test_preferences_and_opt_outs_are_compared(server: DotdigitalServer, tmp_path: Path) -> None:
    stream = {"preferences": {"7": "news", "8": "events"}}
    config = settings_for(server, streams={"people": stream})
    properties = {"email": {}, "news": {"type": "boolean"}, "events": {"type": "boolean"}}
    messages = (
        schema(properties=properties),
        record(email="ann@example.com", news=True, events=False),
    )
    load(config, tmp_path, *messages)
    assert verify(config, tmp_path, *messages).status == 0
    with server.edited("ann@example.com") as ann:
        ann.preferences.clear()
    assert differing(verify(config, tmp_path, *messages)) == {"preference 7": 1}


# Who is there.


def test_whoever_is_missing_is_told_and_listed(server: DotdigitalServer, tmp_path: Path) -> None:
    path = tmp_path / "who.csv"
    config = settings_for(server, rejects_csv=str(path), max_reject_percent=100)
    messages = (schema(), *rows(["ann", "bob", "cid", "dan"], first_name="X"))
    load(config, tmp_path, *messages)
    with server.edited("ann@example.com") as ann:
        ann.lists.clear()
    with server.edited("bob@example.com") as bob:
        bob.lists.clear()
        bob.email_status = "unsubscribed"
    with server.edited("cid@example.com") as cid:
        cid.email_status = "suppressed"
    with server.edited("dan@example.com") as dan:
        dan.data_fields["FIRSTNAME"] = "=HYPERLINK(0)"
    more = (*rows(["=new"]), record(email="bad"))
    ended = verify(config, tmp_path, *messages, *more)
    assert ended.status == 1
    assert found(ended) == {
        "expected": 5,
        "as it should be": 1,
        "differing": 1,
        "missing": 3,
        "not in the account": 1,
        "opted out": 2,
    }
    assert "1 rejected row that cannot be looked for" in ended.stderr
    assert listed(path) == [
        ("identifier.invalid", "bad"),
        ("verify.differs", "dan@example.com"),
        ("verify.missing", "'=new@example.com"),
        ("verify.missing", "ann@example.com"),
        ("verify.missing", "bob@example.com"),
        ("verify.opted_out", "cid@example.com"),
    ]
    assert path.stat().st_mode & 0o777 == 0o600
    assert "HYPERLINK" not in ended.stderr + path.read_text()
    assert reasons(path) == {
        "The person has other values in Dotdigital: FIRSTNAME",
        "The person is not in the account",
        "The person is not in address book 102",
        "The person is not in address book 102, and has opted out",
        "The person has opted out in Dotdigital",
    }


@pytest.mark.parametrize("send", ["all", "changes"])
def test_the_advice_leads_to_what_is_right(
    server: DotdigitalServer, tmp_path: Path, send: str
) -> None:
    """Another load of the changes alone would never send who is unchanged in the stream."""
    config = settings_for(server, send=send, fingerprints_path="fingerprints")
    messages = (schema(), *rows(["ann", "bob"], first_name="X"))
    load(config, tmp_path, *messages)
    with server.edited("ann@example.com") as ann:
        ann.data_fields["FIRSTNAME"] = "Y"
    ended = verify(config, tmp_path, *messages)
    advice = " ".join(ended.stderr.partition("- Missing or differing: ")[2].split())
    if send == "all":
        assert advice.startswith("load the stream again, and verify again. Values")
    else:
        assert advice.startswith("load the stream once with send: all and the same fingerprints_pa")
    load({**config, "send": "all"}, tmp_path, *messages)
    assert verify(config, tmp_path, *messages).status == 0
    sent = len(server.imports)
    load(config, tmp_path, *messages)
    assert len(server.imports) == sent + (send == "all")


def test_who_is_marked_as_deleted_and_still_there_is_told_in_a_sentence(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    config = settings_for(
        server, rejects_csv=str(path), streams={"people": {"on_delete": "remove"}}
    )
    server.add_contact("ann@example.com", lists=(102,))
    assert verify(config, tmp_path, schema(), *gone(["ann"])).status == 1
    assert reasons(path) == {
        "The person is still in address book 102, although the row is marked as deleted"
    }


def test_opting_out_alone_is_no_difference(server: DotdigitalServer, tmp_path: Path) -> None:
    config, messages = settings_for(server), (schema(), *rows(["ann", "bob"]))
    load(config, tmp_path, *messages)
    with server.edited("ann@example.com") as ann:
        ann.email_status = "unsubscribed"
    ended = verify(config, tmp_path, *messages)
    assert ended.status == 0
    assert found(ended) == {"expected": 2, "as it should be": 2, "opted out": 1}


@pytest.mark.parametrize("needs_filter", [False, True])
def test_the_account_is_read_for_many_and_looked_up_for_few(
    server: DotdigitalServer, tmp_path: Path, *, needs_filter: bool
) -> None:
    server.departures.needs_filter = needs_filter
    server.departures.max_page = 50
    names = [f"p{number}" for number in range(210)]
    for name in names[:205]:
        server.add_contact(f"{name}@example.com")
    config = settings_for(server)
    ended = verify(config, tmp_path, schema(), *rows(names))
    assert found(ended) == {"expected": 210, "missing": 210, "not in the account": 5}
    assert not server.calls_of(CONTACT)
    ended = verify(config, tmp_path, schema(), *rows(names[203:]))
    assert found(ended) == {"expected": 7, "missing": 7, "not in the account": 5}
    assert len(server.calls_of(CONTACT)) == 7


def test_contacts_without_an_address_book_and_with_their_own(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = settings_for(
        server,
        address_book=None,
        streams={"people": {"account_only": True}, "others": {"address_book_property": "book"}},
    )
    properties = {"email": {"type": "string"}, "book": {}}
    messages = (
        schema(),
        schema("others", properties),
        *rows(["ann", "bob"]),
        record("others", email="cid@example.com", book=[101, "Customers"]),
        record("others", email="ann@example.com", book=101),
    )
    load(config, tmp_path, *messages)
    ended = verify(config, tmp_path, *messages)
    assert ended.status == 0, ended.stderr
    assert found(ended) == {"expected": 3, "as it should be": 3}
    assert found(ended, "without address book") == {"expected": 1, "as it should be": 1}
    with server.edited("cid@example.com") as cid:
        cid.lists.remove(102)
    ended = verify(config, tmp_path, *messages)
    assert found(ended) == {"expected": 3, "as it should be": 2, "missing": 1}
    assert found(ended, "address book 102") == {"expected": 1, "missing": 1}


# Who should not be there.


def test_a_mirror_has_nobody_else(server: DotdigitalServer, tmp_path: Path) -> None:
    path = tmp_path / "who.csv"
    config = settings_for(
        server, streams={"people": {"sync_mode": "mirror"}}, rejects_csv=str(path)
    )
    messages = (schema(), *rows(["ann", "bob"]))
    load(config, tmp_path, *messages)
    assert verify(config, tmp_path, *messages, state(1)).status == 0
    server.add_contact("extra@example.com", lists=(102,))
    ended = verify(config, tmp_path, *messages)
    assert ended.status == 1
    assert found(ended) == {"expected": 2, "as it should be": 2, "extra": 1}
    assert listed(path) == [("verify.extra", "extra@example.com")]
    assert reasons(path) == {"The person is in address book 102, and in no stream that mirrors it"}
    assert not list(tmp_path.glob("leavers*"))


def test_of_an_incomplete_load_it_is_not_known_who_is_extra(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = settings_for(server, streams={"people": {"sync_mode": "mirror"}})
    messages = (schema(), *versioned(1, "ann", "bob"))
    load(config, tmp_path, *messages, activate(1))
    ended = verify(config, tmp_path, *messages)
    assert ended.status == 1
    assert "it is not known who is extra" in ended.stderr
    assert verify(config, tmp_path, *messages, activate(1)).status == 0


@pytest.mark.parametrize(("on_delete", "where"), [("remove", 102), ("delete", 0)])
def test_whoever_is_marked_as_deleted_has_left(
    server: DotdigitalServer, tmp_path: Path, on_delete: str, where: int
) -> None:
    config = settings_for(server, streams={"people": {"on_delete": on_delete}})
    server.add_contact("bob@example.com", lists=(102,))
    before = (schema(), *rows(["ann"]), *gone(["bob"]))
    ended = verify(config, tmp_path, *before)
    assert ended.status == 1
    title = "address book 102 (Customers)" if where else "without address book"
    assert found(ended, title)["still there"] == 1
    load(config, tmp_path, *before)
    ended = verify(config, tmp_path, *before)
    assert ended.status == 0, ended.stderr
    assert found(ended) == {"expected": 1, "as it should be": 1}
    # Whoever comes back is expected again.
    ended = verify(config, tmp_path, *before, *rows(["bob"]))
    assert found(ended)["missing"] == 1


# What proves nothing.


@pytest.mark.parametrize(
    "messages",
    [(), (state(1),), (schema(),), (schema("other", {"x": {}}), record("other", x=1))],
    ids=["nothing", "STATE", "no row", "another stream"],
)
def test_nothing_to_compare_is_no_proof(
    server: DotdigitalServer, tmp_path: Path, messages: tuple[Any, ...]
) -> None:
    ended = verify(settings_for(server), tmp_path, *messages)
    assert (ended.status, ended.stdout) == (1, "")
    assert "Traceback" not in ended.stderr


def test_a_list_that_is_not_complete_proves_nothing(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config, messages = settings_for(server), (schema(), *rows(["ann", "bob"]))
    load(config, tmp_path, *messages)
    server.departures.told_too_many = 1
    ended = verify(config, tmp_path, *messages)
    assert ended.status == 1
    assert "but lists only" in ended.stderr
    server.departures.told_too_many = 0
    server.answer_next(MEMBERS, reply(200, {"_items": [], "_links": {"next": None}}))
    assert verify(config, tmp_path, *messages).status == 1


def test_what_is_missing_in_the_account_is_not_created(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = settings_for(
        server,
        address_book="Brand new",
        create_address_book=True,
        create_data_fields=True,
        streams={"people": {"fields": {"BRAND_NEW": "first_name"}}},
    )
    server.add_contact("ann@example.com")
    ended = verify(config, tmp_path, schema(), *rows(["ann"], first_name="A"))
    assert ended.status == 1
    assert found(ended) == {"expected": 1, "missing": 1}
    assert differing(ended) == {"BRAND_NEW": 1}
    assert {call.method for call in server.calls} == {"GET"}


def test_what_is_compared_shows_nothing_of_a_person() -> None:
    body = b'{"matchIdentifier": "email", "identifiers": {"email": "ann@example.com"}}'
    contacts = ExpectedContacts({})
    contacts.join([Contact("email:ann@example.com", (), OwnSource(body))], "overwrite")
    (expected,) = contacts
    held = HeldContact(7, {"email": "ann@example.com"})
    assert "ann" not in repr([expected, held])


def test_commands_exclude_each_other(server: DotdigitalServer, tmp_path: Path) -> None:
    ended = command(settings_for(server), tmp_path, "--verify", "--replay", "file")
    assert ended.status == 2
    assert "exclude each other" in ended.stderr
    assert not server.calls


@pytest.mark.parametrize("many", [0, 300])
def test_a_dry_run_tells_how_many_updates_change_nothing(
    server: DotdigitalServer, tmp_path: Path, many: int
) -> None:
    config = settings_for(server, report_path="plan.json")
    names = [f"p{number}" for number in range(many)]
    messages = (schema(), *rows([*names, "ann", "bob", "cid"], first_name="X"))
    load(config, tmp_path, *messages)
    with server.edited("bob@example.com") as bob:
        bob.data_fields["FIRSTNAME"] = "Y"
    with server.edited("cid@example.com") as cid:
        cid.lists.clear()
    ended = load({**config, "dry_run": True}, tmp_path, *messages, *rows(["new"], first_name="X"))
    assert ended.status == 0, ended.stderr
    told = f"Of the {many + 3} people who would be updated, {many + 1} have everything already"
    assert told in ended.stderr
    assert json.loads((tmp_path / "plan.json").read_text())["plan"]["unchanged"] == many + 1


def test_what_was_sent_before_is_looked_for_all_the_same(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    """With `send: changes`, a load leaves out what is unchanged. A verification does not."""
    path = tmp_path / "fingerprints"
    config = settings_for(server, send="changes", fingerprints_path=str(path))
    messages = (schema(), *rows(["ann", "bob"], first_name="X"))
    load(config, tmp_path, *messages)
    kept = path.read_bytes()
    with server.edited("ann@example.com") as ann:
        ann.data_fields["FIRSTNAME"] = "Y"
    ended = verify(config, tmp_path, *messages)
    assert differing(ended) == {"FIRSTNAME": 1}
    assert found(ended) == {"expected": 2, "as it should be": 1, "differing": 1}
    assert path.read_bytes() == kept
