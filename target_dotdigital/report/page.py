"""A report as a page that needs nothing but itself: no script, no file, no network."""

from __future__ import annotations

from datetime import datetime
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from target_dotdigital.mapping import MAX_FRACTION_DIGITS
from target_dotdigital.report.charts import (
    Share,
    duration,
)
from target_dotdigital.report.markup import (
    card,
    counted,
    folded,
    paragraph,
    percent,
    section,
    shares,
    table,
)
from target_dotdigital.report.model import StreamPlan
from target_dotdigital.report.plan_page import plan_sections
from target_dotdigital.report.timeline_page import timeline_sections

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_dotdigital.report.model import (
        RejectedRows,
        Report,
        StreamReport,
    )

MAX_CARDS: Final = 20
"""Streams that are shown with a bar of their own. The table has more."""

MAX_REJECT_GROUPS: Final = 25
"""Groups of a stream's rejects that are shown."""

MAX_TABLE_STREAMS: Final = 500

_CODES: Final = {
    "record.invalid": "It breaks the stream's schema, or a stream map's expression fails for it.",
    "record.too_large": "It is larger than the largest import.",
    "identifier.missing": "It has no e-mail address, or whatever match_identifier is.",
    "identifier.invalid": "Its e-mail address, or whatever match_identifier is, cannot be one.",
    "field.type": "A value does not fit its data field, a consent is only half there, or an "
    "address book cannot be joined.",
    "field.too_long": "It holds a text of more than 1,000 characters.",
}
_REFUSED: Final = "Dotdigital refused it, with this code of its own."

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
img-src data:">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<header>
<p class="brand">target-dotdigital</p>
{header}
</header>
<main>
{main}
</main>
<footer><p>{footer}</p></footer>
</body>
</html>
"""


def report_page(report: Report) -> str:
    """Return a report as HTML.

    Args:
        report: The report.
    """
    is_plan = report.kind == "plan"
    started = datetime.fromisoformat(report.started)
    name = "Plan of a dry run" if is_plan else "Run report"
    main = [
        section("Streams", *_streams(report.streams), has_cards=True),
        *(plan_sections(report.plan) if report.plan is not None else ()),
        *timeline_sections(report.timeline),
        section("Mirrors", _mirrors(report)),
        section("Settings", _settings(report)),
    ]
    return _PAGE.format(
        title=escape(f"{name}, {started.day} {started:%B %Y %H:%M} UTC: {report.outcome.status}"),
        style=(files(__package__) / "page.css").read_text(encoding="utf-8"),
        header=_header(report, name, started),
        main="\n".join(part for part in main if part),
        footer=escape(
            f"Written by {report.target}. It holds counts and names: nothing of a record, and no "
            "credential."
        ),
    )


# The top.


def _header(report: Report, name: str, started: datetime) -> str:
    status = report.outcome.status
    badge = "failed-badge" if status == "failed" else status
    reason = report.outcome.reason
    rows = sum(each.read for each in report.streams)
    settled = sum(each.read - each.unsettled for each in report.streams)
    timeline = report.timeline
    facts: list[tuple[str, str, str]] = [
        ("Started", f"{started:%H:%M:%S}", f"{started.day} {started:%B %Y}, UTC"),
        ("Took", duration(timeline.seconds), ""),
        ("Rows read", f"{rows:,}", counted(len(report.streams), "stream")),
        (
            "Looked at" if report.kind == "plan" else "Settled",
            f"{settled:,}",
            f"{settled / timeline.seconds:,.0f} rows/s" if timeline.seconds >= 1 else "",
        ),
    ]
    if report.kind == "run":
        states = counted(timeline.states.count, "STATE value") + " printed"
        jobs = "Imports" if all(each.kind == "import" for each in timeline.jobs.listed) else "Jobs"
        facts.append((jobs, f"{timeline.jobs.count:,}", states))
    facts.append(("Called", report.host or "nothing", report.settings.get("region", "")))
    tiles = "".join(
        f"<div><dt>{escape(term)}</dt><dd>{escape(value).replace('.', '.<wbr>')}"
        + (f"<small>{escape(more)}</small>" if more else "")
        + "</dd></div>"
        for term, value, more in facts
    )
    return "".join(
        [
            f'<h1>{name} <span class="badge {badge}">{status}</span></h1>',
            *(paragraph(text, "lead") for text in _answers(report)),
            paragraph(reason or "", "reason stopped" if status == "stopped" else "reason"),
            f'<dl class="facts">{tiles}</dl>',
        ]
    )


def _answers(report: Report) -> Iterator[str]:
    """Yield what somebody wants to know who asks whether everybody has arrived."""
    read = sum(each.read for each in report.streams)
    rejected = sum(sum(each.rejected.values()) for each in report.streams)
    unsettled = sum(each.unsettled for each in report.streams)
    kept = report.settings.get("rejects_path")
    if not read:
        yield "No row was read."
        return
    arrived = sum(
        each.valid if isinstance(each, StreamPlan) else each.imported for each in report.streams
    )
    if report.kind == "plan":
        yield f"Of {counted(read, 'row')}, {arrived:,} would be sent. Nothing was written."
    else:
        yield f"Of {counted(read, 'row')}, {arrived:,} ({percent(arrived, read)}) were imported."
    if rejected:
        where = f"They are kept in {kept}." if kept else "They are not kept (rejects_path)."
        yield f"Missing: {counted(rejected, 'row')}, rejected for the reasons below. {where}"
    if unsettled:
        yield (
            f"Unsettled: {counted(unsettled, 'row')} of which it is not known what became of them. "
            "A run that goes on from the last STATE sends them again."
        )
    if not rejected and not unsettled:
        yield "Nobody is missing: no row was rejected, and none is unsettled."


# What became of the rows.


def _streams(streams: Sequence[StreamReport] | Sequence[StreamPlan]) -> Iterator[str]:
    shown = sorted(streams, key=lambda each: -each.read)[:MAX_CARDS]
    for each in streams:
        if each in shown:
            yield card(*_stream(each))
    if len(streams) > len(shown):
        yield paragraph(f"The {MAX_CARDS} largest of {len(streams)} streams; the table has more.")
    parts = {
        each.stream: {share.name: share.count for share in _shares(each)}
        for each in streams[:MAX_TABLE_STREAMS]
    }
    names = list(dict.fromkeys(name for each in parts.values() for name in each))
    rows = [
        (each.stream, each.read, *(parts[each.stream].get(name, 0) for name in names))
        for each in streams[:MAX_TABLE_STREAMS]
    ]
    more = len(streams) - len(rows)
    caption = "Rows of each stream" + (f"; {more} streams more are left out" if more else "")
    yield folded("As a table", table(caption, ("Stream", "read", *names), rows))


def _stream(stream: StreamReport | StreamPlan) -> Iterator[str]:
    yield (
        f'<div class="top"><h3>{escape(stream.stream)}</h3>'
        f'<span class="quiet">{counted(stream.read, "row")} read</span></div>'
    )
    parts = _shares(stream)
    words = ", ".join(f"{each.name} {each.count:,}" for each in parts if each.count)
    yield shares(parts, f"Rows of {stream.stream}: {words}") if words else ""
    yield paragraph(_departures(stream))
    yield _rejects(stream.reject_groups)
    yield table(
        "Imported without a part that Dotdigital refused, by its code",
        ("code", "contacts"),
        () if isinstance(stream, StreamPlan) else sorted(stream.imported_in_part.items()),
    )
    yield table(
        f"Numbers rounded to {MAX_FRACTION_DIGITS} decimals, by data field",
        ("data field", "rows"),
        sorted(stream.rounded.items()),
    )


def _rejects(groups: Sequence[RejectedRows]) -> str:
    shown = groups[:MAX_REJECT_GROUPS]
    caption = "Rejected, by code, property and rule"
    if more := len(groups) - len(shown):
        rows = sum(each.rows for each in groups[MAX_REJECT_GROUPS:])
        caption += f"; {more} smaller groups of {counted(rows, 'row')} are left out"
    return table(
        caption,
        ("code", "rows", "property", "rule", "why"),
        [
            (
                each.code,
                each.rows,
                each.property or "",
                each.rule or "",
                _CODES.get(each.code, _REFUSED),
            )
            for each in shown
        ],
        texts=(2, 3, 4),
    )


def _shares(stream: StreamReport | StreamPlan) -> list[Share]:
    rejected = sum(stream.rejected.values())
    if isinstance(stream, StreamPlan):
        first = [Share("would be sent", stream.valid, "new")]
    else:
        untold = stream.imported - stream.new - stream.updated
        untold_name = "imported" if untold == stream.imported else "imported, not told which"
        first = [
            Share("new", stream.new, "new"),
            Share("updated", stream.updated, "updated"),
            Share(untold_name, untold, "imported"),
        ]
    return [
        *first,
        Share("collapsed", stream.collapsed, "collapsed"),
        Share("skipped", stream.skipped, "skipped"),
        Share("rejected", rejected, "rejected"),
        Share("unsettled", stream.unsettled, "unsettled"),
    ]


def _departures(stream: StreamReport | StreamPlan) -> str:
    found: tuple[tuple[int, str], ...]
    if isinstance(stream, StreamPlan):
        found = ((stream.would_leave, "would leave"), (stream.would_be_deleted, "would be deleted"))
    else:
        found = (
            (stream.left, "left the address book"),
            (stream.deleted, "were deleted from the account"),
            (stream.not_there, "were not there to leave"),
        )
    told = [f"{count:,} {what}" for count, what in found if count]
    return f"Of the skipped rows: {', '.join(told)}." if told else ""


def _mirrors(report: Report) -> str:
    return table(
        "Contacts that a mirror took out of its address book",
        ("address book", "streams", "to leave", "left", "file that puts them back"),
        [
            (
                str(each.address_book),
                ", ".join(each.streams),
                each.to_leave,
                each.left,
                each.undo_file,
            )
            for each in report.mirrors or ()
        ],
        texts=(1, 4),
    )


def _settings(report: Report) -> str:
    told = report.settings
    account = {name: value for name, value in told.items() if name != "streams"}
    streams = "".join(
        folded(f"Stream {name}", _setting_table(f"Settings of stream {name}", values))
        for name, values in list(told.get("streams", {}).items())[:MAX_TABLE_STREAMS]
    )
    versions = [(name, text) for name, text in report.versions.items()]
    return "".join(
        (
            paragraph("With the defaults, and without user name and password."),
            folded("Of the target", _setting_table("Settings of the target", account)),
            streams,
            folded("Versions", table("Versions", ("of", "version"), versions, texts=(1,))),
        )
    )


def _setting_table(caption: str, settings: Mapping[str, Any]) -> str:
    return table(caption, ("setting", "value"), list(_flat(settings)), texts=(1,))


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value).lower() if isinstance(value, bool) else str(value)
