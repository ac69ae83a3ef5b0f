"""The rejects file: rejected rows as a Singer stream that this target can load again."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from target_dotdigital.files import AppendedFile
from target_dotdigital.singer_lines import decode, encode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from target_dotdigital.errors import RowRejectedError
    from target_dotdigital.mapping import Row

_PROPERTIES: Mapping[str, Any] = {
    "_sdc_reject_code": {"type": ["string", "null"]},
    "_sdc_reject_reason": {"type": ["string", "null"]},
    "_sdc_rejected_at": {"type": ["string", "null"], "format": "date-time"},
}


class RejectsFile(AppendedFile):
    """Writes rejected rows. The file is made for the first one; an older file is kept beside it."""

    def __init__(self, path: Path) -> None:
        """Check that the file can be written, without touching it. Its directory is made.

        Args:
            path: The file.

        Raises:
            StorageError: It could not be written.
        """
        super().__init__("rejects_path", path)
        self._schemas: dict[str, bytes] = {}

    def write(self, row: Row, error: RowRejectedError) -> None:
        """Append a rejected row.

        Args:
            row: The row, with its line and its SCHEMA's.
            error: Why it was rejected.

        Raises:
            StorageError: The file cannot be written.
        """
        if row.line is None or row.schema is None:
            return
        message = decode(row.line)
        stream, record = message["stream"], message["record"]
        if isinstance(record, dict):
            record["_sdc_reject_code"] = error.code
            record["_sdc_reject_reason"] = error.reason
            record["_sdc_rejected_at"] = datetime.now(tz=timezone.utc).isoformat()
        lines = f"{encode(message)}\n"
        if self._schemas.get(stream) != row.schema:
            self._schemas[stream] = row.schema
            schema = decode(row.schema)
            schema["schema"]["properties"].update(_PROPERTIES)
            lines = f"{encode(schema)}\n{lines}"
        self.append(lines.encode("ascii"))
