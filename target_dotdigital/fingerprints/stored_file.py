"""The file that keeps fingerprints: whole or not at all, and for one run at a time.

A head says how many bytes count, and what their digest is; it is written after them. What is behind
them was never finished. The file's time of modification stands in the head, too: of a file that was
put back from a copy it is another one. A copy may have kept it, but nobody can set the time at
which a file system has last changed anything of a file: that has to be the same moment.
"""

from __future__ import annotations

import fcntl
import os
import struct
import tempfile
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from target_dotdigital.errors import SettingsError
from target_dotdigital.files import FILE_MODE, check_writable, unwritable

if TYPE_CHECKING:
    from collections.abc import Iterable

SETTING = "fingerprints_path"

_MAGIC = b"dotdfp01"
_HEAD = struct.Struct("<8sQQ16s")
"""What the file is, its time of modification, how many bytes follow, and their digest."""
_NANOSECONDS = 10**9
_MAX_LATER = 10 * _NANOSECONDS
"""Between the time in the head and the last change of the file: rounded, and a busy machine."""


def check_fingerprints(path: Path) -> None:
    """Make sure that fingerprints can be kept in a file, without touching it.

    Args:
        path: The file.

    Raises:
        SettingsError: Another run has it open.
        StorageError: It cannot be read, or written.
    """
    check_writable(SETTING, path, path.with_name(_temporary(path, "12345678")))
    StoredFile(path, is_read_only=True).close()


def _temporary(path: Path, end: str = "") -> str:
    return f".{path.name}-{end}"


class StoredFile:
    """A file that is locked while it is open.

    Attributes:
        path: Where it is.
        data: What it holds; None if there is nothing in it that can be relied on.
        problem: Why it cannot be relied on; None if it can, or is new.
    """

    def __init__(self, path: Path, *, is_read_only: bool) -> None:
        """Open and lock it, and read it. It is made if there is none.

        Args:
            path: Where it is.
            is_read_only: Whether it is left as it is.

        Raises:
            SettingsError: Another run has it open.
            StorageError: It cannot be read, or written.
        """
        self.path = path
        # What a link leads to is replaced, not the link: it would lead to an older file then.
        self._real = Path(os.path.realpath(path)) if path.is_symlink() else path
        self.data: memoryview | None = None
        self.problem: str | None = None
        self._is_read_only = is_read_only
        self._digest = blake2b(digest_size=16)
        self._size = 0
        self._descriptor = -1
        if is_read_only and not path.exists():
            return
        if not is_read_only:
            check_writable(SETTING, path, path.with_name(_temporary(path, "12345678")))
            check_writable(SETTING, self._real, self._real)
        try:
            self._descriptor = self._open_locked()
            self._read()
        except OSError as error:
            self.close()
            raise unwritable(SETTING, path, error) from None
        except BaseException:
            self.close()
            raise

    def append(self, parts: Iterable[bytes | memoryview], *, is_urgent: bool) -> None:
        """Add parts to what the file holds, all of them or none.

        Args:
            parts: What to add.
            is_urgent: Whether it must be on disk before anything else happens.

        Raises:
            OSError: It cannot be written.
        """
        digest, size = self._digest.copy(), self._size
        for part in parts:
            _write(self._descriptor, part, _HEAD.size + size)
            digest.update(part)
            size += len(part)
        self._finish(self._descriptor, size, digest.digest())
        if is_urgent:
            os.fsync(self._descriptor)
        self._digest, self._size = digest, size

    def replace(self, parts: Iterable[bytes | memoryview]) -> None:
        """Put a file that holds nothing but some parts in the place of this one.

        Args:
            parts: What it holds.

        Raises:
            OSError: It cannot be written. The file is as it was, or holds the parts.
        """
        folder = self._real.parent
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=_temporary(self._real))
        digest, size = blake2b(digest_size=16), 0
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for part in parts:
                _write(descriptor, part, _HEAD.size + size)
                digest.update(part)
                size += len(part)
            self._finish(descriptor, size, digest.digest())
            os.fsync(descriptor)
            Path(name).replace(self._real)
        except BaseException:
            os.close(descriptor)
            Path(name).unlink(missing_ok=True)
            raise
        os.close(self._descriptor)
        self._descriptor, self._digest, self._size = descriptor, digest, size
        # Once more: to be renamed is to be changed, and the disk may have been slow.
        self._finish(descriptor, size, digest.digest())
        with suppress(OSError):  # that the name leads to it may wait: the older file is sound, too
            _flush_folder(folder)

    def empty(self) -> None:
        """Let the file hold nothing, whatever was in it. That takes no room on a full disk.

        Raises:
            OSError: Not even that is possible.
        """
        os.ftruncate(self._descriptor, 0)
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open_locked(self) -> int:
        flags, lock = os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX
        if self._is_read_only:
            flags, lock = os.O_RDONLY, fcntl.LOCK_SH
        while True:
            descriptor = os.open(self.path, flags, FILE_MODE)
            try:
                fcntl.flock(descriptor, lock | fcntl.LOCK_NB)
                # Another run may have put its own file there before this one was locked.
                if os.path.samestat(os.fstat(descriptor), os.stat(self.path)):  # noqa: PTH116
                    return descriptor
            except BlockingIOError:
                os.close(descriptor)
                raise SettingsError(
                    f"{SETTING}: another run uses {self.path} now: wait until it has ended. Two "
                    "runs at a time would not know what the other one has sent"
                ) from None
            except FileNotFoundError:
                pass
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def _read(self) -> None:
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            content = memoryview(file.read())
        status = os.fstat(self._descriptor)
        self._check(content, status)
        if not self._is_read_only and status.st_mode & 0o777 != FILE_MODE:
            with suppress(PermissionError):  # somebody else's
                os.fchmod(self._descriptor, FILE_MODE)
                if self.data is not None:
                    self._finish(self._descriptor, self._size, self._digest.digest())

    def _check(self, content: memoryview, status: os.stat_result) -> None:
        """Find out whether what the file holds can be relied on."""
        if not content:
            return
        if content[: len(_MAGIC)] != _MAGIC:
            self.problem = "it is not a fingerprints file of this version of target-dotdigital"
            return
        self.problem = "it is damaged"
        if len(content) < _HEAD.size:
            return
        _, stamp, size, digest = _HEAD.unpack_from(content)
        data = content[_HEAD.size : _HEAD.size + size]
        self._digest.update(data)
        if len(data) < size or self._digest.digest() != digest:
            return
        later = status.st_ctime_ns - stamp * _NANOSECONDS
        if status.st_mtime_ns != stamp * _NANOSECONDS or not 0 <= later <= _MAX_LATER:
            self.problem = "it was changed, moved, or put back from a copy"
            return
        self.data, self.problem, self._size = data, None, size

    @staticmethod
    def _finish(descriptor: int, size: int, digest: bytes) -> None:
        # Whole seconds, and even ones, which every file system can keep; by its own clock.
        stamp = os.fstat(descriptor).st_ctime_ns // _NANOSECONDS // 2 * 2
        _write(descriptor, _HEAD.pack(_MAGIC, stamp, size, digest), 0)
        os.utime(descriptor, ns=(stamp * _NANOSECONDS, stamp * _NANOSECONDS))


def _write(descriptor: int, data: bytes | memoryview, place: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(descriptor, rest, place)
        rest, place = rest[written:], place + written


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
