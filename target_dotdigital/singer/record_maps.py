"""Records through stream maps: what a map makes of one, and what becomes of those it fails for."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.mapper import CustomStreamMap

from target_dotdigital.errors import RowRejectedError
from target_dotdigital.mapping import is_deleted
from target_dotdigital.singer.sdk import evaluated_property

if TYPE_CHECKING:
    from collections.abc import Collection

    from singer_sdk.mapper import StreamMap

    from target_dotdigital.damaged_lines import DamagedRecord

_PYTHON_NAMES = {
    "NameNotDefined": "NameError",
    "FunctionNotDefined": "NameError",
    "AttributeDoesNotExist": "AttributeError",
}
"""What Python calls the errors for which the expressions' evaluator has names of its own."""

_UNKNOWN = object()
"""Stands for what an expression that fails would have made."""


def mapped_record(
    raw: object, stream_map: StreamMap, *, deletions_count: bool
) -> dict[str, Any] | None:
    """Return what a stream map makes of a record; None if it filters the record out.

    Args:
        raw: The record as the tap sent it.
        stream_map: The stream map.
        deletions_count: Whether it matters if the stream map filters a deleted row out.

    Raises:
        RowRejectedError: It is no record, or the map fails for it.
    """
    if not isinstance(raw, dict):
        raise RowRejectedError("record.invalid", "The record is not an object")
    try:
        transformed: dict[str, Any] | None = stream_map.transform(copy.copy(raw))
    except Exception as error:  # noqa: BLE001 - an expression may raise anything
        deleted = _deleted_record(stream_map, raw, is_filtered=deletions_count)
        if deleted is not None:
            return deleted
        raise map_failure(error) from None
    return transformed


def check_damage(
    record: DamagedRecord, stream_map: StreamMap, used: Collection[str], expressions: str
) -> None:
    """Make sure that nothing of a record is used that cannot be read.

    Args:
        record: The record.
        stream_map: What it goes through.
        used: The properties that are mapped, after stream maps.
        expressions: The setting `stream_maps`, as text.

    Raises:
        RowRejectedError: A property that cannot be read is used.
    """
    options = stream_map.flattening_options if stream_map.flattening_enabled else None
    separator = None if options is None else options.separator
    is_custom = isinstance(stream_map, CustomStreamMap)
    record.check({*used, "_sdc_deleted_at"}, expressions if is_custom else "", separator)


def map_failure(error: Exception) -> RowRejectedError:
    """Return the reject of a record that a stream map fails for.

    Args:
        error: What the map has raised. Its text may quote the record, so it is not repeated.
    """
    cause = error.__cause__ or error  # the SDK wraps the evaluator's errors
    kind = type(cause).__name__
    kind = _PYTHON_NAMES.get(kind, kind)
    # To evaluate the expressions once more could end otherwise.
    is_expression, name = evaluated_property(error.__traceback__)
    if not is_expression:
        reason = f"A stream map fails: {kind}"
    elif name is None:
        reason = f"A stream map's expression fails: {kind}, in __filter__"
    else:
        reason = f"A stream map's expression fails: {kind}, for property '{name}'"
    return RowRejectedError("record.invalid", reason, property=name, rule=kind)


def _deleted_record(
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
