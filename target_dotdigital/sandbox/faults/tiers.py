"""The rate limit tier of every route.

Source: https://developer.dotdigital.com/docs/call-rate-limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_dotdigital.sandbox.faults.open_questions import Switches

LOW, MEDIUM, HIGH, UNLIMITED = "low", "medium", "high", "unlimited"

IMPORT_STATUS = "GET /contacts/v3/import/{}"

TIERS: Mapping[str, str] = {
    "GET /v2/account-info": HIGH,
    "GET /v2/server-time": HIGH,
    "GET /v2/address-books": LOW,
    "POST /v2/address-books": MEDIUM,
    "GET /v2/address-books/private": LOW,
    "GET /v2/address-books/public": LOW,
    "GET /v2/address-books/{}": HIGH,
    "PUT /v2/address-books/{}": MEDIUM,
    "DELETE /v2/address-books/{}": MEDIUM,
    "GET /v2/address-books/{}/contacts": LOW,
    "DELETE /v2/address-books/{}/contacts": LOW,
    "GET /v2/contacts/count": HIGH,
    "GET /v2/contacts/{}/address-books": LOW,
    "GET /v2/segments": LOW,
    "POST /v2/segments/refresh/{}": MEDIUM,
    "GET /v2/segments/refresh/{}": HIGH,
    "DELETE /v2/address-books/{}/contacts/{}": MEDIUM,
    "POST /v2/address-books/{}/contacts/delete": LOW,
    "POST /v2/address-books/{}/contacts/delete-all": LOW,
    "GET /v2/contacts/deletion/{}": HIGH,
    "GET /v2/data-fields": LOW,
    "POST /v2/data-fields": MEDIUM,
    "DELETE /v2/data-fields/{}": MEDIUM,
    "PUT /contacts/v3/import": LOW,
    IMPORT_STATUS: HIGH,  # or unlimited: a switch
    "GET /contacts/v3": LOW,
    "POST /contacts/v3": MEDIUM,
    "GET /contacts/v3/{}/{}": HIGH,
    "PUT /contacts/v3/{}/{}": MEDIUM,
    "PATCH /contacts/v3/{}/{}": MEDIUM,
    "DELETE /contacts/v3/{}/{}": MEDIUM,
    "POST /contacts/v3/delete": LOW,
    "GET /contacts/v3/delete/{}": HIGH,
}
"""The tier of every route. The text that is public names what a tier is for, and not the routes:
low is for imports and reads of much, medium writes one record, high reads one."""

DEFAULT_TIER = HIGH


def tier_of(route: str, switches: Switches) -> str:
    """Return the tier that a route counts in.

    Args:
        route: Its name.
        switches: What Dotdigital's documents leave open.
    """
    if route == IMPORT_STATUS:
        return switches.status_tier
    return TIERS.get(route, DEFAULT_TIER)
