"""Reject codes: those of contacts that Dotdigital refuses, and what every code says in words."""

from __future__ import annotations

import re
from typing import Final

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

_DOTDIGITAL: Final = "dotdigital."
_NOT_ACCEPTED: Final = "{have} %s that Dotdigital does not accept"
_TAKEN: Final = "{have} an identifier that belongs to another contact"
_INVALID: Final = "{are} not valid for Dotdigital"

_WORDS: Final = {
    "record.invalid": "{do} not fit the stream's schema",
    "record.too_large": "{are} too large to send",
    "identifier.missing": "{have} no {identifier}",
    "identifier.invalid": "{have} no valid {identifier}",
    "delete.invalid": "{have} a deletion mark that is not a date-time",
    "delete.unidentified": "{are} marked as deleted, but {have} no {identifier}",
    "field.type": "{have} a value that does not fit the data field",
    "field.too_long": "{have} a text of more than 1,000 characters",
    "dotdigital.invalidemail": _NOT_ACCEPTED % "an e-mail address",
    "dotdigital.invaliddomain": _NOT_ACCEPTED % "an e-mail domain",
    "dotdigital.invalidphonenumber": _NOT_ACCEPTED % "a mobile number",
    "dotdigital.invalidcontactid": _NOT_ACCEPTED % "a contact ID",
    "dotdigital.novalididentifiers": "{have} no identifier that Dotdigital accepts",
    "dotdigital.globallysuppressed": "{are} suppressed by Dotdigital in all accounts",
    "dotdigital.suppressedbydomain": "{have} an e-mail domain that Dotdigital suppresses",
    "dotdigital.blocker": "{are} blocked by Dotdigital",
    **dict.fromkeys(CONFLICTS, _TAKEN),
    "dotdigital.invalidmatchidentifier": "{have} a match identifier that the account lacks",
    "dotdigital.invalidcontactstatus": "{have} a status that Dotdigital does not know",
    "dotdigital.apischemaviolation": _INVALID,
    "dotdigital.invalidcontact": _INVALID,
    "dotdigital.invalidentries": _INVALID,
    "dotdigital.badrequest": _INVALID,
    "dotdigital.badjson": _INVALID,
}
"""By code in lower case, what rows have or are; it follows a number of rows."""

_EXPRESSION_FAILS: Final = "{do} not work with your stream map"
_WORDS_OF_RULES: Final = {
    ("record.invalid", "required"): "{do} not have a column that the stream's schema requires",
    ("record.invalid", "type"): "{have} a value of a type that the stream's schema does not allow",
    ("field.type", "address book"): "{have} an address book that contacts cannot join",
    ("field.type", "opt-out"): "{have} an opt-out that is not yes, no or a date",
    ("field.type", "consent"): "{have} only a part of a consent record",
}
"""The same by code and rule, where the rule says more."""

_IDENTIFIERS: Final = {
    None: "e-mail address or other identifier",
    "email": "e-mail address",
    "mobileNumber": "mobile number",
    "contactId": "contact ID",
}
_ONE: Final = {"have": "has", "are": "is", "do": "does"}
_MANY: Final = {each: each for each in _ONE}


def reject_code(failure_code: str | None) -> str:
    """Return the reject code for one of Dotdigital's, as it spells it, first letter in lower case.

    Args:
        failure_code: Dotdigital's code; anything that does not look like one is not repeated.
    """
    if failure_code is None or not _SAFE_CODE.fullmatch(failure_code):
        return "dotdigital.unknown"
    return f"{_DOTDIGITAL}{failure_code[0].lower()}{failure_code[1:]}"


def reason_in_words(code: str, rule: str | None = None, rows: int = 1) -> str:
    """Return what a reject code says of rows, such as `have no valid e-mail address`.

    Args:
        code: The reject code.
        rule: What the rows break; of an identifier its name.
        rows: How many they are.
    """
    if code == "record.invalid" and rule is not None and rule.endswith("Error"):
        return _EXPRESSION_FAILS.format(**(_ONE if rows == 1 else _MANY))
    refused = "{are} refused by Dotdigital" if code.startswith(_DOTDIGITAL) else "{are} rejected"
    words = _WORDS_OF_RULES.get((code, rule or "")) or _WORDS.get(code.lower(), refused)
    identifier = _IDENTIFIERS.get(rule) or f"identifier {rule!r}"
    return words.format(identifier=identifier, **(_ONE if rows == 1 else _MANY))
