"""What became of the rows: reports, counts, rejects, and the gate that lets STATE out."""

from __future__ import annotations

from target_dotdigital.loading.settlement.counts import MIN_SETTLED_ROWS, RowCounts
from target_dotdigital.loading.settlement.deletion_reports import settle_deletion
from target_dotdigital.loading.settlement.import_reports import settle_import
from target_dotdigital.loading.settlement.reject_codes import (
    CONFLICTS,
    reason_in_words,
    reject_code,
)
from target_dotdigital.loading.settlement.reject_groups import groups_of, reject_lines
from target_dotdigital.loading.settlement.rejects_csv import RejectsCsv
from target_dotdigital.loading.settlement.rejects_file import RejectsFile
from target_dotdigital.loading.settlement.settlement import Settlement
from target_dotdigital.loading.settlement.state_gate import StateGate

__all__ = [
    "CONFLICTS",
    "MIN_SETTLED_ROWS",
    "RejectsCsv",
    "RejectsFile",
    "RowCounts",
    "Settlement",
    "StateGate",
    "groups_of",
    "reason_in_words",
    "reject_code",
    "reject_lines",
    "settle_deletion",
    "settle_import",
]
