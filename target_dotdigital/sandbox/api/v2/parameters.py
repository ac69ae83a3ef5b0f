"""The parameters of v2: IDs in paths, and pages; the names of the latter in any case.

Clients of v2 write `Select` and `Skip` as well as `select` and `skip`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.sandbox.account import read_time
from target_dotdigital.sandbox.http import v2_refusal, whole_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.datastructures import QueryParams
    from starlette.requests import Request


def path_id(request: Request, name: str = "id") -> int:
    """Read the ID that a path names.

    Raises:
        RefusalError: 400, it is none.
    """
    try:
        return whole_number(request.path_params[name])
    except ValueError:
        raise v2_refusal("ERROR_PARAMETER_INVALID", "The ID is no number of 32 bits.") from None


def _in_lower_case(parameters: QueryParams) -> dict[str, str]:
    return {name.lower(): value for name, value in parameters.items()}


def read_page(
    parameters: QueryParams, most: int, names: Sequence[str] = ("select",)
) -> tuple[int, int]:
    """Read `select` and `skip`: how many entries are asked for, and how many are left out before.

    Args:
        parameters: Those of the query.
        most: As many entries as a page may have.
        names: What `select` is called; the first that was sent counts.

    Raises:
        ValueError: One of them is none.
    """
    given = _in_lower_case(parameters)
    sent = next((given[name] for name in names if name in given), None)
    select = whole_number(sent, default=most, least=1, most=most)
    return select, whole_number(given.get("skip"))


def read_full_page(parameters: QueryParams, most: int) -> tuple[int, int, bool]:
    """Read `select` and `skip`, and whether data fields are asked for.

    Args:
        parameters: Those of the query.
        most: As many entries as a page may have.

    Raises:
        RefusalError: 400, one of them is none.
    """
    with_fields = _in_lower_case(parameters).get("withfulldata", "false").lower()
    try:
        select, skip = read_page(parameters, most)
        return select, skip, {"true": True, "false": False}[with_fields]
    except (ValueError, KeyError):
        raise v2_refusal(
            "ERROR_PARAMETER_INVALID",
            f"select takes 1 to {most}, skip takes 0 or more, withFullData takes true or false.",
        ) from None


def path_time(request: Request) -> str:
    """Read the time that a path names, as stored times are written.

    Raises:
        RefusalError: 400, it is none.
    """
    time = read_time(request.path_params["date"])
    if time is None:
        raise v2_refusal("ERROR_PARAMETER_INVALID", "The date is not written as ISO 8601 has it.")
    return time.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def read_valid_page(
    parameters: QueryParams, most: int, names: Sequence[str] = ("select",)
) -> tuple[int, int]:
    """Read `select` and `skip`, as `read_page` does, for a call with no other parameter.

    Raises:
        RefusalError: 400, one of them is none.
    """
    try:
        return read_page(parameters, most, names)
    except ValueError:
        raise v2_refusal(
            "ERROR_PARAMETER_INVALID",
            f"{names[-1]} takes 1 to {most}, skip takes 0 or more.",
        ) from None
