"""The numbers of a page's charts: ticks, paths and tracks. The templates draw them.

Where something is on the time axis is a percentage, so nothing has to be scaled by a script.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_dotdigital.report.model import JobReport, ProgressReport

_MAX_TICKS: Final = 6
_MINUTE, _HOUR = 60, 3600
_TIME_STEPS: Final = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(each * _MINUTE for each in (1, 2, 5, 10, 15, 30)),
    *(each * _HOUR for each in (1, 2, 4, 6, 12, 24, 48, 96)),
)


class Tick(NamedTuple):
    """A mark on an axis."""

    at: float
    """Where it is."""
    text: str


def time_ticks(seconds: float) -> list[Tick]:
    """Return the marks on an axis of time.

    Args:
        seconds: How long it is.
    """
    step = next((each for each in _TIME_STEPS if seconds / each <= _MAX_TICKS), seconds or 1)
    moments = [number * step for number in range(int(seconds / step + 1e-9) + 1)]
    return [Tick(each, _time(each, moments[-1])) for each in moments]


def count_ticks(most: int) -> list[int]:
    """Return the marks on an axis of counts, from 0 on; the last is at least the largest count.

    Args:
        most: The largest count.
    """
    step, factors = 1, (1, 2, 5)
    while most > 4 * step * factors[-1]:
        step *= 10
    step *= next(each for each in factors if most <= 4 * step * each)
    return list(range(0, max(-(-most // step), 1) * step + 1, step))


def steps(moments: Sequence[ProgressReport], name: str, seconds: float, top: int) -> str:
    """Return a path, 1,000 wide and high, that goes on as it was until something changes.

    Args:
        moments: When it changed.
        name: What is shown of a moment.
        seconds: How long the axis of time is.
        top: The largest count of the other one.
    """
    path = "M0 1000"
    for before, moment in pairwise((moments[0], *moments)):
        value = getattr(moment, name)
        if moment is before or value != getattr(before, name):
            x, y = 1000 * moment.at / (seconds or 1), 1000 - 1000 * value / top
            path += f"H{x:.1f}V{y:.1f}"
    return path + "H1000"


def line(values: Sequence[int], high: int) -> str:
    """Return a path, 1,000 wide and high, through values at even distances.

    Args:
        values: Two or more.
        high: What is at its top.
    """
    width, height = 1000 / (len(values) - 1), 1000 / max(high, 1)
    points = (
        f"{place * width:.1f} {1000 - value * height:.1f}" for place, value in enumerate(values)
    )
    return "M" + "L".join(points)


def tracks(jobs: Sequence[JobReport], seconds: float, labelled: int) -> list[list[JobReport]]:
    """Return jobs by the row that shows them: in one row they come one after the other.

    Args:
        jobs: The jobs, in the order in which they were sent.
        seconds: When the run ended.
        labelled: So many jobs have a row each.
    """
    if len(jobs) <= labelled:
        return [[each] for each in jobs]
    found: list[list[JobReport]] = []
    ends: list[float] = []
    for job in jobs:
        place = next((at for at, end in enumerate(ends) if end <= job.requested), len(found))
        if place == len(found):
            found.append([])
            ends.append(0.0)
        found[place].append(job)
        ends[place] = seconds if job.ended is None else job.ended
    return found


def _time(at: float, last: float) -> str:
    if last < _MINUTE:
        return f"{at:g} s"
    if last < _HOUR:
        return f"{int(at) // _MINUTE}:{int(at) % _MINUTE:02} min"
    return f"{int(at) // _HOUR}:{int(at) // _MINUTE % 60:02} h"
