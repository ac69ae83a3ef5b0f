"""When calls are held back, and for how long: from answers' headers alone, on a fake clock."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest
from requests.structures import CaseInsensitiveDict
from typing_extensions import override

from target_dotdigital.api.rate_limits import (
    MAX_BLIND_WAIT_SECONDS,
    MAX_USAGE_WAIT_SECONDS,
    RESET_SPREAD_SECONDS,
    RateLimits,
)
from target_dotdigital.clock import Clock
from target_dotdigital.errors import AbandonedError
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

SERVER_TIME = 1_790_000_000
IMPORT, STATUS, BOOKS, FIELDS = "PUT /import", "GET /import/{id}", "GET /books", "GET /fields"
HOUR = 3600.0
TIMEOUT_SECONDS = 10


class SteppedClock(Clock):
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 1000.0
        self.sleepers = 0
        self._changed = threading.Condition()

    @override
    def now(self) -> float:
        return self.time

    @override
    def sleep(self, seconds: float) -> None:
        with self._changed:
            until = self.time + seconds
            self.sleepers += 1
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self.time >= until, TIMEOUT_SECONDS)
            self.sleepers -= 1

    def wait_for_sleepers(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.sleepers == count, TIMEOUT_SECONDS)

    def advance(self, seconds: float) -> None:
        with self._changed:
            self.time += seconds
            self._changed.notify_all()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def limits(clock: FakeClock) -> RateLimits:
    return RateLimits(clock, wall_time=lambda: SERVER_TIME, jitter=lambda: 0.0)


@pytest.fixture
def longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every random wait as long as it can be."""
    monkeypatch.setattr(random, "uniform", lambda _low, high: high)


def headers(
    reset: object = None,
    *,
    scope: str | None = "lowCallRate",
    remaining: int | None = 0,
    date: float | str | None = SERVER_TIME,
) -> CaseInsensitiveDict[str]:
    told = {
        "X-RateLimit-Reset": reset,
        "X-RateLimit-Scope": scope,
        "X-RateLimit-Remaining": remaining,
        "Date": formatdate(date, usegmt=True) if isinstance(date, int | float) else date,
    }
    # In lower case, as HTTP/2 has them.
    return CaseInsensitiveDict(
        {name.lower(): str(value) for name, value in told.items() if value is not None}
    )


def wait_of(limits: RateLimits, clock: FakeClock, route: str) -> float:
    """Return how long a call is held back, without changing the time."""
    start = clock.time
    limits.wait(route)
    waited, clock.time = clock.time - start, start
    return waited


def about(seconds: float) -> object:
    """Match a wait that is spread as widely as waits for a reset are."""
    return pytest.approx(seconds + RESET_SPREAD_SECONDS / 2, abs=RESET_SPREAD_SECONDS / 2)


def test_nothing_is_held_back_before_the_account_says_so(
    limits: RateLimits, clock: FakeClock
) -> None:
    limits.wait(IMPORT)
    limits.succeeded(IMPORT, headers(30, remaining=1))
    limits.succeeded(STATUS, CaseInsensitiveDict())
    assert wait_of(limits, clock, IMPORT) == wait_of(limits, clock, STATUS) == 0


@pytest.mark.parametrize("wall_error", [0.0, HOUR, -HOUR])
@pytest.mark.parametrize(
    ("reset", "date"),
    [(SERVER_TIME + 30, SERVER_TIME), (30, SERVER_TIME), (30, None), ("30.0", "no date")],
)
def test_a_reset_is_waited_for_in_either_spelling_whatever_this_machines_time(
    reset: object, date: float | str | None, wall_error: float, clock: FakeClock
) -> None:
    limits = RateLimits(clock, lambda: SERVER_TIME + wall_error, jitter=lambda: 0.0)
    limits.limited(IMPORT, headers(reset, date=date))
    assert wait_of(limits, clock, IMPORT) == 30


UNREADABLE_DATES = [
    None,
    "",
    "yesterday",
    "Mon, 99 Foo 2026",
    "Mon, 01 Jan 2024 00:00:00 +9999999999999999999",
]


@pytest.mark.parametrize("date", UNREADABLE_DATES)
def test_a_reset_is_compared_with_this_machines_time_if_there_is_no_date(
    date: str | None, limits: RateLimits, clock: FakeClock
) -> None:
    limits.limited(IMPORT, headers(SERVER_TIME + 30, date=date))
    assert wait_of(limits, clock, IMPORT) == 30


@pytest.mark.parametrize("wall_error", [HOUR, -HOUR])
@pytest.mark.usefixtures("longest")
def test_without_a_date_a_wrong_machine_time_costs_a_short_wait_at_most(
    wall_error: float, clock: FakeClock
) -> None:
    limits = RateLimits(clock, lambda: SERVER_TIME + wall_error, jitter=lambda: 0.0)
    limits.limited(IMPORT, headers(SERVER_TIME + 30, date=None))
    assert 0 < wait_of(limits, clock, IMPORT) <= 1


USELESS = [
    *(None, "", "soon", "nan", "inf", "-5", "0", "1e400"),
    *(SERVER_TIME, SERVER_TIME - 1, SERVER_TIME + 301, 301, SERVER_TIME * 1000, "9" * 400),
]


@pytest.mark.parametrize("reset", USELESS)
@pytest.mark.usefixtures("longest")
def test_without_a_usable_reset_waits_double_up_to_a_minute(
    reset: object, limits: RateLimits, clock: FakeClock
) -> None:
    for _ in range(9):
        limits.limited(IMPORT, headers(reset))
        limits.wait(IMPORT)
    assert clock.waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert clock.waits[-1] == MAX_BLIND_WAIT_SECONDS


def test_blind_waits_are_spread_from_nothing_to_their_limit(
    limits: RateLimits, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges: list[tuple[float, float]] = []

    def noted(low: float, high: float) -> float:
        ranges.append((low, high))
        return high / 4

    monkeypatch.setattr(random, "uniform", noted)
    for _ in range(3):
        limits.limited(IMPORT, headers())
        limits.wait(IMPORT)
    assert ranges == [(0, 1), (0, 2), (0, 4)]
    assert clock.waits == [0.25, 0.5, 1]


@pytest.mark.usefixtures("longest")
def test_a_success_starts_the_blind_waits_anew(limits: RateLimits, clock: FakeClock) -> None:
    for expected in (1, 2, 4):
        limits.limited(IMPORT, headers())
        limits.wait(IMPORT)
        assert clock.waits[-1] == expected
    limits.succeeded(IMPORT, headers(remaining=9))
    limits.limited(IMPORT, headers())
    limits.wait(IMPORT)
    assert clock.waits[-1] == 1


def test_the_last_call_of_a_window_closes_the_tier_before_a_call_is_refused(
    limits: RateLimits, clock: FakeClock
) -> None:
    limits.succeeded(IMPORT, headers(SERVER_TIME + 42))
    assert wait_of(limits, clock, IMPORT) == 42
    clock.time += 42
    assert wait_of(limits, clock, IMPORT) == 0


@pytest.mark.parametrize("reset", USELESS)
def test_the_last_call_of_a_window_without_a_usable_reset_closes_nothing(
    reset: object, limits: RateLimits, clock: FakeClock
) -> None:
    limits.succeeded(IMPORT, headers(reset))
    assert wait_of(limits, clock, IMPORT) == 0


def test_tiers_are_held_back_one_by_one(limits: RateLimits, clock: FakeClock) -> None:
    limits.succeeded(BOOKS, headers(remaining=9))
    limits.succeeded(STATUS, headers(remaining=9, scope="unlimited"))
    limits.limited(IMPORT, headers(30))
    assert wait_of(limits, clock, IMPORT) == 30
    assert wait_of(limits, clock, BOOKS) == 30
    assert wait_of(limits, clock, STATUS) == 0
    assert wait_of(limits, clock, FIELDS) == 0


def test_a_route_without_a_scope_is_a_tier_of_its_own(limits: RateLimits, clock: FakeClock) -> None:
    limits.limited(IMPORT, headers(30, scope=None))
    assert wait_of(limits, clock, IMPORT) == 30
    assert wait_of(limits, clock, STATUS) == 0


def test_an_earlier_reset_does_not_open_a_closed_tier(limits: RateLimits, clock: FakeClock) -> None:
    limits.limited(IMPORT, headers(30))
    limits.limited(IMPORT, headers(5))
    limits.succeeded(IMPORT, headers(5))
    limits.succeeded(BOOKS, headers(remaining=9))
    assert wait_of(limits, clock, IMPORT) == 30


def test_the_flat_scheme_closes_every_tier_longer_and_longer(clock: FakeClock) -> None:
    limits = RateLimits(clock, jitter=lambda: 1.0)
    limits.succeeded(STATUS, headers(remaining=9, scope="unlimited"))
    for expected in (60, 120, 240, 480, 900, 900):
        limits.usage_exceeded()
        for route in (IMPORT, STATUS, FIELDS):
            assert wait_of(limits, clock, route) == about(expected)
        clock.time += expected + RESET_SPREAD_SECONDS
    assert expected == MAX_USAGE_WAIT_SECONDS
    limits.succeeded(STATUS, CaseInsensitiveDict())
    limits.usage_exceeded()
    assert wait_of(limits, clock, IMPORT) == about(60)


def test_the_waits_of_the_flat_scheme_vary_but_are_never_short(
    limits: RateLimits, clock: FakeClock
) -> None:
    limits.usage_exceeded()
    assert wait_of(limits, clock, IMPORT) == 30
    clock.time += 30
    limits.usage_exceeded()
    assert wait_of(limits, clock, IMPORT) == 60


def limit(limits: RateLimits) -> None:
    limits.limited(IMPORT, headers())


@pytest.mark.parametrize(
    ("refuse", "first"), [(limit, 1), (RateLimits.usage_exceeded, 60)], ids=["429", "flat scheme"]
)
@pytest.mark.usefixtures("longest")
def test_calls_that_are_refused_together_lengthen_the_wait_once(
    refuse: Callable[[RateLimits], None], first: float, clock: FakeClock
) -> None:
    limits = RateLimits(clock, jitter=lambda: 1.0)
    for _ in range(20):  # they were under way when the first of them was refused
        refuse(limits)
    assert wait_of(limits, clock, IMPORT) == about(first)
    clock.time += first + RESET_SPREAD_SECONDS
    refuse(limits)
    assert wait_of(limits, clock, IMPORT) == about(first * 2)


def test_threads_wait_at_once_and_none_calls_before_the_reset() -> None:
    clock = SteppedClock()
    limits = RateLimits(clock, jitter=lambda: 0.0)
    limits.limited(IMPORT, headers(30))
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(limits.wait, IMPORT) for _ in range(8)]
        clock.wait_for_sleepers(8)
        limits.wait(STATUS)  # another tier is open all the while
        clock.advance(29)
        limits.limited(IMPORT, headers(11))  # somebody else used the next window up
        clock.advance(1)
        clock.wait_for_sleepers(8)
        assert not any(call.done() for call in calls)
        clock.advance(11)
        for call in calls:
            call.result(TIMEOUT_SECONDS)


def test_calls_that_wait_for_the_same_reset_do_not_start_at_the_same_time(clock: FakeClock) -> None:
    limits = RateLimits(clock, jitter=random.Random(1).random)  # noqa: S311 - not for secrets
    limits.limited(IMPORT, headers(30))
    starts = {wait_of(limits, clock, IMPORT) for _ in range(5)}
    assert len(starts) == 5
    assert all(30 <= start <= 32 for start in starts)


def test_giving_up_ends_a_wait(limits: RateLimits, clock: FakeClock) -> None:
    limits.limited(IMPORT, headers(30))
    clock.abandon()
    with pytest.raises(AbandonedError):
        limits.wait(IMPORT)
    assert clock.waits == []


@pytest.mark.parametrize("limit", [1, 35])
def test_no_minute_has_more_calls_than_its_tier_wherever_dotdigital_lets_one_begin(
    limit: int,
) -> None:
    clock, called_at = FakeClock(), []
    limits = RateLimits(clock)
    headers = CaseInsensitiveDict(
        {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": "9", "X-RateLimit-Scope": "low"}
    )
    for number in range(3 * limit):
        route = (IMPORT, BOOKS)[number % 2]  # they share the tier
        limits.wait(route)
        called_at.append(clock.now())
        limits.succeeded(route, headers)
    for each in called_at[2:]:  # by then both routes are known to be of it
        assert sum(each - 60 < other <= each for other in called_at) <= max(limit, 2)
    assert called_at[-1] - called_at[0] < 3 * 63
    assert limits.limit_of(IMPORT) == limit
    assert limits.limit_of(STATUS) is None
    assert limits.is_open(STATUS)
    assert not limits.is_open(IMPORT)
