"""Reject codes of contacts that Dotdigital refuses: `dotdigital.` and its own code."""

from __future__ import annotations

import re

_SAFE_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

CONFLICTS = frozenset(
    {
        "dotdigital.duplicate",
        "dotdigital.duplicateidentifier",
        "dotdigital.duplicateidentifiers",
        "dotdigital.identifierconflict",
        "dotdigital.idalreadyexists",
        "dotdigital.http409",
    }
)
"""Reject codes, in lower case, of a contact of which another one owns an identifier. Which of them
an import reports is not documented; the last three are those of single contacts."""


def reject_code(failure_code: str | None) -> str:
    """Return the reject code for one of Dotdigital's, as it spells it, first letter in lower case.

    Args:
        failure_code: Dotdigital's code; anything that does not look like one is not repeated.
    """
    if failure_code is None or not _SAFE_CODE.fullmatch(failure_code):
        return "dotdigital.unknown"
    return f"dotdigital.{failure_code[0].lower()}{failure_code[1:]}"
