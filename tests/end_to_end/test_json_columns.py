"""JSON in text columns, and arrays that flattening has made texts of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.messages import record, schema
from tests.support.target.command import load, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

TEXT = {"type": ["string", "null"]}
FIELDS = {"FIRSTNAME": "doc.name", "CITY": "doc.address.town", "AMOUNT": "doc.amount"}
DOCUMENTS: tuple[object, ...] = (
    '{"name": "Zo\\u00eb", "address": {"town": "Rome"}, "amount": 0.123456789}',
    '{"name": null, "address": null}',
    "{}",
    None,
    "null",
    '{"name": "A", "address": "{\\"town\\": \\"Oslo\\"}", "amount": "12.50"}',
    {"name": "B", "address": {"town": "Bonn"}, "amount": 3},
)
NO_OBJECTS = ("", "{", "Rome", "[1]", '"Rome"', "5", '{"name": NaN}', "[" * 5000, '{"address": 5}')


@pytest.mark.parametrize("described", [TEXT, {}, {"type": ["string", "object", "null"]}])
def test_a_path_leads_into_a_text_that_holds_an_object(
    server: DotdigitalServer, tmp_path: Path, described: dict[str, Any]
) -> None:
    server.data_fields |= {"CITY": "String", "AMOUNT": "Numeric"}
    documents = DOCUMENTS if described != TEXT else DOCUMENTS[:-1]
    rows = [record(email=f"p{n}@example.com", doc=each) for n, each in enumerate(documents)]
    bad = [record(email=f"bad{n}@example.com", doc=each) for n, each in enumerate(NO_OBJECTS)]
    settings = settings_for(
        server,
        streams={"people": {"fields": FIELDS}},
        rejects_path=str(tmp_path / "rejects.singer"),
        max_reject_percent=100,
    )
    described_people = schema(properties={"email": TEXT, "doc": described})
    ended = load(settings, tmp_path, described_people, *rows, *bad)
    assert ended.status == 0
    assert f"imported {len(rows)} + rejected {len(bad)}" in ended.counts()
    assert f"field.type {len(bad)}" in ended.counts()
    found = [server.contacts[f"p{n}@example.com"].data_fields for n in range(len(rows))]
    assert found[0] == {"FIRSTNAME": "Zo\xeb", "CITY": "Rome", "AMOUNT": 0.123456789}
    # What is under a null is null, and clears; what is absent is not sent.
    assert found[1] == found[3] == found[4] == found[2] == {}
    assert found[5] == {"FIRSTNAME": "A", "CITY": "Oslo", "AMOUNT": 12.5}
    if described != TEXT:
        assert found[6] == {"FIRSTNAME": "B", "CITY": "Bonn", "AMOUNT": 3}
    text = (tmp_path / "rejects.singer").read_text()
    assert "Property 'doc.name': 'doc' is a text without a JSON object" in text
    assert "Rome" not in ended.stderr


def test_an_identifier_may_be_in_a_text(server: DotdigitalServer, tmp_path: Path) -> None:
    streams = {"people": {"identifiers": {"email": "doc.mail"}, "fields": {}}}
    doc = json.dumps({"mail": " Ann@Example.com"})
    ended = load(
        settings_for(server, streams=streams),
        tmp_path,
        schema(properties={"doc": TEXT}),
        record(doc=doc),
    )
    assert ended.status == 0
    assert list(server.contacts) == ["ann@example.com"]


@pytest.mark.parametrize("is_flattened", [True, False], ids=["flattened", "as it is"])
def test_an_array_is_joined_whether_flattened_or_not(
    server: DotdigitalServer, tmp_path: Path, *, is_flattened: bool
) -> None:
    server.data_fields |= {"TAGS": "String", "NOTE": "String"}
    more = {"flattening_enabled": True, "flattening_max_depth": 2} if is_flattened else {}
    tags = "more__tags" if is_flattened else "more.tags"
    fields = {"TAGS": "tags", "NOTE": "note", "FIRSTNAME": tags}
    array = {"type": ["array", "null"]}
    nested = {"type": "object", "properties": {"tags": array}}
    ended = load(
        settings_for(server, streams={"people": {"fields": fields}}, **more),
        tmp_path,
        schema(properties={"email": TEXT, "tags": array, "note": TEXT, "more": nested}),
        record(
            email="ann@example.com",
            tags=["a", "\xe9", 1.5, True, None],
            note='["a", "\\u00e9"]',
            more={"tags": ["\u00fc", "\U0001f600"]},
        ),
        record(email="bob@example.com", tags=None, note="[]", more={"tags": []}),
    )
    assert ended.status == 0
    assert server.contacts["ann@example.com"].data_fields == {
        "TAGS": "a,\xe9,1.5,true",
        "NOTE": '["a", "\\u00e9"]',
        "FIRSTNAME": "\u00fc,\U0001f600",
    }
    assert server.contacts["bob@example.com"].data_fields == {"NOTE": "[]", "FIRSTNAME": ""}


def test_what_flattening_cannot_join_has_no_escapes(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.data_fields["TAGS"] = "String"
    ended = load(
        settings_for(server, flattening_enabled=True, flattening_max_depth=1),
        tmp_path,
        schema(properties={"email": TEXT, "tags": {"type": "array"}}),
        record(email="ann@example.com", tags=[{"name": "\xe9"}]),
    )
    assert ended.status == 0
    assert server.contacts["ann@example.com"].data_fields == {"TAGS": '[{"name":"\xe9"}]'}
