"""From a record to a contact: paths, values, consent, validation, and the fast path."""

from __future__ import annotations

from target_dotdigital.mapping.contacts import (
    CONTACT_ID,
    EMAIL,
    MOBILE_NUMBER,
    Contact,
    HeldContacts,
    RejectGroup,
    Row,
    StreamCounts,
    canonical,
    collapse,
    identities_in,
    normalise,
)
from target_dotdigital.mapping.deletion_marks import is_deleted
from target_dotdigital.mapping.fast_path import UNREADABLE, Lane, build_lane
from target_dotdigital.mapping.record_mapping import (
    ContactMapping,
    match_property,
    no_data_field,
    unknown_fields,
)
from target_dotdigital.mapping.schemas import (
    TYPES,
    Description,
    RecordValidator,
    References,
    SharedSchema,
    alternatives,
    check_key_properties,
    check_properties,
    check_schema,
    declared_types,
    field_type,
    used_in,
)
from target_dotdigital.mapping.values import DATA_FIELD_TYPES, MAX_FRACTION_DIGITS, to_text

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
    "Description",
    "HeldContacts",
    "Lane",
    "RecordValidator",
    "References",
    "RejectGroup",
    "Row",
    "SharedSchema",
    "StreamCounts",
    "alternatives",
    "build_lane",
    "canonical",
    "check_key_properties",
    "check_properties",
    "check_schema",
    "collapse",
    "declared_types",
    "field_type",
    "identities_in",
    "is_deleted",
    "match_property",
    "no_data_field",
    "normalise",
    "to_text",
    "unknown_fields",
    "used_in",
]
