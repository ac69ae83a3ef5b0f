"""Errors that end a run as texts, without anything of a record."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from singer_sdk.exceptions import (
    InvalidJSONSchema,
    MapExpressionError,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
    StreamMapConfigError,
)

from target_dotdigital.errors import DataError, SettingsError, TargetDotdigitalError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SDK_ERRORS: Mapping[type[Exception], type[TargetDotdigitalError]] = {
    InvalidJSONSchema: DataError,
    MapExpressionError: SettingsError,
    MissingKeyPropertiesError: DataError,
    RecordsWithoutSchemaException: DataError,
    StreamMapConfigError: SettingsError,
}
"""The SDK's errors whose texts hold names and settings, never a record's value; and what they are
in our terms."""

SAFE_ERRORS: tuple[type[Exception], ...] = (TargetDotdigitalError, *_SDK_ERRORS)
"""Errors whose texts are fit to be shown."""


def error_text(error: Exception, progress: str) -> str:
    """Return what can be told of an error: its text, or else only where it came from.

    Args:
        error: The error.
        progress: How many rows are settled, as a sentence.
    """
    for theirs, ours in _SDK_ERRORS.items():
        if isinstance(error, theirs):
            error = ours(str(error.args[0] if error.args else theirs.__name__))
    if isinstance(error, TargetDotdigitalError):
        return error.line(progress)
    fault = TargetDotdigitalError(
        f"{type(error).__name__}, a bug of target-dotdigital. Report it with the lines below"
    )
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{fault.line(progress)}\n{frames}"
