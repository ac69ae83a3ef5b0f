"""SCHEMAs as taps, stream maps and flattening make them, through the real command line.

A stream for each case: they are independent of each other, and one process loads them all.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.messages import record, schema
from tests.support.target.command import load, settings_for
from tests.support.target.fast_path import result_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

TEXT = {"type": "string"}
EMAIL = {"email": {"type": ["string", "null"]}}


def pair(stream: str, properties: dict[str, Any], values: dict[str, Any], **more: Any) -> list[Any]:
    """Return a stream of one person."""
    told = schema(stream, {**EMAIL, **properties})
    told["schema"].update(more)
    return [told, record(stream, email=f"{stream}@example.com", **values)]


def fields_of(server: DotdigitalServer, stream: str) -> dict[str, Any]:
    found: dict[str, Any] = server.contacts[f"{stream}@example.com"].data_fields
    return found


NESTED = {"type": "object", "properties": {"city": TEXT}}

FLATTENED: dict[str, tuple[dict[str, Any], dict[str, Any], str, Any]] = {
    # The properties, what the row holds, the property that is mapped, and what arrives.
    "object": ({"a": NESTED}, {"a": {"city": "Rome"}}, "a__city", "Rome"),
    "null": ({"a": {**NESTED, "type": ["object", "null"]}}, {"a": None}, "a__city", None),
    "either": (
        {"a": {"anyOf": [NESTED, {"type": "null"}]}},
        {"a": {"city": "Rome"}},
        "a__city",
        "Rome",
    ),
    "array": ({"a": {"type": "array", "items": TEXT}}, {"a": []}, "email", "array@example.com"),
    "listed": (
        {"a": {"anyOf": [{"type": "array"}, {"type": "null"}]}},
        {"a": None},
        "email",
        "listed@example.com",
    ),
    "mixed": ({"a": {"type": ["integer", "array"]}}, {"a": 5}, "a", "5"),
    "whole": ({"a": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}, {"a": 5}, "a", "5"),
    "flag": ({"a": {"description": "x", "type": ["boolean"]}}, {"a": True}, "a", "true"),
    "enum": ({"a": {"enum": [5, "x"]}}, {"a": 5}, "a", "5"),
    "nothing": ({"a": {}}, {"a": 5}, "a", "5"),
    "reference": ({"a": {"$ref": "#/definitions/count"}}, {"a": 5}, "a", "5"),
    "described": (
        {"a": {"description": "x", "anyOf": [{"type": "number"}, {"type": "null"}]}},
        {"a": 0.5},
        "a",
        "0.5",
    ),
    "odd": ({"a": TEXT, "b": None, "c": 5, "d": {"type": 5}}, {"a": "x", "b": 1}, "a", "x"),
}


def test_flattened_rows_load(server: DotdigitalServer, tmp_path: Path) -> None:
    lines = []
    for stream, (properties, values, _, _) in FLATTENED.items():
        lines += pair(
            stream,
            properties,
            values,
            required=["a", "email"],
            definitions={"count": {"type": "integer"}},
        )
    streams = {name: {"fields": {"FIRSTNAME": path}} for name, (_, _, path, _) in FLATTENED.items()}
    flattening = {"flattening_enabled": True, "flattening_max_depth": 1}
    ended = load(settings_for(server, streams=streams, **flattening), tmp_path, *lines)
    assert ended.status == 0, ended.stderr
    for stream, (_, _, _, arrives) in FLATTENED.items():
        assert f"Stream '{stream}': read 1 = imported 1" in ended.stderr, stream
        assert fields_of(server, stream).get("FIRSTNAME") == arrives


@pytest.mark.parametrize(
    ("described", "told"),
    [
        (None, "property 'a': it allows no value"),
        ({"type": 5}, "property 'a': a number is not a type"),
        ({"type": "varchar"}, "property 'a': 'varchar' is not a type"),
    ],
    ids=str,
)
def test_a_flattened_schema_that_cannot_be_used_is_told(
    server: DotdigitalServer, tmp_path: Path, described: object, told: str
) -> None:
    config = settings_for(
        server,
        streams={"people": {"fields": {"FIRSTNAME": "a"}}},
        flattening_enabled=True,
        flattening_max_depth=1,
    )
    ended = load(config, tmp_path, *pair("people", {"a": described}, {"a": "x"}))
    assert ended.status == 1
    assert f"Stream 'people': {told}" in ended.stderr


COMPUTED: dict[str, tuple[str, str, Any]] = {
    # The expression, the type of the new data field that it makes, and what arrives.
    "comparison": ("age > 18", "Boolean", True),
    "negation": ("not age", "Boolean", False),
    "beginning": ("int(age) > 18", "Boolean", True),
    "number": ("age * 2", "String", "42"),
    "whole": ("int(age)", "Numeric", 21),
    "text": ("str(age)", "String", "21"),
    "nothing": ("None", "String", None),
    "year": ("datetime.date.fromisoformat(day).year", "String", "2026"),
    "day": ("datetime.date.fromisoformat(day)", "Date", "2026-01-31T00:00:00Z"),
    "pass": ("age", "Numeric", 21),
    "constant": ("'x'", "String", "x"),
}

COMPUTED_PROPERTIES = {"age": {"type": "integer"}, "day": TEXT}
COMPUTED_VALUES = {"age": 21, "day": "2026-01-31"}


def computing(name: str = "made") -> dict[str, Any]:
    return {
        "create_data_fields": True,
        "stream_maps": {stream: {name: each} for stream, (each, _, _) in COMPUTED.items()},
        "streams": {stream: {"fields": {f"NEW_{stream.upper()}": name}} for stream in COMPUTED},
    }


def test_what_a_stream_map_computes_is_not_held_against_a_guess(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    lines = [
        line for stream in COMPUTED for line in pair(stream, COMPUTED_PROPERTIES, COMPUTED_VALUES)
    ]
    ended = load(settings_for(server, **computing()), tmp_path, *lines)
    assert ended.status == 0, ended.stderr
    for stream, (_, kind, arrives) in COMPUTED.items():
        field = f"NEW_{stream.upper()}"
        assert server.data_fields[field] == kind, stream
        assert fields_of(server, stream).get(field) == arrives, stream


def test_a_computed_property_takes_the_place_of_one_of_another_type(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    config = settings_for(
        server,
        streams={"people": {"fields": {"IS_MEMBER": "age", "FIRSTNAME": "name"}}},
        stream_maps={"people": {"age": "age > 18", "name": "age"}},
    )
    lines = pair("people", {**COMPUTED_PROPERTIES, "name": TEXT}, {**COMPUTED_VALUES, "name": "x"})
    ended = load(config, tmp_path, *lines)
    assert ended.status == 0, ended.stderr
    assert fields_of(server, "people") == {"IS_MEMBER": True, "FIRSTNAME": "21"}


def test_each_stream_of_a_map_has_what_its_own_map_computes(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fields = {"fields": {"IS_MEMBER": "age"}}
    config = settings_for(
        server,
        streams={"people": {"fields": {"LOYALTY_POINTS": "age"}}, "adults": fields},
        stream_maps={
            "peo*": {"day": "day"},
            "adults": {"__source__": "people", "age": "age > 18", "email": "'a' + email"},
        },
    )
    wrong = record("people", email="b@example.com", age="x", day="x")
    ended = load(config, tmp_path, *pair("people", COMPUTED_PROPERTIES, COMPUTED_VALUES), wrong)
    assert ended.counts("adults").startswith("read 2 = imported 1 + rejected 1")
    assert ended.counts("people").startswith("read 2 = imported 1 + rejected 1")
    assert fields_of(server, "people") == {"LOYALTY_POINTS": 21}
    assert fields_of(server, "apeople") == {"IS_MEMBER": True}


@pytest.mark.parametrize("name", ["made", "age"])
def test_both_ways_take_what_is_computed(name: str) -> None:
    """In place of what the row holds, too."""
    for stream, (expression, kind, _) in COMPUTED.items():
        lines = pair("people", COMPUTED_PROPERTIES, COMPUTED_VALUES)
        lines += [
            record("people", email=None, **COMPUTED_VALUES),
            record("people", email="b@x.org"),
        ]
        configuration = {
            "stream_maps": {"people": {name: expression, "email": "email.lower()"}},
            "streams": {"people": {"fields": {"TAGS": name}, "identifiers": {"email": "email"}}},
        }
        raw = [json.dumps(line).encode() for line in lines]
        fast = result_of(raw, configuration, is_fast=True)
        assert fast == result_of(raw, configuration, is_fast=False), (stream, kind)
        assert len(fast.contacts) >= 1


def test_both_ways_take_whole_numbers_however_they_are_written() -> None:
    """As a data field, as the tap's key, and as identifiers."""
    number = {"type": ["integer", "null"]}
    properties = {"email": TEXT, "id": number, "crm": number, "points": number}
    values = ("5", "5.0", "50e-1", "5.5", "1E+999999")
    told = schema(properties=properties, key_properties=["id"])
    lines = [json.dumps(told).encode()] + [
        f'{{"type": "RECORD", "stream": "people", "record": {{"email": "p{place}@example.com", '
        f'"id": {value}, "crm": {value}, "points": {value}}}}}'.encode()
        for place, value in enumerate(values)
    ]
    identifiers = {"email": "email", "contactId": "crm", "crm-id": "crm"}
    streams = {"people": {"identifiers": identifiers, "fields": {"LOYALTY_POINTS": "points"}}}
    fast = result_of(lines, {"streams": streams}, is_fast=True)
    slow = result_of(lines, {"streams": streams}, is_fast=False)
    assert fast == slow
    assert len(fast.contacts) == 3
    for place, (_, contact, _) in enumerate(fast.contacts):
        assert contact["identifiers"] == {
            "email": f"p{place}@example.com",
            "contactId": 5,
            "crm-id": "5",
        }
        assert contact["dataFields"] == {"LOYALTY_POINTS": 5}


CREATED: dict[str, tuple[Any, str]] = {
    "REF": ({"$ref": "#/definitions/count"}, "Numeric"),
    "ALL": ({"allOf": [{"$ref": "#/definitions/count"}, {"minimum": 0}]}, "Numeric"),
    "ANY": ({"anyOf": [{"$ref": "#/definitions/count"}, {"type": "null"}]}, "Numeric"),
    "OTHER": ({"$ref": "#/properties/flag"}, "Boolean"),
    "BOTH": ({"allOf": [{"type": ["string", "null"]}, {"format": "date"}]}, "Date"),
    "LOOP": ({"$ref": "#/definitions/loop"}, "String"),
}


def test_a_reference_to_a_plain_type_gives_that_to_a_new_data_field(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    properties = {name.lower(): described for name, (described, _) in CREATED.items()}
    config = settings_for(
        server,
        create_data_fields=True,
        streams={"people": {"fields": {name: name.lower() for name in CREATED}}},
    )
    definitions = {
        "count": {"type": "integer"},
        "loop": {"anyOf": [{"$ref": "#/definitions/loop"}]},
    }
    lines = pair("people", {"flag": {"type": "boolean"}, **properties}, {}, definitions=definitions)
    assert load(config, tmp_path, *lines).status == 0
    assert {name: server.data_fields[name] for name in CREATED} == {
        name: kind for name, (_, kind) in CREATED.items()
    }


@pytest.mark.parametrize(
    ("described", "is_fine"),
    [
        ({}, True),
        ({"type": ["string", "null"]}, True),
        ({"type": ["object", "null"]}, True),
        ({"type": "null"}, True),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, True),
        ({"$ref": "#/definitions/place"}, True),
        ({"allOf": [{"$ref": "#/definitions/place"}]}, True),
        ({"type": "object", "properties": {}, "additionalProperties": False}, True),
        ({"type": "object", "properties": {"x": {}}}, False),
        ({"type": "integer"}, False),
        ({"type": ["boolean", "null"]}, False),
        ({"type": "array", "items": {"type": "object"}}, False),
        ({"anyOf": [{"type": "integer"}, {"type": "array"}]}, False),
    ],
    ids=str,
)
def test_a_path_into_what_is_no_object(described: dict[str, Any], *, is_fine: bool) -> None:
    place = {"type": "object", "properties": {"town": TEXT}}
    told = schema(properties={"e-mail": TEXT, "address": described})
    told["schema"]["definitions"] = {"place": place}
    row = record(**{"e-mail": "ann@example.com"})
    lines = [json.dumps(line).encode() for line in (told, row)]
    streams = {"people": {"fields": {"CITY": "address.town"}}}
    result = result_of(lines, {"streams": streams}, is_fast=True)
    if is_fine:
        assert result.error is None
        return
    assert result.error is not None
    assert "The schema has no property 'address.town'" in result.error
    assert ("is of type" in result.error) == ("properties" not in described)
