"""Identifiers: how they are written, compared and refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONTACT_ID = "contactId"
EMAIL = "email"
MOBILE_NUMBER = "mobileNumber"
BUILT_IN = {name.lower(): name for name in (CONTACT_ID, EMAIL, MOBILE_NUMBER)}

IDENTIFIER_NAME = re.compile(r"[-A-Za-z0-9_]{1,50}")

LARGEST_CONTACT_ID = 2**63 - 1
MAXIMUM_VALUE_CHARACTERS = 256
MAXIMUM_LOCAL_PART_CHARACTERS = 64

_ATOM = r"""[^\s@"(),:;<>\[\\\].\x00-\x1f\x7f]+"""
_LABEL = r"[^\W_](?:(?:[^\W_]|-)*[^\W_])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?!\d+\Z){_LABEL}")
_E164 = re.compile(r"\+?([1-9][0-9]{6,14})")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")


class Failure(msgspec.Struct, frozen=True, rename="camel"):
    """Why a contact was not imported.

    Attributes:
        failure_code: The vendor's code in camel case, as its specification writes it.
        description: A sentence; it may quote an identifier.
    """

    failure_code: str
    description: str


class Identifiers(msgspec.Struct, frozen=True):
    """Identifiers in the form in which they are stored and compared."""

    contact_id: int | None = None
    email: str | None = None
    mobile_number: str | None = None
    custom: Mapping[str, str] = {}

    def get(self, name: str) -> int | str | None:
        """Return the identifier of that name."""
        if name == CONTACT_ID:
            return self.contact_id
        if name == EMAIL:
            return self.email
        if name == MOBILE_NUMBER:
            return self.mobile_number
        return self.custom.get(name)

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield the identifiers that are texts, with their names."""
        if self.email is not None:
            yield EMAIL, self.email
        if self.mobile_number is not None:
            yield MOBILE_NUMBER, self.mobile_number
        yield from self.custom.items()


def normalise_email(value: str) -> str | None:
    """Return the address trimmed and in lower case, or nothing if it is none."""
    email = value.strip().lower()
    local_part = email.partition("@")[0]
    if len(email) > MAXIMUM_VALUE_CHARACTERS or len(local_part) > MAXIMUM_LOCAL_PART_CHARACTERS:
        return None
    return email if _ADDRESS.fullmatch(email) else None


def normalise_mobile_number(value: str) -> str | None:
    """Return the digits of an E.164 number, with or without its plus sign."""
    match = _E164.fullmatch(value.strip())
    return match[1] if match else None


def normalise_identifiers(sent: Mapping[str, int | str]) -> tuple[Identifiers, list[Failure]]:
    """Normalise all identifiers of a contact.

    Args:
        sent: Identifiers by name, as in the request.

    Returns:
        Those that are good, and a failure for each that is not.
    """
    failures: list[Failure] = []
    custom: dict[str, str] = {}
    contact_id: int | None = None
    email: str | None = None
    mobile_number: str | None = None
    for name, value in sent.items():
        if name == CONTACT_ID:
            if isinstance(value, int) and 0 <= value <= LARGEST_CONTACT_ID:
                contact_id = value
            else:
                failures.append(_invalid("invalidContactId", name))
        elif name == EMAIL:
            email = normalise_email(str(value))
            if email is None:
                failures.append(_invalid("invalidEmail", name))
        elif name == MOBILE_NUMBER:
            mobile_number = normalise_mobile_number(str(value))
            if mobile_number is None:
                failures.append(_invalid("invalidPhoneNumber", name))
        elif name.lower() in BUILT_IN:
            failures.append(_invalid("invalidMatchIdentifier", name))
        elif is_custom_value(str(value)):
            custom[name] = str(value)
        else:
            failures.append(_invalid("apiSchemaViolation", name))
    return Identifiers(contact_id, email, mobile_number, custom), failures


def is_custom_value(value: str) -> bool:
    """Tell whether a custom identifier may have the value."""
    return 0 < len(value) <= MAXIMUM_VALUE_CHARACTERS and not _CONTROL_CHARACTER.search(value)


def _invalid(code: str, name: str) -> Failure:
    return Failure(code, f"Invalid value for '{name}'")
