"""The rejects file: rejected rows as a Singer stream that this target can load again."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime, timezone
from io import FileIO
from typing import TYPE_CHECKING, Any

from target_dotdigital.files import check_writable, unwritable
from target_dotdigital.singer_lines import decode, encode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from target_dotdigital.errors import StorageError
    from target_dotdigital.mapping import Row

FILE_MODE = 0o600
"""People's addresses: for the owner's eyes only."""

_PROPERTIES: Mapping[str, Any] = {
    "_sdc_reject_code": {"type": ["string", "null"]},
    "_sdc_reject_reason": {"type": ["string", "null"]},
    "_sdc_rejected_at": {"type": ["string", "null"], "format": "date-time"},
}


class RejectsFile:
    """Writes rejected rows. The file is made for the first one; an older file is kept beside it."""

    def __init__(self, path: Path) -> None:
        """Check that the file can be written, without touching it. Its directory is made.

        Args:
            path: The file.

        Raises:
            StorageError: It could not be written.
        """
        self.path = path
        self._file: FileIO | None = None
        self._size = 0
        self._is_dirty = False
        self._schemas: dict[str, bytes] = {}
        check_writable("rejects_path", path, path.with_name(self._kept_name(0)))

    @property
    def holds_rows(self) -> bool:
        """Whether this run has rejected rows in it."""
        return self._size > 0

    def write(self, row: Row, code: str, reason: str) -> None:
        """Append a rejected row.

        Args:
            row: The row, with its line and its SCHEMA's.
            code: The reject's code.
            reason: Why it was rejected.

        Raises:
            StorageError: The file cannot be written.
        """
        if row.line is None or row.schema is None:
            return
        message = decode(row.line)
        stream, record = message["stream"], message["record"]
        if isinstance(record, dict):
            record["_sdc_reject_code"] = code
            record["_sdc_reject_reason"] = reason
            record["_sdc_rejected_at"] = datetime.now(tz=timezone.utc).isoformat()
        lines = f"{encode(message)}\n"
        if self._schemas.get(stream) != row.schema:
            self._schemas[stream] = row.schema
            schema = decode(row.schema)
            schema["schema"]["properties"].update(_PROPERTIES)
            lines = f"{encode(schema)}\n{lines}"
        try:
            if self._file is None:
                self._file = self._create()
            self._append(self._file, lines.encode("ascii"))
        except OSError as error:
            raise self._failure(error) from None

    def _append(self, file: FileIO, lines: bytes) -> None:
        """Write without a buffer: a row is counted as rejected once the system has taken it.

        On a full disk the file keeps whole lines only, so that it can still be loaded again.
        """
        self._is_dirty = True
        written = 0
        try:
            while written < len(lines):
                written += file.write(lines[written:])
        except OSError:
            with suppress(OSError):
                file.truncate(self._size)
            raise
        self._size += written

    def flush(self) -> None:
        """Make sure that what was written is on disk: a STATE that covers it may go out next.

        Raises:
            StorageError: The file cannot be written.
        """
        if self._file is not None and self._is_dirty:
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                raise self._failure(error) from None
            self._is_dirty = False

    def close(self) -> None:
        """Close the file.

        Raises:
            StorageError: The file cannot be written.
        """
        if self._file is not None:
            try:
                self._file.close()
            except OSError as error:
                raise self._failure(error) from None
            self._file = None

    def _create(self) -> FileIO:
        """Make the file anew, readable for its owner alone from the first moment.

        A file of an earlier run is renamed, never overwritten: its rows may not have been sent
        again yet, or may be what this run is reading.
        """
        if self.path.exists():
            made = self.path.stat().st_mtime
            kept = self.path.with_name(self._kept_name(made))
            while kept.exists():
                made += 1e-6
                kept = self.path.with_name(self._kept_name(made))
            self.path.rename(kept)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        return FileIO(os.open(self.path, flags, FILE_MODE), "w")

    def _kept_name(self, made: float) -> str:
        moment = datetime.fromtimestamp(made, tz=timezone.utc)
        return f"{self.path.name}.{moment:%Y%m%dT%H%M%S.%fZ}"

    def _failure(self, error: OSError) -> StorageError:
        return unwritable("rejects_path", self.path, error)
