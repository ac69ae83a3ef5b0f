"""The routes that each switch concerns, by their names with `*` for any text.

Nothing in the sandbox reads it: it is for people, and for the table of routes in the documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EVERY_ROUTE = ("*",)
V2_ROUTES = ("* /v2/*",)
ROUTES_WITH_A_BODY = ("POST *", "PUT *", "PATCH *")

_IMPORT = ("PUT /contacts/v3/import",)
_IMPORT_STATUS = ("GET /contacts/v3/import/{}",)
_V2_IMPORT = ("POST /v2/*contacts/import*",)
_WRITE = (*_IMPORT, "POST /contacts/v3", "P* /contacts/v3/{}/{}")
_CONTACT_LIST = ("GET /contacts/v3",)
_RECORD_LISTS = (
    "GET /insightData/v3/account/{}",
    "GET /insightData/v3/contacts/{}",
    "GET /insightData/v3/contacts/{}/{}/{}",
)
_CONTACT_ANSWER = (*_CONTACT_LIST, "GET /contacts/v3/{}/{}", *_WRITE[1:])

SWITCHED_ROUTES: Mapping[str, tuple[str, ...]] = {
    "unknown_field": (*_WRITE, "POST /v2/contacts/import-collection"),
    "field_case": _WRITE,
    "wrong_type": (*_WRITE, *_V2_IMPORT),
    "long_text": (*_WRITE, *_V2_IMPORT),
    "date_only": _WRITE,
    "null_if_not_empty": _WRITE,
    "bad_contact": _IMPORT,
    "unknown_list": _WRITE,
    "duplicates": (*_IMPORT, *_V2_IMPORT),
    "fresh_import": _IMPORT_STATUS,
    "failure_codes": _IMPORT_STATUS,
    "report_identifiers": _IMPORT_STATUS,
    "report_lists": _IMPORT_STATUS,
    "large_body": ROUTES_WITH_A_BODY,
    "reset_header": EVERY_ROUTE,
    "limit_body": EVERY_ROUTE,
    "status_tier": (*_IMPORT_STATUS, "GET /v2/contacts/import/{}"),
    "names": V2_ROUTES,
    "created_list": ("POST /v2/address-books",),
    "created_field": ("POST /v2/data-fields",),
    "suppressed": _WRITE,
    "create_conflict": ("POST /contacts/v3", "P* /contacts/v3/{}/{}"),
    "two_owners": _IMPORT,
    "conflict_sum": _IMPORT_STATUS,
    "unknown_contact_id": _WRITE,
    "invalid_consent": _WRITE,
    "wrong_word": _IMPORT,
    "word_case": _WRITE,
    "answered_words": _CONTACT_ANSWER,
    "empty_identifiers": _IMPORT,
    "unknown_preference": (
        *_WRITE,
        "P* /v2/contacts*with-consent-and-preferences",
        "PUT /v2/contact*/preferences",
    ),
    "unknown_list_filter": _CONTACT_LIST,
    "unknown_member": ("DELETE /v2/address-books/{}/contacts/{}",),
    "deleted_contact": ("DELETE /contacts/v3/{}/{}",),
    "offset_times": (*_CONTACT_LIST, *_RECORD_LISTS),
    "no_content_type": ROUTES_WITH_A_BODY,
    "byte_order_mark": ROUTES_WITH_A_BODY,
    "gzip": ROUTES_WITH_A_BODY,
    "import_slots": (*_IMPORT, *_V2_IMPORT),
    "file_limit": ("POST /v2/*contacts/import", "POST /v2/*contacts/import/*"),
    "reports_kept": _IMPORT_STATUS,
    "insight_status": ("GET /insightData/v3/import/{}", "GET /insightData/v3/async/{}"),
    "insight_collection": ("PUT /insightData/v3/account/{}/{}", "PUT /insightData/v3/contacts/*"),
    "used_identifier": ("DELETE /configuration/v3/customIdentifiers/{}",),
}
"""By the name of the switch."""
