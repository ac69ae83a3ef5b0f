"""Values of a record: where they are, and what Dotdigital gets for them."""

from __future__ import annotations

from target_dotdigital.mapping.values.comparable_values import comparable_value
from target_dotdigital.mapping.values.consent import (
    CONSENT_PARTS,
    Consent,
    Preferences,
    preference_reader,
)
from target_dotdigital.mapping.values.deletion_marks import DELETED_AT, is_deleted
from target_dotdigital.mapping.values.field_values import (
    DATA_FIELD_TYPES,
    PLAIN_DAY,
    PLAIN_TIME,
    Rounded,
    Sendable,
    converter,
    is_too_long,
    to_text,
)
from target_dotdigital.mapping.values.mapped_properties import (
    MappedField,
    MappedIdentifier,
    MappedProperties,
)
from target_dotdigital.mapping.values.opt_outs import OptOuts, opt_out_reader
from target_dotdigital.mapping.values.property_path import ABSENT, PropertyPath, is_empty
from target_dotdigital.mapping.values.row_address_books import RowAddressBooks

__all__ = [
    "ABSENT",
    "CONSENT_PARTS",
    "DATA_FIELD_TYPES",
    "DELETED_AT",
    "PLAIN_DAY",
    "PLAIN_TIME",
    "Consent",
    "MappedField",
    "MappedIdentifier",
    "MappedProperties",
    "OptOuts",
    "Preferences",
    "PropertyPath",
    "Rounded",
    "RowAddressBooks",
    "Sendable",
    "comparable_value",
    "converter",
    "is_deleted",
    "is_empty",
    "is_too_long",
    "opt_out_reader",
    "preference_reader",
    "to_text",
]
