"""Opt-outs of the source travel to Dotdigital, and nothing undoes one."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from target_dotdigital.account.members import MAX_LOOKUPS
from target_dotdigital.errors import RowRejectedError
from target_dotdigital.loading.batching import Batches
from target_dotdigital.loading.imports import Import, import_body
from target_dotdigital.mapping import HeldOptOuts
from target_dotdigital.mapping.contact_mapping import ContactMapping
from target_dotdigital.sandbox import EmbeddedSandbox
from target_dotdigital.settings.stream_schema import MERGE_OPTIONS
from tests.support.builders import attempt, downstream, stream_settings
from tests.support.clock import FakeClock
from tests.support.dotdigital.account.account import Account
from tests.support.dotdigital.account.import_checks import open_envelope
from tests.support.dotdigital.contract.openapi import needs_vendor_files, violations_of
from tests.support.dotdigital.contract.recording import RecordingProxy
from tests.support.dotdigital.contract.rules import strict_violations_of
from tests.support.dotdigital.routes import IMPORT
from tests.support.messages import record, schema, state
from tests.support.network import settings as account_settings
from tests.support.reports import report_of
from tests.support.sandbox.client import SandboxClient
from tests.support.target.command import load, settings_for
from tests.support.target.commands import found, verify

if TYPE_CHECKING:
    from pathlib import Path

    from target_dotdigital.loading.removals import Removal
    from target_dotdigital.mapping.contacts.contact import Contact
    from target_dotdigital.settings.settings import StreamSettings
    from tests.support.dotdigital.server import DotdigitalServer
    from tests.support.target.command import FinishedRun

LOOK_UP = "GET /contacts/v3/{identifier}/{value}"
PAGE = "GET /contacts/v3"
PROPERTIES: dict[str, Any] = {
    "email": {"type": "string"},
    "phone": {"type": ["string", "null"]},
    "first_name": {"type": ["string", "null"]},
    "out": {"type": ["boolean", "string", "integer", "null"]},
    "no_sms": {"type": ["string", "null"], "format": "date-time"},
    "no_whatsapp": {"type": ["boolean", "null"]},
}
SCHEMA = schema(properties=PROPERTIES)
BY_EMAIL: dict[str, Any] = {"opt_out": {"email": "out"}}
ALL_CHANNELS = {"email": "out", "sms": "no_sms", "whatsApp": "no_whatsapp"}


def run(
    server: DotdigitalServer, folder: Path, stream: dict[str, Any], *messages: Any, **more: Any
) -> FinishedRun:
    config = settings_for(server, streams={"people": stream}, **more)
    return load(config, folder, SCHEMA, *messages, state(1))


def sent(server: DotdigitalServer) -> dict[str, Any]:
    """What was sent for the channels of each contact."""
    contacts = [each for call in server.calls_of(IMPORT) for each in call.contacts]
    return {each["identifiers"]["email"]: each.get("channelProperties") for each in contacts}


def status(server: DotdigitalServer, name: str) -> str | None:
    found = server.contact(f"{name}@example.com")
    return None if found is None else found.email_status


# What is sent.

YES = [True, 1, "true", " YES ", "1", "2024-02-29", "2024-02-29T10:00:00+02:00"]
NO = [False, None, 0, "", "  ", "no", "False", "0"]
UNCLEAR = ["maybe", "null", "unsubscribed", 2, -1, 1709200000, "1709200000", "2023-02-30"]


@pytest.mark.parametrize("merge_option", MERGE_OPTIONS)
def test_yes_or_a_date_is_sent_as_unsubscribed_and_no_as_nothing(
    server: DotdigitalServer, tmp_path: Path, merge_option: str
) -> None:
    values = [*YES, *NO, *UNCLEAR]
    messages = [record(email=f"p{at}@example.com", out=each) for at, each in enumerate(values)]
    messages.append(record(email="absent@example.com"))
    path = tmp_path / "report.json"
    stream = {**BY_EMAIL, "merge_option": merge_option}
    ended = run(server, tmp_path, stream, *messages, report_path=str(path))
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    assert f"rejected by code: field.type {len(UNCLEAR)}" in ended.counts()
    assert f"{len(UNCLEAR)} have an opt-out that is not yes, no or a date (" in ended.stderr
    assert f"opted out by channel: email {len(YES)}" in ended.counts()
    out = {f"p{at}@example.com" for at in range(len(YES))}
    found = sent(server)
    assert {name for name, each in found.items() if each is not None} == out
    assert all(found[each] == {"email": {"status": "unsubscribed"}} for each in out)
    assert len(found) == len(YES) + len(NO) + 1
    assert {status(server, f"p{at}") for at in range(len(YES))} == {"unsubscribed"}
    (stream_report,) = report_of(tmp_path)["streams"]
    assert stream_report["opted_out"] == {"email": len(YES)}
    (group,) = stream_report["reject_groups"]
    assert (group["property"], group["rule"]) == ("out", "opt-out")


def test_each_channel_has_its_own_status_beside_the_other_properties(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    stream = {
        "identifiers": {"email": "email", "mobileNumber": "phone"},
        "opt_out": ALL_CHANNELS,
        "email_type": "html",
        "email_opt_in_type": "single",
    }
    values: dict[str, Any] = {"out": True, "no_sms": "2024-02-29T10:00:00Z", "no_whatsapp": True}
    kept = {"emailType": "html", "optInType": "single"}
    ended = run(
        server,
        tmp_path,
        stream,
        record(email="all@example.com", phone="+447700900123", **values),
        record(email="sms@example.com", no_sms=values["no_sms"]),
        record(email="none@example.com", out=False),
    )
    assert ended.status == 0, ended.stderr
    no = {"status": "unsubscribed"}
    assert sent(server) == {
        "all@example.com": {"email": {**kept, **no}, "sms": no, "whatsApp": no},
        "sms@example.com": {"email": kept, "sms": no},
        "none@example.com": {"email": kept},
    }
    assert "opted out by channel: email 1, sms 2, whatsApp 1" in ended.counts()
    found = server.contact("all@example.com")
    assert found is not None
    assert {found.email_status, found.sms_status, found.whatsapp_status} == {"unsubscribed"}


def test_who_has_opted_out_is_not_asked_by_mail_to_confirm(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    stream = {**BY_EMAIL, "email_opt_in_type": "verifiedDouble"}
    rows = (record(email="a@example.com", out=True), record(email="b@example.com", out=None))
    later = record(email="a@example.com", out=False)
    assert run(server, tmp_path, stream, *rows, later).status == 0
    assert sent(server) == {
        "a@example.com": {"email": {"status": "unsubscribed"}},
        "b@example.com": {"email": {"optInType": "verifiedDouble"}},
    }
    assert status(server, "a") == "unsubscribed"


def test_a_stream_of_opt_outs_alone_needs_no_address_book(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.add_contact("a@example.com", {"FIRSTNAME": "Ann"}, lists=(102,))
    stream = {**BY_EMAIL, "fields": {}, "account_only": True}
    rows = (record(email="a@example.com", out=True), record(email="b@example.com", out=True))
    assert run(server, tmp_path, stream, *rows).status == 0
    channels = {"email": {"status": "unsubscribed"}}
    assert [each for call in server.calls_of(IMPORT) for each in call.contacts] == [
        {
            "matchIdentifier": "email",
            "identifiers": {"email": f"{name}@example.com"},
            "channelProperties": channels,
        }
        for name in "ab"
    ]
    known, new = server.contact("a@example.com"), server.contact("b@example.com")
    assert known is not None
    assert new is not None
    assert (known.email_status, known.lists) == ("unsubscribed", {102})
    assert (new.email_status, new.lists) == ("unsubscribed", set())


# Which row wins.

SIZES = pytest.mark.parametrize("size", [1, 10], ids=["one by one", "joined"])


def apart(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows with those of others between them: in imports of one, each has its own."""
    found: list[dict[str, Any]] = []
    for number, message in enumerate(messages):
        found += [message, record(email=f"filler{number}@example.com")]
    return found


@SIZES
@pytest.mark.parametrize("resubscribe", [False, True])
@pytest.mark.parametrize("values", [(True, False), (False, True), (True, None, False)])
def test_a_row_that_opts_out_wins_whichever_comes_first(
    server: DotdigitalServer,
    tmp_path: Path,
    *,
    values: tuple[Any, ...],
    resubscribe: bool,
    size: int,
) -> None:
    messages = [record(email="a@example.com", out=each) for each in values]
    other = record(email="b@example.com", out=False)
    stream = {**BY_EMAIL, "resubscribe": resubscribe}
    server.add_contact("b@example.com", email_status="unsubscribed")
    ended = run(server, tmp_path, stream, *apart(*messages, other), batch_size_rows=size)
    assert ended.status == 0, ended.stderr
    imports = [[x["identifiers"]["email"][0] for x in c.contacts] for c in server.calls_of(IMPORT)]
    assert sum("a" in each for each in imports) == (1 if size > 1 else len(values))
    assert status(server, "a") == "unsubscribed"
    assert status(server, "b") == ("subscribed" if resubscribe else "unsubscribed")


@SIZES
def test_another_stream_that_resubscribes_does_not_undo_it(
    server: DotdigitalServer, tmp_path: Path, size: int
) -> None:
    streams = {"people": BY_EMAIL, "buyers": {"resubscribe": True}}
    ended = load(
        settings_for(server, streams=streams, batch_size_rows=size),
        tmp_path,
        SCHEMA,
        schema("buyers", properties=PROPERTIES),
        *apart(
            record(email="a@example.com", out=True),
            record("buyers", email="A@example.com "),
            record("buyers", email="b@example.com"),
        ),
    )
    assert ended.status == 0, ended.stderr
    assert (status(server, "a"), status(server, "b")) == ("unsubscribed", "subscribed")


# People who are new.

SKIP: dict[str, Any] = {**BY_EMAIL, "opt_out_new": "skip"}


@pytest.mark.parametrize("choice", [None, "create", "skip"])
def test_who_is_new_and_has_opted_out(
    server: DotdigitalServer, tmp_path: Path, choice: str | None
) -> None:
    server.add_contact("known@example.com")
    stream = {**BY_EMAIL, **({} if choice is None else {"opt_out_new": choice})}
    path = tmp_path / "report.json"
    ended = run(
        server,
        tmp_path,
        stream,
        record(email="known@example.com", out=True),
        record(email="new@example.com", out="2024-02-29"),
        record(email="NEW@example.com", out=True),
        record(email="other@example.com", out=False),
        report_path=str(path),
    )
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    is_left_out = choice == "skip"
    assert status(server, "known") == "unsubscribed"
    assert status(server, "other") == "subscribed"
    assert status(server, "new") == (None if is_left_out else "unsubscribed")
    assert len(server.calls_of(LOOK_UP)) == (2 if is_left_out else 0)
    (stream_report,) = report_of(tmp_path)["streams"]
    assert stream_report["opted_out_new"] == (2 if is_left_out else 0)
    assert stream_report["not_loaded"] == 0
    assert stream_report["imported"] == (2 if is_left_out else 3)
    assert report_of(tmp_path)["totals"]["missing"] == 0


def test_who_can_still_be_reached_by_a_channel_is_created(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    stream = {"opt_out": {"email": "out", "whatsApp": "no_whatsapp"}, "opt_out_new": "skip"}
    one = record(email="one@example.com", out=False, no_whatsapp=True)
    both = record(email="both@example.com", out=True, no_whatsapp=True)
    ended = run(server, tmp_path, stream, one, both)
    assert ended.status == 0, ended.stderr
    assert sent(server) == {"one@example.com": {"whatsApp": {"status": "unsubscribed"}}}
    assert "skipped 1" in ended.counts()
    assert "opted out and not created 1" in ended.counts()


@SIZES
@pytest.mark.parametrize(("values", "expected"), [((True, False), None), ((False, True), "out")])
def test_a_later_row_does_not_create_who_was_left_out(
    server: DotdigitalServer,
    tmp_path: Path,
    values: tuple[bool, ...],
    expected: str | None,
    size: int,
) -> None:
    messages = [record(email="a@example.com", out=each) for each in values]
    ended = run(server, tmp_path, SKIP, *apart(*messages), batch_size_rows=size)
    assert ended.status == 0, ended.stderr
    assert status(server, "a") == (None if expected is None else "unsubscribed")


def test_of_many_who_have_opted_out_the_account_is_read_once(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.add_contact("p0@example.com")
    server.add_contact("p1@example.com")
    everybody = [record(email=f"p{at}@example.com", out=True) for at in range(MAX_LOOKUPS + 50)]
    # Created by this run, after the account was read: known all the same.
    late = (record(email="late@example.com"), record(email="late@example.com", out=True))
    ended = run(server, tmp_path, SKIP, *everybody, *late, batch_size_rows=MAX_LOOKUPS + 50)
    assert ended.status == 0, ended.stderr
    assert f"opted out and not created {MAX_LOOKUPS + 48}" in ended.counts()
    assert server.calls_of(LOOK_UP) == []
    assert len(server.calls_of(PAGE)) == 1
    assert {status(server, name) for name in ("p0", "p1", "late")} == {"unsubscribed"}
    assert status(server, "p2") is None


def test_who_was_created_after_the_account_was_read_is_known(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    count = MAX_LOOKUPS + 1
    everybody = [record(email=f"p{at}@example.com", out=True) for at in range(count)]
    late = record(email="late@example.com")
    out = record(email="late@example.com", out=True)
    server.add_contact("p0@example.com")
    filling = [record(email=f"q{at}@example.com") for at in range(count)]
    messages = (*everybody, late, *filling, out)
    # One after the other: the account is read before the second import creates anybody.
    ended = run(server, tmp_path, SKIP, *messages, batch_size_rows=count, max_active_imports=1)
    assert ended.status == 0, ended.stderr
    assert len(server.calls_of(PAGE)) == 1
    assert status(server, "late") == "unsubscribed"


def test_a_dry_run_counts_opt_outs_and_sends_nothing(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.add_contact("known@example.com")
    path = tmp_path / "report.json"
    ended = run(
        server,
        tmp_path,
        SKIP,
        record(email="known@example.com", out=True),
        record(email="new@example.com", out=True),
        record(email="other@example.com"),
        dry_run=True,
        report_path=str(path),
    )
    assert (ended.status, server.calls_of(IMPORT)) == (0, []), ended.stderr
    assert "Opted out of people, by channel: email 2" in ended.stderr
    assert "Opted out of people, and not created: 1" in ended.stderr
    report = report_of(tmp_path)
    assert report["streams"][0]["valid"] == 2
    assert report["streams"][0]["opted_out_new"] == 1
    assert report["plan"]["contacts"] == {"contacts": 2, "new": 1, "updated": 1}


# Against the sandbox, and by the contract.


@pytest.mark.parametrize("known", [False, True])
def test_the_sandbox_has_the_statuses(tmp_path: Path, *, known: bool) -> None:
    path = tmp_path / "account.db"
    config = {
        "sandbox_path": str(path),
        "address_book": "Spring",
        "streams": {
            "people": {
                "identifiers": {"email": "email", "mobileNumber": "phone"},
                "opt_out": ALL_CHANNELS,
            }
        },
    }
    if known:
        rows = [record(email=f"{name}@example.com", phone="+447700900123") for name in "a"]
        assert load(config, tmp_path, SCHEMA, *rows).status == 0
    ended = load(
        config,
        tmp_path,
        SCHEMA,
        record(
            email="a@example.com",
            phone="+447700900123",
            out=True,
            no_sms="2024-02-29",
            no_whatsapp=True,
        ),
        record(email="b@example.com", out=False, no_whatsapp=True),
    )
    assert ended.status == 0, ended.stderr
    with EmbeddedSandbox(path) as sandbox:
        credentials = (sandbox.username, sandbox.password)
        with SandboxClient(sandbox.url, credentials) as client:
            a, b = (client.contact(f"{name}@example.com")["channelProperties"] for name in "ab")
    assert {each: a[each]["status"] for each in a} == dict.fromkeys(ALL_CHANNELS, "unsubscribed")
    assert b["email"]["status"] == "subscribed"


@needs_vendor_files
def test_what_is_sent_fits_the_contract(server: DotdigitalServer, tmp_path: Path) -> None:
    stream = {
        "identifiers": {"email": "email", "mobileNumber": "phone"},
        "opt_out": ALL_CHANNELS,
        "opt_out_new": "skip",
        "email_type": "html",
    }
    server.add_contact("a@example.com")
    with RecordingProxy(server.url) as proxy:
        ended = run(
            server,
            tmp_path,
            stream,
            record(email="a@example.com", out=True, no_sms="2024-02-29", no_whatsapp=True),
            record(email="b@example.com", out=True),
            record(email="new@example.com", out=True, no_sms="2024-02-29", no_whatsapp=True),
            api_url=proxy.url,
        )
    assert ended.status == 0, ended.stderr
    assert violations_of(proxy.exchanges) == []
    assert strict_violations_of(proxy.exchanges, status_asked=True) == []


@needs_vendor_files
@pytest.mark.parametrize("judge", ["sandbox", "the tests' own"])
def test_what_proves_opt_outs_fits_the_contract(
    server: DotdigitalServer, tmp_path: Path, judge: str
) -> None:
    """Opt-outs alone, without an address book, sent and then looked for."""
    stream: dict[str, Any] = {
        "identifiers": {"email": "email", "mobileNumber": "phone"},
        "fields": {},
        "opt_out": ALL_CHANNELS,
        "account_only": True,
    }
    out: dict[str, Any] = {"out": True, "no_sms": "2024-02-29", "no_whatsapp": True}
    messages = (
        SCHEMA,
        record(email="a@example.com", phone="+447700900123", **out),
        record(email="b@example.com", **out),
    )
    with EmbeddedSandbox(tmp_path / "sandbox.db") as sandbox:
        is_sandbox = judge == "sandbox"
        url = sandbox.url if is_sandbox else server.url
        config = settings_for(server, address_book=None, streams={"people": stream})
        if is_sandbox:
            config |= {"username": sandbox.username, "password": sandbox.password}
        with RecordingProxy(url) as proxy:
            config["api_url"] = proxy.url
            assert load(config, tmp_path, *messages).status == 0
            assert violations_of(proxy.exchanges) == []
            assert strict_violations_of(proxy.exchanges, status_asked=True) == []
            sent = len(proxy.exchanges)
            more = [record(email=f"p{at}@example.com") for at in range(250)]
            ended = verify(config, tmp_path, *messages, *more)
    assert (ended.status, ended.stdout) == (1, ""), ended.stderr
    # Two are there as they should be, unsubscribed; all others are missing.
    counts = found(ended)
    assert (counts["as it should be"], counts["missing"]) == (2, 250)
    asked = proxy.exchanges[sent:]
    assert {each.method for each in asked} == {"GET"}
    assert violations_of(asked) == []
    assert strict_violations_of(asked) == []


# No rows, settings and joins opt anybody in who has opted out.

NAMES = ("a", "b", "c")
VALUES = st.sampled_from([*YES, *NO, *UNCLEAR, [True], {}])
STREAMS = st.builds(
    stream_settings,
    fields=st.just({}),
    merge_option=st.sampled_from(MERGE_OPTIONS),
    email_type=st.sampled_from([None, "html"]),
    email_opt_in_type=st.sampled_from([None, "single"]),
    resubscribe=st.booleans(),
    opt_out=st.sampled_from([None, {"email": "out"}, {"email": "out", "sms": "no_sms"}]),
    opt_out_new=st.sampled_from(["create", "skip"]),
)
ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(NAMES), VALUES, st.booleans()),
    min_size=1,
    max_size=10,
)


@given(st.tuples(STREAMS, STREAMS), ROWS, st.integers(1, 5), st.sets(st.sampled_from(NAMES)))
@settings(max_examples=300, deadline=None)
def test_nobody_who_opts_out_in_a_run_is_subscribed_after_it(
    streams: tuple[StreamSettings, StreamSettings],
    rows: list[tuple[int, str, Any, bool]],
    size: int,
    known: set[str],
) -> None:
    account = Account()
    for name in sorted(known):
        account.add_contact(f"{name}@example.com")
    held = HeldOptOuts()
    described: dict[str, Any] = {"properties": {name: {} for name in PROPERTIES}}
    mappings = [ContactMapping(each, described, {}, 101) for each in streams]
    for each in mappings:
        each.held_opt_outs = held
    may_subscribe = any(each.resubscribe for each in streams)

    def perform(batch: Import | Removal) -> None:
        assert isinstance(batch, Import)
        contacts = [each for each in batch.contacts.values() if is_sent(account, each)]
        if not contacts:
            return
        body = bytes(import_body(batch.merge_option, contacts, BytesIO()))
        assert may_subscribe or b'"subscribed"' not in body
        account.finish(account.accept(open_envelope(body)).index)

    limits = account_settings("http://127.0.0.1", batch_size_rows=size)
    batches = Batches(limits, FakeClock(), perform, downstream())
    opted_out = set()
    for number, (which, name, out, has_no_sms) in enumerate(rows):
        row = {"email": f"{name}@example.com", "out": out, "no_sms": has_no_sms}
        made = attempt(mappings[which].contact, row)
        if isinstance(made, RowRejectedError):
            event(made.code)
            continue
        if "email" in mappings[which].opted_out:
            opted_out.add(name)
        assert batches.join(made, streams[which].merge_option, number)
    batches.flush()
    for name in opted_out:
        found = account.contact(f"{name}@example.com")
        event("left out" if found is None else found.email_status)
        assert found is None or found.email_status == "unsubscribed"


def is_sent(account: Account, contact: Contact) -> bool:
    name = contact.key.partition(":")[2]
    return not contact.only_if_known or account.contact(name) is not None
