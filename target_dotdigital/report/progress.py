"""How far a run is, while it runs: live on a terminal, now and then in the log elsewhere."""

from __future__ import annotations

import logging
import sys
from collections import deque
from typing import TYPE_CHECKING, Final

from target_dotdigital.terminal import console_for, is_terminal, percent, printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import TextIO

    from rich.console import RenderableType
    from rich.live import Live

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
    """Shows how far a run is. It costs nothing per row: the run calls it now and then."""

    def __init__(
        self,
        streams: Iterable[StreamCounts],
        clock: Clock,
        timeline: Events,
        max_reject_percent: int,
    ) -> None:
        """Start with nothing shown.

        Args:
            streams: The rows, as they are counted.
            clock: The clock.
            timeline: Keeps the progress for the report.
            max_reject_percent: The share of a stream's rows that may be rejected.
        """
        self._streams = streams
        self._clock = clock
        self._timeline = timeline
        self._max_reject_percent = max_reject_percent
        self._live = LivePicture(sys.stderr) if is_terminal(sys.stderr) else None
        self._interval = LOG_SECONDS if self._live is None else LIVE_SECONDS
        self._started = self._logged_at = clock.now()
        self._due = self._started + self._interval
        self._logged = (0, 0, 0, 0)
        self._rates = deque([(self._started, 0)])

    def update(self, active: int) -> None:
        """Take in how far the rows are, and show it if it is time to.

        Args:
            active: The number of imports and other jobs that Dotdigital works on.
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
            self._live.show(self._picture(now, active, rate))
        else:
            self._log(now, (read, settled, rejected, active), rate)

    def seconds_left(self) -> float:
        """Return the seconds until the next update is shown."""
        return max(self._due - self._clock.now(), 0.0)

    def hide(self) -> None:
        """Clear the terminal for other output."""
        if self._live is not None:
            self._live.hide()

    def close(self) -> None:
        """Show nothing more, and leave the terminal as it was."""
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

    def _picture(self, now: float, active: int, rate: float) -> RenderableType:
        from rich.console import Group  # noqa: PLC0415 - on a terminal alone
        from rich.progress_bar import ProgressBar  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        streams = list(self._streams)
        shown = _last_moving(streams)
        lines = Table.grid(padding=(0, 1))
        lines.add_column(no_wrap=True, overflow="ellipsis", max_width=_NAME_COLUMNS)
        lines.add_column(width=_BAR_COLUMNS)
        lines.add_column(no_wrap=True, overflow="ellipsis")
        for counts in shown:
            bar = ProgressBar(counts.read or 1, counts.settled)
            lines.add_row(Text(printable(counts.stream)), bar, Text(self._settled(counts)))
        more = f"{len(streams) - len(shown)} more streams, " if len(streams) > len(shown) else ""
        seconds = int(now - self._started)
        end = (
            f"{more}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}, "
            f"active imports {active}, {rate:,.0f} rows/s"
        )
        return Group(lines, Text(end, style="dim", no_wrap=True, overflow="ellipsis"))

    def _settled(self, counts: StreamCounts) -> str:
        read, rejected = counts.read, counts.rejected_total
        text = f"settled {counts.settled:,} of {read:,} read"
        if not rejected:
            return text
        share = f"{percent(rejected, read)}, limit {self._max_reject_percent} %"
        return f"{text}, rejected {rejected:,} ({share})"


def _last_moving(streams: Collection[StreamCounts]) -> list[StreamCounts]:
    """Return the streams that have a line: the last ones that rows are under way of."""
    if len(streams) <= MAX_LIVE_STREAMS:
        return list(streams)
    moving = [each for each in streams if each.unsettled] or list(streams)
    return moving[-MAX_LIVE_STREAMS:]


class LivePicture:
    """A picture on a terminal, above which the log goes on. Any thread may log."""

    def __init__(self, stream: TextIO) -> None:
        """Show nothing yet, and take the log's lines in from now on.

        Args:
            stream: The terminal.
        """
        from rich.file_proxy import FileProxy  # noqa: PLC0415 - on a terminal alone

        self._stream = stream
        self._console = console_for(stream)
        self._console.soft_wrap = True  # the log's lines stay whole
        self._live: Live | None = None
        self._handlers = [
            handler
            for handler in logging.getLogger().handlers
            if isinstance(handler, logging.StreamHandler) and handler.stream is stream
        ]
        for handler in self._handlers:
            handler.setStream(FileProxy(self._console, stream))

    def show(self, picture: RenderableType) -> None:
        """Show a picture instead of the one before.

        Args:
            picture: What Rich can show.
        """
        from rich.live import Live  # noqa: PLC0415 - on a terminal alone

        if self._live is None:
            # Once stopped, a `Live` would erase what was written since.
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
            self._console.show_cursor()  # a run that is killed could not do that
        self._live.update(picture, refresh=True)

    def hide(self) -> None:
        """Take the picture away until the next one is shown."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def close(self) -> None:
        """Take the picture away, and let the log write by itself again."""
        self.hide()
        for handler in self._handlers:
            handler.setStream(self._stream)
        self._handlers = []
