"""Plots as plain SVG, readable on light and dark pages: dark text on a white card."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 720
_OURS, _OTHERS, _LINES, _TEXT = "#1f6feb", "#9aa4b1", "#d5dae1", "#1f2328"
_FONT = "font-family='system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif'"
_LABEL_WIDTH, _VALUE_WIDTH = 300, 130
_BAR, _ROW = 24, 40
_TOP = 56
_WHOLE_FROM = 100
"""Values below have a digit after the point."""


class Bar(NamedTuple):
    """One bar."""

    label: str
    value: float
    is_ours: bool


def bars(title: str, unit: str, rows: Sequence[Bar]) -> str:
    """Return horizontal bars from nought, each with its value beside it.

    Args:
        title: What is shown.
        unit: Of the values.
        rows: The bars, from the top.
    """
    longest = max(row.value for row in rows)
    room = WIDTH - _LABEL_WIDTH - _VALUE_WIDTH
    parts = []
    for number, row in enumerate(rows):
        y = _TOP + number * _ROW
        width = max(room * row.value / longest, 1)
        middle = y + _BAR / 2 + 5
        value = f"{row.value:,.{0 if row.value >= _WHOLE_FROM else 1}f}"
        fill = _OURS if row.is_ours else _OTHERS
        parts += [
            _text(_LABEL_WIDTH - 12, middle, row.label, "end"),
            f"<rect x='{_LABEL_WIDTH}' y='{y}' width='{width:.1f}' height='{_BAR}' fill='{fill}'/>",
            _text(_LABEL_WIDTH + width + 8, middle, f"{value} {unit}"),
        ]
    return _card(title, _TOP + len(rows) * _ROW + 8, parts)


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    place = f"x='{x:.1f}' y='{y:.1f}'"
    # The white rim keeps lines behind it from running through the letters.
    rim = "stroke='#fff' stroke-width='4' paint-order='stroke'"
    return f"<text {place} text-anchor='{anchor}' fill='{_TEXT}' {rim}>{escape(text)}</text>"


def _card(title: str, height: float, parts: Sequence[str]) -> str:
    inside = "\n".join(parts)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height:.0f}' "
        f"width='{WIDTH}' height='{height:.0f}' role='img' {_FONT} font-size='14'>\n"
        f"<title>{escape(title)}</title>\n"
        f"<rect x='.5' y='.5' width='{WIDTH - 1}' height='{height - 1:.0f}' rx='6' fill='#fff' "
        f"stroke='{_LINES}'/>\n"
        f"<text x='16' y='30' font-size='16' font-weight='600' fill='{_TEXT}'>{escape(title)}"
        f"</text>\n{inside}\n</svg>\n"
    )
