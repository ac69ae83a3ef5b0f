"""tap-jsonl, which leaves out the files that its bookmark covers.

tap-jsonl (up to 0.3.1) means to skip a file that has not changed since its bookmark, but looks the
bookmark up as `_sdc_last_modified`, while the SDK keeps it as `replication_key_value`. So it sends
every file in every run. `tests/project/test_meltano.py` tells when that is no longer so.
"""
# ruff: noqa: INP001 - one module is the whole distribution

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_jsonl.streams import JsonlFileStream, parse_bookmark
from tap_jsonl.tap import TapJsonl
from typing_extensions import override

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context


class ResumingStream(JsonlFileStream):
    """Rows of files that are newer than their bookmark."""

    @override
    def process_file(self, filepath: str, context: Context) -> list[dict[str, Any]]:
        """Return a file's rows, or none if they were loaded before.

        Args:
            filepath: The file.
            context: The state partition that holds its bookmark.
        """
        bookmark = parse_bookmark(self.get_context_state(context).get("replication_key_value"))
        modified = datetime.fromtimestamp(Path(filepath).stat().st_mtime, tz=timezone.utc)
        # The bookmark is in whole seconds.
        if bookmark and modified.replace(microsecond=0) <= bookmark:
            self.logger.info("Unchanged since %s: %s", bookmark, filepath)
            return []
        return super().process_file(filepath, context)


class ResumingTap(TapJsonl):
    """tap-jsonl with the stream above."""

    @override
    def discover_streams(self) -> list[JsonlFileStream]:
        return [ResumingStream(self)]
