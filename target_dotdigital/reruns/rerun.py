"""A file of an earlier run that is loaded: what is in it, and what becomes of it."""

from __future__ import annotations

import fcntl
import logging
import os
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

from target_dotdigital.errors import DataError, StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ARCHIVED: Final = ".replayed"
"""What the name of a file ends in whose rows are all settled."""

_State: TypeAlias = "tuple[int, int]"
"""A file's size, and when it was last written."""

_logger = logging.getLogger("target-dotdigital")


class _Record(msgspec.Struct):
    code: object = msgspec.field(name="_sdc_reject_code", default=None)


class _Message(msgspec.Struct):
    """What matters here of a line."""

    type: str
    stream: str = ""
    record: _Record | None = None
    address_book: int | None = None
    account: int | None = None


_decode = msgspec.json.Decoder(_Message).decode


@dataclass(slots=True)
class Contents:
    """What is in a file, as far as it can be read.

    Attributes:
        rows: By stream, its rows by reject code; under an empty text those without one.
        address_book: The ID of the address book that a SCHEMA names.
        account: The ID of the account that a SCHEMA names.
    """

    rows: dict[str, Counter[str]] = field(default_factory=dict)
    address_book: int | None = None
    account: int | None = None

    @property
    def total(self) -> int:
        """How many rows there are."""
        return sum(each.total() for each in self.rows.values())


@dataclass(slots=True)
class Rerun:
    """A file that is loaded.

    Attributes:
        purpose: What for.
        path: The file.
        source: The file, open.
        announcement: What the run is going to do, in one line.
        rejects_path: Where rows go that are rejected now: never over a file that is there.
        overrides: Settings in place of the run's own.
        dropped: Settings of the run's own that do not concern it.
        account: The ID of the account that it is of; None if that is not known.
    """

    purpose: Literal["replay", "undo"]
    path: Path
    source: IO[str]
    announcement: str
    rejects_path: Path
    overrides: Mapping[str, Any] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    account: int | None = None
    _state: _State = field(init=False)

    def __post_init__(self) -> None:
        """Note how the file is now."""
        self._state = _state(self.source)

    def settings(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings that the file is loaded with.

        Args:
            config: The run's own.
        """
        kept = {name: value for name, value in config.items() if name not in self.dropped}
        return {**kept, **self.overrides}

    def announce(self, *, is_dry_run: bool) -> None:
        """Say what is going to be done.

        Args:
            is_dry_run: Whether nothing is written.
        """
        _logger.info("%s", self.announcement)
        if is_dry_run:
            _logger.info("dry_run is set: nothing is written to Dotdigital, and the file stays")

    def archive(self) -> None:
        """Give a file that has been loaded another name, so that it is not loaded twice.

        Raises:
            StorageError: It cannot be renamed.
        """
        archived = new_name(self.path, ARCHIVED, is_suffix=True)
        try:
            there, read = self.path.stat(), os.fstat(self.source.fileno())
            if not os.path.samestat(there, read):
                _logger.warning("%s was replaced meanwhile. The new file stays", self.path)
                return
            if _state(self.source) != self._state:
                # A run that still goes on, or somebody, has written more rows into it.
                _logger.warning(
                    "%s was changed meanwhile, so it stays. Replay it once more", self.path
                )
                return
            self.path.rename(archived)
        except OSError as error:
            raise StorageError(
                f"All rows of {self.path} are settled, but the file cannot be renamed: "
                f"{error.strerror}. Rename or delete it"
            ) from None
        _logger.info("All rows of %s are settled. The file is called %s now", self.path, archived)


def open_file(path: Path) -> IO[str]:
    """Open a file that is to be loaded, and keep other runs from loading it at the same time.

    Args:
        path: The file.

    Raises:
        StorageError: It cannot be read, or another run loads it.
    """
    if path.exists() and not path.is_file():
        raise StorageError(f"{path} is not a file. Name a file")
    try:
        file = path.open(encoding="utf-8", errors="surrogateescape")
        with suppress(OSError):  # some network file systems know no locks
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                raise StorageError(
                    f"{path} is being loaded by another run. Wait until that has ended"
                ) from None
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from None
    return file


def _state(file: IO[str]) -> _State:
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns


def read_contents(path: Path) -> Contents:
    """Return what is in a file. What is in lines that cannot be read, the run tells.

    Args:
        path: The file.

    Raises:
        DataError: There is not a row in it.
        StorageError: It cannot be read.
    """
    found = Contents()
    try:
        with path.open("rb") as file:
            for line in file:
                try:
                    message = _decode(line)
                except (msgspec.MsgspecError, UnicodeDecodeError):
                    continue
                if message.type == "SCHEMA":
                    found.address_book = message.address_book or found.address_book
                    found.account = message.account or found.account
                if message.type == "RECORD":
                    code = message.record.code if message.record is not None else None
                    codes = found.rows.setdefault(message.stream, Counter())
                    codes[code if isinstance(code, str) else ""] += 1
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from None
    if not found.rows:
        raise DataError(f"{path} has no rows. Name a file that a run has written")
    return found


def new_name(path: Path, ending: str, *, is_suffix: bool = False) -> Path:
    """Return the name of a file beside another one that is not there yet.

    Args:
        path: The other file.
        ending: What the name ends in.
        is_suffix: Whether the whole name of the other file is its beginning.
    """
    beginning = path.name if is_suffix else path.stem
    while True:
        moment = datetime.now(tz=timezone.utc)
        name = path.with_name(f"{beginning}.{moment:%Y%m%dT%H%M%S.%fZ}{ending}")
        if not os.path.lexists(name):
            return name
