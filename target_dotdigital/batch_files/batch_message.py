"""What a BATCH message says: whose files they are, what they are, and where."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from target_dotdigital.errors import DataError
from target_dotdigital.singer_lines import encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_UNCOMPRESSED: Final = (None, "", "none")

_SAFE_NAME: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}[-=][0-9]+(?:\.(?:json|jsonl|parquet|gz))+$"
)
"""How the SDK's names of files end: a UUID and a number. Other names may tell more than that."""


@dataclass(frozen=True)
class BatchFile:
    """A file that a BATCH message names.

    Attributes:
        url: Where it is. It may hold a credential.
        name: What it is called in messages.
    """

    url: str = field(repr=False)
    name: str


@dataclass(frozen=True)
class BatchMessage:
    """A BATCH message whose parts are sound.

    Attributes:
        is_parquet: Whether the files are Parquet; JSON Lines otherwise.
        is_gzip: Whether the message says that the files are compressed.
        record_head: What a RECORD of it begins with, up to the record.
    """

    is_parquet: bool
    is_gzip: bool
    record_head: bytes
    _name: str
    _urls: list[str] = field(repr=False)

    @classmethod
    def read(cls, message: Mapping[str, Any], line: int) -> BatchMessage:
        """Look at what a message says.

        Args:
            message: The message, which has a stream, an encoding, and a manifest.
            line: Its number, for messages.

        Raises:
            DataError: The files are of a kind that cannot be read, or there is no list of them.
        """
        stream, encoding, urls = (message[key] for key in ("stream", "encoding", "manifest"))
        name = f"Line {line}: the BATCH of stream '{stream}'"
        if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
            raise DataError(f"{name} has a manifest that is not a list of URLs. Correct the tap")
        if not isinstance(encoding, dict) or "format" not in encoding:
            raise DataError(f"{name} does not say how its files are encoded. Correct the tap")
        if encoding["format"] not in ("jsonl", "parquet"):
            raise DataError(
                f"{name} has an encoding that is unknown. Set the tap's batch_config to format: "
                "jsonl or parquet"
            )
        is_parquet = encoding["format"] == "parquet"
        compression = encoding.get("compression")
        # A Parquet file tells by itself how it is compressed.
        if not is_parquet and compression not in ("gzip", *_UNCOMPRESSED):
            raise DataError(
                f"{name} has a compression that is unknown. Set the tap's batch_config to "
                "compression: gzip or none"
            )
        is_gzip = compression == "gzip" and not is_parquet
        head = _record_head(stream, message.get("version"))
        return cls(is_parquet, is_gzip, head, name, urls)

    def files(self) -> Iterator[BatchFile]:
        """Yield the files, in their order."""
        for number, url in enumerate(self._urls, 1):
            name = f"{self._name}, file {number} of {len(self._urls)}"
            told = _SAFE_NAME.search(url)
            yield BatchFile(url, name if told is None else f"{name} (…{told[0]})")


def _record_head(stream: str, version: object) -> bytes:
    parts: dict[str, Any] = {"type": "RECORD", "stream": stream}
    if version is not None:
        parts["version"] = version
    return f'{encode(parts)[:-1]}, "record": '.encode()
