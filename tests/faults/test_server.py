"""F30 to F33: what the server does with a request that has arrived."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tests.faults.fault_case import fault
from tests.faults.input_rows import email, people
from tests.support.dotdigital.answers import html_reply, reply, v3_error
from tests.support.dotdigital.routes import DATA_FIELDS, IMPORT, IMPORT_STATUS

if TYPE_CHECKING:
    from tests.faults.fault_case import FaultCase

SUPPORT = "[to act: ask Dotdigital support]"
HURRY = 100


@fault("F30", *(f"{status} {often}" for status in (500, 502, 503, 504) for often in ("x1", "x3")))
def test_a_server_that_fails_for_a_while_is_tried_again(case: FaultCase, variant: str) -> None:
    status, _, often = variant.partition(" ")
    answer = html_reply(int(status)) if status == "502" else reply(int(status), b"")
    for route in (DATA_FIELDS, IMPORT, IMPORT_STATUS):
        case.server.answer_next(route, answer, times=int(often[1:]))
    ended = case.run(people(4), pace=HURRY)
    assert (ended.status, ended.states[-1]) == (0, {"row": 4})


@fault("F30", *(f"{status} for ever" for status in (500, 502, 503, 504)))
def test_a_server_that_fails_for_ever_rejects_nobody(case: FaultCase, variant: str) -> None:
    status = int(variant.partition(" ")[0])
    case.server.answer_next(IMPORT, reply(status, b""), times=None)
    ended = case.run(people(4), pace=HURRY)
    assert (ended.status, ended.states) == (1, [])
    assert (
        f"answers {status}, 8 times. Run it again later. 0 of 4 rows are settled. {SUPPORT}"
        in ended.stderr
    )
    assert len(case.server.calls_of(IMPORT)) == 8
    assert not case.rejects.exists()


@fault("F31", "first", "middle", "last", "alone", "and its neighbour")
def test_one_contact_that_sinks_a_request_is_found(case: FaultCase, variant: str) -> None:
    count = 1 if variant == "alone" else 100
    culprits = {"middle": [57], "last": [100], "and its neighbour": [50, 51]}.get(variant, [1])
    for number in culprits:
        case.server.refuse_request_with(email(number))
    case.left_out = culprits
    ended = case.run(people(count, state_each=count), pace=20, max_reject_percent=100)
    assert (ended.status, ended.states[-1]) == (0, {"row": count})
    assert ended.counts().endswith(f"rejected by code: dotdigital.badRequest {len(culprits)}")
    if len(culprits) == 1:
        more = len(case.server.calls_of(IMPORT)) - 1
        probes = 1 if variant == "first" else 0  # whether anybody at all is accepted
        assert more <= 2 * math.ceil(math.log2(max(count, 2))) + 1 + probes


@fault("F32")
def test_a_body_that_is_too_large_is_halved_and_the_size_kept(case: FaultCase) -> None:
    case.server.max_body_bytes = 6_000
    ended = case.run(people(200, state_each=10), pace=20, batch_size_rows=100, max_active_imports=1)
    assert (ended.status, ended.states[-1]) == (0, {"row": 200})
    sizes = [(len(call.body), call.status) for call in case.server.calls_of(IMPORT)]
    refused = [position for position, (_, status) in enumerate(sizes) if status == 413]
    assert refused
    # The second hundred was gathered before the first was refused, and is halved all the same.
    assert len(refused) <= 2
    assert max(size for size, _ in sizes[refused[-1] + 1 :]) <= 6_000


@fault("F33", "badRequest", "badJson")
def test_what_is_wrong_in_every_contact_is_not_halved_without_end(
    case: FaultCase, variant: str
) -> None:
    refused = v3_error(400, f"contacts:{variant}", "The request is invalid")
    case.server.answer_next(IMPORT, refused, times=None)
    ended = case.run(people(100, state_each=10))
    assert (ended.status, ended.states) == (1, [])
    assert f"refused every contact that was tried ({variant})" in ended.stderr
    assert "of 100 rows are settled. [to act: fix the data" in ended.stderr
    assert len(case.server.calls_of(IMPORT)) < 30
    assert not case.rejects.exists()
