"""The positions of the sandbox's switches, and a target that loads into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from target_dotdigital.sandbox import SandboxServer


LIST_ID = 42

DEFAULTS: tuple[str, ...] = ()
OTHERWISE = (
    "unknown-field=dropped",
    "field-case=exact",
    "wrong-type=dropped",
    "long-text=cut",
    "date-only=refused",
    "null-if-not-empty=clears",
    "bad-contact=contact",
    "unknown-list=written",
    "duplicates=last",
    "fresh-import=notFound",
    "failure-codes=PascalCase",
    "report-identifiers=lowerCase",
    "large-body=400",
    "unknown-preference=taken",
    "names=pascal",
    "created-field=empty",
    "created-list=200",
    "suppressed=refused",
    "two-owners=duplicate",
    "conflict-sum=invalidEntries",
    "unknown-contact-id=created",
    "invalid-consent=refused",
    "wrong-word=request",
    "word-case=exact",
    "empty-identifiers=request",
    "answered-words=camelCase",
    "unknown-list-filter=empty",
    "unknown-member=removed",
    "deleted-contact=204",
    "offset-times=refused",
    "no-content-type=refused",
    "reports-kept=hour",
)
FIELDS = {"FIRSTNAME": "first_name", "SINCE": "since", "SCORE": "score"}


def configured(server: SandboxServer, **settings: Any) -> dict[str, Any]:
    return {
        "username": "any",
        "password": "one",
        "api_url": server.url,
        "address_book": LIST_ID,
        "max_reject_percent": 100,
        "streams": {"people": {"fields": FIELDS}},
        **settings,
    }
