"""Only what changed: a table of which one row in a hundred differs, loaded for the second time.

    uv run python -m benchmarks.changes --rows 1000000

Prints the time of reading alone (`benchmarks/reading.py`), of sending everything, of the first load
with `send: changes`, and of the next one; what the next one sends, and its peak memory. Ends with
status 1 if it sends more than it may, or takes longer, or more memory.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import customers
from benchmarks.null_server import LIST_ID, Counts, NullServer
from benchmarks.processes import FinishedRun, RunError, run

CHANGED_EACH = 100
MAX_SENT_SHARE = 0.012
MAX_TIMES_READING = 1.2
MAX_MEGABYTES = 250
COMMAND = "target_dotdigital"


@dataclass(frozen=True)
class Changes:
    """What was measured, in medians.

    Times are those of the processor: nothing is waited for, and other work on the machine does not
    count.

    Attributes:
        rows: How many rows the table has.
        reading: Seconds of reading alone.
        everything: Seconds of sending everything.
        first: Seconds of the first load with `send: changes`.
        changes: Seconds of the next one.
        sent: How many contacts that one has sent, at most.
        peak_megabytes: The peak memory of both, at most.
        file_bytes: The size of the fingerprints.
    """

    rows: int
    reading: float
    everything: float
    first: float
    changes: float
    sent: int
    peak_megabytes: float
    file_bytes: int

    @property
    def times_reading(self) -> float:
        """How many times as long as reading alone the second load has taken."""
        return self.changes / self.reading

    def violations(self) -> list[str]:
        """Return what is not as it must be."""
        most = int(self.rows * MAX_SENT_SHARE)
        return [
            f"{text} {value:,.2f}, more than {limit:,.2f}"
            for text, value, limit in (
                ("contacts sent:", self.sent, most),
                ("times reading alone:", self.times_reading, MAX_TIMES_READING),
                ("peak memory, MB:", self.peak_megabytes, MAX_MEGABYTES),
            )
            if value > limit
        ]


def changed_file(source: Path, target: Path) -> None:
    """Write a table in which each hundredth customer has another name.

    Args:
        source: The table as it was.
        target: Where to.
    """
    with source.open("rb") as lines, target.open("wb") as out:
        for number, line in enumerate(lines):
            is_changed = number % CHANGED_EACH == 1
            out.write(
                line.replace(b'"first_name": "', b'"first_name": "New') if is_changed else line
            )


def measure(rows: int, runs: int) -> Changes:
    """Measure.

    Args:
        rows: How many rows the table has.
        runs: How often each is run; each other time the table is as it was before.

    Raises:
        RunError: One has failed.
    """
    found: dict[str, list[float]] = {"reading": [], "everything": [], "changes": []}
    sent, peaks = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = [customers.file_of(rows), folder / "changed.singer"]
        changed_file(*tables)
        first, _ = _load(folder, tables[0], sends="changes")
        peaks.append(first.peak_megabytes)
        for number in range(runs):
            table = tables[(number + 1) % 2]
            found["reading"].append(
                _load(folder, table, command="benchmarks.reading")[0].cpu_seconds
            )
            found["everything"].append(_load(folder, table)[0].cpu_seconds)
            ended, counts = _load(folder, table, sends="changes")
            found["changes"].append(ended.cpu_seconds)
            sent.append(counts.contacts)
            peaks.append(ended.peak_megabytes)
        size = (folder / "fingerprints").stat().st_size
    if not all(sent):
        raise RunError("what has changed was not sent")
    seconds = {each: median(values) for each, values in found.items()}
    return Changes(
        rows,
        first=first.cpu_seconds,
        sent=max(sent),
        peak_megabytes=max(peaks),
        file_bytes=size,
        **seconds,
    )


def _load(
    folder: Path, table: Path, *, sends: str | None = None, command: str = COMMAND
) -> tuple[FinishedRun, Counts]:
    with NullServer(customers.DATA_FIELDS) as server:
        config = {
            "username": "any",
            "password": "one",
            "api_url": server.url,
            "streams": {customers.STREAM: {"address_book": LIST_ID, "fields": customers.FIELDS}},
        }
        if sends is not None:
            config |= {"send": sends, "fingerprints_path": "fingerprints"}
        (folder / "config.json").write_text(json.dumps(config))
        ended = run(["-m", command, "--config", "config.json"], table, folder)
        return ended, server.counts()


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    found = measure(arguments.rows, arguments.runs)
    print(f"reading alone      {found.reading:.2f} s")
    print(f"everything         {found.everything:.2f} s")
    print(f"first load         {found.first:.2f} s")
    print(
        f"only changes       {found.changes:.2f} s, {found.times_reading:.2f} times reading alone"
    )
    print(f"contacts sent      {found.sent:,}")
    print(f"peak memory, MB    {found.peak_megabytes:,.0f}")
    print(
        f"fingerprints       {found.file_bytes:,} bytes, {found.file_bytes / found.rows:.1f} a row"
    )
    for each in found.violations():
        print(each)
    sys.exit(1 if found.violations() else 0)


if __name__ == "__main__":
    main()
