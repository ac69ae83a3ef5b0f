"""What a run would do: it reads and compares, and writes nothing."""

from __future__ import annotations

from target_dotdigital.dry_run.dry_run import ComparisonLoad, DryRun
from target_dotdigital.dry_run.plan import AddressBookNumbers, MirrorNumbers, Plan
from target_dotdigital.dry_run.plan_builder import empty_plan, make_plan
from target_dotdigital.dry_run.plan_table import plan_table

__all__ = [
    "AddressBookNumbers",
    "ComparisonLoad",
    "DryRun",
    "MirrorNumbers",
    "Plan",
    "empty_plan",
    "make_plan",
    "plan_table",
]
