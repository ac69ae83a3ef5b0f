"""What happened when, on a report's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_dotdigital.report.charts import (
    MAX_LABELLED_JOBS,
    WAIT_NAMES,
    duration,
    jobs_chart,
    outcome,
    rows_chart,
)
from target_dotdigital.report.markup import folded, legend, paragraph, section, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_dotdigital.report.model import JobReport, TimelineReport

MAX_TABLE_MOMENTS: Final = 25


def timeline_sections(timeline: TimelineReport) -> Iterator[str]:
    """Yield the parts of the page that show rows, imports and waits over time.

    Args:
        timeline: What happened when.
    """
    yield _rows(timeline)
    yield _jobs(timeline)
    yield _waits(timeline)


def _rows(timeline: TimelineReport) -> str:
    if not timeline.progress[-1].read:
        return ""
    colors: list[tuple[str, str]] = [("read", "rows read"), ("imported", "rows settled")]
    if timeline.waits:
        colors.append(("wait", "something waits"))
    if timeline.states.count:
        colors.append(("state", f"STATE is printed ({timeline.states.count:,} in all)"))
    moments = timeline.progress
    step = -(-len(moments) // MAX_TABLE_MOMENTS)
    chosen = [*moments[:-1:step], moments[-1]]
    rows = [
        (duration(each.at), each.read, each.settled, each.rejected, each.active) for each in chosen
    ]
    heads = ("after", "read", "settled", "rejected", "active")
    states = [(duration(each.at), each.row) for each in timeline.states.listed]
    every = timeline.states.every
    thinned = f"; one in {every} is listed" if every > 1 else ""
    return section(
        "Rows over time",
        legend(*colors),
        rows_chart(timeline),
        folded("As a table", table("Rows over time", heads, rows)),
        folded(
            "STATE as a table",
            table(f"STATE values printed{thinned}", ("after", "covers rows up to"), states),
        ),
    )


def _jobs(timeline: TimelineReport) -> str:
    jobs = timeline.jobs
    if not jobs.listed:
        return ""
    left_out = ""
    if len(jobs.listed) < jobs.count:
        left_out = (
            f"There were {jobs.count:,}: one in {jobs.every:,} is shown, and those that did not go "
            "as they should."
        )
    if len(jobs.listed) > MAX_LABELLED_JOBS:
        left_out += " A row holds jobs that came one after the other."
    colors = [
        ("sent", "being sent, or held back"),
        ("queued", "accepted"),
        ("done", "active until settled"),
    ]
    if any(each.outcome == "under_way" for each in jobs.listed):
        colors.append(("open", "had not ended"))
    if any(each.rejected or each.outcome in {"failed", "refused"} for each in jobs.listed):
        colors.append(("rejected", "failed, or contacts rejected"))
    heads = (
        *("ID", "contacts", "sent", "accepted", "active", "ended"),
        *("imported", "new", "updated", "left", "rejected", "outcome"),
    )
    return section(
        "Imports",
        legend(*colors),
        paragraph(left_out.strip()),
        jobs_chart(timeline),
        folded(
            "As a table",
            table(
                "Imports, removals and deletions; times from the start of the run",
                heads,
                [_job_row(each) for each in jobs.listed],
                texts=(11,),
            ),
        ),
    )


def _job_row(job: JobReport) -> tuple[object, ...]:
    times = (job.requested, job.accepted, job.started, job.ended)
    kind = "" if job.kind == "import" else f"{job.kind} "
    again = f"; came to nothing before: {', '.join(job.earlier_ids)}" if job.earlier_ids else ""
    codes = ", ".join(f"{code} {count:,}" for code, count in job.rejected.items())
    return (
        f"{kind}{job.id or '(none)'}",
        job.contacts,
        *("" if each is None else duration(each) for each in times),
        job.imported,
        job.new,
        job.updated,
        job.departed,
        codes or 0,
        outcome(job) + again,
    )


def _waits(timeline: TimelineReport) -> str:
    return section(
        "Waits",
        table(
            "Time in which calls were held back; waits at the same time count once",
            ("what", "for", "times", "in all"),
            [
                (each.what, WAIT_NAMES[each.reason], each.count, duration(each.seconds))
                for each in sorted(timeline.waits, key=lambda each: -each.seconds)
            ],
            texts=(1,),
        ),
    )
