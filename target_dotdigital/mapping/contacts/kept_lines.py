"""Lines that are kept until their rows are settled: in a file without a name, not in memory.

Twenty active imports hold 200,000 rows. Nearly all of them are imported, so their lines are written
once, and hardly ever read. The file is beside the rejects file, only the user can read it, and it
is gone with the process, however that ends.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from itertools import accumulate, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import msgspec
from typing_extensions import override

from target_dotdigital.mapping.contacts.contact import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from typing_extensions import Self

    from target_dotdigital.mapping.contacts.identity_set import IdentitySet
    from target_dotdigital.mapping.contacts.stream_counts import StreamCounts

SEGMENT_BYTES: Final = 16 * 1024 * 1024
"""A file that is larger is followed by another, so that the room of settled rows comes free."""


class _Segment:
    """One file. It is closed, and so removed, when no row refers to it any more."""

    def __init__(self, folder: Path) -> None:
        descriptor, name = tempfile.mkstemp(prefix=".target-dotdigital-", dir=folder)
        self._descriptor = descriptor
        Path(name).unlink()
        self.size = 0

    def __del__(self) -> None:
        os.close(self._descriptor)

    def append(self, data: bytes) -> None:
        """Write at the end."""
        done = 0
        while done < len(data):
            done += os.pwrite(self._descriptor, data[done:], self.size + done)
        self.size += len(data)

    def read(self, start: int, end: int) -> bytes:
        """Return a part."""
        return os.pread(self._descriptor, end - start, start)


class _Block:
    """Lines that came together."""

    def __init__(
        self,
        counted: tuple[Row],
        schema: bytes,
        first_number: int,
        identity_sets: Sequence[IdentitySet | None],
    ) -> None:
        self.counted = counted
        self.schema = schema
        self.first_number = first_number
        self.identity_sets = identity_sets
        self.lines: Sequence[bytes] = ()
        """The lines, where they could not be written."""
        self.segment: _Segment | None = None
        self.starts = array("Q")

    def line(self, place: int) -> bytes:
        """Return one of them."""
        if self.segment is None:
            return self.lines[place]
        return self.segment.read(self.starts[place], self.starts[place + 1])


class KeptRow(msgspec.Struct, gc=False):
    """A row whose line is kept: a `Row`, and the tuple of it that a contact has.

    There are hundreds of thousands of them at a time, and a tuple of each would be twice as large.
    """

    block: _Block
    place: int

    @override
    def __repr__(self) -> str:
        """Show nothing of it."""
        return "a row"

    def __len__(self) -> int:
        """Return 1."""
        return 1

    def __iter__(self) -> Iterator[Self]:
        """Yield the row."""
        yield self

    def __getitem__(self, place: int) -> Self:
        """Return the row."""
        return (self,)[place]

    @property
    def counts(self) -> StreamCounts:
        """Where the row is counted."""
        return self.block.counted[0].counts

    @property
    def counted(self) -> tuple[Row]:
        """What is counted alike: one for all rows of a stream."""
        return self.block.counted

    @property
    def line(self) -> bytes:
        """The row's message as it was read."""
        return self.block.line(self.place)

    @property
    def schema(self) -> bytes:
        """The SCHEMA message that the row came under."""
        return self.block.schema

    @property
    def identity_set(self) -> IdentitySet | None:
        """Takes the contact's ID once that is known."""
        sets = self.block.identity_sets
        return sets[self.place if len(sets) > 1 else 0]

    @property
    def number(self) -> int:
        """Which row of its stream it is."""
        return self.block.first_number + self.place


class KeptLines:
    """Keeps the lines of one stream under one SCHEMA."""

    def __init__(self, folder: Path, counts: StreamCounts, schema: bytes) -> None:
        """Keep nothing yet.

        Args:
            folder: Where files are made.
            counts: Where the rows are counted.
            schema: The SCHEMA message.
        """
        self._folder = folder
        self._counted = (Row(counts, None, None),)
        self._schema = schema
        self._segment: _Segment | None = None
        self._numbers: list[int] = []

    def rows(
        self,
        lines: Sequence[bytes],
        places: Iterable[int],
        first_number: int,
        identity_sets: Sequence[IdentitySet | None],
    ) -> Iterable[tuple[Row, ...]]:
        """Keep lines, and return the rows of some of them, as contacts have them.

        Args:
            lines: The lines.
            places: Which of them are meant.
            first_number: Which row of its stream the first line is.
            identity_sets: What takes the ID of each row's contact; one if it is one for all.
        """
        block = _Block(self._counted, self._schema, first_number, identity_sets)
        try:
            self._write(block, lines)
        except OSError:  # the disk is full, say
            block.segment, block.lines = None, lines
        # The same numbers for each block: a number is nearly as large as a row.
        self._numbers.extend(range(len(self._numbers), len(lines)))
        numbers = map(self._numbers.__getitem__, places)
        return cast("Iterable[tuple[Row, ...]]", map(KeptRow, repeat(block), numbers))

    def _write(self, block: _Block, lines: Sequence[bytes]) -> None:
        if self._segment is None or self._segment.size > SEGMENT_BYTES:
            self._segment = _Segment(self._folder)
        block.segment = self._segment
        block.starts = array("Q", accumulate(map(len, lines), initial=self._segment.size))
        self._segment.append(b"".join(lines))
