"""How the test account reports on a finished import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tests.support.dotdigital.account.normal_forms import match_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONFLICTS = ("DuplicateIdentifier", "Duplicate", "IdentifierConflict")


@dataclass(slots=True)
class Outcome:
    """What became of one contact of a finished import."""

    sent: dict[str, Any]
    contact_id: int | None
    result: Literal["created", "updated", "failed"]
    codes: list[str]


@dataclass(slots=True)
class ReportStyle:
    """How an import's report is written; every variant is one that the documentation allows."""

    lists: bool = True
    """`created`, `updated` and `failures` are there; otherwise only the summary is."""
    summary: bool = True
    contact_ids: bool = True
    """A failure names the ID of a contact that exists."""
    codes: Literal["camelCase", "PascalCase"] = "camelCase"
    emails: Literal["sent", "lower", "untidy"] = "sent"
    """`untidy`: in upper case and with spaces around."""
    names: Literal["sent", "PascalCase", "lower"] = "sent"
    """How identifiers are called."""
    repeat_failures: bool = False
    """Each failure is listed twice."""
    stranger: str | None = None
    """The address of one more failure, for a contact that was not in the import."""


def write_report(outcomes: list[Outcome], style: ReportStyle) -> dict[str, Any]:
    """Return what a status answer holds beside the import's ID and status."""
    report: dict[str, Any] = {}
    if style.summary:
        report["summary"] = _summary(outcomes)
    if style.lists:
        for result in ("created", "updated"):
            report[result] = [
                {
                    "contactId": each.contact_id,
                    "identifiers": _spelled(each.sent["identifiers"], style),
                }
                for each in outcomes
                if each.result == result
            ]
        report["failures"] = list(_failures(outcomes, style))
    return report


def _failures(outcomes: list[Outcome], style: ReportStyle) -> Iterator[dict[str, Any]]:
    for outcome in outcomes:
        if not outcome.codes:
            continue
        # It names the person, as Dotdigital's own descriptions do.
        person = match_key(outcome.sent).value
        entry: dict[str, Any] = {
            "matchIdentifier": spell_name(outcome.sent["matchIdentifier"], style.names),
            "identifiers": _spelled(outcome.sent["identifiers"], style),
            "failures": [
                {"failureCode": spell_code(code, style.codes), "description": f"{code}: {person}"}
                for code in outcome.codes
            ],
        }
        if style.contact_ids and outcome.contact_id is not None:
            entry["contactId"] = outcome.contact_id
        yield from [entry] * (1 + style.repeat_failures)
    if style.stranger is not None:
        yield {
            "matchIdentifier": "email",
            "identifiers": {"email": style.stranger},
            "failures": [
                {"failureCode": spell_code("Blocker", style.codes), "description": "Blocker"}
            ],
        }


def spell_code(code: str, style: Literal["camelCase", "PascalCase"]) -> str:
    first = code[:1].lower() if style == "camelCase" else code[:1].upper()
    return first + code[1:]


def spell_name(name: str, style: Literal["sent", "PascalCase", "lower"]) -> str:
    if style == "lower":
        return name.lower()
    return name if style == "sent" else name[:1].upper() + name[1:]


def _spelled(identifiers: Mapping[str, Any], style: ReportStyle) -> dict[str, Any]:
    spelled = spell_emails(identifiers, style.emails)
    return {spell_name(name, style.names): value for name, value in spelled.items()}


def spell_emails(
    identifiers: Mapping[str, Any], style: Literal["sent", "lower", "untidy"]
) -> dict[str, Any]:
    spelled = dict(identifiers)
    email = spelled.get("email")
    if isinstance(email, str) and style != "sent":
        spelled["email"] = email.lower() if style == "lower" else f"  {email.upper()} "
    return spelled


def _summary(outcomes: list[Outcome]) -> dict[str, int]:
    failed = [each.codes[0] for each in outcomes if each.result == "failed"]
    suppressed = failed.count("GloballySuppressed")
    duplicates = sum(failed.count(code) for code in CONFLICTS)
    return {
        "newContacts": sum(each.result == "created" for each in outcomes),
        "updatedContacts": sum(each.result == "updated" for each in outcomes),
        "globallySuppressed": suppressed,
        "invalidEntries": len(failed) - suppressed - duplicates,
        "duplicateIdentifiers": duplicates,
    }
