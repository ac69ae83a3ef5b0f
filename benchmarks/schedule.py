"""How long a load takes at Dotdigital's pace: against the ideal, and one import at a time.

    uv run python -m benchmarks.schedule --rows 1000000 --active 25 --factor 2

The target's real command line loads into a server that works imports off at the one public pace,
25 at a time, with the Basic package's call limits (`paced_server.py`). The clocks of both are
hurried by the same factor. The ideal is that of slots that are busy from the first second to the
last. One import at a time is measured with fewer rows and computed for the others: it is
proportional to them. What imports of 10,000 that go when they are full would take is computed: as
many of them at a time as there are slots, with nothing lost between two.

A factor can be too large for a machine: whenever many slots come free together, the target has to
read and to send as much as they take, and what that takes in real time counts as many times. Where
half of the factor brings the load nearer to the ideal, it is the machine that was measured.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from benchmarks.paced_server import CONTACTS_A_SECOND, LIST_ID, Journal, PacedServer

ROWS = 1_000_000
SMALL_LOADS = (20_000, 100_000)
ONE_BY_ONE_ROWS = 30_000
ACTIVE = 25
FACTOR = 1.0
FULL_IMPORT = 10_000

_SCHEMA = {
    "type": "SCHEMA",
    "stream": "customers",
    "key_properties": ["id"],
    "schema": {
        "properties": {
            "id": {"type": "integer"},
            "email": {"type": "string"},
            "first_name": {"type": ["string", "null"]},
        }
    },
}
_ROW = (
    '{"type": "RECORD", "stream": "customers", "record": {"id": %d, '
    '"email": "customer.number.%d@example.com", "first_name": "First%d"}}\n'
)


@dataclass(frozen=True)
class Schedule:
    """A load, in seconds of the hurried clock.

    Attributes:
        rows: How many rows it had.
        active: How many imports were active at most.
        factor: How many of its seconds pass in a real one.
        seconds: From the target's first call to the end of its process.
        ideal_seconds: With so many slots busy all the time.
        full_seconds: With imports that go when they are full; computed.
        one_by_one_seconds: With one import at a time; computed from a load that was measured.
        imports: How many imports there were.
        polls: How many polls.
        wasted_polls: How many of them found an import still active.
        most_wasted: The most of those in any second.
        most_imports: The most imports that were sent in any minute.
        refused: Calls that the server refused.
        core: The share of a core that the target took.
    """

    rows: int
    active: int
    factor: float
    seconds: float
    ideal_seconds: float
    full_seconds: float
    one_by_one_seconds: float
    imports: int
    polls: int
    wasted_polls: int
    most_wasted: int
    most_imports: int
    refused: int
    core: float


def write_rows(path: Path, rows: int) -> None:
    """Write a customer stream."""
    with path.open("w") as out:
        out.write(json.dumps(_SCHEMA) + "\n")
        out.writelines(_ROW % (number, number, number % 997) for number in range(rows))


def measure(
    rows: int = ROWS, active: int = ACTIVE, factor: float = FACTOR, one_by_one: float = 0.0
) -> Schedule:
    """Load once.

    Args:
        rows: How many rows.
        active: How many imports are active at most.
        factor: How many seconds of the clock pass in a real one.
        one_by_one: Seconds of a row, one import at a time; measured if it is 0.

    Raises:
        RuntimeError: The target has failed.
    """
    seconds, core, journal = _load(rows, active, factor)
    one_by_one = one_by_one or measure_one_by_one()
    full = _full_imports(rows, active)
    wasted = [at for at, is_active in journal.polls if is_active]
    return Schedule(
        rows=rows,
        active=active,
        factor=factor,
        seconds=seconds,
        ideal_seconds=rows / (active * CONTACTS_A_SECOND),
        full_seconds=full,
        one_by_one_seconds=one_by_one * rows,
        imports=len(journal.imports),
        polls=len(journal.polls),
        wasted_polls=len(wasted),
        most_wasted=_most_in(wasted, 1.0),
        most_imports=_most_in([at for at, _ in journal.imports], 60.0),
        refused=sum(journal.refused.values()),
        core=core,
    )


def measure_one_by_one(rows: int = ONE_BY_ONE_ROWS, factor: float = 20.0) -> float:
    """Return the seconds that a row takes with one import at a time.

    Args:
        rows: How many are loaded.
        factor: How many seconds of the clock pass in a real one.

    Raises:
        RuntimeError: The target has failed.
    """
    return _load(rows, 1, factor)[0] / rows


def _load(rows: int, active: int, factor: float) -> tuple[float, float, Journal]:
    """Load rows; return the seconds that it took, the share of a core, and what the server saw."""
    with tempfile.TemporaryDirectory() as name, PacedServer(factor) as server:
        folder = Path(name)
        write_rows(folder / "rows.singer", rows)
        config = {
            "username": "any",
            "password": "one",
            "api_url": server.url,
            "max_active_imports": active,
            "streams": {
                "customers": {"address_book": LIST_ID, "fields": {"FIRSTNAME": "first_name"}}
            },
        }
        (folder / "config.json").write_text(json.dumps(config))
        command = [sys.executable, "-m", "tests.support.target.fast_clock", "--config"]
        root = Path(__file__).parent.parent
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with (folder / "rows.singer").open("rb") as source, (folder / "log").open("wb") as log:
            process = subprocess.run(
                [*command, str(folder / "config.json")],
                stdin=source,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, "FAST_CLOCK_PACE": str(factor), "PYTHONPATH": str(root)},
                cwd=folder,
                check=False,
            )
        ended = server.account.now()
        journal = server.account.journal
        if process.returncode or sum(contacts for _, contacts in journal.imports) != rows:
            end = (folder / "log").read_text("utf-8", "replace")[-2_000:]
            raise RuntimeError(f"the target ended with status {process.returncode}:\n{end}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # The interpreter starts in real time, so that a hurried clock would count it several times.
    seconds = ended - (journal.first_call or 0.0)
    return seconds, cpu / (seconds / factor), journal


def _full_imports(rows: int, slots: int) -> float:
    free_at = [0.0] * slots
    for first in range(0, rows, FULL_IMPORT):
        contacts = min(FULL_IMPORT, rows - first)
        which = min(range(slots), key=free_at.__getitem__)
        free_at[which] += contacts / CONTACTS_A_SECOND
    return max(free_at)


def _most_in(times: list[float], seconds: float) -> int:
    most, recent = 0, deque[float]()
    for at in sorted(times):
        recent.append(at)
        while recent[0] <= at - seconds:
            recent.popleft()
        most = max(most, len(recent))
    return most


def show(found: Schedule) -> None:
    """Print what a load took."""
    print(f"{found.rows:,} rows, {found.active} imports at a time")
    for name, seconds in (
        ("seconds", found.seconds),
        ("ideal", found.ideal_seconds),
        ("full imports (computed)", found.full_seconds),
        ("one at a time (computed)", found.one_by_one_seconds),
    ):
        print(f"  {name:<26} {seconds:>9,.1f}   {seconds / found.ideal_seconds:6.3f} of the ideal")
    faster = found.one_by_one_seconds / found.seconds
    print(f"  against one at a time      {faster:>9.1f} times as fast")
    print(
        f"  imports                    {found.imports:>9,}   at most {found.most_imports} a minute"
    )
    print(
        f"  polls                      {found.polls:>9,}   {found.wasted_polls:,} found an import "
        f"active, at most {found.most_wasted} a second"
    )
    print(f"  calls refused              {found.refused:>9,}")
    print(f"  the target's share of a core {found.core:>7.2f}", flush=True)


def main() -> None:
    """Measure once, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[*SMALL_LOADS, ROWS])
    parser.add_argument("--active", type=int, default=ACTIVE)
    parser.add_argument("--factor", type=float, default=FACTOR)
    arguments = parser.parse_args()
    one_by_one = measure_one_by_one()
    print(
        f"one import at a time: {ONE_BY_ONE_ROWS:,} rows in {one_by_one * ONE_BY_ONE_ROWS:,.1f} s"
    )
    for rows in arguments.rows:
        show(measure(rows, arguments.active, arguments.factor, one_by_one))


if __name__ == "__main__":
    main()
