"""Streams from which contacts leave: their settings, and who is in the address book."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.target.command import load, settings_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer
    from tests.support.target.command import FinishedRun


BOOK = 102
PACE = 20


def mirror(server: DotdigitalServer, **more: Any) -> dict[str, Any]:
    """Settings of a mirror that may remove everybody but one."""
    stream = {"sync_mode": "mirror", "max_removal_percent": 99, **more.pop("stream", {})}
    more = {"max_reject_percent": 100, **more}
    return settings_for(server, streams={"people": stream}, **more)


def run(config: Mapping[str, Any], folder: Path, *messages: Any) -> FinishedRun:
    """Run the target over messages, on a clock that runs faster."""
    return load(config, folder, *messages, pace=PACE)


def fill(server: DotdigitalServer, *names: str) -> None:
    """Put contacts into the address book, and into another one."""
    for name in names:
        server.add_contact(f"{name}@example.com", {"FIRSTNAME": name}, lists=(101, BOOK))


def members(server: DotdigitalServer, book: int = BOOK) -> set[str]:
    """Return the names of those who are in the address book."""
    found = (name for name, each in server.contacts.items() if book in each.lists)
    return {name.partition("@")[0] for name in found}


def undo_files(folder: Path) -> list[Path]:
    """Return the files from which those who have left can be loaded again."""
    return sorted(folder.glob("leavers.*.singer"))
