"""How far a run is, while it runs: live on a terminal, now and then in the log elsewhere."""

from __future__ import annotations

import logging
import os
import sys
import threading
import unicodedata
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from typing import TextIO

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
_DEFAULT_COLUMNS: Final = 80
_ERASE_BELOW: Final = "\x1b[J"
_LINE_UP: Final = "\x1b[A"

_logger = logging.getLogger("target-dotdigital")


class Progress:
    """Shows how far a run is. It costs nothing per row: the run calls it now and then."""

    def __init__(self, streams: Iterable[StreamCounts], clock: Clock, timeline: Events) -> None:
        """Start with nothing shown.

        Args:
            streams: The rows, as they are counted.
            clock: The clock.
            timeline: Keeps the progress for the report.
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
            self._live.show(list(self._picture(now, active, rate)))
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


def live_lines(stream: TextIO) -> LiveLines | None:
    """Return lines on a terminal, or None if a stream is none, or one that cannot move its cursor.

    Args:
        stream: Such as standard error.
    """
    try:
        is_terminal = stream.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return None
    is_plain = os.environ.get("TERM", "dumb") == "dumb"
    return LiveLines(stream) if is_terminal and not is_plain else None


class LiveLines:
    """The lines, and the way of the log past them. Safe to use from several threads."""

    def __init__(self, stream: TextIO) -> None:
        """Show nothing yet, and take the log's lines in from now on.

        Args:
            stream: The terminal.
        """
        self._stream = stream
        self._lock = threading.RLock()
        self._lines: list[str] = []
        self._handlers = [
            handler
            for handler in logging.getLogger().handlers
            if isinstance(handler, logging.StreamHandler) and handler.stream is stream
        ]
        for handler in self._handlers:
            handler.setStream(self)

    def show(self, lines: Sequence[str]) -> None:
        """Show lines in place of those that were shown.

        Args:
            lines: Each of them is cut where the terminal ends.
        """
        columns = self._columns() - 1  # some terminals go to the next line after the last column
        # A terminal that is gone is no reason to end a run.
        with self._lock, suppress(OSError, ValueError):
            self._put(self._erasure(), [_cut(_printable(line), columns) for line in lines])

    def hide(self) -> None:
        """Take the lines away, until they are shown again."""
        if self._lines:
            self.show(())

    def write(self, text: str) -> int:
        """Write lines of the log above.

        Args:
            text: Whole lines.
        """
        with self._lock:
            self._put(self._erasure() + text, self._lines)
        return len(text)

    def flush(self) -> None:
        """Send what was written to the terminal."""
        self._stream.flush()

    def close(self) -> None:
        """Take the lines away, and let the log write by itself again."""
        self.hide()
        for handler in self._handlers:
            handler.setStream(self._stream)
        self._handlers = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a stream has
        """Return what else a handler may ask of a stream."""
        return getattr(self._stream, name)

    def _erasure(self) -> str:
        if not self._lines:
            return ""
        return "\r" + _LINE_UP * (len(self._lines) - 1) + _ERASE_BELOW

    def _put(self, before: str, lines: list[str]) -> None:
        text = "\n".join(lines)
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(before + text.encode(encoding, "replace").decode(encoding))
        self._stream.flush()
        self._lines = lines

    def _columns(self) -> int:
        with suppress(OSError, ValueError, AttributeError):
            return os.get_terminal_size(self._stream.fileno()).columns or _DEFAULT_COLUMNS
        return _DEFAULT_COLUMNS


def _printable(line: str) -> str:
    """Names are whatever somebody has typed: nothing of them may move the cursor."""
    return "".join(each if each.isprintable() else "?" for each in line)


def _cut(line: str, columns: int) -> str:
    width = 0
    for place, each in enumerate(line):
        if not unicodedata.combining(each):
            width += 1 + (unicodedata.east_asian_width(each) in {"W", "F"})
        if width > columns:
            return line[:place]
    return line
