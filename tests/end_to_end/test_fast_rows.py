"""Rows of every feature go many at a time, and still take effect in their order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from target_dotdigital.sink import ContactSink
from tests.support.dotdigital.routes import IMPORT
from tests.support.messages import activate, gone, record, rows, schema, state, versioned
from tests.support.mirrors import fill, members, mirror, run
from tests.support.target.command import load, settings_for
from tests.support.target.fast_path import result_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

TEXT = {"type": ["string", "null"]}
FLAG = {"type": ["boolean", "null"]}
SCHEMA = schema(properties={"email": TEXT, "first_name": TEXT, "out": FLAG})


def test_a_mirror_keeps_rejected_rows_and_those_of_the_newest_version(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann", "bob", "cid", "dan", "eve", "fay")
    ended = run(
        mirror(server, max_removal_percent=60),
        tmp_path,
        SCHEMA,
        *versioned(1, "bob"),
        {**record(email="cid@example.com", first_name=5), "version": 2},
        *versioned(2, "ann", "dan"),
        activate(2),
        state(1),
    )
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    assert members(server) == {"ann", "cid", "dan"}


def test_a_row_of_an_older_version_that_needs_a_look_is_not_the_newest(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    fill(server, "ann", "bob", "cid")
    older = {**record(email="no address"), "version": 1}
    rest = [*versioned(2, "ann", "bob", "cid"), activate(2), state(1)]
    ended = run(mirror(server), tmp_path, SCHEMA, older, *rest)
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    assert members(server) == {"ann", "bob", "cid"}


def test_deletes_between_rows_take_effect_in_turn(server: DotdigitalServer, tmp_path: Path) -> None:
    config = settings_for(server, streams={"people": {"on_delete": "remove"}})
    names = [f"p{number}" for number in range(40)]
    fill(server, "old")
    ended = load(
        config,
        tmp_path,
        SCHEMA,
        *rows(names[:20]),
        *gone(["p3", "old", "p30"]),
        *rows(["p3", *names[20:]]),
        *gone(["p5"]),
        state(1),
    )
    assert (ended.status, ended.states) == (0, [1]), ended.stderr
    assert members(server) == {*names} - {"p5"}


@pytest.mark.parametrize("send", ["all", "changes"])
@pytest.mark.parametrize("is_last", [False, True], ids=["in another stream", "in the same one"])
def test_an_opt_out_is_held_whether_its_row_is_sent_or_not(
    server: DotdigitalServer, tmp_path: Path, send: str, *, is_last: bool
) -> None:
    """An unchanged line that opts out is not sent, and nothing may subscribe its person."""
    streams: dict[str, Any] = {
        "people": {"opt_out": {"email": "out"}},
        "leads": {"resubscribe": True},
    }
    if is_last:
        streams = {"people": {"opt_out": {"email": "out"}, "resubscribe": True}}
    config = settings_for(server, streams=streams, send=send, batch_size_rows=10)
    if send == "changes":
        config["fingerprints_path"] = "fingerprints"
    names = [f"p{number}" for number in range(30)]
    people = [SCHEMA, *rows(names, out=False), *rows(["ann"], out=True)]
    stream = "people" if is_last else "leads"
    again = rows([*names, "ann"], stream, first_name="new")
    again = again if is_last else [{**SCHEMA, "stream": stream}, *again]
    for messages in (people, [*people, *again]):
        ended = load(config, tmp_path, *messages, state(1))
        assert (ended.status, ended.states) == (0, [1]), ended.stderr
    found = server.contact("ann@example.com")
    assert found is not None
    assert found.email_status == "unsubscribed"
    statuses = [
        each.get("channelProperties", {}).get("email", {}).get("status")
        for call in server.calls_of(IMPORT)
        for each in call.contacts
        if each["identifiers"]["email"] == "ann@example.com"
    ]
    assert set(statuses) == {"unsubscribed"}


@pytest.mark.parametrize("value", [[], {}], ids=repr)
def test_an_empty_list_or_object_is_no_answer_to_whether_somebody_opts_out(
    server: DotdigitalServer, tmp_path: Path, value: object
) -> None:
    anything = schema(properties={"email": TEXT, "out": {}})
    streams = {"people": {"opt_out": {"email": "out"}, "fields": {}}}
    config = settings_for(server, streams=streams, max_reject_percent=100)
    ended = load(config, tmp_path, anything, *rows("a", out=value), *rows("b", out=0))
    assert "imported 1 + rejected 1" in ended.counts()
    assert server.contact("a@example.com") is None


@pytest.mark.parametrize("is_fast", [True, False], ids=["fast", "slow"])
def test_a_reject_is_stored_under_the_newest_schema_though_a_stream_map_hides_what_is_new(
    *, is_fast: bool
) -> None:
    newer = schema(properties={"email": TEXT, "more": TEXT})
    messages = [schema(properties={"email": TEXT}), *rows("a"), newer, *rows(["7"], more="x")]
    config = {"stream_maps": {"people": {"email": "email", "__else__": None}}}
    lines = [json.dumps(each).encode() for each in messages]
    stored, rejected = sorted(
        result_of(lines, config, is_fast=is_fast).rejects, key=lambda each: each["type"] != "SCHEMA"
    )
    assert rejected["record"]["more"] == "x"
    assert "more" in stored["schema"]["properties"]


FEATURES: dict[str, dict[str, Any]] = {
    "mirror": {"sync_mode": "mirror"},
    "deletes": {"on_delete": "remove"},
    "preferences": {"preferences": {"7": "vip"}},
    "consent": {
        "consent": {
            "text": "name",
            "url": "url",
            "date_time_consented": "at",
            "ip_address": "ip",
            "user_agent": "name",
        }
    },
    "opt-outs": {"opt_out": {"email": "vip"}, "opt_out_new": "skip"},
    "paths": {"fields": {"FIRSTNAME": "person.name"}},
    "objects of any kind": {"fields": {"FIRSTNAME": "anything.name"}},
    "patterns": {"fields": {"FIRSTNAME": "strict"}},
}


@pytest.mark.parametrize("feature", FEATURES, ids=list(FEATURES))
@pytest.mark.parametrize("metadata", [False, True], ids=["", "metadata"])
def test_no_feature_takes_a_whole_stream_off_the_fast_path(feature: str, *, metadata: bool) -> None:
    properties = {
        **dict.fromkeys(("email", "name", "url", "at", "ip"), TEXT),
        "vip": FLAG,
        "person": {"type": ["object", "null"], "properties": {"name": TEXT}},
        "anything": {"patternProperties": {"^n": TEXT}, "properties": {"name": TEXT}},
        "strict": {"type": "string", "pattern": "^[A-Z]"},
    }
    values: dict[str, Any] = {
        "name": "Ada",
        "url": "https://example.com/a",
        "at": "2026-01-31T10:00:00Z",
        "ip": "192.0.2.1",
        "vip": True,
        "person": {"name": "Ada"},
        "strict": "Ada",
        "anything": {"name": "Ada"},
    }
    lines = [schema(properties=properties), *rows("abcdefghijkl", **values), state(1)]
    configuration = {
        "streams": {"people": {"fields": {}, **FEATURES[feature]}},
        "add_record_metadata": metadata,
    }
    with patch.object(ContactSink, "receive") as receive:
        fast = result_of([json.dumps(each).encode() for each in lines], configuration, is_fast=True)
    assert fast.error is None
    assert len(fast.contacts) == 12
    receive.assert_not_called()
