"""BATCH messages: files of records, opened wherever they are, read as lines of RECORD messages."""

from __future__ import annotations

from target_dotdigital.batch_files.record_lines import record_lines

__all__ = ["record_lines"]
