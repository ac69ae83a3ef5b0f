"""The records of a BATCH message's files, as lines of RECORD messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_dotdigital.batch_files.batch_message import BatchMessage
from target_dotdigital.batch_files.json_lines import read_json_lines
from target_dotdigital.batch_files.parquet import read_parquet
from target_dotdigital.batch_files.storage import opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_dotdigital.settings import BatchStorage


def record_lines(
    message: Mapping[str, Any], line: int, storage: BatchStorage | None
) -> Iterator[list[bytes]]:
    """Yield the RECORD messages that a BATCH message stands for, many lines at a time.

    A file is opened when it is its turn. A line ends with its newline.

    Args:
        message: The message, which has a stream, an encoding, and a manifest.
        line: Its number, for messages.
        storage: Where its files are looked for; where their URLs say, if that is None.

    Raises:
        TargetDotdigitalError: A file cannot be read to its end. What comes before is yielded.
    """
    batch = BatchMessage.read(message, line)
    head = batch.record_head
    for file in batch.files():
        with opened(file, storage) as content:
            if batch.is_parquet:
                blocks = read_parquet(content, file.name)
            else:
                blocks = read_json_lines(content, file.name, is_gzip=batch.is_gzip)
            for records in blocks:
                yield [head + record + b"}\n" for record in records]
