"""Connecting: where credentials go, and everything that the settings name, before any write."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.account.account import Account
from target_dotdigital.errors import (
    AbandonedError,
    AuthenticationError,
    DotdigitalError,
    ForbiddenError,
    NetworkError,
    SettingsError,
    TargetDotdigitalError,
)
from tests.support.clock import FakeClock
from tests.support.dotdigital.answers import html_reply, reply, v2_error
from tests.support.dotdigital.routes import (
    ACCOUNT_INFO,
    ADDRESS_BOOK,
    ADDRESS_BOOKS,
    CUSTOM_IDENTIFIERS,
    DATA_FIELDS,
)
from tests.support.network import R1, R2, Network, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer


FORBIDDEN = v2_error(403, "Access is denied.")


@pytest.fixture
def connect() -> Iterator[Callable[..., Account]]:
    with ExitStack() as stack:

        def connected(api_url: str | None = None, **changes: object) -> Account:
            account = Account(settings(api_url, **changes), FakeClock())
            stack.callback(account.close)
            return account

        yield connected


# Where credentials go.


@pytest.mark.parametrize(
    ("endpoint", "origin"),
    [
        ("https://r2-api.dotdigital.com/", R2),
        ("https://r2-api.dotdigital.com", R2),
        (" HTTPS://R2-API.dotdigital.com:443/ ", R2),
        ("https://r1-api.dotdigital.com/", R1),
        ("https://r2-api.dotmailer.com/", "https://r2-api.dotmailer.com"),
    ],
)
def test_the_accounts_region_is_asked_for_and_then_used(
    endpoint: str, origin: str, network: Network, connect: Callable[..., Account]
) -> None:
    network.servers["https://r2-api.dotmailer.com"] = network.servers[R2]
    network.servers[R1].api_endpoint = endpoint
    account = connect()
    assert account.client.host == origin.removeprefix("https://")
    assert network.origins == [R1, origin]
    assert network.servers[R1].calls[0].route == ACCOUNT_INFO
    assert network.servers[origin].calls[-1].route == DATA_FIELDS


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://r2-api.dotdigital.com/",
        "//r2-api.dotdigital.com/",
        "r2-api.dotdigital.com",
        "https://r2-api.dotdigital.com:8443/",
        "https://r2-api.dotdigital.com:99999/",
        "https://evil-dotdigital.com/",
        "https://dotdigital.com.evil.org/",
        "https://evil.org/r2-api.dotdigital.com",
        "https://evil.org?r2-api.dotdigital.com",
        "https://evil.org#.dotdigital.com",
        "https://r2-api.dotdigital.com@evil.org/",
        "https://r2-api.dotdigital.com:x@evil.org/",
        # Python's urlsplit takes all of it for the host, while requests connects to evil.org.
        "https://evil.org\\.dotdigital.com/",
        "https://evil.org\\@.dotdigital.com/",
        "https://evil.org%2f.dotdigital.com/",
        "https://evil.org,.dotdigital.com/",
        "https://[::1/",
        "https://",
        "https://.dotdigital.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
    ],
)
def test_an_endpoint_that_is_not_dotdigitals_gets_no_credentials(
    endpoint: str, network: Network, connect: Callable[..., Account]
) -> None:
    network.servers[R1].api_endpoint = endpoint
    with pytest.raises(DotdigitalError, match="ApiEndpoint") as caught:
        connect()
    assert "evil" not in str(caught.value)
    assert network.origins == [R1]


@pytest.mark.parametrize("listed", [[], [{"name": "ApiEndpoint", "value": None}]])
def test_an_account_that_does_not_tell_its_endpoint_needs_the_setting(
    listed: list[object], network: Network, connect: Callable[..., Account]
) -> None:
    network.servers[R1].answer_next(ACCOUNT_INFO, reply(200, {"id": 1, "properties": listed}))
    with pytest.raises(DotdigitalError, match="Set region"):
        connect()
    assert network.origins == [R1]


def test_nothing_is_asked_for_with_a_region(
    network: Network, connect: Callable[..., Account]
) -> None:
    assert connect(region="r2").client.host == "r2-api.dotdigital.com"
    assert network.origins == [R2]
    assert network.servers[R2].calls_of(ACCOUNT_INFO) == []


@pytest.mark.parametrize("slash", ["", "/", "//"])
@pytest.mark.parametrize("region", [None, "r2"])
def test_nothing_is_asked_for_with_an_api_url(
    region: str | None, slash: str, server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    connect(server.url + slash, region=region)
    assert [call.route for call in server.calls] == [DATA_FIELDS]


def test_a_403_of_an_api_url_asks_nobody_else(
    network: Network, connect: Callable[..., Account]
) -> None:
    proxy = "https://proxy.example.com"
    network.servers[proxy] = network.servers[R1]
    network.servers[proxy].answer_next(DATA_FIELDS, FORBIDDEN)
    with pytest.raises(ForbiddenError):
        connect(proxy, region="r2")
    assert network.origins == [proxy]


def test_a_403_names_the_region_that_the_account_is_in(
    network: Network, connect: Callable[..., Account]
) -> None:
    network.servers[R1].answer_next(DATA_FIELDS, FORBIDDEN)
    network.servers[R1].api_endpoint = f"{R2}/"
    with pytest.raises(SettingsError, match=r"r1 answers 403.*account is in r2"):
        connect(region="r1")
    assert network.origins == [R1, R1]


@pytest.mark.parametrize("endpoint", ["https://r1-api.dotdigital.com.evil.org/", f"{R1}/", "", "x"])
def test_a_403_names_no_region_that_cannot_be_right(
    endpoint: str, network: Network, connect: Callable[..., Account]
) -> None:
    network.servers[R1].answer_next(DATA_FIELDS, FORBIDDEN)
    network.servers[R1].api_endpoint = endpoint
    with pytest.raises(SettingsError, match="r1 answers 403") as caught:
        connect(region="r1")
    assert "account is in r" not in str(caught.value)
    assert network.origins == [R1, R1]


def test_a_403_without_a_region_tells_the_two_reasons(
    network: Network, connect: Callable[..., Account]
) -> None:
    network.servers[R1].answer_next(DATA_FIELDS, FORBIDDEN)
    with pytest.raises(ForbiddenError, match=r"region.*may not"):
        connect()
    assert network.origins == [R1, R1]


def test_wrong_credentials_end_the_run_after_one_request(
    server: DotdigitalServer, network: Network, connect: Callable[..., Account]
) -> None:
    server.password = "changed"
    with pytest.raises(AuthenticationError, match="username and password"):
        connect()
    assert network.origins == [R1]
    with pytest.raises(AuthenticationError):
        connect(region="r1")
    assert network.origins == [R1, R1]


def test_every_call_says_which_version_asks(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    connect(server.url, address_book=101)
    agents = {call.headers["user-agent"] for call in server.calls}
    assert agents == {f"target-dotdigital/{version('target-dotdigital')}"}


# What the settings name.


@pytest.mark.parametrize("book", [102, "102", " 102 ", "00102", "Customers"], ids=repr)
def test_an_address_book_is_found_by_its_id_or_its_name(
    book: str | int, server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    account = connect(server.url, address_book=book)
    assert account.address_book_id(book) == 102
    assert account.address_book_id(None) is None


def test_an_address_book_is_found_on_the_second_page(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    server.address_books |= {number: f"Book {number}" for number in range(1000, 2500)}
    account = connect(server.url, streams={"a": {"address_book": "Book 2400"}, "b": {}})
    assert account.address_book_id("Book 2400") == 2400


def test_each_address_book_is_looked_up_once(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    books: dict[str, str | int | None] = {
        "a": 101,
        "b": "101",
        "c": "Customers",
        "d": "Customers",
        "e": None,
    }
    account = connect(
        server.url,
        address_book="101",
        streams={name: {"address_book": book} for name, book in books.items()},
    )
    assert [account.address_book_id(book) for book in books.values()] == [101, 101, 102, 102, None]
    assert len(server.calls_of(ADDRESS_BOOK)) == 1
    assert len(server.calls_of(ADDRESS_BOOKS)) == 2  # the second page is empty


def test_all_that_is_missing_is_named_at_once_and_nothing_is_written(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    server.address_books[55], server.address_books[56] = "All Contacts", " TEST "
    books = ["customers", "Custom", 7, "8", 55, 56, "Newsletter", 102]
    streams: dict[str, dict[str, object]] = {
        f"s{index}": {"address_book": book} for index, book in enumerate(books)
    }
    streams["s0"]["fields"] = {"NOPE": "a", "FIRSTNAME": "b", "NEITHER": "c"}
    with pytest.raises(SettingsError) as caught:
        connect(server.url, streams=streams)
    text = str(caught.value)
    for missing in ("'customers'", "'Custom'", "ID 7", "ID 8", "'NOPE'", "'NEITHER'"):
        assert missing in text
    for reserved in ("55", "56"):
        assert f"({reserved}) is reserved" in text
    for found in ("FIRSTNAME", "Newsletter", "102"):
        assert found not in text
    assert text.index("'Custom'") < text.index("'customers'")  # always in the same order
    assert {call.method for call in server.calls} == {"GET"}


def test_names_of_digits_and_names_in_another_case_are_not_found_by_accident(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    server.address_books[500] = "2024"
    with pytest.raises(SettingsError, match="ID 2024"):
        connect(server.url, address_book="2024")
    with pytest.raises(SettingsError, match=r"'NEWSLETTER' not found\. Did you mean 'Newsletter'"):
        connect(server.url, address_book="NEWSLETTER")


def test_a_name_of_other_scripts_digits_is_a_name(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    server.address_books[501] = "٢٠٢٤"
    assert connect(server.url, address_book="٢٠٢٤").address_book_id("٢٠٢٤") == 501


@pytest.mark.parametrize(
    "book", [2**31, 10**25, "9" * 30, "9" * 5000], ids=["int32", "long", "digits", "many digits"]
)
def test_an_id_that_no_address_book_can_have_is_missing(
    book: str | int, server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    # An int32 at Dotdigital: what does not fit is a 400 there, not a 404.
    refusal = v2_error(400, "A parameter is invalid. ERROR_PARAMETER_INVALID")
    server.answer_next(ADDRESS_BOOK, refusal, times=None)
    with pytest.raises(SettingsError, match="Address book ID"):
        connect(server.url, address_book=book)


def test_a_page_of_another_server_is_no_missing_address_book(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    server.answer_next(ADDRESS_BOOK, html_reply(200), times=None)
    with pytest.raises(NetworkError):
        connect(server.url, address_book=101)


def test_no_credential_is_logged_or_told(
    server: DotdigitalServer,
    connect: Callable[..., Account],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    account = connect(server.url, address_book="Newsletter")
    with pytest.raises(TargetDotdigitalError) as caught:
        connect(server.url, address_book="None such")
    told = f"{caplog.text} {caught.value!r} {account!r} {vars(account)!r} {settings()!r}"
    assert server.username not in told
    assert server.password not in told


def test_an_aborted_account_refuses_calls_and_can_be_closed_twice(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    account = connect(server.url)
    account.abort()
    with pytest.raises(AbandonedError):
        account.client.data_fields()
    assert len(server.calls) == 1
    account.close()
    account.close()


def test_giving_up_while_the_right_region_is_looked_for_is_not_a_matter_of_settings(
    network: Network, connect: Callable[..., Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(*_args: object) -> None:
        raise AbandonedError("The run was given up before a call")

    network.servers[R1].answer_next(DATA_FIELDS, FORBIDDEN)
    monkeypatch.setattr("target_dotdigital.api.client.Client.account_info", give_up)
    with pytest.raises(AbandonedError):
        connect(region="r1")


# Custom identifiers.

BY_NUMBER: dict[str, Any] = {
    "people": {
        "match_identifier": "customerNumbr",
        "identifiers": {"customerNumbr": "id", "crm": "crm", "email": "email"},
    },
    "others": {"identifiers": {"email": "email"}},
}


def test_custom_identifiers_that_the_account_lacks_end_the_run_all_at_once(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    server.custom_identifiers.add("customerNumber")
    with pytest.raises(SettingsError) as caught:
        connect(server.url, streams=BY_NUMBER)
    assert (
        "streams.people.match_identifier: Custom identifier 'customerNumbr' not found. "
        "Did you mean 'customerNumber'? Correct the name"
    ) in str(caught.value)
    assert "streams.people.identifiers: Custom identifier 'crm' not found." in str(caught.value)
    assert {call.method for call in server.calls} == {"GET"}


@pytest.mark.parametrize("status", [200, 403, 404, 405])
def test_custom_identifiers_that_are_there_or_cannot_be_listed_end_no_run(
    server: DotdigitalServer, connect: Callable[..., Account], status: int
) -> None:
    server.custom_identifiers_status = status
    if status == 200:
        server.custom_identifiers |= {"customerNumbr", "crm"}
    connect(server.url, streams=BY_NUMBER)
    assert len(server.calls_of(CUSTOM_IDENTIFIERS)) == 1


def test_nobody_asks_for_custom_identifiers_that_are_not_named(
    server: DotdigitalServer, connect: Callable[..., Account]
) -> None:
    streams = {"people": {"identifiers": {"email": "e", "mobileNumber": "m", "contactId": "c"}}}
    connect(server.url, streams=streams)
    assert not server.calls_of(CUSTOM_IDENTIFIERS)


@pytest.mark.parametrize("dry_run", [False, True])
def test_the_embedded_sandbox_has_what_the_settings_name(
    connect: Callable[..., Account], tmp_path: Path, *, dry_run: bool
) -> None:
    account = connect(sandbox_path=str(tmp_path / "sandbox.db"), dry_run=dry_run, streams=BY_NUMBER)
    wanted = [] if dry_run else ["crm", "customerNumbr"]
    assert sorted(account.client.custom_identifiers() or []) == wanted
