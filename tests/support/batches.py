"""BATCH messages, with the files that they name."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyarrow import Table, parquet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Message = dict[str, Any]


def lines_of(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows, which may be RECORD messages, as JSON Lines."""
    return b"".join(json.dumps(each.get("record", each)).encode() + b"\n" for each in rows)


def batch(*files: Path | str, stream: str = "people", **more: Any) -> Message:
    """Return a BATCH message of files that are there, by URL or path."""
    urls = [each if isinstance(each, str) else each.as_uri() for each in files]
    encoding = {"format": "jsonl", "compression": "gzip"}
    return {"type": "BATCH", "stream": stream, "encoding": encoding, "manifest": urls, **more}


def plain(*files: Path | str, stream: str = "people", **more: Any) -> Message:
    """Return the same of files that are not compressed."""
    encoding = {"format": "jsonl", "compression": "none"}
    return batch(*files, stream=stream, encoding=encoding, **more)


def batch_of(path: Path, rows: Sequence[Mapping[str, Any]], **more: Any) -> Message:
    """Write rows into a compressed file, and return the BATCH message."""
    path.write_bytes(gzip.compress(lines_of(rows)))
    return batch(path, **more)


def parquet_of(path: Path, rows: Sequence[Mapping[str, Any]], **more: Any) -> Message:
    """Write rows into a Parquet file, and return the BATCH message."""
    parquet.write_table(Table.from_pylist([each.get("record", each) for each in rows]), path)
    return batch(path, encoding={"format": "parquet"}, **more)


def rows_in(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what can be read of a BATCH message's files: those of JSON Lines that are here."""
    found = []
    for url in message["manifest"]:
        path = Path(str(url).removeprefix("file://"))
        if not path.is_file():
            continue
        content = path.read_bytes()
        try:
            lines = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
            read = [json.loads(line) for line in lines.splitlines()]
        except (EOFError, OSError, ValueError):
            continue
        found += [each for each in read if isinstance(each, dict)]
    return found
