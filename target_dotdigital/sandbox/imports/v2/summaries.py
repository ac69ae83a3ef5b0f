"""The sums of a v2 import, and the list of contacts that failed."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.contacts import DUPLICATE, GLOBALLY_SUPPRESSED, PENDING, SUPPRESSED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_dotdigital.sandbox.imports.v2.uploads import UploadedContact

UNSUBSCRIBED = "unsubscribed"

_OUTCOMES = {
    "invalidEmail": ("invalid_entries", "Invalid Email"),
    DUPLICATE: ("duplicate_emails", "Duplicate"),
    GLOBALLY_SUPPRESSED: ("globally_suppressed", "Globally Suppressed"),
    "suppressedByDomain": ("domain_suppressed", "Suppressed by Domain"),
    UNSUBSCRIBED: ("unsubscribed", "Unsubscribed"),
    SUPPRESSED: ("suppressed_contacts", "Suppressed"),
    PENDING: ("pending_double_optin", "Pending optin"),
}
_OTHERWISE = ("failures", "Failures")


class V2Summary(msgspec.Struct, frozen=True, rename="camel"):
    """The sums of an import.

    The reasons and the vendor's sums fit each other but for one: there is no reason for
    `suppressedContacts`. Source: https://developer.dotdigital.com/reference/get-contact-import-report.
    """

    new_contacts: int = 0
    updated_contacts: int = 0
    globally_suppressed: int = 0
    invalid_entries: int = 0
    duplicate_emails: int = 0
    blocked: int = 0
    unsubscribed: int = 0
    hard_bounced: int = 0
    soft_bounced: int = 0
    isp_complaints: int = 0
    mail_blocked: int = 0
    domain_suppressed: int = 0
    pending_double_optin: int = 0
    failures: int = 0
    suppressed_contacts: int = 0


SUMMARY_NAMES = V2Summary.__struct_fields__


def outcome_of(code: str) -> tuple[str, str]:
    """Return the sum that counts a failure, and the reason that the list gives for it.

    Args:
        code: The failure's code: v3's, or a status of a contact that v2 passes over.
    """
    return _OUTCOMES.get(code, _OTHERWISE)


def faults_lines(failed: Iterable[tuple[str, UploadedContact]], columns: Sequence[str]) -> bytes:
    """Return lines of the list.

    Args:
        failed: Contacts with the reasons for which they failed.
        columns: The names of the file's columns.
    """
    return _lines(
        [reason, contact.email, *(_cell(contact.cells.get(name)) for name in columns)]
        for reason, contact in failed
    )


def faults_csv(columns: Sequence[str], lines: Iterable[bytes]) -> bytes:
    """Return the list: in UTF-8 with a byte order mark, the names of columns in lower case.

    Args:
        columns: The names of the file's columns.
        lines: Those of all parts.
    """
    names = _lines([["Reason", "email", *(name.lower() for name in columns)]])
    return b"".join([b"\xef\xbb\xbf", names, *lines])


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: object) -> str:
    return "" if value is None else str(value)
