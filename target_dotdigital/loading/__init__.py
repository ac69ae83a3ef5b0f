"""From contacts to loads: batches, their queue, and what brings each to its end."""

from __future__ import annotations

from target_dotdigital.loading.batch_size import Moment
from target_dotdigital.loading.batching import Gathering, Outlook
from target_dotdigital.loading.departures import ACCOUNT, Departure
from target_dotdigital.loading.importer import Importer
from target_dotdigital.loading.imports import MAX_BODY_BYTES, Import, second_try
from target_dotdigital.loading.queue import Load, LoadQueue
from target_dotdigital.loading.remover import FEW_CONTACTS, Remover
from target_dotdigital.loading.settlement import (
    MIN_SETTLED_ROWS,
    RejectsFile,
    Settlement,
    StateGate,
    Tally,
    groups_of,
    reject_lines,
)
from target_dotdigital.loading.wakeup import Wakeup

__all__ = [
    "ACCOUNT",
    "FEW_CONTACTS",
    "MAX_BODY_BYTES",
    "MIN_SETTLED_ROWS",
    "Departure",
    "Gathering",
    "Import",
    "Importer",
    "Load",
    "LoadQueue",
    "Moment",
    "Outlook",
    "RejectsFile",
    "Remover",
    "Settlement",
    "StateGate",
    "Tally",
    "Wakeup",
    "groups_of",
    "reject_lines",
    "second_try",
]
