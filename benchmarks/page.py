"""The figures of `docs/performance.md` and its pictures, from a round of benchmarks."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.plots import Bar, Point, bars, line
from benchmarks.results import MAX_MEGABYTES, bounds
from benchmarks.scale import ACTIVE_IMPORTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.results import Bound, Machine, Results
    from benchmarks.schedule import Schedule
    from benchmarks.throughput import Throughput

PAGE: Final = Path(__file__).parent.parent / "docs" / "performance.md"
"""Its text is written by hand, the figures between the marks are not."""

_MARK, _END_MARK = "<!-- benchmarks -->\n", "<!-- /benchmarks -->\n"

_PACE_FILE = "performance-pace.svg"
_MEMORY_FILE = "performance-memory.svg"
_SCHEDULE_FILE = "performance-schedule.svg"


def write(results: Results, folder: Path) -> None:
    """Write the page and its pictures.

    Args:
        results: What was found.
        folder: The folder `docs`, in which `images` is.
    """
    images = folder / "images"
    images.mkdir(exist_ok=True)
    (images / _PACE_FILE).write_text(_pace_plot(results), "utf-8")
    (images / _MEMORY_FILE).write_text(_memory_plot(results), "utf-8")
    (images / _SCHEDULE_FILE).write_text(_schedule_plot(results.schedule), "utf-8")
    page = with_figures(PAGE.read_text("utf-8"), text(results))
    (folder / PAGE.name).write_text(page, "utf-8")


def with_figures(page: str, figures: str) -> str:
    """Return the page's text with these figures.

    Args:
        page: Its text.
        figures: What stands between the marks from now on.

    Raises:
        ValueError: A mark is missing.
    """
    before, mark, rest = page.partition(_MARK)
    _, end_mark, after = rest.partition(_END_MARK)
    if not mark or not end_mark:
        raise ValueError("the page has no marks of the benchmarks")
    return f"{before}{mark}{figures}{end_mark}{after}"


def text(results: Results) -> str:
    """Return the figures, as a part of the page.

    Args:
        results: What was found.
    """
    parts = [
        _in_short(results),
        f"![Rows a second](images/{_PACE_FILE})",
        _MUST_HOLD,
        _bounds_table(bounds(results)),
        _FIGURES.format(rows=results.rows, runs=len(results.plain)),
        _times(results),
        _peaks(results),
        _SCALE,
        f"![Peak memory](images/{_MEMORY_FILE})",
        _scale(results),
        _SCHEDULE.format(rows=results.schedule[0].rows, slots=results.schedule[0].active),
        f"![Time to load at Dotdigital's pace](images/{_SCHEDULE_FILE})",
        _schedule(results.schedule),
        _HOW.format(
            rows=results.rows,
            template_rows=results.template[0].rows,
            scale_runs=len(results.scale),
            active=ACTIVE_IMPORTS,
        ),
        _UNMEASURED.format(megabytes=results.limit[0].body_bytes / results.rows),
        "### The machine",
        _machine(results.machine),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


_SHORT = """\
{rows:,} rows take {seconds:.1f} s ({pace:,.0f} rows/s), {imports:,.0f} imports and
{polls:,.0f} polls, when Dotdigital answers at once. That is {times_limit:.2f} times what the barest
loop in Python takes, and {times_template:.1f} times as fast as a target made from the SDK's
template. With {active} imports active the target takes {peak:,.0f} MB of memory, and for
{last_rows:,} rows {last_peak:,.0f} MB.
"""

_MUST_HOLD = """\
### What must hold

Medians of all runs. `uv run python -m benchmarks.all` measures everything and writes this part of
the page. It ends with status 1 if a bound does not hold. You can run each part alone:
`benchmarks.limit`, `benchmarks.throughput`, `benchmarks.template`, `benchmarks.scale`,
`benchmarks.schedule`.
"""

_FIGURES = """\
### Figures

{rows:,} rows, each measured {runs} times: median, least and most. Wall time, with the start.
"""

_SCALE = """\
### Memory and the number of rows

Rows stream through. Memory holds the active imports and the one that is filling. *Added rows/s* is
the pace without the start: the rows that a line adds to the one above, by the time that they add.
"""

_SCHEDULE = """\
### At Dotdigital's pace

{rows:,} rows into a server that works imports off at Dotdigital's one public pace, side by side and
with the Basic package's call limits, on a clock that runs faster than ours. {slots} imports are
active at a time. What counts is how many of them are busy, from the first second to the last.
"Sent when full" is computed: what imports of 10,000 would take at best. One import at a time is
computed from fewer rows, because its time is proportional to them.
"""

_HOW = """\
### How it was measured

The rows are customers of 12 fields and about 420 bytes a line: texts, a date and time, an integer,
a number, a boolean, a few nulls. Seven fields are loaded: the e-mail address, and six data fields
of all four types. Every row is checked against its schema, every value against its data field. A
STATE comes each 10,000 rows. The file is in the disk's cache.

- **The target** is its real command line, from the interpreter's start to its exit. A run counts
  only if it ended with 0, the server got every contact and the last STATE came out.
- **The server** is on the same machine and accepts everything at once. It counts contacts and keeps
  nothing. So the target waits only for its own polls.
- **The bare loop** decodes each line with msgspec, picks the seven fields, encodes the contact and
  joins the bodies. It validates, keeps and sends nothing. Each run of the target is compared with
  the run of the loop right before it. A loop that decodes only what is picked is faster still.
- **The stock target** has the SDK's reader, validation and batches, and a `process_batch` that
  sends contacts with `json` and `requests` and waits for the import's end. Measured with
  {template_rows:,} rows; for {rows:,}, its start counts once and the rest by the row.
- **Peak memory** is what the operating system reports. The server then holds imports active until
  there are {active} of them.
- **The benchmarks took turns**, so that a busy moment of the machine hit more than one of them. The
  numbers of rows were gone through {scale_runs} times.
"""

_UNMEASURED = """\
### What was not measured

- Dotdigital itself, which takes minutes to hours for a million contacts.
- The network: no TLS, no distance, no limit of bandwidth. A million of these rows are about
  {megabytes:,.0f} MB of JSON to send.
- The tap.
- Other rows. Wider rows, longer texts and more mapped fields take more time each. Mobile numbers,
  addresses that are not plain ASCII, and rows that join a contact already waiting take much more.
- Mirrors, `on_delete`, flattening and `add_record_metadata`.
"""


def _in_short(results: Results) -> str:
    plain, last = results.plain, results.typical_scale().sizes[-1]
    return _SHORT.format(
        rows=results.rows,
        seconds=statistics.median(each.seconds for each in plain),
        pace=statistics.median(each.rows_per_second for each in plain),
        imports=statistics.median(each.imports for each in plain),
        polls=statistics.median(each.polls for each in plain),
        times_limit=statistics.median(results.times_limit()),
        times_template=results.times_template(),
        active=ACTIVE_IMPORTS,
        peak=statistics.median(each.peak_megabytes for each in results.held),
        last_peak=last.peak_megabytes,
        last_rows=last.rows,
    )


def _spread(values: Iterable[float], digits: int = 0) -> str:
    """Return median, least and most as cells of a table."""
    listed = list(values)
    shown = (statistics.median(listed), min(listed), max(listed))
    return " | ".join(f"{value:,.{digits}f}" for value in shown)


def _bounds_table(found: Sequence[Bound]) -> str:
    lines = ["| what | measured | allowed | met |", "|---|---:|---:|---|"]
    lines += [
        f"| {each.subject} | {each.found} | {each.allowed} | {'yes' if each.is_met else '**no**'} |"
        for each in found
    ]
    return "\n".join(lines)


def _times(results: Results) -> str:
    rows = results.rows
    kinds = [
        ("the bare loop", [each.seconds for each in results.limit]),
        ("… decoding only what is picked", [each.seconds for each in results.typed_limit]),
        *((name, [each.seconds for each in runs]) for name, runs in _timed(results)),
        ("a stock SDK target", results.template_seconds()),
    ]
    lines = ["| | seconds | least | most | rows/s |", "|---|---:|---:|---:|---:|"]
    for name, seconds in kinds:
        pace = rows / statistics.median(seconds)
        lines.append(f"| {name} | {_spread(seconds, 2)} | {pace:,.0f} |")
    return "\n".join(lines)


def _peaks(results: Results) -> str:
    stock = _spread(each.peak_megabytes for each in results.template)
    lines = ["| | peak memory, MB | least | most |", "|---|---:|---:|---:|"]
    for name, runs in _sized(results):
        lines.append(f"| {name} | {_spread(each.peak_megabytes for each in runs)} |")
    lines.append(f"| a stock SDK target, one import at a time | {stock} |")
    return "\n".join(lines)


def _timed(results: Results) -> list[tuple[str, Sequence[Throughput]]]:
    return [
        ("**the target**", results.plain),
        ("with `rejects_path`", results.rejects),
        ("with reports that list every contact", results.lists),
        ("with a stream map", results.stream_maps),
    ]


def _sized(results: Results) -> list[tuple[str, Sequence[Throughput]]]:
    return [
        ("**the target**, imports ending at once", results.plain),
        (f"{ACTIVE_IMPORTS} imports active", results.held),
        (f"{ACTIVE_IMPORTS} imports active, with `rejects_path`", results.held_rejects),
        ("reports that list every contact", results.lists),
    ]


def _scale(results: Results) -> str:
    scale = results.typical_scale()
    lines = [
        "| rows | seconds | added rows/s | peak memory, MB | imports active |",
        "|---:|---:|---:|---:|---:|",
    ]
    for size, pace in zip(scale.sizes, [None, *scale.paces()], strict=True):
        shown = "" if pace is None else f"{pace:,.0f}"
        lines.append(
            f"| {size.rows:,} | {size.seconds:.2f} | {shown} | {size.peak_megabytes:,.0f} | "
            f"{size.most_active} |"
        )
    return "\n".join(lines)


def _schedule(runs: Sequence[Schedule]) -> str:
    lines = ["| | minutes of Dotdigital's time | least | most |", "|---|---:|---:|---:|"]
    lines += [f"| {bar.label} | {_spread(minutes, 1)} |" for bar, minutes in _schedule_bars(runs)]
    return "\n".join(lines)


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


def _machine(machine: Machine) -> str:
    return "\n".join(
        [
            "| | |",
            "|---|---|",
            f"| date | {machine.date} |",
            f"| processor | {machine.processor}, {machine.cores} cores |",
            f"| memory | {machine.memory_gigabytes:.0f} GB |",
            f"| system | {machine.system} |",
            f"| Python | {machine.python} |",
            f"| target-dotdigital | {machine.target} |",
            f"| singer-sdk | {machine.singer_sdk} |",
            f"| msgspec | {machine.msgspec} |",
        ]
    )


def _pace_plot(results: Results) -> str:
    def pace(seconds: Iterable[float]) -> float:
        return results.rows / statistics.median(seconds)

    return bars(
        f"Rows a second, {results.rows:,} rows",
        "rows/s",
        [
            Bar("the bare loop", pace(each.seconds for each in results.limit), is_ours=False),
            Bar("target-dotdigital", pace(each.seconds for each in results.plain), is_ours=True),
            Bar(
                "… with a stream map",
                pace(each.seconds for each in results.stream_maps),
                is_ours=True,
            ),
            Bar("a stock SDK target", pace(results.template_seconds()), is_ours=False),
        ],
    )


def _memory_plot(results: Results) -> str:
    sizes = results.typical_scale().sizes
    return line(
        f"Peak memory in MB, with {ACTIVE_IMPORTS} imports held active",
        "MB",
        [Point(size.rows, size.peak_megabytes) for size in sizes],
        MAX_MEGABYTES,
    )


def _schedule_plot(runs: Sequence[Schedule]) -> str:
    shown = [bar for bar, _ in _schedule_bars(runs)]
    return bars(f"{runs[0].rows:,} rows at Dotdigital's pace", "minutes", shown)
