"""Lines that are kept until their rows are settled: found again, and gone with their rows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from target_dotdigital.mapping import IdentitySet, KeptLines, StreamCounts
from target_dotdigital.mapping.contacts import kept_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

LINES = [b'{"row":%d}\n' % number for number in range(9)]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[KeptLines]:
    with patch.object(kept_lines, "SEGMENT_BYTES", 50):
        yield KeptLines(tmp_path, StreamCounts("people"), b"a schema")


def test_every_line_is_found_again_in_whichever_file_it_is(kept: KeptLines) -> None:
    held = IdentitySet()
    rows = [row for first in range(5) for row in kept.rows(LINES, range(9), 1 + 9 * first, [held])]
    assert [row[0].line for row in rows] == LINES * 5
    assert [row[0].number for row in rows] == list(range(1, 46))
    assert {(row[0].schema, row[0].identity_set, len(row)) for row in rows} == {
        (b"a schema", held, 1)
    }


def test_some_of_the_lines_are_rows(kept: KeptLines) -> None:
    sets = [IdentitySet() for _ in LINES]
    rows = [*kept.rows(LINES, [2, 5], 11, sets)]
    assert [row[0].line for row in rows] == [LINES[2], LINES[5]]
    assert [row[0].number for row in rows] == [13, 16]
    assert [row[0].identity_set for row in rows] == [sets[2], sets[5]]
    together = (*rows[0], *rows[1])
    assert [row.line for row in together] == [LINES[2], LINES[5]]


def test_no_file_has_a_name_and_none_outlives_its_rows(kept: KeptLines, tmp_path: Path) -> None:
    before = len([*Path("/dev/fd").iterdir()])
    rows = [*kept.rows(LINES, range(9), 1, [None])]
    assert not list(tmp_path.iterdir())
    for _ in range(20):
        rows = [*kept.rows(LINES, range(9), 1, [None])]
    assert len([*Path("/dev/fd").iterdir()]) <= before + 2
    assert rows[8][0].line == LINES[8]


def test_what_cannot_be_written_is_kept_in_memory(kept: KeptLines) -> None:
    earlier = [*kept.rows(LINES, range(9), 1, [None])]
    with patch.object(os, "pwrite", side_effect=OSError(28, "No space left on device")):
        rows = [*kept.rows(LINES, range(9), 10, [None])]
    later = [*kept.rows(LINES, range(9), 19, [None])]
    for each in (earlier, rows, later):
        assert [row[0].line for row in each] == LINES


def test_a_row_shows_nothing_of_itself(kept: KeptLines) -> None:
    (row,) = kept.rows(LINES, [0], 1, [None])
    assert "row" in repr(row)
    assert "{" not in repr(row)
