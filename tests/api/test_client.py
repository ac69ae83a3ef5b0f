"""The client over real sockets: typed answers, paging, retries, and what each error becomes."""

from __future__ import annotations

import contextlib
import json
import logging
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from target_dotdigital.api.client import Client, Details
from target_dotdigital.api.rate_limits import RateLimits
from target_dotdigital.api.replies import EVER
from target_dotdigital.api.retries import MAX_TRIES, Caller
from target_dotdigital.api.transport import Transport
from target_dotdigital.errors import (
    AbandonedError,
    AuthenticationError,
    DotdigitalError,
    ForbiddenError,
    NetworkError,
    NotFoundError,
    RequestRefusedError,
    RequestTooLargeError,
    TargetDotdigitalError,
    TooManyActiveJobsError,
)
from tests.support.clock import FakeClock
from tests.support.dotdigital.answers import (
    Answer,
    Call,
    empty_reply,
    html_reply,
    lost_reply,
    rate_limited,
    reply,
    reset,
    reset_unread,
    too_many_active_imports,
    truncated_reply,
    usage_exceeded,
    v2_error,
)
from tests.support.dotdigital.plain_client import contact
from tests.support.dotdigital.routes import ADDRESS_BOOKS, DATA_FIELDS, IMPORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.dotdigital.server import DotdigitalServer

LIMIT_SECONDS = 600.0
MAX_RETRY_SECONDS = 123.0  # 1 + 2 + 4 + … + 60: "two minutes of waits at most"
CANARY = "jane.canary@example.com"
BODY = json.dumps({"contacts": [contact("a@example.com", 101, FIRSTNAME="Ann")]}).encode()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def transport(server: DotdigitalServer) -> Iterator[Transport]:
    transport = Transport(server.username, server.password, "target-dotdigital/test")
    yield transport
    transport.close()


@pytest.fixture
def client(server: DotdigitalServer, transport: Transport, clock: FakeClock) -> Client:
    return Client(Caller(server.url, transport, RateLimits(clock), clock, LIMIT_SECONDS))


# What is answered.


def test_the_account_is_told_with_its_properties(client: Client) -> None:
    info = client.account_info()
    assert info.property("ApiEndpoint") == "https://r1-api.dotdigital.com/"
    assert info.property("Nothing") is None
    assert info.property("apilocale") == "en-GB"


def test_data_fields_and_address_books_are_typed(client: Client) -> None:
    fields = {each.name: each.type for each in client.data_fields()}
    assert fields["LOYALTY_POINTS"] == "Numeric"
    book = client.address_book(102)
    assert (book.id, book.name, book.contacts) == (102, "Customers", 0)
    with pytest.raises(NotFoundError):
        client.address_book(7)


@pytest.mark.parametrize("spell", [str.upper, str.lower, str.title], ids=lambda each: each.__name__)
def test_every_answer_is_read_with_names_in_any_case(
    client: Client, server: DotdigitalServer, spell: Callable[[str], str]
) -> None:
    server.spell = spell
    server.custom_identifiers.add("customerNumber")
    server.tells_created_field = False
    ann = server.add_contact("ann@example.com", lists=(102,))
    assert client.account_info().property("ApiEndpoint") == "https://r1-api.dotdigital.com/"
    assert client.address_book(102).contacts == 1
    assert {each.name for each in client.address_books()} == {"Newsletter", "Customers"}
    assert client.create_address_book("New", lambda: None).name == "New"
    assert {each.name for each in client.data_fields()} == set(server.data_fields)
    assert client.create_data_field("NEW", "Date", lambda: None).type == "Date"
    assert client.custom_identifiers() == ["customerNumber"]
    assert client.import_status(client.import_contacts(BODY)).summary is not None
    found = client.contact("email", "ann@example.com")
    assert found is not None
    assert found.contact_id == ann
    assert [each.contact_id for each in client.members(102, None).items] == [ann]
    assert client.removal_status(client.remove_members(102, [ann])).status
    delete_id = client.delete_contacts(b'[{"email": "ann@example.com"}]')
    assert client.deletion_status(delete_id).summary is not None
    server.answer_next(IMPORT, reply(400, {spell("errorCode"): "contacts:badJson"}))
    with pytest.raises(RequestRefusedError, match="badJson"):
        client.import_contacts(BODY)


def test_only_what_is_wanted_is_asked_for_and_no_contact_shows_in_a_repr(
    client: Client, server: DotdigitalServer
) -> None:
    server.add_contact("ann@example.com", lists=(102,))
    plain = client.held_contacts(Details(), None, None, since_ever=True)
    client.held_contacts(Details(("FIRSTNAME", "AGE"), ("lists",)), 102, None)
    first, second = (call.query for call in server.calls[-2:])
    # An empty list of names is none of those that the vendor's file allows.
    assert first == {"~created": EVER, "limit": "5000"}
    wanted = {"~listId": "102", "include": "lists", "data-fields": "FIRSTNAME|AGE"}
    assert second == {**wanted, "limit": "5000"}
    assert plain.items
    answers = [plain, client.members(102, None), client.contact("email", "ann@example.com")]
    assert "ann" not in repr(answers)


def test_an_import_is_queued_and_its_report_is_read(
    client: Client, server: DotdigitalServer
) -> None:
    server.rejected["bad@example.com"] = "InvalidEmail"
    body = {"contacts": [contact("a@example.com", 101), contact("bad@example.com", 101)]}
    import_id = client.import_contacts(json.dumps(body).encode())
    assert import_id == server.imports[0].import_id
    status = client.import_status(import_id)
    assert status.status == "Finished"
    assert status.summary is not None
    assert status.summary.new_contacts == 1
    assert status.created is not None
    assert status.created[0].identifiers == {"email": "a@example.com"}
    assert status.failures is not None
    assert status.failures[0].failures is not None
    assert status.failures[0].failures[0].failure_code is not None


def test_a_report_may_lack_everything_but_its_status(
    client: Client, server: DotdigitalServer
) -> None:
    nulls = dict.fromkeys(("summary", "created", "updated", "failures"))
    route = "GET /contacts/v3/import/x"
    server.answer_next(route, reply(200, {"status": "NotFinished", "importId": "x"}))
    server.answer_next(route, reply(200, {"status": "Finished", **nulls, "more": [1]}))
    assert client.import_status("x").failures is None
    assert client.import_status("x").summary is None


def test_an_import_id_cannot_lead_to_another_path(client: Client, server: DotdigitalServer) -> None:
    with pytest.raises(DotdigitalError):
        client.import_status("../../v2/data-fields?a=b#c")
    (call,) = server.calls
    assert call.path == "/contacts/v3/import/../../v2/data-fields?a=b#c"
    assert call.query == {}


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2000, 2500])
def test_address_books_are_read_up_to_an_empty_page(
    count: int, client: Client, server: DotdigitalServer
) -> None:
    server.address_books = {number: f"Book {number}" for number in range(1, count + 1)}
    assert [book.id for book in client.address_books()] == list(range(1, count + 1))
    queries = [call.query for call in server.calls_of(ADDRESS_BOOKS)]
    skips = [*range(0, count, 1000), count]
    assert queries == [{"select": "1000", "skip": str(skip)} for skip in skips]


def test_the_same_page_over_and_over_is_not_read_for_ever(
    client: Client, server: DotdigitalServer
) -> None:
    def same_page(_call: Call) -> Answer | None:
        pages = len(server.calls_of(ADDRESS_BOOKS))
        return reply(200, [{"id": 1, "name": "One"}] if pages < 20 else [])

    server.answer_next(ADDRESS_BOOKS, same_page, times=None)
    with contextlib.suppress(DotdigitalError):  # as good
        assert {book.id for book in client.address_books()} == {1}
    assert len(server.calls) < 20


# What passes.

LOST = {
    "reset before the request is read": reset_unread(),
    "reset after it": reset(),
    "reply lost": lost_reply(),
    "reply truncated": truncated_reply(),
}
NO_ANSWERS = {
    "HTML": html_reply(202, handled=True),
    "nothing": empty_reply(202, handled=True),
    "no content": reply(204, handled=True),
    "cut JSON": reply(202, b'{"importId": "6', handled=True),
    "not UTF-8": reply(202, b'{"importId": "\xff"}', handled=True),
}
OTHER_JSON = {
    "another type": reply(202, {"importId": 7}, handled=True),
    "no ID": reply(202, {}, handled=True),
    "a list": reply(202, [], handled=True),
    "null": reply(202, b"null", handled=True),
}
PASSING = {
    **{str(status): html_reply(status) for status in (408, 500, 502, 503, 504)},
    **{
        f"{status} {code}": v2_error(status, f"Try again later. {code}")
        for status, code in (
            (503, "ERROR_SYSTEM_SERVICETEMPORARILYUNAVAILABLE"),
            (400, "ERROR_SYSTEM_SERVICETEMPORARILYUNAVAILABLE"),
            (400, "ERROR_ADDRESSBOOK_IN_USE"),
            (400, "ERROR_UNKNOWN"),
        )
    },
}


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST.keys())
def test_an_import_whose_reply_is_lost_is_sent_again(
    answer: Answer, client: Client, server: DotdigitalServer
) -> None:
    server.answer_next(IMPORT, answer)
    import_id = client.import_contacts(BODY)
    assert client.import_status(import_id).status == "Finished"
    first, second = server.calls_of(IMPORT)
    assert second.body == BODY
    assert first.body in (BODY, b"")  # nothing was read before a reset
    assert list(server.contacts) == ["a@example.com"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        *((each, NetworkError) for each in NO_ANSWERS.values()),
        *((each, DotdigitalError) for each in OTHER_JSON.values()),
    ],
    ids=[*NO_ANSWERS, *OTHER_JSON],
)
def test_a_success_that_is_not_dotdigitals_is_none(
    answer: Answer, kind: type[TargetDotdigitalError], client: Client, server: DotdigitalServer
) -> None:
    server.answer_next(IMPORT, answer)
    assert client.import_contacts(BODY) == server.imports[-1].import_id
    server.answer_next(IMPORT, answer, times=None)
    with pytest.raises(kind, match=r"127\.0\.0\.1"):
        client.import_contacts(BODY)
    assert len(server.calls_of(IMPORT)) == 2 + MAX_TRIES


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING.keys())
def test_what_may_pass_is_tried_again(
    answer: Answer, times: int, client: Client, server: DotdigitalServer, clock: FakeClock
) -> None:
    server.answer_next(IMPORT, answer, times=times)
    assert client.import_contacts(BODY)
    assert len(server.calls) == times + 1
    assert len(clock.waits) == times
    assert all(0 <= wait <= 2**tries for tries, wait in enumerate(clock.waits))


@pytest.mark.parametrize(
    "answer", [*PASSING.values(), reset()], ids=[*PASSING, "no answer from 127.0.0.1"]
)
def test_what_does_not_pass_ends_the_run_after_two_minutes(
    answer: Answer,
    client: Client,
    server: DotdigitalServer,
    clock: FakeClock,
    request: pytest.FixtureRequest,
) -> None:
    server.answer_next(IMPORT, answer, times=None)
    with pytest.raises((DotdigitalError, NetworkError)) as caught:
        client.import_contacts(BODY)
    assert not isinstance(caught.value, RequestRefusedError)
    assert isinstance(caught.value, NetworkError) == (answer.fault == "reset")
    for told in (IMPORT, "127.0.0.1", request.node.callspec.id):
        assert told in str(caught.value)
    assert len(server.calls) == MAX_TRIES
    assert sum(clock.waits) <= MAX_RETRY_SECONDS


@pytest.mark.parametrize("status", [501, 505, 507, 508, 511])
def test_no_server_error_is_taken_for_a_refusal_of_contacts(
    status: int, client: Client, server: DotdigitalServer
) -> None:
    server.answer_next(IMPORT, html_reply(status), times=None)
    with pytest.raises((DotdigitalError, NetworkError)) as caught:
        client.import_contacts(BODY)
    assert not isinstance(caught.value, RequestRefusedError)


# Limits.


def test_a_429_is_waited_out(client: Client, server: DotdigitalServer, clock: FakeClock) -> None:
    start = clock.time
    server.answer_next(IMPORT, rate_limited(seconds=40))
    assert client.import_contacts(BODY)
    assert 40 <= clock.time - start <= 42
    assert len(server.calls) == 2


def test_the_last_call_of_a_window_holds_the_next_one_back(
    client: Client, server: DotdigitalServer, clock: FakeClock
) -> None:
    last = Answer(headers=rate_limited(seconds=40).headers, handled=True)
    server.answer_next(DATA_FIELDS, last)
    start = clock.time
    client.data_fields()
    assert clock.time == start
    client.data_fields()
    assert 40 <= clock.time - start <= 42


@pytest.mark.parametrize("seconds", [None, 50, 0])
def test_a_429_for_ever_ends_the_run(
    seconds: float | None, client: Client, server: DotdigitalServer, clock: FakeClock
) -> None:
    start = clock.time
    server.answer_next(IMPORT, rate_limited(seconds=seconds), times=None)
    with pytest.raises(DotdigitalError, match=r"call limit.* 10 minutes") as caught:
        client.import_contacts(BODY)
    assert not isinstance(caught.value, RequestRefusedError)
    assert LIMIT_SECONDS <= clock.time - start <= LIMIT_SECONDS + 62
    assert len(server.calls) < 100


@pytest.mark.parametrize("answer", [usage_exceeded(), rate_limited()], ids=["flat", "429"])
def test_limits_do_not_count_as_failures(
    answer: Answer, client: Client, server: DotdigitalServer
) -> None:
    server.answer_next(IMPORT, *[html_reply(503)] * 6, answer, *[html_reply(503)] * 6)
    assert client.import_contacts(BODY)


def test_the_flat_schemes_400_is_waited_out_for_a_long_time(
    client: Client, server: DotdigitalServer, clock: FakeClock
) -> None:
    start = clock.time
    server.answer_next(IMPORT, usage_exceeded(), times=3)
    assert client.import_contacts(BODY)
    assert 30 + 60 + 120 <= clock.time - start <= 60 + 120 + 240 + 3
    assert len(server.calls) == 4
    assert len(server.imports) == 1


def test_the_flat_schemes_400_for_ever_is_never_a_refusal(
    client: Client, server: DotdigitalServer
) -> None:
    server.answer_next(IMPORT, usage_exceeded(), times=None)
    with pytest.raises(DotdigitalError, match="call limit") as caught:
        client.import_contacts(BODY)
    assert not isinstance(caught.value, RequestRefusedError)
    assert len(server.calls) < 10


@pytest.mark.parametrize(
    "answer",
    [
        too_many_active_imports(),
        v2_error(400, "Too many. ERROR_IMPORT_TOOMANYACTIVEIMPORTS"),
        v2_error(429, "Too many. ERROR_IMPORT_TOOMANYACTIVEIMPORTS"),
    ],
    ids=["v3", "v2", "v2 429"],
)
def test_too_many_imports_is_told_at_once_and_closes_no_tier(
    answer: Answer, client: Client, server: DotdigitalServer, clock: FakeClock
) -> None:
    server.answer_next(IMPORT, answer)
    with pytest.raises(TooManyActiveJobsError):
        client.import_contacts(BODY)
    assert client.import_contacts(BODY)
    assert clock.waits == []


def test_giving_up_ends_the_waits_of_a_call(
    client: Client, server: DotdigitalServer, clock: FakeClock
) -> None:
    def abandon(_call: Call) -> Answer:
        clock.abandon()
        return html_reply(503)

    server.answer_next(IMPORT, abandon)
    with pytest.raises(AbandonedError):
        client.import_contacts(BODY)
    assert len(server.calls) == 1


# What is refused.

HTTP_ERRORS: list[tuple[int, type[TargetDotdigitalError], str]] = [
    (400, RequestRefusedError, ""),
    (401, AuthenticationError, "username and password"),
    (403, ForbiddenError, "Check region"),
    (404, NotFoundError, "not found"),
    (413, RequestTooLargeError, ""),
]
SHAPES: dict[str, tuple[str, str]] = {"v2": ("ERROR_SOME_CODE",) * 2, "v3": ("contacts:x9", "x9")}


def error_body(shape: str) -> dict[str, Any]:
    """Return an error as Dotdigital words it, quoting the request wherever it can."""
    if shape == "v2":
        return {"message": f"The value {CANARY} is not valid. {SHAPES[shape][0]}"}
    details = [{"item": CANARY, "description": CANARY, "error": CANARY}, CANARY]
    code, description = SHAPES[shape][0], f"The value {CANARY} is not valid"
    return {"errorCode": code, "description": description, "details": details}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("status", "kind", "hint"), HTTP_ERRORS, ids=str)
def test_an_error_tells_its_code_and_who_acts_after_one_request(
    *,
    status: int,
    kind: type[TargetDotdigitalError],
    hint: str,
    shape: str,
    client: Client,
    server: DotdigitalServer,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answer_next(IMPORT, reply(status, error_body(shape)), times=None)
    with pytest.raises(kind) as caught:
        client.import_contacts(BODY)
    assert type(caught.value) is kind
    text = str(caught.value)
    for part in (IMPORT, "127.0.0.1", str(status), SHAPES[shape][1], hint, kind.act):
        assert part in text
    if isinstance(caught.value, RequestRefusedError):
        assert caught.value.code == SHAPES[shape][1]
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + caplog.text
    assert (len(server.calls), clock.waits) == (1, [])


@pytest.mark.parametrize("shape", SHAPES)
def test_an_error_that_did_not_pass_quotes_nothing(
    shape: str, client: Client, server: DotdigitalServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answer_next(IMPORT, reply(500, error_body(shape)), times=None)
    with pytest.raises(DotdigitalError, match=SHAPES[shape][1]) as caught:
        client.import_contacts(BODY)
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + caplog.text


@pytest.mark.parametrize(
    "body",
    [
        {"message": f"No such contact: {CANARY}"},
        {"message": CANARY},
        {"errorCode": f"contacts:{CANARY}", "description": CANARY},
        {"errorCode": {"x": CANARY}, "message": [CANARY]},
        [CANARY],
        f"<html>{CANARY}</html>".encode(),
        b"",
        b"\xff\xfe",
        b"null",
    ],
    ids=str,
)
def test_what_does_not_look_like_a_code_is_not_told(
    body: object, client: Client, server: DotdigitalServer
) -> None:
    server.answer_next(IMPORT, reply(400, body))
    with pytest.raises(RequestRefusedError, match=r"answers 400\. \[") as caught:
        client.import_contacts(BODY)
    assert caught.value.code == "http400"
    assert CANARY not in str(caught.value)


def test_wrong_credentials_take_exactly_one_request(
    client: Client, server: DotdigitalServer
) -> None:
    server.password = "changed"
    for call in (client.account_info, client.data_fields, lambda: client.import_contacts(BODY)):
        server.calls.clear()
        with pytest.raises(AuthenticationError, match="username and password"):
            call()
        assert len(server.calls) == 1


@pytest.mark.parametrize(
    "code", ["ERROR_INVALID_LOGIN", "ERROR_APIUSER_INVALID", "ERROR_ACCOUNT_INVALID"]
)
def test_a_refusal_of_the_api_user_is_none_of_the_contacts(
    code: str, client: Client, server: DotdigitalServer
) -> None:
    # The registry gives these codes without a status; v2's default is 400.
    server.answer_next(IMPORT, v2_error(400, f"The API user is not valid. {code}"), times=None)
    with pytest.raises(AuthenticationError, match=code):
        client.import_contacts(BODY)
    assert len(server.calls) == 1
