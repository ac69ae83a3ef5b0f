"""Proof of arrival: what a stream holds, compared with what the account holds. Only GET is sent."""

from __future__ import annotations

from target_dotdigital.verification.findings import Findings
from target_dotdigital.verification.unchanged_contacts import UnchangedContacts
from target_dotdigital.verification.verification import Verification, VerificationLoad
from target_dotdigital.verification.verification_table import conclusion, verification_table

__all__ = [
    "Findings",
    "UnchangedContacts",
    "Verification",
    "VerificationLoad",
    "conclusion",
    "verification_table",
]
