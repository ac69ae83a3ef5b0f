"""Local files: checked before anything is sent, so that nothing is found out when it is late."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from datetime import datetime, timezone
from io import FileIO
from pathlib import Path

from target_dotdigital.errors import StorageError

FILE_MODE = 0o600
"""People's addresses: for the owner's eyes only."""


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


def check_file(setting: str, path: Path) -> None:
    """Make sure that a file can be written that has nothing beside it; see `check_writable`.

    Args:
        setting: The setting that names it.
        path: The file.

    Raises:
        StorageError: It could not be written.
    """
    check_writable(setting, path, path)


def check_folder(setting: str, folder: Path) -> None:
    """Make sure that files can be written into a folder. It is made.

    Args:
        setting: The setting that names it.
        folder: The folder.

    Raises:
        StorageError: They could not be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise unwritable(setting, folder, error) from None


def unwritable(setting: str, path: Path, error: OSError) -> StorageError:
    """Return the error that says that a file cannot be written.

    Args:
        setting: The setting that names it.
        path: The file.
        error: What the system says.
    """
    return StorageError(f"{setting}: {path} cannot be written: {error.strerror}")


def replace_file(setting: str, path: Path, text: str, prefix: str) -> None:
    """Write a file as a whole or not at all, readable for its owner alone.

    Args:
        setting: The setting that names it.
        path: The file.
        text: What it holds.
        prefix: What the name of the file begins with that it is written to first.

    Raises:
        StorageError: It cannot be written.
    """
    temporary: str | None = None
    try:
        # Of mode 0600 from the first moment.
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=prefix)
        with os.fdopen(descriptor, "wb") as file:
            # A name may hold half a surrogate pair, which is no text that could be encoded.
            file.write(text.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise unwritable(setting, path, error) from None


class AppendedFile:
    """A file that grows while a run goes on. It is made for the first part that is written.

    It is readable for its owner alone from the first moment. A file of an earlier run is kept
    beside it, never overwritten: nobody may have read it yet, or it may be what this run reads.
    """

    def __init__(self, setting: str, path: Path) -> None:
        """Check that the file can be written, without touching it. Its directory is made.

        Args:
            setting: The setting that names it.
            path: The file.

        Raises:
            StorageError: It could not be written.
        """
        self.path = path
        self.size = 0
        """Bytes that this run has written."""
        self._setting = setting
        self._file: FileIO | None = None
        self._is_dirty = False
        check_writable(setting, path, path.with_name(self._kept_name(0)))

    def append(self, data: bytes) -> None:
        """Write without a buffer: a row is counted as rejected once the system has taken it.

        On a full disk the file keeps whole parts only, so that it can still be read.

        Args:
            data: One or more whole lines.

        Raises:
            StorageError: The file cannot be written.
        """
        try:
            if self._file is None:
                self._file = self._create()
            self._is_dirty = True
            written = 0
            try:
                while written < len(data):
                    written += self._file.write(data[written:])
            except OSError:
                with suppress(OSError):
                    self._file.truncate(self.size)
                raise
        except OSError as error:
            raise unwritable(self._setting, self.path, error) from None
        self.size += written

    def replace_start(self, old_size: int, start: bytes) -> None:
        """Write another start in place of the file's first bytes, as a whole or not at all.

        Args:
            old_size: How many bytes are replaced.
            start: What comes in their place.

        Raises:
            StorageError: The file cannot be written.
        """
        temporary = None
        try:
            descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".rejects-")
            with self.path.open("rb") as old, os.fdopen(descriptor, "wb") as new:
                new.write(start)
                old.seek(old_size)
                shutil.copyfileobj(old, new)
                new.flush()
                os.fsync(new.fileno())
                size = new.tell()
            Path(temporary).replace(self.path)
            file = FileIO(os.open(self.path, os.O_WRONLY | os.O_APPEND), "a")
        except OSError as error:
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)
            raise unwritable(self._setting, self.path, error) from None
        if self._file is not None:
            self._file.close()
        self._file, self.size = file, size

    def flush(self) -> None:
        """Make sure that what was written is on disk: a STATE that covers it may go out next.

        Raises:
            StorageError: The file cannot be written.
        """
        if self._file is not None and self._is_dirty:
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                raise unwritable(self._setting, self.path, error) from None
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
                raise unwritable(self._setting, self.path, error) from None
            self._file = None

    def _create(self) -> FileIO:
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
