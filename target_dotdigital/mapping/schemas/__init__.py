"""A stream's JSON schema: its types, the subset that concerns mapped properties, validation."""

from __future__ import annotations

from target_dotdigital.mapping.schemas.field_types import field_type
from target_dotdigital.mapping.schemas.schema_subset import used_in
from target_dotdigital.mapping.schemas.subschemas import (
    TYPES,
    References,
    SharedSchema,
    Subschema,
    alternatives,
    declared_types,
    why_missing,
)
from target_dotdigital.mapping.schemas.validation import (
    RecordValidator,
    check_key_properties,
    check_properties,
    check_schema,
)

__all__ = [
    "TYPES",
    "RecordValidator",
    "References",
    "SharedSchema",
    "Subschema",
    "alternatives",
    "check_key_properties",
    "check_properties",
    "check_schema",
    "declared_types",
    "field_type",
    "used_in",
    "why_missing",
]
