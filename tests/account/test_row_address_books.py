"""Rows that name the address books of their contacts themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from target_dotdigital.account.account import Account
from target_dotdigital.errors import SettingsError, UnfitError
from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import read_switches
from tests.support.canary import CANARY, DEBUG
from tests.support.clock import FakeClock
from tests.support.dotdigital.answers import v2_error
from tests.support.dotdigital.routes import ADDRESS_BOOK, ADDRESS_BOOKS, CREATE_ADDRESS_BOOK, IMPORT
from tests.support.messages import record, schema, state
from tests.support.network import settings as account_settings
from tests.support.sandbox.client import SandboxClient
from tests.support.target.command import TargetProcess, load, settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

STREAMS = {"people": {"address_book_property": "books"}}
SCHEMA = schema(properties={"email": {"type": "string"}, "books": {}})


@pytest.fixture
def account(server: DotdigitalServer) -> Iterator[Account]:
    """An account whose settings name no address book."""
    connected = Account(account_settings(server.url, streams=STREAMS), FakeClock())
    yield connected
    connected.close()


def _is_huge(book: str | int) -> bool:
    """Python refuses to spell an integer of thousands of digits."""
    return isinstance(book, int) and abs(book) > 2**50


# Looking up.


@pytest.mark.parametrize(
    "book", [102, "102", " 102 ", "00102", "Customers", " Customers "], ids=repr
)
def test_an_address_book_is_found_by_its_id_or_its_name(account: Account, book: str | int) -> None:
    assert account.row_address_book_id(book) == 102


@pytest.mark.parametrize(
    "book",
    [
        *("customers", "Custom", 7, "7", 0, "0", -102, "-102", "102.0", 2**31, 2**40, "9" * 5000),
        *(10**5000, -(10**5000), "\u0661\u0660\u0662"),
    ],
    ids=lambda book: f"{'-' * (book < 0)}huge" if _is_huge(book) else ascii(book)[:20],
)
def test_one_that_does_not_exist_is_unfit(
    server: DotdigitalServer, account: Account, book: str | int
) -> None:
    with pytest.raises(UnfitError, match="no address book with this ID or name"):
        account.row_address_book_id(book)
    # What no ID can be is not asked for.
    assert all(call.path.endswith("/7") for call in server.calls_of(ADDRESS_BOOK))


@pytest.mark.parametrize("book", ["All Contacts", "test", "TEST ", 55, "55", 56], ids=repr)
def test_one_that_is_reserved_is_unfit(
    server: DotdigitalServer, account: Account, book: str | int
) -> None:
    server.address_books |= {55: "All Contacts", 56: " Test "}
    with pytest.raises(UnfitError, match="reserves"):
        account.row_address_book_id(book)


def test_names_are_looked_up_in_all_pages_once(server: DotdigitalServer, account: Account) -> None:
    server.address_books |= {number: f"Book {number}" for number in range(1000, 3500)}
    for _ in range(3):
        for number in (1000, 2400, 3499):
            assert account.row_address_book_id(f"Book {number}") == number
            assert account.row_address_book_id(number) == number
    assert len(server.calls_of(ADDRESS_BOOKS)) == 4  # the last one is empty
    assert server.calls_of(ADDRESS_BOOK) == []


def test_an_id_is_asked_for_once_whether_it_exists_or_not(
    server: DotdigitalServer, account: Account
) -> None:
    for _ in range(3):
        assert account.row_address_book_id("101") == 101
        with pytest.raises(UnfitError):
            account.row_address_book_id(7)
    assert len(server.calls_of(ADDRESS_BOOK)) == 2
    assert server.calls_of(ADDRESS_BOOKS) == []


def test_a_refused_id_is_one_that_does_not_exist(
    server: DotdigitalServer, account: Account
) -> None:
    refusal = v2_error(400, "The address book is invalid. ERROR_ADDRESSBOOK_INVALID")
    server.answer_next(ADDRESS_BOOK, refusal)
    with pytest.raises(UnfitError):
        account.row_address_book_id(7)


def test_names_that_are_not_found_are_looked_up_once_more_in_all(
    server: DotdigitalServer, account: Account
) -> None:
    assert account.row_address_book_id("Customers") == 102
    server.address_books[103] = "Made meanwhile"
    assert account.row_address_book_id("Made meanwhile") == 103
    for number in range(50):
        with pytest.raises(UnfitError):
            account.row_address_book_id(f"Nobody's {number}")
    assert len(server.calls_of(ADDRESS_BOOKS)) == 4  # two pages, twice


def test_those_in_use_are_known_to_be_gone(server: DotdigitalServer, account: Account) -> None:
    account.row_address_book_id("Customers")
    account.row_address_book_id(101)
    account.check_address_books()
    del server.address_books[102]
    with pytest.raises(SettingsError, match="no longer exist: 102"):
        account.check_address_books()


# Loading.


def test_every_row_joins_the_address_books_that_it_names(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.address_books |= {103: "Third", 104: "2024"}
    rows: list[tuple[str, object]] = [
        ("a@example.com", 101),
        ("b@example.com", "102"),
        ("c@example.com", "Third"),
        ("d@example.com", ["Newsletter", 102, "Third", "101"]),
        ("e@example.com", [101, "101", "Newsletter"]),
        ("joined@example.com", 101),
        ("joined@example.com", "Third"),
        ("digits@example.com", "2024"),
    ]
    messages = [record(email=email, books=books) for email, books in rows]
    # The default does not apply, and so it need not exist.
    config = settings_for(server, streams=STREAMS, address_book="Nowhere")
    ended = load(config, tmp_path, SCHEMA, *messages, state(1))
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    assert ended.counts() == (
        "read 8 = imported 6 + rejected 1 + collapsed 1 + skipped 0; rejected by code: field.type 1"
    )
    assert "it has no address book" not in ended.stderr
    assert {email: contact.lists for email, contact in server.contacts.items()} == {
        "a@example.com": {101},
        "b@example.com": {102},
        "c@example.com": {103},
        "d@example.com": {101, 102, 103},
        "e@example.com": {101},
        "joined@example.com": {101, 103},
    }
    sent = {each["identifiers"]["email"]: each for each in server.calls_of(IMPORT)[0].contacts}
    assert sent["d@example.com"]["lists"] == [101, 102, 103]
    assert len(server.calls_of(IMPORT)) == 1


def test_address_books_that_rows_name_and_the_account_lacks_are_created_once(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.segments.add(f"{CANARY} segment")
    server.max_address_books = 4
    names = [
        f"{CANARY} A",
        f"{CANARY} B",
        f"{CANARY} segment",
        "Cust\ud800",
        f"{CANARY} one too many",
    ]
    rows = [
        record(email=f"{turn}.{number}@example.com", books=["Customers", name])
        for turn in range(2)
        for number, name in enumerate(names)
    ]
    config = settings_for(server, streams=STREAMS, create_address_book=True, max_reject_percent=100)
    ended = load(config, tmp_path, SCHEMA, *rows, state(1), environment=DEBUG)
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    assert ended.counts().endswith("rejected by code: field.type 6")
    ids = {name: number for number, name in server.address_books.items()}
    assert {email: contact.lists for email, contact in server.contacts.items()} == {
        f"{turn}.{number}@example.com": {102, ids[names[number]]}
        for turn in range(2)
        for number in range(2)
    }
    assert len(server.calls_of(CREATE_ADDRESS_BOOK)) == 4
    assert CANARY not in ended.stderr


UNFIT: dict[str, tuple[object, str]] = {
    "null": (None, "it names none"),
    "blank": (" ", "it names none"),
    "empty": ([], "it names none"),
    "a null in it": ([101, None], "it names none"),
    "a blank in it": ([101, ""], "it names none"),
    "unknown": (f"{CANARY} books", "the account has no address book with this ID or name"),
    "one unknown": (
        [101, f"{CANARY} books"],
        "the account has no address book with this ID or name",
    ),
    "unknown ID": (7_654_321, "the account has no address book with this ID or name"),
    "reserved": ("All Contacts", "Dotdigital reserves this name"),
    "a boolean": (True, "must be an ID, a name, or an array of these"),
    "a fraction": (101.5, "must be an ID, a name, or an array of these"),
    "an object": ({CANARY: 101}, "must be an ID, a name, or an array of these"),
    "nested": ([[101]], "must be an ID, a name, or an array of these"),
    "too many": (list(range(1001, 1102)), "it names more than 100"),
}


def test_a_row_without_an_address_book_that_can_be_joined_is_rejected_alone(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.address_books |= {number: f"Book {number}" for number in range(1001, 1102)}
    rejects = tmp_path / "rejects.singer"
    config = settings_for(
        server, streams=STREAMS, rejects_path=str(rejects), max_reject_percent=100
    )
    messages = [
        record(email="good@example.com", books=[101, "Customers"]),
        record(email="hundred@example.com", books=list(range(1001, 1101))),
        *(
            record(email=f"{n}@example.com", books=each)
            for n, (each, _) in enumerate(UNFIT.values())
        ),
        record(email="absent@example.com"),
        state(1),
    ]
    ended = load(config, tmp_path, SCHEMA, *messages, environment=DEBUG)
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    count = len(UNFIT) + 1
    assert ended.counts() == (
        f"read {count + 2} = imported 2 + rejected {count} + collapsed 0 + skipped 0; "
        f"rejected by code: field.type {count}"
    )
    assert set(server.contacts) == {"good@example.com", "hundred@example.com"}
    lines = [json.loads(line)["record"] for line in rejects.read_text().splitlines()[1:]]
    reasons = [each["_sdc_reject_reason"] for each in lines]
    start = "Property 'books' for the address book: "
    expected = [f"{start}{reason}" for _, reason in UNFIT.values()]
    assert reasons == [*expected, f"{start}it names none"]
    assert CANARY not in ended.stdout + ended.stderr
    assert "7654321" not in ended.stderr


@pytest.mark.parametrize("position", ["notWritten", "written", "refused"])
def test_an_address_book_that_goes_in_mid_run_ends_the_run_either_way(
    tmp_path: Path, position: str
) -> None:
    switches = read_switches([f"unknown-list={position}"])
    options = Options(tmp_path / "sandbox.db", switches=switches)
    with SandboxServer(options) as server, SandboxClient(server.url) as client:
        stays, passing = client.create_list("Stays"), client.create_list("Passing")
        access = {"username": "any", "password": "one", "api_url": server.url}
        with TargetProcess({**access, "streams": STREAMS}, tmp_path) as target:
            target.send(SCHEMA, state("nothing yet"), record(email="a@e.org", books="Passing"))
            target.wait_for("Connected to", "stderr")
            target.wait_for("nothing yet")
            assert client.call("DELETE", f"/v2/address-books/{passing}").status_code == 204
            rows = [record(email=f"{one}@e.org", books=["Stays", "Passing"]) for one in "bcdef"]
            target.send(*rows, record(email="good@e.org", books=stays), state(1))
            ended = target.end()
        # The next run finds that the address book is gone, and blames nobody else.
        again = load(
            {**access, "streams": STREAMS, "max_reject_percent": 100},
            tmp_path,
            SCHEMA,
            *rows,
            record(email="good@e.org", books=stays),
            state(1),
        )
        members = [each["identifiers"]["email"] for each in client.members(stays)]
    assert ended.status == 1
    assert ended.states == ["nothing yet"]
    assert (again.status, again.states) == (0, [1])
    assert again.counts().startswith("read 6 = imported 1 + rejected 5")
    assert "good@e.org" in members
