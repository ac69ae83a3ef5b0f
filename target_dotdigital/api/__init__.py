"""Dotdigital's HTTP API: calls, retries, call limits, transport, typed replies, background jobs."""

from __future__ import annotations

from target_dotdigital.api.client import CONTACT_PAGE, Client
from target_dotdigital.api.jobs import DELETION, IMPORT, REMOVAL, JobKind, Jobs
from target_dotdigital.api.polling import LOOKS, MAX_WAIT_SECONDS, PollLimit, seconds_to_wait
from target_dotdigital.api.rate_limits import Throttle
from target_dotdigital.api.replies import (
    AddressBook,
    ContactPage,
    DataField,
    DeletionStatus,
    DeletionSummary,
    FailedContact,
    FoundContact,
    ImportStatus,
    ImportSummary,
    WrittenContact,
)
from target_dotdigital.api.retries import MAX_TRIES, Caller
from target_dotdigital.api.transport import CALL_DEADLINE_SECONDS, Transport

__all__ = [
    "CALL_DEADLINE_SECONDS",
    "CONTACT_PAGE",
    "DELETION",
    "IMPORT",
    "LOOKS",
    "MAX_TRIES",
    "MAX_WAIT_SECONDS",
    "REMOVAL",
    "AddressBook",
    "Caller",
    "Client",
    "ContactPage",
    "DataField",
    "DeletionStatus",
    "DeletionSummary",
    "FailedContact",
    "FoundContact",
    "ImportStatus",
    "ImportSummary",
    "JobKind",
    "Jobs",
    "PollLimit",
    "Throttle",
    "Transport",
    "WrittenContact",
    "seconds_to_wait",
]
