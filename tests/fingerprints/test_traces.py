"""What is kept of contacts once their rows are settled, whether they came in blocks or not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_dotdigital.fingerprints import Fingerprints, StreamFingerprints, StreamTerms
from target_dotdigital.fingerprints.hashing import KEY_BYTES, Hasher
from target_dotdigital.mapping import Contact, OwnSource, Row, StreamCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

STREAM = "people"
HASHER = Hasher(bytes(KEY_BYTES))
ROWS = (Row(StreamCounts(STREAM), None, None),)
STRANGER = 1
"""A contact that is known, but does not come: only without any all of a block are sent at once."""

CONTACTS = st.builds(
    lambda key, others, body: (f"email:{key}", tuple(others), body),
    st.sampled_from("abc"),
    st.lists(st.sampled_from(["phone:1", "phone:2", "email:a"]), max_size=2),
    st.sampled_from([b"1", b"2"]),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.lists(CONTACTS, min_size=1, max_size=4)),
        st.tuples(st.sampled_from(["import", "reject"]), st.integers(1, 4)),
    ),
    max_size=8,
)


class _Settings:
    send, send_all_every_days, dry_run = "changes", 7, True


class Kept:
    """What a run keeps of one stream."""

    def __init__(self, *, stranger: bool = False) -> None:
        self.fingerprints = Fingerprints(cast("Any", _Settings()), Path("none"))
        self.fingerprints.hasher = HASHER
        self.stream = StreamFingerprints(STREAM, StreamTerms("any"), 0.0)
        if stranger:
            self.stream.contacts.put(STRANGER, STRANGER)
        self.fingerprints._streams[STREAM] = self.stream
        self.under_way: list[Contact] = []

    def send(self, contacts: Sequence[Contact]) -> None:
        assert self.fingerprints.send(contacts) == [True] * len(contacts)
        self.under_way += contacts

    def settle(self, number: int, *, are_imported: bool) -> None:
        ended, self.under_way = self.under_way[:number], self.under_way[number:]
        self.fingerprints.settle(*((ended, []) if are_imported else ([], ended)), [])

    def known(self) -> dict[str, int]:
        """Return what the next run knows of each contact."""
        self.stream.apply(self.stream.changes)
        found = {key: self.stream.contacts.get(HASHER.identity(f"email:{key}")) for key in "abc"}
        return {key: value for key, value in found.items() if value}


def contact(key: str, others: tuple[str, ...] = (), body: bytes = b"1") -> Contact:
    return Contact(key, others, OwnSource(body, ROWS))


@given(STEPS)
def test_the_same_is_kept_of_blocks_and_of_single_contacts(steps: list[tuple[str, Any]]) -> None:
    blocks, single = Kept(), Kept(stranger=True)
    for kind, what in steps:
        if kind == "send":
            blocks.send([contact(*each) for each in what])
            for each in what:
                single.send([contact(*each)])
        else:
            for kept in (blocks, single):
                kept.settle(what, are_imported=kind == "import")
    assert blocks.known() == single.known()


def test_who_is_sent_again_is_not_kept_as_he_was() -> None:
    kept = Kept()
    kept.send([contact("email:a"), contact("email:b")])
    kept.settle(2, are_imported=True)
    kept.send([contact("email:a", body=b"2")])
    assert kept.known().keys() == {"b"}


@pytest.mark.parametrize(
    ("ids", "known", "told"),
    [
        ([(0, 7), (1, 8)], "ab", {7, 8}),
        ([(0, 7), (1, 7)], "", set()),
        ([(0, 7), (0, 8)], "b", set()),
        ([], "ab", set()),
    ],
    ids=["one each", "one of both", "two of one", "none"],
)
def test_who_has_no_clear_id_is_not_kept(
    ids: list[tuple[int, int]], known: str, told: set[int]
) -> None:
    kept = Kept()
    both = [contact("email:a"), contact("email:b")]
    kept.send(both)
    kept.fingerprints.settle(both, [], [(both[which], contact_id) for which, contact_id in ids])
    assert kept.known().keys() == set(known)
    others = kept.stream.others
    assert told == {each for each in (7, 8) if others.get(HASHER.identity(f"contactId:{each}"))}
