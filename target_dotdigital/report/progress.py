"""How far a run is, while it runs: live on a terminal, now and then in the log elsewhere."""

from __future__ import annotations

import logging
import sys
from collections import deque
from typing import TYPE_CHECKING, Final

from target_dotdigital.report.terminal import live_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from target_dotdigital.clock import Clock
    from target_dotdigital.events import Events
    from target_dotdigital.mapping import StreamCounts

LOG_SECONDS: Final = 10.0
"""Time between two lines of the log, at least."""

UNCHANGED_LOG_SECONDS: Final = 60.0
"""The same while nothing changes: somebody may wonder whether the run is alive."""

LIVE_SECONDS: Final = 0.2
"""Time between two pictures on a terminal, at least."""

RATE_SECONDS: Final = 10.0
"""Rows a second are those of so long a time."""

MAX_LIVE_STREAMS: Final = 6
"""Streams that have a line of their own on a terminal."""

_BAR_COLUMNS: Final = 20
_NAME_COLUMNS: Final = 24

_logger = logging.getLogger("target-dotdigital")


class Progress:
    """Tells how far a run is. It costs nothing a row: it looks when the run is tended."""

    def __init__(self, streams: Iterable[StreamCounts], clock: Clock, timeline: Events) -> None:
        """Start with nothing told.

        Args:
            streams: The rows, as they are counted.
            clock: Tells the time.
            timeline: Told as well, for the report.
        """
        self._streams = streams
        self._clock = clock
        self._timeline = timeline
        self._live = live_lines(sys.stderr)
        self._interval = LOG_SECONDS if self._live is None else LIVE_SECONDS
        self._started = self._logged_at = clock.now()
        self._due = self._started + self._interval
        self._logged = (0, 0, 0, 0)
        self._rates = deque([(self._started, 0)])

    def look(self, active: int) -> None:
        """Take note of how far the rows are, and tell it if it is time to.

        Args:
            active: Imports, and whatever else is with Dotdigital.
        """
        read = settled = rejected = 0
        for counts in self._streams:
            read += counts.read
            settled += counts.settled
            rejected += counts.rejected_total
        self._timeline.note_progress(read, settled, rejected, active)
        now = self._clock.now()
        if now < self._due:
            return
        self._due = now + self._interval
        rate = self._rate(now, settled)
        if self._live is not None:
            self._live.show(list(self._picture(now, active, rate)))
        else:
            self._log(now, (read, settled, rejected, active), rate)

    def seconds_left(self) -> float:
        """Return in how many seconds it is time to look again."""
        return max(self._due - self._clock.now(), 0.0)

    def hide(self) -> None:
        """Make room on the terminal for something else."""
        if self._live is not None:
            self._live.hide()

    def close(self) -> None:
        """Tell nothing more, and leave the terminal as it was."""
        if self._live is not None:
            self._live.close()
        self._live, self._interval = None, LOG_SECONDS
        self._due = self._clock.now() + LOG_SECONDS

    def _rate(self, now: float, settled: int) -> float:
        """Return settled rows a second."""
        rates = self._rates
        rates.append((now, settled))
        while len(rates) > 2 and now - rates[1][0] >= RATE_SECONDS:  # noqa: PLR2004 - two ends
            rates.popleft()
        then, before = rates[0]
        return (settled - before) / (now - then) if now > then else 0.0

    def _log(self, now: float, numbers: tuple[int, int, int, int], rate: float) -> None:
        if numbers == self._logged and now - self._logged_at < UNCHANGED_LOG_SECONDS:
            return
        self._logged, self._logged_at = numbers, now
        _logger.info(
            "Progress: read %d, settled %d, rejected %d, active imports %d, %.0f rows/s",
            *numbers,
            rate,
        )

    def _picture(self, now: float, active: int, rate: float) -> Iterator[str]:
        streams = list(self._streams)
        shown = _last_moving(streams)
        columns = max((min(len(each.stream), _NAME_COLUMNS) for each in shown), default=0)
        for counts in shown:
            name = counts.stream[:_NAME_COLUMNS].ljust(columns)
            line = f"{name} {_bar(counts)} settled {counts.settled:,} of {counts.read:,} read"
            yield line + (f", rejected {each:,}" if (each := counts.rejected_total) else "")
        more = f"{len(streams) - len(shown)} streams more, " if len(streams) > len(shown) else ""
        seconds = int(now - self._started)
        yield (
            f"{more}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}, "
            f"active imports {active}, {rate:,.0f} rows/s"
        )


def _last_moving(streams: Collection[StreamCounts]) -> list[StreamCounts]:
    """Return the streams that have a line: the last ones that rows are under way of."""
    if len(streams) <= MAX_LIVE_STREAMS:
        return list(streams)
    moving = [each for each in streams if each.unsettled] or list(streams)
    return moving[-MAX_LIVE_STREAMS:]


def _bar(counts: StreamCounts) -> str:
    full = _BAR_COLUMNS * counts.settled // counts.read if counts.read else 0
    return f"[{'#' * full}{'.' * (_BAR_COLUMNS - full)}]"
