"""The HTTP statuses that each route answers.

Not among them are those that every route has: 401, 413, 429, and what a fault answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUSES: Mapping[str, tuple[int, ...]] = {
    "GET /v2/account-info": (200,),
    "GET /v2/server-time": (200,),
    "GET /v2/address-books": (200, 400),
    "POST /v2/address-books": (200, 400),
    "GET /v2/address-books/{}": (200, 400, 404),
    "PUT /v2/address-books/{}": (200, 400, 404),
    "DELETE /v2/address-books/{}": (204, 400, 404),
    "GET /v2/address-books/{}/contacts": (200, 400, 404),
    "DELETE /v2/address-books/{}/contacts/{}": (204, 400, 404),
    "POST /v2/address-books/{}/contacts/delete": (202, 400, 404),
    "POST /v2/address-books/{}/contacts/delete-all": (202, 400, 404),
    "GET /v2/contacts/deletion/{}": (200, 400, 404),
    "POST /v2/contacts/import": (202, 400),
    "POST /v2/contacts/import/with-merge-option/{}": (202, 400),
    "POST /v2/contacts/import-collection": (202, 400, 404),
    "POST /v2/address-books/{}/contacts/import": (202, 400, 404),
    "POST /v2/address-books/{}/contacts/import/with-merge-option/{}": (202, 400, 404),
    "GET /v2/contacts/import/{}": (200, 400, 404),
    "GET /v2/contacts/import/{}/report": (200, 400, 404),
    "GET /v2/contacts/import/{}/report-faults": (200, 400, 404),
    "GET /v2/data-fields": (200,),
    "POST /v2/data-fields": (201, 400),
    "DELETE /v2/data-fields/{}": (200, 400, 404),
    "PUT /contacts/v3/import": (202, 400),
    "GET /contacts/v3/import/{}": (200, 400, 404),
    "GET /contacts/v3": (200, 400),
    "POST /contacts/v3": (201, 400, 409),
    "GET /contacts/v3/{}/{}": (200, 400, 404),
    "PUT /contacts/v3/{}/{}": (200, 400, 404, 409),
    "PATCH /contacts/v3/{}/{}": (200, 201, 400, 404, 409),
    "DELETE /contacts/v3/{}/{}": (200, 400, 404),
    "POST /contacts/v3/delete": (202, 400),
    "GET /contacts/v3/delete/{}": (200, 400, 404),
}
"""The statuses by the route's name, as in `faults.tiers`."""
