"""The page's part about loads at Dotdigital's pace."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from benchmarks.features import MAX_TIMES_IDEAL, MIN_TIMES_ONE_BY_ONE
from benchmarks.plots import Bar, bars
from benchmarks.results import schedule_times
from benchmarks.schedule import LOW_CALLS
from benchmarks.tables import met, spread, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.results import Results
    from benchmarks.schedule import Schedule

SCHEDULE_FILE: Final = "performance-schedule.svg"
"""The name of the picture."""

_SCHEDULE = """\
### At Dotdigital's pace

{rows:,} rows into the [sandbox](sandbox.md), which works {slots} imports off at a time, each at
Dotdigital's one public pace, with the Basic package's call limits. Both clocks run faster than a
real one; minutes are Dotdigital's. What counts is how many slots are busy, from the first second to
the last. "Sent when full" is computed: what imports of 10,000 would take at best. One import at a
time is computed from fewer rows, because its time is proportional to them.
"""

_SCHEDULE_CALLS = """\
All loads at that pace. *In a minute* is the most in any 60 seconds, wherever they begin. It must be
at most {limit}, as many low calls as a minute of the Basic package has, of low calls and of polls.
"""


def schedule_sections(results: Results) -> Iterator[str]:
    """Yield the part's paragraphs; none if no load was measured.

    Args:
        results: What was found.
    """
    if runs := results.large_schedule():
        yield _SCHEDULE.format(rows=runs[0].rows, slots=runs[0].active)
        yield f"![Time to load at Dotdigital's pace](images/{SCHEDULE_FILE})"
        yield _schedule_table(runs)
        yield _SCHEDULE_CALLS.format(limit=LOW_CALLS)
        yield _schedule_calls_table(results)


def _schedule_table(runs: Sequence[Schedule]) -> str:
    ideal, one_by_one = schedule_times(list(runs))
    bounds = {
        "target-dotdigital": (
            f"{ideal:.2f} times the ideal",
            f"at most {MAX_TIMES_IDEAL:.2f} times",
            met(is_so=ideal <= MAX_TIMES_IDEAL),
        ),
        "one import at a time": (
            f"{one_by_one:.1f} times the target's",
            f"at least {MIN_TIMES_ONE_BY_ONE:.0f} times",
            met(is_so=one_by_one >= MIN_TIMES_ONE_BY_ONE),
        ),
    }
    lines = [
        [bar.label, spread(minutes, 1), *bounds.get(bar.label, ("", "", ""))]
        for bar, minutes in _schedule_bars(runs)
    ]
    return table("what | minutes of Dotdigital's time | that is | must be | met", lines)


def _schedule_calls_table(results: Results) -> str:
    lines = [
        [
            f"{rows:,}",
            spread(each.imports for each in runs),
            spread((each.seconds for each in runs), 1),
            spread((each.seconds / each.ideal_seconds for each in runs), 2),
            spread((each.late_seconds for each in runs), 1),
            str(max(each.most_calls.get("low", 0) for each in runs)),
            str(max(each.most_polls for each in runs)),
            met(is_so=all(each.is_within_basic for each in runs)),
        ]
        for rows, runs in results.schedule_by_rows().items()
    ]
    late = "seconds an import was late at the sandbox"
    calls = "low calls in a minute | polls in a minute | met"
    return table(f"rows | imports | seconds | times the ideal | {late} | {calls}", lines)


def _schedule_bars(runs: Sequence[Schedule]) -> list[tuple[Bar, list[float]]]:
    kinds = [
        (f"all {runs[0].active} slots busy", [each.ideal_seconds / 60 for each in runs], False),
        ("target-dotdigital", [each.seconds / 60 for each in runs], True),
        ("imports sent when full", [each.full_seconds / 60 for each in runs], False),
        ("one import at a time", [each.one_by_one_seconds / 60 for each in runs], False),
    ]
    return [
        (Bar(label, statistics.median(minutes), is_ours), minutes)
        for label, minutes, is_ours in kinds
    ]


def schedule_plot(runs: Sequence[Schedule]) -> str:
    """Return a picture of how long loads take.

    Args:
        runs: Loads of as many rows each.
    """
    shown = [bar for bar, _ in _schedule_bars(runs)]
    return bars(f"{runs[0].rows:,} rows at Dotdigital's pace", "minutes", shown)
