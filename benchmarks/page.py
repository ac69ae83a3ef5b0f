"""The figures of `docs/performance.md` and its pictures, from what the benchmarks have found."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.features import (
    FEATURES,
    MIN_TIMES_STOCK,
)
from benchmarks.plots import Bar, bars
from benchmarks.results import is_met, times_of
from benchmarks.schedule_page import SCHEDULE_FILE, schedule_plot, schedule_sections
from benchmarks.tables import median, met, spread, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.results import Machine, Results

PAGE: Final = Path(__file__).parent.parent / "docs" / "performance.md"
"""Its text is written by hand, the figures between the marks are not."""

_MARK, _END_MARK = "<!-- benchmarks -->\n", "<!-- /benchmarks -->\n"

_LIMIT = "the limit: the bare loop"
_PACE_FILE = "performance-pace.svg"


def write(results: Results, folder: Path) -> None:
    """Write the page and its pictures.

    Args:
        results: What was found.
        folder: The folder `docs`, in which `images` is.
    """
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    (images / _PACE_FILE).write_text(_pace_plot(results), "utf-8")
    if runs := results.large_schedule():
        (images / SCHEDULE_FILE).write_text(schedule_plot(runs), "utf-8")
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
        _INTRODUCTION.format(machine=_in_words(results.machine)),
        f"![Rows a second](images/{_PACE_FILE})",
        *_sections(results),
        _HOW.format(stock_rows=results.stock[0].rows if results.stock else 0),
        _UNMEASURED,
        "### The machine",
        _machine(results.machine),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def tables(results: Results) -> str:
    """Return the figures alone.

    Args:
        results: What was found.
    """
    return "\n\n".join(part.strip() for part in _sections(results))


_INTRODUCTION = """\
On {machine}.

`uv run python -m benchmarks.all` measures everything and writes this part of the page. It ends with
status 1 if something takes more than it may. Name rows to measure them alone:
`uv run python -m benchmarks.all plain mirror --rows 100000 --pairs 1`.

The figures are medians of so many loads, and in brackets the least and the most. *Times the limit*
is the wall time, with the start, by that of the barest loop in Python right before it.
*Of processor time*, the threads that send are counted, too, and other work on the machine is not.
"""

_STARTS = """\
### Start

Processor time, by that of `python -c "import singer_sdk.target_base"` right before it.
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
- **The limit** (`benchmarks/limit.py`) decodes each line with msgspec, picks the seven fields,
  encodes the contact and joins the bodies. It validates, keeps and sends nothing. A loop that
  decodes only what is picked is faster still.
- **The stock target** has the SDK's reader, validation and batches, and a `process_batch` that
  sends contacts with `json` and `requests` and waits for the import's end. Measured with
  {stock_rows:,} rows; for more, its start counts once and the rest by the row.
- **A mirror** reads all members of its address book, 1 in 100 of whom leaves.
- **Peak memory** is what the operating system reports.
- **The features took turns**, so that a busy moment of the machine hit more than one of them.
"""

_UNMEASURED = """\
### What was not measured

- Dotdigital itself, which takes minutes to hours for a million contacts.
- The network: no TLS, no distance, no limit of bandwidth. A million of these rows are about
  254 MB of JSON to send.
- The tap.
- Other rows. Wider rows, longer texts and more mapped fields take more time each. Mobile numbers,
  addresses that are not plain ASCII, and rows that join a contact already waiting take much more.
- Several features in one stream.
"""


def _sections(results: Results) -> Iterator[str]:
    yield _features_table(results)
    if results.starts:
        yield _STARTS
        yield _starts_table(results)
    yield from schedule_sections(results)


def _features_table(results: Results) -> str:
    measured = "rows/s | times the limit | of processor time | peak memory, MB"
    lines = [*_compared(results), *_feature_lines(results)]
    return table(f"what | rows | loads | {measured} | at most | met", lines)


def _compared(results: Results) -> Iterator[list[str]]:
    """Yield the lines of what the target is compared with."""
    plain, rows = results.features.get("plain"), f"{results.rows:,}"
    if plain is not None and plain.runs:
        loads = str(len(plain.runs))
        yield [_LIMIT, rows, loads, spread(plain.limit_paces()), "1", "1", "", "", ""]
    if results.typed_limit:
        paces = [results.rows / seconds for seconds in results.typed_limit]
        title, loads = "… decoding only what is picked", str(len(paces))
        yield [title, rows, loads, spread(paces), "", "", "", "", ""]
    if results.stock:
        times = results.times_stock()
        title, bound, is_met_word = "a stock SDK target", "", ""
        if times is not None:
            title += f"; the target is {times:.1f} times as fast"
            bound = f"at least {MIN_TIMES_STOCK:.0f} times"
            is_met_word = met(is_so=times >= MIN_TIMES_STOCK)
        peaks = spread(each.peak_megabytes for each in results.stock)
        paces, loads = results.stock_paces(), str(len(results.stock))
        yield [title, rows, loads, spread(paces), "", "", peaks, bound, is_met_word]


def _feature_lines(results: Results) -> Iterator[list[str]]:
    for name, row in results.features.items():
        feature = FEATURES[name]
        bounds = []
        if feature.times is not None:
            bounds.append(f"{feature.times:.1f} times")
        if feature.megabytes is not None:
            bounds.append(f"{feature.megabytes:,.0f} MB")
        pace = "failed" if row.failure is not None else ""
        if feature.times is not None and not pace:
            pace = spread(row.paces())
        yield [
            feature.title,
            f"{row.rows:,}",
            str(len(row.runs)),
            pace,
            spread(row.times(), 2),
            median(row.cpu_times(), 2),
            spread(row.peaks()),
            ", ".join(bounds),
            met(is_so=is_met(name, row)),
        ]


def _starts_table(results: Results) -> str:
    lines = []
    for (title, kept), starts in results.starts_by_kind().items():
        times = [each.seconds / each.sdk_seconds for each in starts]
        lines.append(
            [
                title,
                kept,
                spread((each.seconds for each in starts), 2),
                spread(times, 2),
                f"{starts[0].allowed:.1f} times",
                met(is_so=times_of(starts) <= starts[0].allowed),
            ]
        )
    header = "what | bytecode that was there | seconds | times the import | at most | met"
    return table(header, lines)


def _in_words(machine: Machine) -> str:
    return (
        f"{machine.cores} cores of an {machine.processor}, {machine.python}, "
        f"singer-sdk {machine.singer_sdk}"
    )


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
    shown: list[tuple[str, list[float], bool]] = []
    plain = results.features.get("plain")
    if plain is not None:
        shown.append((_LIMIT, plain.limit_paces(), False))
    shown += [
        (_plain_text(FEATURES[name].title), row.paces(), True)
        for name, row in results.features.items()
        if FEATURES[name].times is not None
    ]
    shown.append(("a stock SDK target", results.stock_paces(), False))
    return bars(
        f"Rows a second, {results.rows:,} rows",
        "rows/s",
        [Bar(name, statistics.median(paces), is_ours) for name, paces, is_ours in shown if paces],
    )


def _plain_text(title: str) -> str:
    return title.replace("`", "").replace("*", "").partition(";")[0]
