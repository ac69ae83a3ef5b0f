"""From contacts to loads: batches, their queue, and what brings each to its end."""

from __future__ import annotations

from target_dotdigital.loading.batch_size import Capacity
from target_dotdigital.loading.batching import Batches, Downstream
from target_dotdigital.loading.importer import Importer
from target_dotdigital.loading.imports import MAX_BODY_BYTES, Import, conflict_retry
from target_dotdigital.loading.queue import Load, LoadQueue
from target_dotdigital.loading.removals import ACCOUNT, FEW_CONTACTS, LastLoad, Removal
from target_dotdigital.loading.remover import Remover
from target_dotdigital.loading.settlement import (
    MIN_SETTLED_ROWS,
    RejectsCsv,
    RejectsFile,
    RowCounts,
    Settlement,
    StateGate,
    groups_of,
    reason_in_words,
    reject_lines,
)
from target_dotdigital.loading.wakeup import Wakeup

__all__ = [
    "ACCOUNT",
    "FEW_CONTACTS",
    "MAX_BODY_BYTES",
    "MIN_SETTLED_ROWS",
    "Batches",
    "Capacity",
    "Downstream",
    "Import",
    "Importer",
    "LastLoad",
    "Load",
    "LoadQueue",
    "RejectsCsv",
    "RejectsFile",
    "Removal",
    "Remover",
    "RowCounts",
    "Settlement",
    "StateGate",
    "Wakeup",
    "conflict_retry",
    "groups_of",
    "reason_in_words",
    "reject_lines",
]
