"""The lock file beside a database: one sandbox has it at a time, and the file says which one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from typing import TYPE_CHECKING

import msgspec
from typing_extensions import override

if TYPE_CHECKING:
    from pathlib import Path

OWNER_ONLY = 0o600
"""Database and lock file: people's addresses and credentials, which are nobody else's business."""

_MOST_BYTES = 64 * 1024


class StoreError(OSError):
    """The database file cannot be used; the text says why and what to do."""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """The sandbox that has a database.

    Attributes:
        process: Its process ID.
        url: Where other programs reach it; None if it serves the program around it alone.
        username: The API user's name.
        password: The API user's password.
        instance: Made up at each start. What answers at `url` must know it.
    """

    process: int
    url: str | None = None
    username: str = ""
    password: str = ""
    instance: str = ""

    @override
    def __repr__(self) -> str:
        """Leave the credentials out."""
        return f"Holder(process={self.process}, url={self.url!r})"


class InUseError(StoreError):
    """Another sandbox has the database.

    Attributes:
        holder: What is known of it; None while it starts or stops.
    """

    def __init__(self, path: Path, holder: Holder | None) -> None:
        """Say what to do."""
        self.holder = holder
        if holder is None:
            advice = ". Stop that one, or name another file"
        elif holder.url is None:
            advice = (
                f", inside process {holder.process}, such as a load of target-dotdigital. Wait "
                "until that has ended and start again, or name another file"
            )
        else:
            advice = (
                f", at {holder.url} (process {holder.process}). Use that one, stop it, or name "
                "another file"
            )
        super().__init__(f"{path} is in use by another sandbox{advice}")


class LockFile:
    """The lock, held until `close`. The kernel takes it from a process that is killed.

    It has a file of its own, as closing any handle of the database drops SQLite's locks.

    Attributes:
        instance: What tells this sandbox from every other.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Args:
            path: The database.

        Raises:
            InUseError: Another sandbox has it, and would work off the same imports.
            OSError: The file cannot be made.
        """
        self.instance = secrets.token_hex(16)
        self._file = os.open(f"{path}-lock", os.O_CREAT | os.O_RDWR, OWNER_ONLY)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = _read(self._file)
            os.close(self._file)
            raise InUseError(path, holder) from None
        os.fchmod(self._file, OWNER_ONLY)
        os.ftruncate(self._file, 0)  # what it says is of an older sandbox

    def publish(self, url: str | None = None, username: str = "", password: str = "") -> None:
        """Say which sandbox this is and, with a URL, let other programs use it.

        Args:
            url: Where it serves programs that name the same database.
            username: An API user's name that it accepts.
            password: The password.
        """
        holder = Holder(
            process=os.getpid(),
            url=url,
            username=username,
            password=password,
            instance=self.instance,
        )
        os.pwrite(self._file, msgspec.json.encode(holder), 0)

    def close(self) -> None:
        """Let another process have the database."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, 0)
        os.close(self._file)


_HOLDER = msgspec.json.Decoder(Holder)


def _read(file: int) -> Holder | None:
    """Return what the file says of the sandbox that has the lock."""
    with contextlib.suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return _HOLDER.decode(os.pread(file, _MOST_BYTES, 0))
    return None
