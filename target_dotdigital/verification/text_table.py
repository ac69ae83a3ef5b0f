"""Tables for people to read, in plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNKNOWN = "?"


def aligned(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Return a table's lines: the first column to the left, the others to the right.

    Args:
        heads: The first line.
        rows: The others.
    """
    cells = [[one_line(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def one_line(cell: object) -> str:
    """Return a cell's text: names are whatever somebody has typed, and stay on their line.

    Args:
        cell: A number, a text, or None for what is not known.
    """
    if isinstance(cell, int):
        return f"{cell:,}"
    text = _UNKNOWN if cell is None else str(cell)
    return "".join(each if each.isprintable() else "?" for each in text)
