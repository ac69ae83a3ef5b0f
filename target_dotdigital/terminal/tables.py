"""Tables and lines for people, as Rich draws them. Names may hold anything that can be typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_dotdigital.terminal.texts import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table
    from rich.text import Text

_UNKNOWN: Final = "?"


def text(line: str, style: str = "") -> Text:
    """Return a line, with nothing in it that could be taken for markup or control codes.

    Args:
        line: The line.
        style: Rich's name of a style.
    """
    from rich.text import Text  # noqa: PLC0415 - most runs show none

    return Text(printable(line), style)


def heading(line: str) -> Text:
    """Return a line that stands out.

    Args:
        line: The line.
    """
    return text(line, "bold")


def lines(*parts: str) -> list[Table | Text]:
    """Return lines, one below the other.

    Args:
        *parts: The lines.
    """
    return [text(line) for line in parts]


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table: the first column to the left, the others to the right.

    Args:
        heads: The heads of the columns.
        rows: The cells of each row, as `cell` takes them.
    """
    from rich.table import Table  # noqa: PLC0415

    drawn = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for number, head in enumerate(heads):
        drawn.add_column(text(head), justify="right" if number else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(text(cell(each)) for each in row))
    return drawn


def cell(value: object) -> str:
    """Return a value as a cell shows it.

    Args:
        value: A count, a text, or None if it is not known.
    """
    if value is None:
        return _UNKNOWN
    return f"{value:,}" if isinstance(value, int) else str(value)
