"""A run: it takes contacts from the sinks, brings them to Dotdigital, and writes STATE."""

from __future__ import annotations

from target_dotdigital.run.fast_rows import FastRows, Loading
from target_dotdigital.run.intake import Intake
from target_dotdigital.run.run import Run, build_run

__all__ = [
    "FastRows",
    "Intake",
    "Loading",
    "Run",
    "build_run",
]
