"""What `GET /contacts/v3` can be asked for."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from target_dotdigital.sandbox.account import contacts
from target_dotdigital.sandbox.api.calls import whole_number
from target_dotdigital.sandbox.errors import v3_refusal

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from target_dotdigital.sandbox.errors import RefusalError

LIST, SEGMENT, CREATED, MODIFIED = "~listId", "~segmentId", "~created", "~modified"
FILTERS = frozenset({LIST, SEGMENT, CREATED, MODIFIED})
EXCLUSIVE = ((LIST, SEGMENT), (CREATED, MODIFIED))
"""Filters that the vendor does not take together."""

_SINCE = re.compile(r"gte::(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d{3})?Z", re.ASCII)


def read_query(parameters: QueryParams) -> contacts.Query:
    """Read the parameters.

    Raises:
        RefusalError: 400, one of them is none, or two exclude each other.
    """
    for name in parameters:
        # Leaving a filter out would answer contacts that were not asked for.
        if name.startswith("~") and name not in FILTERS:
            raise v3_refusal("contacts:invalidFilter", f"There is no filter '{name}'")
    for one, other in EXCLUSIVE:
        if one in parameters and other in parameters:
            raise v3_refusal(
                "contacts:invalidFilter", f"The filters '{one}' and '{other}' exclude each other"
            )
    if SEGMENT in parameters:
        # The sandbox has no segments, so this is never the ID of one.
        raise _invalid(parameters[SEGMENT])
    try:
        limit = whole_number(
            parameters.get("limit"),
            default=contacts.DEFAULT_PAGE_CONTACTS,
            least=1,
            most=contacts.MAXIMUM_PAGE_CONTACTS,
        )
    except ValueError:
        raise v3_refusal(
            "contacts:badRequest", f"limit is a number from 1 to {contacts.MAXIMUM_PAGE_CONTACTS}"
        ) from None
    include = _names(parameters, "include")
    if not contacts.INCLUDABLE.issuperset(include):
        raise v3_refusal("contacts:badRequest", "include has an unknown name")
    marker = parameters.get("marker")
    return contacts.Query(
        list_id=_list_id(parameters.get(LIST)),
        created_since=_since(parameters.get(CREATED)),
        modified_since=_since(parameters.get(MODIFIED)),
        after=contacts.read_marker(marker) if marker else 0,
        limit=limit,
        data_fields=_names(parameters, "data-fields"),
        include=include,
    )


def _list_id(value: str | None) -> int | None:
    try:
        return None if value is None else whole_number(value, default=0, least=1)
    except ValueError:
        raise _invalid(value) from None


def _since(value: str | None) -> str:
    if value is None:
        return ""
    match = _SINCE.fullmatch(value)
    if match is None:
        raise _invalid(value)
    try:
        datetime.fromisoformat(match[1])
    except ValueError:
        raise _invalid(value) from None
    # Times are compared as texts, so this one is written as the stored ones are.
    return f"{match[1]}{match[2] or '.000'}Z"


def _invalid(value: str | None) -> RefusalError:
    return v3_refusal("contacts:invalidFilter", f"The filter value '{value}' is invalid")


def _names(parameters: QueryParams, name: str) -> list[str]:
    joined = "|".join(parameters.getlist(name))
    return [one for one in joined.split("|") if one]
