"""Identifiers in their normal form, and what the test account finds wrong with a contact."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

# A plain or quoted local part, and a domain with a dot, in any script.
EMAIL = re.compile(
    r"""\s*("[^"]+"|[^\s@"<>()\[\],;:\\]+)@[^\s@<>()\[\],;:.]+(\.[^\s@<>()\[\],;:.]+)+\s*"""
)
ANY_TEXT = re.compile(r".+", re.DOTALL)
MOBILE_NUMBER = re.compile(r"\+?[1-9]\d{6,14}")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)")
MAX_TEXT = 1_000
MAX_WHOLE_DIGITS = 18
STATUSES = frozenset({"subscribed", "unsubscribed", "suppressed"})
MAX_IDENTIFIER = 256


class Key(NamedTuple):
    """A normalised identifier."""

    identifier: str
    value: str


def key_of(identifier: str, value: object) -> Key:
    text = str(value).strip()
    if identifier == "email":
        text = text.lower()
    elif identifier == "mobileNumber":
        text = text.removeprefix("+")
    return Key(identifier, text)


def match_key(contact: Mapping[str, Any]) -> Key:
    identifier = contact["matchIdentifier"]
    return key_of(identifier, contact["identifiers"].get(identifier, ""))


def value_problem(
    contact: Mapping[str, Any],
    *,
    data_fields: Mapping[str, str],
    address_books: Collection[int],
    custom_identifiers: Collection[str],
    unknown_fields: Literal["fail", "drop"],
) -> str | None:
    """Return the failure code of a contact whose shape is right but whose values are not."""
    code = _identifier_problem(contact, custom_identifiers)
    if code is not None:
        return code
    if not set(contact.get("lists", ())) <= set(address_books):
        return "InvalidAddressBookIds"
    status = contact.get("channelProperties", {}).get("email", {}).get("status", "subscribed")
    if status not in STATUSES:
        return "InvalidContactStatus"
    types = {name.upper(): kind for name, kind in data_fields.items()}
    for name, value in contact.get("dataFields", {}).items():
        kind = types.get(name.upper())
        if kind is None and unknown_fields == "fail":
            return "ApiSchemaViolation"
        if kind is not None and value is not None and not _fits(value, kind):
            return "ApiSchemaViolation"
    return None


def _identifier_problem(
    contact: Mapping[str, Any], custom_identifiers: Collection[str]
) -> str | None:
    identifiers = contact["identifiers"]
    match_identifier = contact["matchIdentifier"]
    known = {"contactId", "email", "mobileNumber", *custom_identifiers}
    if match_identifier not in known or not known.issuperset(identifiers):
        return "InvalidMatchIdentifier"
    if identifiers.get(match_identifier) in (None, ""):
        return "NoValidIdentifiers"
    problems = (identifier_fault(*each) for each in identifiers.items())
    return next((problem for problem in problems if problem is not None), None)


def identifier_fault(identifier: str, value: object) -> str | None:
    """Return the failure code of a value that can be nobody's."""
    if identifier == "contactId":
        return None if type(value) is int and value >= 0 else "InvalidContactId"
    codes = {"email": "InvalidEmail", "mobileNumber": "InvalidPhoneNumber"}
    patterns = {"email": EMAIL, "mobileNumber": MOBILE_NUMBER}
    pattern = patterns.get(identifier, ANY_TEXT)
    if isinstance(value, str) and len(value) <= MAX_IDENTIFIER and pattern.fullmatch(value):
        return None
    return codes.get(identifier, "InvalidContact")


def _fits(value: object, kind: str) -> bool:
    """Whether a JSON value is one of the data field's type, read strictly."""
    if kind == "Boolean":
        return isinstance(value, bool)
    if kind == "Numeric":
        return (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and math.isfinite(value)
            and abs(value) < 10**MAX_WHOLE_DIGITS
        )
    if not isinstance(value, str):
        return False
    return len(value) <= MAX_TEXT if kind == "String" else _is_date(value)


def _is_date(text: str) -> bool:
    if not DATE.fullmatch(text):
        return False
    try:
        # Python 3.10 reads neither a Z nor seven decimals.
        datetime.fromisoformat(text[:19])
    except ValueError:
        return False
    return True
