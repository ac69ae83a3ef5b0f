"""Reports of runs that were not: any counts, any names, any number of imports."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from target_dotdigital.api.jobs import IMPORT
from target_dotdigital.errors import DotdigitalError
from target_dotdigital.events import Events
from target_dotdigital.report.builder import timeline_report, totals
from target_dotdigital.report.model import (
    AddressBookReport,
    MirrorReport,
    Outcome,
    RejectedRows,
    Report,
    StreamReport,
)
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Sequence

SKIPPED = (
    *("left", "deleted", "not_there", "filtered", "ignored_deletions", "not_loaded"),
    "opted_out_new",
)
ZERO: dict[str, Any] = dict.fromkeys(
    (*SKIPPED, "imported", "new", "updated", "collapsed", "unchanged", "unsettled"), 0
)


def stream_report(name: str, **counts: Any) -> StreamReport:
    """Return what became of a stream's rows, given any of its counts."""
    texts = {"not_loaded_because": None, "loaded_into": "address_book"}
    given = {
        **ZERO,
        **texts,
        "rejected": {},
        "imported_in_part": {},
        "rounded": {},
        "opted_out": {},
        **counts,
    }
    if "reject_groups" not in given:
        given["reject_groups"] = [
            RejectedRows(code, code, code, rows) for code, rows in given["rejected"].items()
        ]
    skipped = sum(given[each] for each in SKIPPED)
    read = skipped + sum(
        given[each] for each in ("imported", "collapsed", "unchanged", "unsettled")
    )
    read += sum(given["rejected"].values())
    return StreamReport(stream=name, read=read, skipped=skipped, **given)


def report(
    timeline: Events,
    *streams: StreamReport,
    name: str = "x",
    outcome: str = "failed",
    books: Sequence[AddressBookReport] | None = None,
) -> Report:
    """Return a report with a name wherever there is one."""
    if books is None:
        books = [AddressBookReport(1, name, [each.stream for each in streams], 3, 4)]
    return Report(
        version=1,
        status=outcome,  # type: ignore[arg-type]
        kind="run",
        target=f"target-dotdigital {name}",
        started="2026-02-03T04:05:06+00:00",
        ended="2026-02-03T05:05:06+00:00",
        outcome=Outcome(outcome, name),  # type: ignore[arg-type]
        streams=list(streams),
        host=name,
        versions={name: name},
        settings={name: name, "streams": {name: {name: {name: [name]}}}},
        timeline=timeline_report(timeline),
        totals=totals(streams),
        address_books=list(books),
        mirrors=[MirrorReport(1, [name], 2, 1, name)],
    )


def busy_timeline(jobs: int, name: str = "x") -> Events:
    """A run of many imports, ten of them at a time, one in fifty of which fails."""
    clock = FakeClock()
    timeline = Events(clock)
    for number in range(jobs):
        start = clock.time
        with suppress(DotdigitalError), timeline.job(IMPORT.name, 10_000) as job:
            clock.time += 1
            job.accept(f"{name}-{number}")
            clock.time += 2
            job.run(is_queued=False)
            clock.time += 7
            if number % 50 == 49:
                raise DotdigitalError("no")
            job.settle(imported=1, new=1, rejected={f"dotdigital.{name}": 1})
        with timeline.waiting("call_limit", name):
            clock.time += 1
        timeline.note_state(number)
        timeline.note_progress(number * 10, number * 9, number, 10)
        clock.time = start + 2
    clock.time += 10
    return timeline
