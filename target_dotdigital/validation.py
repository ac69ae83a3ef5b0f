"""Checking records against their stream's schema, at speed and without repeating their values."""

from __future__ import annotations

from typing import Any, NoReturn

import fastjsonschema
from singer_sdk.exceptions import InvalidJSONSchema
from singer_sdk.sinks.core import BaseJSONSchemaValidator
from typing_extensions import override

from target_dotdigital.errors import RowRejectedError


def _refuse(uri: str) -> NoReturn:
    raise InvalidJSONSchema(f"A $ref outside the schema is not followed: {uri}")


_NO_REMOTE_REFERENCES = dict.fromkeys(("http", "https", "ftp", "file", "urn", ""), _refuse)


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
            self._validate = fastjsonschema.compile(
                schema,
                handlers=_NO_REMOTE_REFERENCES,
                use_default=False,  # an absent property is not the same as its default
                use_formats=False,
            )
        except fastjsonschema.JsonSchemaDefinitionException as error:
            raise InvalidJSONSchema(f"The stream's schema cannot be used: {error}") from None

    @override
    def validate(self, record: dict[str, Any]) -> None:
        """Check a record.

        Args:
            record: The record.

        Raises:
            RowRejectedError: It breaks the schema; code `record.invalid`.
        """
        try:
            self._validate(record)
        except fastjsonschema.JsonSchemaValueException as error:
            # Only names that the schema knows: other keys may be a value (an address, say).
            name = error.path[1] if len(error.path) > 1 else None
            known = name in self.schema.get("properties", {})
            where = f"property '{name}'" if known else "the record"
            reason = f"{where} breaks the schema's rule '{error.rule}'"
            raise RowRejectedError("record.invalid", reason) from None
