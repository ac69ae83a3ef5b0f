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
V2_IMPORT_STATUS = "GET /v2/contacts/import/{}"

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
    "POST /v2/address-books/{}/contacts": MEDIUM,
    "POST /v2/address-books/{}/contacts/unsubscribe": MEDIUM,
    "POST /v2/address-books/{}/contacts/resubscribe": MEDIUM,
    "POST /v2/address-books/{}/contacts/resubscribe-with-no-challenge": MEDIUM,
    "GET /v2/address-books/{}/contacts/modified-since/{}": LOW,
    "GET /v2/address-books/{}/contacts/unsubscribed-since/{}": LOW,
    "GET /v2/contacts": LOW,
    "POST /v2/contacts": MEDIUM,
    "POST /v2/contacts/with-consent": MEDIUM,
    "POST /v2/contacts/with-consent-and-preferences": MEDIUM,
    "GET /v2/contacts/{}": HIGH,
    "PUT /v2/contacts/{}": MEDIUM,
    "DELETE /v2/contacts/{}": MEDIUM,
    "GET /v2/contacts/{}/with-consent": HIGH,
    "PUT /v2/contacts/{}/with-consent": MEDIUM,
    "PUT /v2/contacts/{}/with-consent-and-preferences": MEDIUM,
    "POST /v2/contacts/unsubscribe": MEDIUM,
    "PUT /v2/contacts/suppress-contacts": LOW,
    "POST /v2/contacts/resubscribe": MEDIUM,
    "POST /v2/contacts/resubscribe-with-no-challenge": MEDIUM,
    "GET /v2/contacts/created-since/{}": LOW,
    "GET /v2/contacts/modified-since/{}": LOW,
    "GET /v2/contacts/unsubscribed-since/{}": LOW,
    "GET /v2/contacts/suppressed-since/{}": LOW,
    "GET /v2/contacts/deletion/{}": HIGH,
    "POST /v2/address-books/{}/contacts/import": LOW,
    "POST /v2/address-books/{}/contacts/import/with-merge-option/{}": LOW,
    "POST /v2/contacts/import": LOW,
    "POST /v2/contacts/import/with-merge-option/{}": LOW,
    "POST /v2/contacts/import-collection": LOW,
    V2_IMPORT_STATUS: HIGH,  # or unlimited: a switch
    "GET /v2/contacts/import/{}/report": HIGH,
    "GET /v2/contacts/import/{}/report-faults": LOW,
    "GET /v2/data-fields": LOW,
    "POST /v2/data-fields": MEDIUM,
    "DELETE /v2/data-fields/{}": MEDIUM,
    "GET /v2/preferences": LOW,
    "POST /v2/preferences": MEDIUM,
    "PUT /v2/preferences/{}": MEDIUM,
    "DELETE /v2/preferences/{}": MEDIUM,
    "GET /v2/contacts/{}/preferences": HIGH,
    "PUT /v2/contacts/{}/preferences": MEDIUM,
    "GET /v2/contact/{}/preferences": HIGH,
    "PUT /v2/contact/{}/preferences": MEDIUM,
    "GET /configuration/v3/customIdentifiers": HIGH,
    "POST /configuration/v3/customIdentifiers": MEDIUM,
    "DELETE /configuration/v3/customIdentifiers/{}": MEDIUM,
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
    "PUT /insightData/v3/import": LOW,
    "GET /insightData/v3/import/{}": HIGH,
    "GET /insightData/v3/async/{}": HIGH,
    "GET /insightData/v3/collections": LOW,
    "POST /insightData/v3/collections/{}": MEDIUM,
    "DELETE /insightData/v3/collections/{}": LOW,
    "DELETE /insightData/v3/collections/{}/empty": LOW,
    "GET /insightData/v3/collections/{}/schema": HIGH,
    "GET /insightData/v3/account": LOW,
    "GET /insightData/v3/account/{}": LOW,
    "GET /insightData/v3/account/{}/{}": HIGH,
    "PUT /insightData/v3/account/{}/{}": MEDIUM,
    "DELETE /insightData/v3/account/{}/{}": MEDIUM,
    "DELETE /insightData/v3/accounts/{}/deleteRecords": LOW,
    "GET /insightData/v3/contacts/{}": LOW,
    "GET /insightData/v3/contacts/{}/{}": LOW,
    "GET /insightData/v3/contacts/{}/{}/{}": LOW,
    "GET /insightData/v3/contacts/{}/{}/{}/{}": HIGH,
    "PUT /insightData/v3/contacts/{}/{}/{}/{}": MEDIUM,
    "DELETE /insightData/v3/contacts/{}/{}/{}/{}": MEDIUM,
    "DELETE /insightData/v3/contacts/{}/{}/{}/deleteRecords": LOW,
    "DELETE /insightData/v3/contacts/{}/{}/{}/empty": LOW,
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
    if route in {IMPORT_STATUS, V2_IMPORT_STATUS}:
        return switches.status_tier
    return TIERS.get(route, DEFAULT_TIER)
