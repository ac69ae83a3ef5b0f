"""The report of a run, or a dry run's plan: a file, and a plan's table.

It holds counts and names of streams, address books and data fields: nothing of a record, and no
credential. The schema of the JSON is `report.schema.json` in this package.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from contextlib import suppress
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from target_dotdigital.dry_run import make_plan, plan_table
from target_dotdigital.files import check_writable, unwritable
from target_dotdigital.loading import groups_of
from target_dotdigital.report.course import timeline_report
from target_dotdigital.report.page import report_page
from target_dotdigital.report.shapes import (
    VERSION,
    MirrorReport,
    Outcome,
    RejectedRows,
    Report,
    StreamPlan,
    StreamReport,
)
from target_dotdigital.report.shown_settings import shown_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_dotdigital.dry_run import DryRun
    from target_dotdigital.events import Events
    from target_dotdigital.mapping import StreamCounts
    from target_dotdigital.mirror import Leavers
    from target_dotdigital.settings import Settings

PAGE_SUFFIX: Final = ".html"
"""What the name of a page ends in; all else is JSON."""

_TEMPORARY: Final = ".report-"


class Reporting:
    """Tells how a run ended, where the settings ask for it."""

    def __init__(self, settings: Settings, timeline: Events) -> None:
        """Make sure that the report can be written.

        Args:
            settings: The target's settings.
            timeline: What happens in the run.

        Raises:
            StorageError: It could not be.
        """
        self._settings = settings
        self._timeline = timeline
        self._started = _now()
        if settings.report_path is not None:
            check_report_path(settings.report_path)

    def conclude(
        self,
        outcome: Outcome,
        streams: Iterable[StreamCounts],
        mirrors: Iterable[Leavers],
        dry_run: DryRun | None,
        host: str | None,
    ) -> None:
        """Write the report, and print a dry run's plan on standard error.

        Args:
            outcome: How the run ended.
            streams: Its rows.
            mirrors: What became of mirrored address books.
            dry_run: What a dry run took in; None if it was none, or did not reach the account.
            host: What was called; None if nothing was.

        Raises:
            StorageError: The report cannot be written.
        """
        counts = list(streams)
        is_plan = self._settings.dry_run
        plan = make_plan(dry_run, self._settings) if is_plan else None
        if plan is not None:
            with suppress(OSError):  # nobody listens; what was done is told by the exit status
                sys.stderr.write(plan_table(plan, counts, outcome.reason))
                sys.stderr.flush()
        if self._settings.report_path is None:
            return
        report = Report(
            version=VERSION,
            kind="plan" if is_plan else "run",
            target=f"target-dotdigital {version('target-dotdigital')}",
            host=host,
            versions={
                "python": platform.python_version(),
                **{name: version(name) for name in ("singer-sdk", "target-dotdigital")},
            },
            settings=shown_settings(self._settings),
            timeline=timeline_report(self._timeline),
            started=self._started,
            ended=_now(),
            outcome=outcome,
            streams=[_stream_plan(each) for each in counts]
            if is_plan
            else [_stream_report(each) for each in counts],
            mirrors=None if is_plan else [_mirror_report(each) for each in mirrors],
            plan=plan,
        )
        _write(self._settings.report_path, report)


def check_report_path(path: Path) -> None:
    """Make sure that a report can be written.

    Args:
        path: Where to.

    Raises:
        StorageError: It could not be.
    """
    check_writable("report_path", path, path)


def _json(report: Report) -> str:
    return json.dumps(msgspec.to_builtins(report), indent=2, ensure_ascii=False) + "\n"


def _now() -> str:
    return datetime.now(tz=timezone.utc).isoformat()


def _stream_report(counts: StreamCounts) -> StreamReport:
    return StreamReport(
        stream=counts.stream,
        read=counts.read,
        imported=counts.imported,
        new=counts.new,
        updated=counts.updated,
        rejected=dict(sorted(counts.rejected.items())),
        collapsed=counts.collapsed,
        skipped=counts.skipped,
        left=counts.left,
        deleted=counts.deleted,
        not_there=counts.unknown,
        unsettled=counts.unsettled,
        imported_in_part=dict(sorted(counts.warnings.items())),
        reject_groups=_reject_groups(counts),
        rounded=dict(sorted(counts.rounded.items())),
    )


def _stream_plan(counts: StreamCounts) -> StreamPlan:
    return StreamPlan(
        stream=counts.stream,
        read=counts.read,
        valid=counts.imported,
        rejected=dict(sorted(counts.rejected.items())),
        collapsed=counts.collapsed,
        skipped=counts.skipped,
        would_leave=counts.left,
        would_be_deleted=counts.deleted,
        unsettled=counts.unsettled,
        reject_groups=_reject_groups(counts),
        rounded=dict(sorted(counts.rounded.items())),
    )


def _reject_groups(counts: StreamCounts) -> list[RejectedRows]:
    return [RejectedRows(*each.group, each.rows) for each in groups_of([counts])]


def _mirror_report(leavers: Leavers) -> MirrorReport:
    return MirrorReport(
        address_book=leavers.book.address_book_id,
        streams=list(leavers.book.streams),
        to_leave=len(leavers.contact_ids),
        left=leavers.left,
        undo_file=leavers.undo_file.name if leavers.undo_file is not None else None,
    )


def _write(path: Path, report: Report) -> None:
    """Write a report as a whole or not at all, readable for its owner alone.

    Raises:
        StorageError: It cannot be written.
    """
    is_page = path.name.lower().endswith(PAGE_SUFFIX)
    text = report_page(report) if is_page else _json(report)
    temporary: str | None = None
    try:
        # Of mode 0600 from the first moment.
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=_TEMPORARY)
        with os.fdopen(descriptor, "wb") as file:
            # A name may hold half a surrogate pair, which is no text that could be encoded.
            file.write(text.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise unwritable("report_path", path, error) from None
