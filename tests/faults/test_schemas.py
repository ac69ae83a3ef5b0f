"""F70, F73 and F74: SCHEMAs of old drafts, such as cannot be used, and large ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.faults.fault_case import fault
from tests.faults.input_rows import PROPERTIES, landed, people, row
from tests.support.dotdigital.routes import CREATE_ADDRESS_BOOK, CREATE_DATA_FIELD, IMPORT
from tests.support.messages import schema, state

if TYPE_CHECKING:
    from tests.faults.fault_case import FaultCase

DRAFT_4 = "http://json-schema.org/draft-04/schema#"

LOADED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], Any]] = {
    # What the stream's schema says, what its property `value` is, what a row holds, what arrives.
    "draft-4 bounds": (
        {"$schema": DRAFT_4, "id": "people"},
        {"type": "integer", "minimum": 0, "maximum": 9, "exclusiveMaximum": True},
        {"value": 8},
        8,
    ),
    "draft-4 bounds without a draft": (
        {},
        {"type": "number", "minimum": 0, "exclusiveMinimum": True, "exclusiveMaximum": False},
        {"value": 0.5},
        0.5,
    ),
    "required as in draft 3": ({}, {"type": "integer", "required": True, "id": 5}, {"value": 8}, 8),
    "five and no tenths": ({}, {"type": "integer", "minimum": 5}, {"value": 5.0}, 5),
    "a hundred as 1e2": ({}, {"type": ["integer", "null"]}, {"value": 1e2}, 100),
    "a new column": (
        {"additionalProperties": False},
        {"type": "integer"},
        {"value": 8, "new": "x"},
        8,
    ),
}


@fault("F70", *LOADED)
def test_a_schema_of_an_old_draft_is_read_as_it_is_meant(case: FaultCase, variant: str) -> None:
    about, described, values, arrives = LOADED[variant]
    told = schema(properties={**PROPERTIES, "value": described})
    told["schema"].update(about)
    fields = {"FIRSTNAME": "first_name", "ROW": "row", "LOYALTY_POINTS": "value"}
    case.settings["streams"] = {"people": {"fields": fields}}
    rows = [told, row(1, **values), state({"row": 1})]
    case.expected = {key: {**held, "LOYALTY_POINTS": arrives} for key, held in landed(rows).items()}
    ended = case.run(rows)
    assert (ended.status, ended.states) == (0, [{"row": 1}])


@fault("F70")
def test_draft_4_excludes_what_it_says(case: FaultCase) -> None:
    about, described, _, _ = LOADED["draft-4 bounds"]
    told = schema(properties={**PROPERTIES, "value": described})
    told["schema"].update(about)
    fields = {"FIRSTNAME": "first_name", "ROW": "row", "LOYALTY_POINTS": "value"}
    case.settings["streams"] = {"people": {"fields": fields}}
    case.left_out = [1]
    case.expected = {}
    ended = case.run([told, row(1, value=9), state({"row": 1})], max_reject_percent=100)
    assert ended.counts().endswith("rejected by code: record.invalid 1")
    assert "exclusiveMaximum" in case.rejects.read_text()


UNUSABLE: dict[str, tuple[Any, str]] = {
    # How the mapped property `value` is described, and what is told of it.
    "an unknown type": ({"type": "varchar"}, "property 'value': 'varchar' is not a type of JSON"),
    "null": (None, "property 'value': null is not a schema"),
    "false": (False, "property 'value': false allows no value"),
    "a missing reference": (
        {"$ref": "#/definitions/money"},
        "property 'value': its $ref '#/definitions/money' is not in the schema",
    ),
    "another file": (
        {"anyOf": [{"type": "null"}, {"$ref": "https://example.com/money.json"}]},
        "property 'value': its $ref 'https://example.com/money.json' is not in the schema",
    ),
    "a wrong keyword": ({"maxLength": "10"}, "property 'value': maxLength: "),
    "a division by 0": ({"multipleOf": 0}, "property 'value': multipleOf: "),
    "no pattern": ({"pattern": "(a"}, "property 'value': its pattern '(a' is not a regular"),
    "a number": (
        {"type": "integer"},
        "no property 'value.inner' (for NEW): 'value' is of type integer",
    ),
    "a missing key": (
        {"type": "object"},
        "the schema lacks the tap's key_properties 'number'. Correct the tap's SCHEMA",
    ),
}


@fault("F73", *UNUSABLE)
def test_a_schema_that_cannot_be_used_creates_nothing(case: FaultCase, variant: str) -> None:
    described, told = UNUSABLE[variant]
    path = "value.inner" if variant == "a number" else "value"
    keys = ["row", "number"] if variant == "a missing key" else []
    message = schema(properties={**PROPERTIES, "value": described}, key_properties=keys)
    fields = {"FIRSTNAME": "first_name", "ROW": "row", "NEW": path}
    ended = case.run(
        [message, row(1), state({"row": 1})],
        address_book="New",
        create_address_book=True,
        create_data_fields=True,
        streams={"people": {"fields": fields}},
    )
    assert (ended.status, ended.states) == (1, [])
    assert "Stream 'people': " in ended.stderr
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
    for route in (CREATE_ADDRESS_BOOK, CREATE_DATA_FIELD, IMPORT):
        assert not case.server.calls_of(route)
    case.forget_input()


def _nested(depth: int) -> dict[str, Any]:
    if depth == 0:
        return {"type": ["string", "null"], "maxLength": 255, "pattern": "^.*$"}
    inside = {f"property_{place}_{depth}": _nested(depth - 1) for place in range(6)}
    return {"type": ["object", "null"], "properties": inside, "additionalProperties": False}


@fault("F74")
def test_a_schema_of_megabytes_costs_little(case: FaultCase) -> None:
    """Thirteen nested columns; two of them are mapped, one as a whole and one from inside."""
    columns = {f"nested_{number}": _nested(4) for number in range(13)}
    path = ".".join(f"property_0_{depth}" for depth in range(4, 0, -1))
    fields = {"FIRSTNAME": "first_name", "ROW": "row", "LASTNAME": f"nested_0.{path}"}
    large = schema(properties={**PROPERTIES, **columns})
    assert 1_700_000 < len(json.dumps(large)) < 1_900_000
    used = []
    case.settings["streams"] = {"people": {"fields": fields}}
    for message in (schema(properties={**PROPERTIES, "nested_0": {"type": "object"}}), large):
        rows = [message, *people(3)[1:]]
        with case.started(rows) as target:
            target.send(*rows)
            ended = target.end()
        assert (ended.status, ended.states[-1]) == (0, {"row": 3})
        assert target.peak_megabytes is not None
        used.append((target.processor_seconds, target.peak_megabytes))
    (small_seconds, small_megabytes), (seconds, megabytes) = used
    assert seconds < small_seconds + 1
    assert megabytes < small_megabytes + 50
