"""Waiting for a slot: who asks, and when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from target_dotdigital.api.jobs.slots import Slots
from tests.support.clock import FakeClock


def test_a_slot_that_comes_free_wakes_one_of_those_who_wait() -> None:
    clock = FakeClock()
    slots, begun = Slots(clock), clock.now()
    with slots.asking(), slots.asking():
        slots.free()
        slots.wait(begun + 60)
        assert clock.now() == begun
        slots.wait(begun + 60)
        assert clock.now() == begun + 60


def test_a_slot_that_came_free_before_anybody_asked_wakes_nobody() -> None:
    clock = FakeClock()
    slots, begun = Slots(clock), clock.now()
    slots.free()
    with slots.asking():
        slots.wait(begun + 60)
    assert clock.now() == begun + 60


def test_one_that_came_free_while_the_call_was_refused_is_not_missed() -> None:
    clock = FakeClock()
    slots, begun = Slots(clock), clock.now()
    with slots.asking():
        slots.free()  # on another thread, while the answer was on its way
        slots.wait(begun + 60)
    assert clock.now() == begun


@given(frees=st.integers(0, 40), asking=st.integers(1, 20))
def test_as_many_ask_as_slots_come_free(frees: int, asking: int) -> None:
    clock = FakeClock()
    slots = Slots(clock)
    managers = [slots.asking() for _ in range(asking)]
    for each in managers:
        each.__enter__()
    for _ in range(frees):
        slots.free()
    woken = 0
    for _ in range(asking):
        begun = clock.now()
        slots.wait(begun + 1)
        woken += clock.now() == begun
    assert woken == min(frees, asking)
