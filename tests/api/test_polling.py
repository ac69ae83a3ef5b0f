"""When jobs are polled: few calls, and ends that are seen soon. Time is the test's own."""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass, field
from itertools import cycle, pairwise
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_dotdigital.api.jobs import IMPORT, Jobs
from target_dotdigital.api.jobs.poll_limit import EARLY_SECONDS, POLLS_A_MINUTE, PollLimit
from target_dotdigital.api.jobs.polling import (
    MAX_WAIT_SECONDS,
    POLLS_AROUND_THE_END,
    Durations,
    Expected,
    seconds_to_wait,
)
from target_dotdigital.api.replies import ImportStatus
from target_dotdigital.errors import DotdigitalError, NotFoundError
from target_dotdigital.events import Events
from tests.support.clock import FakeClock
from tests.support.shared_clock import SharedClock

if TYPE_CHECKING:
    from target_dotdigital.events import Job

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
    durations.note_running(10, 0.0)
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


def most_in_a_minute(times: list[float]) -> int:
    most, recent = 0, deque[float]()
    for at in sorted(times):
        recent.append(at)
        while recent[0] <= at - 60:
            recent.popleft()
        most = max(most, len(recent))
    return most


@dataclass
class Load:
    """Imports that are worked off side by side, and when they were polled."""

    sizes: list[int]
    seconds: list[float]
    active: int = 25
    told_limit: int | None = POLLS_A_MINUTE
    polled_at: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    wasted: int = 0

    def __post_init__(self) -> None:
        self._clock = SharedClock()
        chances = random.Random(1)  # noqa: S311 - the same every time
        limit = PollLimit(lambda: self.told_limit)
        self._jobs = Jobs(IMPORT, self._clock, 1e9, limit, chances.random)
        self._waiting = deque(zip(self.sizes, self.seconds, strict=True))
        self._clock.run([self._work] * self.active)

    def _work(self) -> None:
        while self._waiting:
            size, seconds = self._waiting.popleft()
            with Events(self._clock).job(IMPORT.name, size) as job:
                self._bring_to_its_end(job, seconds)

    def _bring_to_its_end(self, job: Job, seconds: float) -> None:
        ends_at = math.inf

        def send() -> str:
            nonlocal ends_at
            self._clock.sleep(0.1)
            ends_at = self._clock.now() + seconds
            return "job"

        def poll(_job_id: str) -> ImportStatus:
            now = self._clock.now()
            self.polled_at.append(now)
            self._clock.sleep(0.1)
            self.wasted += now < ends_at
            return status("Finished" if now >= ends_at else "NotFinished")

        self._jobs.complete(send, poll, job)
        self.late.append(self._clock.now() - ends_at)


def at_the_public_pace(sizes: list[int], active: int) -> Load:
    return Load(sizes, [size / PACE for size in sizes], active)


SIZES = st.sampled_from([1, 1_000, 2_000, 10_000])


@settings(max_examples=40, deadline=None)
@given(
    imports=st.lists(
        st.tuples(SIZES, st.one_of(st.floats(0, 2), LASTING)), min_size=1, max_size=60
    ),
    active=st.integers(1, 25),
)
def test_no_minute_has_more_polls_than_the_smallest_tier(
    imports: list[tuple[int, float]], active: int
) -> None:
    load = Load([size for size, _ in imports], [seconds for _, seconds in imports], active)
    assert len(load.late) == len(imports)
    assert most_in_a_minute(load.polled_at) <= POLLS_A_MINUTE


@settings(max_examples=15, deadline=None)
@given(
    seconds=st.one_of(st.floats(0, 120), st.floats(0, 3600)),
    spread=st.sampled_from([0.0, 0.01, 0.1, 0.5]),
    active=st.sampled_from([20, 25]),
    chances=st.randoms(use_true_random=False),
)
def test_ends_that_fall_together_stay_within_the_smallest_tier(
    seconds: float, spread: float, active: int, chances: random.Random
) -> None:
    each = [seconds * (1 + spread * chances.random()) for _ in range(3 * active)]
    load = Load([10_000] * len(each), each, active)
    assert most_in_a_minute(load.polled_at) <= POLLS_A_MINUTE


@pytest.mark.parametrize(
    ("sizes", "active", "late"),
    [
        ([1_000] * 5, 25, 3.0),
        ([1_000, *[2_042] * 24], 25, 1.5),
        ([1_000, *[10_000] * 99], 25, 7.0),
        ([1_000, *[2_579] * 19], 20, 4.0),
        ([1_000, *[10_000] * 99], 20, 7.0),
    ],
)
def test_few_polls_are_enough_at_the_public_pace(
    sizes: list[int], active: int, late: float
) -> None:
    load = at_the_public_pace(sizes, active)
    assert sum(load.late) / len(load.late) <= late
    assert load.wasted <= 10 + len(sizes)


def test_jobs_that_take_twenty_minutes_are_seen_soon_in_few_polls() -> None:
    load = Load([10_000] * 50, [1_200.0] * 50)
    assert sum(load.late) / len(load.late) <= 36
    assert len(load.polled_at) <= 50 + 5 * 40  # five a minute


def test_a_larger_package_has_more_polls() -> None:
    short = [10.0] * 200
    small, large = Load([10_000] * 200, short), Load([10_000] * 200, short, told_limit=150)
    assert sum(large.late) < sum(small.late) / 5
    assert most_in_a_minute(large.polled_at) <= 150


def test_ends_are_not_limited_where_no_limit_is_told() -> None:
    load = Load([10_000] * 100, [3.0] * 100, told_limit=None)
    assert sum(load.late) / len(load.late) <= 1.5
    assert max(load.late) <= 3


def test_an_end_that_is_found_at_once_hides_no_poll_of_another_job() -> None:
    limit, waits = PollLimit(), []
    limit.add("import", 10_000, 0.0)
    for second in range(1, 61):
        waits.append(limit.take("import", second, Expected(0.0, 0.0)))
        limit.add(second, 1, second)
        assert limit.take_at_once(second, second, Expected(0.0, 0.1)) == 0
        limit.note_end(second, second)
        limit.remove(second)
    assert waits.count(0) == POLLS_A_MINUTE


def test_an_end_that_comes_much_sooner_than_those_before_is_seen_within_minutes() -> None:
    load = Load([10_000] * 50, [600.0] * 25 + [5.0] * 25)
    assert max(load.late[25:]) <= MAX_WAIT_SECONDS + 2 * EARLY_SECONDS


def test_while_nothing_is_known_the_smallest_job_is_looked_at() -> None:
    load = Load([10_000, 1_000, 10_000], [500.0, 50.0, 500.0], active=3)
    assert load.late[0] <= 50 * 0.4
    early = [at - 1000 for at in load.polled_at if at < 1050]
    assert len(early) <= 18


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
