"""Inputs, and answers of the server, that hold a word which no output may repeat."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.support.dotdigital.answers import html_reply, reply, v3_error
from tests.support.dotdigital.routes import DATA_FIELDS, IMPORT, IMPORT_STATUS
from tests.support.messages import record, schema, state

if TYPE_CHECKING:
    from collections.abc import Callable

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


def _batch(*urls: str) -> dict[str, Any]:
    encoding = {"format": "jsonl", "compression": "none"}
    return {"type": "BATCH", "stream": "people", "encoding": encoding, "manifest": [*urls]}


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
    "a batch whose file is missing": (SCHEMA, _batch(f"file:///{CANARY}/{CANARY}.json.gz")),
    "a batch in a storage that is not installed": (SCHEMA, _batch(f"s3://k:{CANARY}@b/x.json")),
    "a batch in an unknown storage": (SCHEMA, _batch(f"{CANARY}://{CANARY}:{CANARY}@b/x.json")),
    "a batch in a storage that does not answer": (
        SCHEMA,
        _batch(f"ftp://{CANARY}:{CANARY}@127.0.0.1:1/{CANARY}.json"),
    ),
    "a batch with a chain of storages": (
        SCHEMA,
        _batch(f"zip://{CANARY}.json::file:///{CANARY}.zip", f"zip://{CANARY}::s3://{CANARY}@b/x"),
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
