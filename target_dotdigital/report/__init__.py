"""What a run tells: its progress, its report as JSON and as a page."""

from __future__ import annotations

from target_dotdigital.report.progress import Progress
from target_dotdigital.report.report import Reporting
from target_dotdigital.report.shapes import Outcome

__all__ = [
    "Outcome",
    "Progress",
    "Reporting",
]
