"""What a whole round of benchmarks has found, and whether that is as it must be."""

from __future__ import annotations

import datetime as dt
import os
import platform
import statistics
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.limit import Limit  # noqa: TC001 - msgspec looks the types up
from benchmarks.scale import ACTIVE_IMPORTS, MAX_BENT_PERCENT, MAX_GROWTH_PERCENT, Scale, Size
from benchmarks.template import Template  # noqa: TC001
from benchmarks.throughput import Throughput  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_TIMES_LIMIT = 1.5
MIN_TIMES_TEMPLATE = 15.0
MAX_MEGABYTES = 200.0
MAX_MEGABYTES_WITH_REJECTS = 350.0
MIN_STREAM_MAPS_PACE = 60_000.0
MAX_TIMES_IDEAL = 1.15
MIN_TIMES_ONE_BY_ONE = 20.0


@dataclass(frozen=True)
class Machine:
    """Where it was measured: what matters, and nothing that tells whose it is."""

    date: str
    processor: str
    cores: int
    memory_gigabytes: float
    system: str
    python: str
    target: str
    singer_sdk: str
    msgspec: str


def this_machine() -> Machine:
    """Return what the benchmarks run on."""
    system = platform.system()
    with suppress(OSError):  # this is no Linux
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        date=dt.datetime.now(dt.timezone.utc).date().isoformat(),
        processor=_processor(),
        cores=os.cpu_count() or 0,
        memory_gigabytes=memory / 1024**3,
        system=f"{system} ({platform.machine()})",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        target=version("target-dotdigital"),
        singer_sdk=version("singer-sdk"),
        msgspec=version("msgspec"),
    )


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or "unknown"


@dataclass(frozen=True)
class Schedule:
    """A load at Dotdigital's pace, in seconds of its clock.

    Attributes:
        seconds: What the target took.
        ideal_seconds: What it takes when every slot is busy from the start to the end.
        one_by_one_seconds: What one import at a time takes.
    """

    seconds: float
    ideal_seconds: float
    one_by_one_seconds: float


@dataclass(frozen=True)
class Results:
    """Every run of every benchmark, in the order in which they were made.

    Attributes:
        machine: Where.
        rows: How many rows there were, where nothing else is said.
        limit: The bare loop.
        typed_limit: The bare loop that decodes only what is picked.
        plain: The target, each run right after one of `limit`.
        rejects: With `rejects_path`.
        lists: With reports that list every contact.
        stream_maps: With a stream map.
        held: With imports held active.
        held_rejects: The same with `rejects_path`.
        template: The stock target.
        scale: All numbers of rows.
        schedule: At Dotdigital's pace.
    """

    machine: Machine
    rows: int
    limit: tuple[Limit, ...]
    typed_limit: tuple[Limit, ...]
    plain: tuple[Throughput, ...]
    rejects: tuple[Throughput, ...]
    lists: tuple[Throughput, ...]
    stream_maps: tuple[Throughput, ...]
    held: tuple[Throughput, ...]
    held_rejects: tuple[Throughput, ...]
    template: tuple[Template, ...]
    scale: tuple[Scale, ...]
    schedule: tuple[Schedule, ...] = ()

    def times_limit(self) -> list[float]:
        """Return how often the time of the bare loop each run took that was next to it."""
        pairs = zip(self.plain, self.limit, strict=True)
        return [target.seconds / limit.seconds for target, limit in pairs]

    def template_seconds(self) -> list[float]:
        """Return what the stock target takes for as many rows as the target."""
        return [each.seconds_for(self.rows) for each in self.template]

    def times_template(self) -> float:
        """Return how often faster the target is than the stock one, by their medians."""
        ours = statistics.median(each.seconds for each in self.plain)
        return statistics.median(self.template_seconds()) / ours

    def typical_scale(self) -> Scale:
        """Return the medians of each number of rows."""
        return Scale(
            tuple(
                Size(
                    runs[0].rows,
                    statistics.median(each.seconds for each in runs),
                    statistics.median(each.peak_megabytes for each in runs),
                    min(each.most_active for each in runs),
                )
                for runs in zip(*(scale.sizes for scale in self.scale), strict=True)
            )
        )


@dataclass(frozen=True)
class Bound:
    """Something that must hold.

    Attributes:
        subject: What it is about.
        found: What was found.
        allowed: What is allowed.
        is_met: Whether it holds.
    """

    subject: str
    found: str
    allowed: str
    is_met: bool


def _at_most(subject: str, found: float, allowed: float, unit: str, digits: int = 0) -> Bound:
    shown = f"{found:,.{digits}f}{unit}"
    return Bound(subject, shown, f"at most {allowed:,.{digits}f}{unit}", found <= allowed)


def _at_least(subject: str, found: float, allowed: float, unit: str, digits: int = 0) -> Bound:
    shown = f"{found:,.{digits}f}{unit}"
    return Bound(subject, shown, f"at least {allowed:,.{digits}f}{unit}", found >= allowed)


def bounds(results: Results) -> list[Bound]:
    """Return everything that must hold, with what was found: medians of all runs.

    Args:
        results: What was found.
    """
    scale = results.typical_scale()
    before, last = (f"{size.rows:,}" for size in scale.sizes[-2:])
    found = [
        _at_most(
            "time, against the bare loop",
            statistics.median(results.times_limit()),
            MAX_TIMES_LIMIT,
            " times",
            2,
        ),
        _at_least(
            "pace, against a stock SDK target",
            results.times_template(),
            MIN_TIMES_TEMPLATE,
            " times",
            1,
        ),
        _at_least(
            "imports active while peak memory was measured",
            min(each.most_active for each in (*results.held, *results.held_rejects)),
            ACTIVE_IMPORTS,
            "",
        ),
        _at_most("peak memory", _peak(results.held), MAX_MEGABYTES, " MB"),
        _at_most(
            "peak memory with `rejects_path`",
            _peak(results.held_rejects),
            MAX_MEGABYTES_WITH_REJECTS,
            " MB",
        ),
        _at_most(
            f"growth of peak memory from {before} to {last} rows",
            scale.growth_percent,
            MAX_GROWTH_PERCENT,
            " %",
            1,
        ),
        _at_most(
            f"loss of pace from {before} to {last} rows",
            scale.bent_percent,
            MAX_BENT_PERCENT,
            " %",
            1,
        ),
        _at_least(
            "pace with a stream map",
            statistics.median(each.rows_per_second for each in results.stream_maps),
            MIN_STREAM_MAPS_PACE,
            " rows/s",
        ),
    ]
    if results.schedule:
        found += _schedule_bounds(results.schedule)
    return found


def _schedule_bounds(runs: Iterable[Schedule]) -> list[Bound]:
    pairs = [
        (each.seconds / each.ideal_seconds, each.one_by_one_seconds / each.seconds) for each in runs
    ]
    ideal, one_by_one = (statistics.median(values) for values in zip(*pairs, strict=True))
    return [
        _at_most(
            "time at Dotdigital's pace, against the ideal", ideal, MAX_TIMES_IDEAL, " times", 2
        ),
        _at_least(
            "pace at Dotdigital's pace, against one import at a time",
            one_by_one,
            MIN_TIMES_ONE_BY_ONE,
            " times",
            1,
        ),
    ]


def _peak(runs: Iterable[Throughput]) -> float:
    return statistics.median(each.peak_megabytes for each in runs)
