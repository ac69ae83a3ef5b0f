"""What a run would do: it reads and compares, and writes nothing."""

from __future__ import annotations

from target_dotdigital.dry_run.dry_run import Comparing, DryRun
from target_dotdigital.dry_run.plan import ContactNumbers, Plan, make_plan
from target_dotdigital.dry_run.plan_table import (
    MAX_ADDRESS_BOOKS,
    place,
    plan_table,
    time_range,
    verdict,
)

__all__ = [
    "MAX_ADDRESS_BOOKS",
    "Comparing",
    "ContactNumbers",
    "DryRun",
    "Plan",
    "make_plan",
    "place",
    "plan_table",
    "time_range",
    "verdict",
]
