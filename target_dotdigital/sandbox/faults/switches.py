"""What Dotdigital's documents leave open, as switches: each position is one that they allow.

A client that is right in every position is right whatever Dotdigital does.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

IMPORT_PAGE = "developer.dotdigital.com/reference/importcontacts-1"
STATUS_PAGE = "developer.dotdigital.com/reference/getimportstatus"
SPECIFICATION = "the specification of contacts v3"
LIMITS_PAGE = "developer.dotdigital.com/docs/call-rate-limits"


def _switch(*positions: str, question: str, source: str) -> Any:  # noqa: ANN401 - as `field` does
    metadata = {"positions": positions, "question": question, "source": source}
    return field(default=positions[0], metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """A position for each open question; the first one that a switch lists is the default."""

    unknown_field: Literal["apiSchemaViolation", "dropped"] = _switch(
        "apiSchemaViolation",
        "dropped",
        question="a data field that the account lacks fails the contact, or is left out",
        source=f"{STATUS_PAGE} has no failure code for it",
    )
    field_case: Literal["ignored", "exact"] = _switch(
        "ignored",
        "exact",
        question="data fields are known in any case, or in upper case only",
        source=f"{SPECIFICATION} writes firstName, GET /v2/data-fields answers FIRSTNAME",
    )
    wrong_type: Literal["apiSchemaViolation", "dropped"] = _switch(
        "apiSchemaViolation",
        "dropped",
        question="a value of the wrong type fails the contact, or is left out",
        source=f"{STATUS_PAGE} does not say",
    )
    long_text: Literal["apiSchemaViolation", "cut"] = _switch(
        "apiSchemaViolation",
        "cut",
        question="a text of over 1,000 characters fails the contact, or is cut",
        source="the product's help names the limit, and not what happens beyond it",
    )
    date_only: Literal["taken", "refused"] = _switch(
        "taken",
        "refused",
        question="a Date field takes YYYY-MM-DD, or a date with its time only",
        source="developer.dotdigital.com/docs/data-handling says ISO 8601",
    )
    null_if_not_empty: Literal["keeps", "clears"] = _switch(
        "keeps",
        "clears",
        question="with overwriteIfNotEmpty, null keeps the value that is there, or clears it",
        source=f"{IMPORT_PAGE} says that null clears, and not how the two combine",
    )
    bad_contact: Literal["request", "contact"] = _switch(
        "request",
        "contact",
        question="a contact of the wrong structure refuses the whole request, or fails alone",
        source=f"answers seen are 400; {STATUS_PAGE} has InvalidContact for single contacts",
    )
    unknown_list: Literal["notWritten", "written", "refused"] = _switch(
        "notWritten",
        "written",
        "refused",
        question="a contact with an unknown list fails, is written without that list and "
        "reported, or refuses the whole request",
        source=f"{STATUS_PAGE} has InvalidAddressBookIds, and not what it means for the contact",
    )
    duplicates: Literal["first", "last"] = _switch(
        "first",
        "last",
        question="which of several entries for one contact in an import is written",
        source=f"{SPECIFICATION} says that duplicates are reported",
    )
    fresh_import: Literal["known", "notFound"] = _switch(
        "known",
        "notFound",
        question="an import's ID is known at once, or its first poll is answered 404",
        source=f"{STATUS_PAGE} does not say when an ID becomes known",
    )
    failure_codes: Literal["camelCase", "PascalCase"] = _switch(
        "camelCase",
        "PascalCase",
        question="how failure codes are spelled",
        source=f"{SPECIFICATION} writes invalidEmail, {STATUS_PAGE} InvalidEmail",
    )
    report_identifiers: Literal["asSent", "lowerCase"] = _switch(
        "asSent",
        "lowerCase",
        question="failures name e-mail addresses as they were sent, or in lower case",
        source=f"{SPECIFICATION} does not say",
    )
    report_lists: Literal["full", "summaryOnly"] = _switch(
        "full",
        "summaryOnly",
        question="a report lists contacts and failures, or has its summary only",
        source=f"in {SPECIFICATION} every part of a report is optional",
    )
    large_body: Literal["413", "400"] = _switch(
        "413",
        "400",
        question="the answer to a body of over 50 MB",
        source=f"{IMPORT_PAGE} names the limit, and not the answer",
    )
    reset_header: Literal["epoch", "seconds"] = _switch(
        "epoch",
        "seconds",
        question="X-RateLimit-Reset is a moment in epoch seconds, or the seconds until then",
        source=f"{LIMITS_PAGE} says epoch, a comment in the vendor's PHP SDK says seconds",
    )
    limit_body: Literal["json", "none"] = _switch(
        "json",
        "none",
        question="the answer over a rate limit has a v2 or v3 error as its body, or no body",
        source=f"{LIMITS_PAGE} shows headers only",
    )
    status_tier: Literal["high", "unlimited"] = _switch(
        "high",
        "unlimited",
        question="the rate limit tier of an import's status",
        source=f"{LIMITS_PAGE} puts status checks in High, and polling in Unlimited",
    )

    def __post_init__(self) -> None:
        """Refuse a position that its switch does not have.

        Raises:
            ValueError: The switch's name and its positions are in the text.
        """
        for one in fields(self):
            if getattr(self, one.name) not in one.metadata["positions"]:
                listed = ", ".join(one.metadata["positions"])
                message = f"the switch {_spelled(one.name)} has the positions {listed}"
                raise ValueError(message)


def read_switches(assignments: Iterable[str]) -> Switches:
    """Read switches as they are written on a command line.

    Args:
        assignments: Such as `unknown-field=dropped`; of a name, the last one counts.

    Raises:
        ValueError: One of them is no assignment, or there is no such switch or position.
    """
    known = {_spelled(one.name): one.name for one in fields(Switches)}
    chosen: dict[str, Any] = {}
    for assignment in assignments:
        name, separator, position = assignment.partition("=")
        if not separator or name not in known:
            message = f"a switch is NAME=POSITION, and NAME one of {', '.join(known)}"
            raise ValueError(message)
        chosen[known[name]] = position
    return Switches(**chosen)


def explain() -> str:
    """Return a paragraph for each switch: positions, the default first, question and source."""
    return "\n".join(
        f"  {_spelled(one.name)}={'|'.join(one.metadata['positions'])}\n"
        f"      {one.metadata['question']}\n"
        f"      open because: {one.metadata['source']}"
        for one in fields(Switches)
    )


def _spelled(name: str) -> str:
    return name.replace("_", "-")
