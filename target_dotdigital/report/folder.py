"""A folder of reports: `report_path` with a slash at its end. It keeps a page and a JSON a run.

Its `index.html` is made of the JSON files that are there, under a lock: so no run is lost, however
many end at a time, and a report that somebody has taken away is not missed.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import msgspec

from target_dotdigital.report.model import ListedRun

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_RUNS: Final = 500
"""Runs on the index, the newest ones. The others stay in the folder."""

_PREFIX: Final = "run-"
_LOCK: Final = ".lock"


_decoder = msgspec.json.Decoder(ListedRun)


def new_name(folder: Path, started: str) -> str:
    """Return the name of a run's files, without its ending. No other run has it.

    Args:
        folder: The folder.
        started: When the run began, in ISO 8601.

    Raises:
        OSError: The folder cannot be written into.
    """
    digits = started.replace("-", "").replace(":", "").partition("+")[0]
    number = 1
    while True:
        name = f"{_PREFIX}{digits}" + (f"-{number}" if number > 1 else "")
        with suppress(FileExistsError):
            # Of the owner alone, and taken from now on.
            os.close(os.open(folder / f"{name}.json", os.O_CREAT | os.O_EXCL, 0o600))
            return name
        number += 1


def listed_runs(folder: Path) -> tuple[list[ListedRun], int]:
    """Return the runs of a folder, the newest first, and how many older ones are left out.

    Args:
        folder: The folder.

    Raises:
        OSError: It cannot be read.
    """
    names = sorted((each.name for each in folder.glob(f"{_PREFIX}*.json")), reverse=True)
    found = []
    for name in names[:MAX_RUNS]:
        # One that is being written, or that somebody has changed.
        with suppress(OSError, msgspec.DecodeError):
            run = _decoder.decode((folder / name).read_bytes())
            run.page = name.removesuffix(".json") + ".html"
            found.append(run)
    return found, max(len(names) - MAX_RUNS, 0)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs from writing the index at the same time.

    Args:
        folder: The folder.

    Raises:
        OSError: It cannot be written into.
    """
    descriptor = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        # Some network file systems know no locks; two runs that end at once may then miss one.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
