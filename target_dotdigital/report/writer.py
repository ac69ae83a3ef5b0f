"""Writes the report of a run to its file, and the plan of a dry run to standard error.

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

from target_dotdigital.dry_run import plan_table
from target_dotdigital.files import check_writable, unwritable
from target_dotdigital.report.builder import (
    mirror_report,
    shown_settings,
    stream_plan,
    stream_report,
    timeline_report,
)
from target_dotdigital.report.model import VERSION, Outcome, Report
from target_dotdigital.report.page import report_page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_dotdigital.dry_run import Plan
    from target_dotdigital.events import Events
    from target_dotdigital.mapping import StreamCounts
    from target_dotdigital.mirror import StaleMembers
    from target_dotdigital.settings import Settings

PAGE_SUFFIX: Final = ".html"
"""What the name of a page ends in; all else is JSON."""

_TEMPORARY: Final = ".report-"


class ReportWriter:
    """Writes the report where the settings ask for it."""

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
            check_writable("report_path", settings.report_path, settings.report_path)

    def write(
        self,
        outcome: Outcome,
        streams: Iterable[StreamCounts],
        mirrors: Iterable[StaleMembers],
        plan: Plan | None,
        host: str | None,
    ) -> None:
        """Write the report, and print a dry run's plan on standard error.

        Args:
            outcome: How the run ended.
            streams: Its rows.
            mirrors: What became of mirrored address books.
            plan: What a dry run has found; None if it was none.
            host: What was called; None if nothing was.

        Raises:
            StorageError: The report cannot be written.
        """
        counts = list(streams)
        if plan is not None:
            with suppress(OSError):  # nobody listens; what was done is told by the exit status
                sys.stderr.write(plan_table(plan, counts, outcome.reason))
                sys.stderr.flush()
        if self._settings.report_path is None:
            return
        report = Report(
            version=VERSION,
            kind="run" if plan is None else "plan",
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
            streams=[stream_report(each) for each in counts]
            if plan is None
            else [stream_plan(each) for each in counts],
            mirrors=None if plan is not None else [mirror_report(each) for each in mirrors],
            plan=plan,
        )
        _write(self._settings.report_path, report)


def _json(report: Report) -> str:
    return json.dumps(msgspec.to_builtins(report), indent=2, ensure_ascii=False) + "\n"


def _now() -> str:
    return datetime.now(tz=timezone.utc).isoformat()


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
