"""F65, F66 and F72: which streams are loaded, and into what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.faults.fault_case import fault
from tests.faults.input_rows import PROPERTIES, people, row, with_states
from tests.support.dotdigital.routes import IMPORT
from tests.support.messages import schema

if TYPE_CHECKING:
    from tests.faults.fault_case import FaultCase

NOTHING_LOADED: dict[str, tuple[dict[str, Any], str]] = {
    "empty": ({}, "streams: it is empty, so nothing was loaded"),
    "each skipped": ({"people": {"skip": True}}, "streams: each has skip: true, so nothing was"),
    "another case": ({"People": {}}, "Did you mean 'People'?"),
    "a schema in front": ({"shop-people": {}}, "Did you mean 'shop-people'?"),
    "never sent": (
        {"orders": {}},
        "Nothing was loaded: the tap sent 'people', but 'streams' names 'or",
    ),
}


@fault("F65", *NOTHING_LOADED)
def test_a_run_that_loads_nothing_is_no_success(case: FaultCase, variant: str) -> None:
    streams, told = NOTHING_LOADED[variant]
    ended = case.run(people(3), streams=streams)
    assert (ended.status, ended.states) == (1, [])
    assert told in ended.stderr
    assert not case.server.calls_of(IMPORT)


NO_BOOK: dict[str, tuple[dict[str, Any], str]] = {
    "empty": ({"address_book": ""}, "address_book: it is empty"),
    "empty in a stream": (
        {"streams": {"people": {"address_book": " "}}},
        "streams.people.address_book: it is empty",
    ),
    "misspelt": (
        {"address_book": None, "adress_book": 102},
        "adress_book: unknown. Did you mean 'address_book'?",
    ),
    "not set": ({"address_book": None}, "Stream 'people': it has no address book"),
    "not set for a stream": (
        {"address_book": None, "streams": {"people": {}}},
        "streams.people: it has no address book",
    ),
}


@fault("F66", *NO_BOOK)
def test_contacts_without_an_address_book_have_to_be_meant(case: FaultCase, variant: str) -> None:
    settings, told = NO_BOOK[variant]
    ended = case.run(people(3), **settings)
    assert (ended.status, ended.states) == (1, [])
    assert told in ended.stderr
    assert case.server.calls == []


ODD_SCHEMAS: dict[str, dict[str, Any]] = {
    "an unknown rule": {"properties": {"row": {"not": 5}}},
    "a key that is not there": {"properties": PROPERTIES, "key_properties": ["nowhere"]},
    "a key that is no list": {"properties": PROPERTIES, "key_properties": 5},
}


@fault("F72", *ODD_SCHEMAS)
def test_what_a_skipped_stream_sends_ends_no_run(case: FaultCase, variant: str) -> None:
    case.settings["streams"] = {"people": {}, "audit": {"skip": True}}
    case.skipped = [1, 2, 6]
    ended = case.run(
        [
            schema("audit", **ODD_SCHEMAS[variant]),
            row(1, stream="audit"),
            row(2, stream="elsewhere"),
            *people(3, first=3),
            row(6, stream="audit", email=[5]),
            *with_states([7]),
        ]
    )
    assert (ended.status, ended.states[-1]) == (0, {"row": 7})
    assert ended.counts("audit") == "read 2 = imported 0 + rejected 0 + collapsed 0 + skipped 2"
