"""When jobs are polled: few calls, and ends that are seen soon. Time is the test's own."""

from __future__ import annotations

from itertools import cycle, pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_dotdigital.api.jobs import IMPORT, Jobs
from target_dotdigital.api.jobs.polling import (
    MAX_WAIT_SECONDS,
    POLLS_AROUND_THE_END,
    WASTED_POLLS_A_SECOND,
    WASTED_POLLS_AT_A_TIME,
    Durations,
    Expected,
    PollLimit,
    seconds_to_wait,
)
from target_dotdigital.api.replies import ImportStatus
from target_dotdigital.errors import DotdigitalError, NotFoundError
from target_dotdigital.events import Events
from tests.support.clock import FakeClock

PACE = 1_000_000 / (3 * 3600)
CHANCES = st.floats(0, 1, exclude_max=True)
LASTING = st.floats(0, 4 * 3600)


def status(word: str) -> ImportStatus:
    return msgspec.convert({"status": word}, ImportStatus)


class Dotdigital:
    """Ends one job after another as told, and notes when it was polled."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.jobs = Jobs(
            IMPORT, self.clock, 24 * 3600.0, PollLimit(), cycle((0.1, 0.8, 0.4, 0.6)).__next__
        )
        self.polled_at: list[float] = []

    def run(self, seconds: float, size: int = 10_000) -> float:
        """Bring a job to its end; return how long that was not noticed."""
        taken_at = self.clock.now()
        self.polled_at = []

        def poll(_job_id: str) -> ImportStatus:
            self.polled_at.append(self.clock.now() - taken_at)
            is_over = self.polled_at[-1] >= seconds
            return status("Finished" if is_over else "NotFinished")

        with Events(self.clock).job(IMPORT.name, size) as job:
            self.jobs.complete(lambda: "job", poll, job)
        return self.clock.now() - taken_at - seconds


def test_jobs_that_end_at_once_cost_a_poll_each_and_no_wait() -> None:
    dotdigital = Dotdigital()
    for _ in range(100):
        dotdigital.run(0)
        assert len(dotdigital.polled_at) == 1
    assert dotdigital.clock.waits == []
    dotdigital.run(0)
    dotdigital.run(0.5)  # none of the polls before was wasted
    assert max(dotdigital.clock.waits) <= 1


def test_only_the_first_job_is_looked_at_right_after_it_was_taken_where_that_is_too_early() -> None:
    dotdigital = Dotdigital()
    dotdigital.run(100)
    assert dotdigital.polled_at[0] == 0
    for _ in range(5):
        dotdigital.run(100)
        assert dotdigital.polled_at[0] > 30


def test_no_job_is_looked_at_at_once_while_another_is_still_running() -> None:
    durations = Durations()
    assert durations.ends_at_once(10)
    durations.note_running()
    assert not durations.ends_at_once(10)
    durations.note_end(10, 0.0, 0.1)
    assert durations.ends_at_once(10)


def test_a_job_that_outlasts_a_look_at_once_tells_the_others() -> None:
    dotdigital = Dotdigital()
    looks: list[bool] = []

    def poll(_job_id: str) -> ImportStatus:
        looks.append(dotdigital.jobs.durations.ends_at_once(1))
        return status("Finished" if len(looks) == 3 else "NotFinished")

    with Events(dotdigital.clock).job(IMPORT.name, 1) as job:
        dotdigital.jobs.complete(lambda: "job", poll, job)
    assert looks == [True, False, False]


@pytest.mark.parametrize("seconds", [3.0, 10.8, 108.0, 1200.0, 3 * 3600.0])
def test_the_ends_of_jobs_alike_are_foreseen(seconds: float) -> None:
    dotdigital = Dotdigital()
    late = [dotdigital.run(seconds * (1 + share / 100)) for share in (0, 2, -1, 1, -2, 0, 1, 2, 0)]
    assert max(late[-3:]) <= max(0.03 * seconds, 0.5)
    assert len(dotdigital.polled_at) <= 2 * POLLS_AROUND_THE_END + seconds / (
        MAX_WAIT_SECONDS * 0.9
    )


def test_jobs_of_other_sizes_are_foreseen_where_the_size_tells() -> None:
    dotdigital = Dotdigital()
    for size in (1_000, 2_000, 4_000, 3_000, 6_000, 7_000):
        dotdigital.run(size / PACE, size)
    assert dotdigital.run(10_000 / PACE, 10_000) <= 4
    assert len(dotdigital.polled_at) <= 2 * POLLS_AROUND_THE_END


def test_a_job_that_is_much_quicker_than_those_before_it_is_found_within_a_minute() -> None:
    dotdigital = Dotdigital()
    for _ in range(5):
        dotdigital.run(3600)
    assert dotdigital.run(30) <= MAX_WAIT_SECONDS
    assert dotdigital.run(30) <= MAX_WAIT_SECONDS
    for _ in range(10):
        late = dotdigital.run(30)
    assert late <= 3


@settings(deadline=None)
@given(st.lists(st.tuples(LASTING, st.integers(1, 10_000)), max_size=12), CHANCES)
def test_no_job_is_left_alone_for_long_whatever_was_learned(
    ended: list[tuple[float, int]], chance: float
) -> None:
    durations = Durations()
    for seconds, size in ended:
        durations.note_end(size, 0.0, seconds)
    expected = durations.expected(10_000)
    assert (expected is None) == (not ended)
    age, waits = 0.0, []
    while age < 3600:
        waits.append(seconds_to_wait(age, expected, chance))
        age += waits[-1]
    assert min(waits) > 0
    assert max(waits) <= MAX_WAIT_SECONDS
    assert len(waits) <= 3600 / (MAX_WAIT_SECONDS * 0.9) + 60
    if expected is not None:
        assert 0 <= expected.earliest <= expected.latest


@given(CHANCES, st.floats(1, 10_000), st.floats(0, 0.2))
def test_waits_grow_again_past_the_expected_end(
    chance: float, earliest: float, width: float
) -> None:
    expected = Expected(earliest, earliest * (1 + width))
    age, waits = expected.latest, []
    while age < 6 * expected.latest:
        waits.append(seconds_to_wait(age, expected, chance))
        age += waits[-1]
    assert all(earlier <= later + 1e-9 for earlier, later in pairwise(waits))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.01, 0.1, 0.3]), st.booleans()),
        min_size=1,
        max_size=300,
    ),
)
def test_wasted_polls_are_few_in_any_second(steps: list[tuple[float, bool]]) -> None:
    limit, now, wasted = PollLimit(), 0.0, []
    for passed, is_wasted in steps:
        now += passed
        wait = limit.take(now)
        assert wait >= 0
        if wait == 0 and is_wasted:
            wasted.append(now)
        elif wait == 0:
            limit.give_back()
    for first in wasted:
        in_a_second = sum(first <= each < first + 1 for each in wasted)
        assert in_a_second <= 5
    assert len(wasted) <= WASTED_POLLS_A_SECOND * now + WASTED_POLLS_AT_A_TIME


def test_polls_that_find_ends_are_not_limited() -> None:
    limit = PollLimit()
    for _ in range(1000):
        assert limit.take(5.0) == 0
        limit.give_back()


def test_a_poll_may_be_taken_after_the_wait_that_is_told() -> None:
    limit, now = PollLimit(), 0.0
    for _ in range(50):
        while (wait := limit.take(now)) > 0:
            now += wait
    assert 45 / WASTED_POLLS_A_SECOND <= now <= 55 / WASTED_POLLS_A_SECOND


def test_polls_that_were_made_unasked_are_made_up_for() -> None:
    limit = PollLimit()
    for _ in range(20):
        limit.charge(0.0)
    assert limit.take(1.0) > 0
    assert limit.take(20 / WASTED_POLLS_A_SECOND) == 0


def test_many_jobs_together_keep_to_the_limit() -> None:
    """25 jobs in turn on one clock, as their threads would: each takes what the limit leaves."""
    limit, now, polls = PollLimit(), 0.0, 0
    due = [0.0] * 25
    while now < 60:
        which = min(range(25), key=due.__getitem__)
        now = max(now, due[which])
        wait = limit.take(now)
        polls += wait == 0
        due[which] = now + (wait or seconds_to_wait(min(now, 3.0), None, 0.5))
    assert polls <= WASTED_POLLS_A_SECOND * 61 + 1


def test_a_job_unknown_right_after_it_was_taken_is_given_time() -> None:
    """The 404 that comes too early does not count; four more are believed, seconds later."""
    clock = FakeClock()
    jobs = Jobs(IMPORT, clock, 3600.0, PollLimit(), lambda: 0.5)
    asked_at: list[float] = []

    def poll(job_id: str) -> ImportStatus:
        asked_at.append(clock.now() - 1000)
        if job_id == "job-1":
            raise NotFoundError("404")
        return status("Finished")

    names = iter(["job-1", "job-2"])
    with Events(clock).job(IMPORT.name, 1) as job:
        assert jobs.complete(lambda: next(names), poll, job)[0] == "job-2"
    assert asked_at[0] == 0
    assert len(asked_at) == 6
    assert asked_at[4] >= 7


def test_ends_other_than_well_teach_nothing() -> None:
    clock = FakeClock()
    jobs = Jobs(IMPORT, clock, 3600.0, PollLimit())
    with pytest.raises(DotdigitalError), Events(clock).job(IMPORT.name, 1) as job:
        jobs.complete(lambda: "job", lambda _job_id: status("Failed"), job)
    assert jobs.durations.expected(1) is None
