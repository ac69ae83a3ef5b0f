"""Dotdigital's HTTP API: calls, retries, call limits, transport, typed replies, background jobs."""

from __future__ import annotations

from target_dotdigital.api.client import Client, Details
from target_dotdigital.api.jobs import (
    DELETION,
    IMPORT,
    MAX_WAIT_SECONDS,
    POLLS_AROUND_THE_END,
    REMOVAL,
    Jobs,
    PollLimit,
    seconds_to_wait,
)
from target_dotdigital.api.rate_limits import RateLimits
from target_dotdigital.api.replies import (
    CONTACTS_A_PAGE,
    AddressBook,
    ContactPage,
    DataField,
    DeletionStatus,
    DeletionSummary,
    FailedContact,
    FailedDeletion,
    HeldContact,
    ImportStatus,
    ImportSummary,
    Member,
    WrittenContact,
)
from target_dotdigital.api.retries import MAX_TRIES, Caller
from target_dotdigital.api.transport import CALL_DEADLINE_SECONDS, Transport

__all__ = [
    "CALL_DEADLINE_SECONDS",
    "CONTACTS_A_PAGE",
    "DELETION",
    "IMPORT",
    "MAX_TRIES",
    "MAX_WAIT_SECONDS",
    "POLLS_AROUND_THE_END",
    "REMOVAL",
    "AddressBook",
    "Caller",
    "Client",
    "ContactPage",
    "DataField",
    "DeletionStatus",
    "DeletionSummary",
    "Details",
    "FailedContact",
    "FailedDeletion",
    "HeldContact",
    "ImportStatus",
    "ImportSummary",
    "Jobs",
    "Member",
    "PollLimit",
    "RateLimits",
    "Transport",
    "WrittenContact",
    "seconds_to_wait",
]
