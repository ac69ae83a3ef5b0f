"""The type of a new data field, from what the schema says of its property."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_dotdigital.mapping.schemas.field_types import field_type

DATE = {"type": "string", "format": "date"}
MOMENT = {"type": "string", "format": "date-time"}
TEXT = {"type": "string"}
NULL = {"type": "null"}

NAMES = st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"])
SCHEMAS = st.recursive(
    st.booleans() | st.fixed_dictionaries({}, optional={"type": NAMES, "format": st.just("date")}),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": st.lists(NAMES, max_size=2),
            "anyOf": st.lists(inner, max_size=2),
            "oneOf": st.lists(inner, max_size=2),
            "properties": st.dictionaries(st.sampled_from("pq"), inner, max_size=2),
        },
    ),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        (TEXT, "String"),
        ({"type": ["null", "string"]}, "String"),
        ({"type": "number"}, "Numeric"),
        ({"type": ["integer", "null"]}, "Numeric"),
        ({"type": ["integer", "number"]}, "Numeric"),
        ({"type": "number", "multipleOf": 0.01}, "Numeric"),
        ({"type": ["null", "boolean"]}, "Boolean"),
        (DATE, "Date"),
        ({"type": ["null", "string"], "format": "date-time"}, "Date"),
        ({"anyOf": [MOMENT, NULL]}, "Date"),
        ({"oneOf": [NULL, {"anyOf": [DATE, MOMENT]}]}, "Date"),
        ({"anyOf": [{"type": "integer"}, {"type": ["number", "null"]}]}, "Numeric"),
        (
            {"type": ["string", "null"], "anyOf": [{"format": "date-time"}, {"format": "date"}]},
            "Date",
        ),
        ({"anyOf": [{"type": "boolean"}, NULL]}, "Boolean"),
        # Of taps made with the Meltano SDK, and of Singer's own.
        ({"type": ["string", "null"], "format": "x-singer.decimal"}, "Numeric"),
        ({"type": ["null", "string"], "format": "singer.decimal"}, "Numeric"),
        ({"type": ["number", "string"], "format": "x-singer.decimal"}, "Numeric"),
        # What one field cannot take as it is becomes text.
        ({"anyOf": [MOMENT, TEXT]}, "String"),
        ({"type": ["integer", "string"], "format": "date-time"}, "String"),
        ({"type": ["boolean", "integer"]}, "String"),
        ({"type": "string", "format": "time"}, "String"),
        ({"type": "array", "items": {"type": "integer"}}, "String"),
        ({"type": "object"}, "String"),
        (NULL, "String"),
        ({}, "String"),
        ({"anyOf": [{"type": "integer"}, {}]}, "String"),
        ({"enum": [1, 2]}, "String"),
    ],
)
def test_the_type_takes_every_value_that_the_schema_allows(
    described: dict[str, Any], expected: str
) -> None:
    assert field_type({"properties": {"p": described}}, "p") == expected


def test_a_property_inside_an_object_is_found() -> None:
    inner = {"type": ["object", "null"], "properties": {"since": MOMENT}}
    schema = {"properties": {"card": inner, "other": {"anyOf": [inner, NULL]}}}
    assert field_type(schema, "card.since") == field_type(schema, "other.since") == "Date"
    assert field_type(schema, "card.none") == field_type(schema, "none.since") == "String"
    assert field_type({}, "card.since") == "String"


def test_a_property_under_the_whole_dotted_name_wins() -> None:
    inner = {"type": "object", "properties": {"since": MOMENT}}
    assert (
        field_type({"properties": {"card": inner, "card.since": {"type": "integer"}}}, "card.since")
        == "Numeric"
    )


@given(SCHEMAS, st.sampled_from(["p", "p.q", "p.q.p"]))
def test_every_schema_has_a_type(described: object, path: str) -> None:
    schema = {"properties": {"p": described}}
    assert field_type(schema, path) in {"String", "Numeric", "Date", "Boolean"}
