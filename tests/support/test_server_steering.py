from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
import requests

from tests.support.dotdigital import answers
from tests.support.dotdigital.plain_client import (
    TIMEOUT_SECONDS,
    PlainClient,
    contact,
    failure_codes,
)
from tests.support.dotdigital.routes import (
    ACCOUNT_INFO,
    ADDRESS_BOOKS,
    DATA_FIELDS,
    IMPORT,
    IMPORT_STATUS,
)
from tests.support.dotdigital.server import DotdigitalServer

if TYPE_CHECKING:
    from tests.support.dotdigital.answers import Call


def test_a_rejected_contact_is_reported_and_not_written(
    server: DotdigitalServer, client: PlainClient
) -> None:
    server.reject("Bad@example.com", "GloballySuppressed")
    report = client.load(contact("bad@example.com"), contact("good@example.com"))
    assert failure_codes(report) == ["globallySuppressed"]
    assert report["summary"]["globallySuppressed"] == 1
    assert list(server.contacts) == ["good@example.com"]


def test_a_warned_contact_is_written_and_reported(
    server: DotdigitalServer, client: PlainClient
) -> None:
    server.warn("a@example.com")
    report = client.load(contact("a@example.com"))
    assert failure_codes(report) == ["consentRecordsNotApplied"]
    assert [each["identifiers"]["email"] for each in report["created"]] == ["a@example.com"]
    assert report["summary"]["invalidEntries"] == 0


def test_a_refused_contact_sinks_its_request(server: DotdigitalServer, client: PlainClient) -> None:
    server.refuse_request_with("bad@example.com")
    assert client.put(contact("good@example.com"), contact("bad@example.com")).status_code == 400
    assert client.put(contact("good@example.com")).status_code == 202


def test_a_body_that_is_too_long_is_refused(server: DotdigitalServer, client: PlainClient) -> None:
    server.max_body_bytes = 300
    assert client.put(contact("a@example.com", FIRSTNAME="x" * 300)).status_code == 413
    assert client.put(contact("a@example.com", FIRSTNAME="x")).status_code == 202


def test_reports_vary_in_style(server: DotdigitalServer, client: PlainClient) -> None:
    server.add_contact("Known@example.com")
    server.reject("known@example.com", "invalidEmail")
    import_id = client.put(contact("Known@Example.com")).json()["importId"]
    (plain,) = client.poll(import_id)["failures"]
    assert plain["identifiers"] == {"email": "Known@Example.com"}
    assert plain["contactId"] == server.contacts["known@example.com"].contact_id

    style = server.report_style
    style.codes = "PascalCase"
    style.emails = "untidy"
    style.contact_ids = False
    style.repeat_failures = True
    style.stranger = "stranger@example.com"
    first, second, stranger = client.poll(import_id)["failures"]
    assert first == second
    assert first["identifiers"] == {"email": "  KNOWN@EXAMPLE.COM "}
    assert first["failures"][0]["failureCode"] == "InvalidEmail"
    assert "contactId" not in first
    assert stranger["identifiers"] == {"email": "stranger@example.com"}

    style.emails = "lower"
    style.summary = False
    report = client.poll(import_id)
    assert report["failures"][0]["identifiers"] == {"email": "known@example.com"}
    assert "summary" not in report

    style.lists = False
    style.summary = True
    assert set(client.poll(import_id)) == {"importId", "status", "summary"}


def test_the_order_in_which_imports_end_decides_the_contents(
    server: DotdigitalServer, client: PlainClient
) -> None:
    server.hold_imports()
    first = client.put(contact("a@example.com", FIRSTNAME="first")).json()["importId"]
    client.put(contact("A@example.com ", FIRSTNAME="second"))
    client.put(contact("b@example.com"))
    assert client.poll(first) == {"importId": first, "status": "NotFinished"}
    assert server.contacts == {}
    server.finish(1)
    server.finish(first)
    assert server.contacts["a@example.com"].data_fields == {"FIRSTNAME": "first"}
    assert client.poll(first)["status"] == "Finished"
    assert server.active_peak == 3
    assert server.order_violations == 1
    server.release_all()
    assert server.active_imports == []
    with pytest.raises(ValueError, match="ended already"):
        server.finish(1)


def test_imports_fail_without_any_effect(server: DotdigitalServer, client: PlainClient) -> None:
    server.hold_imports()
    import_id = client.put(contact("a@example.com")).json()["importId"]
    server.fail(import_id, "RejectedByWatchdog")
    assert client.poll(import_id) == {"importId": import_id, "status": "RejectedByWatchdog"}
    assert server.contacts == {}


def test_imports_can_fail_by_themselves(server: DotdigitalServer, client: PlainClient) -> None:
    server.end_next_imports("Failed", times=2)
    statuses = [client.load(contact("a@example.com"))["status"] for _ in range(3)]
    assert statuses == ["Failed", "Failed", "Finished"]


def test_imports_can_take_their_polls(server: DotdigitalServer, client: PlainClient) -> None:
    server.polls_to_finish = lambda accepted: 2 - accepted.index
    first = client.put(contact("a@example.com")).json()["importId"]
    assert [client.poll(first)["status"] for _ in range(3)] == [
        "NotFinished",
        "NotFinished",
        "Finished",
    ]
    assert server.imports[0].polls == 3


def test_slots_are_limited_and_shared(server: DotdigitalServer, client: PlainClient) -> None:
    server.hold_imports()
    server.max_active_imports = 3
    server.foreign_imports = 2
    assert client.put(contact("a@example.com")).status_code == 202
    refused = client.put(contact("b@example.com"))
    assert refused.status_code == 429
    assert refused.json()["errorCode"] == "contacts:tooManyActiveImports"
    server.foreign_imports = 0
    assert client.put(contact("b@example.com")).status_code == 202


def test_a_test_can_wait_for_imports_and_calls(
    server: DotdigitalServer, client: PlainClient
) -> None:
    def run() -> None:
        client.put(contact("a@example.com"))
        client.put(contact("b@example.com"))

    thread = threading.Thread(target=run)
    thread.start()
    first, second = server.wait_for_imports(2)
    thread.join()
    assert (first.index, second.index) == (0, 1)
    assert len(server.wait_for_calls(IMPORT, 2)) == 2
    with pytest.raises(TimeoutError, match="2 imports were accepted"):
        server.wait_for_imports(3, timeout=0.01)


# Steering: what is answered.


def test_calls_are_kept_with_what_was_answered(
    server: DotdigitalServer, client: PlainClient
) -> None:
    client.get("/v2/address-books?select=10&skip=0")
    client.load(contact("a@example.com"))
    books, put, poll = server.calls
    assert (books.route, books.path, books.query) == (
        ADDRESS_BOOKS,
        "/v2/address-books",
        {"select": "10", "skip": "0"},
    )
    assert (put.route, put.status, put.contacts) == (IMPORT, 202, [contact("a@example.com")])
    assert put.headers["content-type"] == "application/json"
    assert (poll.route, poll.status) == (IMPORT_STATUS, 200)
    assert books.at <= put.at <= poll.at


def test_answers_can_be_armed_in_turn_and_for_ever(
    server: DotdigitalServer, client: PlainClient
) -> None:
    server.answer_next(
        DATA_FIELDS, answers.reply(500), answers.reply(503, {"message": "later"}), times=2
    )
    server.answer_next(ACCOUNT_INFO, answers.reply(403), times=None)
    statuses = [client.get("/v2/data-fields").status_code for _ in range(5)]
    assert statuses == [500, 503, 500, 503, 200]
    assert [client.get("/v2/account-info").status_code for _ in range(3)] == [403] * 3
    server.answer_normally(ACCOUNT_INFO)
    assert client.get("/v2/account-info").status_code == 200


def test_an_answer_can_be_armed_for_one_import(
    server: DotdigitalServer, client: PlainClient
) -> None:
    first = client.put(contact("a@example.com")).json()["importId"]
    second = client.put(contact("b@example.com")).json()["importId"]
    server.answer_next(f"GET /contacts/v3/import/{second}", answers.reply(502))
    assert client.poll(first)["status"] == "Finished"
    assert client.get(f"/contacts/v3/import/{second}").status_code == 502


def test_a_callable_answers_or_leaves_it_to_the_account(
    server: DotdigitalServer, client: PlainClient
) -> None:
    def refuse_ann(call: Call) -> answers.Answer | None:
        return answers.reply(418) if b"ann@" in call.body else None

    server.answer_next(IMPORT, refuse_ann, times=None)
    assert client.put(contact("ann@example.com")).status_code == 418
    assert client.put(contact("bob@example.com")).status_code == 202


@pytest.mark.parametrize("armed", [answers.reset(), answers.reset_unread()])
def test_a_reset_comes_before_the_account_acts(
    server: DotdigitalServer, client: PlainClient, armed: answers.Answer
) -> None:
    server.answer_next(IMPORT, armed)
    with pytest.raises(requests.ConnectionError):
        client.put(contact("a@example.com", FIRSTNAME="x" * 1_000))
    assert server.imports == []
    assert server.calls[0].status is None


@pytest.mark.parametrize(
    "armed",
    [
        answers.lost_reply(),
        answers.truncated_reply(),
        answers.html_reply(202, handled=True),
        answers.empty_reply(202, handled=True),
    ],
)
def test_a_lost_reply_comes_after_the_account_has_acted(
    server: DotdigitalServer, client: PlainClient, armed: answers.Answer
) -> None:
    server.answer_next(IMPORT, armed)
    with pytest.raises(
        (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, ValueError)
    ):
        client.put(contact("a@example.com")).json()
    assert list(server.contacts) == ["a@example.com"]
    assert server.active_imports == []


def test_a_lost_import_can_go_on_while_it_is_held(
    server: DotdigitalServer, client: PlainClient
) -> None:
    server.hold_imports()
    server.answer_next(IMPORT, answers.lost_reply())
    with pytest.raises(requests.ConnectionError):
        client.put(contact("a@example.com"))
    assert len(server.active_imports) == 1
    assert client.put(contact("a@example.com")).status_code == 202
    assert server.order_violations == 1


def test_a_trickling_answer_does_not_end(server: DotdigitalServer) -> None:
    server.answer_next(ACCOUNT_INFO, answers.trickling_reply(0.001))
    with requests.get(
        f"{server.url}/v2/account-info",
        auth=(server.username, server.password),
        timeout=TIMEOUT_SECONDS,
        stream=True,
    ) as answer:
        chunks = answer.iter_content(1)
        assert [next(chunks) for _ in range(5)] == [b" "] * 5


def test_a_redirect_names_another_host(server: DotdigitalServer, client: PlainClient) -> None:
    server.answer_next(ACCOUNT_INFO, answers.redirect("http://127.0.0.2:9/v2/account-info"))
    answer = client.get("/v2/account-info")
    assert (answer.status_code, answer.headers["Location"]) == (
        307,
        "http://127.0.0.2:9/v2/account-info",
    )


def test_rate_limits_come_in_all_forms(server: DotdigitalServer, client: PlainClient) -> None:
    epoch = time.time() + 60
    server.answer_next(
        DATA_FIELDS,
        answers.rate_limited(epoch=epoch),
        answers.rate_limited(seconds=3),
        answers.rate_limited(),
        answers.usage_exceeded(),
        answers.too_many_active_imports(),
    )
    replies = [client.get("/v2/data-fields") for _ in range(5)]
    assert [each.status_code for each in replies] == [429, 429, 429, 400, 429]
    resets = [each.headers.get("X-RateLimit-Reset") for each in replies[:3]]
    assert resets == [str(int(epoch)), "3", None]
    assert replies[3].json()["message"].endswith("ERROR_APIUSAGE_EXCEEDED")
    assert replies[4].json()["errorCode"] == "contacts:tooManyActiveImports"


@pytest.mark.parametrize("handled", [True, False])
def test_an_answer_can_be_held_until_the_test_lets_it_go(
    server: DotdigitalServer, client: PlainClient, *, handled: bool
) -> None:
    gate = server.hold_answer(IMPORT, handled=handled)
    statuses: list[int] = []
    thread = threading.Thread(
        target=lambda: statuses.append(client.put(contact("a@example.com")).status_code)
    )
    thread.start()
    gate.wait()
    assert len(server.imports) == handled
    assert statuses == []
    gate.open()
    thread.join()
    assert statuses == [202]


def test_a_client_that_leaves_in_the_middle_imports_nothing(server: DotdigitalServer) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"PUT /contacts/v3/import HTTP/1.1\r\nContent-Length: 99\r\n\r\n{")
        server.wait_for_calls(IMPORT, 1)
    with requests.Session() as session:
        session.auth = (server.username, server.password)
        PlainClient(server.url, session).put(contact("a@example.com"))
    assert [call.status for call in server.calls] == [None, 202]


def test_the_server_ends_with_a_client_still_connected() -> None:
    with requests.Session() as session:
        with DotdigitalServer() as server:
            session.get(f"{server.url}/v2/account-info", timeout=TIMEOUT_SECONDS)
            server.hold_answer(DATA_FIELDS)
        with pytest.raises(requests.ConnectionError):
            session.get(f"{server.url}/v2/account-info", timeout=TIMEOUT_SECONDS)


def test_an_error_in_the_server_fails_the_test() -> None:
    def broken(_call: Call) -> None:
        raise ZeroDivisionError

    def run() -> None:
        with DotdigitalServer() as server:
            server.answer_next(ACCOUNT_INFO, broken)
            with pytest.raises(requests.ConnectionError):
                requests.get(f"{server.url}/v2/account-info", timeout=TIMEOUT_SECONDS)

    with pytest.raises(ZeroDivisionError):
        run()


def test_contents_leave_out_what_two_runs_cannot_share(
    server: DotdigitalServer, client: PlainClient
) -> None:
    with DotdigitalServer() as other, requests.Session() as session:
        session.auth = (other.username, other.password)
        again = PlainClient(other.url, session)
        for name in ("a", "b"):
            again.load(contact(f"{name}@example.com", 101))
        client.load(contact("b@example.com", 101), contact("a@example.com", 101))
        assert server.contents() == other.contents()
        assert other.contents()["a@example.com"]["lists"] == [101]
