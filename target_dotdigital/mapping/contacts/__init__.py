"""A contact on its way: its identifiers, its JSON, and the rows that it was made of."""

from __future__ import annotations

from target_dotdigital.mapping.contacts.contact import MAX_LISTS, Contact, Row, collapse
from target_dotdigital.mapping.contacts.identifiers import (
    CONTACT_ID,
    EMAIL,
    MOBILE_NUMBER,
    PLAIN_EMAIL,
    checker,
    normalise,
    whole,
)
from target_dotdigital.mapping.contacts.identity_set import HeldContacts, canonical, identities_in
from target_dotdigital.mapping.contacts.rows import RejectGroup, StreamCounts

__all__ = [
    "CONTACT_ID",
    "EMAIL",
    "MAX_LISTS",
    "MOBILE_NUMBER",
    "PLAIN_EMAIL",
    "Contact",
    "HeldContacts",
    "RejectGroup",
    "Row",
    "StreamCounts",
    "canonical",
    "checker",
    "collapse",
    "identities_in",
    "normalise",
    "whole",
]
