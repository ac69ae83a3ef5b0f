"""`--verify` and opt-outs: the stream's have arrived, and others are told apart from them."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import read_switches
from tests.support.dotdigital.departure_routes import CONTACT
from tests.support.messages import gone, record, schema
from tests.support.sandbox.client import SandboxClient
from tests.support.sandbox.switches import DEFAULTS, LIST_ID, OTHERWISE, configured
from tests.support.target.command import load, settings_for
from tests.support.target.commands import differing, found, verify

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

PROPERTIES: dict[str, Any] = {
    "email": {"type": ["string", "null"]},
    "phone": {"type": ["string", "null"]},
    "out": {"type": ["boolean", "null"]},
    "no_sms": {"type": ["boolean", "null"]},
}
SCHEMA = schema(properties=PROPERTIES)
STREAM: dict[str, Any] = {
    "identifiers": {"email": "email", "mobileNumber": "phone"},
    "opt_out": {"email": "out", "sms": "no_sms", "whatsApp": "no_sms"},
}
PHONE = "+44770090012{}"
EVERYBODY = (
    SCHEMA,
    record(email="all@example.com", phone=PHONE.format(1), out=True, no_sms=True),
    record(email="mail@example.com", phone=PHONE.format(2), out=True, no_sms=False),
    record(email="sms@example.com", phone=PHONE.format(3), out=None, no_sms=True),
    record(email="in@example.com", phone=PHONE.format(4), out=False),
    # Nobody can be reached by what is not there: Dotdigital tells no status of it.
    record(email="no-phone@example.com", out=True, no_sms=True),
)
SKIP: dict[str, Any] = {"opt_out": {"email": "out"}, "opt_out_new": "skip"}


def loaded(server: DotdigitalServer, folder: Path, *messages: Any, **more: Any) -> dict[str, Any]:
    config = settings_for(server, **{"streams": {"people": STREAM}, **more})
    ended = load(config, folder, *messages)
    assert ended.status == 0, ended.stderr
    return config


# The stream's own opt-outs.


def test_an_opt_out_that_has_arrived_is_as_it_should_be(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = loaded(server, tmp_path, *EVERYBODY)
    ended = verify(config, tmp_path, *EVERYBODY)
    assert ended.status == 0, ended.stderr
    assert found(ended) == {"expected": 5, "as it should be": 5}


@pytest.mark.parametrize("status", ["suppressed", "directComplaint", "sharedDomainSuppression"])
def test_whom_dotdigital_sends_nothing_anyway_is_as_opted_out(
    server: DotdigitalServer, tmp_path: Path, status: str
) -> None:
    config = loaded(server, tmp_path, *EVERYBODY)
    with server.edited("all@example.com") as contact:
        contact.email_status = status
    assert verify(config, tmp_path, *EVERYBODY).status == 0


@pytest.mark.parametrize("status", ["subscribed", "pendingOptIn", "softBounced", "noSubscription"])
@pytest.mark.parametrize("channel", ["email", "sms", "whatsapp"])
def test_an_opt_out_that_is_not_there_differs_by_its_channel(
    server: DotdigitalServer, tmp_path: Path, channel: str, status: str
) -> None:
    path = tmp_path / "who.csv"
    config = {**loaded(server, tmp_path, *EVERYBODY), "rejects_csv": str(path)}
    with server.edited("all@example.com") as contact:
        setattr(contact, f"{channel}_status", status)
    ended = verify(config, tmp_path, *EVERYBODY)
    assert ended.status == 1
    name = {"whatsapp": "whatsApp"}.get(channel, channel)
    assert differing(ended) == {f"status {name}": 1}
    assert found(ended) == {"expected": 5, "as it should be": 4, "differing": 1}
    assert listed(path) == [("verify.differs", "all@example.com")]


@pytest.mark.parametrize("status", ["unsubscribed", "suppressed"])
@pytest.mark.parametrize(
    ("name", "channel", "is_since"),
    [
        ("in", "email", True),
        ("in", "sms", True),
        ("sms", "email", True),
        ("mail", "whatsapp", True),
        ("mail", "email", False),
        ("sms", "sms", False),
        ("all", "email", False),
    ],
)
def test_opted_out_since_is_what_the_row_does_not_say(
    server: DotdigitalServer,
    tmp_path: Path,
    name: str,
    channel: str,
    status: str,
    *,
    is_since: bool,
) -> None:
    path = tmp_path / "who.csv"
    config = {**loaded(server, tmp_path, *EVERYBODY), "rejects_csv": str(path)}
    with server.edited(f"{name}@example.com") as contact:
        setattr(contact, f"{channel}_status", status)
    ended = verify(config, tmp_path, *EVERYBODY)
    assert ended.status == 0, ended.stderr
    assert found(ended).get("opted out", 0) == is_since
    assert path.exists() is is_since
    if is_since:
        assert listed(path) == [("verify.opted_out", f"{name}@example.com")]


def test_a_row_of_any_stream_that_opts_out_counts_whatever_follows(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    streams = {"people": STREAM, "buyers": {"resubscribe": True}}
    messages = (
        SCHEMA,
        schema("buyers", PROPERTIES),
        record(email="a@example.com", out=True),
        record(email="A@example.com", out=False),
        record("buyers", email="a@example.com"),
        record("buyers", email="b@example.com"),
    )
    config = loaded(server, tmp_path, *messages, streams=streams, batch_size_rows=1)
    ended = verify(config, tmp_path, *messages)
    assert ended.status == 0, ended.stderr
    with server.edited("a@example.com") as contact:
        contact.email_status = "subscribed"
    assert differing(verify(config, tmp_path, *messages)) == {"status email": 1}


@pytest.mark.parametrize("many", [1, 250])
def test_an_address_book_may_hide_who_has_opted_out(
    server: DotdigitalServer, tmp_path: Path, many: int
) -> None:
    """Whether it does is not documented. The contact itself says that it is out of the list."""
    everybody = [record(email=f"p{at}@example.com", out=True) for at in range(many)]
    messages = (SCHEMA, record(email="a@example.com"), *everybody)
    config = loaded(server, tmp_path, *messages)
    server.departures.hides_opted_out = server.departures.tells_lists = True
    server.departures.told_too_many = -many
    ended = verify(config, tmp_path, *messages)
    assert ended.status == 0, ended.stderr
    assert found(ended) == {"expected": many + 1, "as it should be": many + 1}
    # Somebody who has left, and whom the stream still has there, is missing.
    quiet = {**config, "streams": {"people": {}}}
    ended = verify(quiet, tmp_path, *messages)
    assert ended.status == 1
    assert (found(ended)["missing"], found(ended)["opted out"]) == (many, many)


# People whom nobody knows.


@pytest.mark.parametrize("choice", ["create", "skip"])
def test_who_is_left_out_is_not_missing(
    server: DotdigitalServer, tmp_path: Path, choice: str
) -> None:
    server.add_contact("known@example.com")
    messages = (
        SCHEMA,
        record(email="known@example.com", out=True),
        record(email="new@example.com", out=True),
        record(email="NEW@example.com", out=False),
        record(email="late@example.com"),
        record(email="late@example.com", out=True),
    )
    streams = {"people": {**SKIP, "opt_out_new": choice}}
    # One by one: joined into one import, a row that creates and one that does not are one.
    config = loaded(server, tmp_path, *messages, streams=streams, batch_size_rows=1)
    count = 2 if choice == "skip" else 3
    ended = verify(config, tmp_path, *messages)
    assert ended.status == 0, ended.stderr
    assert found(ended) == {"expected": count, "as it should be": count}
    # They are looked for all the same where they should be there.
    with server.edited("known@example.com") as contact:
        contact.email_status = "subscribed"
    with server.edited("late@example.com") as contact:
        contact.lists.clear()
    ended = verify(config, tmp_path, *messages)
    rest = {"as it should be": count - 2} if count > 2 else {}
    assert found(ended) == {"expected": count, "differing": 1, "missing": 1, **rest}


def test_a_deletion_forgets_who_would_have_been_created(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    messages = (
        SCHEMA,
        record(email="ann@example.com"),
        record(email="left@example.com"),
        *gone(["left"]),
        record(email="left@example.com", out=True),
    )
    streams = {"people": {**SKIP, "on_delete": "delete"}}
    config = loaded(server, tmp_path, *messages, streams=streams, batch_size_rows=1)
    assert set(server.contacts) == {"ann@example.com"}
    ended = verify(config, tmp_path, *messages)
    assert ended.status == 0, ended.stderr
    assert found(ended) == {"expected": 1, "as it should be": 1}


def test_who_is_left_out_is_not_missing_among_many(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    """The account is read as a whole then."""
    many = [record(email=f"p{at}@example.com", out=True) for at in range(300)]
    messages = (SCHEMA, *many)
    server.add_contact("p7@example.com")
    config = loaded(server, tmp_path, *messages, streams={"people": SKIP})
    ended = verify(config, tmp_path, *messages)
    assert ended.status == 0, ended.stderr
    assert found(ended) == {"expected": 1, "as it should be": 1}
    assert not server.calls_of(CONTACT)


def test_a_stream_of_opt_outs_alone_is_proved_without_an_address_book(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    stream = {"opt_out": {"email": "out"}, "fields": {}, "account_only": True}
    for name in "ab":
        server.add_contact(f"{name}@example.com", lists=(101,))
    messages = (SCHEMA, *(record(email=f"{name}@example.com", out=True) for name in "abc"))
    config = settings_for(server, streams={"people": stream})
    ended = verify(config, tmp_path, *messages)
    assert ended.status == 1
    assert found(ended, "without address book") == {
        "expected": 3,
        "differing": 2,
        "missing": 1,
        "not in the account": 1,
    }
    assert differing(ended) == {"status email": 2}
    loaded(server, tmp_path, *messages, streams={"people": stream})
    calls = len(server.calls)
    ended = verify(config, tmp_path, *messages)
    assert ended.status == 0, ended.stderr
    assert found(ended, "without address book") == {"expected": 3, "as it should be": 3}
    assert {call.method for call in server.calls[calls:]} == {"GET"}


def test_nobody_at_all_is_right_where_all_are_left_out(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = settings_for(server, streams={"people": SKIP})
    ended = verify(config, tmp_path, SCHEMA, record(email="a@example.com", out=True))
    assert ended.status == 0, ended.stderr
    assert "Nothing has to be in Dotdigital" in ended.stderr


# The sandbox, either way.


@pytest.mark.parametrize("switches", [DEFAULTS, OTHERWISE], ids=["defaults", "otherwise"])
def test_opt_outs_in_the_sandbox(tmp_path: Path, switches: tuple[str, ...]) -> None:
    options = Options(
        tmp_path / "sandbox.sqlite", address_books=[LIST_ID], switches=read_switches(switches)
    )
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        config = {**configured(server), "streams": {"people": STREAM}}
        assert load(config, tmp_path, *EVERYBODY, pace=20).status == 0
        ended = verify(config, tmp_path, *EVERYBODY)
        assert ended.status == 0, ended.stderr
        assert found(ended) == {"expected": 5, "as it should be": 5}
        subscribed = {"email": {"status": "subscribed"}}
        client.send_import(
            [
                {
                    "matchIdentifier": "email",
                    "identifiers": {"email": "mail@example.com"},
                    "channelProperties": subscribed,
                }
            ]
        )
        answer = client.call("POST", "/v2/contacts/unsubscribe", json={"email": "in@example.com"})
        assert answer.status_code == 200, answer.text
        ended = verify(config, tmp_path, *EVERYBODY)
        assert ended.status == 1
        assert differing(ended) == {"status email": 1}
        assert found(ended)["opted out"] == 1


def listed(path: Path) -> list[tuple[str, str]]:
    lines = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
    return sorted((each["code"], each["email"]) for each in lines)
