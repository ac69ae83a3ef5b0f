"""Writes the report of a run to its file, and the plan of a dry run to standard error.

It holds counts and names of streams, address books and data fields: nothing of a record, and no
credential. The schema of the JSON is `report.schema.json` in this package.
"""

from __future__ import annotations

import json
import logging
import platform
import sys
from contextlib import suppress
from datetime import datetime, timezone
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_dotdigital.files import check_folder, check_writable, replace_file, unwritable
from target_dotdigital.report.builder import (
    address_book_reports,
    mirror_report,
    mirrored_contacts,
    shown_settings,
    stream_plan,
    stream_report,
    timeline_report,
    totals,
)
from target_dotdigital.report.folder import listed_runs, locked, new_name
from target_dotdigital.report.model import VERSION, Outcome, Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from target_dotdigital.account import UsedAddressBook
    from target_dotdigital.dry_run import Plan
    from target_dotdigital.events import Events
    from target_dotdigital.mapping import StreamCounts
    from target_dotdigital.mirror import StaleMembers
    from target_dotdigital.report.model import StreamPlan, StreamReport
    from target_dotdigital.report.verification_report import VerificationReport
    from target_dotdigital.settings import Settings
    from target_dotdigital.verification import Findings

PAGE_SUFFIX: Final = ".html"
"""What the name of a page ends in; all else is JSON."""

INDEX: Final = "index.html"
"""The page over all runs of a folder."""

_TEMPORARY: Final = ".report-"

_logger = logging.getLogger("target-dotdigital")


class AccountFindings(NamedTuple):
    """What a run has found in the account, or has done to it.

    Attributes:
        host: What was called; None if nothing was.
        plan: What a dry run has found; None if it was none.
        mirrors: What became of mirrored address books.
        address_books: Those that it has used.
        findings: What a verification has found; None if it was none, or has read nothing.
    """

    host: str | None
    plan: Plan | None
    mirrors: Sequence[StaleMembers]
    address_books: Sequence[UsedAddressBook]
    findings: Findings | None = None


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
        path = settings.report_path
        if settings.verification_path is not None:
            check_writable("report_path", settings.verification_path, settings.verification_path)
        elif path is not None and settings.report_is_folder:
            check_folder("report_path", path)
        elif path is not None:
            check_writable("report_path", path, path)

    @property
    def is_wanted(self) -> bool:
        """Whether the settings ask for a report."""
        return self._settings.report_path is not None

    def write(
        self,
        outcome: Outcome,
        streams: Iterable[StreamCounts],
        account: AccountFindings,
    ) -> None:
        """Write the report, and print a dry run's plan on standard error.

        Args:
            outcome: How the run ended.
            streams: Its rows.
            account: What it has found in the account.

        Raises:
            StorageError: The report cannot be written.
        """
        counts, settings = list(streams), self._settings
        if account.plan is not None:
            from target_dotdigital.dry_run import plan_table  # noqa: PLC0415 - for a dry run alone

            with suppress(OSError):  # nobody listens; what was done is told by the exit status
                sys.stderr.write(plan_table(account.plan, counts, outcome.reason))
                sys.stderr.flush()
        if settings.verification_path is not None:
            if any(each.read for each in counts):
                self._write_verification(settings.verification_path, outcome, account)
            return
        path = settings.report_path
        if path is None:
            return
        if not settings.report_is_folder and path.exists() and not any(x.read for x in counts):
            _logger.info("No row was read: %s is left as it was", path)
            return
        report = self._report(outcome, counts, account)
        if settings.report_is_folder:
            self._write_into(path, report)
        else:
            is_page = path.name.lower().endswith(PAGE_SUFFIX)
            _write(path, _page(report) if is_page else _json(report))

    def _write_verification(self, path: Path, outcome: Outcome, account: AccountFindings) -> None:
        from target_dotdigital.report.verification_report import (  # noqa: PLC0415 - for it alone
            verification_report,
        )

        report = verification_report(
            outcome, account.findings, account.host, self._started, ended=_now()
        )
        _write(path, _json(report))

    def _report(
        self, outcome: Outcome, counts: list[StreamCounts], account: AccountFindings
    ) -> Report:
        settings, plan = self._settings, account.plan
        rows: list[StreamReport] | list[StreamPlan]
        if plan is None:
            rows = [stream_report(each, settings) for each in counts]
        else:
            rows = [stream_plan(each, settings) for each in counts]
        return Report(
            version=VERSION,
            status=outcome.status,
            kind="run" if plan is None else "plan",
            target=f"target-dotdigital {version('target-dotdigital')}",
            host=account.host,
            versions={
                "python": platform.python_version(),
                **{name: version(name) for name in ("singer-sdk", "target-dotdigital")},
            },
            settings=shown_settings(settings),
            timeline=timeline_report(self._timeline),
            totals=totals(rows),
            address_books=address_book_reports(
                account.address_books, counts, rows, mirrored_contacts(account.mirrors, plan)
            ),
            started=self._started,
            ended=_now(),
            outcome=outcome,
            streams=rows,
            mirrors=None if plan is not None else [mirror_report(each) for each in account.mirrors],
            plan=plan,
        )

    def _write_into(self, folder: Path, report: Report) -> None:
        """Write a page and a JSON into a folder, and its index anew."""
        from target_dotdigital.report.page import index_page  # noqa: PLC0415 - if it is wanted

        try:
            name = new_name(folder, self._started)
            _write(folder / f"{name}{PAGE_SUFFIX}", _page(report))
            _write(folder / f"{name}.json", _json(report))
            with locked(folder):
                _write(folder / INDEX, index_page(*listed_runs(folder)))
        except OSError as error:
            raise unwritable("report_path", folder, error) from None


def _page(report: Report) -> str:
    from target_dotdigital.report.page import report_page  # noqa: PLC0415 - if it is wanted

    return report_page(report)


def _json(report: Report | VerificationReport) -> str:
    return json.dumps(msgspec.to_builtins(report), indent=2, ensure_ascii=False) + "\n"


def _now() -> str:
    return datetime.now(tz=timezone.utc).isoformat()


def _write(path: Path, text: str) -> None:
    replace_file("report_path", path, text, _TEMPORARY)
