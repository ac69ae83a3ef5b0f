"""The gate: a STATE never leaves before its rows are settled, nor later than it could."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from target_dotdigital.loading.settlement.state_gate import StateGate


@dataclass
class Tap:
    """Rows and STATE values as a run sees them, and a plain account of what may be written."""

    written: list[str] = field(default_factory=list)
    position: int = 0
    open: dict[int, list[int]] = field(default_factory=dict)
    """Rows of the imports that are not settled, by the import's number."""
    states: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate = StateGate(self.written.append)

    def row(self, load: int | None) -> None:
        """A row in an import, or one that is settled at once (a reject)."""
        self.position += 1
        if load is not None:
            self.open.setdefault(load, []).append(self.position)

    def state(self, value: str) -> None:
        self.gate.note(value, self.position, [rows[0] for rows in self.open.values()])
        self.states.append((self.position, value))

    def settle(self, load: int) -> None:
        self.open.pop(load, None)

    def release(self) -> None:
        settled_to = min((rows[0] - 1 for rows in self.open.values()), default=self.position)
        self.gate.release(settled_to)

    @property
    def settled_to(self) -> int:
        """The last row of the settled ones that no unsettled row comes before."""
        unsettled = [row for rows in self.open.values() for row in rows]
        return min(unsettled, default=self.position + 1) - 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("row"), st.none() | st.integers(0, 3)),
        st.tuples(st.just("state"), st.none()),
        st.tuples(st.just("settle"), st.integers(0, 3)),
        st.tuples(st.just("release"), st.none()),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_the_newest_safe_state_is_written_once_and_never_ahead(
    steps: list[tuple[str, int | None]],
) -> None:
    tap = Tap()
    positions: dict[str, int] = {}
    for number, (step, load) in enumerate(steps):
        if step == "row":
            tap.row(load)
        elif step == "state":
            tap.state(f"S{number}")
            positions[f"S{number}"] = tap.position
        elif step == "settle" and load is not None:
            tap.settle(load)
        else:
            before = len(tap.written)
            tap.release()
            assert len(tap.written) <= before + 1
            safe = [value for position, value in tap.states if position <= tap.settled_to]
            assert tap.written[-1:] == safe[-1:]
    assert len(set(tap.written)) == len(tap.written)
    order = [positions[value] for value in tap.written]
    assert order == sorted(order)


@settings(max_examples=100, deadline=None)
@example([("row", 0), *[("row", 1), ("settle", 1)] * 20])
@example([*(("row", load) for load in (0, 1, 2)), ("settle", 1), ("settle", 2), ("row", 0)])
@given(STEPS)
def test_no_more_states_wait_than_there_were_unsettled_imports(
    steps: list[tuple[str, int | None]],
) -> None:
    """A tap that sends a STATE after every row must not fill the memory while one import lasts."""
    tap = Tap()
    most = 0
    for number, (step, load) in enumerate(steps):
        if step == "row":
            tap.row(load)
            most = max(most, len(tap.open))
            for again in range(5):
                tap.state(f"S{number}.{again}")
            assert len(tap.gate._waiting) <= most + 1
        elif step == "settle" and load is not None:
            tap.settle(load)
            tap.release()


@pytest.mark.parametrize("first_to_end", [0, 1], ids=["in order", "out of order"])
@pytest.mark.parametrize(
    "failed", [(), (0,), (1,), (0, 1)], ids=["none fails", "first", "second", "both"]
)
def test_two_imports_ending_in_either_order_with_either_failing(
    first_to_end: int, failed: tuple[int, ...]
) -> None:
    tap = Tap()
    for load in (0, 1):
        tap.row(load)
        tap.state(f"after {load}")
    for load in (first_to_end, 1 - first_to_end):
        if load not in failed:
            tap.settle(load)
        tap.release()
    expected = {
        (): ["after 1"] if first_to_end else ["after 0", "after 1"],
        (1,): ["after 0"],
        (0,): [],
        (0, 1): [],
    }
    assert tap.written == expected[failed]


def test_a_state_before_any_row_is_written_at_once() -> None:
    tap = Tap()
    tap.state("first")
    tap.release()
    assert tap.written == ["first"]


def test_a_state_that_says_what_was_written_last_is_not_written_again() -> None:
    tap = Tap()
    for value in ("one", "one", "two", "one"):
        tap.state(value)
        tap.release()
    assert tap.written == ["one", "two", "one"]


def test_a_state_is_passed_on_as_it_was_written() -> None:
    tap = Tap()
    value = '{"n": 1.10, "big": 123456789012345678901234567890, "t": "\\ud83d"}'
    tap.state(value)
    tap.release()
    assert tap.written == [value]


def test_a_later_state_does_not_hide_an_earlier_one_that_is_safe_sooner() -> None:
    tap = Tap()
    tap.row(0)
    tap.state("after import 0")
    tap.row(1)
    tap.state("after import 1")
    tap.settle(0)
    tap.release()
    assert tap.written == ["after import 0"]


def test_a_row_that_joins_an_older_import_holds_no_state_back_longer() -> None:
    tap = Tap()
    tap.row(0)
    tap.row(1)
    tap.state("one")
    tap.row(0)
    tap.state("two")
    tap.settle(1)
    tap.release()
    assert tap.written == []
    tap.settle(0)
    tap.release()
    assert tap.written == ["two"]
