"""Contacts matched by something that never changes, while their addresses do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import read_switches
from tests.support.messages import record, schema, state
from tests.support.sandbox.client import SandboxClient
from tests.support.target.command import FinishedRun, TargetProcess, load, settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

TEXT = {"type": ["string", "null"]}
PROPERTIES: dict[str, Any] = {
    "id": {"type": ["integer", "null"]},
    "number": TEXT,
    "email": TEXT,
    "phone": TEXT,
    "first_name": TEXT,
}
BY_NUMBER = {
    "match_identifier": "customerNumber",
    "identifiers": {"customerNumber": "number", "email": "email", "mobileNumber": "phone"},
    "fields": {"FIRSTNAME": "first_name"},
}
BY_ID = {
    "match_identifier": "contactId",
    "identifiers": {"contactId": "id", "email": "email"},
    "fields": {"FIRSTNAME": "first_name"},
}


class ServerAccount:
    """The test server with customers whose numbers are known."""

    def __init__(self, server: DotdigitalServer, **customers: str) -> None:
        server.custom_identifiers.add("customerNumber")
        self.ids = {
            number: server.add_contact(email, identifiers={"customerNumber": number})
            for number, email in customers.items()
        }
        self.server = server

    def config(self, **settings: Any) -> dict[str, Any]:
        return settings_for(self.server, **settings)

    def emails(self) -> dict[str, str]:
        """The e-mail address of each customer."""
        return {
            each.identifiers["customerNumber"]: email
            for email, each in self.server.contacts.items()
            if "customerNumber" in each.identifiers
        }

    def first_name(self, email: str) -> object:
        found = self.server.contact(email)
        return found and found.data_fields.get("FIRSTNAME")


class SandboxAccount:
    """The same in the sandbox."""

    def __init__(self, client: SandboxClient, **customers: str) -> None:
        self.client = client
        self.book = client.create_list("Everyone")
        for number, email in customers.items():
            identifiers = {"email": email, "customerNumber": number}
            client.load({"matchIdentifier": "email", "identifiers": identifiers})
        self.ids = {
            number: client.contact(email)["contactId"] for number, email in customers.items()
        }
        self._numbers = set(customers)

    def config(self, **settings: Any) -> dict[str, Any]:
        access = {"username": "any", "password": "one", "api_url": self.client.url}
        return {**access, "address_book": self.book, **settings}

    def emails(self) -> dict[str, str]:
        """The e-mail address of each customer."""
        everyone = [*self.client.members(self.book), *map(self._customer, self._numbers)]
        return {
            each["identifiers"]["customerNumber"]: each["identifiers"]["email"]
            for each in everyone
            if "customerNumber" in each["identifiers"]
        }

    def _customer(self, number: str) -> dict[str, Any]:
        return self.client.contact(number, "customerNumber")

    def first_name(self, email: str) -> object:
        return self.client.fields(email).get("FIRSTNAME")


CUSTOMERS = {"A": "a@example.com", "B": "b@example.com"}


@pytest.fixture(params=["server", "sandbox"])
def account(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[ServerAccount | SandboxAccount]:
    if request.param == "server":
        yield ServerAccount(request.getfixturevalue("server"), **CUSTOMERS)
        return
    # As the test server is not.
    switches = [
        *("failure-codes=PascalCase", "report-identifiers=lowerCase", "duplicates=last"),
        *("two-owners=duplicate", "conflict-sum=invalidEntries", "unknown-contact-id=created"),
    ]
    options = Options(tmp_path / "sandbox.db", switches=read_switches(switches))
    with SandboxServer(options) as sandbox, SandboxClient(sandbox.url) as client:
        yield SandboxAccount(client, **CUSTOMERS)


def run(
    account: ServerAccount | SandboxAccount, folder: Path, *rows: dict[str, Any], **settings: Any
) -> FinishedRun:
    """Load rows of customers, matched by their number."""
    usual = {"streams": {"people": BY_NUMBER}, "max_reject_percent": 100}
    config = account.config(**{**usual, **settings})
    messages = [record(**row) for row in rows]
    return load(config, folder, schema(properties=PROPERTIES), *messages, state({"done": 1}))


@pytest.mark.parametrize("streams", [BY_NUMBER, BY_ID], ids=["customerNumber", "contactId"])
def test_a_changed_address_updates_the_contact(
    account: ServerAccount | SandboxAccount, tmp_path: Path, streams: dict[str, Any]
) -> None:
    row = {"id": account.ids["A"], "number": "A", "email": "New@example.com", "first_name": "Ann"}
    ended = run(account, tmp_path, row, streams={"people": streams})
    assert (ended.status, ended.states) == (0, [{"done": 1}]), ended.stderr
    assert ended.counts() == "read 1 = imported 1 + rejected 0 + collapsed 0 + skipped 0"
    assert account.emails() == {"A": "new@example.com", "B": "b@example.com"}
    assert account.first_name("new@example.com") == "Ann"


def test_an_unknown_contact_id_costs_its_own_row_at_most(
    account: ServerAccount | SandboxAccount, tmp_path: Path
) -> None:
    rows = [{"id": 987654, "email": "c@example.com"}, {"id": account.ids["A"], "email": "n@e.org"}]
    ended = run(account, tmp_path, *rows, streams={"people": BY_ID})
    assert (ended.status, ended.states) == (0, [{"done": 1}]), ended.stderr
    # This sandbox takes an address for enough to create a contact, whatever it was matched by.
    rejected = 1 if isinstance(account, ServerAccount) else 0
    assert ended.counts().startswith(f"read 2 = imported {2 - rejected} + rejected {rejected} ")
    assert account.emails()["A"] == "n@e.org"


def test_a_mobile_number_is_written_and_matched_in_any_spelling(
    account: ServerAccount | SandboxAccount, tmp_path: Path
) -> None:
    first = run(
        account, tmp_path, {"number": "A", "email": "a@example.com", "phone": "+447700900123"}
    )
    assert first.status == 0, first.stderr
    by_phone = {
        "match_identifier": "mobileNumber",
        "identifiers": {"mobileNumber": "phone"},
        "fields": {"FIRSTNAME": "first_name"},
    }
    rows = [
        {"phone": "+44 (0)7700 900-123", "first_name": "Ann"},
        {"phone": "07700900123", "first_name": "Nobody"},
    ]
    second = run(account, tmp_path, *rows, streams={"people": by_phone})
    assert second.counts() == (
        "read 2 = imported 1 + rejected 1 + collapsed 0 + skipped 0; "
        "rejected by code: identifier.invalid 1"
    )
    assert account.first_name("a@example.com") == "Ann"


def test_a_conflict_is_one_reject(account: ServerAccount | SandboxAccount, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.singer"
    rows = [
        {"number": "C", "email": "c@example.com"},
        {"number": "A", "email": "b@example.com", "first_name": "Ann"},
        {"number": "D", "email": "d@example.com"},
    ]
    ended = run(account, tmp_path, *rows, rejects_path=str(rejects))
    assert (ended.status, ended.states) == (0, [{"done": 1}]), ended.stderr
    assert ended.counts().startswith("read 3 = imported 2 + rejected 1 + collapsed 0 + skipped 0")
    (_, line) = rejects.read_text().splitlines()
    assert json.loads(line)["record"]["number"] == "A"
    assert account.emails() == {**CUSTOMERS, "C": "c@example.com", "D": "d@example.com"}
    assert account.first_name("b@example.com") is None


@pytest.mark.parametrize("batch_size_rows", [1, 10])
@pytest.mark.parametrize("known", [True, False], ids=["old address told", "old address not told"])
def test_an_address_passes_from_one_contact_to_another(
    account: ServerAccount | SandboxAccount, tmp_path: Path, batch_size_rows: int, *, known: bool
) -> None:
    rows = [
        *([{"number": "A", "email": "a@example.com"}] if known else []),
        {"number": "A", "email": "a2@example.com"},
        {"number": "B", "email": "a@example.com"},
        {"number": "C", "email": "b@example.com"},
    ]
    ended = run(account, tmp_path, *rows, batch_size_rows=batch_size_rows)
    assert (ended.status, ended.states) == (0, [{"done": 1}]), ended.stderr
    assert ended.counts().startswith(f"read {len(rows)} = imported {len(rows)} + rejected 0")
    assert account.emails() == {"A": "a2@example.com", "B": "a@example.com", "C": "b@example.com"}


def test_two_contacts_swap_their_addresses_by_way_of_a_third(
    account: ServerAccount | SandboxAccount, tmp_path: Path
) -> None:
    rows = [
        {"number": "A", "email": "between@example.com"},
        {"number": "B", "email": "a@example.com"},
        {"number": "A", "email": "b@example.com"},
    ]
    ended = run(account, tmp_path, *rows)
    assert ended.counts() == "read 3 = imported 3 + rejected 0 + collapsed 0 + skipped 0"
    assert account.emails() == {"A": "b@example.com", "B": "a@example.com"}


def test_a_swap_that_is_none_in_turn_is_refused_and_changes_nothing(
    account: ServerAccount | SandboxAccount, tmp_path: Path
) -> None:
    rows = [{"number": "A", "email": "b@example.com"}, {"number": "B", "email": "a@example.com"}]
    ended = run(account, tmp_path, *rows)
    assert (ended.status, ended.states) == (0, [{"done": 1}])
    assert ended.counts().startswith("read 2 = imported 0 + rejected 2 + collapsed 0")
    assert account.emails() == CUSTOMERS


@pytest.mark.parametrize("batch_size_rows", [1, 10])
def test_one_person_under_two_identifiers_in_two_streams_stays_in_order(
    account: ServerAccount | SandboxAccount, tmp_path: Path, batch_size_rows: int
) -> None:
    streams = {"people": BY_NUMBER, "others": {"fields": {"FIRSTNAME": "first_name"}}}
    config = account.config(streams=streams, batch_size_rows=batch_size_rows)
    messages = [
        schema(properties=PROPERTIES),
        schema("others", properties=PROPERTIES),
        record("others", email="A@example.com", first_name="first"),
        record(number="A", email="a@example.com", first_name="second"),
        record("others", email="a@example.com", first_name="third"),
        record(number="A", email="a@example.com", first_name="last"),
        record("others", email="b@example.com", first_name="last"),
        state({"done": 1}),
    ]
    ended = load(config, tmp_path, *messages)
    assert (ended.status, ended.states) == (0, [{"done": 1}]), ended.stderr
    assert ended.counts("others") == "read 3 = imported 3 + rejected 0 + collapsed 0 + skipped 0"
    assert ended.counts() == "read 2 = imported 2 + rejected 0 + collapsed 0 + skipped 0"
    assert account.first_name("a@example.com") == "last"
    assert account.first_name("b@example.com") == "last"


def test_one_person_that_nothing_connects_is_never_refused_as_a_duplicate(
    account: ServerAccount | SandboxAccount, tmp_path: Path
) -> None:
    """The account knows that both are one contact; the input does not tell."""
    by_number = {**BY_NUMBER, "identifiers": {"customerNumber": "number"}}
    config = account.config(streams={"people": by_number, "others": {"fields": {}}})
    messages = [
        schema(properties=PROPERTIES),
        schema("others", properties=PROPERTIES),
        record("others", email="a@example.com"),
        record(number="A", first_name="Ann"),
    ]
    ended = load(config, tmp_path, *messages)
    assert ended.counts("others").startswith("read 1 = imported 1")
    assert ended.counts().startswith("read 1 = imported 1")
    assert account.first_name("a@example.com") == "Ann"


# What only the test server can do otherwise.

CONFLICTS = ["DuplicateIdentifier", "Duplicate", "IdentifierConflict", 400, 409]


@pytest.fixture(params=CONFLICTS, ids=str)
def contested(request: pytest.FixtureRequest, server: DotdigitalServer) -> ServerAccount:
    """An account with each of the ways in which a conflict may be told."""
    if isinstance(request.param, int):
        server.conflict_status = request.param
    else:
        server.conflict_code = request.param
    return ServerAccount(server, **CUSTOMERS, C="c@example.com")


def test_a_conflict_is_one_reject_however_it_is_told(
    contested: ServerAccount, tmp_path: Path
) -> None:
    rows = [{"number": f"N{each}", "email": f"n{each}@example.com"} for each in range(9)]
    rows.insert(4, {"number": "A", "email": "b@example.com"})
    ended = run(contested, tmp_path, *rows)
    assert (ended.status, ended.states) == (0, [{"done": 1}]), ended.stderr
    assert ended.counts().startswith("read 10 = imported 9 + rejected 1 + collapsed 0 + skipped 0")
    assert "dotdigital." in ended.counts()
    assert "example.com" not in ended.stderr
    assert contested.emails()["A"] == "a@example.com"


@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
def test_a_chain_of_addresses_moves_on_in_any_order_of_writing(
    contested: ServerAccount, tmp_path: Path, *, backwards: bool
) -> None:
    """Each customer gets the address of the one before; the input has them in that order."""
    contested.server.goes_backwards = backwards
    rows = [
        {"number": "A", "email": "free@example.com"},
        {"number": "B", "email": "a@example.com"},
        {"number": "C", "email": "b@example.com"},
    ]
    ended = run(contested, tmp_path, *rows)
    assert ended.states == [{"done": 1}], ended.stderr
    assert ended.counts().startswith("read 3 = imported 3 + rejected 0"), ended.stderr
    assert contested.emails() == {
        "A": "free@example.com",
        "B": "a@example.com",
        "C": "b@example.com",
    }


def test_a_second_try_waits_for_all_that_came_before(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    """Imports that share nothing go side by side, so the taker may come before the giver."""
    account = ServerAccount(server, **CUSTOMERS)
    server.hold_imports()
    config = account.config(streams={"people": BY_NUMBER}, batch_size_rows=1)
    with TargetProcess(config, tmp_path) as target:
        target.send(
            schema(properties=PROPERTIES),
            record(number="A", email="a2@example.com"),
            record(number="B", email="a@example.com", first_name="Bob"),
            record(number="C", email="c@example.com"),
            record(number="B", email="a@example.com", first_name="Bea"),
            record(number="D", email="d@example.com"),
            state({"done": 1}),
        )
        started = server.wait_for_imports(3)
        giver, taker, _ = sorted(started, key=lambda each: str(each.contacts[0]["identifiers"]))
        polls = taker.polls
        server.finish(taker.index)
        server.wait_until(lambda: taker.polls > polls)
        server.finish(giver.index)
        again = server.wait_for_imports(4)[3]
        assert again.contacts == taker.contacts
        server.release_all()
        ended = target.end()
    assert (ended.status, ended.states) == (0, [{"done": 1}]), ended.stderr
    assert ended.counts() == "read 5 = imported 5 + rejected 0 + collapsed 0 + skipped 0"
    assert account.emails()["B"] == "a@example.com"
    assert account.first_name("a@example.com") == "Bea"
    assert server.order_violations == 0


@pytest.mark.parametrize(
    "style",
    [
        {"names": names, "emails": emails, "contact_ids": contact_ids}
        for names, emails, contact_ids in (
            ("sent", "sent", False),
            ("PascalCase", "untidy", True),
            ("lower", "lower", False),
        )
    ],
    ids=str,
)
@pytest.mark.parametrize("streams", [BY_NUMBER, BY_ID, {}], ids=["number", "id", "email"])
def test_a_report_may_spell_identifiers_and_their_names_as_it_likes(
    server: DotdigitalServer, tmp_path: Path, streams: dict[str, Any], style: dict[str, Any]
) -> None:
    account = ServerAccount(server, **CUSTOMERS)
    for name, value in style.items():
        setattr(server.report_style, name, value)
    for identifier in ("b@example.com", "B", str(account.ids["B"])):
        server.rejected[identifier] = "Blocker"
    rows = [
        {"id": account.ids[number], "number": number, "email": email}
        for number, email in CUSTOMERS.items()
    ]
    ended = run(account, tmp_path, *rows, streams={"people": streams})
    assert ended.counts() == (
        "read 2 = imported 1 + rejected 1 + collapsed 0 + skipped 0; "
        "rejected by code: dotdigital.blocker 1"
    ), ended.stderr
