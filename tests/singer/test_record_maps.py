"""Stream maps that look at few properties: what they make of these is what the SDK makes of all."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.helpers._flattening import get_flattening_options
from singer_sdk.mapper import CustomStreamMap, SameRecordTransform

from target_dotdigital.mapping import NOTHING_MADE
from target_dotdigital.singer import preparation

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_dotdigital.mapping import MadeProperties

PROPERTIES = ("id", "first", "last", "tags", "datetime", "config", "self", "fake", "str", "x")
RECORDS: tuple[dict[str, Any], ...] = (
    {"id": 7, "first": "Ada", "last": "Lovelace", "tags": ["a", "b"]},
    {"id": 8, "first": None, "last": "", "tags": []},
    {"id": 9, "first": "x", "datetime": "own", "config": {}, "fake": 5, "str": "own", "x": 1},
    {"id": 10, "self": "own", "tags": {"upper": "own"}, "last": 5},
    {"id": 11},
)

TOLD = {
    "a property of its own": ({"first": "first.upper()"}, {"first"}),
    "self": ({"first": "self or 'none'", "new": "self"}, {"first", "new", "self"}),
    "self in a filter": ({"first": "1", "__filter__": "self"}, {"self"}),
    "two": ({"name": "f'{first} {last:>9}'"}, {"first", "last"}),
    "a function": ({"id": "str(id) + md5(first or '')"}, {"id", "first"}),
    "a module": ({"day": "datetime.date(2026, 1, id).isoformat()"}, {"datetime", "id"}),
    "one that is not there": (
        {"first": "first if id == 7 else nowhere"},
        {"first", "id", "nowhere"},
    ),
    "a filter": ({"first": "id", "__filter__": "last and id > 7"}, {"id", "last"}),
    "nothing": ({"first": "'Ada'"}, set()),
    "one that is taken away": ({"first": None, "last": "__NULL__", "new": "last"}, {"last"}),
    "no others": ({"__else__": None, "id": "id", "new": "first"}, {"id", "first"}),
    "other keys": ({"__key_properties__": ["key"], "key": "id", "id": None}, {"id"}),
    "another name": ({"__alias__": "others", "new": "__stream_name__"}, {"__stream_name__"}),
    "settings": ({"new": "config['suffix'] + first"}, {"config", "first"}),
    "the tap's name": ({"new": "__original_stream_name__"}, {"__original_stream_name__"}),
    "a list that is changed": ({"new": "tags.append('c')", "tags": "tags"}, {"tags"}),
    "a comprehension": ({"new": "[x for x in tags if x != 'a']"}, {"tags", "x"}),
    "a fault": ({"first": "first.upper()", "last": "last / 0"}, {"first", "last"}),
    "a function that is none": ({"first": "first()", "last": "last"}, {"last"}),
}


def stream_map(definition: dict[str, Any], *, is_flattened: bool = False) -> CustomStreamMap:
    config: Any = {"flattening_enabled": is_flattened, "flattening_max_depth": 1}
    own = {name: text for name, text in definition.items() if name != "__alias__"}
    return CustomStreamMap(
        stream_alias=definition.get("__alias__", "people"),
        map_config={"suffix": "!"},
        faker_config={},
        raw_schema={"properties": {name: {"type": "string"} for name in PROPERTIES}},
        key_properties=["id"],
        map_transform=own,
        flattening_options=get_flattening_options(config),
        stream_name="people",
    )


def made_properties(definition: dict[str, Any], used: CustomStreamMap) -> MadeProperties | None:
    config = {"stream_maps": {"others": {}, "people": definition}}
    return preparation(used, config, "people", None, lambda _: True)[1]


@pytest.mark.parametrize(("definition", "read"), TOLD.values(), ids=TOLD)
def test_a_record_of_what_is_read_gives_what_all_of_it_gives(
    definition: dict[str, Any], read: set[str]
) -> None:
    used = stream_map(definition)
    made = made_properties(definition, used)
    assert made is not None
    assert made.names == tuple(name for name in definition if not name.startswith("__"))
    assert set(made.read) == read
    concerned = {*made.names, *made.read}
    for record in RECORDS:
        few = {name: copy.deepcopy(record[name]) for name in made.read if name in record}
        found = outcome(made.make, few)
        whole = outcome(used.transform, copy.deepcopy(record))
        if isinstance(whole, dict):
            assert isinstance(found, dict)
            whole = {name: whole[name] for name in whole if name in concerned}
            found = {name: found[name] for name in found if name in concerned}
        assert found == whole


def outcome(make: Callable[[dict[str, Any]], Any], record: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return what is made of a record, or as what error it ends."""
    try:
        return make(record)
    except Exception as error:  # noqa: BLE001 - an expression may raise anything
        return type(error), str(error)


@pytest.mark.parametrize(
    "definition",
    [
        {"first": "record['first']"},
        {"first": "_['first']"},
        {"__filter__": "record.get('first')", "last": "last"},
        {"_sdc_deleted_at": "first"},
        {"first": "first = 5"},
    ],
    ids=str,
)
def test_it_is_not_told_of_a_map_that_may_look_at_anything(definition: dict[str, Any]) -> None:
    """Nor of one that makes a mark of deleted rows, and of what the SDK refuses."""
    assert made_properties(definition, stream_map(definition)) is None


def test_it_is_not_told_of_what_is_flattened() -> None:
    definition = {"first": "first"}
    assert made_properties(definition, stream_map(definition, is_flattened=True)) is None


def test_nothing_is_made_without_a_map() -> None:
    same = SameRecordTransform("people", {"properties": {}}, None, None)
    assert preparation(same, {}, "people", None, lambda _: True)[1] is NOTHING_MADE
