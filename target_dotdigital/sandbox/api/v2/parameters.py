"""The parameters of v2: IDs in paths, and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.sandbox.http import v2_refusal, whole_number

if TYPE_CHECKING:
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


def read_page(parameters: QueryParams, most: int) -> tuple[int, int]:
    """Read `select` and `skip`: how many entries are asked for, and how many are left out before.

    Args:
        parameters: Those of the query.
        most: As many entries as a page may have.

    Raises:
        ValueError: One of them is none.
    """
    select = whole_number(parameters.get("select"), default=most, least=1, most=most)
    return select, whole_number(parameters.get("skip"))
