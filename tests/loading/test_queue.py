"""Imports side by side: what shares a contact stays in order, and nothing else waits."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from io import BytesIO
from itertools import combinations
from queue import Queue
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_dotdigital.errors import DotdigitalError
from target_dotdigital.loading.imports import Import, conflict_retry, import_body
from target_dotdigital.loading.queue import Ended, Load, LoadQueue, overlapping_key
from target_dotdigital.loading.settlement.settlement import Settlement
from target_dotdigital.loading.wakeup import Wakeup
from target_dotdigital.mapping.contacts.contact import OwnSource, Row
from target_dotdigital.mapping.contacts.stream_counts import StreamCounts
from target_dotdigital.settings.stream_schema import MERGE_OPTIONS
from tests.support.builders import contact, contents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from target_dotdigital.mapping.contacts.contact import Contact
    from target_dotdigital.settings.stream_schema import MergeOption

PATIENCE_SECONDS = 90
"""How long a thread that must come may take. Never waited for in full by a test that passes."""


class Dotdigital:
    """Takes imports, and ends each when the test says so."""

    def __init__(self) -> None:
        self._started: Queue[Load] = Queue()
        self._ends: dict[int, threading.Event] = {}
        self._failures: dict[int, Exception] = {}
        self._lock = threading.Lock()
        self.refuses_with: str | None = None
        """The code of all contacts of imports that start from now on."""
        self.order: list[int] = []
        """First rows of the imports in the order in which they started."""

    def load(self, load: Load) -> Settlement:
        code = self.refuses_with
        ended = self._end(load)
        self._started.put(load)
        assert ended.wait(PATIENCE_SECONDS)
        if id(load) in self._failures:
            raise self._failures[id(load)]
        contacts = list(load.contacts.values())
        if code is not None:
            return Settlement(rejected=[(one, code) for one in contacts])
        return Settlement(imported=contacts)

    def _end(self, load: Load) -> threading.Event:
        with self._lock:
            return self._ends.setdefault(id(load), threading.Event())

    def await_starts(self, count: int) -> None:
        """Wait until so many imports have started in all."""
        while len(self.order) < count:
            self.order.append(self._started.get(timeout=PATIENCE_SECONDS).first_row)

    def finish(self, load: Load, failure: Exception | None = None) -> None:
        if failure is not None:
            self._failures[id(load)] = failure
        self._end(load).set()

    def finish_all(self) -> None:
        """Let every thread go."""
        with self._lock:
            for ended in self._ends.values():
                ended.set()


class Bench:
    """A queue, and the imports in it that are with Dotdigital."""

    def __init__(self, max_active: int) -> None:
        self.dotdigital = Dotdigital()
        self.wakeup = Wakeup()
        self.queue = LoadQueue(self.dotdigital.load, self.wakeup, max_active, conflict_retry)
        self._ended = 0

    def add(self, load: Load) -> None:
        self.queue.add(load)
        self._await_starts()

    def end(self, load: Load, failure: Exception | None = None) -> list[Ended]:
        """End an import, and wait until the queue has taken it in."""
        self.dotdigital.finish(load, failure)
        self.wakeup.wait(PATIENCE_SECONDS)
        ended = self.queue.take_ended()
        assert ended
        self._ended += len(ended)
        self._await_starts()
        return ended

    def _await_starts(self) -> None:
        self.dotdigital.await_starts(self._ended + self.queue.active)

    @property
    def started(self) -> list[int]:
        return self.dotdigital.order

    @property
    def unsettled(self) -> list[int]:
        return [load.first_row for load in self.queue.unsettled]

    def active(self) -> list[Load]:
        return [entry.load for entry in self.queue._entries if entry.is_active]


@contextmanager
def bench(max_active: int = 20) -> Iterator[Bench]:
    made = Bench(max_active)
    try:
        yield made
    finally:
        made.dotdigital.finish_all()
        made.queue.close()
        made.queue._executor.shutdown(wait=True)
        made.wakeup.close()


def load_of(
    first_row: int, *contacts: Contact | str, merge_option: MergeOption = "overwrite"
) -> Import:
    made = Import(merge_option, first_row, 0.0)
    for one in contacts:
        made.add(contact(one) if isinstance(one, str) else one)
    return made


def with_phone(email: str, phone: str) -> Contact:
    return contact(email, others={"mobileNumber": phone})


# Second tries.


@pytest.mark.parametrize("code", ["dotdigital.identifierConflict", "dotdigital.duplicate"])
def test_a_contact_refused_for_an_identifier_is_sent_again_after_all_before_it(code: str) -> None:
    with bench() as made:
        giver = load_of(1, with_phone("giver@example.com", "1"))
        made.add(giver)
        made.dotdigital.refuses_with = code
        taker = load_of(2, with_phone("taker@example.com", "2"))
        made.add(taker)
        made.dotdigital.refuses_with = None
        made.add(load_of(3, "other@example.com"))
        waiting = load_of(4, with_phone("taker@example.com", "3"))
        made.add(waiting)
        assert made.started == [1, 2, 3]
        ((_, settlement),) = made.end(taker)
        assert isinstance(settlement, Settlement)
        assert settlement.rejected == []
        # In its place: what waited for it goes on to, and it waits for what came before it.
        assert made.unsettled == [1, 2, 3, 4]
        assert made.queue.active == 2
        made.end(giver)
        assert made.started == [1, 2, 3, 2]
        again = made.queue.unsettled[0]
        assert again.contacts == taker.contacts
        assert again.others == taker.others
        made.end(again)
        assert made.started == [1, 2, 3, 2, 4]


def test_a_second_try_that_helps_nobody_is_the_last() -> None:
    with bench() as made:
        made.dotdigital.refuses_with = "dotdigital.duplicateIdentifier"
        load = load_of(1, with_phone("a@example.com", "1"), with_phone("b@example.com", "2"))
        made.add(load)
        made.end(load)
        ((_, settlement),) = made.end(made.queue.unsettled[0])
        assert isinstance(settlement, Settlement)
        assert len(settlement.rejected) == 2
        assert made.unsettled == []


@pytest.mark.parametrize("code", ["dotdigital.invalidEmail", "dotdigital.blocker"])
def test_what_no_other_contact_can_change_is_not_sent_again(code: str) -> None:
    with bench() as made:
        made.dotdigital.refuses_with = code
        load = load_of(1, with_phone("a@example.com", "1"))
        made.add(load)
        made.end(load)
        assert made.unsettled == []
        made.dotdigital.refuses_with = "dotdigital.duplicate"
        lone = load_of(2, "b@example.com")
        made.add(lone)
        made.end(lone)
        assert made.unsettled == []


# The order.


def test_imports_without_a_common_contact_are_active_side_by_side() -> None:
    with bench() as made:
        for row, email in enumerate(("a@example.com", "b@example.com", "c@example.com"), start=1):
            made.add(load_of(row, email))
        assert made.started == [1, 2, 3]
        assert made.queue.active == 3


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (contact("a@example.com"), contact("a@example.com")),
        (with_phone("a@example.com", "1"), with_phone("b@example.com", "1")),
        (with_phone("a@example.com", "1"), contact("a@example.com")),
        (contact("a@example.com"), contact("b@example.com", others={"email": "A@example.com"})),
    ],
    ids=["match identifier", "other identifier", "one of two", "the other's own"],
)
@pytest.mark.parametrize("merge_option", MERGE_OPTIONS)
def test_an_import_waits_for_the_one_that_shares_a_contact(
    earlier: Contact, later: Contact, merge_option: MergeOption
) -> None:
    first, second = load_of(1, earlier, "x@example.com"), load_of(2, "y@example.com", later)
    second.merge_option = merge_option
    with bench() as made:
        made.add(first)
        made.add(second)
        assert made.started == [1]
        made.end(first)
        assert made.started == [1, 2]


def test_a_later_key_that_is_an_earlier_other_identifier_waits() -> None:
    by_email = with_phone("a@example.com", "447700900123")
    by_phone = contact("b@example.com")
    by_phone.key, by_phone.other_identities = "mobileNumber:447700900123", ()
    for pair in ((by_email, by_phone), (by_phone, by_email)):
        loads = [load_of(row, one) for row, one in enumerate(pair, start=1)]
        with bench() as made:
            for load in loads:
                made.add(load)
            assert made.started == [1]
            made.end(loads[0])
            assert made.started == [1, 2]


def test_what_an_import_waits_for_may_itself_be_waiting() -> None:
    loads = [
        load_of(1, "a@example.com"),
        load_of(2, "a@example.com", "b@example.com"),
        load_of(3, "b@example.com", "c@example.com"),
        load_of(4, "c@example.com"),
        load_of(5, "d@example.com"),
    ]
    with bench() as made:
        for load in loads:
            made.add(load)
        assert made.started == [1, 5]
        made.end(loads[4])
        assert made.started == [1, 5]
        for load in loads[:3]:
            made.end(load)
        assert made.started == [1, 5, 2, 3, 4]


# The bounds.


@pytest.mark.parametrize("max_active", [1, 2, 25])
def test_never_more_imports_are_active_than_allowed(max_active: int) -> None:
    loads = [load_of(row, f"p{row}@example.com") for row in range(1, max_active + 4)]
    with bench(max_active) as made:
        for load in loads:
            made.add(load)
            assert made.queue.active <= max_active
        assert made.started == list(range(1, max_active + 1))
        assert made.queue.is_full
        made.end(loads[0])
        assert made.queue.active == max_active
        assert made.started[-1] == max_active + 1


def test_waiting_imports_count_for_the_limit() -> None:
    """They take as much memory as the active ones."""
    with bench(3) as made:
        for row in (1, 2):
            made.add(load_of(row, "a@example.com"))
            assert not made.queue.is_full
        made.add(load_of(3, "a@example.com"))
        assert made.queue.active == 1
        assert made.queue.is_full


# The end.


def test_ended_imports_are_told_once_and_leave_the_queue() -> None:
    first, second = load_of(1, "a@example.com"), load_of(2, "b@example.com")
    with bench() as made:
        made.add(first)
        made.add(second)
        (ended,) = made.end(second)
        assert ended.load is second
        assert isinstance(ended.outcome, Settlement)
        assert made.queue.take_ended() == []
        assert made.unsettled == [1]
        made.end(first)
        assert made.unsettled == []


def test_a_failed_import_blocks_what_waits_for_it_for_good() -> None:
    first, second = load_of(1, "a@example.com"), load_of(2, "a@example.com")
    other = load_of(3, "b@example.com")
    failure = DotdigitalError("out of order")
    with bench() as made:
        for load in (first, second, other):
            made.add(load)
        (ended,) = made.end(first, failure)
        assert ended.outcome is failure
        assert made.unsettled == [1, 2, 3]
        (ended,) = made.end(other)
        assert isinstance(ended.outcome, Settlement)
        assert made.unsettled == [1, 2]
        assert made.queue.active == 0
        assert made.started == [1, 3]


def test_after_a_failure_nothing_new_starts() -> None:
    first = load_of(1, "a@example.com")
    with bench() as made:
        made.add(first)
        made.end(first, DotdigitalError("out of order"))
        made.add(load_of(2, "b@example.com"))
        assert made.queue.active == 0
        assert made.started == [1]


@pytest.mark.parametrize("error", [ValueError("a"), KeyError("b"), AssertionError("c")], ids=repr)
def test_whatever_goes_wrong_in_a_thread_comes_back_to_the_main_thread(error: Exception) -> None:
    load = load_of(1, "a@example.com")
    with bench() as made:
        made.add(load)
        (ended,) = made.end(load, error)
        assert ended.outcome is error


def test_after_stop_active_imports_end_and_nothing_starts() -> None:
    first, second = load_of(1, "a@example.com"), load_of(2, "a@example.com")
    with bench() as made:
        made.add(first)
        made.add(second)
        made.queue.stop()
        made.add(load_of(3, "b@example.com"))
        (ended,) = made.end(first)
        assert isinstance(ended.outcome, Settlement)
        assert made.started == [1]
        assert made.unsettled == [2, 3]


# The contents.


def test_contacts_of_one_key_are_joined_in_an_import() -> None:
    load = load_of(1, contact("a@example.com", {"AGE": 1}), contact("A@example.com", {"VIP": True}))
    (joined,) = load.contacts.values()
    assert contents(joined)["dataFields"] == {"AGE": 1, "VIP": True}
    assert len(joined.rows) == 2


def test_a_contact_that_may_be_two_in_an_import_is_told() -> None:
    """Its own key is in the import, and so is another contact with its number: they would be two
    contacts with one number in one request, in no order."""
    load = load_of(1, with_phone("old@example.com", "1"), "new@example.com")
    assert overlapping_key(load, contact("new@example.com")) == "email:new@example.com"
    assert overlapping_key(load, with_phone("third@example.com", "1")) == "email:old@example.com"
    assert overlapping_key(load, with_phone("new@example.com", "1")) == "email:old@example.com"
    assert overlapping_key(load, contact("third@example.com")) is None


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.dictionaries(st.sampled_from(["AGE", "NAME"]), st.text(max_size=9), max_size=2),
        ),
        min_size=1,
    ),
    st.sampled_from(MERGE_OPTIONS),
)
def test_an_import_is_never_larger_than_it_says(
    rows: list[tuple[int, dict[str, object]]], merge_option: MergeOption
) -> None:
    load = Import(merge_option, 1, 0.0)
    for number, fields in rows:
        one = contact(f"p{number}@example.com", fields)
        limit = load.size + len(one.body) + 1
        assert load.has_room(one, 4, limit)
        assert not load.has_room(one, 4, limit - 1)
        assert load.has_room(one, len(load.contacts), limit) == (one.key in load.contacts)
        load.add(one)
        assert load.size <= limit
        body = import_body(merge_option, list(load.contacts.values()), BytesIO())
        assert len(body) <= load.size <= len(body) + 32


ROWS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.none() | st.sampled_from("12"), st.booleans()),
    min_size=2,
    max_size=14,
)
"""The address, the number, and whether an import ends before the row."""


class Account:
    """What Dotdigital holds, and in which order it was written."""

    def __init__(self, made: Bench, chance: Random) -> None:
        self.ages: dict[str, object] = {}
        self.written: list[tuple[Load, Contact]] = []
        self._bench = made
        self._chance = chance

    def end_some(self) -> None:
        while self._bench.active() and self._chance.random() < 0.5:
            self.end_one()

    def end_one(self) -> None:
        load = self._chance.choice(self._bench.active())
        # Nobody knows in which order Dotdigital takes the contacts of one import.
        for one in self._chance.sample(list(load.contacts.values()), len(load.contacts)):
            self.ages[one.key] = contents(one)["dataFields"]["AGE"]
            self.written.append((load, one))
        self._bench.end(load)

    def send(self, load: Import) -> None:
        while self._bench.queue.is_full:
            self.end_one()
        if load.contacts:
            self._bench.add(load)


@settings(max_examples=120, deadline=None)
@given(ROWS, st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_last_value_of_a_contact_wins_in_every_interleaving(
    rows: list[tuple[str, str | None, bool]], max_active: int, chance: Random
) -> None:
    with bench(max_active) as made:
        account = Account(made, chance)
        batch = Import("overwrite", 1, 0.0)
        for number, (address, phone, is_cut) in enumerate(rows, start=1):
            one = contact(address, {"AGE": number})
            one.source = OwnSource(one.body, (Row(StreamCounts(str(number)), None, None),))
            one.other_identities = () if phone is None else (f"mobileNumber:{phone}",)
            if is_cut or overlapping_key(batch, one) not in {None, one.key}:
                account.send(batch)
                batch = Import("overwrite", number, 0.0)
            batch.add(one)
            account.end_some()
        account.send(batch)
        while made.queue.unsettled:
            account.end_one()
    assert account.ages == {f"email:{row[0]}": number for number, row in enumerate(rows, start=1)}
    for (load, one), (later_load, later) in combinations(account.written, 2):
        if not set(one.identities).isdisjoint(later.identities):
            assert load is not later_load
            assert int(one.rows[-1].counts.stream) < int(later.rows[0].counts.stream)
