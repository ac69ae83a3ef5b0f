"""Commands of the target beside the load: each looks at the input, or at a file, in its own way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.support.canary import DEBUG
from tests.support.target.command import TargetProcess

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.target.command import FinishedRun

COLUMNS = (
    "expected",
    "as it should be",
    "differing",
    "missing",
    "not in the account",
    "opted out",
    "extra",
    "still there",
)


def command(
    config: Mapping[str, Any],
    folder: Path,
    *arguments: str,
    messages: tuple[Any, ...] = (),
    debug: bool = False,
) -> FinishedRun:
    """Run the target with arguments over messages; `debug`: with all that it can log."""
    environment = DEBUG if debug else None
    with TargetProcess(
        config, folder, arguments=arguments, environment=environment, pace=20
    ) as target:
        target.send_what_it_takes(*messages)
        return target.end()


def verify(config: Mapping[str, Any], folder: Path, *messages: Any) -> FinishedRun:
    """Compare the account with messages."""
    return command(config, folder, "--verify", messages=messages)


def found(ended: FinishedRun, title: str = "of all streams") -> dict[str, int]:
    """Return what a verification has found of an address book, without what there is none of."""
    (line,) = (each for each in ended.stderr.splitlines() if each.startswith(f"{title} "))
    numbers = re.findall(r"[\d,]+", line.removeprefix(title))[-len(COLUMNS) :]
    counted = (int(each.replace(",", "")) for each in numbers)
    return {name: count for name, count in zip(COLUMNS, counted, strict=True) if count}


def differing(ended: FinishedRun) -> dict[str, int]:
    """Return what differs, for how many contacts."""
    _, _, table = ended.stderr.partition("\nDiffering in")
    lines = table.partition("\n\n")[0].splitlines()[1:]
    pairs = (line.rsplit(maxsplit=1) for line in lines)
    return {title: int(count) for title, count in pairs}
