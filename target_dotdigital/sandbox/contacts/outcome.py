"""The outcome of a write: what is written, and what the report says of each contact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

if TYPE_CHECKING:
    from target_dotdigital.sandbox.contacts.records import (
        ConsentRecord,
        Contact,
        Failure,
        Preference,
    )

DUPLICATE = "duplicateIdentifier"
GLOBALLY_SUPPRESSED = "globallySuppressed"
SUPPRESSED_BY_DOMAIN = "suppressedByDomain"
SUPPRESSIONS = frozenset({GLOBALLY_SUPPRESSED, SUPPRESSED_BY_DOMAIN})

CONFLICTS = frozenset({"identifierConflict", "duplicate"})
"""What a contact fails with whose identifiers belong to two contacts: the positions of a switch."""


class ContactReference(msgspec.Struct, frozen=True, rename="camel"):
    """How a report names a contact that was created or updated."""

    contact_id: int
    identifiers: dict[str, str]


class FailedContact(msgspec.Struct, frozen=True, rename="camel"):
    """How a report names a contact that failed: by its identifiers, as they were sent."""

    match_identifier: str
    identifiers: dict[str, str]
    failures: list[Failure]
    contact_id: int | UnsetType = UNSET


class Outcome(msgspec.Struct):
    """What became of the contacts of a part.

    Attributes:
        written: Contacts to write that are new or have other identifiers than before, in the
            order in which they were sent: an identifier may pass from one to the next.
        refreshed: Contacts to write that keep their e-mail address and mobile number.
        memberships: The IDs of the contacts that join, by the ID of the list.
        preferences: To set, by the contact's ID.
        consent_records: To add, by the contact's ID.
        restored: The IDs of written contacts that were in the recycle bin.
        changed_statuses: The IDs of those whose e-mail has another status than before.
        created: For the report.
        updated: For the report; those that were restored are among them.
        failures: For the report.
        globally_suppressed: Contacts that failed because their address, or its domain, is on the
            suppression list. The specification counts who is suppressed "at the account level".
        invalid_entries: Contacts that failed because of their own data.
        duplicate_identifiers: Contacts that failed because of another contact.
    """

    written: list[Contact] = []
    refreshed: list[Contact] = []
    memberships: dict[int, set[int]] = {}
    preferences: dict[int, list[Preference]] = {}
    consent_records: dict[int, list[ConsentRecord]] = {}
    restored: list[int] = []
    changed_statuses: list[int] = []
    created: list[ContactReference] = []
    updated: list[ContactReference] = []
    failures: list[FailedContact] = []
    globally_suppressed: int = 0
    invalid_entries: int = 0
    duplicate_identifiers: int = 0
