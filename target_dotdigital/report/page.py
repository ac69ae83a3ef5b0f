"""A report as a page that needs nothing but itself: no script, no file, no network.

The markup is in `templates/`. Whatever is put in is escaped there.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from target_dotdigital.mapping import MAX_FRACTION_DIGITS
from target_dotdigital.report import charts
from target_dotdigital.report.arrivals import arrivals, forecasts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jinja2 import Environment

    from target_dotdigital.report.model import ListedRun, Report

MAX_CARDS: Final = 20
"""Address books that are shown one by one. The table has more."""

MAX_REASONS: Final = 25
"""Reasons that are listed of an address book's missing rows."""

MAX_LISTED: Final = 500
"""Streams or address books in a table."""

MAX_BOOKS_OF_ROWS: Final = 50
"""Address books that rows name in a table."""

MAX_LABELLED_JOBS: Final = 30
"""Jobs that have a row of their own in the chart."""

MIN_CHART_SECONDS: Final = 10
"""A shorter run has no chart: it would show nothing but its start and its end."""

MAX_MOMENTS: Final = 25
"""Moments in the table of rows over time."""

_MINUTE, _HOUR = 60, 3600
_UNKNOWN: Final = "not known"


def report_page(report: Report) -> str:
    """Return a report as HTML.

    Args:
        report: The report.
    """
    seconds = report.timeline.seconds
    moments = report.timeline.progress
    return _render(
        "report.html",
        report=report,
        is_plan=report.plan is not None,
        arrivals=arrivals(report),
        forecasts=() if report.plan is None else forecasts(report.plan, report.address_books),
        started=datetime.fromisoformat(report.started),
        has_chart=seconds >= MIN_CHART_SECONDS and bool(moments[-1].read),
        moments=[*moments[: -1 : -(-len(moments) // MAX_MOMENTS)], moments[-1]],
        tracks=charts.tracks(report.timeline.jobs.listed, seconds, MAX_LABELLED_JOBS),
        settings=_settings(report.settings),
    )


def index_page(runs: Sequence[ListedRun], left_out: int) -> str:
    """Return the page over all runs of a folder.

    Args:
        runs: The runs, the newest first, as `folder` has read them.
        left_out: How many older ones are not among them.
    """
    sizes: dict[int, list[tuple[ListedRun, str, int]]] = {}
    for run in reversed(runs):
        for book in run.address_books:
            if book.id is not None and book.now is not None:
                sizes.setdefault(book.id, []).append((run, book.name or "", book.now))
    return _render("index.html", runs=runs, left_out=left_out, sizes=sizes)


def _render(name: str, **context: object) -> str:
    return _environment().get_template(name).render(**context)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - not for --help

    environment = Environment(
        autoescape=True,
        loader=PackageLoader("target_dotdigital.report"),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    filters = (number, counted, percent, place, duration, moment)
    environment.filters.update({each.__name__: each for each in filters})
    environment.globals.update(
        charts=charts,
        max_cards=MAX_CARDS,
        max_reasons=MAX_REASONS,
        max_listed=MAX_LISTED,
        max_books_of_rows=MAX_BOOKS_OF_ROWS,
        max_labelled_jobs=MAX_LABELLED_JOBS,
        max_fraction_digits=MAX_FRACTION_DIGITS,
        job_words={"under_way": "had not ended", "refused": "not taken by Dotdigital"},
        wait_names={"call_limit": "call limit", "slots": "free slots", "retry": "retries"},
    )
    return environment


# Filters: what templates do with a value.


def number(count: float | None) -> str:
    """Return a number for people.

    Args:
        count: The number; None if it is not known.
    """
    return _UNKNOWN if count is None else f"{count:,}"


def counted(count: int, noun: str) -> str:
    """Return a number with what it counts, such as `1 row`, `2 rows` or `3 people`.

    Args:
        count: How many.
        noun: One of them.
    """
    many = "people" if noun == "person" else f"{noun}s"
    return f"{count:,} {noun if count == 1 else many}"


def percent(part: float, whole: float) -> str:
    """Return a share that is only nothing, or everything, if it really is.

    Args:
        part: The part.
        whole: What it is of.
    """
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.1:  # noqa: PLR2004 - the last digit that is shown
        return "<0.1 %"
    return ">99.9 %" if 99.9 < share < 100 else f"{share:.1f} %".replace(".0 %", " %")  # noqa: PLR2004 - percentages


def place(part: float, whole: float) -> str:
    """Return where something is, or how wide, as SVG takes it.

    Args:
        part: The part.
        whole: What it is of.
    """
    return f"{100 * part / (whole or 1):.3f}".rstrip("0").rstrip(".") + "%"


def duration(seconds: float | None) -> str:
    """Return a time for people, such as `12.4 s`, `3:05 min` or `2:10 h`.

    Args:
        seconds: How long it is; None for nothing.
    """
    if seconds is None:
        return ""
    if seconds < _MINUTE:
        return f"{seconds:.3g} s" if seconds < 10 else f"{seconds:.1f} s"  # noqa: PLR2004 - digits that are worth showing
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE}:{whole % _MINUTE:02} min"
    minutes = round(seconds / _MINUTE)
    return f"{minutes // 60}:{minutes % 60:02} h"


def moment(time: datetime | str) -> str:
    """Return a date with its time of day, such as `3 February 2026, 04:05 UTC`.

    Args:
        time: The moment, in UTC.
    """
    at = datetime.fromisoformat(time) if isinstance(time, str) else time
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def _settings(told: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, object]]]]:
    """Return settings by what they are of: the target itself, then each stream."""
    own = {name: value for name, value in told.items() if name != "streams"}
    streams = list(told.get("streams", {}).items())[:MAX_LISTED]
    named = [("target", own), *((f"stream {name}", values) for name, values in streams)]
    return [(name, list(_flat(values))) for name, values in named]


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
