"""Texts for people: in colour on a stream that is a terminal, plain elsewhere.

Rich takes a while to import, so only what shows something imports it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from typing import TextIO

    from rich.console import Console, RenderableType

_PLAIN_COLUMNS: Final = 10_000
"""Plain text is not wrapped: programs read it, too."""


def is_terminal(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that takes colours and moves its cursor.

    `NO_COLOR` (no-color.org) and `TERM=dumb` ask for plain text.

    Args:
        stream: Such as standard error.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM", "") in {"", "dumb", "unknown"}:
        return False
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


def console_for(stream: TextIO) -> Console:
    """Return Rich's console on a terminal, or one for plain text that no terminal wraps.

    Args:
        stream: Such as standard error.
    """
    from rich.console import Console  # noqa: PLC0415 - most runs show nothing

    if is_terminal(stream):
        file: Any = _Terminal(stream)
        return Console(file=file, force_terminal=True, force_interactive=True, highlight=False)
    return Console(
        file=stream, force_terminal=False, color_system=None, width=_PLAIN_COLUMNS, highlight=False
    )


def text_for(stream: TextIO, *parts: RenderableType) -> str:
    """Return what a console would print, a line break at its end.

    Args:
        stream: Where it goes.
        *parts: Tables and texts. Strings would be read as Rich's markup: use `Text`.
    """
    console = console_for(stream)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def printable(text: object) -> str:
    """Return a text on one line: names are whatever somebody has typed, control codes included.

    Args:
        text: Such as the name of an address book.
    """
    return "".join(each if each.isprintable() else "?" for each in str(text))


def percent(part: int, whole: int) -> str:
    """Return a share, rounded up, so that one above a limit never looks as if it kept it.

    Args:
        part: A part of the whole.
        whole: All; 0 if there are none.
    """
    tenths = -(-1000 * part // whole) if whole else 0
    return f"{tenths / 10:.1f}".removesuffix(".0") + " %"


class _Terminal:
    """A terminal that may go away at any time, which is no reason to end a run."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a stream has
        return getattr(self._stream, name)
