"""What a contact has agreed to: marketing preferences, and the record of a consent.

Source: the vendor's OpenAPI file, contacts 3.4.3 (`preference`, `consentRecord`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from target_dotdigital.errors import RowRejectedError, UnfitError
from target_dotdigital.mapping.paths import ABSENT
from target_dotdigital.mapping.values import MAX_TEXT_UNITS, is_too_long, to_boolean, to_date

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_dotdigital.mapping.paths import Source

_URL = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\x00-\x1f\x7f/?#\\]+(?:[/?#][^\s\x00-\x1f\x7f]*)?"
)
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_IN_HOST = "!$%&'()*+,:;=@[]~"
_BEYOND_HOST = "!#$%&'()*+,/:;=?@~"


@dataclass(frozen=True, slots=True)
class Preferences:
    """Where a stream's records hold marketing preferences."""

    sources: tuple[tuple[int, Source], ...]
    """Preference IDs, each with the property that says whether the contact is opted in."""

    def read(self, record: Mapping[str, Any]) -> list[dict[str, int | bool]]:
        """Return the preferences to send; one that is null or absent is left out.

        Args:
            record: The record, after stream maps.

        Raises:
            RowRejectedError: A value does not clearly mean yes or no; code `field.type`.
        """
        found: list[dict[str, int | bool]] = []
        for preference, source in self.sources:
            value = source.read(record)
            if value is ABSENT or value is None:
                continue
            try:
                found.append({"id": preference, "isOptedIn": to_boolean(value)})
            except UnfitError as error:
                reason = f"property '{source.path}' for the preference {preference}: {error}"
                raise RowRejectedError(
                    "field.type", reason, property=source.path, rule="Boolean"
                ) from None
        return found


@dataclass(frozen=True, slots=True)
class Consent:
    """Where a stream's records hold the parts of a consent."""

    sources: Mapping[str, Source]
    """The property of each part, by the part's name in the settings; all five are there."""

    def read(self, record: Mapping[str, Any]) -> dict[str, str] | None:
        """Return the consent record to send.

        It is sent whole or not at all. A record whose parts are all null, absent or blank tells
        of no consent; one that has only some of them tells of a consent that nobody could prove.

        Args:
            record: The record, after stream maps.

        Returns:
            The record, or None if the row tells of no consent.

        Raises:
            RowRejectedError: Parts are missing or wrong; code `field.type`, or `field.too_long`
                if nothing else is wrong.
        """
        values = {part: source.read(record) for part, source in self.sources.items()}
        missing = [part for part, value in values.items() if _is_empty(value)]
        if len(missing) == len(values):
            return None
        found: dict[str, str] = {}
        wrong: list[str] = []
        too_long: list[str] = []
        for part, value in values.items():
            if part in missing:
                continue
            name, convert = _PARTS[part]
            try:
                found[name] = convert(value)
            except (UnfitError, ValueError):
                wrong.append(part)
                continue
            if is_too_long(found[name]):
                too_long.append(part)
        if missing or wrong or too_long:
            raise self._refusal(missing, wrong, too_long)
        return found

    def _refusal(
        self, missing: list[str], wrong: list[str], too_long: list[str]
    ) -> RowRejectedError:
        told = [
            *(f"property '{self.sources[part].path}' is empty" for part in missing),
            *(f"property '{self.sources[part].path}' is no {_WORDS[part]}" for part in wrong),
            *(
                f"property '{self.sources[part].path}' has over {MAX_TEXT_UNITS} characters"
                for part in too_long
            ),
        ]
        code = "field.type" if missing or wrong else "field.too_long"
        first = self.sources[[*missing, *wrong, *too_long][0]].path
        reason = f"the consent is not complete: {', '.join(told)}"
        return RowRejectedError(code, reason, property=first, rule="consent")


def _is_empty(value: object) -> bool:
    return value is ABSENT or value is None or (isinstance(value, str) and not value.strip())


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise UnfitError("a text is needed")
    return value


def _url(value: object) -> str:
    """Return a URL, with what RFC 3986 does not allow in one percent-encoded."""
    text = _text(value).strip()
    if not _URL.fullmatch(text) or not urlsplit(text).hostname:
        raise UnfitError("a URL is needed")
    text = _LONE_PERCENT.sub("%25", text)
    scheme, _, rest = text.partition("://")
    end = next((place for place, sign in enumerate(rest) if sign in "/?#"), len(rest))
    return f"{scheme}://{quote(rest[:end], safe=_IN_HOST)}{quote(rest[end:], safe=_BEYOND_HOST)}"


def _ip_address(value: object) -> str:
    """Return an IPv4 or IPv6 address as it is written; without a zone, which means one machine."""
    text = _text(value).strip()
    if "%" in text:
        raise UnfitError("an address without zone is needed")
    ip_address(text)
    return text


_PARTS: Mapping[str, tuple[str, Callable[[object], str]]] = {
    "text": ("text", _text),
    "url": ("url", _url),
    "date_time_consented": ("dateTimeConsented", to_date),
    "ip_address": ("ipAddress", _ip_address),
    "user_agent": ("userAgent", _text),
}
"""The settings' names of a consent's parts: Dotdigital's, and how a value becomes one."""

_WORDS = {
    "text": "text",
    "url": "URL",
    "date_time_consented": "ISO 8601 date that exists",
    "ip_address": "IP address",
    "user_agent": "text",
}
