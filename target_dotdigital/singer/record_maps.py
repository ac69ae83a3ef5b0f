"""Records through stream maps: what a map makes of one, and what becomes of those it fails for."""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING, Any, Final, cast

from singer_sdk.mapper import (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
    NULL_STRING,
    CustomStreamMap,
    SameRecordTransform,
)

from target_dotdigital.errors import RowRejectedError
from target_dotdigital.mapping import DELETED_AT, NOTHING_MADE, MadeProperties, is_deleted
from target_dotdigital.singer.sdk import evaluated_property, evaluation
from target_dotdigital.singer.stream_schemas import map_definitions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from singer_sdk.mapper import StreamMap

    from target_dotdigital.damaged_lines import DamagedRecord
    from target_dotdigital.mapping import Prepare

_PYTHON_NAMES = {
    "NameNotDefined": "NameError",
    "FunctionNotDefined": "NameError",
    "AttributeDoesNotExist": "AttributeError",
}
"""What Python calls the errors for which the expressions' evaluator has names of its own."""

_OPTIONS: Final = frozenset(
    {
        MAPPER_ALIAS_OPTION,
        MAPPER_ELSE_OPTION,
        MAPPER_FILTER_OPTION,
        MAPPER_KEY_PROPERTIES_OPTION,
        MAPPER_SOURCE_OPTION,
    }
)
"""What in a stream map's definition is no property."""

_WHOLE_RECORD: Final = frozenset({"record", "_"})
"""Names by which an expression may look at any property."""

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


def preparation(
    stream_map: StreamMap,
    config: Mapping[str, Any],
    stream: str,
    add_metadata: Callable[[dict[str, Any], dict[str, Any]], None] | None,
    is_as_it_should_be: Callable[[dict[str, Any]], bool],
) -> tuple[Prepare, MadeProperties | None]:
    """Return what makes the stream's record of a line, and checks it.

    Args:
        stream_map: The only stream map of a stream.
        config: The settings.
        stream: What the tap calls the stream.
        add_metadata: Adds the SDK's properties to a record, from its message; None if none are.
        is_as_it_should_be: Returns whether a record keeps to the schema; it may raise.

    Returns:
        That, and what is made of which properties; None if it may be of any.
    """
    is_same = isinstance(stream_map, SameRecordTransform) and not stream_map.flattening_enabled
    made = NOTHING_MADE if is_same else None
    if isinstance(stream_map, CustomStreamMap) and not stream_map.flattening_enabled:
        made = _made_properties(stream_map, map_definitions(config["stream_maps"], stream)[0])

    def prepared(line: Any) -> dict[str, Any] | None:  # noqa: ANN401 - of a type of its own
        raw: dict[str, Any] = line.record
        record = raw if is_same else stream_map.transform(raw)
        if record is None:
            return None
        # Flattening takes an object apart that stands where a mark should be.
        mark, raw_mark = record.get(DELETED_AT), raw.get(DELETED_AT)
        is_unmarked = (mark is None or mark == "") and not isinstance(raw_mark, (dict, list))
        if add_metadata is not None:
            message = {"version": line.version, "time_extracted": line.time_extracted}
            add_metadata(record, message)
        if is_unmarked and is_as_it_should_be(record):
            return record
        raise LookupError

    return prepared, made


def _made_properties(
    stream_map: CustomStreamMap, definition: Mapping[str, Any]
) -> MadeProperties | None:
    """Return what a stream map makes of which properties; None if that may be of any."""
    rule = definition.get(MAPPER_FILTER_OPTION)
    read = set() if rule is None else _names_in(ast.parse(rule).body[0])
    parts: list[tuple[str, str, ast.expr | None]] = []
    for name, text in definition.items():
        if name in _OPTIONS:
            continue
        node = None
        if text not in {None, NULL_STRING}:
            statement = ast.parse(text).body[0]
            if not isinstance(statement, ast.Expr):
                return None  # the SDK refuses it, record by record
            node = statement.value
            found = _names_in(node)
            read |= found | ({name} if "self" in found else set())
        parts.append((name, text, node))
    names = tuple(name for name, *_ in parts)
    # A property that is taken away may have the dotted name of one inside an object, which stays.
    is_odd = DELETED_AT in names or any("." in name for name, _, node in parts if node is None)
    if is_odd or not read.isdisjoint(_WHOLE_RECORD):
        return None
    keeps_others, evaluate = MAPPER_ELSE_OPTION not in definition, evaluation(stream_map)

    def make(record: dict[str, Any]) -> dict[str, Any] | None:
        if rule is not None and not stream_map.get_filter_result(record):
            return None
        made = record.copy() if keeps_others else {}
        for name, text, node in parts:
            if node is None:
                made.pop(name, None)
            else:
                made[name] = evaluate(text, node, record, name)
        return made

    return MadeProperties(names, tuple(read), make)


def _names_in(node: ast.AST) -> set[str]:
    """Return the names that an expression looks up, those of functions that it calls aside."""
    called = {each.func for each in ast.walk(node) if isinstance(each, ast.Call)}
    names = (each for each in ast.walk(node) if isinstance(each, ast.Name))
    return {each.id for each in names if each not in called}


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
