"""What a stream's JSON schema says: types, excerpts of what is used, validation."""

from __future__ import annotations

from target_dotdigital.mapping.schemas.descriptions import (
    TYPES,
    Description,
    References,
    SharedSchema,
    alternatives,
    declared_types,
    lack,
)
from target_dotdigital.mapping.schemas.excerpts import used_in
from target_dotdigital.mapping.schemas.field_types import field_type
from target_dotdigital.mapping.schemas.validation import (
    RecordValidator,
    check_key_properties,
    check_properties,
    check_schema,
)

__all__ = [
    "TYPES",
    "Description",
    "RecordValidator",
    "References",
    "SharedSchema",
    "alternatives",
    "check_key_properties",
    "check_properties",
    "check_schema",
    "declared_types",
    "field_type",
    "lack",
    "used_in",
]
