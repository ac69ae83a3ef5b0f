"""Pairs of hashes: what many changes at once make of them is what one after the other does."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from target_dotdigital.fingerprints.pairs import Contacts, Pairs

KEYS = st.one_of(st.integers(1, 5), st.integers(1, (1 << 64) - 1))
CHANGES = st.lists(st.tuples(KEYS, st.integers(0, 3), st.integers(0, 2)))


def _known(contacts: Contacts, key: int) -> tuple[int, int]:
    place = contacts.place(key)
    value = contacts.values[place]
    return (value, contacts.lines[place]) if value else (0, 0)


@given(CHANGES)
def test_contacts_that_are_put_in_together_are_those_put_in_one_by_one(
    changes: list[tuple[int, int, int]],
) -> None:
    together, one_by_one = Contacts(), Contacts()
    together.fill([array("Q", change) for change in changes])
    for key, value, line in changes:
        one_by_one.put(key, value, line)
    assert all(_known(together, each[0]) == _known(one_by_one, each[0]) for each in changes)
    keys = [together.keys[place] for place in together.by_key]
    assert keys == sorted(set(keys))
    assert len(together.keys) == len(together.values) == len(together.lines) == len(keys) + 1
    last = {key: place for place, (key, value, _) in enumerate(changes) if value}
    assert [*together.keys[1:]] == sorted(keys, key=last.__getitem__)


@given(CHANGES)
def test_pairs_are_found_after_they_were_sorted(changes: list[tuple[int, int, int]]) -> None:
    pairs, wanted = Pairs(), {}
    for number, (key, value, _) in enumerate(changes):
        pairs.put(key, value)
        wanted[key] = value
        if number % 3 == 0:
            pairs.sort(array("I"))
    assert {key: pairs.get(key) for key in wanted} == wanted
