"""F12 to F18: what can become of a call on its way."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import trustme

from tests.faults.breaking_proxy import TlsFront
from tests.faults.fault_case import fault
from tests.faults.input_rows import people
from tests.support.dotdigital.answers import empty_reply, html_reply, redirect, truncated_reply
from tests.support.dotdigital.routes import ADDRESS_BOOK, DATA_FIELDS, IMPORT, IMPORT_STATUS
from tests.support.dotdigital.server import DotdigitalServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.breaking_proxy import ProxyFault
    from tests.faults.fault_case import FaultCase
    from tests.support.dotdigital.answers import Answer

HURRY = 100
"""At this pace the two minutes of retries take a second, and the deadline of a call too."""

NETWORK = "[to act: check the network]"


@fault("F12", "refused", "unknown name")
def test_a_host_that_cannot_be_reached_ends_the_run_after_some_tries(
    case: FaultCase, variant: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    host = "127.0.0.1" if variant == "refused" else "dotdigital.invalid"
    case.url = f"http://{host}:{port}" if variant == "refused" else f"https://{host}"
    ended = case.run(people(3), pace=HURRY)
    assert (ended.status, ended.states) == (1, [])
    assert f"no answer from {host}" in ended.stderr
    assert f"8 times. Run it again later. No row was read. {NETWORK}" in ended.stderr
    assert not case.rejects.exists()


@fault("F12")
def test_a_host_that_goes_away_in_mid_run_rejects_nothing(case: FaultCase) -> None:
    proxy = case.behind_a_proxy()
    case.server.hold_imports()
    rows = people(6)
    with case.started(rows, pace=HURRY, batch_size_rows=3, shutdown_grace_seconds=0) as target:
        target.send(*rows)
        case.server.wait_for_imports(1)
        for route in (IMPORT, IMPORT_STATUS):
            proxy.arm(route, "reset unread", times=None)
        ended = target.end()
    assert (ended.status, ended.states) == (1, [])
    assert f"8 times. Run it again later. 0 of 6 rows are settled. {NETWORK}" in ended.stderr
    assert "rejected 0" in ended.counts()


@fault("F13", "reset unread", "cut upload")
def test_a_request_that_did_not_arrive_is_sent_again(case: FaultCase, variant: ProxyFault) -> None:
    proxy = case.behind_a_proxy()
    proxy.arm(IMPORT, variant)
    ended = case.run(people(5), pace=HURRY)
    assert (ended.status, ended.states[-1]) == (0, {"row": 5})
    assert len(case.server.imports) == 1


@fault("F14", "once", "three times")
def test_an_import_whose_reply_was_lost_is_sent_again(case: FaultCase, variant: str) -> None:
    proxy = case.behind_a_proxy()
    times = 1 if variant == "once" else 3
    proxy.arm(IMPORT, "lost reply", times=times)
    ended = case.run(people(5), pace=HURRY)
    assert (ended.status, ended.states[-1]) == (0, {"row": 5})
    assert len(case.server.imports) == 1 + times
    assert ended.counts() == "read 5 = imported 5 + rejected 0 + collapsed 0 + skipped 0"


@fault("F15", "trickle", "half-open")
def test_a_reply_that_never_ends_is_given_up_and_sent_again(
    case: FaultCase, variant: ProxyFault
) -> None:
    proxy = case.behind_a_proxy()
    proxy.arm(IMPORT, variant)
    proxy.arm(IMPORT_STATUS, variant)
    case.environment["FAST_CLOCK_DEADLINES"] = "1"
    ended = case.run(people(5), pace=HURRY)
    assert (ended.status, ended.states[-1]) == (0, {"row": 5})
    assert ended.stderr.count(". Trying again") == 2
    assert len(case.server.imports) == 2


def certified(folder: Path) -> ssl.SSLContext:
    """Return a server's context; `authority.pem` is what makes a client trust it."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    return context


@fault("F16", "unknown authority", "another host", "known authority")
def test_a_bad_certificate_ends_the_run_at_once(case: FaultCase, variant: str) -> None:
    front = TlsFront(case.server.url, certified(case.folder))
    case.stack.enter_context(front)
    # The certificate is for the name: under the address it is another host's.
    host = "127.0.0.1" if variant == "another host" else "localhost"
    case.url = f"https://{host}:{front.server_port}"
    if variant != "unknown authority":
        case.environment["REQUESTS_CA_BUNDLE"] = str(case.folder / "authority.pem")
    ended = case.run(people(2))
    if variant == "known authority":
        assert (ended.status, ended.states[-1]) == (0, {"row": 2})
        return
    assert (ended.status, ended.states) == (1, [])
    assert f"The certificate of {host} is not valid. Check the proxy" in ended.stderr
    assert NETWORK in ended.stderr
    assert case.server.calls == []


@fault("F17", "at the start", "of an import")
def test_a_redirect_is_not_followed(case: FaultCase, variant: str) -> None:
    elsewhere = case.stack.enter_context(DotdigitalServer())
    route = DATA_FIELDS if variant == "at the start" else IMPORT
    case.server.answer_next(route, redirect(f"{elsewhere.url}/v2/data-fields"))
    ended = case.run(people(2))
    assert (ended.status, ended.states) == (1, [])
    assert "redirects to 127.0.0.1, which gets no credentials" in ended.stderr
    assert elsewhere.calls == []


OTHER_THAN_AN_ANSWER: dict[str, Answer] = {
    "HTML": html_reply(200),
    "202 with HTML": html_reply(202),
    "empty": empty_reply(202),
    "truncated": truncated_reply(),
}


@fault("F18", *OTHER_THAN_AN_ANSWER)
def test_a_2xx_that_is_no_answer_is_tried_again(case: FaultCase, variant: str) -> None:
    answer = OTHER_THAN_AN_ANSWER[variant]
    for route in (ADDRESS_BOOK, IMPORT, IMPORT_STATUS):
        case.server.answer_next(route, answer, times=2)
    ended = case.run(people(4), pace=HURRY)
    assert (ended.status, ended.states[-1]) == (0, {"row": 4})


@fault("F18", *(f"{name} for ever" for name in OTHER_THAN_AN_ANSWER))
def test_a_2xx_that_is_no_answer_is_never_a_success(case: FaultCase, variant: str) -> None:
    answer = OTHER_THAN_AN_ANSWER[variant.removesuffix(" for ever")]
    case.server.answer_next(IMPORT, answer, times=None)
    ended = case.run(people(4), pace=HURRY)
    assert (ended.status, ended.states) == (1, [])
    assert len(case.server.calls_of(IMPORT)) == 8
    assert f"8 times. Run it again later. 0 of 4 rows are settled. {NETWORK}" in ended.stderr
