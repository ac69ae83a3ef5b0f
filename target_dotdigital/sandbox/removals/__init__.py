"""Removals from lists (v2), and deletions from the account (v3).

Accepted with one call, worked off part by part, reported.
"""

from target_dotdigital.sandbox.removals.bulk_deletion import check_deletion
from target_dotdigital.sandbox.removals.removal_log import (
    LIST_STATUSES,
    WAITING,
    Kind,
    ListRemoval,
    deletion_status,
    list_removal_status,
)
from target_dotdigital.sandbox.removals.removal_queue import RemovalQueue

__all__ = [
    "LIST_STATUSES",
    "WAITING",
    "Kind",
    "ListRemoval",
    "RemovalQueue",
    "check_deletion",
    "deletion_status",
    "list_removal_status",
]
