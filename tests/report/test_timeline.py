"""What is kept of a run's course: everything of a short one, a sample of a long one."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_dotdigital.api.jobs import IMPORT, REMOVAL
from target_dotdigital.bounded_records import MAX_PROGRESS_POINTS, Sample
from target_dotdigital.errors import AbandonedError, DotdigitalError
from target_dotdigital.events import MAX_JOBS, MAX_STATES, Events
from target_dotdigital.report.builder import timeline_report
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable


@given(st.integers(0, 3000), st.integers(1, 40))
def test_a_sample_is_even_and_says_how_thin_it_is(count: int, limit: int) -> None:
    sample: Sample[int] = Sample(limit)
    for number in range(count):
        sample.add(number)
    assert sample.count == count
    assert len(sample.kept) <= limit
    assert sample.kept == list(range(0, count, sample.every))
    assert sample.every == 1 or len(sample.kept) >= limit // 2


def run_job(timeline: Events, clock: FakeClock, job_id: str, seconds: float = 1.0) -> None:
    with timeline.job(IMPORT.name, 1) as job:
        clock.time += seconds
        job.accept(job_id)
        clock.time += seconds
        job.settle(imported=1, new=1)


def fail_job(
    timeline: Events,
    error: Exception,
    job_id: str | None,
    meanwhile: Callable[[], object] = lambda: None,
) -> None:
    with suppress(type(error)), timeline.job(REMOVAL.name, 1) as job:
        if job_id is not None:
            job.accept(job_id)
        meanwhile()
        raise error


def test_what_became_of_a_job() -> None:
    clock = FakeClock()
    timeline = Events(clock)
    with timeline.job(IMPORT.name, 3) as job:
        clock.time += 1
        job.accept("lost")
        job.end()
        clock.time += 1
        job.accept("import-1")
        clock.time += 1
        job.run(is_queued=False)
        clock.time += 1
        job.end()
        clock.time += 1  # its report is read
        job.settle(imported=2, new=1, updated=1, rejected={"dotdigital.blocker": 1})
    (listed,) = timeline_report(timeline).jobs.listed
    assert (listed.id, listed.earlier_ids, listed.outcome) == ("import-1", ["lost"], "settled")
    times = (listed.requested, listed.accepted, listed.started, listed.ended)
    assert times == (0.0, 2.0, 3.0, 4.0)
    assert (listed.imported, listed.new, listed.updated) == (2, 1, 1)
    assert listed.rejected == {"dotdigital.blocker": 1}


@pytest.mark.parametrize(
    ("is_accepted", "error", "outcome"),
    [
        (False, DotdigitalError("no"), "refused"),
        (True, DotdigitalError("no"), "failed"),
        (True, AbandonedError("leaving"), "under_way"),
    ],
)
def test_a_job_that_comes_to_no_good_end(
    *, is_accepted: bool, error: Exception, outcome: str
) -> None:
    clock = FakeClock()
    timeline = Events(clock)
    fail_job(timeline, error, "1" if is_accepted else None, lambda: clock.sleep(1))
    report = timeline_report(timeline).jobs
    assert report.count == 1
    assert report.listed[0].outcome == outcome
    assert report.listed[0].ended == (None if outcome == "under_way" else 1.0)


def test_of_very_many_jobs_a_sample_is_kept_with_all_that_did_not_go_well() -> None:
    clock = FakeClock()
    timeline = Events(clock)
    for number in range(5_001):
        if number in {1, 1_003, 4_999}:
            fail_job(timeline, DotdigitalError("no"), f"bad-{number}")
        else:
            run_job(timeline, clock, f"import-{number}")
    jobs = timeline_report(timeline).jobs
    assert jobs.count == 5_001
    assert jobs.every > 1
    assert len(jobs.listed) <= 2 * MAX_JOBS
    ids = [each.id for each in jobs.listed]
    assert [each for each in ids if each and each.startswith("bad")] == [
        "bad-1",
        "bad-1003",
        "bad-4999",
    ]
    assert jobs.listed == sorted(jobs.listed, key=lambda each: each.requested)


def test_waits_at_the_same_time_count_once() -> None:
    clock = FakeClock()
    timeline = Events(clock)
    with timeline.waiting("call_limit", "PUT /x"):
        clock.time += 2
        with timeline.waiting("call_limit", "PUT /x"):
            clock.time += 3
        with timeline.waiting("slots", "import"):
            clock.time += 1
    with timeline.waiting("call_limit", "PUT /x"):
        pass  # nothing was waited for
    clock.time += 10
    with timeline.waiting("call_limit", "PUT /x"):
        clock.time += 4
    limit, slots = timeline_report(timeline).waits
    assert (limit.what, limit.count, limit.seconds) == ("PUT /x", 2, 10.0)
    assert [(each.start, each.end) for each in limit.listed] == [(0.0, 6.0), (16.0, 20.0)]
    assert (slots.reason, slots.seconds) == ("slots", 1.0)


def test_a_wait_that_goes_on_is_told() -> None:
    clock = FakeClock()
    timeline = Events(clock)
    with timeline.waiting("call_limit", "PUT /x"):
        clock.time += 7
        (waits,) = timeline_report(timeline).waits
    assert [(each.start, each.end) for each in waits.listed] == [(0.0, 7.0)]


def test_moments_of_a_long_run_are_thinned_and_the_last_is_exact() -> None:
    clock = FakeClock()
    timeline = Events(clock)
    for number in range(1, 20_001):
        clock.time += 0.5
        timeline.note_progress(2 * number, number, 0, 1)
    moments = timeline.progress
    assert len(moments) <= MAX_PROGRESS_POINTS
    assert (moments[0].read, moments[-1].read, moments[-1].at) == (0, 40_000, 10_000.0)
    gaps = [after.at - before.at for before, after in pairwise(moments[:-1])]
    assert max(gaps) <= 8 * min(gaps[1:])


def test_a_change_is_kept_with_its_time_however_long_nothing_follows() -> None:
    clock = FakeClock()
    timeline = Events(clock)
    for seconds, settled in ((1.0, 0), (0.0625, 5), (3600.0, 5), (0.0, 9)):
        clock.time += seconds
        timeline.note_progress(10, settled, 0, 1)
    assert [(each.at, each.settled) for each in timeline.progress] == [
        (0.0, 0),
        (1.0, 0),
        (1.0625, 5),
        (3601.0625, 9),
    ]


def test_states_of_a_long_run_are_counted_and_the_last_is_told() -> None:
    clock = FakeClock()
    timeline = Events(clock)
    for number in range(1, 3_000):
        clock.time += 1
        timeline.note_state(number)
    states = timeline_report(timeline).states
    assert states.count == 2_999
    assert len(states.listed) <= MAX_STATES
    assert states.last is not None
    assert (states.last.at, states.last.row) == (2_999.0, 2_999)
