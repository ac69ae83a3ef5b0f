"""Records against their schema: exact with fractions, and never for ever."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from singer_sdk.exceptions import InvalidJSONSchema

from target_dotdigital.errors import RowRejectedError
from target_dotdigital.mapping.schemas.validation import RecordValidator
from tests.support.builders import attempt

LOOP = {"$ref": "#/definitions/loop"}


def validator(definition: object) -> RecordValidator:
    return RecordValidator(
        "people",
        {"type": "object", "properties": {"a": definition}, "definitions": {"loop": LOOP}},
        {"a": {}},
    )


@pytest.mark.parametrize(
    ("definition", "value", "fits"),
    [
        ({"multipleOf": Decimal("0.01")}, Decimal("19.99"), True),
        ({"multipleOf": Decimal("0.01")}, Decimal("0.07"), True),
        ({"multipleOf": Decimal("0.01")}, 5, True),
        ({"multipleOf": Decimal("0.01")}, Decimal("1.005"), False),
        ({"multipleOf": 1}, Decimal("19.99"), False),
        ({"minimum": Decimal("0.1")}, Decimal("0.1"), True),
        ({"maximum": Decimal("0.3")}, Decimal("0.3"), True),
        ({"maximum": Decimal("0.3")}, Decimal("0.30001"), False),
        ({"enum": [Decimal("0.1")]}, Decimal("0.1"), True),
        ({"const": Decimal("0.1")}, Decimal("0.1"), True),
        ({"pattern": "^a+$"}, "aaa", True),
        ({"pattern": "^a+$"}, "b", False),
    ],
)
def test_fractions_are_compared_as_they_are_written(
    definition: dict[str, Any], value: object, *, fits: bool
) -> None:
    """A money column of tap-postgres comes with `multipleOf: 0.01`."""
    rejected = attempt(validator(definition).validate, {"a": value})
    assert (rejected is None) is fits


@pytest.mark.parametrize(
    ("definition", "value"),
    [
        pytest.param({"pattern": "^(a|aa)+(?=c)$"}, "a" * 60, id="a pattern that explodes"),
        pytest.param({"pattern": r"(?i)^(a+)+$"}, "a" * 60 + "!", id="one of Python's that does"),
        pytest.param(
            {"anyOf": [{"pattern": r"(?i)^(a+)+$"}, {"pattern": r"(?i)^(A+)+$"}]},
            "a" * 60 + "!",
            id="two of Python's that do",
        ),
        pytest.param({"type": "number"}, math.nan, id="NaN"),
        pytest.param({"type": "number"}, math.inf, id="infinity"),
    ],
)
def test_a_record_that_cannot_be_checked_is_rejected(
    definition: dict[str, Any], value: object
) -> None:
    rejected = attempt(validator(definition).validate, {"a": value})
    assert isinstance(rejected, RowRejectedError)
    assert rejected.code == "record.invalid"


def test_what_has_no_end_is_not_followed_there() -> None:
    """What only refers to itself says nothing; of a record that is nested deeply, the rest is."""
    deep: Any = "x"
    for _ in range(5000):
        deep = {"a": [deep]}
    validator(LOOP).validate({"a": 5})
    validator({"type": "string"}).validate({"a": "x", "b": deep})
    assert attempt(validator({"type": "string"}).validate, {"a": deep}) is not None


@pytest.mark.parametrize("text", ["\ud83d", "a\udc00"])
def test_half_a_surrogate_pair_counts_as_a_character(text: str) -> None:
    assert attempt(validator({"minLength": len(text)}).validate, {"a": text}) is None
    assert attempt(validator({"maxLength": len(text) - 1}).validate, {"a": text}) is not None


@pytest.mark.parametrize(
    ("definition", "value", "fits"),
    [
        ({"pattern": r"^\p{L}+$"}, "h\u00e9", True),
        ({"pattern": r"^\p{L}+$"}, "5", False),
        ({"pattern": r"(?i)^abc$"}, "ABC", True),
        ({"pattern": r"\Aabc\Z"}, "abc", True),
        ({"pattern": r"\Aabc\Z"}, "abcd", False),
        ({"pattern": "^(?!a)b$"}, "b", True),
        ({"maximum": 5, "exclusiveMaximum": True}, 5, False),
        ({"maximum": 5, "exclusiveMaximum": False}, 5, True),
        ({"minimum": 5, "exclusiveMinimum": True}, Decimal("5.01"), True),
        ({"type": "integer"}, Decimal("5.0"), True),
        ({"type": "integer"}, Decimal("1E+2"), True),
        ({"type": "integer"}, Decimal("5.5"), False),
        ({"type": "string", "required": True, "id": 5, "description": 5}, "x", True),
        ({"type": ["string", "string"]}, "x", True),
        ({"type": "object", "properties": {"x": {"type": "varchar"}}}, {"x": 1}, True),
        ({"type": "array", "items": {"type": "string"}}, ["x"], True),
        ({"type": "array", "items": {"type": "string"}}, [5], False),
        ({"allOf": [{"type": "string"}, {"maxLength": 2}]}, "abc", False),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, None, True),
        ({"not": {"type": "string"}}, "x", False),
        ({"if": {"type": "string"}, "then": {"maxLength": 1}}, "xx", False),
        ({"$ref": "#/definitions/short", "maxLength": 1}, "ab", True),
        ({"$ref": "#/definitions/short"}, "abc", False),
        ({"$ref": "#short"}, "abc", False),
    ],
)
def test_drafts_are_read_as_they_are_meant(
    definition: dict[str, Any], value: object, *, fits: bool
) -> None:
    short = {"$id": "#short", "type": "string", "maxLength": 2}
    schema = {"properties": {"a": definition}, "definitions": {"short": short}}
    rejected = attempt(RecordValidator("people", schema, {"a": {}}).validate, {"a": value})
    assert (rejected is None) is fits


ADDRESS = {
    "type": ["object", "null"],
    "properties": {"postcode": {"type": "string", "maxLength": 5}, "town": {"type": "varchar"}},
    "required": ["postcode", "town"],
    "additionalProperties": False,
    "minProperties": 9,
}


@pytest.mark.parametrize(
    "described",
    [
        ADDRESS,
        {"anyOf": [ADDRESS, {"type": "null"}]},
        {"oneOf": [{"$ref": "#/definitions/address"}, {"type": "null"}]},
        {"allOf": [{"$ref": "#/definitions/address"}, {"not": {"required": ["new"]}}]},
    ],
)
@pytest.mark.parametrize(
    ("value", "rejected_for"),
    [
        (None, None),
        ({"postcode": "AB1", "new": {"x": "\ud83d"}}, None),
        ({"postcode": 5}, "type"),
        ({"postcode": "too long"}, "maxLength"),
        ({"town": "x"}, "required"),
        (5, "type"),
    ],
)
def test_an_object_is_checked_no_deeper_than_it_is_used(
    described: dict[str, Any], value: object, rejected_for: str | None
) -> None:
    schema = {"properties": {"a": described}, "definitions": {"address": ADDRESS}}
    check = RecordValidator("people", schema, {"a": {"postcode": {}}}).validate
    rejected = attempt(check, {"a": value})
    if value is None and "allOf" in described:
        return
    assert (rejected is None) is (rejected_for is None)
    if isinstance(rejected, RowRejectedError) and "type" in described:
        assert rejected.rule == rejected_for
        assert rejected.property == ("a" if value == 5 else "a.postcode")


def test_what_is_required_is_named_and_asked_for_though_it_is_not_used() -> None:
    schema = {"type": "object", "properties": {"a": {}, "b": {"type": 5}}, "required": ["a", "b"]}
    check = RecordValidator("people", schema, {"a": {}}).validate
    check({"a": 1, "b": 2})
    rejected = attempt(check, {"a": 1})
    assert isinstance(rejected, RowRejectedError)
    assert (rejected.property, rejected.rule) == ("b", "required")
    assert rejected.reason == (
        "The record breaks the schema's rule 'required': property 'b' is missing"
    )


def test_patterns_for_names_hold_for_what_is_used() -> None:
    schema = {
        "properties": {},
        "patternProperties": {"^a": {"type": "integer"}, "(?i)^B": {"type": "string"}},
        "additionalProperties": {"type": "boolean"},
    }
    check = RecordValidator("people", schema, {"a": {}, "b": {}, "c": {}}).validate
    check({"a": 5, "b": "x", "c": True, "d": []})
    for wrong in ({"a": "x"}, {"b": 5}, {"c": 5}):
        assert attempt(check, wrong) is not None


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        ({"pattern": "("}, "its pattern '(' is not a regular expression"),
        ({"pattern": 5}, "its pattern is not a text"),
        ({"pattern": "a{5000000000}"}, "not a regular expression"),
        ({"anyOf": [{"pattern": "("}]}, "not a regular expression"),
        ({"maximum": math.inf}, "a number that is not finite"),
        ({"enum": [math.nan]}, "a number that is not finite"),
        ({"type": "strange"}, "'strange' is not a type of JSON Schema"),
        ({"type": ["string", {}]}, "an object is not a type of"),
        ({"type": []}, "it allows no value"),
        ({"anyOf": 5}, "anyOf is not a list"),
        ({"items": 5}, "a number is not a schema"),
        ({"maxLength": "10"}, "maxLength: "),
        ({"multipleOf": 0}, "multipleOf: "),
        ({"$ref": 5}, "its $ref is not a text"),
        ({"$ref": "http://[/"}, "is not in the schema"),
        ({"$ref": "#/definitions/none"}, "is not in the schema"),
        ({"$ref": "other.json"}, "is not in the schema"),
        (None, "null is not a schema"),
        (False, "false allows no value"),
        ([], "a list is not a schema"),
    ],
    ids=str,
)
def test_a_schema_that_is_none_is_told(definition: object, told: str) -> None:
    with pytest.raises(InvalidJSONSchema) as error:
        validator(definition)
    assert str(error.value).startswith("Stream 'people': property 'a': ")
    assert told in str(error.value)


def test_a_schema_without_end_is_told() -> None:
    deep: dict[str, Any] = {}
    for _ in range(3000):
        deep = {"anyOf": [deep]}
    with pytest.raises(InvalidJSONSchema, match="nested too deeply"):
        validator(deep)


def test_what_is_wrong_with_other_properties_is_not_looked_at() -> None:
    odd = dict(enumerate(["x", None, False, {"type": 5}, {"$ref": "#/no"}, {"pattern": "("}]))
    properties = {"a": {"type": "string"}, **{f"odd_{place}": each for place, each in odd.items()}}
    RecordValidator("people", {"properties": properties}, {"a": {}}).validate(
        {"a": "x", "odd_2": 5}
    )
