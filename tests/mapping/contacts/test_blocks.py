"""Blocks of rows: their JSON, together or apart, and their lines, kept until they are settled."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from target_dotdigital.errors import StorageError
from target_dotdigital.mapping import Block, Contact, IdentitySet, LineStore, StreamCounts
from target_dotdigital.mapping.contacts import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LINES = [b'{"row":%d}\n' % number for number in range(9)]
BODIES = [b'{"contact":%d}' % number for number in range(9)]
PLACES = range(9)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LineStore]:
    with patch.object(blocks, "SEGMENT_BYTES", 50):
        yield LineStore(tmp_path, b"a schema")


def block(
    store: LineStore | None = None,
    sets: Sequence[IdentitySet | None] = (None,),
    places: Sequence[int] = PLACES,
    first: int = 1,
) -> Block:
    kept = None if store is None else store.keep(LINES, places, first)
    made = Block(StreamCounts("people"), list(sets), kept)
    made.fill(b"".join(body + b"\n" for body in BODIES[: len(places)]), len(places))
    return made


def contacts(made: Block, places: Sequence[int] = PLACES) -> list[Contact]:
    return [Contact(f"email:{place}@example.com", (), made, place) for place in places]


def lines_of(made: Block, places: Sequence[int] = PLACES) -> list[bytes | None]:
    return [made.rows(place)[0].line for place in places]


@pytest.mark.parametrize("are_apart", [False, True])
@pytest.mark.parametrize("places", [[*PLACES], [0, 1, 2], [8], [3, 5, 7]], ids=str)
def test_the_json_of_contacts_is_the_same_whether_it_was_taken_apart_or_not(
    places: list[int], *, are_apart: bool
) -> None:
    made = block()
    if are_apart:
        assert made.bodies == BODIES
    of_some = contacts(made, places)
    joined = made.joined(of_some)
    assert joined == b",".join(BODIES[place] for place in places)
    assert made.size(of_some) == len(joined)
    assert [each.body for each in of_some] == [BODIES[place] for place in places]
    assert made.joined(of_some) == joined


def test_every_line_is_found_again_in_whichever_file_it_is(store: LineStore) -> None:
    held = IdentitySet()
    made = [block(store, [held], first=1 + 9 * number) for number in range(5)]
    rows = [row for each in made for place in PLACES for row in each.rows(place)]
    assert [row.line for row in rows] == LINES * 5
    assert [row.number for row in rows] == list(range(1, 46))
    assert {(row.schema, row.identity_set) for row in rows} == {(b"a schema", held)}


def test_some_of_the_lines_are_rows(store: LineStore) -> None:
    sets = [IdentitySet(), IdentitySet()]
    made = block(store, sets, [2, 5], 11)
    rows = [*made.rows(0), *made.rows(1)]
    assert [row.line for row in rows] == [LINES[2], LINES[5]]
    assert [row.number for row in rows] == [13, 16]
    assert [row.identity_set for row in rows] == sets


def test_no_file_has_a_name_and_none_outlives_its_rows(store: LineStore, tmp_path: Path) -> None:
    before = len([*Path("/dev/fd").iterdir()])
    made = block(store)
    assert not list(tmp_path.iterdir())
    for _ in range(20):
        made = block(store)
    assert len([*Path("/dev/fd").iterdir()]) <= before + 2
    assert lines_of(made) == LINES


def test_what_cannot_be_written_is_kept_in_memory(store: LineStore) -> None:
    earlier = block(store)
    with patch.object(os, "pwrite", side_effect=OSError(28, "No space left on device")):
        made = block(store)
    later = block(store)
    for each in (earlier, made, later):
        assert lines_of(each) == LINES


def test_only_a_line_itself_needs_the_file(store: LineStore) -> None:
    held = IdentitySet()
    made = block(store, [held])
    with patch.object(os, "pread", side_effect=OSError(5, "Input/output error")):
        (contact,) = contacts(made, [3])
        assert contact.identity_sets == {held}
        assert repr(contact) == "<contact of 1 rows>"
        with pytest.raises(StorageError, match="cannot be read: Input/output error"):
            made.rows(3)


def test_a_block_shows_nothing_of_its_rows(store: LineStore) -> None:
    made = block(store)
    shown = [repr(made), *map(repr, contacts(made))]
    assert not any("{" in each for each in shown)


def test_a_directory_without_room_for_a_file_is_not_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lines_of(block(LineStore(tmp_path / "is gone", b"a schema"))) == LINES
    gc.collect()
    assert capsys.readouterr().err == ""
