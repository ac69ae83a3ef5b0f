"""What was found, and whether it is as it must be."""

from __future__ import annotations

import datetime as dt
import os
import platform
import statistics
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.features import (
    FEATURES,
    MAX_TIMES_IDEAL,
    MAX_TIMES_START,
    MAX_TIMES_VERSION,
    MIN_TIMES_ONE_BY_ONE,
    MIN_TIMES_STOCK,
)
from benchmarks.null_server import Counts  # noqa: TC001 - msgspec looks the types up
from benchmarks.schedule import Schedule  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Iterator


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
class Run:
    """A load.

    Attributes:
        seconds: Wall time, with the start of interpreter and target.
        cpu_seconds: The target's processor time, in all of its threads.
        peak_megabytes: Its resident memory at its highest.
        limit_seconds: What the bare loop took right before it; None if it was not run.
        limit_cpu_seconds: The same in processor time.
        counts: What has come to the server.
    """

    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    limit_seconds: float | None
    limit_cpu_seconds: float | None
    counts: Counts


@dataclass
class Row:
    """A feature's loads.

    Attributes:
        rows: How many rows each has.
        runs: The loads, in the order in which they were made.
        failure: What ended the last one, if one has failed; then there are no more.
    """

    rows: int
    runs: list[Run] = field(default_factory=list)
    failure: str | None = None

    def times(self) -> list[float]:
        """Return how many times as long as the bare loop each load took."""
        return [each.seconds / each.limit_seconds for each in self.runs if each.limit_seconds]

    def cpu_times(self) -> list[float]:
        """Return the same of processor time."""
        return [
            each.cpu_seconds / each.limit_cpu_seconds
            for each in self.runs
            if each.limit_cpu_seconds
        ]

    def paces(self) -> list[float]:
        """Return the rows a second of each load."""
        return [self.rows / each.seconds for each in self.runs]

    def limit_paces(self) -> list[float]:
        """Return those of the bare loop."""
        return [self.rows / each.limit_seconds for each in self.runs if each.limit_seconds]

    def peaks(self) -> list[float]:
        """Return the peak memory of each load, in MB."""
        return [each.peak_megabytes for each in self.runs]


@dataclass(frozen=True)
class StockRun:
    """What the stock target took.

    Attributes:
        rows: How many rows there were.
        seconds: Wall time, with the start of interpreter and target.
        start_seconds: What a run over next to no rows takes.
        peak_megabytes: Its resident memory at its highest.
    """

    rows: int
    seconds: float
    start_seconds: float
    peak_megabytes: float

    def pace_of(self, rows: int) -> float:
        """Return the rows a second of another number: it starts once, and then goes on alike.

        Args:
            rows: How many.
        """
        work = max(self.seconds - self.start_seconds, 1e-3) * rows / self.rows
        return rows / (self.start_seconds + work)


@dataclass(frozen=True)
class Start:
    """A start, beside the import of the SDK right before it.

    Attributes:
        title: What was started.
        kept: Whose bytecode was there.
        seconds: Its processor time.
        sdk_seconds: That of the import.
    """

    title: str
    kept: str
    seconds: float
    sdk_seconds: float

    @property
    def allowed(self) -> float:
        """How many times as long as the import it may take."""
        return MAX_TIMES_VERSION if "version" in self.title else MAX_TIMES_START


@dataclass
class Results:
    """Everything that was found.

    Attributes:
        machine: Where.
        rows: How many rows a feature of size one has.
        features: The features, by name.
        typed_limit: Seconds of the bare loop that decodes only what is picked.
        stock: The stock target.
        starts: Each start.
        schedule: Loads at Dotdigital's pace.
    """

    machine: Machine
    rows: int
    features: dict[str, Row] = field(default_factory=dict)
    typed_limit: list[float] = field(default_factory=list)
    stock: list[StockRun] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    schedule: list[Schedule] = field(default_factory=list)

    def stock_paces(self) -> list[float]:
        """Return the rows a second that the stock target loads of as many rows as the target."""
        return [each.pace_of(self.rows) for each in self.stock]

    def times_stock(self) -> float | None:
        """Return how much faster than the stock target the target is; None: not measured."""
        plain = self.features.get("plain")
        if plain is None or not plain.runs or not self.stock:
            return None
        return statistics.median(plain.paces()) / statistics.median(self.stock_paces())

    def starts_by_kind(self) -> dict[tuple[str, str], list[Start]]:
        """Return the starts by title and bytecode."""
        found: dict[tuple[str, str], list[Start]] = {}
        for each in self.starts:
            found.setdefault((each.title, each.kept), []).append(each)
        return found


def is_met(name: str, row: Row) -> bool:
    """Return whether a feature's loads took no more than they may.

    Args:
        name: Of the feature.
        row: Its loads.
    """
    feature = FEATURES[name]
    if row.failure is not None or not row.runs:
        return False
    if feature.times is not None and statistics.median(row.times()) > feature.times:
        return False
    if min(each.counts.most_active for each in row.runs) < feature.active:
        return False  # then peak memory tells nothing
    return feature.megabytes is None or statistics.median(row.peaks()) <= feature.megabytes


def times_of(starts: list[Start]) -> float:
    """Return how many times as long as the import of the SDK starts of one kind took."""
    return statistics.median(each.seconds / each.sdk_seconds for each in starts)


def unmet(results: Results) -> Iterator[str]:
    """Yield what is not as it must be.

    Args:
        results: What was found.
    """
    for name, row in results.features.items():
        if not is_met(name, row):
            yield FEATURES[name].title
    times_stock = results.times_stock()
    if times_stock is not None and times_stock < MIN_TIMES_STOCK:
        yield "pace, against a stock SDK target"
    for (title, kept), starts in results.starts_by_kind().items():
        if times_of(starts) > starts[0].allowed:
            yield f"start of {title}, bytecode: {kept}"
    if results.schedule:
        ideal, one_by_one = schedule_times(results.schedule)
        if ideal > MAX_TIMES_IDEAL:
            yield "time at Dotdigital's pace, against the ideal"
        if one_by_one < MIN_TIMES_ONE_BY_ONE:
            yield "pace at Dotdigital's pace, against one import at a time"


def schedule_times(runs: list[Schedule]) -> tuple[float, float]:
    """Return a load's time against the ideal, and its pace against one import at a time.

    Args:
        runs: Loads at Dotdigital's pace.
    """
    return (
        statistics.median(each.seconds / each.ideal_seconds for each in runs),
        statistics.median(each.one_by_one_seconds / each.seconds for each in runs),
    )
