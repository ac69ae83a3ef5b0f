"""F25 to F29: the three ways in which Dotdigital says «slower», and the waits for each."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from tests.faults.fault_case import fault
from tests.faults.input_rows import people
from tests.support.dotdigital.answers import (
    Answer,
    rate_limited,
    reset,
    too_many_active_imports,
    usage_exceeded,
)
from tests.support.dotdigital.routes import DATA_FIELDS, IMPORT, IMPORT_STATUS

if TYPE_CHECKING:
    from tests.faults.fault_case import FaultCase
    from tests.support.dotdigital.answers import Call

LIMIT = "of the account's call limit"
LOW_TIER = (DATA_FIELDS, IMPORT)
"""Routes that the server says are of the low tier in these tests."""


@fault("F25", "epoch", "seconds")
def test_no_call_of_a_tier_is_made_before_its_reset(case: FaultCase, variant: str) -> None:
    opens_at: list[float] = []

    def limited(_call: Call) -> Answer:
        seconds = 2.0
        opens_at.append(time.monotonic() + seconds)
        if variant == "seconds":
            return rate_limited(seconds=seconds)
        # Whole seconds, so a little later than two seconds from now.
        epoch = int(time.time() + seconds) + 1
        opens_at[-1] = time.monotonic() + epoch - time.time()
        return rate_limited(epoch=epoch)

    case.server.answer_next(IMPORT, limited)
    ended = case.run(people(9), batch_size_rows=3)
    assert (ended.status, ended.states[-1]) == (0, {"row": 9})
    (refused, *later) = case.server.calls_of(IMPORT)
    assert refused.status == 429
    # Calls that were under way when the tier closed are no fault; none starts after that.
    patient = [call for call in later if call.at > refused.at + 0.5]
    assert patient
    assert all(call.at >= opens_at[0] - 0.01 for call in patient)


ODD_RESETS = {
    "no headers": rate_limited(),
    "past": rate_limited(epoch=1_600_000_000),
    "absurd": rate_limited(seconds=86_400),
    "a year ahead": rate_limited(epoch=4_000_000_000),
    "no number": Answer(429, b"", {"X-RateLimit-Reset": "soon", "X-RateLimit-Scope": "low"}),
}


@fault("F26", *ODD_RESETS)
def test_a_limit_without_a_usable_reset_is_waited_for_with_growing_waits(
    case: FaultCase, variant: str
) -> None:
    case.server.answer_next(IMPORT, ODD_RESETS[variant], times=5)
    ended = case.run(people(3), pace=20)
    assert (ended.status, ended.states[-1]) == (0, {"row": 3})
    assert len(case.server.calls_of(IMPORT)) == 6
    assert "rejected 0" in ended.counts()


@fault("F10", "behind", "ahead")
def test_a_clock_that_jumps_an_hour_makes_no_wait_longer(case: FaultCase, variant: str) -> None:
    case.environment["FAST_CLOCK_JUMP"] = "-3600" if variant == "behind" else "3600"

    def limited(_call: Call) -> Answer:
        return rate_limited(epoch=time.time() + 2)

    case.server.answer_next(IMPORT, limited, limited)
    case.server.polls_to_finish = lambda _each: 2
    ended = case.run(people(6), pace=4, batch_size_rows=3)
    assert (ended.status, ended.states[-1]) == (0, {"row": 6})


@fault("F27", "of an import", "of a poll", "at the start")
def test_the_flat_scheme_is_a_rate_limit_and_not_bad_data(case: FaultCase, variant: str) -> None:
    routes = {"of an import": IMPORT, "of a poll": IMPORT_STATUS, "at the start": DATA_FIELDS}
    route = routes[variant]
    case.server.answer_next(route, usage_exceeded(), times=2)
    pace = 60
    ended = case.run(people(3), pace=pace)
    assert (ended.status, ended.states[-1]) == (0, {"row": 3})
    assert "rejected 0" in ended.counts()
    calls = case.server.calls_of(route)
    # Half a minute at least, then a minute: not before, and no call of another route either.
    assert calls[1].at - calls[0].at > 29 / pace
    assert calls[2].at - calls[1].at > 59 / pace
    others = [call for call in case.server.calls if calls[0].at < call.at < calls[2].at]
    assert others == [calls[1]]


@fault("F28", "of its own", "of other integrations")
def test_a_full_import_queue_is_waited_out(case: FaultCase, variant: str) -> None:
    case.max_calls = 200
    if variant == "of its own":
        case.server.max_active_imports = 1
        case.server.polls_to_finish = lambda _each: 2
        ended = case.run(people(9), pace=10, batch_size_rows=3)
        assert case.server.active_peak == 1
    else:
        # The reset that comes with it says nothing of when an import ends.
        full = too_many_active_imports()
        headers = {"X-RateLimit-Reset": "2500", "X-RateLimit-Scope": "lowCallRate"}
        case.server.answer_next(IMPORT, Answer(full.status, full.body, headers), times=3)
        started = time.monotonic()
        ended = case.run(people(9), pace=10, batch_size_rows=3)
        assert time.monotonic() - started < 120, "it waited for the reset"
    assert (ended.status, ended.states[-1]) == (0, {"row": 9})
    assert "rejected 0" in ended.counts()


@fault("F29", "rate", "flat scheme", "import queue")
def test_a_limit_that_never_ends_fails_the_run_in_time(case: FaultCase, variant: str) -> None:
    answers = {
        "rate": rate_limited(),
        "flat scheme": usage_exceeded(),
        "import queue": too_many_active_imports(),
    }
    case.server.answer_next(IMPORT, answers[variant], times=None)
    ended = case.run(people(5), pace=600, import_timeout_minutes=20)
    assert (ended.status, ended.states) == (1, [])
    assert "20 minutes" in ended.stderr
    assert "0 of 5 rows are settled. [to act: ask Dotdigital support]" in ended.stderr
    assert "rejected 0" in ended.counts()


@fault("F29")
def test_a_limit_that_never_ends_keeps_what_was_settled_before_it(case: FaultCase) -> None:
    seen = itertools.count()
    # The first import is taken, and polled to its end; then nothing more is.
    case.server.answer_next(
        IMPORT, lambda _call: None if next(seen) == 0 else rate_limited(), times=None
    )
    rows = people(6)
    with case.started(rows, pace=600, batch_size_rows=3, import_timeout_minutes=20) as target:
        target.send(*rows[:8])
        target.wait_for('{"row": 3}')
        target.send_what_it_takes(*rows[8:])
        ended = target.end()
    assert (ended.status, ended.states[-1]) == (1, {"row": 3})
    assert "3 of 6 rows are settled" in ended.stderr


@fault("F34")
def test_a_limit_and_a_broken_connection_in_turn(case: FaultCase) -> None:
    for route in (IMPORT, IMPORT_STATUS):
        case.server.answer_next(route, reset(), rate_limited(), reset(), usage_exceeded(), reset())
    ended = case.run(people(3), pace=200)
    assert (ended.status, ended.states[-1]) == (0, {"row": 3})
