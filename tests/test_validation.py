"""Records against their schema: exact with fractions, and never for ever."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from singer_sdk.exceptions import InvalidJSONSchema

from target_dotdigital.errors import RowRejectedError
from target_dotdigital.validation import RecordValidator
from tests.building import attempt

LOOP = {"$ref": "#/definitions/loop"}


def validator(definition: dict[str, Any]) -> RecordValidator:
    return RecordValidator(
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
        pytest.param({"pattern": "^(a+)+$"}, "a" * 60 + "!", id="a pattern that explodes"),
        pytest.param({"multipleOf": 1}, Decimal("1E+999999"), id="a million digits"),
        pytest.param({"multipleOf": 0}, 5, id="a division by 0"),
        pytest.param({"multipleOf": 0}, Decimal("1.5"), id="a fraction divided by 0"),
        pytest.param({"multipleOf": Decimal("0.1")}, math.nan, id="NaN"),
        pytest.param({"multipleOf": 2}, math.inf, id="infinity"),
        pytest.param(LOOP, 5, id="a reference to itself"),
    ],
)
def test_a_record_that_cannot_be_checked_is_rejected(
    definition: dict[str, Any], value: object
) -> None:
    rejected = attempt(validator(definition).validate, {"a": value})
    assert isinstance(rejected, RowRejectedError)
    assert rejected.code == "record.invalid"


@pytest.mark.parametrize(
    "definition",
    [
        {"pattern": "("},
        {"pattern": r"\p{L}"},
        {"pattern": "a{5000000000}"},
        {"patternProperties": {"(": {}}},
        {"maximum": math.inf},
        {"enum": [math.nan]},
        {"type": "strange"},
    ],
    ids=str,
)
def test_a_schema_that_is_none_is_told(definition: dict[str, Any]) -> None:
    with pytest.raises(InvalidJSONSchema):
        validator(definition)
