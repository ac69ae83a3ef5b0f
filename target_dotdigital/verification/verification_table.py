"""What a verification has found, as a table for people to read."""

from __future__ import annotations

import sys
from dataclasses import astuple
from typing import TYPE_CHECKING, Final

from target_dotdigital.errors import FIX_THE_DATA
from target_dotdigital.loading import ACCOUNT
from target_dotdigital.terminal import heading, lines, printable, table, text, text_for

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from target_dotdigital.verification.findings import Findings

MAX_PLACES: Final = 50
"""Address books that are listed. Rows can name any number of them."""

_HEADS: Final = (
    "Contacts",
    "in the stream",
    "as it should be",
    "differing",
    "missing",
    "not in the account",
    "opted out",
    "extra",
    "still there",
)
"""The counts are in the order of `PlaceFindings`."""


def verification_table(findings: Findings, *, sends_changes: bool) -> str:
    """Return the table, a line break at its end.

    Args:
        findings: What was found.
        sends_changes: Whether a load sends no one who is unchanged in the stream.
    """
    places = sorted(findings.places.items())
    rows = [("of all streams", *astuple(findings.all))]
    rows += [(_title(findings, place), *astuple(found)) for place, found in places[:MAX_PLACES]]
    parts: list[Table | Text] = [
        heading("Verification. Nothing was written to Dotdigital."),
        text(""),
        table(_HEADS, rows),
    ]
    if findings.differing:
        parts += [text(""), table(("Differing in", "contacts"), findings.differing.most_common())]
    if hints := _hints(findings, sends_changes=sends_changes):
        parts += [text(""), *lines(*hints)]
    return text_for(sys.stderr, *parts)


def _title(findings: Findings, place: int) -> str:
    if place == ACCOUNT:
        return "without address book"
    name = findings.names.get(place)
    if place < ACCOUNT:
        return "address book that does not exist yet"
    return f"address book {place}" + (f" ({name})" if name else "")


def _hints(findings: Findings, *, sends_changes: bool) -> list[str]:
    """Return what to do, by what was found."""
    found = findings.all
    hints = []
    if found.missing or found.differing:
        again = "load the stream again, and verify again"
        if sends_changes:
            again = (
                "load the stream once with send: all and the same fingerprints_path, and verify "
                "again. With send: changes, no one is sent again who is unchanged in the stream"
            )
        hints.append(
            f"- Missing or differing: {again}. Values that someone changed in Dotdigital meanwhile "
            "differ, too."
        )
    if found.opted_out:
        hints.append(
            "- Opted out: in Dotdigital, not in the stream. A load never opts them in again. They "
            "are counted beside the others: as missing, too, if they have left the address book."
        )
    if found.extra or found.still_there:
        hints.append("- Extra or still there: a load of the whole stream lets them leave.")
    if findings.rejected:
        hints.append(
            "- Rejected rows: repair them. They are no contacts, so no one can be looked for."
        )
    return hints


def conclusion(findings: Findings) -> str:
    """Return in a sentence whether everything is as the streams have it.

    Args:
        findings: What was found.
    """
    if findings.is_empty:
        return (
            "There is nothing to compare: no row came that is a contact. Check the tap. "
            f"[to act: {FIX_THE_DATA}]"
        )
    if findings.is_right:
        count = findings.all.in_the_stream
        if count == 0:
            return "Nothing has to be in Dotdigital, and nothing is there that should not be."
        if count == 1:
            return "The one contact is in Dotdigital as the stream has it."
        return f"All {count:,} contacts are in Dotdigital as the stream has them."
    reasons = "; ".join(map(printable, findings.reasons())) or "not compared"
    return f"Not everything is as the stream has it: {reasons}. [to act: {FIX_THE_DATA}]"
