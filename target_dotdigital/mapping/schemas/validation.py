"""Validation of records against their stream's schema, whose messages repeat no value."""

from __future__ import annotations

import re
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import jsonschema_rs
from singer_sdk.exceptions import InvalidJSONSchema
from singer_sdk.sinks.core import BaseJSONSchemaValidator
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR
from typing_extensions import override

from target_dotdigital.errors import DataError, LackingError, RowRejectedError
from target_dotdigital.mapping.schemas.keywords import PYTHON_PATTERN
from target_dotdigital.mapping.schemas.schema_subset import SchemaSubset
from target_dotdigital.settings import describe

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from target_dotdigital.mapping.schemas.schema_subset import Used

MAX_CHECK_SECONDS = 0.5
"""Processor time for one record's patterns, where Python looks at them: `^(a+)+\\Z` takes years for
some short texts."""


MAX_OTHERS = 2
"""How many properties a record has for each that is in use, before others are left out."""


class _TooSlowError(Exception):
    """Checking a record takes too long."""


def _interrupt(*_: object) -> NoReturn:
    raise _TooSlowError


@contextmanager
def _limited() -> Iterator[None]:
    """Raise `_TooSlowError` after `MAX_CHECK_SECONDS`. For the main thread, as signals are."""
    before = signal.signal(signal.SIGVTALRM, _interrupt)
    # Of the processor's time: a machine that is busy or asleep rejects no row.
    # And again: an alternative that takes too long is to the library one that does not fit.
    signal.setitimer(signal.ITIMER_VIRTUAL, MAX_CHECK_SECONDS, MAX_CHECK_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


class _PythonPattern:
    """A keyword for patterns that only Python knows: `(?i)`, say."""

    def __init__(self, _schema: object, pattern: str, _path: object) -> None:
        self._search = re.compile(pattern).search

    def validate(self, instance: object) -> None:
        """Check a value.

        Args:
            instance: Any value.

        Raises:
            ValueError: It is a text that the pattern is not found in.
        """
        if isinstance(instance, str) and self._search(instance) is None:
            raise ValueError


def check_key_properties(message: dict[str, Any]) -> None:
    """Make sure that a SCHEMA's key properties are names.

    Args:
        message: The SCHEMA message.

    Raises:
        DataError: They are not.
    """
    keys = message.get("key_properties")
    if keys is None or (isinstance(keys, list) and all(isinstance(key, str) for key in keys)):
        return
    raise DataError(
        f"Stream '{message.get('stream')}': key_properties is not a list of names. Correct the "
        "tap's SCHEMA"
    )


def check_properties(message: dict[str, Any]) -> None:
    """Make sure that a SCHEMA describes properties.

    Args:
        message: The SCHEMA message.

    Raises:
        LackingError: It does not.
    """
    schema = message.get("schema")
    if isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
        return
    what = "properties that are an object" if isinstance(schema, dict) else "a schema"
    raise LackingError(f"lacks {what}. Correct the tap's SCHEMA")


def check_schema(stream: str, schema: dict[str, Any]) -> None:
    """Look for what is wrong with a schema that something has failed at.

    Never before: taps' schemas break JSON schema's rules in ways that do no harm.

    Args:
        stream: The stream's name.
        schema: Its JSON schema.

    Raises:
        InvalidJSONSchema: Something is; the text names the place and the rule.
    """
    validator = DEFAULT_JSONSCHEMA_VALIDATOR(DEFAULT_JSONSCHEMA_VALIDATOR.META_SCHEMA)
    for error in validator.iter_errors(schema):
        raise InvalidJSONSchema(
            f"Stream '{stream}': the schema is not valid: {describe(error)}. Correct the tap's "
            "SCHEMA"
        )


class RecordValidator(BaseJSONSchemaValidator):
    """Validates records against what their schema says of the properties in use.

    Formats are not checked, as in the SDK: taps often name them wrongly.
    """

    def __init__(self, stream: str, schema: dict[str, Any], used: Used) -> None:
        """Compile a schema.

        Args:
            stream: The stream's name.
            schema: Its JSON schema.
            used: The properties in use. Of others it is only checked whether those are there that
                the schema requires.

        Raises:
            InvalidJSONSchema: The schema cannot be used for them; the text names all that is wrong.
        """
        super().__init__(schema)
        self._stream = stream
        subset = SchemaSubset(schema, used)
        if subset.faults:
            raise InvalidJSONSchema(
                f"Stream '{stream}': {'; '.join(subset.faults)}. Correct the tap's SCHEMA, or set "
                "validate_records: false"
            )
        try:
            self._validator = subset.validator_type(
                subset.schema, mask="a value", keywords={PYTHON_PATTERN: _PythonPattern}
            )
        except ValueError:
            raise InvalidJSONSchema(
                f"Stream '{stream}': the schema is nested too deeply. Correct the tap's SCHEMA, or "
                "set validate_records: false"
            ) from None
        self._is_limited = _has(PYTHON_PATTERN, subset.schema)
        self._used = used
        self._names = tuple({**used, **dict.fromkeys(subset.schema.get("required", ()))})

    def of(self, names: Collection[str]) -> RecordValidator:
        """Return the validator of some properties alone; none of them need be there.

        Args:
            names: The properties.
        """
        used = {name: inside for name, inside in self._used.items() if name in names}
        return RecordValidator(self._stream, {**self.schema, "required": []}, used)

    def may_fit(self, record: dict[str, Any]) -> bool:
        """Return whether a record keeps to the schema; if not, `validate` has the last word.

        Args:
            record: The record.

        Raises:
            Exception: It cannot be told like this.
        """
        if self._is_limited or len(record) > MAX_OTHERS * len(self._names):
            self.validate(record)
            return True
        is_valid: bool = self._validator.is_valid(record)
        return is_valid

    @override
    def validate(self, record: dict[str, Any]) -> None:
        """Check a record.

        Args:
            record: The record.

        Raises:
            RowRejectedError: It breaks the schema, or cannot be checked; code `record.invalid`.
        """
        # Not all of it: there may be texts that are none, or what is nested without end.
        part = {name: record[name] for name in self._names if name in record}
        try:
            if self._is_limited:
                with _limited():
                    self._validate(part)
            else:
                self._validate(part)
        except jsonschema_rs.ValidationError as error:
            raise self._rejected(error) from None
        except _TooSlowError:
            reason = (
                f"To check the record against the schema takes over {MAX_CHECK_SECONDS} seconds"
            )
            raise RowRejectedError("record.invalid", reason) from None
        except (RecursionError, ValueError):
            # Rust's own limit of a record's depth is the latter, or thousands of digits are.
            reason = "The record is nested too deeply, or a number in it is too long"
            raise RowRejectedError("record.invalid", reason) from None

    def _validate(self, part: dict[str, Any]) -> None:
        try:
            self._validator.validate(part)
        except UnicodeEncodeError:
            # Half a surrogate pair has no place in a field. But here it counts as a character.
            self._validator.validate(_in_unicode(part))

    def _rejected(self, error: jsonschema_rs.ValidationError) -> RowRejectedError:
        """Return why a row is rejected, in names that the schema and the settings know."""
        kind = error.kind
        rule = "pattern" if kind.name == PYTHON_PATTERN else kind.name
        path = _known(error.instance_path, self._used)
        where = f"Property '{path}'" if path else "The record"
        if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
            # Not a key of the record, but a name of the schema's.
            path = f"{path}.{kind.property}" if path else kind.property
            reason = f"{where} breaks the schema's rule 'required': property '{path}' is missing"
            return RowRejectedError("record.invalid", reason, property=path, rule=rule)
        if _is_slow(error):
            reason = f"{where} takes too long to check against the schema's pattern"
            return RowRejectedError("record.invalid", reason, property=path or None, rule=rule)
        return RowRejectedError(
            "record.invalid",
            f"{where} breaks the schema's rule '{rule}'",
            property=path or None,
            rule=rule,
        )


def _is_slow(error: jsonschema_rs.ValidationError) -> bool:
    is_given_up = isinstance(error.kind, jsonschema_rs.ValidationErrorKind.BacktrackLimitExceeded)
    return is_given_up or isinstance(error.__cause__, _TooSlowError)


def _known(path: list[str | int], used: Mapping[str, Any]) -> str:
    """Return a path as far as it is one of names that are used: others may be a value."""
    found = []
    for part in path:
        if not isinstance(part, str) or part not in used:
            break
        found.append(part)
        used = used[part]
    return ".".join(found)


def _in_unicode(value: Any) -> Any:  # noqa: ANN401 - any part of a record
    if isinstance(value, dict):
        return {_in_unicode(name): _in_unicode(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_in_unicode(part) for part in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _has(word: str, node: object) -> bool:
    """Return whether a keyword is in a schema."""
    parts = node if isinstance(node, list) else []
    if isinstance(node, dict):
        parts = [*node, *node.values()]
    return any(part == word or _has(word, part) for part in parts)
