"""Local files: checked before anything is sent, so that nothing is found out when it is late."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from target_dotdigital.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path


def check_writable(setting: str, path: Path, longest: Path) -> None:
    """Make sure that a file can be written, without touching it. Its directory is made.

    Args:
        setting: The setting that names it.
        path: The file.
        longest: What the file, or one beside it, may be called at most.

    Raises:
        StorageError: It could not be written.
    """
    try:
        if os.path.lexists(path) and not path.is_file():
            raise StorageError(f"{setting}: {path} is not a file. Name a file")
        longest.lstat()
    except FileNotFoundError:
        pass  # as it should be; a name that is too long is told here
    except OSError as error:
        raise unwritable(setting, path, error) from None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise unwritable(setting, path, error) from None


def unwritable(setting: str, path: Path, error: OSError) -> StorageError:
    """Return the error that says that a file cannot be written.

    Args:
        setting: The setting that names it.
        path: The file.
        error: What the system says.
    """
    return StorageError(f"{setting}: {path} cannot be written: {error.strerror}")
