"""What became of the rows: reports, counts, rejects, and the gate that lets STATE out."""

from __future__ import annotations

from target_dotdigital.loading.settlement.counts import MIN_SETTLED_ROWS, Tally
from target_dotdigital.loading.settlement.deletion_reports import settle_deletion
from target_dotdigital.loading.settlement.reject_groups import groups_of, reject_lines
from target_dotdigital.loading.settlement.rejects import RejectsFile
from target_dotdigital.loading.settlement.settlement import (
    CONFLICTS,
    Settlement,
    reject_code,
    settle,
)
from target_dotdigital.loading.settlement.state_gate import StateGate

__all__ = [
    "CONFLICTS",
    "MIN_SETTLED_ROWS",
    "RejectsFile",
    "Settlement",
    "StateGate",
    "Tally",
    "groups_of",
    "reject_code",
    "reject_lines",
    "settle",
    "settle_deletion",
]
