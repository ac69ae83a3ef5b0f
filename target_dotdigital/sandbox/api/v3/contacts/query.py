"""What `GET /contacts/v3` can be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.sandbox.api.v3.contacts.markers import FIRST, read_marker
from target_dotdigital.sandbox.api.v3.contacts.replies import (
    DEFAULT_PAGE_CONTACTS,
    INCLUDABLE,
    MAXIMUM_PAGE_CONTACTS,
    Query,
)
from target_dotdigital.sandbox.api.v3.since import read_since
from target_dotdigital.sandbox.http import v3_refusal, whole_number

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.http import RefusalError

LIST, SEGMENT, CREATED, MODIFIED = "~listId", "~segmentId", "~created", "~modified"
FILTERS = frozenset({LIST, SEGMENT, CREATED, MODIFIED})
EXCLUSIVE = ((LIST, SEGMENT), (CREATED, MODIFIED))
"""Filters that the vendor does not take together."""


def read_query(parameters: QueryParams, switches: Switches) -> Query:
    """Read the parameters.

    Args:
        parameters: Those of the query.
        switches: Whether a time may have an offset.

    Raises:
        RefusalError: 400, one of them is none, or two exclude each other.
    """
    _check_filters(parameters)
    include = _names(parameters, "include")
    limit = _limit(parameters.get("limit"))
    if not INCLUDABLE.issuperset(include):
        raise v3_refusal("contacts:badRequest", "include has an unknown name")
    marker = parameters.get("marker")
    return Query(
        list_id=_number(parameters.get(LIST)),
        segment_id=_number(parameters.get(SEGMENT)),
        created_since=_since(parameters.get(CREATED), switches),
        modified_since=_since(parameters.get(MODIFIED), switches),
        marker=read_marker(marker) if marker else FIRST,
        limit=limit,
        data_fields=_names(parameters, "data-fields"),
        include=include,
    )


def _check_filters(parameters: QueryParams) -> None:
    for name in parameters:
        # Leaving a filter out would answer contacts that were not asked for.
        if name.startswith("~") and name not in FILTERS:
            raise v3_refusal("contacts:invalidFilter", f"There is no filter '{name}'")
    for one, other in EXCLUSIVE:
        if one in parameters and other in parameters:
            raise v3_refusal(
                "contacts:invalidFilter", f"The filters '{one}' and '{other}' exclude each other"
            )


def _limit(value: str | None) -> int:
    try:
        return whole_number(
            value, default=DEFAULT_PAGE_CONTACTS, least=1, most=MAXIMUM_PAGE_CONTACTS
        )
    except ValueError:
        raise v3_refusal(
            "contacts:badRequest", f"limit is a number from 1 to {MAXIMUM_PAGE_CONTACTS}"
        ) from None


def _number(value: str | None) -> int | None:
    try:
        return None if value is None else whole_number(value, least=1)
    except ValueError:
        raise _invalid(value) from None


def _since(value: str | None, switches: Switches) -> str:
    if value is None:
        return ""
    since = read_since(value, switches)
    if since is None:
        raise _invalid(value)
    return since


def _invalid(value: str | None) -> RefusalError:
    return v3_refusal("contacts:invalidFilter", f"The filter value '{value}' is invalid")


def _names(parameters: QueryParams, name: str) -> list[str]:
    joined = "|".join(parameters.getlist(name))
    return [one for one in joined.split("|") if one]
