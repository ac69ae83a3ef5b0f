"""Files for undoing: who was taken out of an address book, as a stream that puts them back."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, TYPE_CHECKING

from target_dotdigital.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_dotdigital.settings import Settings

LEAVERS = "leavers"
"""The stream in a file for undoing."""

FILE_MODE = 0o600
"""Who has left is nobody else's business."""

_SCHEMA = {
    "type": "SCHEMA",
    "stream": LEAVERS,
    "schema": {"type": "object", "properties": {"contactId": {"type": "integer"}}},
    "key_properties": ["contactId"],
}
"""With `account` and `address_book` beside it, which are for `--undo` alone."""
_RECORD = f'{{"type": "RECORD", "stream": "{LEAVERS}", "record": {{"contactId": %d}}}}\n'


def undo_folder(settings: Settings) -> Path:
    """Return where files for undoing go: beside the report, or the rejects, or right here.

    Args:
        settings: The target's settings.
    """
    if settings.report_path is not None and settings.report_is_folder:
        return settings.report_path
    beside = settings.report_path or settings.rejects_path
    return Path.cwd() if beside is None else beside.parent


def check_folder(folder: Path) -> None:
    """Make sure that a file could be written. The folder is made.

    Args:
        folder: Where it would be.

    Raises:
        StorageError: It could not be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _failure(folder, error) from None


def write_undo_file(
    folder: Path, account_id: int, address_book_id: int, contact_ids: Iterable[int]
) -> Path:
    """Write a file for undoing a removal, and make sure that it is on disk.

    Args:
        folder: Where to.
        account_id: The account's ID: those of contacts may be others' in another account.
        address_book_id: The address book that the contacts leave.
        contact_ids: Their IDs.

    Returns:
        The file. It is new: none is ever overwritten.

    Raises:
        StorageError: It cannot be written.
    """
    moment = datetime.now(tz=timezone.utc)
    path = folder / f"{LEAVERS}.{address_book_id}.{moment:%Y%m%dT%H%M%S.%fZ}.singer"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(path, flags, FILE_MODE), "w", encoding="ascii") as file:
            places = {"account": account_id, "address_book": address_book_id}
            file.write(f"{json.dumps({**_SCHEMA, **places})}\n")
            for contact_id in contact_ids:
                file.write(_RECORD % contact_id)
            _reach_disk(file)
        # The name, too: a file that nobody finds undoes nothing.
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise _failure(folder, error) from None
    return path.absolute()


def _reach_disk(file: IO[str]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _failure(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"The undo file of a mirror cannot be written to {folder}: {error.strerror}"
    )
