"""Stream maps that fail for a record: what is told of it, which is nothing of the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk import mapper

from target_dotdigital.errors import RowRejectedError

if TYPE_CHECKING:
    from types import TracebackType

_PYTHON_NAMES = {
    "NameNotDefined": "NameError",
    "FunctionNotDefined": "NameError",
    "AttributeDoesNotExist": "AttributeError",
}
"""What Python calls the errors for which the expressions' evaluator has names of its own."""


def map_failure(error: Exception) -> RowRejectedError:
    """Return the reject of a record that a stream map fails for.

    Args:
        error: What the map has raised. Its text may quote the record, so it is not repeated.
    """
    cause = error.__cause__ or error  # the SDK wraps the evaluator's errors
    kind = type(cause).__name__
    kind = _PYTHON_NAMES.get(kind, kind)
    is_expression, name = _evaluated(error.__traceback__)
    if not is_expression:
        reason = f"a stream map fails: {kind}"
    elif name is None:
        reason = f"a stream map's expression fails: {kind}, in __filter__"
    else:
        reason = f"a stream map's expression fails: {kind}, for property '{name}'"
    return RowRejectedError("record.invalid", reason, property=name, rule=kind)


def _evaluated(traceback: TracebackType | None) -> tuple[bool, str | None]:
    """Return whether an expression was being evaluated, and the property that it makes.

    The SDK's error does not tell. To evaluate the expressions once more could end otherwise.
    """
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_filename == mapper.__file__ and frame.f_code.co_name == "_eval":
            name = frame.f_locals.get("property_name")
            return True, name if isinstance(name, str) else None
        traceback = traceback.tb_next
    return False, None
