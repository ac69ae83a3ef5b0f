"""Deletion marks: `_sdc_deleted_at`, as a tap writes it or a stream map makes it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_dotdigital.errors import RowRejectedError, UnfitError
from target_dotdigital.mapping.values.field_values import to_date
from target_dotdigital.mapping.values.property_path import is_empty

if TYPE_CHECKING:
    from collections.abc import Mapping

DELETED_AT = "_sdc_deleted_at"
"""The property that marks a row as deleted."""


def is_deleted(record: Mapping[str, Any]) -> bool:
    """Return whether a record is marked as deleted.

    Only an ISO 8601 date-time is a mark. Null, a blank text, false and 0 are none.

    Args:
        record: The record, after stream maps.

    Raises:
        RowRejectedError: The property is neither a mark nor none; code `delete.invalid`.
    """
    mark = record.get(DELETED_AT)
    if is_empty(mark):
        return False
    if isinstance(mark, (int, float, Decimal)) and mark == 0:
        return False
    if not _is_date_time(mark):
        reason = "Property '_sdc_deleted_at' is not a date-time"
        raise RowRejectedError("delete.invalid", reason, property=DELETED_AT)
    return True


def _is_date_time(mark: object) -> bool:
    """Return whether a mark is a date with a time: a date alone says too little to delete by."""
    try:
        to_date(mark)
    except UnfitError:
        return False
    return ":" in str(mark)
