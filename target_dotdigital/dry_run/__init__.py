"""What a run would do: it reads and compares, and writes nothing."""

from __future__ import annotations

from target_dotdigital.dry_run.dry_run import ComparisonLoad, DryRun
from target_dotdigital.dry_run.plan import ContactNumbers, Plan
from target_dotdigital.dry_run.plan_builder import empty_plan, make_plan
from target_dotdigital.dry_run.plan_table import (
    MAX_ADDRESS_BOOKS,
    address_book_label,
    mirror_obstacle,
    plan_table,
    time_range,
)

__all__ = [
    "MAX_ADDRESS_BOOKS",
    "ComparisonLoad",
    "ContactNumbers",
    "DryRun",
    "Plan",
    "address_book_label",
    "empty_plan",
    "make_plan",
    "mirror_obstacle",
    "plan_table",
    "time_range",
]
