"""No record value and no credential in any output, at DEBUG, whatever happens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.command import Ended, load, record, schema, settings_for, state
from tests.support.dotdigital.answers import html_reply, reply, v3_error
from tests.support.dotdigital.routes import DATA_FIELDS, IMPORT, IMPORT_STATUS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.dotdigital.server import DotdigitalServer

CANARY = "kanarienvogel"
DEBUG = {"TARGET_DOTDIGITAL_LOGLEVEL": "DEBUG", "LOGLEVEL": "DEBUG"}
PROPERTIES: dict[str, Any] = {
    "id": {"type": "integer"},
    "email": {"type": ["string", "null"]},
    "first_name": {"type": ["string", "null"]},
    "loyalty_points": {},
    "birthday": {},
}
GOOD = record(id=1, email=f"{CANARY}@example.com", first_name=CANARY)
SCHEMA = schema(properties=PROPERTIES)
CONSENT = {
    "text": f"Yes, {CANARY}",
    "url": f"https://example.com/{CANARY}",
    "date_time_consented": "2024-02-29T10:00:00Z",
    "ip_address": "192.0.2.177",
    "user_agent": CANARY,
}
AGREED = {
    "people": {
        "match_identifier": "customerNumber",
        "identifiers": {"customerNumber": "number", "email": "email", "mobileNumber": "phone"},
        "fields": {},
        "preferences": {"7": "news"},
        "consent": {part: f"consent.{part}" for part in CONSENT},
        "address_book_property": "books",
    }
}

INPUTS: dict[str, tuple[Any, ...]] = {
    "good rows": (SCHEMA, GOOD, state({"row": 1})),
    "a state with a value": (SCHEMA, GOOD),
    "a bad address": (SCHEMA, record(id=1, email=f"{CANARY}@@example.com")),
    "a bad number": (SCHEMA, record(id=1, email="a@example.com", loyalty_points=CANARY)),
    "a bad date": (SCHEMA, record(id=1, email="a@example.com", birthday=CANARY)),
    "a long text": (SCHEMA, record(id=1, email="a@example.com", first_name=CANARY * 200)),
    "a row that breaks the schema": (SCHEMA, record(id=CANARY, email="a@example.com")),
    "a line that is cut": (SCHEMA, json.dumps(GOOD)[:-9].encode()),
    "a line that is no JSON": (SCHEMA, f"{CANARY}@example.com"),
    "a record that is no object": (
        SCHEMA,
        {"type": "RECORD", "stream": "people", "record": CANARY},
    ),
    "an unknown message": (SCHEMA, {"type": CANARY, "record": {"email": CANARY}}),
    "a message without stream": (SCHEMA, {"type": "RECORD", "record": {"email": CANARY}}),
    "a record before its schema": (GOOD,),
    "a batch message": (
        SCHEMA,
        {"type": "BATCH", "stream": "people", "encoding": {}, "manifest": [CANARY]},
    ),
    "a key that a skipped stream lacks": (
        schema("orders", {"id": {"type": "integer"}}, key_properties=["id"]),
        {"type": "RECORD", "stream": "orders", "record": {f"{CANARY}@example.com": 1}},
    ),
    "a value as a key": (
        schema(properties={**PROPERTIES, "by": {"type": "object", "additionalProperties": False}}),
        record(id=1, email="a@example.com", by={f"{CANARY}@example.com": 1}),
    ),
}

ARRANGEMENTS: dict[str, Callable[[DotdigitalServer], None]] = {
    "all is well": lambda _: None,
    "refused one by one": lambda server: server.reject(f"{CANARY}@example.com"),
    "refused as a whole": lambda server: server.refuse_request_with(f"{CANARY}@example.com"),
    "the description quotes it": lambda server: server.answer_next(
        IMPORT, v3_error(400, f"contacts:{CANARY} x", f"{CANARY} is wrong"), times=None
    ),
    "the code quotes it": lambda server: server.answer_next(
        IMPORT_STATUS, reply(200, {"importId": "x", "status": f"{CANARY}@x"}), times=None
    ),
    "an unauthorised reply": lambda server: server.answer_next(
        DATA_FIELDS, reply(401, {"message": f"{CANARY} is unknown"}), times=None
    ),
    "a page of HTML once": lambda server: server.answer_next(IMPORT, html_reply(200)),
}


def _assert_silent(ended: Ended, server: DotdigitalServer) -> None:
    printed = ended.stdout + ended.stderr
    assert CANARY not in printed
    for secret in (server.username, server.password, "cmVhbCBzZWNyZXQ"):
        assert secret not in printed


@pytest.mark.parametrize("name", INPUTS)
def test_no_input_is_repeated(server: DotdigitalServer, tmp_path: Path, name: str) -> None:
    ended = load(settings_for(server), tmp_path, *INPUTS[name], environment=DEBUG)
    assert "Traceback" not in ended.stderr
    _assert_silent(ended, server)


@pytest.mark.parametrize("on_delete", ["remove", "delete"])
def test_no_leaver_is_repeated(server: DotdigitalServer, tmp_path: Path, on_delete: str) -> None:
    # Who leaves an address book is looked up by a URL that holds the address.
    config = settings_for(server, streams={"people": {"on_delete": on_delete}})
    row = record(email=f"{CANARY}@example.com", _sdc_deleted_at="2026-01-01T00:00:00Z")
    ended = load(config, tmp_path, SCHEMA, row, environment=DEBUG)
    assert ended.status == 0
    _assert_silent(ended, server)


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_no_answer_is_repeated(server: DotdigitalServer, tmp_path: Path, name: str) -> None:
    ARRANGEMENTS[name](server)
    ended = load(settings_for(server), tmp_path, *INPUTS["good rows"], environment=DEBUG)
    assert "Traceback" not in ended.stderr
    _assert_silent(ended, server)


def test_nothing_of_what_people_agreed_to_is_repeated(
    server: DotdigitalServer, tmp_path: Path
) -> None:
    server.custom_identifiers.add("customerNumber")
    server.address_books[7_654_321] = f"{CANARY} book"
    good: dict[str, Any] = {
        "email": f"{CANARY}@example.com",
        "books": [f"{CANARY} book", 101],
        "news": True,
        "consent": CONSENT,
    }
    rows = [
        good,
        good | {"number": f"{CANARY}2"},  # the address belongs to the first
        *(good | {"news": each} for each in (CANARY, [CANARY], {CANARY: CANARY})),
        *(good | {"consent": each} for each in (CANARY, {"text": CANARY})),
        *(good | {"consent": {**CONSENT, part: f" {CANARY} 192.0.2.177"}} for part in CONSENT),
        *(good | {"books": each} for each in (f"{CANARY}s", [f"{CANARY}s"], {CANARY: 1}, None)),
        *(good | {"phone": each} for each in (CANARY, [CANARY])),
    ]
    columns: dict[str, Any] = {
        name: {} for name in ("number", "email", "phone", "books", "news", "consent")
    }
    messages = [record(**{"number": f"{CANARY}1", **row}) for row in rows]
    config = settings_for(server, streams=AGREED, max_reject_percent=100)
    ended = load(config, tmp_path, schema(properties=columns), *messages, environment=DEBUG)
    assert "Traceback" not in ended.stderr
    assert "dotdigital.duplicateIdentifier 1, field.type" in ended.counts()
    _assert_silent(ended, server)
    assert "192.0.2.177" not in ended.stderr
    assert "7654321" not in ended.stderr


def test_a_stream_map_that_fails_repeats_nothing(server: DotdigitalServer, tmp_path: Path) -> None:
    maps = {"people": {"first_name": "int(first_name)", "email": "email"}}
    config = settings_for(server, stream_maps=maps)
    ended = load(config, tmp_path, *INPUTS["good rows"], environment=DEBUG)
    assert ended.counts().endswith("rejected by code: record.invalid 1\n"[:-1])
    _assert_silent(ended, server)


def test_wrong_settings_are_named_and_not_repeated(tmp_path: Path) -> None:
    config = {
        "username": [CANARY],
        "password": 1234567890123,
        "region": CANARY,
        "max_active_imports": CANARY,
        "streams": {"people": {"match_identifer": CANARY, "merge_option": CANARY}},
    }
    ended = load(config, tmp_path, environment=DEBUG)
    assert ended.status == 1
    for name in ("username", "password", "region", "max_active_imports", "streams.people"):
        assert f"{name}" in ended.stderr
    assert CANARY not in ended.stderr
    assert "1234567890123" not in ended.stderr
