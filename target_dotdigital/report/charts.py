"""The charts of a report's page, as SVG that keeps its letters' size however wide the page is.

Where something is on the time axis is a percentage, so nothing has to be scaled by a script.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from target_dotdigital.report.model import JobReport, ProgressReport, TimelineReport

MAX_LABELLED_JOBS: Final = 30
"""Jobs that have a row of their own in the chart. More of them share rows, one after the other."""

_PLOT_HEIGHT: Final = 180
_STRIP_HEIGHT: Final = 18
_AXIS_HEIGHT: Final = 24
_JOB_HEIGHT: Final = 22
_LANE_HEIGHT: Final = 14
_MAX_TICKS: Final = 6
_MAX_LARGE_DOTS: Final = 60
_MINUTE, _HOUR = 60, 3600
_TIME_STEPS: Final = (
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(each * _MINUTE for each in (1, 2, 5, 10, 15, 30)),
    *(each * _HOUR for each in (1, 2, 4, 6, 12, 24, 48, 96)),
)
WAIT_NAMES: Final = {"call_limit": "call limit", "slots": "free slots", "retry": "retries"}
"""What waits are for, by reason."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a stream's rows."""

    name: str
    count: int
    color: str
    """The name of its colour in the style sheet."""


class _Band(NamedTuple):
    """Where something is from top to bottom, in pixels."""

    top: int
    height: int


def share_bar(shares: Sequence[Share], label: str) -> str:
    """Return a bar of shares, each as wide as it is large.

    Args:
        shares: The parts.
        label: What it shows, for those who do not see it.
    """
    total = sum(share.count for share in shares)
    parts, place = [], 0
    for share in shares:
        if share.count:
            parts.append(
                f'<rect class="{share.color}" x="{_percent(place, total)}" '
                f'width="{_percent(share.count, total)}" height="100%">'
                f"<title>{escape(share.name)}: {share.count:,}</title></rect>"
            )
            place += share.count
    return f'<svg class="bar" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'


def rows_chart(timeline: TimelineReport) -> str:
    """Return rows read and settled over time, with what was waited for and STATE below.

    Args:
        timeline: What happened when.
    """
    seconds = timeline.seconds
    most = max(each.read for each in timeline.progress)
    step = _step_of_rows(most)
    top = max(-(-most // step) * step, step)
    heights = [(rows, 100 - 100 * rows / top) for rows in range(0, top + 1, step)]
    grid = "".join(
        f'<line class="grid" x1="0" x2="100%" y1="{at:.2f}%" y2="{at:.2f}%"/>' for _, at in heights
    )
    settled = _steps(timeline.progress, "settled", seconds, top)
    read = _steps(timeline.progress, "read", seconds, top)
    lines = (
        '<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" height="100%">'
        f'<path class="area" d="{settled}V1000H0Z"/>'
        f'<path class="line read" d="{read}"/><path class="line settled" d="{settled}"/></svg>'
    )
    labels = "".join(f'<span style="top:{at:.2f}%">{rows:,}</span>' for rows, at in heights)
    last = timeline.progress[-1]
    label = f"Rows over {duration(seconds)}: {last.read:,} read, {last.settled:,} settled"
    chart = [
        f'<div class="names" style="height:{_PLOT_HEIGHT}px" aria-hidden="true">{labels}</div>',
        f'<svg role="img" aria-label="{escape(label)}" height="{_PLOT_HEIGHT}">{grid}{lines}</svg>',
    ]
    strip = _Band(3, _STRIP_HEIGHT - 6)
    for waits in _by_reason(timeline):
        name = WAIT_NAMES[waits[0]]
        spans = "".join(_span("wait", *each, seconds, strip) for each in waits[1])
        chart += _strip(name, f"Waits for {name}: {len(waits[1])}", spans)
    if timeline.states.listed:
        radius = 3.5 if len(timeline.states.listed) <= _MAX_LARGE_DOTS else 1.5
        marks = "".join(
            f'<circle class="state" cx="{_percent(each.at, seconds)}" cy="50%" r="{radius}">'
            f"<title>STATE after row {each.row:,}, at {duration(each.at)}</title></circle>"
            for each in timeline.states.listed
        )
        chart += _strip("STATE", f"STATE printed {timeline.states.count} times", marks)
    return f'<div class="chart">{"".join(chart)}{_axis(seconds)}</div>'


def jobs_chart(timeline: TimelineReport) -> str:
    """Return when each job was sent, accepted, active and settled.

    Args:
        timeline: What happened when.
    """
    jobs, seconds = timeline.jobs.listed, timeline.seconds
    is_labelled = len(jobs) <= MAX_LABELLED_JOBS
    tracks = [[job] for job in jobs] if is_labelled else list(_tracks(jobs, seconds))
    height = _JOB_HEIGHT if is_labelled else _LANE_HEIGHT
    names = "".join(
        f'<span style="height:{height}px">{escape(_short(track[0])) if is_labelled else number}'
        "</span>"
        for number, track in enumerate(tracks, 1)
    )
    bars = "".join(
        _job_bar(job, seconds, number * height, height)
        for number, track in enumerate(tracks)
        for job in track
    )
    label = (
        f"{len(jobs)} imports and other jobs over {duration(seconds)}; the table has their times"
    )
    return (
        f'<div class="chart"><div class="names rows" aria-hidden="true">{names}</div>'
        f'<svg role="img" aria-label="{label}" height="{height * len(tracks)}">'
        f"{_grid(seconds)}{bars}</svg>{_axis(seconds)}</div>"
    )


def duration(seconds: float) -> str:
    """Return a time for people, such as `12.4 s`, `3:05 min` or `2:10 h`.

    Args:
        seconds: How long it is.
    """
    if seconds < _MINUTE:
        return f"{seconds:.3g} s" if seconds < 10 else f"{seconds:.1f} s"  # noqa: PLR2004 - digits that are worth showing
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE}:{whole % _MINUTE:02} min"
    minutes = round(seconds / _MINUTE)
    return f"{minutes // 60}:{minutes % 60:02} h"


def _job_bar(job: JobReport, seconds: float, top: int, height: int) -> str:
    end = seconds if job.ended is None else job.ended
    bar, thread = _Band(top + 3, height - 6), _Band(top + height // 2 - 1, 2)
    accepted = end if job.accepted is None else job.accepted
    # One that has ended before it was seen at work was both in between.
    active = accepted if job.started is None or job.outcome == "under_way" else job.started
    color = {"failed": "failed", "refused": "failed", "under_way": "open"}.get(job.outcome, "done")
    parts = [
        _span("sent", job.requested, accepted, seconds, thread),
        _span("queued", accepted, active, seconds, bar),
        _span(color, active, end, seconds, bar),
    ]
    if job.accepted is None:
        parts.append(_mark("failed", end, seconds, bar))
    elif job.rejected:
        parts.append(_mark("rejected", end, seconds, bar))
    return f"<g><title>{escape(job_words(job))}</title>{''.join(parts)}</g>"


def job_words(job: JobReport) -> str:
    """Return what became of a job, in a line.

    Args:
        job: The job.
    """
    words = f"{job.kind} {job.id or '(not taken)'}, {job.contacts:,} contacts: {outcome(job)}"
    refused = sum(job.rejected.values())
    return words + (f", {refused:,} rejected" if refused else "")


def outcome(job: JobReport) -> str:
    """Return how a job ended.

    Args:
        job: The job.
    """
    if job.outcome == "refused":
        return "not taken by Dotdigital"
    return {"under_way": "had not ended"}.get(job.outcome, job.outcome)


def _tracks(jobs: Iterable[JobReport], seconds: float) -> Iterator[list[JobReport]]:
    """Yield jobs that come one after the other, as few times as there were jobs side by side."""
    tracks: list[list[JobReport]] = []
    ends: list[float] = []
    for job in jobs:
        place = next((at for at, end in enumerate(ends) if end <= job.requested), len(tracks))
        if place == len(tracks):
            tracks.append([])
            ends.append(0.0)
        tracks[place].append(job)
        ends[place] = seconds if job.ended is None else job.ended
    yield from tracks


def _by_reason(timeline: TimelineReport) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    for reason in WAIT_NAMES:
        found = [
            (wait.start, wait.end)
            for waits in timeline.waits
            if waits.reason == reason
            for wait in waits.listed
        ]
        if found:
            yield reason, found


def _strip(name: str, label: str, content: str) -> list[str]:
    head = f'<div class="names strip" style="height:{_STRIP_HEIGHT}px" aria-hidden="true">'
    start = f'<svg class="strip" role="img" aria-label="{escape(label)}" height="{_STRIP_HEIGHT}">'
    return [f'{head}<span style="top:50%">{escape(name)}</span></div>', f"{start}{content}</svg>"]


def _axis(seconds: float) -> str:
    texts = []
    ticks = list(_ticks(seconds))
    for number, at in enumerate(ticks):
        anchor = "start" if not number else "end" if at > 0.96 * seconds else "middle"
        kind = ' class="odd"' if number % 2 else ""
        texts.append(
            f'<text{kind} x="{_percent(at, seconds)}" y="16" text-anchor="{anchor}">'
            f"{_tick_text(at, ticks[-1])}</text>"
        )
    return f'<div></div><svg class="axis" aria-hidden="true" height="{_AXIS_HEIGHT}">' + (
        "".join(texts) + "</svg>"
    )


def _grid(seconds: float) -> str:
    return "".join(
        f'<line class="grid" x1="{at}" x2="{at}" y1="0" y2="100%"/>'
        for at in (_percent(tick, seconds) for tick in _ticks(seconds))
    )


def _ticks(seconds: float) -> Iterator[float]:
    step = next((each for each in _TIME_STEPS if seconds / each <= _MAX_TICKS), seconds or 1)
    for number in range(int(seconds / step + 1e-9) + 1):
        yield number * step


def _tick_text(at: float, last: float) -> str:
    if last < _MINUTE:
        return f"{at:g} s"
    if last < _HOUR:
        return f"{int(at) // _MINUTE}:{int(at) % _MINUTE:02} min"
    return f"{int(at) // _HOUR}:{int(at) // _MINUTE % 60:02} h"


def _step_of_rows(most: int) -> int:
    step = 1
    while True:
        for factor in (1, 2, 5):
            if most <= 4 * step * factor:
                return step * factor
        step *= 10


def _steps(moments: Sequence[ProgressReport], name: str, seconds: float, top: int) -> str:
    """Return a path that goes on as it was until something changes."""
    path = "M0 1000"
    for before, moment in pairwise((moments[0], *moments)):
        value = getattr(moment, name)
        if moment is before or value != getattr(before, name):
            x, y = 1000 * moment.at / (seconds or 1), 1000 - 1000 * value / top
            path += f"H{x:.1f}V{y:.1f}"
    return path + "H1000"


def _span(color: str, start: float, end: float, seconds: float, band: _Band) -> str:
    if end <= start:
        return ""
    x, width = _percent(start, seconds), _percent(end - start, seconds)
    return f'<rect class="{color}" x="{x}" width="{width}" y="{band.top}" height="{band.height}"/>'


def _mark(color: str, at: float, seconds: float, band: _Band) -> str:
    x, width = _percent(at, seconds), 5 if band.height > _LANE_HEIGHT else 2
    place = f'x="{x}" width="{width}" y="{band.top}" height="{band.height}"'
    return f'<rect class="{color} mark" {place}/>'


def _short(job: JobReport) -> str:
    name = (job.id or "not taken")[:9].rstrip("-")
    return name if job.kind == "import" else f"{job.kind[:3]}. {name[:8]}"


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / (whole or 1):.3f}".rstrip("0").rstrip(".") + "%"
