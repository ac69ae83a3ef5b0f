"""The mapping of records to contacts: paths, values, consent, validation, and the fast path."""

from __future__ import annotations

from target_dotdigital.mapping.contact_mapping import ContactMapping
from target_dotdigital.mapping.contacts import (
    CONTACT_ID,
    EMAIL,
    MAX_FRACTION_DIGITS,
    MOBILE_NUMBER,
    Contact,
    IdentitySet,
    RejectGroup,
    Row,
    StreamCounts,
    canonical,
    collapse,
    identities_in,
    identity_hash,
    normalise,
)
from target_dotdigital.mapping.fast_path import UNREADABLE, FastPath
from target_dotdigital.mapping.fast_path_builder import build_fast_path
from target_dotdigital.mapping.name_matching import match_property, no_data_field, unknown_fields
from target_dotdigital.mapping.schemas import (
    TYPES,
    RecordValidator,
    References,
    SharedSchema,
    Subschema,
    alternatives,
    check_key_properties,
    check_properties,
    check_schema,
    declared_types,
    field_type,
    used_in,
)
from target_dotdigital.mapping.values import DATA_FIELD_TYPES, comparable, is_deleted, to_text

__all__ = [
    "CONTACT_ID",
    "DATA_FIELD_TYPES",
    "EMAIL",
    "MAX_FRACTION_DIGITS",
    "MOBILE_NUMBER",
    "TYPES",
    "UNREADABLE",
    "Contact",
    "ContactMapping",
    "FastPath",
    "IdentitySet",
    "RecordValidator",
    "References",
    "RejectGroup",
    "Row",
    "SharedSchema",
    "StreamCounts",
    "Subschema",
    "alternatives",
    "build_fast_path",
    "canonical",
    "check_key_properties",
    "check_properties",
    "check_schema",
    "collapse",
    "comparable",
    "declared_types",
    "field_type",
    "identities_in",
    "identity_hash",
    "is_deleted",
    "match_property",
    "no_data_field",
    "normalise",
    "to_text",
    "unknown_fields",
    "used_in",
]
