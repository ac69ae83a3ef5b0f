"""How long a load takes at Dotdigital's pace, and how many calls a minute it makes.

    uv run python -m benchmarks.schedule --rows 5000 50000 1000000 --factor 4

The target's real command line loads into the sandbox, which works 25 imports off at a time, each at
the one public pace, and has the Basic package's call limits. The clocks of both are hurried by the
same factor; every figure is in seconds of Dotdigital's. Calls are counted over every minute that
begins with one of them, not only over those of the clock.

The ideal is that of slots that are busy from the first second to the last. One import at a time is
measured with fewer rows and computed for the others: it is proportional to them. What imports of
10,000 that go when they are full would take is computed: as many of them at a time as there are
slots, with nothing lost between two.

A factor can be too large for a machine: the sandbox writes down what it is sent, and a million rows
at a factor of 4 are 9,300 a second. *Imports were late by* tells how much longer than their contacts
they took: that is the machine, and not the target.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import requests

from target_dotdigital.sandbox import Options, SandboxServer
from target_dotdigital.sandbox.faults import Switches
from target_dotdigital.sandbox.faults.rate_limits import BASIC
from target_dotdigital.sandbox.faults.tiers import tier_of
from target_dotdigital.sandbox.imports import DOTDIGITAL_PACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROWS: Final = (5_000, 50_000, 1_000_000)
FACTORS: Final = {1_000_000: 4.0}
"""Of large loads, where the machine has much to do."""

FACTOR: Final = 2.0
ONE_BY_ONE_ROWS: Final = 30_000
ONE_BY_ONE_FACTOR: Final = 20.0
ACTIVE: Final = 25
FULL_IMPORT: Final = 10_000
MINUTE: Final = 60.0
LOW_CALLS: Final = BASIC.low
"""Calls a minute of the Basic package's lowest tier, the only number of it that is public."""

LIST_ID: Final = 42
IMPORT: Final = "PUT /contacts/v3/import"
POLL: Final = "GET /contacts/v3/import/{id}"

_LOOK_SECONDS = 0.25
_SWITCHES = Switches(reset_header="seconds")
"""A time would be one of the hurried clock, and the `Date` beside it is not."""

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
        seconds: From the target's first call to the last import's last poll.
        ideal_seconds: With so many slots busy all the time.
        full_seconds: With imports that go when they are full; computed.
        one_by_one_seconds: With one import at a time; computed from a load that was measured.
        late_seconds: How much longer than its contacts an import took at the sandbox, on average.
        imports: How many imports there were.
        polls: How many polls.
        most_polls: The most polls in any minute.
        most_calls: The most calls in any minute, by tier.
        refused: Calls that the sandbox refused.
        core: The share of a core that the target took.
    """

    rows: int
    active: int
    factor: float
    seconds: float
    ideal_seconds: float
    full_seconds: float
    one_by_one_seconds: float
    late_seconds: float
    imports: int
    polls: int
    most_polls: int
    most_calls: dict[str, int]
    refused: int
    core: float

    @property
    def is_within_basic(self) -> bool:
        """Whether no minute had more polls, or low calls, than the Basic package's low tier."""
        return (
            not self.refused
            and self.most_polls <= LOW_CALLS
            and self.most_calls.get("low", 0) <= LOW_CALLS
        )


@dataclass
class Journal:
    """What the sandbox saw, in real seconds since 1970.

    Attributes:
        calls: When each came, its route, and how it was answered.
        imports: When each was accepted and finished, and of how many contacts.
    """

    calls: list[tuple[float, str, int]] = field(default_factory=list)
    imports: list[tuple[float, float, int]] = field(default_factory=list)

    def times(self, route: str) -> list[float]:
        """Return when a route was called."""
        return [at for at, called, _ in self.calls if called == route]


class CallWatcher:
    """Reads the sandbox's log of calls as the page does, until it is closed."""

    def __init__(self, url: str) -> None:
        """Start.

        Args:
            url: The sandbox's.
        """
        self._url = f"{url}/sandbox/page/requests"
        self._session = requests.Session()
        self._session.auth = ("any", "one")
        self._calls: dict[int, tuple[float, str, int]] = {}
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> list[tuple[float, str, int]]:
        """Stop, and return the calls.

        Raises:
            RuntimeError: Some were not seen.
        """
        self._closed.set()
        self._thread.join()
        self._look()
        self._session.close()
        if len(self._calls) != max(self._calls, default=0):
            raise RuntimeError("more calls than are shown at a time came between two looks")
        return sorted(self._calls.values())

    def _watch(self) -> None:
        while not self._closed.wait(_LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        shown: list[dict[str, Any]] = self._session.get(self._url, timeout=MINUTE).json()["calls"]
        for call in shown:
            route = f"{call['method']} {call['route']}"
            self._calls[call["number"]] = (call["time"], route, call["status"])


def write_rows(path: Path, rows: int) -> None:
    """Write a customer stream."""
    with path.open("w") as out:
        out.write(json.dumps(_SCHEMA) + "\n")
        out.writelines(_ROW % (number, number, number % 997) for number in range(rows))


def measure(
    rows: int, active: int = ACTIVE, factor: float | None = None, one_by_one: float = 0.0
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
    factor = factor or FACTORS.get(rows, FACTOR)
    cpu_seconds, seen = _load(rows, active, factor)
    one_by_one = one_by_one or measure_one_by_one()
    seconds = _seconds(seen) * factor
    late = [
        (finished - accepted) * factor - contacts / DOTDIGITAL_PACE
        for accepted, finished, contacts in seen.imports
    ]
    tiers: dict[str, list[float]] = {}
    for at, route, _ in seen.calls:
        tier = tier_of(route.replace("{id}", "{}"), _SWITCHES)
        tiers.setdefault(tier, []).append(at)
    return Schedule(
        rows=rows,
        active=active,
        factor=factor,
        seconds=seconds,
        ideal_seconds=rows / (active * DOTDIGITAL_PACE),
        full_seconds=_full_imports(rows, active),
        one_by_one_seconds=one_by_one * rows,
        late_seconds=sum(late) / len(late),
        imports=len(seen.imports),
        polls=len(seen.times(POLL)),
        most_polls=most_in_a_minute(seen.times(POLL), factor),
        most_calls={name: most_in_a_minute(times, factor) for name, times in tiers.items()},
        refused=sum(not 200 <= status < 300 for _, _, status in seen.calls),  # noqa: PLR2004 - 2xx
        core=cpu_seconds / (seconds / factor),
    )


def measure_one_by_one(rows: int = ONE_BY_ONE_ROWS, factor: float = ONE_BY_ONE_FACTOR) -> float:
    """Return the seconds that a row takes with one import at a time.

    Args:
        rows: How many are loaded.
        factor: How many seconds of the clock pass in a real one.

    Raises:
        RuntimeError: The target has failed.
    """
    return _seconds(_load(rows, 1, factor)[1]) * factor / rows


def _seconds(seen: Journal) -> float:
    # The interpreter starts in real time, so that a hurried clock would count it several times.
    return seen.calls[-1][0] - seen.calls[0][0]


def _load(rows: int, active: int, factor: float) -> tuple[float, Journal]:
    """Load rows; return the target's processor time, and what the sandbox saw."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder / "rows.singer", rows)
        began = time.time()
        options = Options(
            folder / "sandbox.db",
            address_books=[LIST_ID],
            slots=ACTIVE,
            pace=DOTDIGITAL_PACE * factor,
            switches=_SWITCHES,
            rate_limits=BASIC,
            clock=lambda: began + (time.time() - began) * factor,
        )
        with SandboxServer(options) as server:
            watcher = CallWatcher(server.url)
            try:
                cpu_seconds = _run_target(folder, server.url, active, factor)
            finally:
                calls = watcher.close()
        imports = _imports(folder / "sandbox.db")
        if sum(contacts for _, _, contacts in imports) != rows:
            raise RuntimeError(f"of {rows:,} rows, others than these arrived")
        return cpu_seconds, Journal(calls, imports)


def _run_target(folder: Path, url: str, active: int, factor: float) -> float:
    config = {
        "username": "any",
        "password": "one",
        "api_url": url,
        "max_active_imports": active,
        "streams": {"customers": {"address_book": LIST_ID, "fields": {"FIRSTNAME": "first_name"}}},
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
    if process.returncode:
        end = (folder / "log").read_text("utf-8", "replace")[-2_000:]
        raise RuntimeError(f"the target ended with status {process.returncode}:\n{end}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _imports(database: Path) -> list[tuple[float, float, int]]:
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute(
            "SELECT accepted, finished, contacts FROM import WHERE status = 'Finished'"
        ).fetchall()
    return [(_moment(accepted), _moment(finished), each) for accepted, finished, each in found]


def _moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _full_imports(rows: int, slots: int) -> float:
    free_at = [0.0] * slots
    for first in range(0, rows, FULL_IMPORT):
        contacts = min(FULL_IMPORT, rows - first)
        which = min(range(slots), key=free_at.__getitem__)
        free_at[which] += contacts / DOTDIGITAL_PACE
    return max(free_at)


def most_in_a_minute(times: Iterable[float], factor: float = 1.0) -> int:
    """Return the most calls of any minute, wherever it begins.

    Args:
        times: When the calls came, in real seconds.
        factor: How many seconds of the clock pass in one of those.
    """
    most, recent = 0, deque[float]()
    for at in sorted(times):
        recent.append(at)
        while recent[0] <= at - MINUTE / factor:
            recent.popleft()
        most = max(most, len(recent))
    return most


def show(found: Schedule) -> None:
    """Print what a load took."""
    print(f"{found.rows:,} rows, {found.active} imports at a time, {found.factor:g} times as fast")
    for name, seconds in (
        ("seconds", found.seconds),
        ("ideal", found.ideal_seconds),
        ("full imports (computed)", found.full_seconds),
        ("one at a time (computed)", found.one_by_one_seconds),
    ):
        print(f"  {name:<26} {seconds:>9,.1f}   {seconds / found.ideal_seconds:6.3f} of the ideal")
    calls = ", ".join(f"{tier} {most}" for tier, most in sorted(found.most_calls.items()))
    for name, text in (
        ("imports were late by", f"{found.late_seconds:,.2f} s"),
        ("imports", f"{found.imports:,}"),
        ("polls", f"{found.polls:,}, at most {found.most_polls} in any minute"),
        ("most calls in any minute", calls),
        ("refused", f"{found.refused:,}"),
        ("within the Basic tier", "yes" if found.is_within_basic else "NO"),
        ("the target's share of a core", f"{found.core:.2f}"),
    ):
        print(f"  {name:<28} {text}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the figures, and return 1 if a minute had too many calls.

    Args:
        arguments: The command line's, by default.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[*ROWS])
    parser.add_argument("--active", type=int, default=ACTIVE)
    parser.add_argument("--factor", type=float, help="4 for a million rows, 2 for others")
    parser.add_argument("--schedules", type=int, default=1, help="loads of each number of rows")
    given = parser.parse_args(arguments)
    one_by_one = measure_one_by_one()
    print(
        f"one import at a time: {ONE_BY_ONE_ROWS:,} rows in {one_by_one * ONE_BY_ONE_ROWS:,.1f} s"
    )
    is_within = True
    for _ in range(given.schedules):
        for rows in given.rows:
            found = measure(rows, given.active, given.factor, one_by_one)
            show(found)
            is_within = is_within and found.is_within_basic
    return 0 if is_within else 1


if __name__ == "__main__":
    sys.exit(main())
