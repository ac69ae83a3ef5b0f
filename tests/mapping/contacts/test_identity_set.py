"""Sets of identities: each is found again in any spelling, and hardly any other."""

from __future__ import annotations

import tracemalloc
from array import array
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_dotdigital.account.identities import identities_of, not_found
from target_dotdigital.api.replies import FoundContact
from target_dotdigital.mapping.contacts.identifiers import (
    CONTACT_ID,
    EMAIL,
    MOBILE_NUMBER,
    normalise,
    normalise_all,
)
from target_dotdigital.mapping.contacts.identity_set import (
    MIN_COMPACTION,
    MIN_RECENT,
    HeldIdentities,
    IdentitySet,
    SortedHashes,
    hashes_of,
    identities_in,
)
from tests.support.builders import WILD_VALUES


def identity_set(*identities: str) -> IdentitySet:
    made = IdentitySet()
    for identity in identities:
        made.add(identity)
    return made


@given(st.lists(st.text()), st.lists(st.text()))
def test_exactly_what_was_added_is_found(some: list[str], others: list[str]) -> None:
    made = identity_set(*(f"email:{each}" for each in some))
    assert all(f"email:{each}" in made for each in some)
    forms = {each for each in some if each.isascii()}
    for each in others:
        if each.isascii() and each not in forms and all(one.isascii() for one in some):
            assert f"email:{each}" not in made
    assert bool(made) == bool(some)


def test_looking_and_adding_may_alternate() -> None:
    made = IdentitySet()
    for number in range(3_000):
        assert f"contactId:{number}" not in made
        made.add(f"contactId:{number}")
        assert f"contactId:{number}" in made
        assert f"contactId:{number // 2}" in made


def test_those_who_come_again_take_no_more_room() -> None:
    made = IdentitySet()
    identities = [f"email:p{number}@example.com" for number in range(100)]
    tracemalloc.start()
    for _ in range(10_000):
        for identity in identities:
            made.add(identity)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 100 * 2 * MIN_COMPACTION * 8


def test_a_million_take_a_dozen_bytes_each() -> None:
    made = IdentitySet()
    tracemalloc.start()
    for number in range(300_000):
        made.add(f"contactId:{number}")
    assert "contactId:7" in made
    size, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 300_000 * 12
    assert peak < 300_000 * 14


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("customerID:7", "customerId:7"),
        (normalise(EMAIL, "a@bücher.example"), normalise(EMAIL, "a@xn--bcher-kva.example")),
        ("email:chloe\u0301@example.com", "email:chloé@example.com"),
        ("email:a@straße.example", "email:a@strasse.example"),
        ("email:\u212aelvin@example.com", "email:kelvin@example.com"),
    ],
)
def test_spellings_of_one_identity_are_one(one: str, other: str) -> None:
    assert one in identity_set(other)
    assert other in identity_set(one)


def test_values_of_custom_identifiers_keep_their_case() -> None:
    assert "customerId:a" not in identity_set("customerId:A")


@pytest.mark.parametrize("name", ["email", "Email", "EMAIL"])
def test_identifiers_of_an_answer_are_known_in_any_case(name: str) -> None:
    assert list(identities_of({name: " Ann@Example.com "}, 7)) == [
        "contactId:7",
        "email:ann@example.com",
    ]
    assert list(identities_of({"MOBILENUMBER": "+44 7", "email": None})) == ["mobileNumber:447"]
    assert list(identities_of(None)) == []


@given(st.dictionaries(st.text(), WILD_VALUES), st.text(min_size=1))
def test_anything_in_a_record_may_be_somebody(record: dict[str, Any], key: str) -> None:
    readers = [partial(normalise, name) for name in (EMAIL, MOBILE_NUMBER, CONTACT_ID)]
    planted = {**record, key: {"deep": [" Ann@Example.com "]}}
    found = set(identities_in(planted, readers))
    assert normalise(EMAIL, "ann@example.com") in found
    made = identity_set(*found)
    assert all(each in made for each in found)


_VALUES = st.one_of(
    st.sampled_from(
        ["Ann@Example.com", " bob@example.com", "a b", "", "a\nb", "a@XN--bcher-kva.example", 7]
    ),
    st.text(),
    st.integers(),
)


@given(st.sampled_from([EMAIL, MOBILE_NUMBER, CONTACT_ID]), st.lists(_VALUES))
def test_many_identifiers_are_normalised_as_one_is(name: str, values: list[object]) -> None:
    assert normalise_all(name, values) == [normalise(name, value) for value in values]


_MEMBERS = st.lists(
    st.builds(
        FoundContact,
        contact_id=st.integers(1, 9),
        identifiers=st.none()
        | st.dictionaries(
            st.sampled_from(["email", "EMAIL", "mobileNumber", "Shop"]),
            st.none() | st.sampled_from(["ann@example.com", "Bob@example.com", 7, "None"]),
        ),
    )
)
_HELD = st.lists(
    st.sampled_from(
        ["email:ann@example.com", "mobileNumber:7", "Shop:7", "shop:None", "contactId:3"]
    )
)


@given(st.sets(st.integers(0, 99)), st.sets(st.integers(0, 99)))
def test_what_was_put_away_is_found(some: set[int], others: set[int]) -> None:
    made = identity_set(*map("contactId:{}".format, some))
    assert len(made) == len(some)  # after this, nothing in it is recent
    sought, expected = (
        set(hashes_of([*map("contactId:{}".format, each)])) for each in (others, some & others)
    )
    assert made.among(sought) == expected


_HASHES = st.integers(0, 2**64 - 2) | st.sampled_from([0, 1, 2**63 - 1, 2**63, 2**64 - 2])


@given(st.sets(_HASHES, max_size=99), st.lists(_HASHES))
def test_many_hashes_are_found_at_once(some: set[int], others: list[int]) -> None:
    sought = [*some, *others]
    found = SortedHashes(array("Q", sorted(some))).among(sought)
    assert found == [each in some for each in sought]


def test_any_of_several_large_sets_holds_an_identity() -> None:
    identities = [f"contactId:{number}" for number in range(3 * MIN_RECENT)]
    sets = [IdentitySet(), IdentitySet()]
    for start, made in enumerate(sets):
        made.add_all(identities[start::3])
        made.add_all(identities[: start * 9])  # some come again, and are in both
    found = HeldIdentities(sets).among(identities)
    assert found == [number % 3 < 2 or number < 9 for number in range(len(identities))]


@given(_MEMBERS, _HELD, _HELD)
def test_members_are_held_by_any_identifier_in_any_set(
    members: list[FoundContact], one: list[str], other: list[str]
) -> None:
    sets = [identity_set(*one), identity_set(*other)]
    assert not_found(members, [HeldIdentities(sets).among]) == [
        member
        for member in members
        if not any(
            identity in known
            for identity in identities_of(member.identifiers, member.contact_id)
            for known in sets
        )
    ]
