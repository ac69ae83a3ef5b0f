"""Lines that stay at the bottom of a terminal and are written anew, below the log's."""

from __future__ import annotations

import logging
import os
import threading
import unicodedata
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

_DEFAULT_COLUMNS: Final = 80
_ERASE_BELOW: Final = "\x1b[J"
_LINE_UP: Final = "\x1b[A"


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
