"""The keys of a consent in JSON of v2, which has it as pairs of key and value."""

from __future__ import annotations

_PARTS = {
    "text": "text",
    "datetimeconsented": "date_time_consented",
    "datetime": "date_time_consented",
    "url": "url",
    "ipaddress": "ip_address",
    "ip": "ip_address",
    "useragent": "user_agent",
}
"""One example of the vendor's has `DATETIMECONSENTED`, and another, like the columns of an import,
`consentdatetime`."""

CONSENT_PARTS = frozenset(_PARTS.values())


def consent_part(key: str) -> str | None:
    """Return the part of a consent that a key names, in any case, if it names one."""
    return _PARTS.get(key.lower().removeprefix("consent"))
