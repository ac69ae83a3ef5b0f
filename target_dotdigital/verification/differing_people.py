"""The list of who differs, as CSV for people: beside the rejected rows, in the same file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_dotdigital.mapping import Row, StreamCounts
from target_dotdigital.singer_lines import encode

if TYPE_CHECKING:
    from target_dotdigital.loading import RejectsCsv


class DifferingPeople:
    """Writes people into `rejects_csv`, if it is set."""

    def __init__(self, file: RejectsCsv | None) -> None:
        """Write nothing yet.

        Args:
            file: Where to; None if nobody asked for it.
        """
        self._file = file

    def add(self, code: str, reason: str, key: str, stream: str, row: int = 0) -> None:
        """Add somebody.

        Args:
            code: What is the matter, such as `verify.missing`.
            reason: The same as a sentence, with nothing but names and numbers.
            key: The person's identifier, normalised.
            stream: The stream that holds them.
            row: The number of their row there, if it is known.

        Raises:
            StorageError: The file cannot be written.
        """
        if self._file is None:
            return
        identifier, _, value = key.partition(":")
        schema = {"type": "SCHEMA", "stream": stream, "schema": {"properties": {identifier: {}}}}
        record: dict[str, Any] = {
            "type": "RECORD",
            "stream": stream,
            "record": {identifier: value},
        }
        line = Row(
            StreamCounts(stream), encode(record).encode(), encode(schema).encode(), None, row
        )
        self._file.list_row(line, code, reason)

    def flush(self) -> None:
        """Make sure that the list is on disk.

        Raises:
            StorageError: The file cannot be written.
        """
        if self._file is not None:
            self._file.flush()
