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

A factor can be too large for a machine: the sandbox writes down what it is sent, and a million
rows at a factor of 4 are 9,300 a second. *Imports were late by* tells how much longer than their
contacts they took: that is the machine, and not the target.
"""

from __future__ import annotations

import argparse
import sys
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.paced_sandbox import SWITCHES, load
from target_dotdigital.sandbox.faults.rate_limits import BASIC
from target_dotdigital.sandbox.faults.tiers import tier_of
from target_dotdigital.sandbox.imports import DOTDIGITAL_PACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.paced_sandbox import Journal

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

POLL: Final = "GET /contacts/v3/import/{id}"


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
    cpu_seconds, seen = load(rows, active, factor)
    one_by_one = one_by_one or measure_one_by_one()
    seconds = _seconds(seen) * factor
    late = [
        (finished - accepted) * factor - contacts / DOTDIGITAL_PACE
        for accepted, finished, contacts in seen.imports
    ]
    tiers: dict[str, list[float]] = {}
    for at, route, _ in seen.calls:
        tier = tier_of(route.replace("{id}", "{}"), SWITCHES)
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
    return _seconds(load(rows, 1, factor)[1]) * factor / rows


def _seconds(seen: Journal) -> float:
    # The interpreter starts in real time, so that a hurried clock would count it several times.
    return seen.calls[-1][0] - seen.calls[0][0]


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
