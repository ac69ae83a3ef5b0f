"""Makes the parts of a report from a run's counts, mirrors, settings and timeline.

Of the settings it takes no credential, and nothing that could hold one.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from target_dotdigital.loading import groups_of
from target_dotdigital.report.model import (
    AddressBookReport,
    JobReport,
    JobsReport,
    MirrorReport,
    ProgressReport,
    RejectedRows,
    StateReport,
    StatesReport,
    StreamPlan,
    StreamReport,
    TimelineReport,
    Totals,
    WaitReport,
    WaitsReport,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from target_dotdigital.account import UsedAddressBook
    from target_dotdigital.bounded_records import Waits
    from target_dotdigital.dry_run import Plan
    from target_dotdigital.events import Events, Job
    from target_dotdigital.mapping import StreamCounts
    from target_dotdigital.mirror import StaleMembers
    from target_dotdigital.report.model import Destination
    from target_dotdigital.settings import Settings, StreamSettings

_SHOWN_AS_THEY_ARE: Final = (
    "dry_run",
    "create_address_book",
    "create_data_fields",
    "batch_size_rows",
    "batch_wait_limit_seconds",
    "max_active_imports",
    "shutdown_grace_seconds",
    "max_reject_percent",
    "send",
    "send_all_every_days",
)
"""Settings that are shown as they are. `shown_settings` names the others that are shown. User name,
password and the SDK's own are not: their expressions may hold whatever somebody has typed."""


def stream_report(counts: StreamCounts, settings: Settings) -> StreamReport:
    """Return what became of a stream's rows in a run.

    Args:
        counts: The stream's counts.
        settings: The target's settings.
    """
    return StreamReport(
        **_stream_rows(counts, settings),
        imported=counts.imported,
        new=counts.new,
        updated=counts.updated,
        left=counts.left,
        deleted=counts.deleted,
        not_there=counts.unknown,
        imported_in_part=dict(sorted(counts.warnings.items())),
    )


def stream_plan(counts: StreamCounts, settings: Settings) -> StreamPlan:
    """Return what would become of a stream's rows, by a dry run.

    Args:
        counts: The stream's counts.
        settings: The target's settings.
    """
    return StreamPlan(
        **_stream_rows(counts, settings),
        valid=counts.imported,
        would_leave=counts.left,
        would_be_deleted=counts.deleted,
    )


def _stream_rows(counts: StreamCounts, settings: Settings) -> dict[str, Any]:
    """Return what a run and a dry run say alike."""
    stream = settings.stream(counts.stream)
    into: Destination | None = None
    if counts.is_loaded and stream is not None:
        by_rows = stream.address_book_property is not None
        fixed: Destination = "account" if stream.address_book is None else "address_book"
        into = "address_books_of_rows" if by_rows else fixed
    return {
        "stream": counts.stream,
        "read": counts.read,
        "rejected": dict(sorted(counts.rejected.items())),
        "collapsed": counts.collapsed,
        "skipped": counts.skipped,
        "filtered": counts.filtered,
        "ignored_deletions": counts.ignored,
        "not_loaded": counts.not_loaded,
        "not_loaded_because": counts.not_loaded_because,
        "loaded_into": into,
        "unchanged": counts.unchanged,
        "unsettled": counts.unsettled,
        "reject_groups": [RejectedRows(*each.group, each.rows) for each in groups_of([counts])],
        "rounded": dict(sorted(counts.rounded.items())),
        "opted_out": dict(sorted(counts.opted_out.items())),
        "opted_out_new": counts.opted_out_new,
    }


def totals(streams: Iterable[StreamReport | StreamPlan]) -> Totals:
    """Return the rows of all streams.

    Args:
        streams: What became of each one's rows.
    """
    read = arrived = joined = missing = unchanged = 0
    for each in streams:
        read += each.read
        unchanged += each.unchanged
        arrived += each.valid if isinstance(each, StreamPlan) else each.imported
        joined += each.collapsed
        missing += each.missing
    left_out = read - arrived - joined - missing - unchanged
    return Totals(read, arrived, joined, missing, left_out, unchanged)


def address_book_reports(
    used: Iterable[UsedAddressBook],
    streams: Sequence[StreamCounts],
    rows: Sequence[StreamReport | StreamPlan],
    mirrored: Mapping[int, int],
) -> list[AddressBookReport]:
    """Return the address books that streams are loaded into.

    Args:
        used: The address books.
        streams: The counts of all streams.
        rows: What became of their rows, stream by stream.
        mirrored: How many contacts a mirror took out of an address book, or would, by its ID.
    """
    found = []
    for each in used:
        book = each.address_book_id
        own = [
            (counts, report)
            for counts, report in zip(streams, rows, strict=True)
            if book in counts.address_books
        ]
        reports = [report for _, report in own]
        # Of a row that may be in several address books, it is not counted which.
        is_told = all(len(counts.address_books) == 1 for counts, _ in own)
        found.append(
            AddressBookReport(
                id=book if book > 0 else None,
                name=each.name,
                streams=[report.stream for report in reports],
                before=each.before,
                now=each.now,
                **(_book_rows(reports, mirrored.get(book)) if is_told else {}),
            )
        )
    return found


def _book_rows(
    reports: Iterable[StreamReport | StreamPlan], mirrored: int | None
) -> dict[str, int]:
    """Return the rows of all streams of an address book."""
    arrived = missing = left = would_leave = unchanged = 0
    for each in reports:
        if isinstance(each, StreamPlan):
            arrived, would_leave = arrived + each.valid, would_leave + each.would_leave
        else:
            arrived, left = arrived + each.imported, left + each.left
        missing, unchanged = missing + each.missing, unchanged + each.unchanged
    # In a plan, those who are marked as deleted are among those whom a mirror takes out.
    left += would_leave if mirrored is None else mirrored
    return {"arrived": arrived, "missing": missing, "left": left, "unchanged": unchanged}


def mirrored_contacts(stale: Iterable[StaleMembers], plan: Plan | None) -> dict[int, int]:
    """Return how many contacts mirrors took out of address books, or would, by their IDs.

    Args:
        stale: What mirrors have done.
        plan: The plan of a dry run; None of a run.
    """
    if plan is None:
        return {each.address_book.address_book_id: each.left for each in stale}
    return {
        each.address_book: each.would_leave
        for each in plan.mirrors
        if each.address_book is not None and not (each.is_refused or each.waits)
    }


def mirror_report(stale: StaleMembers) -> MirrorReport:
    """Return what a mirror did to its address book.

    Args:
        stale: The contacts that it took out, or was to take out.
    """
    return MirrorReport(
        address_book=stale.address_book.address_book_id,
        streams=list(stale.address_book.streams),
        to_leave=len(stale.contact_ids),
        left=stale.left,
        undo_file=stale.undo_file.name if stale.undo_file is not None else None,
    )


def timeline_report(timeline: Events) -> TimelineReport:
    """Return what has happened in a run until now.

    Args:
        timeline: What has happened.
    """
    states, last = timeline.states, timeline.last_state
    return TimelineReport(
        seconds=_seconds(timeline.seconds()),
        progress=[
            ProgressReport(_seconds(each.at), each.read, each.settled, each.rejected, each.active)
            for each in timeline.progress
        ],
        jobs=JobsReport(
            timeline.job_count,
            timeline.jobs.every,
            [_job(each) for each in timeline.listed_jobs()],
        ),
        waits=[_waits(*each) for each in timeline.waits()],
        states=StatesReport(
            states.count,
            states.every,
            None if last is None else StateReport(_seconds(last.at), last.row),
            [StateReport(_seconds(each.at), each.row) for each in states.kept],
        ),
    )


def shown_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings under their own names, without those that are not set.

    Args:
        settings: The target's settings.
    """
    url = None if settings.api_url is None else urlsplit(settings.api_url)
    shown: dict[str, Any] = {
        "region": settings.region,
        # Without its path: a proxy may take that for a key.
        "api_url": None if url is None else f"{url.scheme}://{url.netloc}",
        "sandbox_path": _file_name(settings.sandbox_path),
        "rejects_path": _file_name(settings.rejects_path),
        "rejects_csv": _file_name(settings.rejects_csv),
        "report_path": _file_name(settings.report_path),
        "fingerprints_path": _file_name(settings.fingerprints_path),
        **{name: getattr(settings, name) for name in _SHOWN_AS_THEY_ARE},
        "import_timeout_minutes": settings.import_timeout_seconds // 60,
        "address_book": settings.default_stream.address_book,
        "account_only": settings.default_stream.account_only,
        "merge_option": settings.default_stream.merge_option,
    }
    if settings.streams is not None:
        shown["streams"] = {name: _stream_settings(each) for name, each in settings.streams.items()}
    return {name: value for name, value in sorted(shown.items()) if value is not None}


def _job(job: Job) -> JobReport:
    return JobReport(
        kind=job.kind,
        id=job.ids[-1] if job.ids else None,
        earlier_ids=job.ids[:-1],
        outcome=job.outcome,
        contacts=job.contacts,
        requested=_seconds(job.requested),
        accepted=_moment(job.accepted),
        started=_moment(job.started),
        ended=_moment(job.ended),
        imported=job.imported,
        new=job.new,
        updated=job.updated,
        departed=job.removed,
        rejected=dict(job.rejected),
    )


def _waits(reason: str, what: str, waits: Waits) -> WaitsReport:
    return WaitsReport(
        reason,
        what,
        waits.count,
        _seconds(waits.seconds),
        waits.every,
        [WaitReport(_seconds(each.start), _seconds(each.end)) for each in waits.kept],
    )


def _moment(seconds: float | None) -> float | None:
    return None if seconds is None else _seconds(seconds)


def _seconds(seconds: float) -> float:
    return round(seconds, 3)


def _file_name(path: Path | None) -> str | None:
    """Return a file's name: where it is tells of whoever runs this, and may name a person."""
    return None if path is None else path.name


def _stream_settings(settings: StreamSettings) -> dict[str, Any]:
    """Return a stream's settings, defaults filled in."""
    values = asdict(settings)
    return {
        each.name: values[each.name]
        for each in fields(settings)
        if values[each.name] not in (None, {})
    }
