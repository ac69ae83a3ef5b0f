"""F19 to F24: what the account says to who calls, and to what is named of it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import trustme

from tests.faults.breaking_proxy import TlsFront, Tunnel
from tests.faults.fault_case import fault
from tests.faults.input_rows import CANARY, people
from tests.support.dotdigital.answers import Answer, reply, v2_error, v3_error
from tests.support.dotdigital.routes import ADDRESS_BOOK, DATA_FIELDS, IMPORT, IMPORT_STATUS
from tests.support.dotdigital.server import DotdigitalServer

if TYPE_CHECKING:
    from tests.faults.fault_case import FaultCase
    from tests.support.dotdigital.answers import Call

SETTINGS = "[to act: fix the settings]"
UNAUTHORISED = reply(401, {"message": "Authorization has been denied. ERROR_APIUSER_INVALID"})


@fault("F19", "401", "400 with a login's code")
def test_credentials_that_are_not_accepted_end_the_run_after_one_request(
    case: FaultCase, variant: str
) -> None:
    if variant != "401":
        refused = v2_error(400, "The login is invalid. ERROR_INVALID_LOGIN")
        case.server.answer_next(DATA_FIELDS, refused, times=None)
    ended = case.run(people(3), password=f"{CANARY} secret")
    assert (ended.status, ended.states) == (1, [])
    assert len(case.server.calls) == 1
    assert "Check username and password" in ended.stderr
    assert f"No row was read. {SETTINGS}" in ended.stderr


@fault("F20", "of an import", "of a poll")
def test_credentials_that_end_in_mid_run_stop_it(case: FaultCase, variant: str) -> None:
    rows = people(40)
    with case.started(rows, batch_size_rows=2) as target:
        target.send(*rows[:6])
        target.wait_for('{"row": 2}')
        route = IMPORT if variant == "of an import" else IMPORT_STATUS
        case.server.answer_next(route, UNAUTHORISED, times=None)
        before = len(case.server.calls)
        target.send_what_it_takes(*rows[6:])
        ended = target.end()
    assert (ended.status, ended.states[-1]) == (1, {"row": 2})
    assert "Check username and password" in ended.stderr
    assert SETTINGS in ended.stderr
    # One call of each import that was active, and no retries: a storm of them locks accounts.
    assert len(case.server.calls) - before <= 2 * 20


def _regions(case: FaultCase) -> DotdigitalServer:
    """Let r1 and r2 lead to servers here, of which r2 has the account."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(case.folder / "authority.pem"))
    foreign = case.stack.enter_context(DotdigitalServer())
    foreign.api_endpoint = "https://r2-api.dotdigital.com/"
    foreign.answer_next(DATA_FIELDS, Answer(403, b"Forbidden"), times=None)
    ports = {}
    for region, server in (("r1", foreign), ("r2", case.server)):
        host = f"{region}-api.dotdigital.com"
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(host).configure_cert(context)
        front = case.stack.enter_context(TlsFront(server.url, context))
        ports[host] = front.server_port
    tunnel = case.stack.enter_context(Tunnel(ports))
    case.environment.update(
        REQUESTS_CA_BUNDLE=str(case.folder / "authority.pem"), HTTPS_PROXY=tunnel.url, NO_PROXY=""
    )
    return foreign


@fault("F21", "r1", "found by asking", "a region that is not told")
def test_a_wrong_region_is_told_with_the_right_one(case: FaultCase, variant: str) -> None:
    foreign = _regions(case)
    if variant == "a region that is not told":
        foreign.api_endpoint = ""
    region = None if variant == "found by asking" else "r1"
    ended = case.run(people(3), api_url=None, region=region)
    if region is None:
        assert (ended.status, ended.states[-1]) == (0, {"row": 3})
        return
    assert (ended.status, ended.states) == (1, [])
    told = "Leave region out" if foreign.api_endpoint == "" else "Set region to r2"
    assert "region: r1 answers 403" in ended.stderr
    assert told in ended.stderr
    assert SETTINGS in ended.stderr
    assert case.server.calls == []


@fault("F21")
def test_a_403_of_another_url_is_no_success(case: FaultCase) -> None:
    case.server.answer_next(IMPORT, Answer(403, b"Forbidden"), times=None)
    ended = case.run(people(3))
    assert (ended.status, ended.states) == (1, [])
    assert "The account is in another region, or the API user may not do this" in ended.stderr
    assert len(case.server.calls_of(IMPORT)) == 1


MISSING = {
    "an ID": (999, "Address book ID 999 not found. Look its ID up"),
    "a name": ("Nowhere", "Address book 'Nowhere' not found. Correct the name, or"),
    "a reserved name": ("Test", "address_book: Dotdigital reserves this name"),
    "a reserved ID": (103, "Address book 'Test' (103) is reserved by Dotdigital"),
}


@fault("F22", *MISSING)
def test_an_address_book_that_cannot_be_joined_is_told_before_the_first_write(
    case: FaultCase, variant: str
) -> None:
    case.server.address_books[103] = "Test"
    address_book, told = MISSING[variant]
    ended = case.run(people(3), address_book=address_book)
    assert (ended.status, ended.states) == (1, [])
    assert told in ended.stderr
    assert not case.server.calls_of(IMPORT)


def _gone_and_named(case: FaultCase) -> None:
    """The book is gone, and each contact is refused for it in the report."""
    del case.server.address_books[102]


def _gone_and_refused(case: FaultCase) -> None:
    """The book is gone, and so is every request that names it."""

    def refused(call: Call) -> Answer | None:
        return v3_error(400, "contacts:badRequest", "list") if b"lists" in call.body else None

    del case.server.address_books[102]
    case.server.answer_next(IMPORT, refused, times=None)


@fault("F22", "refused one by one", "refused as a whole")
def test_an_address_book_that_goes_in_mid_run_stops_it(case: FaultCase, variant: str) -> None:
    case.mend = lambda: case.server.address_books.update({102: "Customers"})
    rows = people(8)
    with case.started(rows, batch_size_rows=2, max_active_imports=1) as target:
        target.send(*rows[:6])
        target.wait_for('{"row": 2}')
        (_gone_and_named if variant == "refused one by one" else _gone_and_refused)(case)
        target.send_what_it_takes(*rows[6:])
        ended = target.end()
    assert (ended.status, ended.states[-1]) == (1, {"row": 2})
    assert "address book" in ended.stderr.lower()
    assert SETTINGS in ended.stderr
    assert "rejected 0" in ended.counts()


@fault("F23", "at the start", "of an import")
def test_an_address_book_in_use_is_tried_again_for_a_while(case: FaultCase, variant: str) -> None:
    busy = v2_error(400, "The address book is in use. ERROR_ADDRESSBOOK_IN_USE")
    case.server.answer_next(ADDRESS_BOOK if variant == "at the start" else IMPORT, busy, times=4)
    ended = case.run(people(3), pace=100)
    assert (ended.status, ended.states[-1]) == (0, {"row": 3})
    assert "rejected 0" in ended.counts()


@fault("F24")
def test_a_used_up_allowance_stops_the_run(case: FaultCase) -> None:
    case.server.end_next_imports("ExceedsAllowedContactLimit")
    ended = case.run(people(3))
    assert (ended.status, ended.states) == (1, [])
    assert "would have too many contacts (ExceedsAllowedContactLimit)" in ended.stderr
    assert "0 of 3 rows are settled. [to act: ask Dotdigital support]" in ended.stderr
    assert len(case.server.calls_of(IMPORT)) == 1
