"""The report of a run, as JSON and as a page, and its progress while it goes on."""

from __future__ import annotations

from target_dotdigital.report.model import Outcome
from target_dotdigital.report.progress import Progress
from target_dotdigital.report.writer import AccountFindings, ReportWriter

__all__ = [
    "AccountFindings",
    "Outcome",
    "Progress",
    "ReportWriter",
]
