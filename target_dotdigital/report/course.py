"""What a report tells of a run's course. Times are seconds from the run's start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from target_dotdigital.events import Events, Job
    from target_dotdigital.samples import Waits


class MomentReport(msgspec.Struct, frozen=True):
    """How far the rows of all streams were."""

    at: float
    read: int
    settled: int
    rejected: int
    active: int


class JobReport(msgspec.Struct, frozen=True):
    """An import, a removal or a deletion."""

    kind: str
    id: str | None
    """Dotdigital's newest ID; None if it did not take the job."""
    earlier_ids: list[str]
    """Those of jobs that came to nothing, so that it was sent again."""
    outcome: str
    contacts: int
    requested: float
    accepted: float | None
    started: float | None
    ended: float | None
    imported: int
    new: int
    updated: int
    departed: int
    rejected: dict[str, int]


class JobsReport(msgspec.Struct, frozen=True):
    """All jobs, or a sample of them."""

    count: int
    every: int
    """1 if all are listed; else every so-manieth is, and those that did not go as they should."""
    listed: list[JobReport]


class WaitReport(msgspec.Struct, frozen=True):
    """A time in which something was held back."""

    start: float
    end: float


class WaitsReport(msgspec.Struct, frozen=True):
    """The waits of one reason and route."""

    reason: str
    what: str
    count: int
    seconds: float
    every: int
    listed: list[WaitReport]


class ReleaseReport(msgspec.Struct, frozen=True):
    """A STATE that was printed."""

    at: float
    row: int


class StatesReport(msgspec.Struct, frozen=True):
    """The STATE values that were printed."""

    count: int
    every: int
    last: ReleaseReport | None
    listed: list[ReleaseReport]


class TimelineReport(msgspec.Struct, frozen=True):
    """What happened when."""

    seconds: float
    progress: list[MomentReport]
    jobs: JobsReport
    waits: list[WaitsReport]
    states: StatesReport


def timeline_report(timeline: Events) -> TimelineReport:
    """Return a run's course until now.

    Args:
        timeline: What has happened.
    """
    states, last = timeline.states, timeline.last_state
    return TimelineReport(
        seconds=_seconds(timeline.seconds()),
        progress=[
            MomentReport(_seconds(each.at), each.read, each.settled, each.rejected, each.active)
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
            None if last is None else ReleaseReport(_seconds(last.at), last.row),
            [ReleaseReport(_seconds(each.at), each.row) for each in states.kept],
        ),
    )


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
        departed=job.departed,
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
