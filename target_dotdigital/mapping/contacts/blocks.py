"""Blocks of rows: what is kept of rows that came together until they are settled.

Twenty active imports hold 200,000 rows. Nearly all of them are imported, so their lines, if rejects
are kept, are written once, and hardly ever read: into a file without a name. It is beside the
rejects file, only the user can read it, and it is gone with the process, however that ends.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Final

from target_dotdigital.errors import StorageError
from target_dotdigital.mapping.contacts.contact import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_dotdigital.mapping.contacts.contact import Contact
    from target_dotdigital.mapping.contacts.identity_set import IdentitySet
    from target_dotdigital.mapping.contacts.stream_counts import StreamCounts

SEGMENT_BYTES: Final = 16 * 1024 * 1024
"""A file that is larger is followed by another, so that the room of settled rows comes free."""


class _Segment:
    """One file. It is closed, and so removed, when no row refers to it any more."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
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
        try:
            return os.pread(self._descriptor, end - start, start)
        except OSError as error:
            raise StorageError(
                f"A line that is kept until its row is settled cannot be read: {error.strerror}"
            ) from None


class KeptLines:
    """Lines that came together."""

    def __init__(
        self, lines: Sequence[bytes], places: Sequence[int], first_number: int, schema: bytes
    ) -> None:
        """Keep lines in memory.

        Args:
            lines: The lines, whole ones.
            places: Which of them the rows are that matter.
            first_number: Which row of its stream the first line is.
            schema: The SCHEMA message that they came under.
        """
        self.schema = schema
        self._first_number = first_number
        self._places = places
        self._lines = lines
        self._segment: _Segment | None = None
        self._starts = array("Q")

    def write(self, segment: _Segment) -> None:
        """Keep them in a file instead.

        Args:
            segment: The file.

        Raises:
            OSError: It cannot be written.
        """
        starts = array("Q", accumulate(map(len, self._lines), initial=segment.size))
        segment.append(b"".join(self._lines))
        self._segment, self._starts, self._lines = segment, starts, ()

    def line(self, row: int) -> bytes:
        """Return a row's line.

        Args:
            row: Its place among the rows that matter.

        Raises:
            StorageError: It cannot be read.
        """
        place = self._places[row]
        if self._segment is None:
            return self._lines[place]
        return self._segment.read(self._starts[place], self._starts[place + 1])

    def number(self, row: int) -> int:
        """Return which row of its stream a row is.

        Args:
            row: Its place among the rows that matter.
        """
        return self._first_number + self._places[row]


class LineStore:
    """Keeps the lines of one stream under one SCHEMA."""

    def __init__(self, folder: Path, schema: bytes) -> None:
        """Keep nothing yet.

        Args:
            folder: Where files are made.
            schema: The SCHEMA message.
        """
        self._folder = folder
        self._schema = schema
        self._segment: _Segment | None = None

    def keep(self, lines: Sequence[bytes], places: Sequence[int], first_number: int) -> KeptLines:
        """Keep lines, in memory if they cannot be written.

        Args:
            lines: The lines.
            places: Which of them the rows are that matter.
            first_number: Which row of its stream the first line is.
        """
        kept = KeptLines(lines, places, first_number, self._schema)
        with suppress(OSError):  # the disk is full, say
            if self._segment is None or self._segment.size > SEGMENT_BYTES:
                descriptor, name = tempfile.mkstemp(prefix=".target-dotdigital-", dir=self._folder)
                self._segment = _Segment(descriptor)
                Path(name).unlink()
            kept.write(self._segment)
        return kept


class Block:
    """Rows of one stream that came together, and the JSON of the contacts that they make.

    Nearly always all of them go into one import. So their JSON is taken apart only where they do
    not, and nothing is kept of a row by itself. Its `repr` shows nothing of it.

    Attributes:
        identity_sets: What takes the ID of each row's contact; one if it is one for all.
        counted: A row that is counted as each of them is.
    """

    def __init__(
        self,
        counts: StreamCounts,
        identity_sets: list[IdentitySet | None],
        kept: KeptLines | None = None,
    ) -> None:
        """Hold no JSON yet.

        Args:
            counts: Where the rows are counted.
            identity_sets: See above.
            kept: Their lines; None when rejects are not kept.
        """
        self.identity_sets = identity_sets
        self.counted = (Row(counts, None, None),)
        self._kept = kept
        self._count = 0
        self._encoded: bytes | None = b""
        self._bodies: list[bytes] = []

    def fill(self, encoded: bytes, count: int) -> None:
        """Take the JSON of contacts in.

        Args:
            encoded: A line for each, with its end. Nothing, if they have none.
            count: How many there are.
        """
        # A copy: what an encoder returns keeps half as much again from being used by others.
        self._encoded, self._count = encoded[:-1], count

    @property
    def bodies(self) -> list[bytes]:
        """The JSON of each contact. Safe to use from several threads."""
        encoded = self._encoded
        if encoded is not None:
            self._bodies = encoded.split(b"\n") if encoded else []
            self._encoded = None
        return self._bodies

    def sets_of(self, place: int) -> list[IdentitySet | None]:
        """Return what takes a contact's ID.

        Args:
            place: The contact's place.
        """
        sets = self.identity_sets
        return sets if len(sets) == 1 else [sets[place]]

    def rows(self, place: int) -> tuple[Row, ...]:
        """Return a contact's row.

        Args:
            place: The contact's place.

        Raises:
            StorageError: Its line cannot be read.
        """
        (identity_set,) = self.sets_of(place)
        ((counts, *_),) = self.counted
        kept = self._kept
        if kept is None:
            return (Row(counts, None, None, identity_set),)
        return (Row(counts, kept.line(place), kept.schema, identity_set, kept.number(place)),)

    def joined(self, contacts: Sequence[Contact]) -> bytes:
        """Return the JSON of some contacts, with commas between them.

        Args:
            contacts: The contacts, all different ones.
        """
        encoded = self._encoded
        if encoded is not None and len(contacts) == self._count:
            return encoded.replace(b"\n", b",")
        bodies = self.bodies
        return b",".join([bodies[each.place] for each in contacts])

    def size(self, contacts: Sequence[Contact]) -> int:
        """Return how many bytes `joined` has.

        Args:
            contacts: The contacts, all different ones.
        """
        encoded = self._encoded
        if encoded is not None and len(contacts) == self._count:
            return len(encoded)
        bodies = self.bodies
        return sum([len(bodies[each.place]) for each in contacts]) + len(contacts) - 1
