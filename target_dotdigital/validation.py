"""Checking records against their stream's schema, at speed and without repeating their values."""

from __future__ import annotations

import math
import re
import signal
from contextlib import contextmanager, nullcontext
from decimal import Context, Decimal, localcontext
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import fastjsonschema
from singer_sdk.exceptions import InvalidJSONSchema
from singer_sdk.sinks.core import BaseJSONSchemaValidator
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR
from typing_extensions import override

from target_dotdigital.errors import DataError, RowRejectedError
from target_dotdigital.settings_problems import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from contextlib import AbstractContextManager

MAX_CHECK_SECONDS = 0.5
"""Processor time for one record. A pattern such as `^(a+)+$` takes years for some short texts."""


_DECIMAL128 = Context(prec=34, Emin=-6143, Emax=6144)
"""`multipleOf` writes quotients out as integers, and 1E+999999 is a minute's work: out of range."""


class _TooSlowError(Exception):
    """Checking a record takes too long."""


def _interrupt(*_: object) -> NoReturn:
    raise _TooSlowError


@contextmanager
def _limited() -> Iterator[None]:
    """Raise `_TooSlowError` after `MAX_CHECK_SECONDS`. For the main thread, as signals are."""
    before = signal.signal(signal.SIGVTALRM, _interrupt)
    # Of the processor's time: a machine that is busy or asleep rejects no row.
    signal.setitimer(signal.ITIMER_VIRTUAL, MAX_CHECK_SECONDS)
    try:
        with localcontext(_DECIMAL128):
            yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


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
    raise DataError(f"Stream '{message.get('stream')}': key_properties is no list of names")


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
        raise InvalidJSONSchema(f"Stream '{stream}': no JSON schema: {describe(error)}")


def _refuse(uri: str) -> NoReturn:
    raise InvalidJSONSchema(f"A $ref outside the schema is not followed: {uri}")


_NO_REMOTE_REFERENCES = dict.fromkeys(("http", "https", "ftp", "file", "urn", ""), _refuse)


def _guard_for(schema: str) -> Callable[[], AbstractContextManager[object]]:
    """Return what to enter for each check: some can take for ever, and anyone makes the values."""
    if "pattern" in schema or "$ref" in schema:
        return _limited
    return partial(localcontext, _DECIMAL128) if "multipleOf" in schema else nullcontext


def only_properties(schema: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return a schema that asks nothing of other properties but that those it requires are there.

    A row is not to be rejected for what is not sent.

    Args:
        schema: A stream's JSON schema.
        names: The properties that matter.
    """
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return schema
    asked = {name: each if name in names else {} for name, each in properties.items()}
    return {**schema, "properties": asked}


class _Literal(Decimal):
    """A number of a schema that stays exact in the library's generated code.

    There it would become a binary fraction, which Decimals cannot be divided by, and to which
    0.1 is not equal.
    """

    @override
    def __str__(self) -> str:
        return f"Decimal('{super().__str__()}')"

    __repr__ = __str__

    @override
    def __format__(self, specifier: str, context: Context | None = None, /) -> str:
        return str(self)


def _exact(node: Any) -> Any:  # noqa: ANN401 - any part of a JSON schema
    """Return a schema with its fractions as `_Literal`."""
    if isinstance(node, dict):
        return {key: _exact(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_exact(value) for value in node]
    if isinstance(node, float) and not math.isfinite(node):
        raise InvalidJSONSchema("The stream's schema holds a number that is none")
    return _Literal(str(node)) if isinstance(node, (float, Decimal)) else node


def _missing(error: fastjsonschema.JsonSchemaValueException) -> str | None:
    """Return the first property that the schema requires and a record lacks, if it is that."""
    if error.rule != "required" or not isinstance(error.value, dict):
        return None
    return next((name for name in error.rule_definition if name not in error.value), None)


class RecordValidator(BaseJSONSchemaValidator):
    """A compiled schema. Formats are not checked, as in the SDK: taps often name them wrongly."""

    def __init__(self, schema: dict[str, Any]) -> None:
        """Compile a schema.

        Args:
            schema: The stream's JSON schema.

        Raises:
            InvalidJSONSchema: It is none.
        """
        super().__init__(schema)
        try:
            self._guard = _guard_for(str(schema))
            self._validate = fastjsonschema.compile(
                _exact(schema),
                handlers=_NO_REMOTE_REFERENCES,
                use_default=False,  # an absent property is not the same as its default
                use_formats=False,
            )
        except fastjsonschema.JsonSchemaDefinitionException as error:
            raise InvalidJSONSchema(f"The stream's schema cannot be used: {error}") from None
        except (re.error, OverflowError):
            raise InvalidJSONSchema(
                "A pattern in the stream's schema is none that Python knows; with validate_records "
                "false it is not looked at"
            ) from None
        except RecursionError:
            raise InvalidJSONSchema("The stream's schema is nested too deeply") from None

    @override
    def validate(self, record: dict[str, Any]) -> None:
        """Check a record.

        Args:
            record: The record.

        Raises:
            RowRejectedError: It breaks the schema, or cannot be checked; code `record.invalid`.
        """
        try:
            with self._guard():
                self._validate(record)
        except fastjsonschema.JsonSchemaValueException as error:
            # Only names that the schema knows: other keys may be a value (an address, say).
            name = error.path[1] if len(error.path) > 1 else None
            name = name if name in self.schema.get("properties", {}) else None
            where = f"property '{name}'" if name is not None else "the record"
            reason = f"{where} breaks the schema's rule '{error.rule}'"
            if missing := _missing(error):
                reason += f": '{missing}' is missing"
                name = missing if name is None else f"{name}.{missing}"
            raise RowRejectedError(
                "record.invalid", reason, property=name, rule=error.rule
            ) from None
        except _TooSlowError:
            reason = f"checking it against the schema takes over {MAX_CHECK_SECONDS} seconds"
            raise RowRejectedError("record.invalid", reason) from None
        except RecursionError:
            reason = "the schema, or the record under it, is nested without end"
            raise RowRejectedError("record.invalid", reason) from None
        except (ArithmeticError, TypeError, ValueError):
            # `multipleOf` is 0, or the value is NaN, say.
            reason = "a number cannot be compared with what the schema says of it"
            raise RowRejectedError("record.invalid", reason) from None
