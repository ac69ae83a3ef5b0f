"""What the calls about records of insight data take."""

from __future__ import annotations

import base64
import binascii
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from target_dotdigital.sandbox.api.v3.since import read_since
from target_dotdigital.sandbox.http import (
    Detail,
    decode_v3,
    v3_refusal,
    whole_number,
)
from target_dotdigital.sandbox.insight_data import (
    SERVICE,
    RecordQuery,
    is_key,
    json_problem,
    read_json,
)

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from target_dotdigital.sandbox.faults import Switches
    from target_dotdigital.sandbox.insight_data import Problem

LARGEST_LIMIT = 5_000
MAXIMUM_PAGE_RECORDS = 1_000
"""A page has no more by the vendor's schema, although its parameter allows for 5,000."""

LARGEST_MARKER = 2**63 - 1


class Keys(msgspec.Struct, frozen=True):
    """The body of a call that deletes some records."""

    keys: Annotated[list[str], msgspec.Meta(max_length=5_000)]


_ANYTHING: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
_KEYS = msgspec.json.Decoder(Keys)


def read_record(body: bytes) -> dict[str, Any]:
    """Read a record that is sent alone: an object, or a text that holds one.

    Raises:
        RefusalError: 400, it is no JSON, or none that a record may hold.
    """
    content: dict[str, Any] = read_json(decode_v3(_ANYTHING, body, service=SERVICE))
    problem = json_problem(content)
    if problem is not None:
        refuse(problem)
    return content


def refuse(problem: Problem) -> None:
    """Refuse a record that is sent alone.

    Raises:
        RefusalError: 400.
    """
    detail = Detail(item=problem.place, description=problem.reason)
    raise v3_refusal(f"{SERVICE}:badRequest", "Invalid Insight data record", detail)


def read_keys(body: bytes) -> list[str]:
    """Read the keys of the records that are to be deleted.

    Raises:
        RefusalError: 400, it is something else, or not 1 to 5,000 of them.
    """
    keys = decode_v3(_KEYS, body, service=SERVICE).keys
    if not keys:
        raise v3_refusal(
            f"{SERVICE}:noRecordsSpecified", "There are no keys of records to be deleted"
        )
    return keys


def read_key(key: str) -> str:
    """Read the key that a path names.

    Raises:
        RefusalError: 400, no record could have it.
    """
    if not is_key(key):
        raise v3_refusal(f"{SERVICE}:invalidId", "The recordId is invalid")
    return key


def read_page(parameters: QueryParams, switches: Switches) -> RecordQuery:
    """Read which records are asked for.

    Args:
        parameters: Those of the query.
        switches: Whether a time may have an offset.

    Raises:
        RefusalError: 400, one of the parameters is none.
    """
    try:
        limit = whole_number(
            parameters.get("limit"), default=MAXIMUM_PAGE_RECORDS, least=1, most=LARGEST_LIMIT
        )
    except ValueError:
        raise v3_refusal(
            f"{SERVICE}:badRequest", f"limit is a number from 1 to {LARGEST_LIMIT}"
        ) from None
    return RecordQuery(
        _since(parameters.get("~modified"), switches),
        _after(parameters.get("marker")),
        min(limit, MAXIMUM_PAGE_RECORDS),
    )


def marker_after(record: int) -> str:
    """Return the marker of the page that begins after a record; 0 is the first page."""
    return base64.urlsafe_b64encode(str(record).encode()).decode()


def _after(marker: str | None) -> int:
    if not marker:
        return 0
    try:
        after = int(base64.urlsafe_b64decode(marker))
    except (binascii.Error, ValueError):
        after = -1
    if not 0 <= after <= LARGEST_MARKER:
        raise v3_refusal(f"{SERVICE}:invalidMarker", "The marker is invalid")
    return after


def _since(value: str | None, switches: Switches) -> str:
    if value is None:
        return ""
    since = read_since(value, switches)
    if since is None:
        raise v3_refusal(f"{SERVICE}:invalidFilter", f"The filter value '{value}' is invalid")
    return since
