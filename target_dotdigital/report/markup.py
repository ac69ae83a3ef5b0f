"""The pieces of HTML that a report's page is made of. Whatever is put in is escaped here."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from target_dotdigital.report.charts import share_bar

_MANY_COLUMNS = 8
"""A table of more is scrolled sideways rather than squeezed."""

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_dotdigital.report.charts import Share


def number(count: float | None) -> str:
    """Return a number for people; a question mark if it is not known.

    Args:
        count: The number.
    """
    return "?" if count is None else f"{count:,}"


def counted(count: int, noun: str) -> str:
    """Return a number with what it counts, such as `1 row` or `2 rows`.

    Args:
        count: How many.
        noun: One of them.
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def percent(part: int, whole: int) -> str:
    """Return a share that is only nothing, or everything, if it really is.

    Args:
        part: The part.
        whole: What it is of.
    """
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.1:  # noqa: PLR2004 - the last digit that is shown
        return "<0.1 %"
    return ">99.9 %" if 99.9 < share < 100 else f"{share:.1f} %".replace(".0 %", " %")  # noqa: PLR2004 - percentages


def section(title: str, *parts: str, has_cards: bool = False) -> str:
    """Return a part of the page; nothing if there is nothing in it.

    Args:
        title: Its heading.
        *parts: Its HTML.
        has_cards: Whether that is in boxes already. Otherwise all of it is in one.
    """
    content = "".join(parts)
    if not content:
        return ""
    boxed = content if has_cards else card(content)
    return f"<section><h2>{escape(title)}</h2>{boxed}</section>"


def card(*parts: str) -> str:
    """Return a box with parts in it.

    Args:
        *parts: Its HTML.
    """
    return f'<div class="card">{"".join(parts)}</div>'


def paragraph(text: str, kind: str = "quiet") -> str:
    """Return a paragraph; nothing if it would be empty.

    Args:
        text: Its text.
        kind: Its class in the style sheet.
    """
    return f'<p class="{kind}">{escape(text)}</p>' if text else ""


def table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    texts: Sequence[int] = (),
) -> str:
    """Return a table; nothing if it has no rows.

    Args:
        caption: What it shows.
        heads: The columns' names.
        rows: The cells; the first of each row names it.
        texts: Columns, beside the first, that hold texts.
    """
    body = "".join(f"<tr>{_cells(row, texts)}</tr>" for row in rows)
    if not body:
        return ""
    head = "".join(
        f'<th scope="col"{_kind(column, texts)}>{escape(name)}</th>'
        for column, name in enumerate(heads)
    )
    kind = ' class="many"' if len(heads) > _MANY_COLUMNS else ""
    shown = escape(caption)
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{shown}"><table{kind}>'
        f"<caption>{shown}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def folded(summary: str, content: str) -> str:
    """Return something that is shown when it is asked for; nothing if there is nothing.

    Args:
        summary: What it is.
        content: Its HTML.
    """
    return f"<details><summary>{escape(summary)}</summary>{content}</details>" if content else ""


def shares(parts: Sequence[Share], label: str) -> str:
    """Return a bar of shares with their numbers below.

    Args:
        parts: The shares.
        label: What the bar shows.
    """
    total = sum(each.count for each in parts)
    items = "".join(
        f'<li><i class="{each.color}"></i>{escape(each.name)} <b>{each.count:,}</b> '
        f"<span>{percent(each.count, total)}</span></li>"
        for each in parts
        if each.count
    )
    return share_bar(parts, label) + f'<ul class="legend">{items}</ul>'


def legend(*entries: tuple[str, str]) -> str:
    """Return what the colours of a chart mean.

    Args:
        *entries: Colours in the style sheet, with what they mean.
    """
    items = "".join(f'<li><i class="{color}"></i>{escape(name)}</li>' for color, name in entries)
    return f'<ul class="legend">{items}</ul>'


def _cells(row: Sequence[object], texts: Sequence[int]) -> str:
    first, *others = row
    cells = [f'<th scope="row">{_cell(first)}</th>']
    for column, each in enumerate(others, 1):
        cells.append(f"<td{_kind(column, texts)}>{_cell(each)}</td>")
    return "".join(cells)


def _kind(column: int, texts: Sequence[int]) -> str:
    return ' class="text"' if column in texts else ""


def _cell(value: object) -> str:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return number(value) if is_number else escape("" if value is None else str(value))  # type: ignore[arg-type]
