"""Consent: a contact's marketing preferences, and the record of a consent.

Source: the vendor's OpenAPI file, contacts 3.4.3 (`preference`, `consentRecord`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from target_dotdigital.errors import RowRejectedError, UnfitError
from target_dotdigital.mapping.contacts import MAX_TEXT_UNITS
from target_dotdigital.mapping.values.field_values import is_too_long, to_boolean, to_date
from target_dotdigital.mapping.values.property_path import ABSENT, is_empty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_dotdigital.mapping.values.property_path import PropertyPath

_URL = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\x00-\x1f\x7f/?#\\]+(?:[/?#][^\s\x00-\x1f\x7f]*)?"
)
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_IN_HOST = "!$%&'()*+,:;=@[]~"
_BEYOND_HOST = "!#$%&'()*+,/:;=?@~"


def preference_reader(preference: int, path: str) -> Callable[[object], bool]:
    """Return the function that reads a property's value as a preference.

    Args:
        preference: The preference's ID.
        path: The property that is mapped to it.

    Returns:
        A function of a value that is not None. It raises `RowRejectedError` with the code
        `field.type`.
    """

    def read(value: object) -> bool:
        try:
            return to_boolean(value)
        except UnfitError as error:
            reason = f"Property '{path}' {error}, for preference {preference}"
            raise RowRejectedError("field.type", reason, property=path, rule="Boolean") from None

    return read


@dataclass(frozen=True, slots=True)
class Preferences:
    """The properties that hold a contact's marketing preferences."""

    paths: Mapping[int, PropertyPath]
    """By preference ID, the property that says whether the contact is opted in."""

    def read(self, record: Mapping[str, Any]) -> list[dict[str, int | bool]]:
        """Return the preferences to send; one that is null or absent is left out.

        Args:
            record: The record, after stream maps.

        Raises:
            RowRejectedError: A value does not clearly mean yes or no; code `field.type`.
        """
        found: list[dict[str, int | bool]] = []
        for preference, path in self.paths.items():
            value = path.read(record)
            if value is not ABSENT and value is not None:
                is_opted_in = preference_reader(preference, path.name)(value)
                found.append({"id": preference, "isOptedIn": is_opted_in})
        return found


@dataclass(frozen=True, slots=True)
class Consent:
    """The properties that hold the parts of a consent record."""

    paths: Mapping[str, PropertyPath]
    """The property of each part, by the part's name in the settings; all five are there."""

    def read(self, record: Mapping[str, Any]) -> dict[str, str] | None:
        """Return the consent record to send, which is whole.

        If all parts are null, absent or blank, there is no consent. If only some are, nobody could
        prove the consent, and the row is rejected.

        Args:
            record: The record, after stream maps.

        Returns:
            The consent record; None if there is no consent.

        Raises:
            RowRejectedError: Parts are missing or wrong; code `field.type`, or `field.too_long`
                if nothing else is wrong.
        """
        found: dict[str, str] = {}
        empty: list[_Fault] = []
        wrong: list[_Fault] = []
        too_long: list[_Fault] = []
        for name, path in self.paths.items():
            part, value = CONSENT_PARTS[name], path.read(record)
            if is_empty(value):
                empty.append(_Fault(path.name, "is empty"))
                continue
            try:
                text = found[part.name] = part.convert(value)
            except (UnfitError, ValueError):
                wrong.append(_Fault(path.name, f"is not {part.kind}"))
                continue
            if is_too_long(text):
                too_long.append(_Fault(path.name, f"has over {MAX_TEXT_UNITS} characters"))
        if len(empty) == len(self.paths):
            return None
        if faults := [*empty, *wrong, *too_long]:
            raise _rejected("field.type" if empty or wrong else "field.too_long", faults)
        return found


class _Fault(NamedTuple):
    """What is wrong with a property that holds a part of a consent record."""

    property: str
    text: str


def _rejected(code: str, faults: Sequence[_Fault]) -> RowRejectedError:
    texts = ", ".join(f"property '{each.property}' {each.text}" for each in faults)
    reason = f"The consent is not complete: {texts}"
    return RowRejectedError(code, reason, property=faults[0].property, rule="consent")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise UnfitError("must be a text")
    return value


def _url(value: object) -> str:
    """Return a URL, with what RFC 3986 does not allow in one percent-encoded."""
    text = _text(value).strip()
    if not _URL.fullmatch(text) or not urlsplit(text).hostname:
        raise UnfitError("must be a URL")
    text = _LONE_PERCENT.sub("%25", text)
    scheme, _, rest = text.partition("://")
    end = next((place for place, sign in enumerate(rest) if sign in "/?#"), len(rest))
    return f"{scheme}://{quote(rest[:end], safe=_IN_HOST)}{quote(rest[end:], safe=_BEYOND_HOST)}"


def _ip_address(value: object) -> str:
    """Return an IPv4 or IPv6 address as it is written; without a zone, which means one machine."""
    text = _text(value).strip()
    if "%" in text:
        raise UnfitError("must be an address without a zone")
    ip_address(text)
    return text


class ConsentPart(NamedTuple):
    """A part of a consent record."""

    name: str
    """Dotdigital's name of it."""
    kind: str
    """What a value has to be."""
    convert: Callable[[object], str]
    """Returns what is sent for a value; raises `UnfitError` or `ValueError`."""


CONSENT_PARTS: Mapping[str, ConsentPart] = {
    "text": ConsentPart("text", "a text", _text),
    "url": ConsentPart("url", "a URL", _url),
    "date_time_consented": ConsentPart(
        "dateTimeConsented", "an ISO 8601 date that exists", to_date
    ),
    "ip_address": ConsentPart("ipAddress", "an IP address", _ip_address),
    "user_agent": ConsentPart("userAgent", "a text", _text),
}
"""The parts of a consent record, by their names in the settings."""
