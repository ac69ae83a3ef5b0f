"""Deleted rows that a stream map fails at: their keys may be all that the tap knows of them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.mapper import CustomStreamMap

from target_dotdigital.mapping import is_deleted

if TYPE_CHECKING:
    from singer_sdk.mapper import StreamMap

_UNKNOWN = object()
"""Stands for what an expression that fails would have made."""


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
