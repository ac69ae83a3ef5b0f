"""Switches for what is answered and not for what is done, each in both positions."""

from __future__ import annotations

import contextlib
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import read_switches
from tests.support.sandbox.client import SandboxClient, people, person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIST_ID = 42
UNKNOWN_LIST_ID = 987_654
HOUR_SECONDS = 3_600
SINCE = "2026-11-27T16:50:27"


@contextlib.contextmanager
def switched(
    database: Path, *assignments: str, clock: Callable[[], float] = time.time
) -> Iterator[SandboxClient]:
    switches = read_switches(assignments)
    options = Options(database, address_books=[LIST_ID], switches=switches, clock=clock)
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        yield client


@pytest.mark.parametrize("position", ["refused", "empty"])
def test_a_filter_by_an_unknown_list(database: Path, position: str) -> None:
    with switched(database, f"unknown-list-filter={position}") as client:
        client.load(person("a@example.com"))
        reply = client.get("/contacts/v3", **{"~listId": UNKNOWN_LIST_ID})
        if position == "refused":
            assert (reply.status_code, reply.json()["errorCode"]) == (400, "contacts:invalidFilter")
        else:
            assert (reply.status_code, reply.json()["_items"]) == (200, [])
            assert set(reply.json()["_links"]) == {"self", "first", "last"}
        assert client.get("/contacts/v3", **{"~listId": "none"}).status_code == 400


@pytest.mark.parametrize(("position", "status"), [("notFound", 404), ("removed", 204)])
def test_the_removal_of_an_unknown_contact(database: Path, position: str, status: int) -> None:
    with switched(database, f"unknown-member={position}") as client:
        path = f"/v2/address-books/{LIST_ID}/contacts"
        known = client.load(person("a@example.com", lists=[LIST_ID]))["created"][0]["contactId"]
        assert client.call("DELETE", f"{path}/{known + 1}").status_code == status
        assert client.call("DELETE", f"{path}/{known}").status_code == 204
        # Who is in the account and not in the list is no unknown contact.
        assert client.call("DELETE", f"{path}/{known}").status_code == 204
        unknown_list = f"/v2/address-books/{UNKNOWN_LIST_ID}/contacts/{known + 1}"
        assert client.call("DELETE", unknown_list).status_code == 404


@pytest.mark.parametrize("position", ["200", "204"])
def test_the_deletion_of_one_contact(database: Path, position: str) -> None:
    with switched(database, f"deleted-contact={position}") as client:
        created = client.load(person("a@example.com"))["created"][0]["contactId"]
        reply = client.call("DELETE", "/contacts/v3/email/a%40example.com")
        assert reply.status_code == int(position)
        if position == "200":
            assert reply.json() == {"contactId": created}
        else:
            assert reply.content == b""
        assert client.call("DELETE", "/contacts/v3/email/a%40example.com").status_code == 404


@pytest.mark.parametrize("name", ["created", "modified"])
@pytest.mark.parametrize("position", ["taken", "refused"])
def test_a_time_with_an_offset(database: Path, name: str, position: str) -> None:
    with switched(database, f"offset-times={position}") as client:
        for offset in ("%2B00:00", "+00:00", "%2B0000", "-00:00", "%2B05:30"):
            reply = client.get(f"/contacts/v3?~{name}=gte::{SINCE}{offset}")
            assert reply.status_code == (200 if position == "taken" else 400)
        assert client.get(f"/contacts/v3?~{name}=gte::{SINCE}Z").status_code == 200


@pytest.mark.parametrize("minutes", [0, 60, -60, 330, -570, 1_439])
def test_an_offset_counts(database: Path, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    with switched(database) as client:
        client.load(person("a@example.com"))
        created = datetime.fromisoformat(client.contact("a@example.com")["created"][:-1] + "+00:00")
        for moment, found in ((created, 1), (created + timedelta(milliseconds=1), 0)):
            written = moment.astimezone(zone).isoformat(timespec="milliseconds")
            page = client.get("/contacts/v3", **{"~created": f"gte::{written}"}).json()
            assert len(page["_items"]) == found


@pytest.mark.parametrize(("position", "status"), [("always", 200), ("hour", 404)])
def test_reports_are_kept(database: Path, position: str, status: int) -> None:
    ahead = 0.0
    switch = f"reports-kept={position}"
    with switched(database, switch, clock=lambda: time.time() + ahead) as client:
        import_id = client.start_import(people(2, "a"))
        report = client.finish(import_id)
        ahead = HOUR_SECONDS - 300
        assert client.report(import_id) == report
        ahead = HOUR_SECONDS + 1
        reply = client.get(f"/contacts/v3/import/{import_id}")
        assert reply.status_code == status
        if status == 404:
            assert reply.json()["errorCode"] == "contacts:importNotFound"
        # What the import wrote stays.
        assert client.contact("a1@example.com")["contactId"]


def test_an_import_that_is_not_finished_is_there_however_old_it_is(database: Path) -> None:
    options = Options(
        database,
        slots=0,
        switches=read_switches(["reports-kept=hour"]),
        clock=lambda: time.time() + 9 * HOUR_SECONDS,
    )
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        import_id = client.start_import(people(1, "a"))
        assert client.report(import_id)["status"] == "NotFinished"


@pytest.mark.parametrize(
    ("position", "words"),
    [
        ("PascalCase", ("PlainText", "VerifiedDouble")),
        ("camelCase", ("plainText", "verifiedDouble")),
    ],
)
def test_words_for_types(database: Path, position: str, words: tuple[str, str]) -> None:
    email = {"emailType": "plaintext", "optInType": "verifiedDouble"}
    identifiers = {"email": "a@example.com", "mobileNumber": "447123123123"}
    body = {"identifiers": identifiers, "channelProperties": {"email": email}}
    one = "/contacts/v3/email/a%40example.com"
    with switched(database, f"answered-words={position}") as client:
        replies = [
            client.call("POST", "/contacts/v3", json=body),
            client.call("PATCH", one, json={}),
            client.call("PUT", one, json=body),
            client.get(one),
        ]
        page = client.get("/contacts/v3", include="channelProperties").json()
        for contact in [*(reply.json() for reply in replies), *page["_items"]]:
            channels = contact["channelProperties"]
            assert (channels["email"]["emailType"], channels["email"]["optInType"]) == words
            # Other words are the same either way.
            assert channels["sms"]["countryCode"] == "GB"
            assert channels["email"]["status"] == "pendingOptIn"
        assert "channelProperties" not in client.get("/contacts/v3").json()["_items"][0]
