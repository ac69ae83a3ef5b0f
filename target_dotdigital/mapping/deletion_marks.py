"""Deletion marks: `_sdc_deleted_at`, as a tap writes it or a stream map makes it."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.mapper import CustomStreamMap

from target_dotdigital.errors import RowRejectedError, UnfitError
from target_dotdigital.mapping.values import to_date

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.mapper import StreamMap

DELETED_AT = "_sdc_deleted_at"
"""The property that marks a row as deleted."""

_UNKNOWN = object()
"""Stands for what an expression that fails would have made."""


def is_deleted(record: Mapping[str, Any]) -> bool:
    """Return whether a record is marked as deleted.

    Only an ISO 8601 date or date-time is a mark. Null, a blank text, false and 0 are none.

    Args:
        record: The record, after stream maps.

    Raises:
        RowRejectedError: It cannot be told; code `delete.invalid`.
    """
    mark = record.get(DELETED_AT)
    if mark is None or (isinstance(mark, str) and not mark.strip()):
        return False
    if isinstance(mark, (int, float, Decimal)) and mark == 0:
        return False
    try:
        to_date(mark)
    except UnfitError:
        reason = "property '_sdc_deleted_at' is no date-time"
        raise RowRejectedError("delete.invalid", reason, property=DELETED_AT) from None
    return True


def deleted_record(
    stream_map: StreamMap, record: dict[str, Any], *, is_filtered: bool
) -> dict[str, Any] | None:
    """Return what a stream map can make of a deleted row that it fails at.

    A tap that reads a database's log may know only the key of a deleted row. Expressions that need
    more fail. That matters only if they tell whether the row is deleted, or who it is about.

    Args:
        stream_map: The stream map.
        record: The record, as the tap sent it.
        is_filtered: Whether it matters if the stream map filters the row out.

    Returns:
        The properties that can be made; None if they do not mark the row as deleted.

    Raises:
        RowRejectedError: It cannot be told whether they do; code `delete.invalid`.
    """
    if not isinstance(stream_map, CustomStreamMap):
        return None
    evaluator = stream_map.expr_evaluator
    try:
        if is_filtered:
            stream_map.get_filter_result(record)
        stream_map.expr_evaluator = cast("Any", _TolerantEvaluator(evaluator))
        made = stream_map.transform(copy.copy(record)) or {}
    except Exception:  # noqa: BLE001 - an expression may raise anything
        return None
    finally:
        stream_map.expr_evaluator = evaluator
    known = {name: value for name, value in made.items() if value is not _UNKNOWN}
    return known if is_deleted(known) else None


class _TolerantEvaluator:
    """Evaluates expressions as the SDK's evaluator does; one that fails gives `_UNKNOWN`."""

    def __init__(self, evaluator: Any) -> None:  # noqa: ANN401 - a type of the SDK's own library
        self.names: dict[str, Any] = {}
        """The names that an expression may use. The SDK sets them."""
        self._evaluator = evaluator

    def eval(self, expression: str, previously_parsed: object = None) -> object:
        """Return an expression's value."""
        self._evaluator.names = self.names
        try:
            return self._evaluator.eval(expression, previously_parsed=previously_parsed)
        except Exception:  # noqa: BLE001 - an expression may raise anything
            return _UNKNOWN
