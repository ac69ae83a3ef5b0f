"""Figures as the cells of Markdown tables."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def spread(values: Iterable[float], digits: int = 0) -> str:
    """Return the median, and the least and the most in brackets."""
    listed = list(values)
    if not listed:
        return ""
    least, most = (f"{value:,.{digits}f}" for value in (min(listed), max(listed)))
    return f"{statistics.median(listed):,.{digits}f} ({least} to {most})"


def median(values: Sequence[float], digits: int = 0) -> str:
    """Return the median; nothing if there is no value."""
    return f"{statistics.median(values):,.{digits}f}" if values else ""


def table(header: str, lines: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column is text."""
    columns = header.count("|") + 1
    dashes = "|".join(["---", *["---:"] * (columns - 1)])
    return "\n".join([f"| {header} |", f"|{dashes}|", *(f"| {' | '.join(x)} |" for x in lines)])


def met(*, is_so: bool) -> str:
    """Return whether something is as it must be."""
    return "yes" if is_so else "**no**"
