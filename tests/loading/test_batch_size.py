"""How full imports go. Time, slots and Dotdigital's pace are the test's own."""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_dotdigital.loading.batch_size import (
    CALL_WINDOW_SECONDS,
    CHEAP_CALLS,
    SMALLEST_IMPORT,
    BatchSize,
    Capacity,
)
from target_dotdigital.loading.batching import Batches, Downstream
from target_dotdigital.loading.imports import Import, split
from tests.support.builders import contact
from tests.support.clock import FakeClock
from tests.support.network import settings as account_settings

if TYPE_CHECKING:
    from target_dotdigital.loading.removals import Removal

PACE = 1_000_000 / (3 * 3600)
FULL = 10_000
PEOPLE = [contact(f"p{number}@example.com") for number in range(60_000)]


@dataclass
class Dotdigital:
    """Works loads off in its slots; who waits for it lets time pass."""

    slots: int = 25
    pace: float = PACE
    may_split: bool = True
    knows_pace: bool = True

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.ends: list[float] = []
        self.last_end = self.clock.now()
        self.ended = 0
        self.sent: list[tuple[float, Import | Removal]] = []

    def downstream(self) -> Downstream:
        return Downstream(lambda: 10**7, self.capacity, self.wait)

    def capacity(self) -> Capacity:
        while self.ends and self.ends[0] <= self.clock.now():
            heapq.heappop(self.ends)
            self.ended += 1
        seconds = FULL / self.pace if self.ended and self.knows_pace else None
        free = self.slots - len(self.ends)
        return Capacity(self.clock.now(), free, self.may_split, seconds)

    def wait(self, seconds: float | None) -> None:
        until = self.clock.now() + (math.inf if seconds is None else seconds)
        until = min([until, *self.ends[:1]])
        assert math.isfinite(until), "nothing is under way that could end"
        self.clock.time = max(until, self.clock.time)

    def take(self, load: Import | Removal) -> None:
        while not self.capacity().free:
            self.wait(None)
        now = self.clock.now()
        end = now + len(load.contacts) / self.pace
        heapq.heappush(self.ends, end)
        self.last_end = max(self.last_end, end)
        self.sent.append((now, load))

    def sizes(self) -> list[int]:
        return [len(load.contacts) for _, load in self.sent]

    def most_calls(self) -> int:
        times, recent, most = [at for at, _ in self.sent], deque[float](), 0
        for at in times:
            recent.append(at)
            while recent[0] <= at - CALL_WINDOW_SECONDS:
                recent.popleft()
            most = max(most, len(recent))
        return most


def load(dotdigital: Dotdigital, rows: int, rows_a_second: float, batch: int = FULL) -> float:
    """Load rows as a tap sends them; return how long that takes."""
    configured = account_settings("http://127.0.0.1", batch_size_rows=batch)
    batches = Batches(configured, dotdigital.clock, dotdigital.take, dotdigital.downstream())
    began = dotdigital.clock.now()
    for number, each in enumerate(PEOPLE[:rows]):
        dotdigital.clock.time += 1 / rows_a_second
        assert batches.join(each, "overwrite", number)
        if number % 500 == 0:
            batches.send_due()
    batches.flush()
    return dotdigital.last_end - began


def check_everybody_was_sent_once(dotdigital: Dotdigital, rows: int) -> None:
    keys = [key for _, each in dotdigital.sent for key in each.contacts]
    assert sorted(keys) == sorted(one.key for one in PEOPLE[:rows])


@pytest.mark.parametrize(("rows", "most"), [(20_000, 12), (50_000, 29)])
def test_a_load_is_divided_among_all_slots(rows: int, most: float) -> None:
    dotdigital = Dotdigital()
    assert load(dotdigital, rows, 100_000) <= most
    check_everybody_was_sent_once(dotdigital, rows)


def test_a_small_load_stays_one_import() -> None:
    dotdigital = Dotdigital()
    load(dotdigital, SMALLEST_IMPORT - 1, 100_000)
    assert dotdigital.sizes() == [SMALLEST_IMPORT - 1]


def block_by_block(dotdigital: Dotdigital, rows: int, block: int) -> None:
    """Load rows as a file gives them: many at a time."""
    configured = account_settings("http://127.0.0.1")
    batches = Batches(configured, dotdigital.clock, dotdigital.take, dotdigital.downstream())
    people = PEOPLE[:rows]
    while people:
        joined = batches.join_several(people[:block], "overwrite", rows - len(people))
        people = people[joined:]
        batches.send_due()
    batches.flush()


@pytest.mark.parametrize("block", [700, 1_900, 2_600, 4_900, 5_000])
@pytest.mark.parametrize("rows", [5_000, 4_700])
def test_a_small_load_is_divided_evenly_whatever_is_read_at_a_time(rows: int, block: int) -> None:
    dotdigital = Dotdigital()
    block_by_block(dotdigital, rows, block)
    check_everybody_was_sent_once(dotdigital, rows)
    assert max(dotdigital.sizes()) <= 1_400
    assert len(dotdigital.sizes()) <= 6


@pytest.mark.parametrize("quick", [Dotdigital(pace=10**6), Dotdigital(may_split=False)])
def test_imports_go_when_they_are_full_where_smaller_ones_are_of_no_use(quick: Dotdigital) -> None:
    load(quick, 60_000, 100_000)
    first, *others = quick.sizes()
    assert first in {SMALLEST_IMPORT, FULL}
    assert set(others[:-1]) == {FULL}


def test_a_batch_size_below_the_smallest_import_is_kept_to() -> None:
    dotdigital = Dotdigital()
    load(dotdigital, 3_000, 100_000, 300)
    assert set(dotdigital.sizes()) == {300}


def test_contacts_of_which_few_fit_into_a_request_are_not_held_back() -> None:
    dotdigital = Dotdigital()
    configured = account_settings("http://127.0.0.1")
    downstream = Downstream(
        lambda: 1_000, dotdigital.capacity, lambda _seconds: pytest.fail("it waits")
    )
    batches = Batches(configured, dotdigital.clock, dotdigital.take, downstream)
    for number, each in enumerate(PEOPLE[:100]):
        assert batches.join(each, "overwrite", number)
    batches.flush()
    check_everybody_was_sent_once(dotdigital, 100)


def test_a_tap_that_pauses_does_not_keep_slots_idle() -> None:
    dotdigital = Dotdigital()
    configured = account_settings("http://127.0.0.1")
    batches = Batches(configured, dotdigital.clock, dotdigital.take, dotdigital.downstream())
    for number, each in enumerate(PEOPLE[:5_000]):
        batches.join(each, "overwrite", number)
    left = batches.seconds_left()
    assert left is not None
    assert left < 30
    dotdigital.clock.time += left
    batches.send_due()
    assert sum(dotdigital.sizes()) == 5_000
    assert batches.seconds_left() is None


def test_a_rest_stays_open_where_halves_would_be_too_small() -> None:
    dotdigital = Dotdigital(slots=2)
    configured = account_settings("http://127.0.0.1")
    batches = Batches(configured, dotdigital.clock, dotdigital.take, dotdigital.downstream())
    batches._size.note_sent(200_000, -1000.0)
    for number, each in enumerate(PEOPLE[:11_000]):
        batches.join(each, "overwrite", number)
    dotdigital.clock.time += 2
    batches.send_due()
    assert dotdigital.sizes() == [FULL]
    assert [len(each.contacts) for each in batches] == [1_000]
    batches.flush()
    check_everybody_was_sent_once(dotdigital, 11_000)


def test_contacts_that_are_left_when_slots_come_free_together_are_divided_among_them() -> None:
    """25 imports end within half a second; 30,000 contacts more must not go into three slots."""
    dotdigital = Dotdigital()
    configured = account_settings("http://127.0.0.1")
    batches = Batches(configured, dotdigital.clock, dotdigital.take, dotdigital.downstream())
    dotdigital.ends = [dotdigital.clock.now() + 100 + number / 50 for number in range(25)]
    for number, each in enumerate(PEOPLE[:30_000]):
        batches.join(each, "overwrite", number)
    batches.flush()
    assert len(dotdigital.sizes()) > 10
    assert max(dotdigital.sizes()) <= 3_000


@settings(max_examples=100, deadline=None)
@given(
    rows=st.one_of(st.integers(1, 60_000), st.integers(30_000, 60_000)),
    rows_a_second=st.sampled_from([200.0, 3_000.0, 20_000.0, 500_000.0]),
    slots=st.integers(1, 25),
    pace=st.sampled_from([PACE, 1_000.0, 100_000.0]),
    batch=st.sampled_from([700, 1_500, 2_050, FULL]),
)
def test_whatever_comes_is_sent_once_in_few_calls(
    rows: int, rows_a_second: float, slots: int, pace: float, batch: int
) -> None:
    dotdigital = Dotdigital(slots, pace)
    load(dotdigital, rows, rows_a_second, batch)
    check_everybody_was_sent_once(dotdigital, rows)
    assert max(dotdigital.sizes()) <= batch
    small = [(at, each) for at, each in dotdigital.sent if len(each.contacts) < batch]
    for at, _ in small[:-1]:
        recent = sum(at - CALL_WINDOW_SECONDS < each <= at for each, _ in dotdigital.sent)
        assert recent <= CHEAP_CALLS + 1
    # One may be what was left at the end.
    least = min(SMALLEST_IMPORT * 2 // 3, batch // 2)
    assert all(len(each.contacts) >= least for _, each in small[:-1])


@given(
    sent=st.integers(0, 3_000_000),
    contacts=st.integers(1, 300_000),
    free=st.integers(0, 25),
    is_last=st.booleans(),
)
def test_parts_are_never_too_large_nor_too_many(
    sent: int, contacts: int, free: int, *, is_last: bool
) -> None:
    batch_size, capacity = (
        BatchSize(FULL),
        Capacity(0.0, free, may_split=True, full_import_seconds=100.0),
    )
    batch_size.note_sent(sent, -1000.0)
    size = batch_size.part_size(contacts, capacity, is_last=is_last)
    assert 0 < size <= FULL
    parts = math.ceil(contacts / size)
    if parts > math.ceil(contacts / FULL):
        assert parts <= free
        assert size >= (SMALLEST_IMPORT * 2 // 3 if is_last else SMALLEST_IMPORT)
    if size < min(FULL, contacts) and not is_last:
        assert size >= min(sent // 16, FULL)


def test_small_imports_are_sent_only_while_calls_are_cheap() -> None:
    batch_size, capacity = (
        BatchSize(FULL),
        Capacity(100.0, 25, may_split=True, full_import_seconds=100.0),
    )
    for number in range(CHEAP_CALLS):
        assert batch_size.is_due(5_000, 0.0, capacity)
        assert batch_size.limit(5_000, 0, 0.0, capacity) <= 5_000
        batch_size.note_sent(1_000, 50.0 + number)
    assert not batch_size.is_due(5_000, 0.0, capacity)
    assert batch_size.limit(5_000, 0, 0.0, capacity) == FULL
    assert batch_size.part_size(5_000, capacity, is_last=True) == 5_000
    assert batch_size.is_due(5_000, 0.0, capacity._replace(now=50.0 + CALL_WINDOW_SECONDS))


@pytest.mark.parametrize("each", [SMALLEST_IMPORT, 2_000, 5_000, 11_000, 19_000])
def test_a_million_contacts_take_few_calls_however_slowly_they_come(each: int) -> None:
    """Every import goes as soon as it may."""
    batch_size, now, sent, calls, waiting = BatchSize(FULL), 0.0, 0, 0, 0
    while sent < 1_000_000:
        now += 1000
        waiting += each
        capacity = Capacity(now, 25, may_split=True, full_import_seconds=100.0)
        if batch_size.is_due(waiting, -math.inf, capacity) or waiting >= batch_size.limit(
            waiting, 0, 0, capacity
        ):
            size = batch_size.part_size(waiting, capacity, is_last=False)
            # A rest that is smaller than a full one stays.
            for _ in range(max(waiting // size, 1)):
                part = min(waiting, size)
                batch_size.note_sent(part, now)
                calls, sent, waiting = calls + 1, sent + part, waiting - part
    assert calls <= 141


@given(st.integers(1, 400), st.integers(1, 100), st.integers(150, 20_000))
def test_a_divided_import_holds_the_same_in_the_same_order(
    contacts: int, most: int, max_bytes: int
) -> None:
    whole = Import("overwrite", 7, 5.0, following=Import("overwrite", 9, 6.0))
    for each in PEOPLE[:contacts]:
        whole.add(each)
    divided = split(whole, most, max_bytes)
    assert [key for each in divided for key in each.contacts] == list(whole.contacts)
    assert list(divided[0].chain) == [*divided, whole.following]
    assert {(each.first_row, each.opened_at) for each in divided} == {(7, 5.0)}
    assert all(each.size <= max_bytes or len(each.contacts) == 1 for each in divided)
    assert max(len(each.contacts) for each in divided) <= most
